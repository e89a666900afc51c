--- tenant.databases: tenants of which each has a database at a PostgreSQL server: found, made, copied, listed, dropped.
-- A database is made under a name of nobody's, and gets its tenant's once it is whole.  Where the pattern is a text it
-- is a tenant's when its comment says so, for a server has databases of others, too; a function says itself which is.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Name = require "rille.schema.name"
local Place = require "rille.tenant.place"
local Postgres = require "rille.handle.postgres"
local Tenant = require "rille.tenant"
local closing = require "rille.closing"
local copy = require "rille.copy"

local M = {}

local MARK <const> = Place.MARK
local NEW <const> = "rille_new_"               -- what a database is called while it is made, then when that began
local LEFT_S <const> = 3600                    -- older ones are of a process that ended before they were whole
local USED <const> = "55006"                   -- SQLSTATE: somebody is connected to the database
local WAIT_MS <const>, LOOK_MS <const> = 3000, 20

--- The name of the database that settings lead to.
local function name_of(settings)
  local name = Postgres.database(settings)
  if not name then
    Error.raise("invalid_argument", "tenancy.pattern: it names no database", {
      hint = '"postgresql://user@host/{slug}", or database = … in the table that the function gives',
    })
  end
  return name
end

--- The same server, and another database of it.
local function elsewhere(settings, name)
  local other = copy(settings)
  other.database, other.statement_timeout_ms = name, nil
  return other
end

--- A handle of a database beside those of tenants, at their server, from which they are made.
local function administrator(settings)
  local config = Config.current()
  local fallback = config.tenancy.fallback and config.connections[config.tenancy.fallback]
  if fallback and fallback.driver == "postgres" and Postgres.server(fallback) == Postgres.server(settings) then
    return Handle.new("tenants", fallback)
  end
  return Handle.new("tenants", elsewhere(settings, "postgres"))
end

--- Run a statement that wants a database for itself: connections that were just closed may take a while to go.
local function execute_alone(db, slug, sql)
  local deadline = core.monotonic_ms() + WAIT_MS
  while true do
    local ok, e = pcall(db._execute, db, sql)
    if ok then return end
    if not Error.is(e) or e.code ~= USED then Error.again(e) end
    if core.monotonic_ms() >= deadline then
      Error.raise("busy", ("somebody else has the database of the tenant %s open"):format(Error.quote(slug)), {
        code = e.code, hint = "close it in every other process first; nothing was changed",
      })
    end
    core.pause(LOOK_MS)
  end
end

--- The statement that says of a database that it is a tenant's.
local function marking(name) return ("comment on database %s is '%s'"):format(Name.quote(name), MARK) end

--- Raise for a tenant that there is not.  A database of that name may be there all the same.
local function unknown(slug, name)
  Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
    hint = ("rille.tenant.create(%q) makes it; where a database of that name is there already, %s makes that a "
      .. "tenant's"):format(slug, marking(name)),
  })
end

local function slug_of(tenant)
  if type(tenant) == "table" then tenant = tenant.slug end
  local slug = Tenant.slug(tenant)
  if slug:find("^" .. NEW) then
    Error.argument("tenant", "a slug that does not begin with " .. NEW, slug)
  end
  return slug
end

local FROM_MARKED <const> = " from pg_catalog.pg_database d where d.datname = %s and "
  .. "(%s or pg_catalog.shobj_description(d.oid, 'pg_database') = '" .. MARK .. "')"
local IS_MARKED <const> = "select 1 as there" .. FROM_MARKED
local SIZE_OF_MARKED <const> = "select pg_catalog.pg_database_size(d.oid) as bytes" .. FROM_MARKED

local function is_marked() return type(Place.tenancy().pattern) == "string" end

--- Is there a tenant whose database it is?
---@param settings table  of a connection to it
---@return boolean
function M.exists(settings)
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  return db:_query(IS_MARKED:format("?", tostring(not is_marked())), name_of(settings))[1] ~= nil
end

--- What a tenant's database takes, in bytes; nil where there is no tenant whose database it is.
---@param settings table  of a connection to it
---@return integer?
function M.size(settings)
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  local row = db:_query(SIZE_OF_MARKED:format("?", tostring(not is_marked())), name_of(settings))[1]
  return row and row.bytes
end

--- A handle of a tenant's database; raises `tenant_unknown` where there is none.
---@param slug string     checked
---@param settings table  of a connection to it
---@return rille.Handle
function M.open(slug, settings)
  local own, name = elsewhere(settings, settings.database), name_of(settings)
  own.statement_timeout_ms, own.pooled, own.tenant = settings.statement_timeout_ms, true, slug
  local handle = Handle.new(slug, own)
  if is_marked() and not handle:_connect():query(IS_MARKED:format("pg_catalog.current_database()", "false"))[1] then
    handle:close()
    unknown(slug, name)
  end
  handle:_connect()
  handle.tenant = slug
  return handle
end

-- -- made and dropped -----------------------------------------------------------------------------------------------

--- Drop what processes left that ended before it was whole.
local function clear(db)
  local rows = db:_query("select d.datname::text as name from pg_catalog.pg_database d where d.datname ~ ? and not "
    .. "exists (select from pg_catalog.pg_stat_activity a where a.datid = d.oid)", "^" .. NEW .. "[0-9]+_")
  for _, row in ipairs(rows) do
    if os.time() - tonumber(row.name:match "%d+") > LEFT_S then
      pcall(db._execute, db, "drop database if exists " .. Name.quote(row.name))
    end
  end
end

--- A name for a database that is made for that tenant, and nobody else's.
local function new_name(slug)
  return ("%s%d_%s"):format(NEW, os.time(), core.checksum(slug .. core.now() .. tostring {}):sub(1, 12))
end

--- Make a database, let `fill` put into it what it is to hold, and call it as its tenant is.
local function make(slug, settings, template, fill)
  local name, db = name_of(settings), administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  clear(db)
  local new = new_name(slug)
  execute_alone(db, slug, ("create database %s%s"):format(Name.quote(new),
    template and " template " .. Name.quote(template) or ""))
  local ok, e = xpcall(function()
    local own = Handle.new(slug, elsewhere(settings, new))
    do
      local own_closed <close> = closing(own.close, own)                         -- luacheck: ignore 211
      fill(own)
    end
    db:_execute(marking(new))
    execute_alone(db, slug, ("alter database %s rename to %s"):format(Name.quote(new), Name.quote(name)))
  end, Error.keep_trace)
  if ok then return end
  pcall(execute_alone, db, slug, "drop database if exists " .. Name.quote(new))
  if Error.is(e) and (e.code == "42P04" or e.kind == "unique_violation") then
    Error.raise("not_unique", ("the tenant %s, or a database of that name, is there already"):format(Error.quote(slug)),
      { hint = "choose another slug, or drop it first" })
  end
  Error.again(e)
end

--- Whose the database is: nil where there is none, else its comment, or "".
---@param settings table  of a connection to it
---@return string?
function M.comment(settings)
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  local row = db:_query("select coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '') as comment from "
    .. "pg_catalog.pg_database d where d.datname = ?", name_of(settings))[1]
  return row and row.comment
end

--- Make an empty database, which is nobody's yet.
---@param slug string
---@param settings table
function M.make_empty(slug, settings)
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  execute_alone(db, slug, "create database " .. Name.quote(name_of(settings)))
end

--- From here on the database is a tenant's.
---@param db rille.Handle
---@param settings table
function M.mark(db, settings) db:_execute(marking(name_of(settings))) end

--- Run `fn` with settings of an empty database that is gone afterwards.
---@param slug string
---@param settings table  of one at the same server
---@param fn fun(settings: table): any
---@return any
function M.with_scratch(slug, settings, fn)
  local scratch = elsewhere(settings, new_name(slug))
  M.make_empty(slug, scratch)
  local dropped <close> = closing(function()                                     -- luacheck: ignore 211
    local db = administrator(settings)
    local closed <close> = closing(db.close, db)                                 -- luacheck: ignore 211
    pcall(execute_alone, db, slug, "drop database " .. Name.quote(scratch.database))
  end)
  return fn(scratch)
end

local function is_there(settings)
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  return db:_query(IS_MARKED:format("?", "true"), name_of(settings))[1] ~= nil
end

local function refuse_taken(slug, settings)
  if not is_there(settings) then return end
  Error.raise("not_unique", ("the tenant %s, or a database of that name, is there already"):format(Error.quote(slug)),
    { hint = "choose another slug, or drop it first" })
end

--- See stock.lua, as for the others.
function M.create(tenant, try)
  local slug = slug_of(tenant)
  local whole = type(tenant) == "table" and tenant or { id = slug, slug = slug }
  local settings, fill = Place.server(tenant), Place.tenancy().create
  refuse_taken(slug, settings)
  make(slug, settings, nil, function(db)
    require "rille.migrator".migrate { connection = db }
    if fill then fill(db, whole) end
    if try then try(db) end
  end)
  return Place.handle(tenant)
end

function M.drop(tenant)
  local slug = slug_of(tenant)
  local settings = Place.server(tenant)
  if not M.exists(settings) then unknown(slug, name_of(settings)) end
  core.pool_empty(Postgres.place(settings))
  local db = administrator(settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  execute_alone(db, slug, "drop database " .. Name.quote(name_of(settings)))
  Place.forget(slug)
end

--- At one moment: nobody may be connected to a database that is copied.
function M.copy(from, to)
  local slug, source, target = slug_of(to), Place.server(from), Place.server(to)
  if Postgres.server(source) ~= Postgres.server(target) then
    Error.raise("unsupported", ("a tenant is not copied from one server to another: %s is at another one than %s")
      :format(Error.quote(slug_of(from)), Error.quote(slug)), { hint = "pg_dump and pg_restore do that" })
  end
  if not M.exists(source) then unknown(slug_of(from), name_of(source)) end
  refuse_taken(slug, target)
  core.pool_empty(Postgres.place(source))
  make(slug, target, name_of(source), function(db)
    db:_execute "drop table if exists rille_history, rille_epochs"     -- by which tokens of sessions know the other one
  end)
  return Place.handle(to)
end

function M.list()
  local pattern, settings = Place.tenancy().pattern, Place.server "slug"
  local before, after = (pattern:match "^%a+://[^/?#]*/([^?#]+)" or ""):match "^(.-){slug}(.*)$"
  if not before then Error.raise("unsupported", "tenants are listed where tenancy.pattern ends in /{slug}") end
  local wanted = "^" .. before:gsub("%W", "%%%0") .. "([a-z0-9][a-z0-9_-]*)" .. after:gsub("%W", "%%%0") .. "$"
  local db, list = administrator(settings), {}
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  local rows = db:_query("select d.datname::text as name, pg_catalog.pg_database_size(d.oid) as size_bytes from "
    .. "pg_catalog.pg_database d where pg_catalog.shobj_description(d.oid, 'pg_database') = ? order by d.datname "
    .. [[collate "C"]], MARK)
  for _, row in ipairs(rows) do
    local slug = row.name:match(wanted)
    if slug and Tenant.is_slug(slug) and not row.name:find("^" .. NEW) and Place.is_free(slug) then
      list[#list + 1] = { slug = slug, path = Postgres.place(Place.server(slug)),
        size_bytes = row.size_bytes }
    end
  end
  return list
end

return M
