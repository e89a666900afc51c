--- query_shape_spec: what a query selects, joins, groups, orders and limits; SQL and rows.
local world = require "spec.support.world"
local null = world.null
local of_each, refused = world.of_each, world.refused

local EVERY = '"id", "author_id", "title", "body", "status", "views", "price", "live", "meta", "at", "day", '
  .. '"score", "data", "created_at", "updated_at"'

describe("the shape of a query", function()
  local Post, User, db

  --- The SQL with the list of all columns as `*`, and the parameters.
  local function sql(query)
    local text, params = query:to_sql()
    return world.marked(text):gsub(EVERY, "*", 1), params
  end

  before_each(function()
    Post, User, db = world.blog { timestamps = false }
    User:insert { { name = "ann", age = 30 }, { name = "bob", age = 20 }, { name = "cid" } }
    Post:insert {
      { title = "a", author_id = 1, views = 3, status = "draft", price = "1.10" },
      { title = "b", author_id = 1, views = 1, status = "published", meta = { n = 1 } },
      { title = "c", author_id = 2, views = 2, status = "published", price = "2.20" },
      { title = "d", views = 2, status = "draft" },
    }
  end)

  it("selects every column by name", function()
    assert.equal("select " .. EVERY .. ' from "posts"', (Post:query():to_sql()))
  end)

  it("selects what it is told, in place of what was selected before, or beside it", function()
    assert.equal('select "id", "title" from "posts"', sql(Post:select("id", "title")))
    assert.equal('select "id", "title" from "posts"', sql(Post:select { "id", "title" }))
    assert.equal('select "title" from "posts"', sql(Post:select("id"):select("title")))
    assert.equal('select "id", "title", "views" from "posts"', sql(Post:select("id"):add_select("title", "views")))
    assert.equal('select "title" as "heading" from "posts"', sql(Post:select("title as heading")))
    assert.equal('select * from "posts"', sql(Post:select "*"))
    local post = Post:select("id", "title as heading"):first()
    assert.equal("a", post.heading)
    refused("missing_attribute", function() return post.title end)
    assert.same({ id = 1, heading = "a" }, db:table("posts"):select("id", "title as heading"):first())
  end)

  it("selects the caller's own SQL, whose names can be ordered by and read", function()
    local query = Post:select_raw("id, views * ? as double", 2):order_by_desc("double"):order_by("id")
    assert.same({ "select id, views * ? as double from \"posts\" order by \"double\" desc, \"id\"", { 2 } },
      { sql(query) })
    assert.same({ 1, 3, 4, 2 }, of_each(query:all()))
    assert.same({ 6, 4, 4, 2 }, of_each(query:all(), "double"))
    assert.equal('select "title", count(*) as n from "posts" group by "title"',
      sql(Post:select("title"):select_raw("count(*) as n"):group_by("title")))
  end)

  it("selects no two rows alike", function()
    local query = Post:select("status"):distinct():order_by("status")
    assert.equal('select distinct "status" from "posts" order by "status"', sql(query))
    assert.same({ "draft", "published" }, query:pluck("status"))
    assert.equal(2, query:count())
    assert.equal(2, Post:select("views", "status"):distinct():where("status", "draft"):count())
  end)

  it("joins rows of another table", function()
    local query = Post:join("users", "users.id", "=", "posts.author_id")
      :where("users.name", "ann"):select("posts.id", "name")
    assert.same({ 'select "posts"."id", "users"."name" from "posts" join "users" on "users"."id" = "posts"."author_id" '
      .. 'where "users"."name" = ?', { "ann" } }, { sql(query) })
    assert.same({ "ann", "ann" }, of_each(query:order_by("posts.id"):all(), "name"))
    assert.equal(query:to_sql(), (Post:join("users", "users.id", "posts.author_id"):where("users.name", "ann")
      :select("posts.id", "name"):to_sql()))
    assert.same({ "a", "b" }, of_each(Post:join("users", "users.id", "posts.author_id"):where("name", "ann"):all(),
      "title"))
  end)

  it("joins under another name, and twice", function()
    local query = Post:join("users as writer", "writer.id", "posts.author_id")
      :join("users as older", "older.age", ">", "writer.age"):select("posts.id", "writer.name as who",
        "older.name as elder")
    assert.same({ { id = 3, who = "bob", elder = "ann" } }, query:plain():all())
  end)

  it("keeps rows without a partner in a left join", function()
    local query = Post:left_join("users", "users.id", "posts.author_id"):select("posts.id", "users.name as who")
    assert.equal('select "posts"."id", "users"."name" as "who" from "posts" left join "users" on "users"."id" = '
      .. '"posts"."author_id" order by "posts"."id"', sql(query:order_by("posts.id")))
    assert.same({ "ann", "ann", "bob", null }, query:order_by("posts.id"):pluck("who"))
    assert.same({ 4 }, query:where_null("users.id"):pluck("posts.id"))
  end)

  it("groups, and filters groups", function()
    local query = Post:select("status"):select_raw("count(*) as n, sum(views) as total")
      :group_by("status"):order_by("status")
    assert.same({ { status = "draft", n = 2, total = 5 }, { status = "published", n = 2, total = 3 } },
      query:plain():all())
    local few = query:having("total", "<", 4)
    local total = world.engine == "sqlite" and '"total"' or "( sum(views) )"
    assert.same({ 'select "status", count(*) as n, sum(views) as total from "posts" group by "status" '
      .. ('having %s < ? order by "status"'):format(total), { 4 } }, { sql(few) })
    assert.same({ "published" }, of_each(few:all(), "status"))
    assert.same({ "draft" }, of_each(query:having("status", "draft"):all(), "status"))
    assert.same({ "draft" }, of_each(query:having_raw("sum(views) > ?", 4):all(), "status"))
    assert.same({ "draft" }, of_each(query:having("total", ">", 0):having_raw("sum(views) > ?", 4):all(), "status"))
    assert.equal(2, query:count())
    assert.equal(4, Post:select("status", "views"):group_by("status", "views"):count())
  end)

  it("orders, one after the other, NULL being the smallest", function()
    assert.equal('select * from "posts" order by "views", "id" desc',
      sql(Post:order_by("views"):order_by("id", "desc")))
    assert.same({ 2, 4, 3, 1 }, Post:order_by("views"):order_by_desc("id"):pluck("id"))
    assert.same({ 4, 1, 2, 3 }, Post:order_by("author_id"):order_by("id"):pluck("id"))
    assert.same({ 4, 3, 2, 1 }, Post:order_by("id", "DESC"):pluck("id"))
    assert.same({ 1, 2, 3, 4 }, Post:order_by("id", "ASC"):pluck("id"))
    assert.same({ 3, 1, 2, 4 }, Post:order_by("author_id", "desc"):order_by("id", "asc"):pluck("id"))
    assert.same({ 2, 3, 1, 4 }, Post:order_by_raw("(id + ?) % 3", 1):order_by("id"):pluck("id"))
    assert.same({ 4, 3, 2, 1 }, Post:order_by("views"):reorder("id", "desc"):pluck("id"))
    assert.equal('select * from "posts"', sql(Post:order_by("views"):reorder()))
  end)

  it("orders by time of creation", function()
    for i = 1, 4 do
      db:execute("update posts set created_at = ?, at = ? where id = ?", ("2026-01-0%d"):format(5 - i),
        ("2026-02-0%d"):format(i), i)
    end
    assert.same({ 1, 2, 3, 4 }, Post:latest():pluck("id"))
    assert.same({ 4, 3, 2, 1 }, Post:oldest():pluck("id"))
    assert.same({ 4, 3, 2, 1 }, Post:latest("at"):pluck("id"))
    assert.same({ 1, 2, 3, 4 }, Post:oldest("at"):pluck("id"))
  end)

  it("orders at random, every row once", function()
    local first = {}
    for _ = 1, 200 do
      local ids = Post:in_random_order():pluck("id")
      first[ids[1]] = true
      table.sort(ids)
      assert.same({ 1, 2, 3, 4 }, ids)
    end
    assert.same({ true, true, true, true }, first)
  end)

  it("limits, and leaves rows out", function()
    local query = Post:order_by("id")
    assert.same({ 'select * from "posts" order by "id" limit ? offset ?', { 2, 1 } }, { sql(query:limit(2):offset(1)) })
    local all = world.engine == "sqlite" and "-1" or "all"
    assert.same({ ('select * from "posts" order by "id" limit %s offset ?'):format(all), { 3 } },
      { sql(query:offset(3)) })
    assert.same({ 2, 3 }, query:limit(2):offset(1):pluck("id"))
    assert.same({ 4 }, query:offset(3):pluck("id"))
    assert.same({}, query:limit(0):all())
    assert.same({ 1 }, query:limit(3):limit(1):pluck("id"))
    assert.same({ 1, 2, 3, 4 }, query:limit(1):offset(2):unlimited():pluck("id"))
    assert.same({ 1, 2 }, query:limit(2.0):pluck("id"))
  end)

  it("unites queries, the order and the limit of the first counting for all", function()
    local drafts, seen = Post:select("id"):where("status", "draft"), Post:select("id"):where("views", 2)
    assert.equal('select "id" from "posts" where "status" = ? union select "id" from "posts" where "views" = ? '
      .. 'order by "id" desc limit ?', sql(drafts:union(seen):order_by_desc("id"):limit(2)))
    assert.same({ 1, 3, 4 }, of_each(drafts:union(seen):order_by("id"):all()))
    assert.same({ 4, 3 }, of_each(drafts:union(seen):order_by_desc("id"):limit(2):all()))
    assert.same({ 1, 3, 4, 4 }, of_each(drafts:union_all(seen):order_by("id"):all()))
    assert.same({ 1, 4 }, of_each(drafts:union(seen:order_by_desc("id"):limit(1)):order_by("id"):all()))
    assert.equal(3, drafts:union(seen):count())
    assert.is_true(Post:where("id", 99):union(Post:where("id", 1)):exists())
    assert.equal(3, drafts:union(seen):union(seen):count())
  end)

  it("takes part when a condition holds, or another part when not", function()
    local seen = {}
    local function narrow(q, given)
      seen[#seen + 1] = given
      return q:where("views", given)
    end
    assert.same({ 2 }, Post:when(1, narrow):pluck("id"))
    assert.same({ 1, 2, 3, 4 }, Post:when(nil, narrow):order_by("id"):pluck("id"))
    assert.same({ 1, 2, 3, 4 }, Post:when(false, narrow):order_by("id"):pluck("id"))
    local function drafts(q) return q:where("status", "draft") end
    assert.same({ 1, 4 }, Post:when(false, narrow, drafts):order_by("id"):pluck("id"))
    refused("invalid_argument", Post.when, Post, true, function() end)
    assert.same({ 1 }, seen)
  end)

  it("can be looked at on its way", function()
    local seen
    local query = Post:where("id", 1)
    assert.equal(query, query:tap(function(q) seen = q end))
    assert.equal(query, seen)
  end)

  it("locks rows in a transaction, which on SQLite is the lock", function()
    local e = refused("invalid_argument", function() Post:lock_for_update():all() end)
    assert.matches("transaction", e.message)
    refused("invalid_argument", function() Post:shared_lock():all() end)
    world.rille.transaction(function()
      assert.equal(4, #Post:lock_for_update():all())
      assert.equal(4, #Post:shared_lock():all())
      for _, option in ipairs(world.engine == "sqlite" and { "skip_locked", "nowait" } or {}) do
        refused("unsupported", function() Post:lock_for_update { [option] = true }:all() end)
      end
      assert.matches("skip_locked", refused("invalid_argument",
        function() Post:lock_for_update { skip_lockd = true } end).hint)
    end)
  end)

  it("gives plain tables when asked, as a query of a table without a model does", function()
    assert.same({ id = 2, title = "b" }, Post:select("id", "title"):where("id", 2):plain():first())
    local row = db:table("posts"):where("id", 1):first()
    assert.same({ id = 1, author_id = 1, title = "a", views = 3, status = "draft", live = true, price = "1.10" }, row)
    assert.equal(2, db:table("users"):where("age", ">=", 20):count())
  end)
end)

describe("a shape that means nothing", function()
  local Post
  before_each(function() Post = world.blog() end)

  local function message(kind, ...) return refused(kind, ...).message end

  it("has names that are no columns", function()
    for _, call in ipairs {
      function() return Post:select("titel"):all() end,
      function() return Post:add_select("titel"):all() end,
      function() return Post:group_by("titel"):count() end,
      function() return Post:order_by("titel"):all() end,
      function() return Post:join("users", "users.id", "posts.titel"):all() end,
      function() return Post:where("titel", 1):all() end,
      function() return Post:where { titel = 1 }:all() end,
      function() return Post:having("titel", 1):all() end,
      function() return Post:pluck("titel") end,
      function() return Post:value("posts.titel") end,
      function() return Post:sum("titel") end,
      function() return Post:select("title as t"):where("titel", 1):all() end,
    } do
      local e = refused("no_such_column", call)
      assert.equal('posts has no column "titel"', e.message)
      assert.equal('did you mean "title"?', e.hint)
      assert.equal("posts", e.table)
    end
  end)

  it("has no names, or what is none", function()
    assert.equal("select: wants names of columns, got nil", message("invalid_argument", Post.select, Post))
    assert.equal("select: wants the name of a column, got nil",
      message("invalid_argument", Post.select, Post, "id", nil))
    assert.equal("select: wants the name of a column, got nil",
      message("invalid_argument", Post.select, Post, nil, "id"))
    assert.matches("got 5", message("invalid_argument", Post.select, Post, { "id", 5 }))
    assert.matches("without keys", message("invalid_argument", Post.select, Post, { "id", title = "title" }))
    assert.matches("got true", message("invalid_argument", Post.order_by, Post, true))
    assert.matches("got nil", message("invalid_argument", Post.group_by, Post))
  end)

  it("gives a name that is none", function()
    for _, alias in ipairs { 'x"', "a.b", "1a", "", "a b", ("a"):rep(64), "a\0b", "\xff", "a--" } do
      refused("invalid_argument", Post.select, Post, "title as " .. alias)
      refused("invalid_argument", Post.add_select, Post, "title as " .. alias)
    end
    assert.matches('"u;x"', message("invalid_argument", Post.join, Post, "users as u;x", "u.id", "posts.author_id"))
    assert.equal('two columns of the result are called "title"',
      message("invalid_argument", function() Post:select("title", "body as title"):all() end))
  end)

  it("orders in a direction that is none", function()
    local e = refused("invalid_argument", Post.order_by, Post, "title", "dessc")
    assert.equal('order_by: wants "asc" or "desc", got "dessc" (string)', e.message)
    assert.equal('did you mean "desc"?', e.hint)
    for _, direction in ipairs { "desc; drop table posts", -1, true, "", "\0asc", {} } do
      refused("invalid_argument", Post.order_by, Post, "title", direction)
    end
    refused("invalid_argument", Post.order_by, Post, "title", nil)
  end)

  it("limits by what is no count", function()
    for _, word in ipairs { "limit", "offset" } do
      for _, value in ipairs { -1, 1.5, 0 / 0, math.huge, -math.huge, "1", "1; delete", true, {}, 1e18,
        math.mininteger } do
        assert.matches(word .. ": wants a whole number", message("invalid_argument", Post[word], Post, value))
      end
      refused("invalid_argument", Post[word], Post)
      assert.same({}, Post[word](Post, math.maxinteger):all())
    end
  end)

  it("joins what is not there", function()
    local e = refused("no_such_table", Post.join, Post, "userz", "users.id", "posts.author_id")
    assert.equal('did you mean "users"?', e.hint)
    refused("invalid_argument", Post.join, Post, "users", "users.id")
    refused("invalid_argument", Post.join, Post, "users", "users.id", nil)
    refused("invalid_argument", Post.join, Post, {}, "users.id", "posts.author_id")
    assert.matches("no operator", message("invalid_argument", function()
      Post:join("users", "users.id", "is the", "posts.author_id"):all()
    end))
    assert.equal("join the table first", refused("no_such_table", function() Post:where("users.id", 1):all() end).hint)
    assert.matches("both", message("invalid_argument", function()
      Post:join("users as a", "a.id", "posts.author_id"):join("users as b", "b.id", "posts.author_id")
        :where("name", "x"):all()
    end))
  end)

  it("says functions that are none", function()
    refused("invalid_argument", Post.when, Post, true, nil)
    refused("invalid_argument", Post.when, Post, false, function() end, "no function")
    refused("invalid_argument", Post.when, Post, true, function() return "no query" end)
    refused("invalid_argument", Post.tap, Post, nil)
    refused("invalid_argument", Post.union, Post, { 1, 2, 3 })
    refused("invalid_argument", Post.without_global_scope, Post, "live")
    local plain = world.rille.db():table("posts")
    refused("invalid_argument", plain.without_global_scope, plain, "live")
    for _, word in ipairs { "where_raw", "having_raw", "order_by_raw", "select_raw" } do
      for _, sql in ipairs { "", 1, true, {} } do refused("invalid_argument", Post[word], Post, sql) end
      refused("invalid_argument", Post[word], Post, nil)
    end
  end)

  it("unites what does not fit", function()
    refused(world.engine == "sqlite" and "invalid_argument" or "syntax",
      function() return Post:select("id"):union(Post:select("id", "title")):all() end)
  end)

  it("is said by a method that there is not", function()
    local e = refused("invalid_argument", function() return Post:where("id", 1):ordr_by("id") end)
    assert.equal('a query has no method "ordr_by"', e.message)
    assert.equal('did you mean "order_by"?', e.hint)
    assert.equal('did you mean "where_in"?', refused("invalid_argument",
      function() return Post:where_inn("id", {}) end).hint)
  end)
end)
