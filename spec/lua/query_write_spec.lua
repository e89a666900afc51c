--- query_write_spec: rows inserted, changed and deleted by query; what is refused changes nothing.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local refused, untouched, statements = world.refused, world.untouched, world.statements

local NOW <const> = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$"

describe("insert", function()
  local Post, User, db
  before_each(function() Post, User, db = world.blog() end)

  it("takes one row or a list of rows and says how many", function()
    assert.equal(1, Post:insert { title = "a" })
    assert.equal(2, Post:insert { { title = "b" }, { title = "c", views = 5 } })
    assert.equal(0, Post:insert {})
    assert.same({ "a", "b", "c" }, Post:order_by("id"):pluck("title"))
    assert.equal(1, db:table("users"):insert { name = "ann" })
  end)

  it("lets each row stand for itself: what it leaves out takes the default", function()
    Post:insert {
      { title = "a", views = 5, status = "published" }, { title = "b" }, { title = "c", views = 7, body = "x" },
      { title = "d", body = null },
    }
    assert.same({ 5, 0, 7, 0 }, Post:order_by("id"):pluck("views"))
    assert.same({ "published", "draft", "draft", "draft" }, Post:order_by("id"):pluck("status"))
    assert.same({ null, null, "x", null }, Post:order_by("id"):pluck("body"))
  end)

  it("stamps rows that do not say their times", function()
    Post:insert { { title = "a" }, { title = "b", created_at = "2020-01-01", updated_at = 0 } }
    local a, b = Post:find(1), Post:find(2)
    assert.matches(NOW, a.created_at)
    assert.equal(a.created_at, a.updated_at)
    assert.equal("2020-01-01T00:00:00.000000Z", b.created_at)
    assert.equal("1970-01-01T00:00:00.000000Z", b.updated_at)
    db:table("posts"):insert { title = "c" }
    assert.is_nil(Post:find(3).created_at)
    local Once = rille.model "Once" { table = "posts", timestamps = { updated_at = false } }
    Once:insert { title = "d" }
    assert.matches(NOW, Once:find(4).created_at)
    assert.is_nil(Once:find(4).updated_at)
  end)

  it("puts values through the casts", function()
    Post:insert { title = "a", meta = { 1, 2 }, price = 2, live = false, at = 86400, day = "2026-01-01T10:00:00Z" }
    local kept = { title = "a", meta = "[1,2]", price = 2, live = 0, at = "1970-01-02T00:00:00.000000Z",
      day = "2026-01-01" }
    if world.engine == "postgres" then kept.meta, kept.price, kept.live = "[1, 2]", "2.00", false end
    assert.same(kept, db:query("select title, meta, price, live, at, day from posts")[1])
  end)

  it("sends one statement for each shape, not for each row", function()
    local rows = {}
    for i = 1, 100 do rows[i] = { title = "t" .. i } end
    assert.equal(1, #statements(function() Post:insert(rows) end))
    assert.equal(100, Post:count())
  end)

  it("inserts all or none", function()
    User:insert { name = "ann", email = "a@x" }
    local e = untouched("unique_violation", function()
      User:insert { { name = "bob", email = "b@x" }, { name = "cid", email = "a@x" }, { name = "dee" } }
    end)
    assert.matches("row 2 of 3", e.message)
    assert.same({ "users", "email" }, { e.table, e.column })
    assert.equal(world.engine == "sqlite" and "users.email" or "users_email_key", e.constraint)
    assert.equal(world.engine == "sqlite" and "number" or "string", type(e.code))
    assert.matches("^insert into", e.sql)
    e = untouched("not_null_violation", function() User:insert { { name = "bob" }, { email = "c@x" } } end)
    assert.same({ "users", "name" }, { e.table, e.column })
    untouched("foreign_key_violation", function() Post:insert { { title = "a" }, { title = "b", author_id = 99 } } end)
    untouched("invalid_argument", function() Post:insert { { title = "a" }, { title = "b", views = "many" } } end)
  end)

  it("refuses what is no row, no column or no value", function()
    local e = untouched("no_such_column", Post.insert, Post, { { title = "a" }, { titel = "b" } })
    assert.equal('did you mean "title"?', e.hint)
    for _, bad in ipairs { 1, "x", true, { 1 }, { { title = "a" }, 2 }, { { title = "a" }, nil, { title = "b" } },
      { { title = "a" }, title = "b" }, { { [1] = "x" } }, { title = {} }, { title = function() end },
      { { title = "a", views = 1.5 } }, { title = "a", live = "true" }, { title = "a", at = "2024-02-30" },
      { title = "a", score = 0 / 0 }, { title = "a\0b" }, { title = "\xff" } } do
      untouched("invalid_argument", Post.insert, Post, bad)
    end
    untouched("invalid_argument", Post.insert, Post, nil)
    local holes = {}
    holes[1], holes[1000] = { title = "a" }, { title = "b" }
    untouched("invalid_argument", Post.insert, Post, holes)
  end)

  it("goes into a table, not into a query with conditions", function()
    for _, word in ipairs { "insert", "insert_or_ignore" } do
      local query = Post:where("id", 1)
      untouched("invalid_argument", query[word], query, { title = "a" })
    end
    untouched("invalid_argument", function() Post:where("id", 1):upsert({ id = 1, title = "a" }, "id") end)
  end)

  it("may leave out what a unique constraint refuses, and nothing else", function()
    User:insert { name = "ann", email = "a@x" }
    assert.equal(2, User:insert_or_ignore {
      { name = "bob", email = "a@x" }, { name = "cid", email = "c@x" }, { name = "dee" },
        { name = "eve", email = "c@x" },
    })
    assert.same({ "ann", "cid", "dee" }, User:order_by("id"):pluck("name"))
    untouched("not_null_violation", User.insert_or_ignore, User, { { name = "fay" }, { email = "f@x" } })
    untouched("foreign_key_violation", Post.insert_or_ignore, Post, { title = "a", author_id = 99 })
    untouched("invalid_argument", User.insert_or_ignore, User, { name = "x", age = "old" })
    assert.equal(0, User:insert_or_ignore { id = 1, name = "again" })
  end)

  it("keeps what a cast of one's own makes, false too", function()
    Post = world.blog { casts = { live = { get = function(raw) return raw == 1 and "yes" or "no" end,
      set = function(value) return value == "yes" end } } }
    Post:insert { { title = "a", live = "yes" }, { title = "b", live = "no" } }
    assert.same({ "yes", "no" }, Post:order_by("id"):pluck("live"))
    assert.equal(1, Post:where("live", "no"):update { live = "yes" })
    assert.equal(2, Post:where_in("live", { "yes" }):count())
    assert.equal(0, Post:where_in("live", { "no" }):count())
  end)
end)

describe("upsert", function()
  local User, Post, db
  before_each(function()
    Post, User, db = world.blog()
    User:insert { { name = "ann", email = "a@x", age = 30 }, { name = "bob", email = "b@x", age = 40 } }
  end)

  it("inserts, or updates what is there by a unique key", function()
    assert.equal(2, User:upsert({ { name = "Ann", email = "a@x", age = 31 }, { name = "cid", email = "c@x" } },
      "email"))
    assert.same({ "Ann", "bob", "cid" }, User:order_by("id"):pluck("name"))
    assert.equal(31, User:find(1).age)
    assert.equal(1, User:upsert({ id = 2, name = "Bob", email = "b@y" }, { "id" }))
    assert.equal("b@y", User:find(2).email)
  end)

  it("updates only the columns that are named", function()
    assert.equal(1, User:upsert({ name = "X", email = "a@x", age = 99 }, "email", { "age" }))
    assert.same({ "ann", 99 }, { User:find(1).name, User:find(1).age })
    assert.equal(0, User:upsert({ name = "X", email = "a@x" }, "email", {}))
    assert.equal("ann", User:find(1).name)
    assert.equal(1, User:upsert({ { name = "X", email = "a@x" }, { name = "new", email = "n@x" } }, "email", {}))
  end)

  it("does not touch what a row leaves out", function()
    assert.equal(3, User:upsert({ { name = "A", email = "a@x" }, { name = "B", email = "b@x", age = 41 },
      { name = "C", email = "c@x" } }, "email"))
    assert.same({ 30, 41, null }, User:order_by("id"):pluck("age"))
    assert.same({ "A", "B", "C" }, User:order_by("id"):pluck("name"))
  end)

  it("stamps: created_at stays as it was", function()
    Post:insert { id = 1, title = "a", created_at = 0, updated_at = 0, views = 3 }
    Post:upsert({ id = 1, title = "b" }, "id")
    local post = Post:find(1)
    assert.same({ "b", 3, "1970-01-01T00:00:00.000000Z" }, { post.title, post.views, post.created_at })
    assert.is_true(post.updated_at > "2020")
    Post:upsert({ id = 1, title = "b", created_at = 99 }, "id")
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(1).created_at)
    Post:upsert({ id = 1, title = "c", updated_at = 0 }, "id")
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(1).updated_at)
    Post:upsert({ id = 1, title = "d", views = 9 }, "id", { "views" })
    assert.same({ "c", 9 }, { Post:find(1).title, Post:find(1).views })
    assert.is_true(Post:find(1).updated_at > "2020")
  end)

  it("does all or nothing", function()
    untouched("not_null_violation", function()
      User:upsert({ { name = "A", email = "a@x" }, { email = "z@x", age = 3 } }, "email")
    end)
    untouched("unique_violation", function()
      User:upsert({ { id = 1, name = "A", email = "n@x" }, { id = 2, name = "B", email = "n@x" } }, "id")
    end)
  end)

  it("refuses what makes no sense", function()
    for _, by in ipairs { {}, 1, { 1 }, true } do
      untouched("invalid_argument", User.upsert, User, { name = "A", email = "a@x" }, by)
    end
    untouched("invalid_argument", User.upsert, User, { name = "A" }, nil)
    untouched("invalid_argument", User.upsert, User, { name = "A", email = "a@x" }, "name")
    untouched("invalid_argument", User.upsert, User, { name = "A", email = "a@x" }, "email", 1)
    untouched("invalid_argument", User.upsert, User, { { name = "A" }, 3 }, "email")
    assert.equal('did you mean "email"?', untouched("no_such_column", User.upsert, User, { name = "A" }, "emial").hint)
    assert.equal('did you mean "name"?',
      untouched("no_such_column", User.upsert, User, { name = "A", email = "a@x" }, "email", { "nam" }).hint)
    untouched("no_such_column", User.upsert, User, { nam = "A", email = "a@x" }, "email")
    assert.equal(0, User:upsert({}, "email"))
    assert.equal(2, db:table("users"):count())
  end)
end)

describe("update", function()
  local Post, db
  before_each(function()
    Post = world.blog()
    db = rille.db()
    Post:insert {
      { title = "a", views = 1, created_at = 0, updated_at = 0 },
        { title = "b", views = 2, created_at = 0, updated_at = 0 },
      { title = "c", views = 3, price = "1.25", created_at = 0, updated_at = 0 },
    }
  end)

  it("changes the rows of the query and says how many", function()
    assert.equal(2, Post:where("views", ">", 1):update { status = "published", body = "x" })
    assert.same({ "draft", "published", "published" }, Post:order_by("id"):pluck("status"))
    assert.equal(0, Post:where("id", 9):update { status = "x" })
    assert.equal(1, Post:where("id", 3):update { price = null, meta = { 1 }, at = 0 })
    assert.same({ meta = "[1]", at = "1970-01-01T00:00:00.000000Z" },
      db:query("select price, meta, at from posts where id = 3")[1])
  end)

  it("touches updated_at, unless it is said", function()
    Post:where("id", 1):update { views = 9 }
    assert.is_true(Post:find(1).updated_at > "2020")
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(1).created_at)
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(2).updated_at)
    Post:where("id", 1):update { views = 9, updated_at = 5 }
    assert.equal("1970-01-01T00:00:05.000000Z", Post:find(1).updated_at)
    db:table("posts"):where("id", 2):update { views = 9 }
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(2).updated_at)
  end)

  it("keeps to the order, the limit and the joins of the query", function()
    assert.equal(1, Post:order_by_desc("views"):limit(1):update { title = "most" })
    assert.same({ "a", "b", "most" }, Post:order_by("id"):pluck("title"))
    db:execute("insert into users (name) values ('ann')")
    Post:where("id", 2):update { author_id = 1 }
    assert.equal(1, Post:join("users", "users.id", "posts.author_id"):where("users.name",
      "ann"):update { title = "hers" })
    assert.same({ "a", "hers", "most" }, Post:order_by("id"):pluck("title"))
  end)

  it("refuses groups, of which each is many rows", function()
    local groups = Post:where("id", ">", 0):group_by("status")
    untouched("unsupported", groups.update, groups, { title = "x" })
    untouched("unsupported", groups.increment, groups, "views")
    untouched("unsupported", groups.delete, groups)
  end)

  it("wants a condition, or to be told that every row is meant", function()
    local e = untouched("unsafe_mutation", Post.update, Post, { views = 0 })
    assert.matches("unfiltered", e.hint)
    untouched("unsafe_mutation", Post.increment, Post, "views")
    untouched("unsafe_mutation", Post.delete, Post)
    untouched("unsafe_mutation", function() Post:order_by("id"):delete() end)
    assert.equal(3, Post:unfiltered():update { views = 7 })
    assert.equal(3, Post:unfiltered():increment("views"))
    assert.same({ 8, 8, 8 }, Post:pluck("views"))
    assert.equal(3, Post:unfiltered():delete())
  end)

  it("refuses what is no column or no value", function()
    local query = Post:where("id", 1)
    assert.equal('did you mean "title"?', untouched("no_such_column", query.update, query, { titel = "x" }).hint)
    for _, bad in ipairs { {}, 1, "x", { "title" }, { title = {} }, { views = "1" }, { title = 0 / 0 },
      { views = 1.5 } } do
      untouched("invalid_argument", query.update, query, bad)
    end
    untouched("invalid_argument", query.update, query, nil)
    untouched("not_null_violation", query.update, query, { title = null })
    untouched("foreign_key_violation", query.update, query, { author_id = 99 })
    untouched("no_such_column", function() Post:where("idd", 1):update { title = "x" } end)
  end)

  it("adds and subtracts in the database", function()
    assert.equal(1, Post:where("id", 1):increment("views"))
    assert.equal(2, Post:where("id", ">", 1):increment("views", 10))
    assert.same({ 2, 12, 13 }, Post:order_by("id"):pluck("views"))
    assert.equal(1, Post:where("id", 2):decrement("views", 2))
    assert.equal(1, Post:where("id", 3):increment("views", -3, { title = "less" }))
    assert.same({ 2, 10, 10 }, Post:order_by("id"):pluck("views"))
    assert.equal("less", Post:find(3).title)
    assert.is_true(Post:find(1).updated_at > "2020")
    local added = world.engine == "sqlite" and 'rille_add("views", ?)' or '"views" + ?'
    assert.same({ ('update "posts" set "views" = %s, "updated_at" = ? where "id" = ?'):format(added) },
      statements(function() Post:where("id", 1):increment("views") end))
    Post:where("id", 3):increment("price", "0.50" + 0)
    assert.equal("1.75", Post:find(3).price)
    Post:where("id", 1):increment("score")
    assert.is_nil(Post:find(1).score)
  end)

  it("adds numbers to numbers only", function()
    local query = Post:where("id", 1)
    for _, by in ipairs { "1", "x", true, {}, 0 / 0, math.huge, -math.huge } do
      untouched("invalid_argument", query.increment, query, "views", by)
      untouched("invalid_argument", query.decrement, query, "views", by)
    end
    untouched("invalid_argument", query.increment, query, "views", 1.5)
    untouched("invalid_argument", query.increment, query, "title", 1)
    untouched("invalid_argument", query.increment, query, nil)
    untouched("invalid_argument", query.increment, query, "views", 1, "title")
    untouched("invalid_argument", query.increment, query, "views", 1, { views = 3 })
    untouched("no_such_column", query.increment, query, "veiws")
    untouched("no_such_column", query.increment, query, "views", 1, { titel = "x" })
  end)
end)

describe("delete", function()
  local Post, _, db
  before_each(function()
    Post, _, db = world.blog()
    Post:insert { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("deletes the rows of the query and says how many", function()
    assert.equal(2, Post:where("views", "<", 3):delete())
    assert.same({ "c" }, Post:pluck("title"))
    assert.equal(0, Post:where("id", 1):delete())
    assert.equal(1, db:table("posts"):where("id", 3):delete())
  end)

  it("keeps to the order and the limit of the query", function()
    assert.equal(1, Post:order_by_desc("views"):limit(1):delete())
    assert.same({ "a", "b" }, Post:order_by("id"):pluck("title"))
  end)

  it("is forced or not, it is the same without soft deletes", function()
    assert.equal(1, Post:where("id", 1):force_delete())
    refused("unsupported", function() Post:where("id", 2):restore() end)
    assert.equal(2, Post:count())
  end)

  it("empties a table and begins counting anew", function()
    Post:truncate()
    assert.equal(0, Post:count())
    assert.equal(1, Post:create { title = "first" }.id)
  end)

  it("is taken back with its transaction", function()
    local before = world.picture()
    pcall(rille.transaction, function()
      Post:where("id", 1):delete()
      Post:where("id", 2):update { title = "x" }
      Post:insert { { title = "d" }, { title = "e" } }
      Post:upsert({ id = 3, title = "y" }, "id")
      assert.equal(4, Post:count())
      error "no"
    end)
    assert.equal(before, world.picture())
  end)
end)

describe("a soft delete by query", function()
  local Post, db
  before_each(function()
    Post = world.blog { soft_deletes = "at" }
    db = rille.db()
    Post:insert { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  local function titles(query) return query:order_by("id"):pluck("title") end

  it("marks rows, which then are not there", function()
    assert.equal(2, Post:where("views", "<", 3):delete())
    assert.same({ "c" }, titles(Post:query()))
    assert.same({ "a", "b", "c" }, titles(Post:with_trashed()))
    assert.same({ "a", "b" }, titles(Post:only_trashed()))
    assert.equal(1, Post:count())
    assert.is_nil(Post:find(1))
    assert.equal("a", Post:with_trashed():find(1).title)
    assert.equal(3, db:table("posts"):count())
    assert.equal(0, Post:where("id", 1):update { title = "x" })
    assert.equal(0, Post:where("id", 1):delete())
  end)

  it("can be taken back", function()
    Post:where("views", "<", 3):delete()
    assert.equal(1, Post:where("id", 1):restore())
    assert.same({ "a", "c" }, titles(Post:query()))
    assert.equal(0, Post:where("id", 3):restore())
  end)

  it("can be forced: live rows and marked ones, or the marked ones alone", function()
    Post:where("views", "<", 3):delete()
    assert.equal(1, Post:only_trashed():where("views", ">", 1):force_delete())
    assert.same({ "a", "c" }, titles(Post:with_trashed()))
    assert.equal(0, Post:only_trashed():where("id", 3):force_delete())
    assert.equal(2, Post:where("views", "<", 9):force_delete())
    assert.equal(0, db:table("posts"):count())
  end)

  it("wants a condition of the query itself", function()
    Post:where("id", 1):delete()
    untouched("unsafe_mutation", Post.delete, Post)
    untouched("unsafe_mutation", Post.force_delete, Post)
    untouched("unsafe_mutation", Post.restore, Post)
    untouched("unsafe_mutation", function() Post:only_trashed():force_delete() end)
    assert.equal(1, Post:unfiltered():restore())
    untouched("unsafe_mutation", function() Post:with_trashed():update { title = "x" } end)
  end)

  it("takes back only what was deleted, whatever the conditions", function()
    db:execute "update posts set updated_at = '1970-01-01T00:00:00.000000Z'"
    Post:where("id", 1):delete()
    assert.equal(1, Post:where("id", 1):or_where("id", 2):or_where("id", 3):restore())
    assert.equal("1970-01-01T00:00:00.000000Z", Post:find(2).updated_at)
    assert.equal(2, Post:where("id", 1):or_where("id", 2):delete())
    assert.equal(1, Post:where("id", 1):or_where("id", 3):delete())
    assert.equal(2, Post:only_trashed():where("id", 1):or_where("id", 2):force_delete())
    assert.same({ "c" }, titles(Post:with_trashed()))
  end)

  it("holds inside of other queries", function()
    Post:where("id", 1):delete()
    assert.equal(2, Post:where_in("id", Post:select("id")):with_trashed():count())
    assert.equal(3, Post:where_in("id", Post:with_trashed():select("id")):with_trashed():count())
    assert.equal(2, Post:where("id", 1):union(Post:query()):count())
    assert.is_false(Post:where_exists(Post:where("id", 1)):exists())
    assert.equal(0, Post:where("id", 1):or_where("id", 1):count())
  end)
end)
