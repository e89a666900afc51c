--- tenant.files: tenants of which each has a database in a file: made, listed, copied, dropped.
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

--- See stock.lua, as for the others.
function M.create(tenant, try)
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
  if fill or try then
    Template.work_on(new.path, settings, function(db)
      if fill then fill(db, whole) end
      if try then try(db) end
    end)
  end
  Pooled.publish(new.path, path, taken_by(slug))
  return Place.handle(tenant)
end

function M.drop(tenant)
  local path = Place.path(tenant)
  local _, slug = as_tenant(tenant)
  if not core.file_size(path) then Place.unknown(slug) end
  core.pool_remove(path)
  Place.forget(slug)
end

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

function M.list()
  local pattern = Place.tenancy().pattern or Place.PATTERN
  if type(pattern) ~= "string" then
    Error.raise("unsupported", "tenants cannot be listed where tenancy.pattern is a function", {
      hint = "tenancy.list = function() return { \"acme\", … } end says which there are",
    })
  end
  local parts, list = {}, {}
  for part in (pattern .. "/"):gmatch "(.-)/" do parts[#parts + 1] = part end
  walk(parts, 1, nil, nil, function(path, slug)
    local bytes = core.file_size(path)
    if bytes and Tenant.is_slug(slug) and Place.is_free(slug) and Place.path(slug) == path then
      list[#list + 1] = { slug = slug, path = path, size_bytes = bytes }
    end
  end)
  table.sort(list, function(a, b) return a.slug < b.slug end)
  return list
end

return M
