--- tenant.place: which database is a tenant's, where each tenant has a database (or a schema of one) of its own.
-- A slug is checked before it becomes part of a path or a URL, and a database that is not there is not made by being
-- asked for.  Where the pattern is a function it is a directory: it says of each tenant on which server it is, and is
-- asked again after a while, for tenants move.
local core = require "rille.core"
local Config = require "rille.config"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Pooled = require "rille.pooled"
local Site = require "rille.site"
local Tenant = require "rille.tenant"

local M = {}

M.PATTERN = "tenants/{hash}/{slug}.db"       -- where the configuration names none

--- The comment of a schema or a database at a server that is a tenant's.
M.MARK = "rille: a tenant"

--- What a function said counts for so long.
M.ASK_MS = 5000

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

-- How a database at a server is opened, where that is not said with it: as the default database is.
local AS_DEFAULT <const> = { "busy_timeout_ms", "statement_timeout_ms", "connect_timeout_ms", "readonly", "pool" }

--- Settings of a database at a server, by a URL or a table.
local function server_settings(given)
  local config = Config.current()
  local settings = Config.settings("tenancy.pattern", given)
  if settings.driver ~= "postgres" then
    Error.argument("tenancy.pattern", "a path, a URL of PostgreSQL, or a table that says a connection to it", given)
  end
  local default = config.connections[config.tenancy.fallback or config.default]
  for _, key in ipairs(default and default.driver == "postgres" and AS_DEFAULT or {}) do
    if settings[key] == nil then settings[key] = default[key] end
  end
  return settings
end

-- What SQLite puts beside a database is called as that is, with one of these behind it.
local BESIDE <const> = { "-wal", "-shm", "-journal" }

--- What the pattern says of a tenant: the path of a file, or settings of a connection.
---@param tenant rille.Tenant|string
---@return string? path
---@return table? settings
local function say(tenant)
  local slug = Tenant.slug(slug_of(tenant))
  if schemas() then Error.raise("unsupported", "a tenant has a schema here, and no database of its own") end
  local pattern, said = M.tenancy().pattern or M.PATTERN
  if type(pattern) == "string" then
    said = fill(pattern, slug)
  else
    said = Context.outside(pattern, type(tenant) == "table" and tenant or { id = slug, slug = slug })
    if said == nil then
      Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
        hint = "tenancy.pattern says of no database that it is this tenant's",
      })
    end
  end
  if type(said) == "table" or type(said) == "string" and said:find "^%a[%w+.-]+://" then
    return nil, server_settings(said)
  elseif type(said) ~= "string" or said == "" or said:find "\0" then
    Error.argument("tenancy.pattern", "a path, a URL or a table of settings from the function", said)
  end
  return said
end

--- What else has, or may come to have, the place of a tenant's database, and what to do; nil where nothing does.
---@return string? what
---@return string? hint
local function taken_by(path, settings)
  for _, ending in ipairs(path and BESIDE or {}) do
    if path:lower():sub(-#ending) == ending then
      return ("what SQLite keeps beside another one is called, with %s behind it"):format(ending),
        'a pattern with an ending of its own: "tenants/{slug}.db"'
    end
  end
  if path and require "rille.open".is_own(path) then
    return "those of rille.open are, whose folder it is in",
      ("a folder of its own: `databases` is %s"):format(Config.current().databases)
  end
  local name = Site.connection(path and Site.of_file(path) or settings and Site.of(settings))
  if name then
    return ("that of the connection %s is"):format(Error.quote(name)), "another slug, or another folder or server in "
      .. "tenancy.pattern: what is everybody's is no tenant's"
  end
end

--- Raise where a tenant's database would be somebody else's.
local function refuse_taken(kind, tenant, path, settings)
  local what, hint = taken_by(path, settings)
  if not what then return end
  Error.raise(kind, ("the database of the tenant %s would be called as %s"):format(Error.quote(slug_of(tenant)), what),
    { hint = hint })
end

--- The same as `say`, of what is a tenant's alone.
local function look_up(tenant)
  local path, settings = say(tenant)
  refuse_taken("tenant_unknown", tenant, path, settings)
  return path, settings
end

--- May there be a tenant of that slug?  Not where its database would be somebody else's.
---@param slug string
---@return boolean
function M.is_free(slug) return not taken_by(say(slug)) end

--- Raise for a tenant that there cannot be.
---@param tenant rille.Tenant|string
function M.check_free(tenant)
  local of_schemas = schemas()
  if of_schemas then
    of_schemas.slug(tenant)
  else
    refuse_taken("invalid_argument", tenant, say(tenant))
  end
end

--- The path of a tenant's database, whether it is there or not.
---@param tenant rille.Tenant|string
---@return string
function M.path(tenant)
  local path = look_up(tenant)
  if not path then Error.raise("unsupported", "the tenant's database is at a server, and no file") end
  return path
end

--- Settings of a connection to a tenant's database, whether it is there or not; nil where it is a file.
---@param tenant rille.Tenant|string
---@return table?
function M.server(tenant) return select(2, look_up(tenant)) end

--- Are the databases of tenants, as far as the configuration says that of all of them, at a server?
---@return boolean
function M.is_at_server()
  local pattern = M.tenancy().pattern
  return type(pattern) == "string" and pattern:find "^%a[%w+.-]+://" ~= nil
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
  local path, settings = say(slug)
  if taken_by(path, settings) then return false end
  if settings then return require "rille.tenant.databases".exists(settings) end
  return core.file_size(path) ~= nil
end

--- Where a database is, as a text.
local function spot(path, settings) return path or require "rille.handle.postgres".place(settings) end

--- Has the function said where it is so long ago that it has to be asked again?  While there is a transaction there,
--- of whichever coroutine, the tenant stays where it is.
local function is_due(handle)
  return handle.due_ms ~= nil and core.monotonic_ms() >= handle.due_ms
    and not require "rille.transaction".holds(handle)
end

--- The handle of a tenant's database, the same one each time while it is held; `tenant_unknown` when there is none.
---@param tenant rille.Tenant|string
---@return rille.Handle
function M.handle(tenant)
  local slug = slug_of(tenant)
  local handle = handles:get(slug)
  if handle and not is_due(handle) then return handle end
  local of_schemas = schemas()
  if of_schemas then return handles:keep(slug, of_schemas.open(Tenant.slug(slug))) end
  local path, settings = look_up(tenant)
  if handle and handle.spot ~= spot(path, settings) then      -- it has moved: nothing may be written there any more
    handles:drop(slug)
    handle = nil
  end
  if not handle and settings then
    handle = handles:keep(slug, require "rille.tenant.databases".open(slug, settings))
  elseif not handle then
    if not core.file_size(path) then M.unknown(slug) end
    handle = handles:add(slug, path, { create = false, tenant = slug })
    handle.tenant = slug
  end
  if type(M.tenancy().pattern) == "function" then
    handle.spot, handle.due_ms = spot(path, settings), core.monotonic_ms() + M.ASK_MS
  end
  return handle
end

--- Close the handle of a tenant and forget it.
---@param slug string
function M.forget(slug) handles:drop(slug) end

return M
