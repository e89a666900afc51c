--- blueprint: what the column words said, made whole and checked: a table for any database to be made from.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

---@class rille.BlueprintColumn
---@field name string
---@field type string             as in casts: integer real text blob boolean decimal datetime date json uuid
---@field word string             what it was declared with: string text integer bigint float …
---@field nullable boolean
---@field default? any            a literal; rille.null is NULL
---@field default_sql? string     an SQL expression
---@field default_now? boolean
---@field primary? boolean
---@field auto? boolean           the database counts it up
---@field length? integer         of a string
---@field precision? integer      of a decimal
---@field scale? integer
---@field values? string[]        of an enum
---@field references? { table: string, column: string, on_delete: string?, on_update: string? }
---@field checks string[]         SQL conditions
---@field comment? string
---@field soft_deletes? boolean
---@field tenant? boolean         says which tenant a row belongs to
---@field global? boolean         refers to rows of any tenant

---@class rille.BlueprintIndex
---@field name string
---@field unique boolean
---@field columns { [1]: string, [2]: "asc"|"desc"|nil }[]
---@field where? string|table     SQL, or column -> value
---@field trashed? string         the column of soft deletes: deleted rows are left out
---@field automatic? boolean      wanted only where no other index begins with its column
---@field global? boolean         unique among the rows of all tenants
---@field named? boolean          a migration said its name
---@field concurrently? boolean   others go on writing while it is made, where the database can do that

---@class rille.Blueprint
---@field table string
---@field columns rille.BlueprintColumn[]   as they were said
---@field primary string[]
---@field indexes rille.BlueprintIndex[]
---@field foreign table[]        { columns, table, references (its columns there), on_delete?, on_update?, name? }
---@field checks { name: string?, sql: string }[]
---@field operations table[]                to change a table: one after the other
---@field tenant? string                     the column that says which tenant a row belongs to
---@field row_security? string               ... and by which the database itself is to show its rows

local function fail(where, column, message, hint)
  Error.raise("invalid_argument", ("%s: the column %q %s"):format(where, column.name, message), { hint = hint })
end

--- What only shows when all its words were said.
local function check_column(where, column)
  local key = column.references
  if column.primary and column.nullable then fail(where, column, "is a primary key and cannot be NULL") end
  if column.tenant and column.nullable then
    fail(where, column, "says whose a row is and cannot be NULL", "a row without a tenant is nobody's, and never seen")
  end
  if key and not column.nullable then
    for _, event in ipairs { "on_delete", "on_update" } do
      if key[event] == "set null" then
        fail(where, column, "cannot be set to NULL: it is not nullable", "add :nullable()")
      end
    end
  end
  if column.default == require "rille.core".null and not column.nullable then
    fail(where, column, "has NULL for its default and is not nullable", "add :nullable()")
  end
  if column.change and column.primary then
    fail(where, column, "cannot become a primary key by change()", "t:primary{…} does that")
  end
end

local function plain_names(parts)
  local names = {}
  for i, part in ipairs(parts) do names[i] = part[1] end
  return names
end

local function index(table_name, parts, unique, options, automatic)
  return {
    kind = "index", columns = parts, unique = unique or false, where = options.where, automatic = automatic,
    trashed = options.ignore_trashed or nil, global = options.global, named = options.name ~= nil,
    concurrently = options.concurrently,
    name = options.name or Name.derived(table_name, plain_names(parts), unique and "unique" or "index"),
  }
end

--- The indexes that a column asks for.
local function indexes_of(table_name, column)
  local found, parts = {}, { { column.name } }
  if column.unique then found[#found + 1] = index(table_name, parts, true, column.unique) end
  if column.index then found[#found + 1] = index(table_name, parts, false, column.index) end
  if column.indexed and not column.index then found[#found + 1] = index(table_name, parts, false, {}, true) end
  column.unique, column.index, column.indexed = nil, nil, nil
  return found
end

--- Indexes that leave soft-deleted rows out say by which column: the one that is said beside them, or, of a table that
--- is there, the one of the usual name.
local function say_trashed(where, mode, blueprint)
  local column = mode == "alter" and "deleted_at" or nil
  for _, each in ipairs(blueprint.columns) do
    if each.soft_deletes then column = each.name end
  end
  for _, each in ipairs(blueprint.indexes) do
    if each.trashed == true then
      if not column then
        Error.raise("invalid_argument", ("%s: ignore_trashed of %q: the table deletes no rows softly"):format(where,
          each.name), { hint = 't:soft_deletes() is the column; another one is named: ignore_trashed = "gone_at"' })
      end
      each.trashed = column
    end
  end
end

--- Operations as they are carried out: columns told apart by what happens to them, each followed by its indexes.
local function expand(where, table_name, operations)
  local out = {}
  for _, operation in ipairs(operations) do
    local column = operation.column
    if operation.kind == "column" then
      check_column(where, column)
      out[#out + 1] = { kind = column.change and "change" or "add", column = column }
      for _, each in ipairs(indexes_of(table_name, column)) do out[#out + 1] = each end
      column.change, column.mode = nil, nil
    elseif operation.kind == "index" then
      out[#out + 1] = index(table_name, operation.columns, operation.unique, operation.options)
    else
      if operation.kind == "foreign" and not operation.table then
        Error.raise("invalid_argument", "t:foreign: says no table", { hint = ":references(table, columns)" })
      end
      out[#out + 1] = operation
    end
  end
  return out
end

local function check_known(where, names, columns)
  local known = {}
  for i, column in ipairs(columns) do known[i] = column.name end
  for _, name in ipairs(names) do
    local found = false
    for _, each in ipairs(known) do found = found or Name.same(each, name) end
    if not found then
      Error.unknown("no_such_column", "column", name, known, where, { table = where, column = name })
    end
  end
end

--- Does another index, or the primary key, find rows by this column already?
local function covered(blueprint, automatic)
  local name = automatic.columns[1][1]
  if blueprint.primary[1] and Name.same(blueprint.primary[1], name) then return true end
  for _, each in ipairs(blueprint.indexes) do
    local whole = not each.where and not each.trashed
    if each ~= automatic and whole and Name.same(each.columns[1][1], name) then return true end
  end
  return false
end

local function drop_covered(blueprint)
  local kept = {}
  for _, each in ipairs(blueprint.indexes) do
    if not each.automatic or not covered(blueprint, each) then kept[#kept + 1] = each end
  end
  blueprint.indexes = kept
end

local function add_primary(blueprint, columns)
  if #blueprint.primary > 0 then
    Error.raise("invalid_argument", ("create: %q has two primary keys"):format(blueprint.table), {
      hint = "t:primary{…} with all columns makes one of several columns",
    })
  end
  blueprint.primary = columns
end

local function no_twins(where, list, what)
  local seen = {}
  for _, each in ipairs(list) do
    local key = each.name and each.name:lower() or each
    if seen[key] then Error.raise("invalid_argument", ("%s: the %s %q comes twice"):format(where, what, each.name)) end
    seen[key] = true
  end
end

--- The column that says which tenant a row belongs to.
local function tenant_of(where, columns)
  local tenant
  for _, column in ipairs(columns) do
    if column.tenant and tenant then fail(where, column, ("is the tenant's, and so is %q"):format(tenant)) end
    if column.tenant then tenant = column.name end
  end
  return tenant
end

local function lead_with_tenant(blueprint)
  local Tenant = require "rille.schema.tenant"
  local mark = Tenant.mark(blueprint.table, blueprint.tenant, blueprint.primary)
  Tenant.lead(blueprint, blueprint.tenant)
  if mark then table.insert(blueprint.indexes, 1, mark) end
end

local function complete_table(blueprint)
  local name = blueprint.table
  local inline = {}
  for _, column in ipairs(blueprint.columns) do
    if column.primary then inline[#inline + 1] = column.name end
  end
  if #blueprint.columns == 0 then Error.raise("invalid_argument", ("create: %q has no columns"):format(name)) end
  no_twins("create", blueprint.columns, "column")
  if #inline > 0 then add_primary(blueprint, inline) end
  for _, column in ipairs(blueprint.columns) do
    if column.auto and #blueprint.primary > 1 then
      fail("create", column, "is counted up and cannot be one of several key columns", "t:bigint(…) is not counted up")
    end
  end
  if blueprint.tenant then lead_with_tenant(blueprint) end
  drop_covered(blueprint)
  no_twins("create", blueprint.indexes, "index")
  no_twins("create", blueprint.checks, "check")
  check_known(name, blueprint.primary, blueprint.columns)
  for _, column in ipairs(blueprint.columns) do
    for _, key in ipairs(column.nullable and blueprint.primary or {}) do
      if Name.same(key, column.name) then fail("create", column, "is a primary key and cannot be NULL") end
    end
  end
  for _, each in ipairs(blueprint.indexes) do
    check_known(name, plain_names(each.columns), blueprint.columns)
    check_known(name, { each.trashed }, blueprint.columns)
  end
  for _, each in ipairs(blueprint.foreign) do check_known(name, each.columns, blueprint.columns) end
end

--- By which column the rows of a new table are shown.
local function security_column(where, blueprint, operation)
  local column = operation.column_name or blueprint.tenant
  if not column then
    Error.raise("invalid_argument", where .. ": row_security: nothing says which column is the tenant's", {
      hint = 't:references("org"):tenant() does, or t:row_security "org_id"',
    })
  end
  check_known(blueprint.table, { column }, blueprint.columns)
  return column
end

--- Check what was said as a whole.
---@param table_name string
---@param mode "create"|"alter"
---@param operations table[]  of table.lua
---@return rille.Blueprint
function M.finish(table_name, mode, operations)
  local where = mode == "create" and "create" or "table"
  local blueprint = { table = table_name, columns = {}, primary = {}, indexes = {}, foreign = {}, checks = {} }
  local secured
  blueprint.operations = expand(where, table_name, operations)
  local lists = { index = blueprint.indexes, foreign = blueprint.foreign, check = blueprint.checks }
  for _, operation in ipairs(blueprint.operations) do
    local kind = operation.kind
    if kind == "add" or kind == "change" then
      blueprint.columns[#blueprint.columns + 1] = operation.column
    elseif kind == "primary" and mode == "create" then
      add_primary(blueprint, operation.columns)
    elseif lists[kind] then
      table.insert(lists[kind], operation)
    elseif kind == "row_security" then
      secured = operation
    end
  end
  say_trashed(where, mode, blueprint)
  blueprint.tenant = tenant_of(where, blueprint.columns)
  if secured and mode == "create" then blueprint.row_security = security_column(where, blueprint, secured) end
  if mode == "create" then complete_table(blueprint) end
  return blueprint
end

return M
