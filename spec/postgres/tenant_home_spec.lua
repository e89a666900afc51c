--- postgres/tenant_home_spec: models where each tenant has a schema of its own.
local world = require "spec.support.world"
local Schemas = require "spec.support.tenancy.schemas"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local home, Post

local function as(slug, fn, ...) return rille.tenant.run(slug, fn, ...) end

describe("models of tenants with schemas of their own", function()
  setup(function()
    home = Schemas.new()
    home.folder:write("0001_posts.lua", [[return {
      up = function(schema)
        schema:create("posts", function(t) t:id(); t:text "title"; t:json("meta"):nullable() end)
        schema:create("comments", function(t) t:id(); t:references "post"; t:text "body" end)
      end,
      down = function(schema) schema:drop "comments"; schema:drop "posts" end,
    }]])
  end)
  teardown(function() home:close() end)

  before_each(function()
    home:configure()
    require "rille.model".forget_all()
    Post = rille.model "Post" { relations = { comments = rille.has_many "Comment" } }
    rille.model "Comment" { relations = { post = rille.belongs_to "Post" } }
    for _, slug in ipairs { "a", "a-b" } do rille.tenant.create(slug) end
    as("a", function() Post:create { title = "of a" }:relation "comments":create { body = "of a" } end)
    as("a-b", function()
      Post:create { title = "of b" }
      Post:create { title = "also of b" }
    end)
  end)
  after_each(function()
    rille.tenant.clear()
    for _, each in ipairs(rille.tenant.list()) do rille.tenant.drop(each.slug) end
  end)

  it("are where the current tenant's rows are", function()
    local all = Post:order_by "id"
    assert.same({ "of a" }, { table.unpack(as("a", function() return all:pluck "title" end)) })
    assert.same({ "of b", "also of b" }, { table.unpack(as("a-b", function() return all:pluck "title" end)) })
    assert.equal(1, as("a", function() return #Post:with("comments"):first().comments end))
    assert.equal(0, as("a-b", function() return #Post:first().comments end))
    as("a-b", function() assert.equal("of b", Post:where_raw("id = ?", 1):first().title) end)
  end)

  it("want a tenant, and one that there is", function()
    local db <close> = home:beside()
    db:execute "create schema if not exists other"
    db:execute "create table if not exists other.posts (id bigint, title text)"
    refused("tenant_required", function() Post:all() end)
    refused("tenant_required", function() rille.transaction(print) end)
    for _, slug in ipairs { "nobody", "public", "information_schema", "other" } do
      refused("tenant_unknown", as, slug, function() return Post:all() end)
    end
    refused("tenant_unknown", as, "pg_catalog", function() return rille.db():tables() end)
    refused("invalid_argument", as, "A", function() return Post:all() end)
    refused("invalid_argument", function() rille.tenant.run({ id = 1 }, function() return Post:all() end) end)
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

  it("have the fallback where no tenant is set, and never for one that is not known", function()
    home:configure { fallback = "main" }
    local db = rille.db "main"
    db:execute "create table posts (id bigint primary key, title text, meta jsonb)"
    db:execute "insert into posts values (1, 'of nobody')"
    assert.equal("of nobody", Post:first().title)
    refused("tenant_unknown", as, "nobody", function() return Post:all() end)
    assert.equal(1, as("a", function() return Post:count() end))
    db:execute "drop table posts"
  end)

  it("have their transactions there, in which the tenant stays", function()
    as("a", function()
      rille.transaction(function()
        Post:create { title = "second" }
        refused("tenant_mismatch", as, "a-b", print)
        assert.equal(2, Post:count())
      end)
      pcall(rille.transaction, function() Post:create { title = "third" } error "no" end)
      assert.equal(2, Post:count())
    end)
    rille.db "main":transaction(function() refused("tenant_mismatch", as, "a", print) end)
    assert.equal(2, as("a-b", function() return Post:count() end))
  end)

  it("stay apart behind statements that fail, and behind a server that ends their connections", function()
    for _ = 1, 3 do
      as("a", function()
        pcall(rille.transaction, function() rille.db():query "select 1 / 0" end)
        refused("syntax", function() rille.db():query "selekt" end)
        assert.equal(1, Post:count())
      end)
      as("a-b", function() assert.equal(2, Post:count()) end)
      local db <close> = home:beside()
      db:query([[select pg_terminate_backend(pid, 5000) as done from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()]], {})
    end
    assert.equal("of a", as("a", function() return Post:first().title end))
  end)

  it("share few connections among many tenants", function()
    home:configure { pool = { max = 3 } }
    for i = 1, 8 do rille.tenant.create("t" .. i) end
    for turn = 1, 2 do
      for i = 1, 8 do
        as("t" .. i, function()
          Post:create { title = ("%d of t%d"):format(turn, i) }
          assert.equal(turn, Post:count())
        end)
      end
    end
    for i = 1, 8 do
      assert.equal("2 of t" .. i, as("t" .. i, function() return Post:order_by("id", "desc"):first().title end))
    end
    assert.is_true(core.pool_stats().open <= 3)
    assert.is_true(core.pool_stats().evicted > 0)
  end)

  describe("keep a tenant's things from another one:", function()
    it("records and handles", function()
      local post, handle = as("a", function() return Post:first(), rille.db() end)
      post.title = "stolen"
      as("a-b", function()
        for _, fn in ipairs {
          function() post:save() end, function() post:delete() end, function() post:refresh() end,
          function() return post.comments end, function() post:relation "comments":create { body = "x" } end,
          function() return post:load "comments" end, function() handle:query "select * from posts" end,
          function() handle:table("posts"):all() end,
        } do
          refused("tenant_mismatch", fn)
        end
      end)
      as("a", function() assert.equal("of a", Post:first().title) end)
    end)

    it("cursors and chunks", function()
      as("a", function() Post:create { title = "second" } end)
      as("a", function()
        refused("tenant_mismatch", function()
          for _ in Post:cursor() do rille.tenant.set "a-b" end
        end)
      end)
      as("a", function()
        refused("tenant_mismatch", function() Post:chunk(1, function() rille.tenant.set "a-b" end) end)
      end)
    end)

    it("coroutines that take turns, in transactions and cursors", function()
      local turns = {}
      for i, slug in ipairs { "a", "a-b", "a", "a-b" } do
        turns[i] = coroutine.wrap(function()
          return as(slug, function()
            for post in Post:order_by("id"):cursor() do
              assert.equal(slug == "a" and "of a" or post.id == 1 and "of b" or "also of b", post.title)
              coroutine.yield()
            end
            rille.transaction(function()
              Post:create { title = "new" }
              coroutine.yield()
              assert.equal(slug == "a" and 2 or 3, Post:count())
              rille.rollback()
            end)
          end)
        end)
      end
      for _ = 1, 4 do
        for i = 1, 4 do pcall(turns[i]) end
      end
      assert.equal(1, as("a", function() return Post:count() end))
      assert.equal(2, as("a-b", function() return Post:count() end))
    end)
  end)
end)
