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

--- The keys of a table that no two rows may share, each a list of columns.  Not those of indexes over expressions
--- or of some rows only: what collides there is told by the database, which then keeps nothing.
local function keys_of(db, name)
  local keys, primary, has_index = {}, {}, false
  for _, index in ipairs(db:_query([[select name, origin from pragma_index_list(?, 'other')
      where "unique" and not partial]], name)) do
    local columns, plain = {}, true
    for i, row in ipairs(db:_query("select cid, name from pragma_index_info(?, 'other') order by seqno", index.name)) do
      plain = plain and row.cid >= 0
      columns[i] = row.name
    end
    if plain then keys[#keys + 1] = columns end
    has_index = has_index or index.origin == "pk"
  end
  for i, row in ipairs(db:_query("select name from pragma_table_info(?, 'other') where pk > 0 order by pk", name)) do
    primary[i] = row.name
  end
  if #primary == 1 and not has_index then table.insert(keys, 1, primary) end     -- the rowid by its own name
  return keys
end

--- One condition: SQLite finds the other row by its index.  NULL equals nothing, as in the index.
local function same_key(columns)
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = ("o.%s = m.%s"):format(quote(column), quote(column)) end
  return table.concat(parts, " and ")
end

local function shown(columns)
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = ("quote(m.%s)"):format(quote(column)) end
  return table.concat(parts, " || ', ' || ")
end

--- What collides, in the order of the plan.
---@param db rille.Handle      has both databases, see extract.lua
---@param plan rille.MovedTable[]
---@param set_of fun(schema: string, i: integer): string  the table with the rowids of the tenant's rows
---@return rille.Collision[]
function M.find(db, plan, set_of)
  local found = {}
  for i, each in ipairs(plan) do
    for _, columns in ipairs(keys_of(db, each.name)) do
      local rows = ([[from main.%s as m where m.rowid in (select id from %s) and exists (select 1 from other.%s as o
        where %s and o.rowid not in (select id from %s))]]):format(quote(each.name), set_of("main", i),
        quote(each.name), same_key(columns), set_of("other", i))
      local count = db:_query("select count(*) as n " .. rows)[1].n
      if count > 0 then
        local values = {}
        for k, row in ipairs(db:_query(("select %s as shown %s order by m.rowid limit %d"):format(shown(columns), rows,
          SHOWN))) do
          values[k] = row.shown
        end
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

--- Raise where anything collides: which key of which table, in how many rows, and some of the values.
---@param found rille.Collision[]
function M.check(found)
  if #found == 0 then return end
  local fields, total = {}, 0
  for _, each in ipairs(found) do
    local columns = table.concat(each.columns, ", ")
    fields[#each.columns > 1 and ("%s (%s)"):format(each.table, columns) or each.table .. "." .. columns] = {
      words_of(each),
    }
    total = total + each.rows
  end
  Error.raise("unique_violation", ("%d row%s of the tenant cannot be moved: rows of others in the target have the same "
    .. "keys"):format(total, total == 1 and "" or "s"), {
    fields = fields, hint = "nothing was moved; give them keys that are free, together with what refers to them",
  })
end

return M
