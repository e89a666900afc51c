--- tenant.home: the database of models without a connection of their own, where the tenant decides it: each has one for
-- itself, or a directory says in which of several its rows are.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Place = require "rille.tenant.place"
local Tenant = require "rille.tenant"

local M = {}

local tenants, running = core.tenants, coroutine.running        -- see tenant.lua

--- Does the current tenant decide where models without a connection of their own are?
---@return boolean
function M.decides()
  local tenancy = Config.current().tenancy
  return tenancy ~= nil and (tenancy.strategy == "database" or tenancy.strategy == "schema"
    or tenancy.directory ~= nil)
end

local function no_tenant()
  local tenancy = Config.current().tenancy
  local why = "each tenant has a database of its own"
  if tenancy and tenancy.directory then
    why = "tenants are in several databases"
  elseif tenancy and tenancy.strategy == "schema" then
    why = "each tenant has a schema of its own"
  end
  Error.raise("tenant_required", why .. ", and none is set in this coroutine", {
    hint = 'rille.tenant.run(tenant, fn) sets one; tenancy.fallback = "main" names a database for where none is set',
  })
end

--- The handle of the current tenant's database.  Without a tenant that of `tenancy.fallback`, which never stands in for
--- a tenant that is not known.
---@return rille.Handle
function M.handle()
  local tenancy, tenant = Config.current().tenancy, Tenant.current()
  if tenant and tenancy.directory then
    return require "rille.tenant.directory".handle(tenant)
  elseif tenant and not tenant.slug then
    Error.raise("invalid_argument", ("the tenant %s has no slug, by which its database is named"):format(tenant.id), {
      hint = "rille.tenant.run({ id = …, slug = … }, fn)",
    })
  elseif tenant then
    local handle = Place.handle(tenant)
    if not handle.due_ms then tenants[running()].handle = handle end
    return handle
  end
  return require "rille.database".get(tenancy.fallback or no_tenant())
end

--- Raise unless the current tenant's rows are in the database of a handle, from which a directory once had something.
local function check_shared(handle)
  local here = M.handle()
  if here == handle then return end
  local tenant = Tenant.current()
  Error.raise("tenant_mismatch", ("this is in %s, and %s in %s"):format(Error.quote(handle.name), tenant
    and ("the rows of the tenant %s are"):format(Error.quote(tenant.slug or tostring(tenant.id)))
    or "without a tenant all is", Error.quote(here.name)), { hint = "read it again where it is to be used" })
end

--- Raise unless what is in the database of a handle, because the tenant decides that, may be used now.
---@param handle rille.Handle
---@param strict boolean       what a model read or would write: there must be a current tenant
function M.check(handle, strict)
  if not handle.tenant then
    if Config.current().tenancy.directory then check_shared(handle) end
    return
  end
  local context = tenants[running()]
  if context and context.slug == handle.tenant then return end
  local tenant = Tenant.current()
  if tenant then
    Error.raise("tenant_mismatch", ("this belongs to the tenant %s, and the current one is %s"):format(
      Error.quote(handle.tenant), Error.quote(tenant.slug or tostring(tenant.id))))
  elseif strict then
    no_tenant()
  end
end

return M
