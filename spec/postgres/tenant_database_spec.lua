--- postgres/tenant_database_spec: tenants with databases of their own at a server, or at several, are made whole,
-- found, listed, migrated, copied and dropped; RILLE_SPEC_URL names a server.
local world = require "spec.support.world"
local Databases = require "spec.support.tenancy.databases"
local Folder = require "spec.support.migration_folder"
local Home = require "spec.support.tenancy.home"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local home, Note

local function as(slug, fn, ...) return rille.tenant.run(slug, fn, ...) end

local function slugs()
  local found = {}
  for i, each in ipairs(rille.tenant.list()) do found[i] = each.slug end
  return table.concat(found, " ")
end

describe("tenants with databases of their own at a server", function()
  before_each(function()
    home = Databases.new()
    home.folder:write("0001_notes.lua", Folder.creation "notes")
    Note = rille.model "Note" {}
  end)
  after_each(function() home:close() end)

  it("are made with all migrations, listed, and apart", function()
    local db = rille.tenant.create "acme"
    rille.tenant.create "a-b"
    assert.same({ "notes", "rille_migrations" }, db:tables())
    assert.equal("a-b acme", slugs())
    assert.equal("a-b acme", home:names())
    assert.is_true(rille.tenant.list()[1].size_bytes > 0)
    as("acme", function() Note:create { name = "of acme" } end)
    assert.equal(0, as("a-b", Note.count, Note))
    as("acme", function()
      assert.equal("of acme", Note:first().name)
      assert.equal(1, rille.db():query "select count(*) as n from notes"[1].n)
      rille.transaction(function() Note:create { name = "second" } end)
    end)
    assert.equal(2, as("acme", Note.count, Note))
    refused("tenant_required", Note.count, Note)
    assert.is_true(db:health().ok)
  end)

  it("are filled when they are made, and whole or not there", function()
    home:configure { create = function(db, tenant) db:create("notes", { name = tenant.slug }) end }
    rille.tenant.create { id = 7, slug = "acme" }
    assert.equal("acme", as("acme", function() return Note:first().name end))
    home:configure { create = function() error "no" end }
    assert.is_false((pcall(rille.tenant.create, "other")))
    assert.equal("acme", home:names())
    home.folder:write("0002_broken.lua", [[return { up = function(schema) schema:raw "selekt" end, down = print }]])
    assert.is_false((pcall(rille.tenant.create, "other")))
    assert.equal("acme", home:names())
  end)

  it("are not made twice, nor with a name that none may have", function()
    rille.tenant.create "acme"
    refused("not_unique", rille.tenant.create, "acme")
    home.administer(('create database "%sforeign"'):format(home.prefix))
    refused("not_unique", rille.tenant.create, "foreign")
    for _, slug in ipairs { "../x", "Acme", 'a"b', "rille_new_1", "a/b", "a?host=evil", "a@b" } do
      refused("invalid_argument", rille.tenant.create, slug)
      refused("invalid_argument", rille.tenant.drop, slug)
    end
    assert.equal("acme", slugs())
  end)

  it("are unknown where there is no such database, or somebody else's", function()
    home.administer(('create database "%sforeign"'):format(home.prefix))
    for _, slug in ipairs { "nobody", "foreign" } do
      local e = refused("tenant_unknown", as, slug, function() return Note:count() end)
      assert.equal(('there is no tenant "%s"'):format(slug), e.message)
      refused("tenant_unknown", rille.tenant.drop, slug)
    end
    home:configure { pattern = home.url "{slug}" }
    for _, slug in ipairs { "postgres", "template1", "rille" } do
      refused("tenant_unknown", as, slug, function() return Note:count() end)
      refused("tenant_unknown", rille.tenant.drop, slug)
    end
  end)

  it("are dropped, and unknown from then on, whoever dropped them", function()
    rille.tenant.create "acme"
    rille.tenant.create "b"
    assert.equal(0, as("acme", Note.count, Note))
    local kept = as("acme", rille.db)
    rille.tenant.drop "acme"
    assert.equal("b", home:names())
    refused("tenant_unknown", as, "acme", function() return Note:count() end)
    assert.is_false(kept:result("select 1").ok)
    assert.equal(0, as("b", Note.count, Note))
    as("b", function()
      home.administer(('drop database "%sb" with (force)'):format(home.prefix))
      pcall(Note.count, Note)                              -- which may hear that the connection is lost
      refused("tenant_unknown", Note.count, Note)
      refused("tenant_unknown", function() rille.db():query "select 1" end)
    end)
  end)

  it("are not dropped or copied while somebody else has them open", function()
    rille.tenant.create "acme"
    local other <close> = core.open { driver = "postgres", url = home.url(home.prefix .. "acme") }
    refused("busy", rille.tenant.drop, "acme")
    refused("busy", rille.tenant.copy, "acme", "b")
    assert.equal(0, as("acme", Note.count, Note))
    other:close()
    rille.tenant.drop "acme"
    assert.equal("", home:names())
  end)

  it("are copied", function()
    rille.tenant.create "acme"
    as("acme", function() Note:create { name = "one" } end)
    rille.tenant.copy("acme", "b")
    as("b", function() Note:create { name = "two" } end)
    assert.equal(1, as("acme", Note.count, Note))
    assert.equal(2, as("b", Note.count, Note))
    refused("not_unique", rille.tenant.copy, "acme", "b")
    refused("tenant_unknown", rille.tenant.copy, "nobody", "c")
    assert.equal("acme b", slugs())
  end)

  it("are migrated, past one that fails", function()
    for _, slug in ipairs { "a", "b", "c" } do rille.tenant.create(slug) end
    as("b", function() rille.db():execute "create table plans (id bigint)" end)
    home.folder:write("0002_plans.lua", Folder.creation "plans")
    local result = rille.tenant.migrate()
    assert.equal(1, result.failed)
    assert.same({ "migrated", "failed", "migrated" }, { result.tenants[1].state, result.tenants[2].state,
      result.tenants[3].state })
    assert.equal("current", rille.tenant.migrate "a".tenants[1].state)
  end)

  it("share few connections", function()
    home:configure { pool = { max = 2 } }
    for _, slug in ipairs { "a", "b", "c", "d" } do rille.tenant.create(slug) end
    for _ = 1, 2 do
      for _, slug in ipairs { "a", "b", "c", "d" } do as(slug, function() Note:create { name = slug } end) end
    end
    for _, slug in ipairs { "a", "b", "c", "d" } do assert.equal(2, as(slug, Note.count, Note)) end
    assert.is_true(core.pool_stats().open <= 2)
  end)

  it("are made at their server, wherever the database of the fallback is", function()
    home:configure({ fallback = "far" }, { far = "postgresql://rille@/rille?host=/nowhere" })
    rille.tenant.create "acme"
    assert.equal("acme", slugs())
    as("acme", function() Note:create { name = "here" } end)
    rille.tenant.copy("acme", "b")
    rille.tenant.drop "acme"
    assert.equal("b", home:names())
  end)

  it("go on behind a server that ends their connections", function()
    rille.tenant.create "acme"
    as("acme", function()
      assert.equal(0, Note:count())
      home.administer([[select pg_terminate_backend(pid, 5000) as done from pg_stat_activity where datname = $1]],
        home.prefix .. "acme")
      pcall(Note.count, Note)
      assert.equal(0, Note:count())
    end)
  end)

  describe("by a directory of several servers", function()
    local where, asked, real

    before_each(function()
      where, asked, real = { acme = "one_", b = "two_" }, {}, core.monotonic_ms
      home:configure { pattern = function(tenant)
        asked[#asked + 1] = tenant.slug
        local part = where[tenant.slug]
        if part == "table" then
          return { driver = "postgres", url = home.url "postgres", database = home.prefix .. "one_" .. tenant.slug }
        end
        return part and home.url(home.prefix .. part .. tenant.slug)
      end }
    end)
    after_each(function() core.monotonic_ms = real end)

    it("are where it says, and unknown where it says nothing", function()
      for _, slug in ipairs { "acme", "b" } do
        rille.tenant.create(slug)
        as(slug, function() Note:create { name = slug } end)
      end
      assert.equal("one_acme two_b", home:names())
      refused("tenant_unknown", as, "c", function() return Note:count() end)
      refused("tenant_unknown", rille.tenant.create, "c")
      refused("unsupported", rille.tenant.list)
      home:configure { pattern = require "rille.config".current().tenancy.pattern,
        list = function() return { "b", "acme", "c" } end }
      where.c = "one_"
      local list = rille.tenant.list()
      assert.same({ "acme", "b", "c", true }, { list[1].slug, list[2].slug, list[3].slug, list[3].missing })
      assert.matches("one_acme%f[%W]", list[1].path)
      assert.is_true(list[1].size_bytes > 100000)
      refused("tenant_unknown", as, "c", function() return Note:count() end)
      where.acme = "table"
      assert.equal("acme", as("acme", function() return Note:first().name end))
    end)

    it("are not asked for at each statement, and followed when they move", function()
      rille.tenant.create "acme"
      as("acme", function() Note:create { name = "old" } end)
      rille.tenant.copy("acme", "b")
      local count = #asked
      local old = as("acme", function()
        for _ = 1, 10 do assert.equal(1, Note:count()) end
        return Note:first()
      end)
      assert.is_true(#asked <= count + 1)
      home.administer([[select pg_terminate_backend(pid, 5000) as done from pg_stat_activity where datname = $1]],
        home.prefix .. "two_b")
      home.administer(('alter database "%stwo_b" rename to "%stwo_acme"'):format(home.prefix, home.prefix))
      where.acme = "two_"
      core.monotonic_ms = function() return real() + 6000 end
      as("acme", function()
        rille.db():execute "update notes set name = 'new'"
        assert.equal("new", Note:first().name)
        old.name = "lost"
        refused("invalid_argument", old.save, old)
      end)
      local left <close> = core.open { driver = "postgres", url = home.url(home.prefix .. "one_acme") }
      assert.equal("old", left:query "select name from notes"[1].name)
    end)

    it("stay where they are to the end of a transaction", function()
      rille.tenant.create "acme"
      as("acme", function()
        rille.transaction(function()
          Note:create { name = "one" }
          where.acme = "two_"
          core.monotonic_ms = function() return real() + 6000 end
          Note:create { name = "two" }
          assert.equal(2, Note:count())
        end)
        refused("tenant_unknown", Note.count, Note)
      end)
    end)

    it("are not copied to another server, where the same name is another database's", function()
      rille.tenant.create "acme"
      home:configure { pattern = function(tenant)
        local url = home.url(home.prefix .. (tenant.slug == "acme" and "one_" or "two_") .. tenant.slug)
        return tenant.slug == "acme" and url or url:gsub("host=/", "host=/./")
      end }
      local e = refused("unsupported", rille.tenant.copy, "acme", "b")
      assert.truthy(e.message:find('"acme" is at another one than "b"', 1, true))
      assert.equal("one_acme", home:names())
    end)

    it("may be files for some, and are copied among their like", function()
      local path = home.folder.root .. "/file.db"
      home:configure { pattern = function(tenant)
        return tenant.slug == "f" and path or home.url(home.prefix .. tenant.slug)
      end }
      rille.tenant.create "f"
      rille.tenant.create "acme"
      as("f", function() Note:create { name = "in a file" } end)
      assert.equal(0, as("acme", Note.count, Note))
      refused("unsupported", rille.tenant.copy, "f", "g")
    end)
  end)
end)

describe("models of tenants with databases of their own at a server", function()
  local place

  setup(function()
    place = Databases.new()
    place.folder:write("0001_posts.lua", Home.MIGRATION)
  end)
  teardown(function() place:close() end)

  before_each(function() place:configure() end)
  after_each(function()
    rille.tenant.clear()
    for _, each in ipairs(rille.tenant.list()) do rille.tenant.drop(each.slug) end
  end)

  Home.specs(_ENV, "a-b", rille.tenant.create, function(fallback) place:configure { fallback = fallback } end)
end)
