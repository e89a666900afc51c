--- tenant.stock: the tenants that have databases or schemas of their own: made, listed, copied, migrated, dropped.
local core = require "rille.core"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Place = require "rille.tenant.place"
local Tenant = require "rille.tenant"

local M = {}

--- How tenants are kept: all of them, or the one that is given.
local function kind(tenant)
  if Place.tenancy().strategy == "schema" then return require "rille.tenant.schemas" end
  local at_server = Place.is_at_server() or tenant ~= nil and Place.server(tenant) ~= nil
  return require(at_server and "rille.tenant.databases" or "rille.tenant.files")
end

--- Make a tenant: it has all migrations, and what `tenancy.create` puts into it.  It is whole or not there; of two who
--- make the same one at once, the other gets `not_unique`.
---@param tenant string|rille.Tenant
---@param try? fun(db: rille.Handle)  of rille itself: looks at the database before it is the tenant's, and raises if it
---  is not to be; a schema, which nobody else can see by then, is not looked at
---@return rille.Handle
function M.create(tenant, try)
  Place.check_free(tenant)
  return kind(tenant).create(tenant, try)
end

--- Delete a tenant with all it holds.  Who is in use is drained or, where that cannot be waited for, `busy`.
---@param tenant string|rille.Tenant
function M.drop(tenant) kind(tenant).drop(tenant) end

--- Make a tenant from another one, at one moment.
---@param from string|rille.Tenant
---@param to string|rille.Tenant
---@return rille.Handle
function M.copy(from, to)
  Place.check_free(to)
  if kind(from) ~= kind(to) then
    Error.raise("unsupported", "a tenant is not copied between a file and a server", {
      hint = "rille promote takes a database of SQLite to PostgreSQL",
    })
  end
  return kind(to).copy(from, to)
end

--- A tenant that `tenancy.list` names, as kind().list() would have it.
local function listed(slug)
  local settings = Place.server(slug)
  if not settings then
    local path = Place.path(slug)
    return { slug = slug, path = path, size_bytes = core.file_size(path) }
  end
  return { slug = slug, path = require "rille.handle.postgres".place(settings),
    size_bytes = require "rille.tenant.databases".size(settings) }
end

local function list_of(given)
  local slugs, list, seen = Context.outside(given), {}, {}
  if type(slugs) ~= "table" then Error.argument("tenancy.list", "a list of slugs from the function", slugs) end
  for i, slug in ipairs(slugs) do
    if seen[Tenant.slug(slug)] then
      Error.raise("invalid_argument", ("tenancy.list: the tenant %s stands there twice"):format(Error.quote(slug)))
    end
    local each = listed(slug)
    each.missing = not each.size_bytes or nil
    each.size_bytes = each.size_bytes or 0
    seen[slug], list[i] = true, each
  end
  table.sort(list, function(a, b) return a.slug < b.slug end)
  return list
end

--- Every tenant, by slug; `missing`: `tenancy.list` names it, and its database is not there.
---@return { slug: string, path: string, size_bytes: integer, missing: true? }[]
function M.list()
  local given = Place.tenancy().list
  if given then return list_of(given) end
  return kind().list()
end

---@class rille.TenantMigrated
---@field slug string
---@field state "running"|"migrated"|"current"|"failed"
---@field applied? string[]       names of migrations
---@field error? rille.Error
---@field number integer          from 1
---@field count integer           of all

local function migrate_one(slug)
  local done = require "rille.migrator".migrate { connection = Place.handle(slug) }.applied
  local applied = {}
  for i, step in ipairs(done) do applied[i] = step.name end
  return { slug = slug, state = #applied > 0 and "migrated" or "current", applied = applied }
end

local function slugs_of(given)
  if given == nil then
    local slugs = {}
    for i, each in ipairs(M.list()) do slugs[i] = each.slug end
    return slugs
  end
  if type(given) ~= "table" then given = { given } end
  for _, slug in ipairs(given) do
    if not Place.exists(slug) then Place.unknown(slug) end
  end
  return given
end

--- Apply what is pending to tenants, one after the other.  One that fails stops no other one; what was done stays done,
--- so that the same call once more goes on where it is needed.
---@param slugs? string|string[]  all tenants when absent
---@param on_progress? fun(each: rille.TenantMigrated)  before each ("running") and after it
---@return { tenants: rille.TenantMigrated[], failed: integer }
function M.migrate(slugs, on_progress)
  local result, tell = { tenants = {}, failed = 0 }, on_progress or function() end
  local list = slugs_of(slugs)
  for i, slug in ipairs(list) do
    tell { slug = slug, state = "running", number = i, count = #list }
    local ok, each = xpcall(migrate_one, Error.keep_trace, slug)
    if not ok then
      local e = Error.is(each) and each or Error.new("script", tostring(each))
      if e.kind == "interrupted" then Error.again(each) end
      each = { slug = slug, state = "failed", error = e }
      result.failed = result.failed + 1
    end
    each.number, each.count = i, #list
    result.tenants[i] = each
    tell(each)
  end
  return result
end

return M
