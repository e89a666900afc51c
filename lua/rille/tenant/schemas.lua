--- tenant.schemas: tenants of which each has a schema in one PostgreSQL database: found, made, listed, dropped.
-- Each has connections of its own, from the bounded pool, on which bare names are found in its schema alone: so SQL of
-- one's own, migrations and the catalog need no other words, and nothing that fails half-way can leave a connection in
-- the schema of somebody else.  A schema is a tenant's when its comment says so: `public` is nobody's.
local core = require "rille.core"
local Config = require "rille.config"
local Context = require "rille.tenant.context"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Name = require "rille.schema.name"
local Place = require "rille.tenant.place"
local Tenant = require "rille.tenant"
local closing = require "rille.closing"
local copy = require "rille.copy"

local M = {}

local MARK <const> = Place.MARK
local NEW <const> = "rille_new_"               -- what one is called that is to be gone again, then when it was made
local LEFT_S <const> = 3600                    -- older ones are of a process that was killed
local WAIT_MS <const>, LOOK_MS <const> = 3000, 20
local LOCK <const> = "491394985061"            -- of core/driver/postgres_conn.h: each connection to a schema holds it
local MARK_OF <const> = "pg_catalog.obj_description(n.oid, 'pg_namespace')"

--- The connection in whose database the schemas are.
local function home()
  local config = Config.current()
  local tenancy = config.tenancy
  local name = tenancy.fallback or config.default
  local settings = config.connections[name]
  if not settings or settings.driver ~= "postgres" then
    Error.raise("unsupported", ("a schema for each tenant wants PostgreSQL, and connection %s is none"):format(
      Error.quote(name)), { hint = 'tenancy = { strategy = "database" } gives each a database, on SQLite' })
  elseif tenancy.pattern ~= nil then
    Error.argument("tenancy.pattern", "nothing: a schema is called as its tenant is", tenancy.pattern)
  end
  return name, settings
end

--- Settings of a connection to the schema of a tenant; those of the database where there is no slug.
local function settings_of(slug)
  local _, given = home()
  return copy({ schema = slug }, given)
end

--- The statement that says of a schema that it is a tenant's.
---@param slug string
---@return string
function M.marking(slug) return ("comment on schema %s is '%s'"):format(Name.quote(slug), MARK) end

--- A handle that nobody else has.
local function own_handle(slug) return Handle.new(slug or "tenants", settings_of(slug)) end

--- The slug of a tenant, if a schema may be called so.
---@param tenant string|rille.Tenant
---@return string
function M.slug(tenant)
  if type(tenant) == "table" then tenant = tenant.slug end
  local slug = Tenant.slug(tenant)
  if slug:find "^pg_" then
    Error.argument("tenant", "a slug that does not begin with pg_: such schemas are PostgreSQL's own", slug)
  end
  return slug
end

--- Raise for a tenant that there is not.  A schema of that name may be there all the same.
local function unknown(slug)
  Error.raise("tenant_unknown", ("there is no tenant %s"):format(Error.quote(slug)), {
    hint = ("rille.tenant.create(%q) makes it; where a schema of that name is there already, "
      .. "%s makes that a tenant's"):format(slug, M.marking(slug)),
  })
end

--- Is there a tenant of that name?
---@param slug string  checked
---@return boolean
function M.exists(slug)
  local rows = require "rille.database".get((home())):_query("select 1 as there from pg_catalog.pg_namespace n "
    .. "where n.nspname = ? and " .. MARK_OF .. " = ?", slug, MARK)
  return rows[1] ~= nil
end

--- Raise for SQL that would look elsewhere from then on.
local function check_sql(word, sql)
  if type(sql) == "string" and sql:lower():find("search_path", 1, true) then
    Error.raise("invalid_argument", word .. ": where names are looked up stays as it is on a tenant's connection", {
      sql = sql, hint = "say the schema before the name: other.things",
    })
  end
end

--- A handle of a tenant's schema; raises `tenant_unknown` where there is none.
---@param slug string  checked
---@return rille.Handle
function M.open(slug)
  local settings = settings_of(slug)
  settings.pooled, settings.tenant = true, slug
  local handle = Handle.new(slug, settings)
  local rows = handle:_connect():query("select 1 as there from pg_catalog.pg_namespace n where n.nspname = "
    .. "pg_catalog.current_schema() and " .. MARK_OF .. " = $1", { MARK })
  if not rows[1] then
    handle:close()
    unknown(slug)
  end
  for _, word in ipairs { "query", "execute" } do
    local run = handle[word]
    handle[word] = function(self, sql, ...)
      check_sql(word, sql)
      return run(self, sql, ...)
    end
  end
  handle.tenant = slug
  return handle
end

local function make_schema(db, slug)
  local ok, e = pcall(db._execute, db, "create schema " .. Name.quote(slug))
  if ok then return end
  if Error.is(e) and (e.code == "42P06" or e.kind == "unique_violation") then
    Error.raise("not_unique", ("the tenant %s, or a schema of that name, is there already"):format(Error.quote(slug)), {
      hint = "choose another slug, or drop it first",
    })
  end
  Error.again(e)
end

--- Make a schema that has all migrations, and then what `fn` puts into it: one transaction, of no tenant.
local function make(name, fn)
  local db = own_handle()
  local closed <close> = closing(db.close, db)                                 -- luacheck: ignore 211
  Context.outside(db.transaction, db, function()
    make_schema(db, name)
    db:_query("select pg_catalog.set_config('search_path', ?, true) as path", Name.quote(name))
    db.rehearsal = {}                              -- nobody sees it before the end: nothing is done concurrently
    require "rille.migrator".migrate { connection = db }
    fn(db)
  end)
end

--- See stock.lua, as for the others.  All of it is one transaction.
function M.create(tenant)
  local slug = M.slug(tenant)
  local whole = type(tenant) == "table" and tenant or { id = slug, slug = slug }
  local fill = Place.tenancy().create
  make(slug, function(db)
    if fill then fill(db, whole) end
    db:_execute(M.marking(slug))
  end)
  return Place.handle(tenant)
end

--- Drop all that a schema holds, and then itself.  What lies elsewhere and needs something of it keeps it there.
local function drop_schema(db, slug)
  local ok, e = xpcall(require "rille.schema.engine".of(db).drop_all, Error.keep_trace,
    require "rille.schema.runner".new(db))
  if not ok then Error.again(Error.is(e) and Error.is(e.cause, "busy") and e.cause or e) end
  db:_execute("drop schema " .. Name.quote(slug))
end

--- Wait until nobody is connected to the schema, and let nobody in: connections that were just closed may take a while
--- to go.  Whoever came first has dropped it.
local function wait_until_alone(db, slug)
  local deadline = core.monotonic_ms() + WAIT_MS
  while not db:_query("select pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended(?, " .. LOCK
    .. ")) as alone", slug)[1].alone do
    if core.monotonic_ms() >= deadline then
      Error.raise("busy", ("somebody else has the schema of the tenant %s open"):format(Error.quote(slug)), {
        hint = "close it in every other process first; nothing was changed",
      })
    end
    core.pause(LOOK_MS)
  end
  if not db:_query("select 1 as there from pg_catalog.pg_namespace n where n.nspname = ? and " .. MARK_OF .. " = ?",
    slug, MARK)[1] then unknown(slug) end
end

function M.drop(tenant)
  local slug = M.slug(tenant)
  if not M.exists(slug) then unknown(slug) end
  core.pool_empty(require "rille.handle.postgres".place(settings_of(slug)))
  local db = own_handle()
  local closed <close> = closing(db.close, db)                                 -- luacheck: ignore 211
  db:transaction(function()
    wait_until_alone(db, slug)
    db:_query("select pg_catalog.set_config('search_path', ?, true) as path", Name.quote(slug))
    drop_schema(db, slug)
  end)
  Place.forget(slug)
end

--- Drop what processes left that were killed.
local function clear()
  local db = own_handle()
  local closed <close> = closing(db.close, db)                                 -- luacheck: ignore 211
  for _, row in ipairs(db:_query("select n.nspname::text as name from pg_catalog.pg_namespace n where n.nspname ~ ?",
    "^" .. NEW .. "[0-9]+_")) do
    if os.time() - tonumber(row.name:match "%d+") > LEFT_S then
      pcall(db._execute, db, ("drop schema if exists %s cascade"):format(Name.quote(row.name)))
    end
  end
end

--- Run `fn` with a handle of a schema that has all migrations, is no tenant's, and is gone afterwards.
---@param slug string
---@param fn fun(db: rille.Handle): any
---@return any
function M.with_scratch(slug, fn)
  local name = ("%s%d_%s"):format(NEW, os.time(), core.checksum(slug .. core.now() .. tostring {}):sub(1, 12))
  clear()
  make(name, function() end)
  local db = own_handle(name)
  local closed <close> = closing(db.close, db)                                 -- luacheck: ignore 211
  local dropping <close> = closing(function()                                  -- luacheck: ignore 211
    pcall(db.transaction, db, function() drop_schema(db, name) end)
  end)
  return fn(db)
end

function M.copy()
  Error.raise("unsupported", "the schema of a tenant is not copied", {
    hint = "pg_dump --schema=…, and what it gives with the other name, does that",
  })
end

function M.list()
  local _, settings = home()
  local place, list = require "rille.handle.postgres".place(settings), {}
  local rows = require "rille.database".get((home())):_query("select n.nspname::text as slug, coalesce((select "
    .. "sum(pg_catalog.pg_total_relation_size(c.oid)) from pg_catalog.pg_class c where c.relnamespace = n.oid and "
    .. "c.relkind in ('r', 'm', 'p')), 0)::bigint as size_bytes from pg_catalog.pg_namespace n where " .. MARK_OF
    .. [[ = ? order by n.nspname collate "C"]], MARK)
  for _, row in ipairs(rows) do
    if Tenant.is_slug(row.slug) then
      list[#list + 1] = { slug = row.slug, path = ("%s, schema %s"):format(place, row.slug),
        size_bytes = row.size_bytes }
    end
  end
  return list
end

return M
