--- tenant.moving: between which databases a tenant's rows move: out of the shared one (extract) or back (absorb).
-- Either may be a file, or at a server.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Extract = require "rille.tenant.extract"
local Place = require "rille.tenant.place"
local Tenant = require "rille.tenant"
local closing = require "rille.closing"

local M = {}

local OPTIONS <const> = { "dry_run", "on_step" }

--- The database that tenants share; it must be there, for an empty one in its place would say that nobody has rows.
local function shared_of(tenancy)
  local handle = require "rille.database".get(tenancy.fallback or Config.current().default)
  local path = handle.settings.database
  if handle.driver == "sqlite" and path ~= ":memory:" and not core.file_size(path) then
    Error.raise("not_found", ("the shared database %s is not there"):format(Error.quote(path)), {
      hint = "tenancy.fallback names its connection; without one it is the default connection",
    })
  end
  return handle
end

--- Raise for a tenant of whom there is nothing: neither a row nor a database.
local function check_known(shared, tenancy, tenant)
  if Extract.run(shared, nil, tenant, { dry_run = true }).rows > 0 then return end
  Error.raise("tenant_unknown", ("no row of %s belongs to the tenant %s, and it has no database of its own"):format(
    Error.quote(shared.name), Error.quote(tenant.slug)), {
    hint = tenancy.resolve and "rille tenants:create makes it"
      or "its rows are looked for by its slug: tenancy.resolve in the configuration says which id a slug means",
  })
end

--- A dry run into a database, or a schema, as the tenant's would be, somewhere else, which is gone afterwards.
local function rehearse(shared, tenant, options)
  if Place.tenancy().strategy == "schema" then
    return require "rille.tenant.schemas".with_scratch(tenant.slug, function(db)
      return Extract.run(shared, db, tenant, options)
    end)
  end
  local function into(db)
    require "rille.migrator".migrate { connection = db }
    return Extract.run(shared, db, tenant, options)
  end
  local server = Place.server(tenant)
  if server then
    return require "rille.tenant.databases".with_scratch(tenant.slug, server, function(settings)
      local db = require "rille.handle".new(tenant.slug, settings)
      local closed <close> = closing(db.close, db)                               -- luacheck: ignore 211
      return into(db)
    end)
  end
  local path, done = os.tmpname(), nil
  local removed <close> = closing(function()                                     -- luacheck: ignore 211
    for _, ending in ipairs { "", "-wal", "-shm" } do core.remove_file(path .. ending) end
  end)
  require "rille.tenant.template".work_on(path, require "rille.pooled".settings(path), function(db) done = into(db) end)
  return done
end

--- Move a tenant's rows out of the shared database into its own, which is made where it is not there, or back.
---@param word "extract"|"absorb"
---@param slug string
---@param options? { dry_run: boolean?, on_step: function? }  as of extract.lua
---@return { rows: integer, tables: table<string, integer> } moved
function M.run(word, slug, options)
  options = Error.options(word, options, OPTIONS)
  Tenant.slug(slug)
  local tenancy = Place.tenancy()
  local shared, tenant = shared_of(tenancy), require "rille.tenant.lookup".find(slug)
  local is_there = Place.exists(slug)
  if word == "absorb" then return Extract.run(Place.handle(slug), shared, tenant, options) end
  if is_there then return Extract.run(shared, Place.handle(slug), tenant, options) end
  check_known(shared, tenancy, tenant)
  if options.dry_run then return rehearse(shared, tenant, options) end
  require "rille.tenant.stock".create(slug, function(db)
    -- While it is nobody's: one that stayed empty would say that the tenant has nothing.
    Extract.run(shared, db, tenant, { dry_run = true })
  end)
  return Extract.run(shared, Place.handle(slug), tenant, options)
end

return M
