--- tenant.stock: the tenants that have databases of their own: made, listed, copied, migrated, dropped.
local core = require "rille.core"
local Error = require "rille.error"
local Folder = require "rille.folder"
local Place = require "rille.tenant.place"
local Pooled = require "rille.pooled"
local Tenant = require "rille.tenant"
local Template = require "rille.tenant.template"

local M = {}

local function taken_by(slug) return "the tenant " .. Error.quote(slug) end

local function refuse_taken(slug, path)
  if core.file_size(path) then
    Error.raise("not_unique", taken_by(slug) .. " is there already", { hint = "choose another slug, or drop it first" })
  end
end

--- The slug of what was given, which may be a tenant.
local function as_tenant(given)
  if type(given) == "table" then return given, given.slug end
  return { id = given, slug = given }, given
end

--- Make a tenant: its database has all migrations, and what `tenancy.create` puts into it.  It is whole or not there;
--- of two who make the same one at once, the other gets `not_unique`.
---@param tenant string|rille.Tenant
---@return rille.Handle
function M.create(tenant)
  local path = Place.path(tenant)
  local whole, slug = as_tenant(tenant)
  refuse_taken(slug, path)
  local settings = Pooled.settings(path)
  local template = Template.path(Place.folder(path), settings)
  Pooled.make_folder(path)
  local new <close> = Pooled.beside(path)
  local ok, why = core.copy_file(template, new.path)
  if not ok then Error.raise("readonly", "cannot make " .. why) end
  local fill = Place.tenancy().create
  if fill then Template.work_on(new.path, settings, function(db) fill(db, whole) end) end
  Pooled.publish(new.path, path, taken_by(slug))
  return Place.handle(tenant)
end

--- Delete a tenant with all it holds.  Who is in use is drained or, where that cannot be waited for, `busy`.
---@param tenant string|rille.Tenant
function M.drop(tenant)
  local path = Place.path(tenant)
  local _, slug = as_tenant(tenant)
  if not core.file_size(path) then Place.unknown(slug) end
  core.pool_remove(path)
  Place.forget(slug)
end

--- Make a tenant from another one, at one moment.
---@param from string|rille.Tenant
---@param to string|rille.Tenant
---@return rille.Handle
function M.copy(from, to)
  local path, source = Place.path(to), Place.handle(from)
  local _, slug = as_tenant(to)
  Pooled.copy(source, path, taken_by(slug))
  return Place.handle(to)
end

-- -- all of them ----------------------------------------------------------------------------------------------------

--- A folder or file of the pattern, with "{slug}" and "{hash}" in it, as a Lua pattern that captures the slug.
local function segment_pattern(segment)
  local text = segment:gsub("%W", "%%%0")
  return "^" .. text:gsub("%%{hash%%}", "%%x%%x"):gsub("%%{slug%%}", "([a-z0-9][a-z0-9_-]*)", 1)
    :gsub("%%{slug%%}", "[a-z0-9_-]+") .. "$"
end

--- Call `found` with each path that fits the pattern's parts from the n-th on.
local function walk(parts, n, path, slug, found)
  if n > #parts then return found(path, slug) end
  local part = parts[n]
  local before = path and path .. "/" or ""
  if not part:find("{", 1, true) then return walk(parts, n + 1, before .. part, slug, found) end
  local wanted = segment_pattern(part)
  local captures = part:find("{slug}", 1, true)
  for _, name in ipairs(Folder.names(path == "" and "/" or path or ".")) do
    local got = name:match(wanted)
    if got then walk(parts, n + 1, before .. name, slug or captures and got or nil, found) end
  end
end

--- Every tenant that has a database, by slug.
---@return { slug: string, path: string, size_bytes: integer }[]
function M.list()
  local pattern = Place.tenancy().pattern or Place.PATTERN
  if type(pattern) ~= "string" then
    Error.raise("unsupported", "tenants cannot be listed where tenancy.pattern is a function")
  end
  local parts, list = {}, {}
  for part in (pattern .. "/"):gmatch "(.-)/" do parts[#parts + 1] = part end
  walk(parts, 1, nil, nil, function(path, slug)
    local bytes = core.file_size(path)
    if bytes and Tenant.is_slug(slug) and Place.path(slug) == path then
      list[#list + 1] = { slug = slug, path = path, size_bytes = bytes }
    end
  end)
  table.sort(list, function(a, b) return a.slug < b.slug end)
  return list
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
