--- query_ends_spec: what runs a query and what it gives.
local world = require "spec.support.world"
local null, rille = world.null, world.rille
local of_each, refused, statements = world.of_each, world.refused, world.statements

describe("the end of a query", function()
  local Post, User, db

  before_each(function()
    Post, User, db = world.blog({ timestamps = false },
      { relations = { posts = rille.has_many("Post", { foreign_key = "author_id" }) } })
    User:insert { { name = "ann", age = 30 }, { name = "bob", age = 20 }, { name = "cid" } }
    Post:insert {
      { title = "a", author_id = 1, views = 3, price = "1.10", live = false, at = "2026-01-01", score = 1.5 },
      { title = "b", author_id = 1, views = 1, meta = { n = 1 }, score = 2 },
      { title = "c", author_id = 2, views = 2, price = "2.20", at = "2025-01-01" },
    }
  end)

  it("gives all rows, as a list", function()
    local rows = Post:order_by("id"):all()
    assert.same({ 1, 2, 3 }, of_each(rows))
    assert.same({ 1, 2, 3 }, rows:ids())
    assert.same({ "a", "b", "c" }, rows:pluck("title"))
    assert.equal("c", rows:last().title)
    assert.equal("Post", rille.type(rows[1]))
    assert.same({ 1, 2, 3 }, of_each(Post:order_by("id"):get()))
    assert.same({}, Post:where("id", 0):all())
    assert.equal("[]", Post:where("id", 0):all():to_json())
    assert.equal(1, #statements(function() Post:all() end))
  end)

  it("gives as many rows as there are, few or many, of models and of tables", function()
    local users = {}
    for i = 4, 200 do users[i - 3] = { name = "user " .. i } end
    User:insert(users)
    for _, count in ipairs { 1, 2, 31, 32, 33, 63, 64, 65, 150, 200 } do
      for _, query in ipairs { User:order_by "id", db:table "users":order_by "id", User:with("posts"):order_by "id" } do
        local rows = query:limit(count):all()
        assert.equal(count, #rows)
        for i = 1, count do assert.equal(i, rows[i].id) end
        assert.is_nil(rows[count + 1])
      end
    end
  end)

  it("gives the first row, or none", function()
    assert.equal("b", Post:order_by("views"):first().title)
    assert.is_nil(Post:where("id", 0):first())
    assert.is_nil(Post:limit(0):first())
    assert.equal(2, Post:order_by("id"):offset(1):first().id)
    assert.matches("limit %?$", statements(function() Post:first() end)[1])
    assert.equal("a", Post:order_by("id"):first_or_fail().title)
    local e = refused("not_found", function() Post:where("id", 0):first_or_fail() end)
    assert.equal("Post", e.model)
    assert.equal("no Post fits the query", e.message)
    assert.equal("no posts fits the query", refused("not_found", function()
      db:table("posts"):where("id", 0):first_or_fail()
    end).message)
  end)

  it("reads no argument where it takes none, and says what was meant", function()
    assert.matches("limit", refused("invalid_argument", Post.first, Post, 3).hint)
    assert.matches("select", refused("invalid_argument", Post.all, Post, "title").hint)
  end)

  it("sums and averages numbers only", function()
    for _, word in ipairs { "sum", "avg" } do
      for _, column in ipairs { "title", "created_at", "meta" } do
        local e = refused("invalid_argument", Post[word], Post, column)
        assert.matches(word .. " of posts%." .. column, e.message)
      end
    end
  end)

  it("gives the one row there is", function()
    assert.equal("c", Post:where("views", 2):sole().title)
    assert.equal("Post", refused("not_found", function() Post:where("views", 9):sole() end).model)
    assert.equal("more than one Post fits the query", refused("not_unique", function() Post:query():sole() end).message)
  end)

  it("gives one value", function()
    assert.equal("b", Post:order_by("views"):value("title"))
    assert.is_nil(Post:where("id", 0):value("title"))
    assert.is_nil(Post:where("id", 2):value("at"))
    assert.equal("1.10", Post:where("id", 1):value("price"))
    assert.is_false(Post:where("id", 1):value("live"))
    assert.same({ n = 1 }, Post:where("id", 2):value("meta"))
    assert.equal(2, Post:where("id", 2):value("posts.meta").n + 1)
    assert.equal(3, Post:select_raw("count(*) as n"):value("n"))
    assert.is_nil(Post:limit(0):value("title"))
    assert.equal("a", Post:order_by("id"):limit(5):value("title"))
    assert.equal("a", Post:order_by("id"):limit(0):unlimited():value("title"))
    assert.matches("limit %?$", statements(function() Post:value("title") end)[1])
  end)

  it("gives a column", function()
    assert.same({ "a", "b", "c" }, Post:order_by("id"):pluck("title"))
    assert.same({ "1.10", null, "2.20" }, Post:order_by("id"):pluck("price"))
    assert.same({ "2026-01-01T00:00:00.000000Z", null, "2025-01-01T00:00:00.000000Z" }, Post:order_by("id"):pluck("at"))
    assert.same({ false, true, true }, Post:order_by("id"):pluck("live"))
    assert.equal(1, Post:where("id", 2):pluck("meta")[1].n)
    assert.same({ 'select "title" from "posts"' }, statements(function() Post:pluck("title") end))
    assert.same({}, Post:where("id", 0):pluck("title"))
    assert.same({ 6, 2, 4 }, Post:order_by("id"):select_raw("views * 2 as double"):pluck("double"))
    assert.same({ "A", "B", "C" }, Post:order_by("id"):select_raw("upper(title) as title"):pluck("title"))
    assert.same({ 3, 1, 2 }, Post:order_by("id"):select("id", "title"):pluck("views"))
    assert.same({ "ann", "ann", "bob" },
      Post:order_by("posts.id"):join("users", "users.id", "posts.author_id"):pluck("users.name"))
    assert.same({ 1, 2, 3 }, Post:where("id", 1):union(Post:where("id", ">", 1)):order_by("id"):pluck("id"))
  end)

  it("gives a column by another one", function()
    assert.same({ a = 3, b = 1, c = 2 }, Post:pluck("views", "title"))
    assert.same({ "a", "b", "c" }, Post:pluck("title", "id"))
    assert.same({ a = "a", b = "b", c = "c" }, Post:pluck("title", "title"))
    assert.same({ a = "1.10", b = null, c = "2.20" }, Post:pluck("price", "title"))
    assert.same({ a = 6, b = 2, c = 4 },
      Post:select_raw("title, views * 2 as double"):add_select("id"):pluck("double", "title"))
    assert.matches("NULL in row 2", refused("invalid_argument", function()
      Post:order_by("id"):pluck("title", "price")
    end).message)
    refused("invalid_argument", Post.pluck, Post, "title", nil)
    refused("invalid_argument", Post.pluck, Post)
    refused("invalid_argument", Post.value, Post, {})
  end)

  it("counts", function()
    assert.equal(3, Post:count())
    assert.equal(2, Post:count("price"))
    assert.equal(0, Post:where("id", 0):count())
    assert.same({ 'select count(*) from "posts" where "views" > ?' }, statements(function()
      Post:where("views", ">", 1):count()
    end))
    assert.equal(2, Post:limit(2):count())
    assert.equal(1, Post:offset(2):count())
    assert.equal(3, Post:order_by("views"):count())
    assert.equal("integer", math.type(Post:count()))
  end)

  it("sums, averages, finds the least and the greatest", function()
    local none = Post:where("id", 0)
    assert.equal(6, Post:sum("views"))
    assert.equal("integer", math.type(Post:sum("views")))
    assert.equal(3.5, Post:sum("score"))
    assert.equal(0, none:sum("views"))
    assert.equal(2.0, Post:avg("views"))
    assert.is_nil(none:avg("views"))
    assert.equal(1, Post:min("views"))
    assert.equal(3, Post:max("views"))
    assert.equal("a", Post:min("title"))
    assert.equal("2026-01-01T00:00:00.000000Z", Post:max("at"))
    assert.equal("1.10", Post:min("price"))
    assert.is_nil(none:min("views"))
    assert.is_nil(none:max("views"))
    assert.equal(4, Post:where("id", "<", 3):sum("posts.views"))
    assert.equal(3, Post:order_by("views"):limit(2):sum("views"))
    for _, word in ipairs { "sum", "avg", "min", "max" } do
      refused("invalid_argument", Post[word], Post)
      assert.equal('did you mean "views"?', refused("no_such_column", Post[word], Post, "veiws").hint)
    end
  end)

  it("says whether there is a row", function()
    assert.is_true(Post:exists())
    assert.is_false(Post:doesnt_exist())
    assert.is_false(Post:where("id", 0):exists())
    assert.is_true(Post:where("id", 0):doesnt_exist())
    assert.is_false(Post:limit(0):exists())
    assert.is_false(Post:offset(3):exists())
    local one = world.engine == "sqlite" and "1" or "true"
    assert.same({ ('select %s from "posts" where "views" > ? limit ?'):format(one) }, statements(function()
      Post:where("views", ">", 1):exists()
    end))
  end)

  it("finds by key", function()
    assert.equal("b", Post:find(2).title)
    assert.is_nil(Post:find(9))
    assert.equal("b", Post:where("views", 1):find(2).title)
    assert.is_nil(Post:where("views", 2):find(2))
    local either = Post:where("views", 1):or_where("views", 2)
    assert.equal("c", either:find(3).title)
    assert.is_nil(either:find(1))
    assert.same({ 2 }, either:find({ 1, 2 }):ids())
    assert.same({ "a", "c" }, Post:order_by("id"):find({ 1, 3, 9 }):pluck("title"))
    assert.same({ "a", "c" }, Post:find({ 3, 1, 3 }):pluck("title"))
    assert.same({}, Post:find {})
    assert.equal("c", db:table("posts"):find(3).title)
    assert.equal("a", Post:find_or_fail(1).title)
    assert.equal(2, #Post:find_or_fail { 1, 2 })
    local e = refused("not_found", Post.find_or_fail, Post, 9)
    assert.equal("there is no Post with the key 9", e.message)
    assert.equal("Post", e.model)
    refused("not_found", Post.find_or_fail, Post, { 1, 9 })
    assert.equal(1, #statements(function() Post:find { 1, 2, 3 } end))
  end)

  it("does not find by what is no key", function()
    assert.equal("Post:find: wants a key, got nil", refused("invalid_argument", Post.find, Post, nil).message)
    refused("invalid_argument", Post.find, Post)
    refused("invalid_argument", function() Post:where("id", 1):find() end)
    refused("invalid_argument", Post.find, Post, null)
    assert.equal("Post:find: wants 1 value (id), got 2", refused("invalid_argument", Post.find, Post, 1, 2).message)
    refused("invalid_argument", Post.find, Post, 1, nil)
    refused("invalid_argument", Post.find, Post, { 1, nil, 3 })
    refused("invalid_argument", Post.find, Post, { id = 1 })
    refused("invalid_argument", Post.find, Post, { { 1 } })
    refused("invalid_argument", Post.find_or_fail, Post, nil)
    for _, key in ipairs { "1", 1.5, true, "x", 0 / 0, 2 ^ 63 } do
      assert.matches("wants an integer", (refused("invalid_argument", Post.find, Post, key).message
        :gsub("cannot hold NaN", "wants an integer")))
    end
    assert.equal(2, Post:find(2.0).id)
  end)

  it("of a table without a model knows its columns anew when they change", function()
    assert.equal(3, db:table("users"):count())
    world.rille.schema():table("users", function(t) t:integer("height"):nullable() end)
    assert.equal(1, db:table("users"):where("id", 1):update { height = 180 })
    assert.equal(180, db:table("users"):where("height", 180):value("height"))
  end)

  it("explains in words that are the same for each database", function()
    db:execute "create index posts_views on posts (views)"
    local rows = {}
    for i = 1, 5000 do rows[i] = { title = "t" .. i, views = i, score = i } end
    Post:insert(rows)
    db:execute "analyze"
    local function find(query, kind)
      local plan = query:explain()
      for _, step in ipairs(plan.steps) do
        if step.kind == kind then return step, plan end
      end
      error("no " .. kind .. ": " .. tostring(plan))
    end
    local step, plan = find(Post:where("views", 3), "index")
    assert.same({ "posts_views", "posts" }, { step.index, step.table })
    assert.same({}, plan.notes)
    step, plan = find(Post:where("score", 3):where("title", "t3"), "scan")
    assert.same({ "posts" }, { step.table, step.index })
    assert.matches("every row of posts is read", plan.notes[1])
    step, plan = find(Post:where("score", ">", 3):order_by("title"), "sort")
    assert.same({ "sort", 1 }, { step.kind, step.depth })
    assert.matches("sorted", tostring(plan))
    find(Post:select("title"):distinct(), "group")
  end)

  it("explains how it would run", function()
    db:execute [[create index posts_views on posts (views)]]
    local plan = Post:where("views", 3):explain()
    assert.same({ "SEARCH posts USING INDEX posts_views (views=?)" }, of_each(plan.steps, "detail"))
    assert.same({}, plan.notes)
    assert.same({ 3 }, plan.params)
    assert.matches('^select .* where "views" = %?\n  %- SEARCH posts', tostring(plan))
    local slow = Post:where("score", 1):order_by("title"):explain()
    assert.equal(2, #slow.notes)
    assert.matches("every row of posts is read", slow.notes[1])
    assert.matches("sorted for order by", slow.notes[2])
    local before = world.picture()
    Post:where("id", 1):explain()
    assert.equal(before, world.picture())
  end)
end)

describe("a cursor of a query", function()
  local Post, _, db

  before_each(function()
    Post, _, db = world.blog { timestamps = false }
    local rows = {}
    for i = 1, 500 do rows[i] = { title = "t" .. i, views = i % 10 } end
    Post:insert(rows)
  end)

  it("gives records one by one", function()
    local ids = {}
    for post in Post:where("views", 3):order_by("id"):cursor() do
      assert.equal("Post", rille.type(post))
      ids[#ids + 1] = post.id
    end
    assert.same(Post:where("views", 3):order_by("id"):pluck("id"), ids)
    local next_row = db:table("posts"):select("id"):cursor()
    assert.same({ id = 1 }, next_row())
    for _ in Post:where("id", 0):cursor() do error "there is no row" end
  end)

  it("is closed when the loop is left, so that the table can be dropped", function()
    for post in Post:cursor() do
      if post.id == 3 then break end
    end
    local ok = pcall(function()
      for _ in Post:cursor() do error "stop" end
    end)
    assert.is_false(ok)
    db:execute "drop table posts"
  end)

  it("is closed by return and goto, too, where a function uses the record", function()
    local function first_title()
      for post in Post:order_by("id"):cursor() do
        rille.transaction(function() post:update { title = "first" } end)
        if post:exists() then return post.title end
      end
    end
    assert.equal("first", first_title())
    for post in Post:order_by("id"):cursor() do
      rille.transaction(function() post:update { views = 1 } end)
      if post.id == 3 then goto behind end
    end
    ::behind::
    db:execute "drop table posts"
  end)

  it("keeps the memory flat", function()
    local function peak(query)
      collectgarbage() collectgarbage()
      local most = 0
      for _ in query:cursor() do most = math.max(most, collectgarbage "count") end
      return most
    end
    peak(Post:limit(10))
    local few, many = peak(Post:limit(50)), peak(Post:query())
    assert.is_true(many < few + 300, ("%.0f KiB for 500 rows, %.0f KiB for 50"):format(many, few))
  end)

  it("may write while it reads", function()
    local seen = 0
    for post in Post:order_by("id"):cursor() do
      seen = seen + 1
      if seen <= 3 then post:update { views = 100 + seen } end
    end
    assert.equal(500, seen)
    assert.same({ 101, 102, 103 }, Post:where("views", ">", 100):order_by("id"):pluck("views"))
  end)

  it("is over after its last row, after it was closed and after its database was", function()
    local next_row, state, control = Post:where("id", "<=", 2):order_by("id"):cursor()
    assert.equal(1, next_row(state, control).id)
    assert.equal(2, next_row(state, control).id)
    assert.is_nil(next_row(state, control))
    refused("invalid_argument", next_row, state, control)

    local closing
    next_row, state, control, closing = Post:cursor()
    next_row(state, control)
    do local scope <close> = closing end     -- luacheck: ignore 211
    assert.equal("the cursor is closed", refused("invalid_argument", next_row, state, control).message)

    next_row, state, control = Post:cursor()
    assert.equal(1, next_row(state, control).id)
    rille.close()
    assert.is_true(rille.is_error(select(2, pcall(next_row, state, control))))
  end)

  it("refuses what is wrong before the first row", function()
    assert.equal('did you mean "views"?', refused("no_such_column",
      function() Post:where("veiws", 1):cursor() end).hint)
  end)
end)
