--- guard: the tables whose rows belong to tenants, by the models that say so, and where that is lifted for a coroutine.
-- A table is guarded however a statement comes to it: as the table of a model, joined by name, or as a plain one.
local core = require "rille.core"
local Config = require "rille.config"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Site = require "rille.site"
local hook = require "rille.hook"
local Tenant = require "rille.tenant"

local M = {}

---@class rille.Guard
---@field model string
---@field table string
---@field column string              says whose a row is
---@field connection? string         of the model; nil: the default one, or the tenant's own

--- Raise for models of one table that say different things of whose its rows are.
local function raise_differing(def, other)
  local says, lacks = def, other
  if not def.tenant_column then says, lacks = other, def end
  Error.raise("invalid_argument", ("models %s and %s are of one table, %s: only one says tenant_column = %s"):format(
    lacks.name, says.name, def.table, Error.quote(says.tenant_column)), {
    model = def.name, hint = "rows belong to tenants for all models of a table, or for none",
  })
end

--- The guard of a definition, one for all models of its table; nil when its rows belong to nobody.
---@param def table
---@param declared table<string, rille.Model>
---@return rille.Guard?
function M.new(def, declared)
  local shared
  for _, class in next, declared do
    local other = class._def
    if other.table == def.table and other.connection == def.connection then
      if other.tenant_column ~= def.tenant_column then raise_differing(def, other) end
      shared = other.guard
    end
  end
  if not def.tenant_column then return nil end
  if not shared and core.wall[2] then require "rille.tenant.wall".again() end
  return shared or { model = def.name, table = def.table, column = def.tenant_column, connection = def.connection }
end

--- Where there are tenants, every model must be known before a table can be said to belong to nobody.
function M.load_models()
  if next(core.tenants) or Config.current().tenancy then require "rille.autoload".load_once() end
end

--- The guard of a table that is reached without a model; nil when its rows belong to nobody.
---@param handle rille.Handle
---@param name string
---@return rille.Guard?
function M.of(handle, name)
  for _, class in ipairs(require "rille.model".on_table[name] or {}) do
    local guard = class._def.guard
    if guard and (guard.connection == nil and handle.tenant or M.is_in(guard, handle)) then return guard end
  end
end

--- Are the guard's rows in the database of the handle, together with those of other tenants?
---@param guard rille.Guard
---@param handle rille.Handle
---@return boolean
function M.is_in(guard, handle)
  if handle.tenant then return false end
  local tenancy = Config.current().tenancy
  if not guard.connection and tenancy and tenancy.directory then return true end     -- which are meant it alone knows
  return M.leads_to(guard.connection, handle)
end

--- Does a connection lead to the database of the handle, by whatever name and way?
---@param name? string  nil: the default one
---@param handle rille.Handle
---@return boolean
function M.leads_to(name, handle)
  local config = Config.current()
  name = name or config.default
  if handle.name == name then return true end
  local settings = config.connections[name]
  if not settings or settings.driver ~= handle.driver then return false end
  local site = Site.of(settings)
  return site ~= nil and site == Site.of(handle.settings)
end

--- Raise where another model of the table, in the database in which this one is, says something else of whose its rows
--- are.  When models are declared that is seen of those that name the same connection.
---@param def table  of the model
---@param handle rille.Handle
function M.check_alike(def, handle)
  if handle.tenant then return end                        -- models of one table that are there name no connection
  if not def.guard then M.load_models() end
  for _, class in ipairs(require "rille.model".on_table[def.table]) do
    local other = class._def
    local differs = other.guard and other.tenant_column ~= def.tenant_column
    if differs and M.is_in(other.guard, handle) then raise_differing(def, other) end
  end
end

--- Does this coroutine see everybody's rows of every table?
local function all_lifted()
  for _, class in next, require "rille.model".declared do
    local guard = class._def.guard
    if guard and not Tenant.is_lifted(guard) then return false end
  end
  return true
end

local function raise_required(name)
  Error.raise("tenant_required", ("a %s belongs to a tenant, and none is set in this coroutine"):format(name), {
    model = name, hint = "rille.tenant.run(tenant, fn) sets one",
  })
end

--- Where in a script the bypass was asked for.
local function place()
  local level = 3
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.what ~= "C" and not info.source:find "rille/[%w_/]+%.lua$" then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
    level = level + 1
  end
end

--- The current tenant, for messages, where it shares the tables of the handle's database with others.
local function sharing(handle)
  local tenant, shared = Tenant.current(), false
  if not tenant then return nil end
  M.load_models()
  for _, class in next, require "rille.model".declared do
    local guard = class._def.guard
    shared = shared or guard and M.is_in(guard, handle) and not Tenant.is_lifted(guard)
  end
  return shared and Error.quote(tostring(tenant.slug or tenant.id)) or nil
end

--- Raise for SQL of the caller's own inside a tenant, on a database that tenants share: nobody knows whose rows it
--- reads.
---@param word string  the method
---@param handle rille.Handle
---@param sql string
function M.check_raw(word, handle, sql)
  local tenant = sharing(handle)
  if not tenant then return end
  if require "rille.tenant.wall".is_at(handle) then return require "rille.tenant.raw".check(word, handle, sql) end
  Error.raise("tenant_required", ("%s: SQL of your own is not limited to the tenant %s"):format(word, tenant), {
    sql = sql, hint = "queries of models are; { all_tenants = true } behind the values says that everybody's rows are "
      .. "meant",
  })
end

--- Raise inside a tenant for what changes tables that it shares with others.
---@param word string  the method
---@param handle rille.Handle
function M.check_schema(word, handle)
  local tenant = next(core.tenants) and sharing(handle)
  if not tenant then return end
  Error.raise("tenant_required", ("%s: the tables are everybody's, and not the tenant %s's to change"):format(word,
    tenant), { hint = "rille.tenant.outside(fn), around it, runs it as no tenant" })
end

--- The caller said that everybody's rows are meant.
---@param word string
---@param sql? string
---@param name? string  of what is read or written, where there is no SQL
function M.told(word, sql, name)
  if hook.listening["tenant:bypass"] then
    hook.emit("tenant:bypass", { sql = sql, table = name, method = word, tenant = Tenant.current(), place = place() })
  end
end

--- Raise for attributes of create, update or fill that say another tenant.
---@param class rille.Model
---@param attributes table<string, any>
function M.check_attributes(class, attributes)
  local def = class._def
  local column = def.tenant_column
  local given = attributes[column]
  if given == nil then return end
  local tenant = Tenant.current()
  if not Tenant.is_lifted(def.guard) then
    if not tenant then raise_required(def.name) end
    if given ~= tenant.id and tostring(given) ~= tostring(tenant.id) then
      Error.raise("tenant_mismatch", ("%s.%s: the value is not the current tenant's"):format(def.name, column), {
        model = def.name, table = def.table, column = column, hint = "leave it out: it is filled in",
      })
    end
  end
end

--- Run a function that sees everybody's rows of one model.
---@param def table      of the model
---@param fn fun(...): any ...
---@param ... any
---@return any ...
function M.lift(def, fn, ...)
  if type(fn) ~= "function" then Error.argument("without_tenant_scope", "a function", fn) end
  if not def.guard then
    Error.raise("invalid_argument", ("%s:without_tenant_scope: the model has no tenant_column"):format(def.name), {
      model = def.name, hint = "its rows belong to nobody: there is nothing to lift",
    })
  end
  if hook.listening["tenant:bypass"] then
    hook.emit("tenant:bypass", { model = def.name, table = def.table, tenant = Tenant.current(), place = place() })
  end
  return Context.lift(def.guard, all_lifted, fn, ...)
end

--- Records whose relations are about to be read must be the current tenant's: in whose rows, or in whose database,
--- they are.
---@param class rille.Model
---@param records rille.Record[]
function M.check_parents(class, records)
  for i = 1, #records do
    local info = records[i]._info
    if info.of_tenant then require "rille.tenant.home".check(info.handle, true) end
  end
  if class._def.guard then M.check_records(class, records) end
end

--- Records of a tenant whose relations are about to be read must be the current tenant's.
---@param class rille.Model
---@param records rille.Record[]
function M.check_records(class, records)
  local guard = class._def.guard
  if not guard or Tenant.is_lifted(guard) then return end
  local tenant, value = Tenant.current(), core.record_value
  for i = 1, #records do
    local own = value(records[i], guard.column)
    if tenant == nil then
      raise_required(class._def.name)
    elseif own and own ~= tenant.id and tostring(own) ~= tostring(tenant.id) then
      Error.raise("tenant_mismatch", ("this %s is not the current tenant's"):format(class._def.name), {
        model = class._def.name, column = guard.column,
      })
    end
  end
end

return M
