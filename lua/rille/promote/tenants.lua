--- promote.tenants: the databases of all tenants, each taken to a schema of its own in one PostgreSQL database, or to a
-- database of its own where the target has {slug} in it.
-- What tenants share (the `fallback`, or the default connection) is taken over by itself: `rille.promote { to = … }`.
-- A schema is called by its tenant's slug, as `tenancy = { strategy = "schema" }` wants it.  Schema and database are a
-- tenant's for rille once they have all rows.
local Error = require "rille.error"
local Place = require "rille.tenant.place"
local Promote = require "rille.promote"
local closing = require "rille.closing"
local copy = require "rille.copy"

local M = {}

---@class rille.PromotedTenants
---@field tenants { slug: string, state: string, rows: integer?, result: rille.Promoted?, error: rille.Error? }[]
---@field failed integer

--- The file of each tenant's database.
local function sources()
  if Place.tenancy().strategy ~= "database" then
    Error.raise("unsupported", "promote: tenants have no databases of SQLite here", {
      hint = "those of a shared database are rows of it, and go over with it",
    })
  end
  return require "rille.tenant.files".list()
end

local function with_schema(target, slug)
  return copy({ schema = slug }, target)
end

-- Is the schema there, does rille call it a tenant's, has a promotion begun there, and is anything else in it?
local LOOK <const> = [[select pg_catalog.obj_description(n.oid, 'pg_namespace') as "comment",
    exists (select 1 from pg_catalog.pg_class c where c.relnamespace = n.oid
      and c.relname = 'rille_promotion') as "begun",
    exists (select 1 from pg_catalog.pg_class c where c.relnamespace = n.oid) as "used"
  from pg_catalog.pg_namespace n where n.nspname = ?]]

--- One tenant, to a schema.
local function to_schema(each, target, options, database)
  local Schemas, slug = require "rille.tenant.schemas", each.slug
  local settings, source = with_schema(target, slug), { driver = "sqlite", database = each.path }
  local there = database:_query(LOOK, slug)[1]
  if there and there.used and not there.begun and there.comment ~= Place.MARK then
    Error.raise("not_unique", ("a schema %s is there already, and is no tenant's"):format(Error.quote(slug)), {
      hint = "drop it, or say that it is the tenant's, if it is: " .. Schemas.marking(slug),
    })
  elseif not there and options.dry_run then
    return Promote.between(source, target, options, { is_absent = true })
  elseif not there then
    database:_execute("create schema " .. require "rille.schema.name".quote(slug))
  end
  return Promote.between(source, settings, options, {
    done = function(to) to:_execute(Schemas.marking(slug)) end,
  })
end

--- Has a promotion begun in a database, or is there nothing in it?
local function is_free(settings)
  local db = require "rille.handle".new("target", settings)
  local closed <close> = closing(db.close, db)                                   -- luacheck: ignore 211
  local row = db:_query(LOOK:gsub("= %?", "= pg_catalog.current_schema()"))[1]
  return not row or not row.used or row.begun
end

--- One tenant, to a database.
local function to_database(each, pattern, options)
  local Databases, slug = require "rille.tenant.databases", each.slug
  local settings = require "rille.config".settings("promote.to", (pattern:gsub("{slug}", slug)))
  local source, comment = { driver = "sqlite", database = each.path }, Databases.comment(settings)
  if comment and comment ~= Place.MARK and not is_free(settings) then
    Error.raise("not_unique", ("a database of the tenant %s is there already, and is no tenant's"):format(
      Error.quote(slug)), { hint = "choose another name in the pattern, or drop it first" })
  elseif not comment and options.dry_run then
    return Databases.with_scratch(slug, settings, function(scratch)
      return Promote.between(source, scratch, options, { is_absent = true })
    end)
  elseif not comment then
    Databases.make_empty(slug, settings)
  end
  return Promote.between(source, settings, options, { done = function(to) Databases.mark(to, settings) end })
end

--- Take all over, one after the other.  One that fails stops no other one; the same call once more goes on where that
--- is needed.
---@param target table|string  settings of the PostgreSQL database, or the URL of one for each with {slug} in it
---@param options rille.PromoteOptions
---@return rille.PromotedTenants
function M.run(target, options)
  if options.from ~= nil then
    Error.argument("promote.from", "nothing: the databases are those of the tenants", options.from)
  end
  local list, result = sources(), { tenants = {}, failed = 0 }
  local promote_one = type(target) == "string" and to_database or to_schema
  local database = type(target) == "table" and require "rille.handle".new("tenants", target) or nil
  local closed <close> = database and closing(database.close, database)          -- luacheck: ignore 211
  for i, each in ipairs(list) do
    if options.on_progress then
      options.on_progress { step = "tenant", name = each.slug, number = i, count = #list }
    end
    local ok, done = xpcall(promote_one, Error.keep_trace, each, target, options, database)
    if ok then
      local fits = done.misfit_count == 0
      result.tenants[i] = { slug = each.slug, state = fits and done.state or "misfits", rows = done.rows,
        result = done }
      result.failed = result.failed + (fits and 0 or 1)
    else
      local e = Error.is(done) and done or Error.new("script", tostring(done))
      if e.kind == "interrupted" then Error.again(done) end
      result.tenants[i] = { slug = each.slug, state = "failed", error = e }
      result.failed = result.failed + 1
    end
  end
  return result
end

return M
