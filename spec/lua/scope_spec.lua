--- scope_spec: what models demand of every table that a query reads, its own and those that it joins.
local world = require "spec.support.world"
local core = require "rille.core"
local rille, of_each, refused, untouched = world.rille, world.of_each, world.refused, world.untouched

local TABLES <const> = {
  [[create table users (id integer primary key, name text not null, boss_id integer references users (id),
    live integer not null default 1, deleted_at DATETIME TEXT)]],
  [[create table posts (id integer primary key, title text not null, author_id integer references users (id),
    live integer not null default 1, deleted_at DATETIME TEXT)]],
  "create table tags (id integer primary key, name text not null, deleted_at DATETIME TEXT)",
  "create table post_tag (post_id integer, tag_id integer, deleted_at DATETIME TEXT, primary key (post_id, tag_id))",
}
local GONE <const> = "2026-01-01T00:00:00.000000Z"

local db, Post, User

before_each(function()
  db = world.fresh(table.unpack(TABLES))
  User = rille.model "User" {
    soft_deletes = true,
    global_scopes = { live = function(q) return q:where("live", 1):or_where("name", "always") end },
    relations = { posts = rille.has_many("Post", { foreign_key = "author_id" }) },
  }
  Post = rille.model "Post" {
    soft_deletes = true,
    relations = { author = rille.belongs_to("User"), tags = rille.belongs_to_many("Tag", { pivot = "post_tag" }) },
  }
  rille.model "Tag" {
    soft_deletes = true,
    relations = { posts = rille.belongs_to_many("Post", { pivot = "post_tag" }) },
  }
  db:table("users"):insert {
    { id = 1, name = "ann", live = 1 }, { id = 2, name = "bob", live = 1, deleted_at = GONE, boss_id = 1 },
    { id = 3, name = "cid", live = 0, boss_id = 2 }, { id = 4, name = "always", live = 0, boss_id = 1 },
  }
  db:table("posts"):insert {
    { id = 1, title = "by ann", author_id = 1 }, { id = 2, title = "by bob", author_id = 2 },
    { id = 3, title = "by cid", author_id = 3 }, { id = 4, title = "by always", author_id = 4 },
    { id = 5, title = "gone", author_id = 1, deleted_at = GONE },
  }
end)

local function joined(query) return query:order_by("posts.id"):select("posts.id", "users.name as who") end

describe("the scopes of a joined table's model", function()
  it("hold where it is joined, so that a left join keeps the rows", function()
    local by = Post:join("users", "users.id", "posts.author_id")
    assert.same({ 1, 4 }, of_each(joined(by):all()))
    local left = joined(Post:left_join("users", "users.id", "posts.author_id")):all()
    assert.same({ 1, 2, 3, 4 }, of_each(left))
    assert.same({ "ann", nil, nil, "always" }, of_each(left, "who"))
    assert.equal('select "posts"."id" from "posts" left join "users" on "users"."id" = "posts"."author_id" and '
      .. '("users"."deleted_at" is null and ("users"."live" = ? or "users"."name" = ?)) where '
      .. '"posts"."deleted_at" is null', world.marked((Post:left_join("users", "users.id", "posts.author_id")
      :select("posts.id"):to_sql())))
  end)

  it("are escaped by no or_where, wherever it stands", function()
    local query = Post:where("posts.id", 2):or_where("users.name", "bob")
      :join("users", "users.id", "posts.author_id"):or_where("users.id", ">", 0):or_where("posts.id", ">", 0)
    assert.same({ 1, 4 }, of_each(joined(query):all()))
    assert.equal(2, query:count())
    assert.is_false(Post:join("users", "users.id", "posts.author_id"):where("users.id", 2):or_where("users.id", 3)
      :exists())
    assert.same({}, Post:where_in("id", Post:join("users", "users.id", "posts.author_id"):where("users.id", 2)
      :or_where("posts.id", 3):select("posts.id")):pluck "id")
    assert.same({}, Post:where_exists(Post:join("users", "users.id", "posts.author_id"):where("users.id", 2)
      :or_where("posts.id", 3)):pluck "id")
    local united = Post:where("id", 1):select("title"):union(Post:join("users", "users.id", "posts.author_id")
      :where("users.id", 2):or_where("posts.id", 4):select("posts.title"))
    assert.same({ "by always", "by ann" }, united:order_by("title"):pluck("title"))
  end)

  it("hold under another name, of a table joined twice, and of the query's own table", function()
    local query = User:join("users as boss", "boss.id", "users.boss_id"):order_by("users.id")
    assert.same({ 4 }, query:pluck "users.id")
    assert.same({ 1, 4 }, User:left_join("users as boss", "boss.id", "users.boss_id"):order_by("users.id")
      :pluck "users.id")
    local twice = Post:left_join("users as a", "a.id", "posts.author_id"):left_join("users as b", "b.id", "<>", "a.id")
    assert.equal(4, twice:where("posts.id", "<", 3):or_where("posts.id", 3):or_where("posts.id", 4):count())
    assert.same({ 1, 4 }, twice:where_not_null("b.id"):order_by("posts.id"):pluck "posts.id")
  end)

  it("may name their table, ask for what is related, and hold in updates and deletes", function()
    User:global_scope("writes", function(q) return q:where_not_null("users.name"):where_has "posts" end)
    local by = Post:join("users as writer", "writer.id", "posts.author_id")
    assert.same({ 1, 4 }, by:order_by("posts.id"):pluck "posts.id")
    Post:where("id", 4):delete()
    assert.same({ 1 }, by:order_by("posts.id"):pluck "posts.id")
    assert.equal(1, by:where("posts.id", ">", 0):or_where("posts.id", "<", 9):update { title = "x" })
    assert.equal("x", Post:find(1).title)
    assert.equal(0, by:where("posts.id", 2):or_where("posts.id", 3):delete())
    assert.equal(1, by:where("writer.name", "ann"):or_where("writer.name", "bob"):delete())
    assert.same({ 2, 3 }, Post:order_by("id"):pluck "id")
  end)

  it("are lifted by the name that the table has in the query", function()
    local by = Post:left_join("users as u", "u.id", "posts.author_id"):order_by("posts.id")
    local function who(query) return of_each(query:select("posts.id", "u.name as who"):plain():all(), "who") end
    assert.same({ "ann", "bob", nil, "always" }, who(by:with_trashed "u"))
    assert.same({ nil, "bob", nil, nil }, who(by:only_trashed "u"))
    assert.same({ "ann", nil, "cid", "always" }, who(by:without_global_scope("live", "u")))
    assert.same({ "ann", "bob", "cid", "always" }, who(by:without_global_scope("live", "u"):with_trashed "u"))
    assert.same({ "ann", nil, nil, "always", "ann" }, who(by:with_trashed()))
    assert.same({ "ann", nil, nil, "always", "ann" }, who(by:with_trashed "posts"))
    assert.equal(2, Post:where_in("id", Post:with_trashed("users"):join("users", "users.id", "posts.author_id")
      :where("users.id", 2):or_where("users.id", 1):select("posts.id")):count())
  end)

  it("are lifted of no table that is not there", function()
    local by = Post:join("users", "users.id", "posts.author_id"):join("post_tag", "post_tag.post_id", "posts.id")
    local e = refused("invalid_argument", function() by:with_trashed("user"):all() end)
    assert.equal('did you mean "users"?', e.hint)
    assert.matches("post_tag are not deleted softly", refused("invalid_argument", function()
      by:with_trashed("post_tag"):all()
    end).message)
    assert.equal('did you mean "live"?', refused("invalid_argument", function()
      by:without_global_scope("lvie", "users"):all()
    end).hint)
    refused("invalid_argument", function() Post:with_trashed("users"):all() end)
    refused("invalid_argument", function() Post:where_exists(Post:with_trashed "users") end)
    refused("invalid_argument", Post.with_trashed, Post, nil)
    refused("invalid_argument", Post.with_trashed, Post, 1)
    refused("invalid_argument", Post.without_global_scope, Post, "live", 1)
  end)

  it("do not hold for plain tables, which are everybody's", function()
    assert.equal(5, db:table("posts"):join("users", "users.id", "posts.author_id"):count())
    assert.equal(5, db:table("posts"):left_join("users", "users.id", "posts.author_id"):count())
  end)

  it("keep statements apart that differ by nothing else", function()
    local by = Post:join("users", "users.id", "posts.author_id")
    assert.equal(2, by:count())
    assert.equal(3, by:with_trashed("users"):count())
    assert.equal(1, by:only_trashed("users"):count())
    assert.equal(2, by:count())
  end)

  it("hold for tables in the middle of a relation", function()
    rille.model "PostTag" { table = "post_tag", soft_deletes = true, primary_key = { "post_id", "tag_id" } }
    db:table("tags"):insert {
      { id = 1, name = "a" }, { id = 2, name = "b" }, { id = 3, name = "c", deleted_at = GONE },
    }
    db:table("post_tag"):insert {
      { post_id = 1, tag_id = 1 }, { post_id = 1, tag_id = 2, deleted_at = GONE }, { post_id = 1, tag_id = 3 },
    }
    assert.same({ "a" }, of_each(Post:find(1).tags, "name"))
    assert.same({ "a" }, of_each(Post:with("tags"):find(1).tags, "name"))
    assert.equal(1, Post:with_count("tags"):find(1).tags_count)
    assert.is_false(Post:where_has("tags", function(q) return q:where("name", "b"):or_where("name", "c") end):exists())
    local of = Post:find(1):relation "tags"
    assert.same({ "a", "b" }, of:with_trashed("post_tag"):order_by("tags.id"):pluck "tags.name")
    db:execute "update post_tag set deleted_at = null where tag_id = 3"
    assert.same({ attached = {}, detached = { 3 }, updated = {} }, of:sync { 1 })
    assert.equal(1, of:detach())
    assert.same({ 2 }, db:table("post_tag"):pluck "tag_id")
  end)
end)

describe("the model of a joined table", function()
  local directory, written

  local function file(name, text)
    written[#written + 1] = directory .. "/" .. name
    local out <close> = assert(io.open(written[#written], "wb"))
    out:write(text)
  end

  before_each(function()
    directory, written = os.tmpname(), {}
    os.remove(directory)
    core.make_directory(directory)
    world.fresh()
    rille.configure { connections = { main = ":memory:" }, models = directory }
    db = rille.db()
    for _, sql in ipairs(TABLES) do db:execute(sql) end
    db:table("users"):insert { { id = 1, name = "ann" }, { id = 2, name = "bob", deleted_at = GONE } }
    db:table("posts"):insert { { id = 1, title = "a", author_id = 1 }, { id = 2, title = "b", author_id = 2 } }
    Post = rille.model "Post" {}
  end)
  after_each(function()
    require "rille.model".forget_all()
    require "rille.config".clear()
    for _, path in ipairs(written) do os.remove(path) end
    os.remove(directory)
  end)

  local function count() return Post:join("users", "users.id", "posts.author_id"):count() end

  it("is found in a file that nobody asked for yet", function()
    file("person.lua", 'return rille.model "Person" { table = "users", soft_deletes = true }')
    assert.equal(1, count())
  end)

  it("is not passed over when its file is wrong", function()
    file("person.lua", 'return rille.model "Person" { table = "users", soft_deletes = true, oops = 1 }')
    assert.matches("person.lua", refused("invalid_argument", count).message)
    file("person.lua", "return {")
    refused("script", count)
  end)

  it("is the one that the table is named after, where there are several", function()
    rille.model "Customer" { table = "users", global_scopes = { ann = function(q) return q:where("name", "ann") end } }
    assert.equal(1, count())
    rille.model "User" {}
    assert.equal(2, count())
  end)

  it("must be said where several would do", function()
    local Customer = rille.model "Customer" { table = "users", soft_deletes = true }
    rille.model "Clerk" { table = "users", global_scopes = { bob = function(q) return q:where("name", "bob") end } }
    local e = refused("invalid_argument", count)
    assert.equal('join: several models are on "users" (Customer, Clerk), and each gives other rows of it', e.message)
    assert.equal("join(Customer, …) says whose are meant", e.hint)
    assert.same({ 1 }, Post:join(Customer, "users.id", "posts.author_id"):pluck "posts.id")
    assert.same({ 1, 2 }, Post:left_join(Customer, "users.id", "posts.author_id"):pluck "posts.id")
  end)

  it("is of the same database", function()
    rille.configure { models = directory, default = "main", connections = { main = ":memory:", other = ":memory:" } }
    db = rille.db()
    for _, sql in ipairs(TABLES) do db:execute(sql) end
    local Other = rille.model "Other" { table = "users", connection = "other", soft_deletes = true }
    rille.db "other":execute(TABLES[1])
    db:table("users"):insert { { id = 1, name = "ann" }, { id = 2, name = "bob", deleted_at = GONE } }
    db:table("posts"):insert { { id = 1, title = "a", author_id = 1 }, { id = 2, title = "b", author_id = 2 } }
    assert.equal(2, count())
    refused("unsupported", Post.join, Post, Other, "users.id", "posts.author_id")
  end)
end)

describe("the scopes of a query's own model", function()
  it("are escaped by no or_where in subqueries, unions, counts, updates and deletes", function()
    local any = Post:where("id", 1):or_where("id", 5)
    assert.same({ 1 }, any:pluck "id")
    assert.equal(1, any:count())
    assert.equal(1, User:with_count({ posts = function(q) return q:where("posts.id", 1):or_where("posts.id", 5) end })
      :find(1).posts_count)
    assert.same({ 1 }, Post:with_trashed():where_in("id", any:select("id")):pluck "id")
    assert.equal(1, Post:where("id", 1):select("id"):union(any:select("id")):count())
    assert.equal(0, Post:with_trashed():where("id", 1):where_exists(Post:where("id", 5):or_where("title", "gone"))
      :count())
    assert.equal(1, any:update { title = "x" })
    assert.equal("gone", Post:with_trashed():find(5).title)
    assert.equal(1, any:delete())
    assert.equal(0, any:delete())
    untouched("unsafe_mutation", function() Post:or_where(function(q) return q:where_not_in("id", {}) end):delete() end)
  end)
end)

describe("a function that shapes a query", function()
  local function nothing(q) q:where("id", 1) end
  local RETURN <const> = "is a `return` missing?"

  it("must return one, for a query is never changed in place", function()
    Post:scope("first_one", nothing)
    Post:global_scope("none", nothing)
    for _, ask in ipairs {
      function() return Post:without_global_scope("none"):first_one():all() end,
      function() return Post:all() end,
      function() return Post:where("id", 1):update { title = "x" } end,
      function() return User:when(true, nothing):all() end,
      function() return User:when(false, nothing, nothing):all() end,
      function() return User:with { posts = nothing }:all() end,
      function() return User:where_has("posts", nothing):all() end,
      function() return User:with_count { posts = nothing }:all() end,
    } do
      assert.equal(RETURN, refused("invalid_argument", ask).hint)
    end
    assert.equal(2, User:when(false, nothing):count())
    assert.equal(2, User:tap(nothing):count())
  end)

  it("must return one of its own model", function()
    Post:scope("strange", function() return User:query() end)
    assert.match("^scope Post.strange: ", refused("invalid_argument", function() return Post:strange() end).message)
  end)

  it("of related rows goes on from the query that it was given", function()
    local function anew() return Post:where("id", ">", 0) end
    assert.equal(RETURN, refused("invalid_argument", function() return User:where_has("posts", anew):all() end).hint)
    assert.equal(RETURN, refused("invalid_argument", function() return User:with { posts = anew }:all() end).hint)
  end)
end)
