--- words_spec: what is refused says so in our words, and names what the caller called.
local world = require "spec.support.world"
local rille, untouched = world.rille, world.untouched

describe("a refusal", function()
  local Post, db
  before_each(function()
    db = world.fresh(
      "create table posts (id integer primary key, title TEXT, meta JSON TEXT, deleted_at DATETIME TEXT)",
      "create table users (id integer primary key, name TEXT)",
      "create table pairs (a TEXT not null, b TEXT not null, primary key (a, b))")
    Post = rille.model "Post" { soft_deletes = true, relations = { user = rille.belongs_to("User") } }
  end)

  local function message(kind, fn, ...) return untouched(kind, fn, ...).message end

  it("calls a deletion and a restoration what they are", function()
    assert.equal("a delete of posts without a condition would touch every row", message("unsafe_mutation", Post.delete,
      Post))
    assert.equal("a restore of posts without a condition would touch every row", message("unsafe_mutation",
      Post.restore, Post))
    assert.equal("an update of posts without a condition would touch every row", message("unsafe_mutation", Post.update,
      Post, { title = "x" }))
  end)

  it("tells an empty table from another one", function()
    assert.matches("got an empty table$", message("invalid_argument", Post.where, Post, {}))
    assert.matches("got an empty table$", message("invalid_argument", Post.where_null, Post, {}))
    assert.matches("got a table$", message("invalid_argument", Post.where_null, Post, { 1 }))
  end)

  it("names the method for keys of several columns", function()
    local Pair = rille.model "Pair" {}
    Pair:create { a = "x", b = "y" }
    local expected = 'destroy: wants keys, each a list of its columns\' values (a, b), got "x" (string)'
    assert.equal(expected, message("invalid_argument", Pair.destroy, Pair, { "x", "y" }))
    assert.equal(expected, message("invalid_argument", Pair.destroy, Pair, "x", "y"))
    assert.equal(1, Pair:destroy { { "x", "y" } })
  end)

  it("says that groups are missing", function()
    local words = "having asks about groups, and the query of posts makes none"
    assert.equal(words, message("invalid_argument", function() Post:having("title", "x"):all() end))
    assert.equal(words, message("invalid_argument", function() Post:having_raw("count(*) > 1"):all() end))
    assert.equal("having asks about groups, and the query makes none", message("invalid_argument", function()
      Post:select_raw("id"):having_raw("id > 1"):all()
    end))
    assert.equal(1, #Post:select_raw("count(*) as n"):having_raw("count(*) > ?", -1):all())
  end)

  it("says how many columns a query gives where one is wanted", function()
    local User = rille.model "User" {}
    local e = untouched("invalid_argument", function() Post:where_in("id", User:query()):all() end)
    assert.equal("id in a query: it gives 2 columns of users instead of one", e.message)
    assert.equal("select(column) says which one is meant", e.hint)
    untouched("invalid_argument", function() Post:where_not_in("id", User:select("id", "name")):all() end)
    untouched("invalid_argument", function() Post:where_in("id", User:select("id"):add_select("users.*")):all() end)
    assert.same({}, Post:where_in("id", User:select("id")):all())
    assert.same({}, Post:where_in("id", User:select_raw("max(id)")):all())
  end)

  it("says that a document is no JSON", function()
    db:execute "insert into posts (meta) values ('{oops')"
    for _, query in ipairs { Post:where_json("meta.a", 1), Post:where_json_contains("meta.a", 1) } do
      local e = untouched("invalid_argument", query.all, query)
      assert.equal("a row holds a text that is no JSON, where JSON was asked about", e.message)
      assert.matches("json_valid", e.hint)
    end
  end)

  it("takes a name that is nearly a relation's for one, in a text too", function()
    rille.model "User" {}
    local e = untouched("no_such_relation", function() Post:filter("usr.name = 'x'"):all() end)
    assert.same({ 'Post has no relation "usr"', 'did you mean "user"?' }, { e.message, e.hint })
    assert.matches("reads no table", message("no_such_table", function() Post:filter("users.name = 'x'"):all() end))
    local joined = Post:join("users as usr", "usr.id", "posts.id")
    assert.same({}, joined:where(function(q) return q:filter "usr.name = 'x'" end):all())
  end)
end)

describe("what a query counted beside a record", function()
  it("stays when the record is saved, touched, counted up, deleted and restored", function()
    local db = world.fresh("create table posts (id integer primary key, title TEXT, n INTEGER default 0, "
      .. "double INTEGER generated always as (n * 2), deleted_at DATETIME TEXT, updated_at DATETIME TEXT)",
      "create table comments (id integer primary key, post_id INTEGER)")
    local Post = rille.model "Post" { soft_deletes = true, relations = { comments = rille.has_many("Comment") } }
    rille.model "Comment" {}
    Post:create { title = "a" }
    db:table("comments"):insert { { post_id = 1 }, { post_id = 1 } }
    for _, query in ipairs { Post:with_count("comments"), Post:select("id", "title", "n", "double", "deleted_at",
      "updated_at"):with_count("comments"), Post:select("id", "n", "title", "deleted_at", "updated_at")
      :with_count("comments") } do
      local post = query:first()
      for _, change in ipairs {
        function() post:update { title = post.title .. "b" } end, function() post:touch() end,
        function() post:increment("n") end, function() post:delete() end, function() post:restore() end,
      } do
        change()
        assert.equal(2, post.comments_count)
        assert.is_false(post:is_dirty())
        local fresh = Post:with_trashed():find(1)
        assert.same({ fresh.title, fresh.n, fresh.deleted_at, fresh.updated_at }, { post.title, post.n, post.deleted_at,
          post.updated_at })
      end
    end
    local post = Post:with_count("comments"):first()
    post:update { n = 9 }
    assert.equal(18, post.double)
    assert.is_not_nil(post:to_json():find('"comments_count":2', 1, true))
    post = post:refresh()
    assert.is_false((pcall(function() return post.comments_count end)))
  end)
end)

describe("sync", function()
  it("takes texts that the database holds to be equal for one key", function()
    local db = world.fresh("create table posts (id integer primary key)",
      "create table labels (code TEXT collate nocase primary key, n INTEGER)",
      "create table label_post (post_id INTEGER, label_id TEXT collate nocase, n INTEGER, unique (post_id, label_id))")
    local Post = rille.model "Post" { relations = { labels = rille.belongs_to_many("Label") } }
    rille.model "Label" {}
    db:table("labels"):insert { { code = "red" }, { code = "blue" } }
    local labels = Post:create({ id = 1 }):relation "labels"
    labels:attach { "red" }
    assert.same({ attached = {}, detached = {}, updated = {} }, labels:sync { "RED" })
    assert.same({ attached = { "blue" }, detached = {}, updated = { "Red" } }, labels:sync { { "Red", n = 1 }, "blue" })
    assert.same({ attached = {}, detached = { "rEd" } }, labels:toggle "rEd")
    assert.same({ attached = { "BLUE" }, detached = {}, updated = {} }, (function()
      labels:detach()
      return labels:sync { "blue", "BLUE" }
    end)())
  end)
end)
