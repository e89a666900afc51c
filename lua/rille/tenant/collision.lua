--- tenant.collision: rows of others in the target that have what the tenant's rows must have for themselves there.
-- Ids are given by each database on its own, so rows that came to be on both sides often share them.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local SHOWN <const> = 5            -- values of each key

local quote = Name.quote

---@class rille.Collision
---@field table string
---@field columns string[]    of the key
---@field rows integer        of the tenant that cannot have it
---@field values string[]     of some of them, as SQL writes them

--- One condition: the database finds the other row by its index.  NULL equals nothing, as in the index.
local function same_key(columns)
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = ("o.%s = m.%s"):format(quote(column), quote(column)) end
  return table.concat(parts, " and ")
end

local function listed(columns, form)
  local parts = {}
  for i, column in ipairs(columns) do
    local name = "m." .. quote(column)
    parts[i] = form and form:gsub("%%s", function() return name end) or name
  end
  return table.concat(parts, form and " || ', ' || " or ", ")
end

---@class rille.CollisionView
---@field keys fun(name: string, i: integer): string[][]  the keys of a table that no two rows may share
---@field mine fun(i: integer): string          SQL: the tenant's rows that come, as m
---@field theirs fun(i: integer): string, string  SQL: the rows of others in the target, as o, and a condition
---@field shown string                          SQL: a value (%s) as SQL writes it

--- What collides, in the order of the plan.
---@param db rille.Handle      sees both
---@param plan { name: string }[]
---@param view rille.CollisionView
---@return rille.Collision[]
function M.find(db, plan, view)
  local found = {}
  for i, each in ipairs(plan) do
    local mine = view.mine(i)
    local theirs, is_theirs = view.theirs(i)
    for _, columns in ipairs(view.keys(each.name, i)) do
      local rows = ("from %s where exists (select 1 from %s where %s and %s)"):format(mine, theirs, same_key(columns),
        is_theirs)
      local count = db:_query("select count(*) as n " .. rows)[1].n
      if count > 0 then
        local values = {}
        local some = ("select %s as shown %s order by %s limit %d"):format(listed(columns, view.shown), rows,
          listed(columns), SHOWN)
        for k, row in ipairs(db:_query(some)) do values[k] = row.shown end
        found[#found + 1] = { table = each.name, columns = columns, rows = count, values = values }
      end
    end
  end
  return found
end

--- A collision in words: "posts.id: 7 rows: 1, 2, 3, 4, 5 …"
local function words_of(each)
  local more = each.rows > #each.values and " …" or ""
  local values = table.concat(each.values, #each.columns > 1 and "; " or ", ")
  return ("%d row%s: %s%s"):format(each.rows, each.rows == 1 and "" or "s", values, more)
end

local WRITTEN <const> = { created_at = true, updated_at = true }      -- not what a row says, but when it was written

--- SQL: the row o is another than m.
---@param columns string[]
---@param form string  SQL: a column (%s) differs
---@return string
function M.differ(columns, form)
  local parts = {}
  for _, column in ipairs(columns) do
    if not WRITTEN[column] then
      parts[#parts + 1] = form:gsub("%%s", function() return quote(column) end)
    end
  end
  return parts[1] and ("(%s)"):format(table.concat(parts, " or ")) or "1 = 0"
end

--- What is found, by its place, and how many rows that is.
local function told(found)
  local fields, total = {}, 0
  for _, each in ipairs(found) do
    local columns = table.concat(each.columns, ", ")
    fields[#each.columns > 1 and ("%s (%s)"):format(each.table, columns) or each.table .. "." .. columns] = {
      words_of(each),
    }
    total = total + each.rows
  end
  return fields, total
end

--- Raise where rows of everybody's that the tenant's refer to are others in the target: their keys mean something else
--- there.
---@param found rille.Collision[]
function M.check_shared(found)
  if #found == 0 then return end
  local fields, total = told(found)
  Error.raise("unique_violation", ("%d row%s of everybody's that the tenant's rows refer to %s another in the target, "
    .. "with the same key"):format(total, total == 1 and "" or "s", total == 1 and "is" or "are each"), {
    fields = fields, hint = "nothing was moved; make them the same on both sides, or give them keys that are free",
  })
end

--- Raise where anything collides: which key of which table, in how many rows, and some of the values.
---@param found rille.Collision[]
function M.check(found)
  if #found == 0 then return end
  local fields, total = told(found)
  Error.raise("unique_violation", ("%d row%s of the tenant cannot be moved: rows of others in the target have the same "
    .. "keys"):format(total, total == 1 and "" or "s"), {
    fields = fields, hint = "nothing was moved; give them keys that are free, together with what refers to them",
  })
end

return M
