--- tenant.home: the database of models without a connection of their own, where each tenant has one for itself.
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
  return tenancy ~= nil and (tenancy.strategy == "database" or tenancy.strategy == "schema")
end

local function no_tenant()
  local tenancy = Config.current().tenancy
  local own = tenancy and tenancy.strategy == "schema" and "schema" or "database"
  Error.raise("tenant_required", ("each tenant has a %s of its own, and none is set in this coroutine"):format(own), {
    hint = 'rille.tenant.run(tenant, fn) sets one; tenancy.fallback = "main" names a database for where none is set',
  })
end

--- The handle of the current tenant's database, if it has one and that is known already; M.handle makes it known.
---@return rille.Handle?
function M.known()
  local context = tenants[running()]
  local handle = context and context.handle
  if handle and not handle.closed then return handle end
end

--- The handle of the current tenant's database.  Without a tenant that of `tenancy.fallback`, which never stands in for
--- a tenant that is not known.
---@return rille.Handle
function M.handle()
  local tenancy, tenant = Config.current().tenancy, Tenant.current()
  if tenant and not tenant.slug then
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

--- Raise unless what belongs to the tenant of a handle may be used now.
---@param handle rille.Handle  of a tenant
---@param strict boolean       what a model read or would write: there must be a current tenant
function M.check(handle, strict)
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
