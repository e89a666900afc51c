--- tenant.moved: of which tables the rows are a tenant's: those with a tenant's column, and what hangs on these; and
-- what both sides of a move note of it.
local Error = require "rille.error"
local Name = require "rille.schema.name"
local Owner = require "rille.schema.tenant"

local M = {}

--- The table in which both sides of a move note how far it is.
M.NOTES = "rille_moves"

---@class rille.MovedTable
---@field name string
---@field column? string     says whose a row is; nil: its rows hang on others
---@field keys rille.MovedKey[]    foreign keys to tables that move
---@field shared rille.MovedKey[]  foreign keys to tables that are everybody's

---@class rille.MovedKey
---@field columns string[]
---@field references string[]
---@field table string
---@field to? integer         the table's place in the plan
---@field deferrable boolean  it can be looked after when the transaction ends

local function owner_of(description)
  local found = Owner.column_of(description)
  for _, class in ipairs(require "rille.model".on_table[description.name] or {}) do
    found = found or class._def.tenant_column
  end
  return found
end

local function add(plan, description, column)
  plan[#plan + 1] = { name = description.name, column = column, keys = {}, shared = {} }
  plan.at[description.name:lower()] = #plan
end

--- Tables with a tenant's column, and those whose rows hang on them by foreign keys; `at` finds one by its name, and
--- `keys_of` has the foreign keys of every table by its name.
---@param side rille.MoveSide
---@return rille.MovedTable[]
function M.plan(side)
  local plan, rest, keys = { at = {} }, {}, {}
  for _, name in ipairs(side.db:tables()) do
    local description = side.db:describe(name)
    if description.kind == "table" and name ~= M.NOTES then
      keys[name] = side:keys(name)
      local column = owner_of(description)
      if column then add(plan, description, column) else rest[#rest + 1] = description end
    end
  end
  local count
  repeat
    count = #plan
    for _, description in ipairs(rest) do
      for _, key in ipairs(plan.at[description.name:lower()] and {} or keys[description.name]) do
        if plan.at[key.table:lower()] and not plan.at[description.name:lower()] then add(plan, description) end
      end
    end
  until #plan == count
  for _, each in ipairs(plan) do
    for _, key in ipairs(keys[each.name]) do
      key.to = plan.at[key.table:lower()]
      table.insert(key.to and each.keys or each.shared, key)
    end
  end
  plan.keys_of = keys
  return plan
end

local NUMBERS <const> = { integer = true, real = true, decimal = true }

--- What the tenant's column is compared with; nil where no value of its type is this one.  A database would take "1e3"
--- for 1000, which is another tenant: raises for a number that is not written as ids are.
---@param db rille.Handle
---@param each rille.MovedTable
---@param id integer|string
---@return integer|string?
function M.id_for(db, each, id)
  local kind
  for _, column in ipairs(db:describe(each.name).columns) do
    if Name.same(column.name, each.column) then kind = (column.type or ""):match "^%a*" end
  end
  local number = NUMBERS[kind] and type(id) == "string" and tonumber(id)
  if number then
    local integer = math.tointeger(number)
    if integer and tostring(integer) == id then return integer end
    Error.raise("invalid_argument", ("%s is no tenant's id: %s.%s has numbers, which are written otherwise"):format(
      Error.quote(id), each.name, each.column), {
      table = each.name, hint = "tenancy.resolve in the configuration says which id a slug means",
    })
  end
  if db.driver == "sqlite" or type(id) ~= "string" then return id end
  if NUMBERS[kind] or kind == "uuid" and not id:find "^%x+%-%x+%-%x+%-%x+%-%x+$" then return nil end
  return id
end

--- Raise where the source's rows are themselves but arriving there: the move that brought them is not at its end.
---@param state? string  what the source notes
function M.check_whole(state)
  if state ~= "arriving" then return end
  Error.raise("locked", "an earlier move was broken off: it had brought the tenant's rows here, and not ended", {
    hint = "run that one again first (tenants:extract before tenants:absorb, and the other way round); if the "
      .. "database that they came from is gone, delete the tenant's row of " .. M.NOTES .. " in this one",
  })
end

--- What the target notes when everything has arrived: by the digest it is known later whether it still is that.
---@param digest string
---@return string
function M.arriving(digest) return "arriving " .. digest end

--- A note, read: the state, and with "arriving" what arriving() was given.
---@param noted? string
---@return string? state
---@return string? digest
function M.read(noted)
  if noted then return noted:match "^(%a+) ?(.*)$" end
end

--- Raise for rows in the target that are neither what the source has nor what it had brought: the tenant wrote there.
---@param fields table<string, string[]>  what differs, by table
function M.refuse_changed(fields)
  local tables = table.concat(require "rille.keys"(fields), ", ")
  Error.raise("checksum_mismatch", ("the tenant's rows in the target were written after they had arrived, and before "
    .. "they left the source (%s)"):format(tables), {
    fields = fields, hint = "nothing was moved or deleted; write in the source what the target is to keep, or take it "
      .. "back in the target, so that both have the same, and run it again",
  })
end

--- Both lists of keys, each key once.
---@param some string[][]
---@param more string[][]
---@return string[][]
function M.all_keys(some, more)
  local all, known = {}, {}
  for _, list in ipairs { some, more } do
    for _, columns in ipairs(list) do
      local name = table.concat(columns, "\0")
      if not known[name] then all[#all + 1], known[name] = columns, true end
    end
  end
  return all
end

---@class rille.Reference
---@field table string   its rows refer to ...
---@field parent string  ... rows of this one
---@field rows integer

--- Raise for references that would lead nowhere, if there are any.
---@param list rille.Reference[]
---@param message string  with places for the number of rows, its plural, and the tables
---@param hint string
function M.refuse_references(list, message, hint)
  if not list[1] then return end
  local total, fields, shown = 0, {}, {}
  for i, each in ipairs(list) do
    total = total + each.rows
    shown[i] = ("%s to %s"):format(each.table, each.parent)
    fields[each.table] = fields[each.table] or {}
    table.insert(fields[each.table], ("%d row%s to %s"):format(each.rows, each.rows == 1 and "" or "s", each.parent))
  end
  Error.raise("foreign_key_violation", message:format(total, total == 1 and "" or "s", table.concat(shown, ", ")), {
    table = list[1].table, fields = fields, hint = hint,
  })
end

--- SQL: the columns of a row have the values that those of another one have.
---@param a string  what the one is called in the statement
---@param columns string[]
---@param b string
---@param references string[]
---@return string
function M.matches(a, columns, b, references)
  local parts = {}
  for i, column in ipairs(columns) do
    parts[i] = ("%s.%s = %s.%s"):format(a, Name.quote(column), b, Name.quote(references[i]))
  end
  return table.concat(parts, " and ")
end

return M
