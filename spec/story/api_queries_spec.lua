--- story/api_queries_spec: the page of the public interface on queries, sentence by sentence.
local world = require "spec.support.world"
local rille, null = world.rille, world.null
local refused, statements, of_each = world.refused, world.statements, world.of_each

describe("Queries", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog { scopes = { seen = function(q) return q:where("views", ">", 0) end } }
    User:insert { { name = "ann", age = 30 }, { name = "bob", age = 20 }, { name = "Ada" } }
    Post:insert {
      { title = "Alpha", author_id = 1, views = 10, at = "2026-01-31T10:00:00Z",
        meta = { lang = "de", tags = { "a", "b" } } },
      { title = "beta", author_id = 1, views = 20, status = "published", at = "2026-02-01T10:00:00Z",
        meta = { lang = "en" } },
      { title = "gamma", author_id = 2, views = 30, status = "published", price = "9.90" },
      { title = "100%", views = 0, price = "1.00" },
    }
  end)

  local function ids(query) return query:order_by("posts.id"):pluck "id" end

  it("where(col, value), where(col, op, value), where{ col = v, … }, where(function(q) return … end)", function()
    assert.same({ 1 }, ids(Post:where("title", "Alpha")))
    assert.same({ 2, 3 }, ids(Post:where("views", ">", 10)))
    assert.same({ 2 }, ids(Post:where { author_id = 1, status = "published" }))
    assert.same({ 1, 3 }, ids(Post:where(function(q) return q:where("views", 10):or_where("views", 30) end)))
  end)

  it("operators = != <> < <= > >= like not_like ilike in not_in between is is_not", function()
    for operator, case in pairs { ["="] = { 10, { 1 } }, ["!="] = { 10, { 2, 3, 4 } }, ["<>"] = { 10, { 2, 3, 4 } },
      ["<"] = { 10, { 4 } }, ["<="] = { 10, { 1, 4 } }, [">"] = { 20, { 3 } }, [">="] = { 20, { 2, 3 } },
      ["in"] = { { 0, 30 }, { 3, 4 } }, not_in = { { 0, 30 }, { 1, 2 } }, between = { { 10, 20 }, { 1, 2 } },
      is = { 10, { 1 } }, is_not = { 10, { 2, 3, 4 } } } do
      assert.same(case[2], ids(Post:where("views", operator, case[1])), operator)
    end
    assert.same({ 1 }, ids(Post:where("title", "like", "Al%")))
    assert.same({ 2, 3, 4 }, ids(Post:where("title", "not_like", "Al%")))
    assert.same({ 1 }, ids(Post:where("title", "ilike", "al%")))
    assert.same({ 4 }, ids(Post:where("author_id", "is", null)))
    assert.same({ 1, 2, 3 }, ids(Post:where("author_id", "is_not", null)))
  end)

  it("each has its or_ twin: or_where, where_not, …", function()
    assert.same({ 1, 3 }, ids(Post:where("id", 1):or_where("id", 3)))
    assert.same({ 2, 3, 4 }, ids(Post:where_not("id", 1)))
    assert.same({ 1, 2, 3 }, ids(Post:where("id", 1):or_where_not("id", 4)))
    assert.same({ 1, 3, 4 }, ids(Post:where("id", 1):or_where_in("views", { 0, 30 })))
    assert.same({ 1, 2 }, ids(Post:where("id", 1):or_where_not_in("views", { 10, 0, 30 })))
    assert.same({ 1, 4 }, ids(Post:where("id", 1):or_where_null "author_id"))
    assert.same({ 1, 2, 3 }, ids(Post:where("id", 1):or_where_not_null "author_id"))
    assert.same({ 1, 4 }, ids(Post:where("id", 1):or_where_between("views", -1, 5)))
    assert.same({ 1, 2, 3 }, ids(Post:where("id", 1):or_where_not_between("views", -1, 5)))
    assert.same({ 1, 2 }, ids(Post:where("id", 1):or_where_like("title", "b%")))
    assert.same({ 1, 4 }, ids(Post:where("id", 1):or_where_raw("views = ?", 0)))
    assert.same({ 1, 2 }, ids(Post:where("id", 1):or_where_date("at", "2026-02-01")))
    assert.same({ 1, 2 }, ids(Post:where("id", 1):or_where_json("meta.lang", "en")))
    assert.same({ 1, 4 }, ids(Post:where("id", 1):or_filter "views = 0"))
  end)

  it("where_in/where_not_in(col, list | query); where_in(col, {}) matches nothing.", function()
    assert.same({ 1, 3 }, ids(Post:where_in("id", { 1, 3 })))
    assert.same({ 2, 4 }, ids(Post:where_not_in("id", { 1, 3 })))
    assert.same({ 1, 2 }, ids(Post:where_in("author_id", User:where("age", ">", 25):select "id")))
    assert.same({ 3 }, ids(Post:where_not_in("author_id", User:where("age", ">", 25):select "id")))
    assert.same({}, ids(Post:where_in("id", {})))
    assert.same({ 1, 2, 3, 4 }, ids(Post:where_not_in("id", {})))
  end)

  it("where_null, where_between, where_like, where_column, where_date/year/month/day", function()
    assert.same({ 4 }, ids(Post:where_null "author_id"))
    assert.same({ 1, 2, 3 }, ids(Post:where_not_null "author_id"))
    assert.same({ 1, 2 }, ids(Post:where_between("views", 10, 20)))
    assert.same({ 3, 4 }, ids(Post:where_not_between("views", 10, 20)))
    assert.same({ 4 }, ids(Post:where_like("title", "%\\%")))
    assert.same({ 1, 2, 3 }, ids(Post:where_column("views", ">", "author_id")))
    assert.same({ 1 }, ids(Post:where_date("at", "2026-01-31")))
    assert.same({ 1, 2 }, ids(Post:where_year("at", 2026)))
    assert.same({ 2 }, ids(Post:where_month("at", 2)))
    assert.same({ 1 }, ids(Post:where_day("at", 31)))
  end)

  it('where_json("meta.lang", op, v), where_json_contains, where_exists(query), where_raw(sql, …)', function()
    assert.same({ 1 }, ids(Post:where_json("meta.lang", "=", "de")))
    assert.same({ 2 }, ids(Post:where_json("meta.lang", "!=", "de")))
    assert.same({ 1 }, ids(Post:where_json_contains("meta.tags", "b")))
    assert.same({ 3 }, ids(Post:where_exists(User:where_column("users.id", "posts.author_id"):where("age", 20))))
    assert.same({ 1, 4 }, ids(Post:where_raw("views < ?", 15)))
  end)

  it("filter(text, params) takes a predicate as text, parsed into the same tree.", function()
    assert.same({ 2 }, ids(Post:filter("views > :min and title like 'b%'", { min = 10 })))
    assert.equal((Post:where(function(q) return q:where("views", ">", 10):where("title", "like", "b%") end):to_sql()),
      (Post:filter("views > 10 and title like 'b%'"):to_sql()))
    for text, want in pairs {
      ["views = 10 or views = 30"] = { 1, 3 }, ["views != 10 and views <> 0"] = { 2, 3 },
        ["not (views < 20)"] = { 2, 3 },
      ["views in (0, 10)"] = { 1, 4 }, ["views between 10 and 20"] = { 1, 2 }, ["author_id is null"] = { 4 },
      ["author_id is not null and price is null"] = { 1, 2 }, ["live = true and views >= 30"] = { 3 },
        ["price = 9.9"] = { 3 },
      ["title = '100%'"] = { 4 }, ["views <= author_id"] = {},
    } do
      assert.same(want, ids(Post:filter(text)), text)
    end
    assert.same({ 1, 4 }, ids(Post:filter("views in :list", { list = { 0, 10 } })))
  end)

  it("select, add_select, select_raw, distinct", function()
    assert.same({ title = "Alpha" }, Post:select("title"):plain():first())
    assert.same({ id = 1, title = "Alpha" }, Post:select("title"):add_select("id"):plain():first())
    assert.equal(60, Post:select_raw("sum(views) as total"):first().total)
    assert.same({ "draft", "published" }, Post:select("status"):distinct():order_by("status"):pluck "status")
  end)

  it("join/left_join(table, a, op, b), group_by, having, having_raw", function()
    assert.same({ "ann", "ann", "bob" }, of_each(Post:join("users", "users.id", "=",
      "posts.author_id"):order_by("posts.id")
      :select("users.name as who"):all(), "who"))
    assert.equal(4, Post:left_join("users", "users.id", "=", "posts.author_id"):count())
    local groups = Post:select("author_id"):select_raw("count(*) as n"):group_by("author_id"):order_by "author_id"
    assert.same({ { n = 1 }, { author_id = 1, n = 2 }, { author_id = 2, n = 1 } }, groups:plain():all())
    assert.same({ { author_id = 1, n = 2 } }, groups:having("n", ">", 1):plain():all())
    assert.same({ { author_id = 1, n = 2 } }, groups:having_raw("count(*) > ?", 1):plain():all())
  end)

  it("order_by, order_by_desc, order_by_raw, latest, oldest, in_random_order; NULLs sort as the smallest value",
    function()
    assert.same({ 4, 1, 2, 3 }, Post:order_by("views"):pluck "id")
    assert.same({ 3, 2, 1, 4 }, Post:order_by("views", "desc"):pluck "id")
    assert.same({ 3, 2, 1, 4 }, Post:order_by_desc("views"):pluck "id")
    assert.same({ 1, 3, 2, 4 }, Post:order_by_raw("length(title) % ?, id", 5):pluck "id")
    assert.same({ 2, 1, 3, 4 }, Post:latest("at"):order_by("id"):pluck "id")
    assert.same({ 3, 4, 1, 2 }, Post:oldest("at"):order_by("id"):pluck "id")
    assert.same({ 4, 1, 2, 3 }, Post:order_by("author_id"):order_by("id"):pluck "id")
    assert.equal(4, #Post:in_random_order():all())
  end)

  it("limit, offset, union, when, tap", function()
    assert.same({ 2, 3 }, Post:order_by("id"):limit(2):offset(1):pluck "id")
    assert.same({ 1, 3 }, Post:where("id", 1):union(Post:where("id", 3)):order_by("id"):pluck "id")
    assert.same({ 1 }, Post:when(10, function(q, n) return q:where("views", n) end):pluck "id")
    assert.equal(4, Post:when(nil, function(q, n) return q:where("views", n) end):count())
    local sql
    assert.equal(1, Post:where("id", 1):tap(function(q) sql = q:to_sql() end):count())
    assert.matches('"id" = %?$', world.marked(sql))
  end)

  it("all() (alias get), first(), first_or_fail(), sole(), find(id), value(col), pluck(col [, key]), count([col])",
    function()
    assert.same({ 4, 4 }, { #Post:all(), #Post:get() })
    assert.equal("Alpha", Post:order_by("id"):first().title)
    refused("not_found", function() Post:where("id", 9):first_or_fail() end)
    assert.equal("beta", Post:where("views", 20):sole().title)
    refused("not_unique", Post.sole, Post)
    assert.equal("beta", Post:seen():find(2).title)
    assert.equal("gamma", Post:where("id", 3):value "title")
    assert.same({ Alpha = 1, beta = 2, gamma = 3, ["100%"] = 4 }, Post:pluck("id", "title"))
    assert.same({ 4, 2 }, { Post:count(), Post:count "price" })
  end)

  it("sum avg min max: sum of nothing is 0, avg/min/max nil; exists(), doesnt_exist()", function()
    assert.same({ 60, 15.0, 0, 30 }, { Post:sum "views", Post:avg "views", Post:min "views", Post:max "views" })
    local none = Post:where("id", 9)
    assert.same({ 0, nil, nil, nil }, { none:sum "views", none:avg "views", none:min "views", none:max "views" })
    assert.same({ true, false, false, true },
      { Post:exists(), Post:doesnt_exist(), none:exists(), none:doesnt_exist() })
  end)

  it("paginate(page, per_page) → { data, total, per_page, current_page, last_page, from, to, has_more }", function()
    local page = Post:order_by("id"):paginate(2, 3)
    assert.same({ { 4 }, 4, 3, 2, 2, 4, 4, false }, { page.data:ids(), page.total, page.per_page, page.current_page,
      page.last_page, page.from, page.to, page.has_more })
    assert.equal(1, Post:where("id", 9):paginate(1, 3).last_page)
    refused("invalid_argument", Post.paginate, Post, 0)
    assert.is_true(Post:simple_paginate(1, 3).has_more)
  end)

  it("cursor_paginate{ per_page =, cursor = } → { data, next_cursor, prev_cursor }; a cursor fits only its query",
    function()
    local query = Post:order_by_desc "author_id"
    local first = query:cursor_paginate { per_page = 3 }
    local second = query:cursor_paginate { per_page = 3, cursor = first.next_cursor }
    assert.same({ { 3, 2, 1 }, { 4 }, nil }, { first.data:ids(), second.data:ids(), second.next_cursor })
    assert.same({ 3, 2, 1 }, query:cursor_paginate({ per_page = 3, cursor = second.prev_cursor }).data:ids())
    refused("invalid_argument", Post.cursor_paginate, Post, { cursor = first.next_cursor })
  end)

  it("chunk(n, fn), chunk_by_id(n, fn) (fn returning false stops), each(fn)", function()
    local sizes, seen = {}, {}
    Post:chunk(3, function(posts) sizes[#sizes + 1] = #posts end)
    assert.same({ 3, 1 }, sizes)
    Post:chunk_by_id(1, function(posts)
      seen[#seen + 1] = posts[1].id
      return posts[1].id < 2
    end)
    Post:each(function(post) seen[#seen + 1] = post.id end)
    assert.same({ 1, 2, 1, 2, 3, 4 }, seen)
  end)

  it("chunk, each, cursor_paginate walk by key, so each row is seen once even if it changes meanwhile.", function()
    local seen = {}
    Post:order_by("views"):chunk(1, function(posts)
      seen[#seen + 1] = posts[1].id
      posts[1]:update { views = 1000 - posts[1].views }
    end)
    assert.same({ 4, 1, 2, 3 }, seen)
  end)

  it("for post in q:cursor() do (constant memory)", function()
    local titles = {}
    for post in Post:order_by("id"):cursor() do
      titles[#titles + 1] = post.title
      if post.id == 2 then break end
    end
    assert.same({ "Alpha", "beta" }, titles)
  end)

  it("update{…} → rows changed, increment(col [, n [, extra]]), delete(): the number of rows", function()
    assert.equal(2, Post:where("author_id", 1):update { body = "x" })
    assert.equal(2, Post:where("author_id", 1):increment("views", 5, { body = "y" }))
    assert.same({ { 15, "y" }, { 25, "y" } }, { { Post:find(1).views, Post:find(1).body },
      { Post:find(2).views, Post:find(2).body } })
    assert.equal(3, Post:where_not_null("author_id"):delete())
    assert.equal(2, Post:insert { { title = "a" }, { title = "b" } })
    assert.equal(1, Post:upsert({ id = 4, title = "c" }, "id"))
  end)

  it("Query updates touch updated_at.", function()
    db:execute "update posts set updated_at = '1970-01-01T00:00:00.000000Z'"
    Post:where("id", 1):update { views = 1 }
    Post:where("id", 2):increment "views"
    assert.same({ true, true, false }, { Post:find(1).updated_at > "2020", Post:find(2).updated_at > "2020",
      Post:find(3).updated_at > "2020" })
  end)

  it("to_sql() → sql, params; explain()", function()
    local sql, params = Post:select("id"):where("views", ">", 5):limit(3):to_sql()
    assert.same({ 'select "id" from "posts" where "views" > ? limit ?', { 5, 3 } }, { world.marked(sql), params })
    assert.matches(world.engine == "sqlite" and "SEARCH posts" or "Scan.* posts",
      tostring(Post:where("id", 1):explain()))
  end)

  it("A list result is a plain array with methods.", function()
    local posts = Post:order_by("id"):all()
    assert.same({ "ALPHA", "BETA", "GAMMA", "100%" }, posts:map(function(p) return p.title:upper() end))
    assert.same({ 2, 3 }, posts:filter("status", "published"):ids())
    assert.same({ 10, 20, 30, 0 }, posts:pluck "views")
    assert.equal(3, posts:key_by("title").gamma.id)
    assert.same({ 2, 3 }, posts:group_by("status").published:ids())
    assert.equal("Alpha", posts:to_table()[1].title)
    assert.matches('^%[{.*"title":"Alpha"', posts:to_json())
    assert.same({ 1, 4 }, { posts:first().id, posts:last().id })
  end)

  it("Several conditions read as SQL does: where(a):or_where(b):where(c) is a or b and c; group with a function.",
    function()
    assert.same({ 1, 2 }, ids(Post:where("id", 1):or_where("author_id", 1):where("status", "published")))
    assert.same({ 2 }, ids(Post:where(function(q) return q:where("id", 1):or_where("author_id",
      1) end):where("status", "published")))
  end)

  it("where(col, rille.null) is IS NULL (!=: IS NOT NULL); a list needs where_in.", function()
    assert.same({ 4 }, ids(Post:where("author_id", rille.null)))
    assert.same({ 1, 2, 3 }, ids(Post:where("author_id", "!=", rille.null)))
    assert.equal("where_in takes a list", refused("invalid_argument", Post.where, Post, "id", { 1, 2 }).hint)
  end)

  it("Values in conditions go through the column's cast.", function()
    assert.same({ 3 }, ids(Post:where("price", 9.9)))
    assert.same({ 1 }, ids(Post:where("at", "2026-01-31 11:00:00+01:00")))
    assert.same({ 2 }, ids(Post:where("meta", { lang = "en" })))
  end)

  it("unfiltered() lifts the guard only, no scope; a scope alone is no condition.", function()
    User:global_scope("adult", function(q) return q:where("age", ">", 18) end)
    refused("unsafe_mutation", User.update, User, { name = "x" })
    assert.equal(2, User:unfiltered():update { name = "x" })
    assert.equal("Ada", db:table("users"):where("id", 3):value "name")
  end)

  it("In insert each row stands for itself: a missing key takes the column's default; insert_or_ignore skips unique "
    .. "conflicts only.", function()
    Post:insert { { title = "a", views = 7 }, { title = "b" } }
    assert.same({ 7, 0 }, Post:where("id", ">", 4):order_by("id"):pluck "views")
    User:insert { name = "x", email = "e@x" }
    assert.equal(1, User:insert_or_ignore { { name = "y", email = "e@x" }, { name = "z", email = "z@x" } })
    refused("not_null_violation", User.insert_or_ignore, User, { email = "n@x" })
  end)

  it('rille.on("query") hears { sql, params, ms, rows, connection }, until its function is called.', function()
    local heard = {}
    local stop = rille.on("query", function(info) heard[#heard + 1] = info end)
    Post:where("views", ">", 5):all()
    stop()
    Post:count()
    assert.equal(1, #heard)
    assert.same({ 3, db.name, 5, "number" }, { heard[1].rows, heard[1].connection, heard[1].params[1],
      type(heard[1].ms) })
    assert.equal(1, #statements(Post.count, Post))
  end)
end)
