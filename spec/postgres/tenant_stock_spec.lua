--- postgres/tenant_stock_spec: tenants with schemas of their own are made whole, listed, migrated and dropped.
local world = require "spec.support.world"
local Folder = require "spec.support.migration_folder"
local Schemas = require "spec.support.tenancy.schemas"
local core = require "rille.core"
local place = require "rille.tenant.place"
local rille, refused = world.rille, world.refused

local home

local function slugs()
  local found = {}
  for i, each in ipairs(rille.tenant.list()) do found[i] = each.slug end
  return table.concat(found, " ")
end

--- Schemas that are there, whoever made them.
local function schemas()
  local db <close> = home:beside()
  return db:query([[select string_agg(nspname, ' ' order by nspname collate "C") as names from pg_namespace
    where nspname !~ '^(pg_|information_schema)']], {})[1].names
end

describe("tenants with schemas of their own", function()
  before_each(function()
    home = Schemas.new()
    home.folder:write("0001_notes.lua", Folder.creation "notes")
  end)
  after_each(function() home:close() end)

  it("are made with all migrations, and listed", function()
    local db = rille.tenant.create "acme"
    db:create("notes", { name = "one" })
    rille.tenant.create "a-b"
    assert.equal(1, #db:query "select * from notes")
    assert.equal("a-b acme", slugs())
    assert.same({ "notes", "rille_migrations" }, db:tables())
    assert.matches(", schema acme$", rille.tenant.list()[2].path)
    assert.is_true(rille.tenant.list()[2].size_bytes > 0)
    assert.is_true(db:health().ok)
  end)

  it("are made by another one as by nobody", function()
    rille.tenant.create "acme"
    rille.model "Note" { tenant_column = "name" }
    rille.tenant.run("acme", function()
      rille.tenant.create "globex"
      assert.equal("acme", rille.tenant.current().slug)
    end)
    assert.equal("acme globex", slugs())
  end)

  it("have what is to be made outside of a transaction, too", function()
    home.folder:write("0002_index.lua", [[return {
      transaction = false,
      up = function(schema)
        schema:table("notes", function(t) t:index { "name", concurrently = true } end)
      end,
      down = function(schema) schema:table("notes", function(t) t:drop_index { "name" } end) end,
    }]])
    local db = rille.tenant.create "acme"
    assert.equal(2, #db:describe("notes").indexes)         -- and that of the key
    assert.equal("current", rille.tenant.migrate "acme".tenants[1].state)
  end)

  it("are not made twice, and leave nothing when they cannot be made", function()
    rille.tenant.create "acme"
    local e = refused("not_unique", rille.tenant.create, "acme")
    assert.matches('the tenant "acme"', e.message)
    for _, slug in ipairs { "public", "information_schema" } do refused("not_unique", rille.tenant.create, slug) end
    for _, slug in ipairs { "../x", "Acme", 'a"b', "pg_mine" } do
      refused("invalid_argument", rille.tenant.create, slug)
    end
    home:configure { create = function(db)
      db:create("notes", { name = "x" })
      error "no"
    end }
    assert.is_false(pcall(rille.tenant.create, "globex"))
    home:configure()
    home.folder:write("0002_broken.up.sql", "create table")
    home.folder:write("0002_broken.down.sql", "select 1")
    assert.is_false(pcall(rille.tenant.create, "initech"))
    assert.equal("acme", slugs())
    assert.equal("acme public", schemas())
  end)

  it("get what tenancy.create puts into them", function()
    home:configure { create = function(db, tenant) db:create("notes", { name = "of " .. tenant.slug }) end }
    assert.equal("of acme", rille.tenant.create { id = 5, slug = "acme" }:query "select name from notes"[1].name)
  end)

  it("are dropped with all they hold, unless somebody works with them", function()
    local db = rille.tenant.create "acme"
    db:execute "create view named as select name from notes"
    db:execute "create type color as enum ('red')"
    rille.tenant.create "globex"
    db:transaction(function() refused("busy", rille.tenant.drop, "acme") end)
    rille.tenant.drop "acme"
    refused("invalid_argument", db.query, db, "select 1")
    assert.equal("globex", slugs())
    assert.equal("globex public", schemas())
    refused("tenant_unknown", rille.tenant.drop, "acme")
    refused("tenant_unknown", place.handle, "acme")
    assert.same({}, (rille.tenant.create "acme":query "select * from notes"))
  end)

  it("are not dropped under another process, nor with what others need", function()
    home:configure(nil, { busy_timeout_ms = 100 })
    rille.tenant.create "acme"
    local other <close> = home:beside()
    other:begin()
    other:query("select * from acme.notes", {})
    refused("busy", rille.tenant.drop, "acme")
    other:rollback()
    other:execute "create view public.needs as select name from acme.notes"
    assert.is_false(pcall(rille.tenant.drop, "acme"))
    assert.equal("acme", slugs())
    assert.same({}, (place.handle "acme":query "select * from notes"))
    for _, slug in ipairs { "public", "information_schema", "pg_catalog" } do
      assert.is_false(pcall(rille.tenant.drop, slug))
    end
  end)

  it("are not dropped while another process has them open, though it does nothing there", function()
    rille.tenant.create "acme"
    place.handle("acme"):query "select * from notes"
    local function elsewhere() return core.open { driver = "postgres", url = home.url, schema = "acme" } end
    do
      local other <close> = elsewhere()
      local e = refused("busy", rille.tenant.drop, "acme")
      assert.equal('somebody else has the schema of the tenant "acme" open', e.message)
      other:execute "insert into notes (name) values ('held')"
    end
    assert.equal(1, #place.handle("acme"):query "select * from notes")
    local dropping <close> = home:beside()
    dropping:begin()
    dropping:query("select pg_try_advisory_xact_lock(hashtextextended('other', 491394985061))", {})
    elsewhere():close()
    core.pool_empty(place.handle("acme"):place())
    local alone = "select pg_try_advisory_xact_lock(hashtextextended('acme', 491394985061)) as alone"
    for _ = 1, 100 do
      if dropping:query(alone, {})[1].alone then break end
      core.pause(20)
    end
    refused("busy", elsewhere)
    dropping:rollback()
    rille.tenant.drop "acme"
    assert.equal("public", schemas())
  end)

  it("are unknown a second after somebody else dropped them", function()
    local db = rille.tenant.create "acme"
    local other <close> = home:beside()
    other:execute "drop schema acme cascade"
    core.pause(1100)
    refused("tenant_unknown", db.query, db, "select * from notes")
    refused("tenant_unknown", rille.tenant.run, "acme", function() return rille.db():query "select 1" end)
  end)

  it("are schemas that were there before, once these say so", function()
    local other <close> = home:beside()
    other:execute "create schema old"
    local e = refused("tenant_unknown", place.handle, "old")
    other:execute(e.hint:match "comment on .-'.-'")
    assert.equal("old", slugs())
    assert.equal("migrated", rille.tenant.migrate "old".tenants[1].state)
    assert.same({ "notes", "rille_migrations" }, place.handle "old":tables())
  end)

  it("are migrated one after the other, and one that fails stops no other", function()
    for _, slug in ipairs { "a", "b", "c" } do rille.tenant.create(slug) end
    place.handle("b"):execute "create table tags (n bigint)"
    home.folder:write("0002_tags.lua", Folder.creation "tags")
    local told = {}
    local result = rille.tenant.migrate(nil, function(each) told[#told + 1] = each.slug .. " " .. each.state end)
    assert.same({ "a running", "a migrated", "b running", "b failed", "c running", "c migrated" }, told)
    assert.equal(1, result.failed)
    place.handle("b"):execute "drop table tags"
    local states = {}
    for i, each in ipairs(rille.tenant.migrate().tenants) do states[i] = each.state end
    assert.same({ "current", "migrated", "current" }, states)
    refused("tenant_unknown", rille.tenant.migrate, "nobody")
  end)

  it("are not copied, and want PostgreSQL", function()
    rille.tenant.create "acme"
    refused("unsupported", rille.tenant.copy, "acme", "twin")
    refused("unsupported", place.path, "acme")
    home:configure { pattern = "x/{slug}.db" }
    refused("invalid_argument", place.handle, "acme")
    rille.configure { connections = { main = { database = ":memory:" } }, tenancy = { strategy = "schema" } }
    for _, word in ipairs { "create", "drop", "list" } do
      refused("unsupported", rille.tenant[word], word ~= "list" and "acme" or nil)
    end
    refused("unsupported", place.handle, "acme")
  end)
end)
