--- tenant.place: which database is a tenant's, where each tenant has a database (or a schema of one) of its own.
-- A slug is checked before it becomes part of a path, and a database that is not there is not made by being asked for.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Pooled = require "rille.pooled"
local Tenant = require "rille.tenant"

local M = {}

M.PATTERN = "tenants/{hash}/{slug}.db"       -- where the configuration names none

local handles = Pooled.registry()

--- What the configuration says of tenants with databases or schemas of their own; raises where it says something else.
---@return table tenancy
function M.tenancy()
  local tenancy = Config.current().tenancy
  if not tenancy or tenancy.strategy ~= "database" and tenancy.strategy ~= "schema" then
    Error.raise("unsupported", "tenants have no databases of their own here", {
      hint = 'tenancy = { strategy = "database", pattern = "tenants/{slug}.db" } in the configuration',
    })
  end
  return tenancy
end

--- The schemas of tenants, where each has one; nil where each has a database.
local function schemas() return M.tenancy().strategy == "schema" and require "rille.tenant.schemas" or nil end

local function slug_of(tenant)
  if type(tenant) == "table" then return tenant.slug end
  return tenant
end

local function fill(pattern, slug)
  local path = pattern:gsub("{slug}", slug):gsub("{hash}", function() return Pooled.hash(slug) end)
  if not pattern:find("{slug}", 1, true) or path:find "[{}\0]" then
    Error.argument("tenancy.pattern", 'a text with {slug} in it, and {hash} if you like: "tenants/{slug}.db"', pattern)
  end
  return path
end

--- The path of a tenant's database, whether it is there or not.
---@param tenant rille.Tenant|string
---@return string
function M.path(tenant)
  local slug = Tenant.slug(slug_of(tenant))
  if schemas() then Error.raise("unsupported", "a tenant has a schema here, and no database of its own") end
  local pattern = M.tenancy().pattern or M.PATTERN
  if type(pattern) == "string" then
    if pattern:find "^%a[%w+.-]+://" then
      Error.raise("unsupported", ("tenancy.pattern %s: this version has no driver for it"):format(Error.quote(pattern)))
    end
    return fill(pattern, slug)
  end
  local path = pattern(type(tenant) == "table" and tenant or { id = slug, slug = slug })
  if path == nil then M.unknown(slug) end
  if type(path) ~= "string" or path == "" or path:find "\0" then
    Error.argument("tenancy.pattern", "a path from the function", path)
  end
  return path
end

--- The folder of templates: the one of the pattern above all tenants, or beside a path that a function gave.
---@param path string
---@return string
function M.folder(path)
  local pattern = M.tenancy().pattern or M.PATTERN
  local fixed = type(pattern) == "string" and pattern:match "^[^{]*" or path
  return fixed:match "^(.*)/" or "."
end

--- Raise: there is no such tenant.
---@param slug string
function M.unknown(slug)
  Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
    hint = ("rille.tenant.create(%q) makes it"):format(slug),
  })
end

--- Is the tenant's database there?
---@param slug string
---@return boolean
function M.exists(slug)
  local of_schemas = schemas()
  if of_schemas then return of_schemas.exists(Tenant.slug(slug)) end
  return core.file_size(M.path(slug)) ~= nil
end

--- The handle of a tenant's database, the same one each time while it is held; `tenant_unknown` when there is none.
---@param tenant rille.Tenant|string
---@return rille.Handle
function M.handle(tenant)
  local slug = slug_of(tenant)
  local handle = handles:get(slug)
  if handle then return handle end
  local of_schemas = schemas()
  if of_schemas then return handles:keep(slug, of_schemas.open(Tenant.slug(slug))) end
  local path = M.path(tenant)
  if not core.file_size(path) then M.unknown(slug) end
  handle = handles:add(slug, path, { create = false, tenant = slug })
  handle.tenant = slug
  return handle
end

--- Close the handle of a tenant and forget it.
---@param slug string
function M.forget(slug) handles:drop(slug) end

return M
