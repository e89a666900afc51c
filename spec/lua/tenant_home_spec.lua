--- tenant_home_spec: models where each tenant has a database of its own.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, refused = world.rille, world.refused

local directory, Post, Plan
local schema = "create table posts (id integer primary key, title text not null)"
local comments = "create table comments (id integer primary key, post_id integer references posts (id), body text)"

local function as(slug, fn, ...) return rille.tenant.run(slug, fn, ...) end

local function configure(fallback)
  rille.configure {
    connections = { main = directory .. "/main.db" }, models = directory .. "/none",
    tenancy = { strategy = "database", pattern = directory .. "/{slug}.db", fallback = fallback },
  }
end

--- A database with the tables, as if a tenant had been made.
local function make(slug)
  local db = core.open { database = ("%s/%s.db"):format(directory, slug) }
  db:execute(schema, {})
  db:execute(comments, {})
  db:close()
end

describe("models of tenants with databases of their own", function()
  before_each(function()
    require "rille.model".forget_all()
    directory = os.tmpname()
    os.remove(directory)
    core.make_directory(directory)
    configure()
    for _, slug in ipairs { "a", "b" } do make(slug) end
    Post = rille.model "Post" { relations = { comments = rille.has_many "Comment" } }
    rille.model "Comment" { relations = { post = rille.belongs_to "Post" } }
    Plan = rille.model "Plan" { connection = "main" }
    as("a", function()
      local post = Post:create { title = "of a" }
      post:relation "comments":create { body = "of a" }
    end)
    as("b", function()
      Post:create { title = "of b" }
      Post:create { title = "also of b" }
    end)
  end)
  after_each(function()
    rille.tenant.clear()
    rille.close()
    require "rille.config".clear()
    require "rille.model".forget_all()
    for _, name in ipairs(core.list_directory(directory)) do os.remove(directory .. "/" .. name) end
    os.remove(directory)
  end)

  it("are where the current tenant's rows are", function()
    local all = Post:order_by "id"
    assert.same({ "of a" }, { table.unpack(as("a", function() return all:pluck "title" end)) })
    assert.same({ "of b", "also of b" }, { table.unpack(as("b", function() return all:pluck "title" end)) })
    assert.equal(1, as("a", function() return #Post:with("comments"):first().comments end))
    assert.equal(0, as("b", function() return #Post:first().comments end))
  end)

  it("want a tenant, and one that there is", function()
    refused("tenant_required", function() Post:all() end)
    refused("tenant_required", function() rille.transaction(print) end)
    refused("tenant_unknown", as, "nobody", function() return Post:all() end)
    assert.is_nil(core.file_size(directory .. "/nobody.db"))
    refused("invalid_argument", function() rille.tenant.run({ id = 1 }, function() return Post:all() end) end)
  end)

  it("have the fallback where no tenant is set, and never for one that is not known", function()
    configure "main"
    rille.db "main":execute(schema)
    rille.db "main":insert("posts", { title = "of nobody" })
    assert.equal("of nobody", Post:first().title)
    refused("tenant_unknown", as, "nobody", function() return Post:all() end)
    assert.equal(1, as("a", function() return Post:count() end))
  end)

  it("keep a connection of their own", function()
    rille.db "main":execute "create table plans (id integer primary key, name text)"
    Plan:create { name = "free" }
    assert.equal(1, as("a", function() return Plan:count() end))
    assert.equal(1, Plan:count())
  end)

  it("have their transactions there, in which the tenant stays", function()
    as("a", function()
      rille.transaction(function()
        Post:create { title = "second" }
        refused("tenant_mismatch", as, "b", print)
        assert.equal(2, Post:count())
      end)
      refused("script", function()
        local ok, e = pcall(rille.transaction, function() Post:create { title = "third" } error "no" end)
        assert.is_false(ok)
        require "rille.error".raise("script", tostring(e))
      end)
      assert.equal(2, Post:count())
    end)
    rille.db "main":transaction(function() refused("tenant_mismatch", as, "a", print) end)
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
      for _, current in ipairs { "b", false } do
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
      as("b", function() assert.equal(2, Post:where("title", "like", "%of b"):count()) end)
    end)

    it("handles", function()
      as("b", function()
        refused("tenant_mismatch", function() handle:query "select * from posts" end)
        refused("tenant_mismatch", function() handle:table("posts"):all() end)
      end)
      assert.equal(1, #handle:query "select * from posts")
    end)

    it("cursors and chunks", function()
      as("a", function() Post:create { title = "second" } end)
      as("a", function()
        refused("tenant_mismatch", function()
          for _ in Post:cursor() do rille.tenant.set "b" end
        end)
      end)
      as("a", function()
        refused("tenant_mismatch", function() Post:chunk(1, function() rille.tenant.set "b" end) end)
      end)
    end)

    it("coroutines that take turns", function()
      local turns = {}
      for i, slug in ipairs { "a", "b" } do
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
end)
