--- sqlite.ddl: a blueprint as the DDL of SQLite.
-- Declared types are chosen for their affinity: what is stored stays what it was.
local core = require "rille.core"
local Definition = require "rille.schema.sqlite.definition"
local Index = require "rille.schema.index"
local Key = require "rille.schema.key"
local Name = require "rille.schema.name"
local Value = require "rille.schema.value"

local M = {}

local EXACT_DIGITS = 15            -- as many survive in the numbers that a numeric column keeps

local TYPES = {
  text = "TEXT", integer = "INTEGER", bigint = "BIGINT", float = "DOUBLE", boolean = "BOOLEAN", date = "DATE TEXT",
  datetime = "DATETIME TEXT", json = "JSON TEXT", blob = "BLOB", uuid = "UUID TEXT", enum = "TEXT", id = "integer",
  string = function(column) return ("VARCHAR(%d)"):format(column.length) end,
  decimal = function(column)
    local name = column.precision <= EXACT_DIGITS and "DECIMAL" or "DECIMAL_TEXT"
    return ("%s(%d,%d)"):format(name, column.precision, column.scale)
  end,
}

-- What the values of a type keep, as a condition on the column.
local CHECKS = {
  boolean = function(name) return name .. " in (0, 1)" end,
  -- json_valid(null) is false in the versions of SQLite that are around.
  json = function(name, column)
    local valid = ("json_valid(%s)"):format(name)
    return column.nullable and name .. " is null or " .. valid or valid
  end,
  enum = function(name, column)
    local values = {}
    for i, value in ipairs(column.values) do values[i] = Value.literal(value) end
    return ("%s in (%s)"):format(name, table.concat(values, ", "))
  end,
}

local NOW = {
  datetime = "(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
  date = "(strftime('%Y-%m-%d', 'now'))",
}

--- The default that is the moment of the insert; nil for a column of no such type.
---@param column rille.BlueprintColumn
---@return string?
function M.now(column) return NOW[column.type] end

--- The type that a column is declared with.
---@param column rille.BlueprintColumn
---@return string
function M.type_of(column)
  local declared = TYPES[column.word]
  return type(declared) == "function" and declared(column) or declared
end

--- The condition that a column's type brings with it, or nil.
---@param column rille.BlueprintColumn
---@return string?
function M.type_check(column)
  local check = CHECKS[column.word]
  return check and check(Name.quote(column.name), column)
end

-- These stand for themselves; any other expression wants parentheses.
local KEYWORDS = { current_timestamp = true, current_date = true, current_time = true, null = true, ["true"] = true,
  ["false"] = true }

local function is_numeric(column) return column.type == "decimal" and column.precision <= EXACT_DIGITS end

local function default_clause(column)
  local value = column.default
  if column.default_now then return "default " .. NOW[column.type] end
  if column.default_sql then
    local sql = column.default_sql
    return "default " .. (KEYWORDS[sql:lower()] and sql or "(" .. sql .. ")")
  end
  if is_numeric(column) and value ~= core.null then return "default " .. value end     -- checked: digits and a point
  return "default " .. Value.literal(value, column.type == "blob")
end

--- A column as the definition of a table holds it.
---@param column rille.BlueprintColumn
---@param table_name string   names its checks
---@return table column       of a rille.Definition
function M.column(column, table_name)
  local clauses = {}
  local function add(kind, text, name) clauses[#clauses + 1] = { kind = kind, text = text, name = name } end
  if column.primary then
    add("primary", column.auto and "primary key autoincrement" or "primary key")
    clauses[1].auto = column.auto
  end
  if not column.nullable then add("not null", "not null") end
  if column.default ~= nil or column.default_sql or column.default_now then add("default", default_clause(column)) end
  local conditions = table.move(column.checks, 1, #column.checks, 2, { M.type_check(column) or false })
  for _, condition in ipairs(conditions) do
    if condition then
      local count = 1
      for _, clause in ipairs(clauses) do count = count + (clause.kind == "check" and 1 or 0) end
      add("check", "check (" .. condition .. ")",
        Name.derived(table_name, { column.name }, count == 1 and "check" or "check_" .. count))
    end
  end
  if column.references then
    local key = column.references
    add("references", Key.references(key, { key.column }), column.global
      and Name.derived(table_name, { column.name }, "global_key") or nil)
    clauses[#clauses].table, clauses[#clauses].references = key.table, { key.column }
  end
  return { name = column.name, type = M.type_of(column), clauses = clauses, remarks = { column.comment } }
end

--- A constraint of the whole table, as its definition holds it.
---@param operation table  of a blueprint: primary, foreign or check
---@param definition rille.Definition  names of constraints that are taken
---@return rille.Clause
function M.constraint(operation, definition)
  if operation.kind == "primary" then
    local columns = operation.columns
    return { kind = "primary", columns = columns, text = ("primary key (%s)"):format(Name.quote_all(columns)) }
  elseif operation.kind == "foreign" then
    local columns, target = operation.columns, operation.references
    return {
      kind = "foreign", name = operation.name, columns = columns, table = operation.table, references = target,
      text = ("foreign key (%s) %s"):format(Name.quote_all(columns), Key.references(operation, target)),
    }
  end
  local name, count = operation.name, 1
  local taken = {}
  for _, clause in ipairs(definition.constraints) do taken[clause.name or ""] = true end
  while not name or not operation.name and taken[name] do
    name = Name.derived(definition.name, {}, count == 1 and "check" or "check_" .. count)
    count = count + 1
  end
  return { kind = "check", name = name, text = "check (" .. operation.sql .. ")" }
end

--- The CREATE TABLE of a blueprint, as a definition.
---@param blueprint rille.Blueprint
---@return rille.Definition
function M.definition(blueprint)
  local definition = { name = blueprint.table, columns = {}, constraints = {}, tail = "" }
  for i, column in ipairs(blueprint.columns) do
    if column.primary and #blueprint.primary > 1 then
      column = setmetatable({ primary = false }, { __index = column })
    end
    definition.columns[i] = M.column(column, blueprint.table)
  end
  local inline = false
  for _, column in ipairs(blueprint.columns) do inline = inline or column.primary and #blueprint.primary == 1 end
  local function add(operation) table.insert(definition.constraints, M.constraint(operation, definition)) end
  if #blueprint.primary > 0 and not inline then add { kind = "primary", columns = blueprint.primary } end
  for _, operation in ipairs(blueprint.foreign) do add(operation) end
  for _, operation in ipairs(blueprint.checks) do add(operation) end
  return definition
end

--- Which rows an index covers, as SQL; nil for all.
---@param index rille.BlueprintIndex
---@return string?
function M.covered_rows(index) return Index.covered_rows(index, Value.literal) end

--- A CREATE INDEX.
---@param table_name string
---@param index rille.BlueprintIndex
---@return string
function M.index(table_name, index)
  local parts = {}
  for i, part in ipairs(index.columns) do
    parts[i] = Name.quote(part[1]) .. (part[2] == "desc" and " desc" or "")
  end
  local covered = M.covered_rows(index)
  return ("create %sindex %s on %s (%s)%s"):format(index.unique and "unique " or "", Name.quote(index.name),
    Name.quote(table_name), table.concat(parts, ", "), covered and " where " .. covered or "")
end

--- Everything that makes a new table.
---@param blueprint rille.Blueprint
---@return string[] statements
function M.create(blueprint)
  local statements = { Definition.render(M.definition(blueprint)) }
  for _, index in ipairs(blueprint.indexes) do statements[#statements + 1] = M.index(blueprint.table, index) end
  return statements
end

return M
