--- postgres/tenant_home_spec: models where each tenant has a schema of its own.
local world = require "spec.support.world"
local Home = require "spec.support.tenancy.home"
local Schemas = require "spec.support.tenancy.schemas"
local core = require "rille.core"
local rille, refused, as = world.rille, world.refused, Home.as

describe("models of tenants with schemas of their own", function()
  local home

  setup(function()
    home = Schemas.new()
    home.folder:write("0001_posts.lua", Home.MIGRATION)
  end)
  teardown(function() home:close() end)

  before_each(function() home:configure() end)
  after_each(function()
    rille.tenant.clear()
    for _, each in ipairs(rille.tenant.list()) do rille.tenant.drop(each.slug) end
  end)

  Home.specs(_ENV, "a-b", rille.tenant.create, function(fallback) home:configure { fallback = fallback } end)

  it("are in no schema that is not a tenant's", function()
    local db <close> = home:beside()
    db:execute "create schema if not exists other"
    db:execute "create table if not exists other.posts (id bigint, title text)"
    for _, slug in ipairs { "public", "information_schema", "other" } do
      refused("tenant_unknown", as, slug, function() return Home.Post:all() end)
    end
    refused("tenant_unknown", as, "pg_catalog", function() return rille.db():tables() end)
  end)

  it("find nothing in schemas of others, by whichever words", function()
    local db <close> = home:beside()
    db:execute "create table if not exists public.shared (id bigint)"
    as("a", function()
      assert.same({ "comments", "posts", "rille_migrations" }, rille.db():tables())
      refused("no_such_table", function() return rille.db():table("shared"):all() end)
      refused("no_such_table", function() return rille.db():query "select * from shared" end)
      for _, sql in ipairs { 'set search_path = "a-b"', "select set_config('search_path', 'public', false) as a",
        "reset SEARCH_PATH", "create table t (id bigint); set search_path = public" } do
        refused("invalid_argument", function() rille.db():execute(sql) end)
        refused("invalid_argument", function() rille.db():query(sql) end)
        assert.is_false(rille.db():result(sql).ok)
      end
      assert.equal("a", rille.db():query "select current_schema()::text as name"[1].name)
    end)
  end)

  it("stay apart behind statements that fail, and behind a server that ends their connections", function()
    for _ = 1, 3 do
      as("a", function()
        refused("invalid_argument", rille.transaction, function() rille.db():query "select 1 / 0" end)
        refused("syntax", function() rille.db():query "selekt" end)
        assert.equal(1, Home.Post:count())
      end)
      as("a-b", function() assert.equal(2, Home.Post:count()) end)
      local db <close> = home:beside()
      db:query([[select pg_terminate_backend(pid, 5000) as done from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()]], {})
      core.pause(150)                                      -- by then a connection is looked at before it is used
    end
    assert.equal("of a", as("a", function() return Home.Post:first().title end))
  end)

  it("are unknown once the schema is dropped, also where that is found out in the middle", function()
    as("a", function()
      assert.equal(1, Home.Post:count())
      local db <close> = home:beside()
      db:execute "drop schema a cascade"
      db:query([[select pg_terminate_backend(pid, 5000) as done from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()]], {})
      pcall(Home.Post.count, Home.Post)                              -- which may hear that the connection is lost
      refused("tenant_unknown", Home.Post.count, Home.Post)
      refused("tenant_unknown", function() rille.db():query "select 1" end)
    end)
  end)

  it("have no connections where nothing went on for a while", function()
    for _, slug in ipairs { "i1", "i2", "i3" } do rille.tenant.create(slug) end
    home:configure { pool = { max = 8, idle_ms = 500 } }
    local db <close> = home:beside()
    local function connected()
      return db:query("select count(*) as n from pg_stat_activity where datname = current_database() and pid <> "
        .. "pg_backend_pid()")[1].n
    end
    local before = connected()
    for _, slug in ipairs { "i1", "i2", "i3" } do as(slug, function() Home.Post:create { title = slug } end) end
    assert.is_true(connected() >= before + 3)
    for _ = 1, 300 do
      if core.pool_stats().open == 0 and connected() <= before + 1 then break end
      core.pause(10)
    end
    assert.equal(0, core.pool_stats().open)
    assert.is_true(connected() <= before + 1)               -- that of `main`, which is no tenant's
    assert.equal("i1", as("i1", function() return Home.Post:first().title end))
  end)

  it("share few connections among many tenants", function()
    home:configure { pool = { max = 3 } }
    for i = 1, 8 do rille.tenant.create("t" .. i) end
    for turn = 1, 2 do
      for i = 1, 8 do
        as("t" .. i, function()
          Home.Post:create { title = ("%d of t%d"):format(turn, i) }
          assert.equal(turn, Home.Post:count())
        end)
      end
    end
    for i = 1, 8 do
      assert.equal("2 of t" .. i, as("t" .. i, function() return Home.Post:order_by("id", "desc"):first().title end))
    end
    assert.is_true(core.pool_stats().open <= 3)
    assert.is_true(core.pool_stats().evicted > 0)
  end)

  it("keep transactions and cursors of coroutines that take turns apart", function()
    local turns = {}
    for i, slug in ipairs { "a", "a-b", "a", "a-b" } do
      turns[i] = coroutine.create(function()
        as(slug, function()
          for post in Home.Post:order_by("id"):cursor() do
            assert.equal(slug == "a" and "of a" or post.id == 1 and "of b" or "also of b", post.title)
            coroutine.yield()
          end
          local tx <close> = rille.begin()
          Home.Post:create { title = "new" }
          coroutine.yield()
          assert.equal(slug == "a" and 2 or 3, Home.Post:count())
          tx:rollback()
        end)
      end)
    end
    for _ = 1, 4 do
      for _, turn in ipairs(turns) do
        if coroutine.status(turn) ~= "dead" then assert(coroutine.resume(turn)) end
      end
    end
    for _, turn in ipairs(turns) do assert.equal("dead", coroutine.status(turn)) end
    assert.equal(1, as("a", function() return Home.Post:count() end))
    assert.equal(2, as("a-b", function() return Home.Post:count() end))
  end)
end)
