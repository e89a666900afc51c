--- query.root: what a query stands on: its table in its database, as the core and the caller know it.
local core = require "rille.core"
local Error = require "rille.error"
local Kept = require "rille.json_schema.kept"

local M = {}

local function no_such_table(handle, name)
  Error.unknown("no_such_table", "table", name, handle:tables(), nil, {
    table = name, hint = "have the migrations been run? (rille migrate)",
  })
end

local function refuse_all(guard)
  Error.raise("invalid_argument", ("table: all_tenants is for views, and %s has rows of tenants"):format(guard.table), {
    table = guard.table, hint = ("%s:without_tenant_scope(fn) means everybody's rows of it"):format(guard.model),
  })
end

--- The columns of a description as the core wants them.
local function plain_columns(description)
  local columns = {}
  for i, column in ipairs(description.columns) do
    columns[i] = { name = column.name, declared = column.declared, default = column.default ~= nil,
      generated = column.generated, not_null = column.not_null, primary = column.primary }
  end
  return columns
end

--- A source for a table without a model; one for each handle, until the schema changes.  `all`: everybody's rows are
--- meant, of a view.
local function table_source(handle, name, all)
  local Guard = require "rille.guard"
  Guard.load_models()
  local kept, models = handle.sources, require "rille.model".generation
  if not kept or kept.version ~= handle.version or kept.models ~= models then
    kept = { version = handle.version, models = models, of = {}, of_all = {} }
    handle.sources = kept
  end
  local of = all and kept.of_all or kept.of
  local source = of[name]
  if not source then
    local description = handle:described(name) or no_such_table(handle, name)
    local guard = Guard.of(handle, name)
    if guard and all then refuse_all(guard) end
    if guard then require "rille.tenant.apart".check(handle, description, guard.column, guard.model) end
    source = core.source { table = name, columns = plain_columns(description), tenant = guard and guard.column,
      guard = guard, exact = handle:engine().exact_decimals,
      ask = not guard and require "rille.tenant.behind".ask(handle, name, description, all) or nil }
    of[name] = source
  end
  return source
end

--- The root of a query, with its source and handle looked up.
---@param query rille.Query
---@return table root
function M.ready(query)
  local root = query[1]
  local class = root.class
  if class then                                        -- (the root of a plain query takes the model's)
    local info = class._info
    if not info or info.version ~= info.handle.version or info.handle.closed then
      info = require "rille.model".info(class)
      local record = root.relation and root.relation.record
      if record and info.of_tenant then require "rille.guard".check_parents(record._class, { record }) end
    end
  elseif root.source_version ~= root.handle.version then        -- else it is that of Query.of_source
    root[1] = table_source(root.handle, root.table, root.all_tenants)
    root.kept = Kept.of(root.handle, root.table)
    root.casts = root.kept and root.kept.casts
  end
  return root
end

--- The driver of the query's database, which need not be open for it.
---@param query rille.Query
---@return string
function M.driver_of(query)
  local root = query[1]
  if root.handle then return root.handle.driver end
  local ok, handle = pcall(require "rille.database".get, root.class and root.class._def.connection)
  return ok and handle.driver or "sqlite"
end

--- The source of a table in the query's database.
---@param query rille.Query
---@param name string
---@return userdata
function M.source_of_table(query, name)
  return table_source(M.ready(query).handle, name)
end

return M
