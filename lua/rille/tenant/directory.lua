--- tenant.directory: in which of several databases a tenant's rows are, where tenants share them: the connection that
-- `tenancy.directory` names.
-- What it says counts for a while and is asked again then, for tenants move; a transaction stays where it began,
-- whichever coroutine asks meanwhile.
local core = require "rille.core"
local Config = require "rille.config"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Kept = require "rille.kept"
local Place = require "rille.tenant.place"
local Tenant = require "rille.tenant"
local Transaction = require "rille.transaction"

local M = {}

local KEPT <const> = 1000          -- answers

-- Id of a tenant -> { name, due_ms }; `of` is the configuration under which they were given, and `named` all names that
-- were.
local answers, of, named = Kept.new(KEPT), nil, {}

local function shown(tenant) return Error.quote(tenant.slug or tostring(tenant.id)) end

local function ask(config, tenant)
  local name = Context.outside(config.tenancy.directory, tenant)
  if name == nil or name == false then
    Error.raise("tenant_unknown", ("there is no tenant %s"):format(shown(tenant)), {
      hint = "tenancy.directory knows no such one",
    })
  elseif type(name) ~= "string" then
    Error.argument("tenancy.directory", "the name of a connection from the function, or nil", name)
  elseif not config.connections[name] then
    Error.unknown("invalid_argument", "connection", name, require "rille.keys"(config.connections),
      ("the configuration, and tenancy.directory says that %s is there"):format(shown(tenant)))
  elseif config.tenancy.rls and config.connections[name].driver ~= "postgres" then
    Error.raise("unsupported", ("tenancy.rls: %s, where the tenant %s is, has no row-level security"):format(
      Error.quote(name), shown(tenant)), { hint = "connect to PostgreSQL, or say rls = false" })
  end
  return name
end

--- What holds of a tenant now.
local function answer_of(config, tenant)
  local answer = answers:get(tenant.id)
  if not answer or core.monotonic_ms() >= answer.due_ms then
    answer = { name = ask(config, tenant), due_ms = core.monotonic_ms() + Place.ASK_MS }
    answers:put(tenant.id, answer)
    named[answer.name] = true
  end
  return answer
end

--- The id of the current tenant, if its rows are in the database of the handle, on which a transaction begins.
local function tenant_in(handle)
  local config, tenant = Config.current(), Tenant.current()
  local answer = tenant and of == config and answers:get(tenant.id)
  if not answer or require "rille.database".get(answer.name) ~= handle then return nil end
  return answer_of(config, tenant).name == answer.name and tenant.id or nil
end

local function forget(config)
  answers, of, named = Kept.new(KEPT), config, {}
  Transaction.tenant_in = tenant_in
end

--- May tenants' rows be in the database of a connection?  A directory cannot be asked for all that it would say, so one
-- that it has named has some; one that it has not is taken for everybody's where a model names it, as models of rows of
-- everybody's do, and for a database of tenants where none does.
local function may_have_tenants(name)
  if named[name] or not of.connections[name] then return named[name] ~= nil end
  for _, class in next, require "rille.model".declared do
    if class._def.connection == name then return false end
  end
  return true
end

--- Raise where a transaction is open on another database of tenants, and none on the tenant's own: statements would run
--- beside it, and stay when it is rolled back.
local function check_transaction(handle, tenant)
  if Transaction.is_inside(handle) then return end
  for _, each in ipairs(Transaction.open()) do
    if each.owner == coroutine.running() and not each.of_test and may_have_tenants(each.handle.name) then
      Error.raise("tenant_mismatch", ("a transaction is open on %s, and the rows of the tenant %s are in %s"):format(
        Error.quote(each.handle.name), shown(tenant), Error.quote(handle.name)), {
        hint = "rille.transaction(fn), with the tenant set, begins one where its rows are",
      })
    end
  end
end

--- The handle of the database in which the tenant's rows are; `tenant_unknown` where there is no such tenant.
---@param tenant rille.Tenant
---@return rille.Handle
function M.handle(tenant)
  local config, Database = Config.current(), require "rille.database"
  if of ~= config then forget(config) end
  local inside = Transaction.begun_by(coroutine.running())
  local home = inside and Transaction.home_of(tenant.id)
  if home then return home end
  local handle = Database.get(answer_of(config, tenant).name)
  if inside then check_transaction(handle, tenant) end
  return handle
end

return M
