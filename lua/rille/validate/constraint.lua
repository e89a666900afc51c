--- validate.constraint: rules that the database keeps: which constraint stands for which rule, and whose failed.
-- `unique` and `references` want their constraint and look nothing up while all is well: the database says no by
-- itself, without a race.  Rows are looked up only once something failed, so that a person hears of all at once.
local core = require "rille.core"
local Error = require "rille.error"
local Rule = require "rille.validate.rule"
local State = require "rille.record.state"
local Unique = require "rille.schema.unique"

local M = {}

local Record = State.methods

-- -- finding the constraint -----------------------------------------------------------------------------------------

local function missing(column, what, hint)
  Error.raise("invalid_argument", ("%s: %s, which the database does not have"):format(column.place, what),
    { column = column.name, hint = hint })
end

--- A unique rule: its columns, and the name of its index, for a driver that says no more.  Where rows belong to
--- tenants, an index that is unique for each of them will do.
---@return table look_up  `ignored` is the column of soft deletes, where the index does not cover deleted rows
function M.unique(option, column, def, info, description)
  local columns = { column.name }
  for _, name in ipairs(Rule.within(option)) do
    if not info.has[name] then
      Error.unknown("no_such_column", "column", name, info.names, ("%s: unique.within: %s"):format(column.place,
        def.table), { model = def.name })
    end
    columns[#columns + 1] = name
  end
  local index = Unique.index(description, columns)
  local tenant = not index and def.tenant_column
  if tenant then
    columns[#columns + 1] = tenant
    index = Unique.index(description, columns)
  end
  if not index then
    if tenant then columns[#columns] = nil end
    local words = #columns == 1 and (':unique() behind the column "%s"'):format(column.name)
      or ('t:unique { "%s" }'):format(table.concat(columns, '", "'))
    missing(column, ("unique wants a unique index on %s (%s)"):format(def.table, table.concat(columns, ", ")),
      words .. " in a migration makes one")
  end
  local gone, ignored = def.soft_deletes, nil
  if gone and index.partial then
    local Definition = require "rille.schema.sqlite.definition"
    if Definition.mentions(Definition.condition_of_index(index.sql), gone) then ignored = gone end
  end
  return { rule = "unique", columns = columns, index = index.name, partial = index.partial, ignored = ignored,
    tenant = tenant }
end

--- A references rule: the table and the column that are referred to.
---@return table look_up
function M.references(option, column, def, info, description)
  if info.handle.settings.foreign_keys == false then
    missing(column, "references wants foreign keys, and the connection has them switched off: foreign_keys = false",
      "take foreign_keys = false out of the connection's settings")
  end
  for _, key in ipairs(description.foreign) do
    local count = #key.columns
    local fits = count == 1 or count == 2 and key.columns[1] == def.tenant_column      -- of the same tenant's row
    if fits and key.columns[count] == column.name and (option == true or option == key.table) then
      local to = count == 1 and key.references or info.handle:describe(key.table).primary[1]
      return { rule = "references", columns = { column.name }, table = key.table, column = to }
    end
  end
  missing(column, ("references wants a foreign key of %s.%s%s"):format(def.table, column.name,
    option == true and "" or " to " .. option), ('t:references("%s", …) in a migration makes one'):format(
    (column.name:gsub("_id$", ""))))
end

-- -- looking up -----------------------------------------------------------------------------------------------------

--- The query without the record's own row; nil when the record was read without its key.
local function but_itself(query, record, info)
  if not core.record_exists(record) or #info.primary == 0 then return query end
  local key = State.stored_key(record, info, true)
  for i = 1, #info.primary do
    if key[i] == nil then return nil end
  end
  return query:where_not(function(own)
    for i, name in ipairs(info.primary) do own = own:where(name, key[i]) end
    return own
  end)
end

local function is_taken(record, info, look_up)
  local Query = require "rille.query"
  if look_up.partial and require "rille.model".info(info.class) ~= info then return false end
  if look_up.ignored and Record.raw(record, look_up.ignored) ~= nil then return false end
  -- The whole index knows all rows; one over some rows is most often about those that the model's scopes leave.
  local query = look_up.partial and Query.of(info.class)
    or Query.of_source(info.handle, info.source, info.class._def.root.meta)
  for _, name in ipairs(look_up.columns) do
    local value = Record.raw(record, name)
    if value ~= nil then
      query = Query.node(query, core.op.compare, 0, name, "=", value)
    elseif name ~= look_up.tenant then                                     -- that one the query says itself
      return false                                                         -- NULL equals nothing
    end
  end
  query = but_itself(query, record, info)
  return query ~= nil and query:exists()
end

local function leads_nowhere(record, info, look_up)
  local value = Record.raw(record, look_up.columns[1])
  if value == nil then return false end
  if look_up.table == info.class._def.table and value == Record.raw(record, look_up.column) then return false end
  return not info.handle:table(look_up.table):where(look_up.column, value):exists()
end

local FAILS = { unique = is_taken, references = leads_nowhere }

--- Ask the database whether a rule would fail.
---@param record rille.Record
---@param info table
---@param look_up table  as M.unique and M.references make it
---@return boolean
function M.fails(record, info, look_up)
  return FAILS[look_up.rule](record, info, look_up)
end

-- -- what the database refused --------------------------------------------------------------------------------------

--- The condition of a CHECK that has a name; else the text that SQLite names it by is its condition.
local function condition_of(constraint, sql)
  local named = constraint:gsub("%W", "%%%0") .. "[\"`%]]?%s+[Cc][Hh][Ee][Cc][Kk]%s*(%b())"
  local condition = sql:match("[Cc][Oo][Nn][Ss][Tt][Rr][Aa][Ii][Nn][Tt]%s+[\"`%[]?" .. named)
  if condition then return condition end
  return sql:find(constraint, 1, true) and constraint or ""
end

-- Kind of an error -> the rule of a group that it is about, if any.
local SPEAKS_OF = {
  unique_violation = function(e, group, record, info)
    for _, look_up in ipairs(group.look_ups) do
      if look_up.rule == "unique" then
        local is_meant
        if e.columns then
          is_meant = Unique.same_names(e.columns, look_up.columns)
        else                                   -- an index of another kind, or names too long for the error to hold
          is_meant = e.constraint == look_up.index or is_taken(record, info, look_up)
        end
        if is_meant then return "unique" end
      end
    end
  end,
  not_null_violation = function(e, group)
    return group.required and e.column == group.name and "required" or nil
  end,
  foreign_key_violation = function(_, group, record, info)
    for _, look_up in ipairs(group.look_ups) do
      if look_up.rule == "references" and leads_nowhere(record, info, look_up) then return "references" end
    end
  end,
  check_violation = function(e, group, _, _, sql)
    local condition = condition_of(e.constraint or "", sql):gsub("'[^']*'", "")
    local name = group.name:gsub("%W", "%%%0")
    return (" " .. condition .. " "):find("[^%w_]" .. name .. "[^%w_]") and "check" or nil
  end,
}

--- The rule of a group that an error of the database stands for; nil when it is about something else.
---@param e rille.Error
---@param group table   of validate.lua
---@param record rille.Record
---@param info table
---@param sql string    the text that made the table
---@return string? rule
function M.broken(e, group, record, info, sql)
  if e.table and e.table ~= info.class._def.table then return nil end
  local speaks_of = SPEAKS_OF[e.kind]
  return speaks_of and speaks_of(e, group, record, info, sql)
end

return M
