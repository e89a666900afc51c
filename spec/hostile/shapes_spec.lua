--- hostile/shapes_spec: queries too deep, too wide or too long, and raw SQL that is more or less than one statement.
local world = require "spec.support.world"
local rille = world.rille
local refused, untouched = world.refused, world.untouched

describe("a shape out of all proportion", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog {}
    User:insert { name = "ann" }
    Post:insert { { title = "a", views = 1 }, { title = "b", views = 2 } }
  end)

  it("may be nested as deep as the database goes, and then says so", function()
    local function nested(depth)
      local function inside(q, left)
        if left == 0 then return q:where("views", 1) end
        return q:where("views", 2):or_where(function(inner) return inside(inner, left - 1) end)
      end
      return Post:where(function(q) return inside(q, depth - 1) end)
    end
    local function negated(times)
      if times == 0 then return function(q) return q:where("views", 1) end end
      return function(q) return q:where_not(negated(times - 1)) end
    end
    local function subquery(depth)
      if depth == 0 then return Post:select("id"):where("views", 1) end
      return Post:select("id"):where_in("id", subquery(depth - 1))
    end
    assert.same({ 1, 2, 2 }, { nested(1):count(), nested(2):count(), nested(20):count() })
    assert.same({ 1 }, Post:where(negated(20)):pluck "id")
    assert.same({ 2 }, Post:where(negated(21)):pluck "id")
    assert.same({ 1 }, subquery(8):pluck "id")
    for _, depth in ipairs { 40, 99, 101, 102, 150 } do
      for _, made in ipairs { nested(depth), Post:where(negated(depth + 20)), subquery(depth) } do
        untouched("invalid_argument", made.count, made)
      end
    end
    assert.equal(2, nested(20):count())
  end)

  it("may be thousands of conditions wide", function()
    local all, any = Post:query(), Post:query()
    for i = 1, 3000 do
      all = all:where("views", "!=", i + 10)
      any = any:or_where("views", -i)
    end
    local either = Post:where(function(q)
      for i = 1, 3000 do q = q:or_where(function(one) return one:where("views", i):where("title", "a") end) end
      return q
    end)
    assert.equal(2, all:count())
    assert.equal(0, any:count())
    assert.equal(1, either:count())
  end)

  it("may look in lists of any length", function()
    local list = {}
    for i = 1, 300000 do list[i] = i + 100 end
    assert.equal(0, Post:where_in("id", list):count())
    assert.equal(2, Post:where_not_in("id", list):count())
    list[300000] = 1
    assert.equal(1, Post:where_in("id", list):count())
    assert.same({ 1 }, Post:find(list):ids())
    assert.equal(2, Post:where_in("id", list):or_where_in("id", { 2 }):count())
    local query = Post:query()
    for _ = 1, 20 do query = query:where_not_in("id", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }) end
    assert.equal(0, query:count())
  end)

  it("has lists whose length is a lie", function()
    local lie = setmetatable({ 1 }, { __len = function() return math.maxinteger end,
      __index = function() return 1 end })
    local ok, e = pcall(function() return Post:where_in("id", lie):count() end)
    assert.is_true(ok and e == 1 or rille.is_error(e), tostring(e))
    ok, e = pcall(Post.find, Post, lie)
    assert.is_true(ok and #e == 1 or rille.is_error(e), tostring(e))
    ok, e = pcall(Post.insert, Post, setmetatable({ { title = "x" } }, getmetatable(lie)))
    assert.is_true(ok and e == 1 or rille.is_error(e), tostring(e))
    ok, e = pcall(function() return Post:select(setmetatable({ "id" }, getmetatable(lie))):first().id end)
    assert.is_true(ok and e == 1 or rille.is_error(e), tostring(e))
    assert.is_true(Post:count() <= 3)
  end)

  it("joins, unites and selects more than the database can", function()
    local joined, united, columns = Post:query(), Post:select("id"), {}
    for i = 1, 100 do joined = joined:join(("users as u%d"):format(i), ("u%d.id"):format(i), "posts.author_id") end
    for _ = 1, 2000 do united = united:union(Post:select("id")) end
    for i = 1, 5000 do columns[i] = ("title as t%d"):format(i) end
    for _, query in ipairs { joined, united, Post:select(columns) } do
      untouched("invalid_argument", function() return query:all() end)
    end
    local some = Post:select("id")
    for _ = 1, 100 do some = some:union(Post:select("id")) end
    assert.equal(2, #some:all())
    assert.equal(2, Post:query():count())
  end)

  it("matches patterns that take long, or says that it will not", function()
    Post:create { title = "a", body = ("a"):rep(2000) }
    assert.equal(1, Post:where_like("body", ("a%"):rep(15) .. "a"):count())
    for _, pattern in ipairs { ("%"):rep(1000), ("_"):rep(2000), ("%_"):rep(1000) } do
      local ok, e = pcall(function() return Post:where_like("body", pattern):count() end)
      assert.is_true(ok or rille.is_error(e))
      ok, e = pcall(function() return Post:where_ilike("body", pattern):count() end)
      assert.is_true(ok or rille.is_error(e))
    end
    for _, word in ipairs { "where_like", "where_ilike" } do
      untouched("invalid_argument", function() return Post[word](Post, "body", ("x"):rep(60000)):count() end)
    end
  end)

  it("counts by what is no count", function()
    for _, limit in ipairs { -1, 1.5, 0 / 0, math.huge, "1; delete from posts", "0x10", 2 ^ 63, {}, true } do
      for _, word in ipairs { "limit", "offset" } do untouched("invalid_argument", Post[word], Post, limit) end
    end
    assert.same({}, Post:offset(math.maxinteger):all())
    assert.equal(2, #Post:limit(math.maxinteger):all())
    assert.same({}, Post:limit(math.maxinteger):offset(math.maxinteger):all())
  end)

  it("is a long chain, kept by many", function()
    local query, kept = Post:query(), {}
    for i = 1, 20000 do
      query = query:limit(i)
      kept[#kept + 1] = query
    end
    assert.equal(2, #query:all())
    assert.equal(1, #kept[1]:all())
  end)

  it("is a document nested too deep", function()
    local deep = {}
    local inner = deep
    for _ = 1, 50 do
      inner.x = {}
      inner = inner.x
    end
    local post = Post:create { title = "deep", meta = deep }
    assert.same(deep, Post:find(post.id).meta)
    for _, depth in ipairs { 2000, 100000 } do
      db:execute("update posts set meta = ? where id = ?", ("["):rep(depth) .. ("]"):rep(depth), post.id)
      local ok, e = pcall(function() return Post:find(post.id).meta end)
      assert.is_true(not ok and rille.is_error(e), tostring(e))
    end
  end)
end)

describe("raw SQL", function()
  local Post, db
  before_each(function()
    Post = world.blog {}
    db = rille.db()
    Post:insert { { title = "a", views = 1 }, { title = "b", views = 2 } }
  end)

  --- Each place that takes the caller's own SQL.
  local RAW <const> = {
    where_raw = function(sql, ...) return Post:where_raw(sql, ...):all() end,
    or_where_raw = function(sql, ...) return Post:where("id", 1):or_where_raw(sql, ...):all() end,
    select_raw = function(sql, ...) return Post:select_raw(sql, ...):all() end,
    having_raw = function(sql, ...) return Post:select("id"):group_by("id"):having_raw(sql, ...):all() end,
    order_by_raw = function(sql, ...) return Post:order_by_raw(sql, ...):all() end,
    query = function(sql, ...) return db:query("select " .. sql, ...) end,
    execute = function(sql, ...) return db:execute("update posts set views = views where " .. sql, ...) end,
  }

  it("is one statement, whatever stands in it", function()
    for place, call in pairs(RAW) do
      for _, sql in ipairs { "1; drop table posts", "1; select 2", "1); drop table posts; --", "1;;", "1; --", "'",
        '"', "1 'x",
        "/*", "(1", "1)", "[x", "`x", "; drop table posts", ";" } do
        local before = world.picture()
        local ok, e = pcall(call, sql)
        assert.is_true(ok or rille.is_error(e), ("%s with %s: %s"):format(place, sql, tostring(e)))
        assert.equal(before, world.picture(), ("%s with %s"):format(place, sql))
      end
    end
    for _, call in ipairs { db.query, db.execute } do
      for _, sql in ipairs { "select 1; drop table posts", "drop table posts; drop table users",
        "delete from posts; select 1",
        "insert into posts (title) values ('x'); insert into posts (title) values ('y')" } do
        assert.is_true(rille.is_error(untouched("invalid_argument", call, db, sql)))
      end
      untouched("invalid_argument", call, db, "")
      untouched("invalid_argument", call, db, " -- nothing ")
      untouched("invalid_argument", call, db, nil)
      untouched("invalid_argument", call, db, 5)
      untouched("syntax", call, db, "selekt 1")
    end
    assert.equal(1, db:query("select 1 as x; ")[1].x)
    assert.equal(1, db:query("select 1 as x -- tail")[1].x)
  end)

  it("has as many values as it has places for them", function()
    local before = world.picture()
    for place, call in pairs(RAW) do
      for _, bad in ipairs { { "?" }, { "? = ?", 1 }, { "1", 1 }, { "?", 1, 2 }, { "? + ?", nil, 1, 2 }, { ":a" },
        { ":a", {} },
        { ":a", { a = 1, b = 2 } }, { ":a", { b = 1 } }, { ":a + ?", { a = 1 }, 1 }, { "'?'", 1 }, { "-- ?", 1 } } do
        local e = refused("invalid_argument", call, table.unpack(bad, 1, #bad))
        assert.is_truthy(e.message, place)
      end
    end
    assert.equal(before, world.picture())
    assert.same({ 1 }, Post:where_raw("views = -?", -1):pluck "id")
    assert.same({ 1 }, Post:where_raw("views=:a-:b", { a = 3, b = 2 }):pluck "id")
    assert.same({ 2 }, Post:where_raw("title = '?' or views = ? or title = ':a'", 2):pluck "id")
    assert.same({ 1, 2 }, Post:where_raw("1 /* ? */ -- ?\n"):order_by("id"):pluck "id")
    assert.same({ 1 }, Post:where_raw('"views" = ? and "title" <> ?', 1, "?"):pluck "id")
  end)

  it("stays inside of its parentheses", function()
    assert.same({}, Post:where("id", 99):where_raw("1 or 1"):pluck "id")
    assert.same({ 1 }, Post:where_raw("views = 2 or views = 1"):where("title", "a"):pluck "id")
    assert.same({}, Post:where_not_raw("views = 2 or views = 1"):pluck "id")
    Post:where("id", 99):where_raw("1 or 1"):delete()
    assert.equal(2, Post:count())
  end)

  it("does not end, begin or leave a transaction of ours", function()
    rille.transaction(function()
      Post:where("id", 1):update { views = 9 }
      for _, sql in ipairs { "commit", "COMMIT", " rollback", "end", "begin", "/* x */ commit", "savepoint x",
        "release x",
        "rollback to x" } do
        local ok, e = pcall(db.execute, db, sql)
        assert.is_true(not ok and rille.is_error(e), sql .. " was taken")
      end
    end)
    assert.equal(9, Post:find(1).views)
    assert.is_false(pcall(rille.transaction, function()
      Post:where("id", 1):update { views = 10 }
      pcall(db.execute, db, "commit")
      error "no"
    end))
    assert.equal(9, Post:find(1).views)
  end)

  it("cannot reach out of the database", function()
    local before = world.picture()
    for _, sql in ipairs { "select load_extension('x')", "pragma writable_schema = on",
      "update sqlite_schema set sql = 'x'",
      "delete from sqlite_schema", "select zeroblob(2000000000)", "select fts3_tokenizer('x', x'00')" } do
      pcall(db.query, db, sql)
      pcall(db.execute, db, sql)
    end
    assert.equal(before, world.picture())
    assert.same({ 1 }, Post:where("views", 1):pluck "id")
  end)
end)
