--- schema.tenant: what it means for a table that its rows belong to tenants: its unique indexes begin with the tenant,
-- and a reference to a table of the same kind reaches the rows of the same tenant alone.
-- Such a table has a unique index over the tenant's column and its key.  It refuses nothing, for the key is unique by
-- itself; foreign keys need it, and it tells later migrations that the rows of the table belong to tenants.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

-- -- one table ------------------------------------------------------------------------------------------------------

local function names_of(parts)
  local names = {}
  for i, part in ipairs(parts) do names[i] = part[1] end
  return names
end

local function has(names, name)
  for _, each in ipairs(names) do
    if each and Name.same(each, name) then return true end
  end
  return false
end

--- Let every unique index of a blueprint begin with the tenant's column, but those that say otherwise: their names do,
--- too, so that `rille db:lint` knows that it is meant.
---@param blueprint rille.Blueprint
---@param tenant string
function M.lead(blueprint, tenant)
  for _, index in ipairs(blueprint.indexes) do
    if index.unique and index.global and not index.named then
      index.name = Name.derived(blueprint.table, names_of(index.columns), "global_unique")
    elseif index.unique and not index.global and not has(names_of(index.columns), tenant) then
      table.insert(index.columns, 1, { tenant })
      if not index.named then index.name = Name.derived(blueprint.table, names_of(index.columns), "unique") end
    end
  end
end

--- The unique index over the tenant's column and the key; nil where there is no key, or where the key says the tenant.
---@param table_name string
---@param tenant string
---@param primary string[]
---@return rille.BlueprintIndex?
function M.mark(table_name, tenant, primary)
  if #primary == 0 or has(primary, tenant) then return nil end
  local columns = table.move(primary, 1, #primary, 2, { tenant })
  local parts = {}
  for i, name in ipairs(columns) do parts[i] = { name } end
  return { kind = "index", columns = parts, unique = true, name = Name.derived(table_name, columns, "unique") }
end

--- Does a description have a unique index over just these columns, in any order?
local function is_unique(description, columns)
  local index = require "rille.schema.unique".index(description, columns)
  return index ~= nil and not index.partial
end

--- The column that says whose the rows of a table are, by its indexes; nil when they are nobody's, as far as these say.
---@param description table  as db:describe gives it
---@return string?
function M.column_of(description)
  local primary = description.primary
  if #primary == 0 then return nil end
  for _, index in ipairs(description.indexes) do
    if index.unique and not index.partial and not index.expressions and #index.columns == #primary + 1 then
      local rest = table.move(index.columns, 2, #index.columns, 1, {})
      if not has(primary, index.columns[1]) and Name.same_list(rest, primary) then return index.columns[1] end
    end
  end
end

-- -- references -----------------------------------------------------------------------------------------------------

local function refuse(blueprint, column, message, hint)
  Error.raise("migration", ("%s.%s: %s"):format(blueprint.table, column.name, message), {
    table = blueprint.table, column = column.name, hint = hint,
  })
end

--- Whose the rows are that a column refers to: the column there, or nil when they are nobody's.
local function owner_of(run, blueprint, column, tenant)
  local key = column.references
  if Name.same(key.table, blueprint.table) then return tenant end
  local target = run.handle:describe(key.table)
  if not target then
    refuse(blueprint, column, ("there is no table %q yet, and so nobody knows whether its rows belong to tenants")
      :format(key.table), "make that table first, or say :global()")
  end
  local owner = M.column_of(target)
  if owner then
    if not is_unique(target, { owner, key.column }) then
      refuse(blueprint, column, ("%s.%s is not unique for each tenant"):format(key.table, key.column),
        ("t:unique(%q) in %s makes it so"):format(key.column, key.table))
    end
    return owner
  end
  for _, each in ipairs(target.columns) do
    if Name.same(each.name, tenant) then
      refuse(blueprint, column, ("%s has the column %s too, but no unique index over it and its key"):format(key.table,
        tenant), ("t:unique { %q, %q } in a migration of %s makes it; or say :global()"):format(tenant, key.column,
        key.table))
    end
  end
end

local EMPTIES <const> = { ["set null"] = true, ["set default"] = true }

--- Let a column refer to rows of the same tenant, where they belong to tenants.
local function same_tenant(run, blueprint, column, tenant)
  local key = column.references
  local owner = owner_of(run, blueprint, column, tenant)
  if not owner then return end
  for _, event in ipairs { "on_delete", "on_update" } do
    if EMPTIES[key[event]] then
      refuse(blueprint, column, ("%s %s would take the tenant away, too"):format(event, key[event]),
        "cascade or restrict leave it alone; :global() refers without the tenant")
    end
  end
  column.references = nil
  local foreign = { kind = "foreign", columns = { tenant, column.name }, table = key.table,
    references = { owner, key.column }, on_delete = key.on_delete, on_update = key.on_update }
  table.insert(blueprint.foreign, foreign)
  table.insert(blueprint.operations, foreign)
end

-- -- a table that is there ------------------------------------------------------------------------------------------

--- What is dropped by the columns that a migration said, and not by those that it then had.
local function complete_drop(operation, description, tenant)
  local columns, kind = operation.columns, operation.kind
  if kind ~= "drop_unique" and kind ~= "drop_foreign" or not columns or has(columns, tenant) then return end
  local whole = table.move(columns, 1, #columns, 2, { tenant })
  if kind == "drop_unique" and not is_unique(description, columns) and is_unique(description, whole) then
    operation.columns = whole
  elseif kind == "drop_foreign" then
    for _, key in ipairs(description.foreign) do
      if Name.same_list(key.columns, columns) then return end
      if Name.same_list(key.columns, whole) then operation.columns = whole end
    end
  end
end

local function complete_change(run, blueprint)
  local description = run.handle:describe(blueprint.table)
  if not description then return nil end                   -- what changes it will say so
  local tenant = blueprint.tenant or M.column_of(description)
  if not tenant then return nil end
  for _, operation in ipairs(blueprint.operations) do
    complete_drop(operation, description, tenant)
    if operation.kind == "row_security" then operation.column_name = operation.column_name or tenant end
  end
  M.lead(blueprint, tenant)
  local mark = blueprint.tenant and not M.column_of(description)
    and M.mark(description.name or blueprint.table, tenant, description.primary)
  if mark then table.insert(blueprint.operations, mark) end
  return tenant
end

--- Make a blueprint whole by what the database knows of the tables around it.
---@param run rille.SchemaRunner
---@param blueprint rille.Blueprint
---@param mode "create"|"alter"
function M.complete(run, blueprint, mode)
  if blueprint.complete then return end                    -- a change may begin again
  local tenant = blueprint.tenant
  if mode == "alter" then tenant = complete_change(run, blueprint) end
  for _, column in ipairs(tenant and blueprint.columns or {}) do
    if column.references and not column.global and not Name.same(column.name, tenant) then
      same_tenant(run, blueprint, column, tenant)
    end
  end
  blueprint.complete = true
end

return M
