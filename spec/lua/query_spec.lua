--- query_spec: every condition with its twins, its SQL and the rows it finds.
local world = require "spec.support.world"
local null = world.null

--- The part of the SQL behind the table, and the parameters.
local function tail(query)
  local sql, params = query:to_sql()
  return world.marked(sql):match ' from "posts" ?(.*)$', params
end

local function ids(query) return query:order_by("id"):pluck("id") end

describe("query", function()
  local Post, User

  local function make_rows()
    Post, User = world.blog { timestamps = false }
    for i, name in ipairs { "ann", "bob", "cid" } do User:create { name = name, age = 10 * i } end
    Post:insert {
      { author_id = 1, title = "Alpha", views = 10, price = "1.50", at = "2026-01-31T23:59:59Z", day = "2026-01-31",
        score = 0.5, meta = { lang = "de", tags = { "a", "b" }, n = 1 } },
      { author_id = 1, title = "beta", status = "published", views = 20, at = "2026-02-01T00:00:00Z",
        day = "2026-02-01",
        meta = { lang = "en", tags = {}, n = 2.5 }, body = "text" },
      { author_id = 2, title = "Gamma_ray", status = "published", views = 30, price = 100, live = false },
      { title = "100% wool", views = 40, price = "0.10", at = "2025-02-01T12:00:00.000001Z", day = "2025-02-01",
        meta = { lang = null, deep = { list = { { x = 1 }, { x = 2 } } } } },
      { author_id = 2, title = "back\\slash", status = "archived", views = -5, price = "-1.25", live = false,
        meta = { ["odd key"] = true, tags = { 1, 2 } }, score = -1e300 },
      { author_id = 3, title = "ALPHA [x]*?", views = 0, day = "2026-02-01", body = "Text" },
    }
  end

  before_each(make_rows)

  -- method, arguments, SQL, its parameters, the rows where it holds, the rows where its negation does (neither: NULL)
  local CASES = {
    { "where", { "views", 10 }, '"views" = ?', { 10 }, { 1 }, { 2, 3, 4, 5, 6 } },
    { "where", { "views", 10.0 }, '"views" = ?', { 10 }, { 1 }, { 2, 3, 4, 5, 6 } },
    { "where", { "views", "=", 10 }, '"views" = ?', { 10 }, { 1 }, { 2, 3, 4, 5, 6 } },
    { "where", { "views", "!=", 10 }, '"views" <> ?', { 10 }, { 2, 3, 4, 5, 6 }, { 1 } },
    { "where", { "views", "<>", 10 }, '"views" <> ?', { 10 }, { 2, 3, 4, 5, 6 }, { 1 } },
    { "where", { "views", "<", 10 }, '"views" < ?', { 10 }, { 5, 6 }, { 1, 2, 3, 4 } },
    { "where", { "views", "<=", 10 }, '"views" <= ?', { 10 }, { 1, 5, 6 }, { 2, 3, 4 } },
    { "where", { "views", ">", 10 }, '"views" > ?', { 10 }, { 2, 3, 4 }, { 1, 5, 6 } },
    { "where", { "views", ">=", 10 }, '"views" >= ?', { 10 }, { 1, 2, 3, 4 }, { 5, 6 } },
    { "where", { "author_id", null }, '"author_id" is null', {}, { 4 }, { 1, 2, 3, 5, 6 } },
    { "where", { "author_id", "=", null }, '"author_id" is null', {}, { 4 }, { 1, 2, 3, 5, 6 } },
    { "where", { "author_id", "is", null }, '"author_id" is null', {}, { 4 }, { 1, 2, 3, 5, 6 } },
    { "where", { "author_id", "is_not", null }, '"author_id" is not null', {}, { 1, 2, 3, 5, 6 }, { 4 } },
    { "where", { "author_id", "!=", null }, '"author_id" is not null', {}, { 1, 2, 3, 5, 6 }, { 4 } },
    { "where", { "author_id", 1 }, '"author_id" = ?', { 1 }, { 1, 2 }, { 3, 5, 6 } },
    { "where", { "live", false }, '"live" = ?', { 0 }, { 3, 5 }, { 1, 2, 4, 6 } },
    { "where", { "price", "1.5" }, '"price" = ?', { "1.50" }, { 1 }, { 3, 4, 5 } },
    { "where", { "price", ">", 1 }, '"price" > ?', { "1.00" }, { 1, 3 }, { 4, 5 } },
    { "where", { "score", "<", 0 }, '"score" < ?', { 0.0 }, { 5 }, { 1 } },
    { "where", { "at", 1769903999 }, '"at" = ?', { "2026-01-31T23:59:59.000000Z" }, { 1 }, { 2, 4 } },
    { "where", { "at", ">=", "2026-02-01 01:00:00+01:00" }, '"at" >= ?', { "2026-02-01T00:00:00.000000Z" }, { 2 },
      { 1, 4 } },
    { "where", { "day", "2026-02-01" }, '"day" = ?', { "2026-02-01" }, { 2, 6 }, { 1, 4 } },
    { "where", { "posts.title", "beta" }, '"title" = ?', { "beta" }, { 2 }, { 1, 3, 4, 5, 6 } },
    { "where", { "title", "like", "%a%" }, '"title" glob ?', { "*a*" }, { 1, 2, 3, 5 }, { 4, 6 } },
    { "where", { "title", "not_like", "%a%" }, 'not ("title" glob ?)', { "*a*" }, { 4, 6 }, { 1, 2, 3, 5 } },
    { "where", { "title", "ilike", "alpha%" }, [["title" like ? escape '\']], { "alpha%" }, { 1, 6 }, { 2, 3, 4, 5 } },
    { "where", { "views", "in", { 10, 20 } }, '"views" in (?, ?)', { 10, 20 }, { 1, 2 }, { 3, 4, 5, 6 } },
    { "where", { "views", "not_in", { 10, 20 } }, 'not ("views" in (?, ?))', { 10, 20 }, { 3, 4, 5, 6 }, { 1, 2 } },
    { "where", { "views", "between", { 10, 30 } }, '"views" between ? and ?', { 10, 30 }, { 1, 2, 3 }, { 4, 5, 6 } },
    { "where", { { views = 20, title = "beta" } }, '"title" = ? and "views" = ?', { "beta", 20 }, { 2 },
      { 1, 3, 4, 5, 6 } },
    { "where", { { author_id = null, views = 40 } }, '"author_id" is null and "views" = ?', { 40 }, { 4 },
      { 1, 2, 3, 5, 6 } },
    { "where", { function(q) return q:where("views", 10):or_where("views", 20) end }, '"views" = ? or "views" = ?',
      { 10, 20 }, { 1, 2 }, { 3, 4, 5, 6 } },
    { "where_in", { "views", { 10, 20 } }, '"views" in (?, ?)', { 10, 20 }, { 1, 2 }, { 3, 4, 5, 6 } },
    { "where_in", { "views", {} }, "0", {}, {}, { 1, 2, 3, 4, 5, 6 } },
    { "where_in", { "author_id", { 2 } }, '"author_id" in (?)', { 2 }, { 3, 5 }, { 1, 2, 6 } },
    { "where_in", { "price", { 1.5, "100" } }, '"price" in (?, ?)', { "1.50", "100.00" }, { 1, 3 }, { 4, 5 } },
    { "where_between", { "views", 10, 30 }, '"views" between ? and ?', { 10, 30 }, { 1, 2, 3 }, { 4, 5, 6 } },
    { "where_between", { "at", 1769903999, "2026-02-01" }, '"at" between ? and ?',
      { "2026-01-31T23:59:59.000000Z", "2026-02-01T00:00:00.000000Z" }, { 1, 2 }, { 4 } },
    { "where_null", { "author_id" }, '"author_id" is null', {}, { 4 }, { 1, 2, 3, 5, 6 } },
    { "where_like", { "title", "_e%" }, '"title" glob ?', { "?e*" }, { 2 }, { 1, 3, 4, 5, 6 } },
    { "where_like", { "title", "100\\%%" }, '"title" glob ?', { "100%*" }, { 4 }, { 1, 2, 3, 5, 6 } },
    { "where_like", { "title", "%\\_%" }, '"title" glob ?', { "*_*" }, { 3 }, { 1, 2, 4, 5, 6 } },
    { "where_like", { "title", "%\\\\%" }, '"title" glob ?', { "*\\*" }, { 5 }, { 1, 2, 3, 4, 6 } },
    { "where_like", { "title", "% [x]*?" }, '"title" glob ?', { "* [[]x][*][?]" }, { 6 }, { 1, 2, 3, 4, 5 } },
    { "where_ilike", { "title", "GAMMA\\_%" }, [["title" like ? escape '\']], { "GAMMA\\_%" }, { 3 },
      { 1, 2, 4, 5, 6 } },
    { "where_column", { "views", "author_id" }, '"views" = "author_id"', {}, {}, { 1, 2, 3, 5, 6 } },
    { "where_column", { "views", ">", "author_id" }, '"views" > "author_id"', {}, { 1, 2, 3 }, { 5, 6 } },
    { "where_date", { "at", "2026-02-01" }, 'date("at") = ?', { "2026-02-01" }, { 2 }, { 1, 4 } },
    { "where_date", { "at", "<", "2026-02-01T00:00:00.000000Z" }, 'date("at") < ?', { "2026-02-01" }, { 1, 4 }, { 2 } },
    { "where_year", { "at", 2026 }, [[cast(strftime('%Y', "at") as integer) = ?]], { 2026 }, { 1, 2 }, { 4 } },
    { "where_month", { "at", 2 }, [[cast(strftime('%m', "at") as integer) = ?]], { 2 }, { 2, 4 }, { 1 } },
    { "where_day", { "at", ">", 1 }, [[cast(strftime('%d', "at") as integer) > ?]], { 1 }, { 1 }, { 2, 4 } },
    { "where_json", { "meta.lang", "de" }, 'json_extract("meta", ?) = ?', { '$."lang"', "de" }, { 1 }, { 2 } },
    { "where_json", { "meta.n", ">", 1 }, 'json_extract("meta", ?) > ?', { '$."n"', 1 }, { 2 }, { 1 } },
    { "where_json", { "meta.lang", null }, 'json_extract("meta", ?) is null', { '$."lang"' }, { 3, 4, 5, 6 },
      { 1, 2 } },
    { "where_json", { "meta.deep.list.1.x", 2 }, 'json_extract("meta", ?) = ?', { '$."deep"."list"[1]."x"', 2 },
      { 4 }, {} },
    { "where_json", { "meta.odd key", true }, 'json_extract("meta", ?) = ?', { '$."odd key"', 1 }, { 5 }, {} },
    { "where_json_contains", { "meta.tags", "b" },
      'exists (select 1 from json_each("meta", ?) where "value" = ?)', { '$."tags"', "b" }, { 1 }, { 2, 3, 4, 5, 6 } },
    { "where_json_contains", { "meta.tags", 2 },
      'exists (select 1 from json_each("meta", ?) where "value" = ?)', { '$."tags"', 2 }, { 5 }, { 1, 2, 3, 4, 6 } },
    { "where_raw", { "views % ? = ?", 20, 0 }, "views % ? = ?", { 20, 0 }, { 2, 4, 6 }, { 1, 3, 5 } },
    { "where_raw", { "title <> ':x?' and views > :min", { min = 20 } }, "title <> ':x?' and views > ?", { 20 },
      { 3, 4 },
      { 1, 2, 5, 6 } },
    { "filter", { "views > :min and title like '%a%'", { min = 10 } }, '"views" > ? and "title" glob ?', { 10, "*a*" },
      { 2, 3 }, { 1, 4, 5, 6 } },
  }

  --- The name of the negated method: where_in -> where_not_in.
  local function negated(name)
    return name == "filter" and "filter_not" or "where_not" .. name:sub(#"where" + 1)
  end

  local function union(a, b)
    local set, all = {}, {}
    for _, list in ipairs { a, b } do
      for _, id in ipairs(list) do set[id] = true end
    end
    for id = 1, 6 do
      if set[id] then all[#all + 1] = id end
    end
    return all
  end

  for i, case in ipairs(CASES) do
    local method, arguments, sql, params, yes, no = table.unpack(case)

    it(("finds by %s: %s, with its twins (%d)"):format(method, sql, i), function()
      local function call(name, query) return query[name](query, table.unpack(arguments)) end
      local found, bound = tail(call(method, Post:query()))
      if world.engine == "sqlite" then
        assert.equal("where " .. sql, found)
        assert.same(params, bound)
      end
      assert.same(yes, ids(call(method, Post:query())))
      assert.same(no, ids(call(negated(method), Post:query())))
      assert.same(union({ 6 }, yes), ids(call("or_" .. method, Post:where("id", 6))))
      assert.same(union({ 6 }, no), ids(call("or_" .. negated(method), Post:where("id", 6))))
      assert.same(yes, ids(Post[method](Post, table.unpack(arguments))))
    end)
  end

  it("reads and, or and not as SQL does", function()
    assert.same('where "views" = ? or "views" = ? and "title" = ?',
      (tail(Post:where("views", 10):or_where("views", 20):where("title", "x")):gsub("[()]", "")))
    assert.same({ 1 }, ids(Post:where("views", 10):or_where("views", 20):where("title", "x")))
    assert.same({ 2 }, ids(Post:where(function(q) return q:where("views", 10):or_where("views",
      20) end):where("title", "beta")))
    assert.same({ 5, 6 }, ids(Post:where_not(function(q) return q:where("views", ">", 0) end)))
    assert.same({ 3 }, ids(Post:where_not("id", "<", 3):where_not_in("id", { 4, 5, 6 })))
    assert.equal('where "id" = ?', (tail(Post:or_where("id", 1))))
  end)

  it("nests groups", function()
    local query = Post:where(function(a)
      return a:where("id", 1):or_where(function(b)
        return b:where("views", ">", 20):where_not(function(c) return c:where("id", 4):or_where("live", true) end)
      end)
    end)
    assert.equal('where "id" = ? or ("views" > ? and not ("id" = ? or "live" = ?))', (tail(query)))
    assert.same({ 1, 3 }, ids(query))
  end)

  it("finds in a query, correlated or not", function()
    local old = User:where("age", ">", 15):select("id")
    assert.equal('where "author_id" in (select "users"."id" from "users" where "users"."age" > ?)',
      (tail(Post:where_in("author_id", old))))
    assert.same({ 3, 5, 6 }, ids(Post:where_in("author_id", old)))
    assert.same({ 1, 2 }, ids(Post:where_not_in("author_id", old)))
    assert.same({ 3, 5, 6 }, ids(Post:where("author_id", "in", old)))

    local wrote = User:where_column("users.id", "posts.author_id"):where("name", "bob")
    assert.same({ 3, 5 }, ids(Post:where_exists(wrote)))
    assert.same({ 1, 2, 4, 6 }, ids(Post:where_not_exists(wrote)))
    assert.same({ 1, 3, 5 }, ids(Post:where("id", 1):or_where_exists(wrote)))
    assert.same({ 1, 2, 4, 6 }, ids(Post:where("id", 1):or_where_not_exists(wrote)))
  end)

  it("finds in lists of every length, each in one statement of a shape that is kept", function()
    for _, count in ipairs { 1, 2, 31, 32, 33, 1000, 40000 } do
      local list = {}
      for i = 1, count do list[i] = 6 + i end
      list[count] = 3
      assert.same({ 3 }, ids(Post:where_in("id", list)), count)
      assert.same({ 1, 2, 4, 5, 6 }, ids(Post:where_not_in("id", list)), count)
    end
    local long = { "100% wool", 'q"uote', "back\\slash", "\1\t\n", "ünï" }
    for i = 6, 40 do long[i] = "none " .. i end
    assert.same({ 4, 5 }, ids(Post:where_in("title", long)))
    local prices, days, scores = { "1.50", "0.1" }, { "2026-02-01" }, { 0.5, -1e300 }
    for i = 1, 40 do prices[#prices + 1], days[#days + 1], scores[#scores + 1] = 1000 + i, "1999-01-01", i + 0.25 end
    assert.same({ 1, 4 }, ids(Post:where_in("price", prices)))
    assert.same({ 2, 6 }, ids(Post:where_in("day", days)))
    assert.same({ 1, 5 }, ids(Post:where_in("score", scores)))
    assert.equal((Post:where_in("title", long):to_sql()), (Post:where_in("title", days):to_sql()))
  end)

  it("keeps a copy of the list that it was given", function()
    local list = { 1, 2 }
    local query = Post:where_in("id", list)
    list[1], list[3] = 5, 6
    assert.same({ 1, 2 }, ids(query))
  end)

  it("is never changed", function()
    local base = Post:where("live", true)
    local sql = base:to_sql()
    local more = base:where("views", ">", 10):order_by_desc("id"):limit(1):select("id")
    base:or_where("id", 3)
    base:join("users", "users.id", "posts.author_id")
    base:unfiltered()
    assert.equal(sql, (base:to_sql()))
    assert.same({ 1, 2, 4, 6 }, ids(base))
    assert.same({ 4 }, more:pluck("id"))
    world.refused("invalid_argument", function() base.limit = 1 end)
    world.refused("invalid_argument", function() base.nothing = 1 end)
    assert.equal(sql, (base:to_sql()))
  end)

  it("is never changed by any of its methods", function()
    local base = Post:where("views", ">", 0):order_by("id")
    local before = world.picture()
    local sql, params = base:to_sql()
    for _, case in ipairs(CASES) do base[case[1]](base, table.unpack(case[2])) end
    for _, name in ipairs { "first", "all", "count", "exists", "sole", "explain", "cursor", "in_random_order",
      "distinct" } do
      pcall(base[name], base)
    end
    base:paginate(1, 2)
    base:cursor_paginate { per_page = 2 }
    base:chunk(2, function() end)
    local again, bound = base:to_sql()
    assert.equal(sql, again)
    assert.same(params, bound)
    assert.equal(before, world.picture())
  end)

  it("says what it is", function()
    assert.matches("^rille.Query of Post: select .* where \"id\" = %?$", world.marked(tostring(Post:where("id", 1))))
    assert.matches("no column", tostring(Post:where("nope", 1)))
  end)

  it("holds as many conditions as one likes", function()
    local query, any = Post:query(), Post:where("id", 1)
    for i = 1, 3000 do
      query = query:where("id", "!=", i + 10)
      any = any:or_where("id", i + 10)
    end
    assert.equal(6, query:count())
    assert.same({ 1 }, ids(any))
  end)
end)
