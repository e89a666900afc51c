--- tenancy/home: what models do where each tenant has a place of its own, a file or a schema, as specs.
-- A file of specs makes the places and calls this within its `describe`, behind a `before_each` that configures them.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local Home = {
  Post = nil,                                            -- the model, a new one in each spec
  --- What a file of specs that migrates writes as its migration.
  MIGRATION = [[return {
    up = function(schema)
      schema:create("posts", function(t) t:id(); t:text "title"; t:json("meta"):nullable() end)
      schema:create("comments", function(t) t:id(); t:references "post"; t:text "body" end)
    end,
    down = function(schema) schema:drop "comments"; schema:drop "posts" end,
  }]],
}

--- In the name of a tenant.
function Home.as(slug, fn, ...) return rille.tenant.run(slug, fn, ...) end

local as = Home.as

---@param _ENV table  that of the file of specs, which alone knows busted's words
---@param other string  the slug of the tenant beside "a"
---@param make fun(slug: string)  makes a tenant with tables of posts and comments, or adds them to it
---@param configure fun(fallback?: string)  configures it anew
function Home.specs(_ENV, other, make, configure)        -- luacheck: ignore 212
  local Post

  before_each(function()
    require "rille.model".forget_all()
    Post = rille.model "Post" { relations = { comments = rille.has_many "Comment" } }
    Home.Post = Post
    rille.model "Comment" { relations = { post = rille.belongs_to "Post" } }
    make "a"
    make(other)
    as("a", function() Post:create { title = "of a" }:relation "comments":create { body = "of a" } end)
    as(other, function()
      Post:create { title = "of b" }
      Post:create { title = "also of b" }
    end)
  end)

  it("are where the current tenant's rows are", function()
    local all = Post:order_by "id"
    assert.same({ "of a" }, { table.unpack(as("a", function() return all:pluck "title" end)) })
    assert.same({ "of b", "also of b" }, { table.unpack(as(other, function() return all:pluck "title" end)) })
    assert.equal(1, as("a", function() return #Post:with("comments"):first().comments end))
    assert.equal(0, as(other, function() return #Post:first().comments end))
    as(other, function() assert.equal("of b", Post:where_raw("id = ?", 1):first().title) end)
  end)

  it("want a tenant, and one that there is", function()
    refused("tenant_required", function() Post:all() end)
    refused("tenant_required", function() rille.transaction(print) end)
    refused("tenant_unknown", as, "nobody", function() return Post:all() end)
    refused("invalid_argument", as, "A", function() return Post:all() end)
    refused("invalid_argument", function() rille.tenant.run({ id = 1 }, function() return Post:all() end) end)
  end)

  it("have the fallback where no tenant is set, and never for one that is not known", function()
    configure "main"
    local db = rille.db "main"
    db:execute "create table posts (id bigint primary key, title text)"
    db:insert("posts", { id = 1, title = "of nobody" })
    assert.equal("of nobody", Post:first().title)
    refused("tenant_unknown", as, "nobody", function() return Post:all() end)
    assert.equal(1, as("a", function() return Post:count() end))
    db:execute "drop table posts"
  end)

  it("are its own to change, with their tables", function()
    rille.model "Plan" { tenant_column = "org_id" }
    as("a", function()
      rille.schema():table("posts", function(t) t:text "more":nullable() end)
      assert.equal(1, rille.schema():raw("update posts set more = ?", "said").changes)
      assert.equal("said", Post:first().more)
    end)
    as(other, function()
      assert.is_false(rille.schema():has_column("posts", "more"))
      assert.equal(2, Post:count())
    end)
  end)

  it("keep a connection of their own", function()
    local Plan = rille.model "Plan" { connection = "main" }
    rille.db "main":execute "create table plans (id bigint primary key, name text)"
    Plan:create { id = 1, name = "free" }
    assert.equal(1, as("a", function() return Plan:count() end))
    assert.equal(1, Plan:count())
    rille.db "main":execute "drop table plans"
  end)

  it("have their transactions there, in which the tenant stays", function()
    as("a", function()
      rille.transaction(function()
        Post:create { title = "second" }
        refused("tenant_mismatch", as, other, print)
        assert.equal(2, Post:count())
      end)
      local ok, e = pcall(rille.transaction, function() Post:create { title = "third" } error("no", 0) end)
      assert.same({ false, "no" }, { ok, e })
      assert.equal(2, Post:count())
    end)
    rille.db "main":transaction(function() refused("tenant_mismatch", as, "a", print) end)
    assert.equal(2, as(other, function() return Post:count() end))
  end)

  it("let SQL of one's own run on the tenant's database", function()
    as("a", function()
      assert.equal("of a", rille.db():query "select title from posts"[1].title)
      assert.equal(1, #rille.db():table("posts"):all())
    end)
  end)

  describe("keep a tenant's things from another one:", function()
    local post, handle
    before_each(function()
      post, handle = as("a", function() return Post:first(), rille.db() end)
    end)

    it("records", function()
      for _, current in ipairs { other, false } do
        local function try(fn)
          if current then return refused("tenant_mismatch", as, current, fn) end
          return refused("tenant_required", fn)
        end
        post.title = "stolen"
        try(function() post:save() end)
        try(function() post:delete() end)
        try(function() post:refresh() end)
        try(function() return post.comments end)
        try(function() post:relation "comments":create { body = "x" } end)
        try(function() return post:relation "comments":count() end)
        try(function() return post:load "comments" end)
      end
      as("a", function() assert.equal("of a", Post:first().title) end)
      as(other, function() assert.equal(2, Post:where("title", "like", "%of b"):count()) end)
    end)

    it("handles", function()
      as(other, function()
        refused("tenant_mismatch", function() handle:query "select * from posts" end)
        refused("tenant_mismatch", function() handle:table("posts"):all() end)
      end)
      assert.equal(1, #handle:query "select * from posts")
    end)

    it("cursors and chunks", function()
      as("a", function() Post:create { title = "second" } end)
      as("a", function()
        refused("tenant_mismatch", function()
          for _ in Post:cursor() do rille.tenant.set(other) end
        end)
      end)
      as("a", function()
        refused("tenant_mismatch", function() Post:chunk(1, function() rille.tenant.set(other) end) end)
      end)
    end)

    it("coroutines that take turns", function()
      local turns = {}
      for i, slug in ipairs { "a", other } do
        turns[i] = coroutine.wrap(function()
          return as(slug, function()
            for _ = 1, 3 do
              coroutine.yield(Post:count())
              Post:create { title = slug }
            end
            return Post:count()
          end)
        end)
      end
      for round = 0, 3 do
        assert.equal(1 + round, turns[1]())
        assert.equal(2 + round, turns[2]())
      end
    end)
  end)
end

return Home
