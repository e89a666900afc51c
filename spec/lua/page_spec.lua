--- page_spec: pages by number, pages by cursor, chunks; each row once, whatever happens meanwhile.
local world = require "spec.support.world"
local null = world.null
local of_each, refused, statements = world.of_each, world.refused, world.statements

local function titled(count)
  local rows = {}
  for i = 1, count do rows[i] = { title = ("t%02d"):format(i), views = i % 3 } end
  return rows
end

describe("a page by number", function()
  local Post
  before_each(function()
    Post = world.blog()
    Post:insert(titled(7))
  end)

  it("says where it is among all pages", function()
    local page = Post:order_by("id"):paginate(2, 3)
    assert.same({ 4, 5, 6 }, page.data:ids())
    page.data = nil
    assert.same({ total = 7, per_page = 3, current_page = 2, last_page = 3, from = 4, to = 6, has_more = true }, page)
    page = Post:order_by("id"):paginate(3, 3)
    assert.same({ 7 }, page.data:ids())
    page.data = nil
    assert.same({ total = 7, per_page = 3, current_page = 3, last_page = 3, from = 7, to = 7, has_more = false }, page)
  end)

  it("is the first one of fifteen rows when nothing is said", function()
    local page = Post:paginate()
    assert.equal(7, #page.data)
    assert.equal(15, page.per_page)
    assert.equal(1, page.current_page)
    assert.equal(15, Post:simple_paginate().per_page)
  end)

  it("may be empty", function()
    local page = Post:where("id", 0):paginate(1, 3)
    assert.same({ data = {}, total = 0, per_page = 3, current_page = 1, last_page = 1, has_more = false }, page)
    page = Post:paginate(9, 3)
    assert.same({ data = {}, total = 7, per_page = 3, current_page = 9, last_page = 3, has_more = false }, page)
    assert.same({ data = {}, total = 7, per_page = 1, current_page = math.maxinteger, last_page = 7, has_more = false },
      Post:paginate(math.maxinteger, 1))
  end)

  it("counts without the order, groups as rows, and past a limit of the query", function()
    assert.same({ 'select count(*) from "posts" where "views" = ?' }, { statements(function()
      Post:where("views", 1):paginate(1, 2)
    end)[2] })
    local groups = Post:select("views"):group_by("views"):order_by("views"):paginate(1, 2)
    assert.same({ 3, 2, 2 }, { groups.total, groups.last_page, #groups.data })
    assert.same({ 7, 7 }, { Post:limit(2):paginate(1, 9).total, #Post:limit(2):paginate(1, 9).data })
    assert.same({ 7, 3 }, { Post:offset(5):paginate(1, 3).total, #Post:offset(5):paginate(1, 3).data })
    assert.equal(3, Post:select("views"):distinct():paginate(1, 9).total)
  end)

  it("can go without a count", function()
    local page
    assert.equal(1, #statements(function() page = Post:order_by("id"):simple_paginate(2, 3) end))
    assert.same({ 4, 5, 6 }, page.data:ids())
    page.data = nil
    assert.same({ per_page = 3, current_page = 2, from = 4, to = 6, has_more = true }, page)
    page = Post:order_by("id"):simple_paginate(3, 3)
    assert.same({ { 7 }, false }, { page.data:ids(), page.has_more })
    assert.same({ data = {}, per_page = 3, current_page = 4, has_more = false }, Post:simple_paginate(4, 3))
  end)

  it("has a number from 1 and a size from 1", function()
    for _, word in ipairs { "paginate", "simple_paginate" } do
      for _, bad in ipairs { 0, -1, 1.5, "1", false, {}, 0 / 0, math.mininteger } do
        refused("invalid_argument", Post[word], Post, bad, 3)
        refused("invalid_argument", Post[word], Post, 1, bad)
      end
      refused("invalid_argument", Post[word], Post, math.maxinteger, 2)
    end
    assert.equal("paginate: page: wants a whole number, at least 1, got 0 (integer)",
      refused("invalid_argument", Post.paginate, Post, 0).message)
  end)
end)

describe("a page by cursor", function()
  local Post, User
  before_each(function()
    Post, User = world.blog()
    Post:insert(titled(7))
  end)

  --- All pages from one end to the other: forward, then back from the last one.
  local function walk(query, per_page)
    local forward, backward, page, cursor = {}, {}, nil, nil
    repeat
      page = query:cursor_paginate { per_page = per_page, cursor = cursor }
      for _, row in ipairs(page.data) do forward[#forward + 1] = row end
      cursor = page.next_cursor
    until not cursor
    repeat
      for i = #page.data, 1, -1 do table.insert(backward, 1, page.data[i]) end
      cursor = page.prev_cursor
      if cursor then page = query:cursor_paginate { per_page = per_page, cursor = cursor } end
    until not cursor
    return forward, backward, page
  end

  it("goes forward and back, without a cursor where there is nothing", function()
    local first = Post:order_by("id"):cursor_paginate { per_page = 3 }
    assert.same({ 1, 2, 3 }, first.data:ids())
    assert.is_nil(first.prev_cursor)
    local second = Post:order_by("id"):cursor_paginate { per_page = 3, cursor = first.next_cursor }
    assert.same({ 4, 5, 6 }, second.data:ids())
    local third = Post:order_by("id"):cursor_paginate { per_page = 3, cursor = second.next_cursor }
    assert.same({ 7 }, third.data:ids())
    assert.is_nil(third.next_cursor)
    local back = Post:order_by("id"):cursor_paginate { per_page = 3, cursor = third.prev_cursor }
    assert.same({ 4, 5, 6 }, back.data:ids())
    back = Post:order_by("id"):cursor_paginate { per_page = 3, cursor = back.prev_cursor }
    assert.same({ 1, 2, 3 }, back.data:ids())
    assert.is_nil(back.prev_cursor)
    assert.is_truthy(back.next_cursor)
    assert.same({ data = {} }, Post:where("id", 0):cursor_paginate {})
    assert.equal(7, #Post:cursor_paginate().data)
  end)

  it("is one statement that seeks, whatever the page", function()
    local cursor = Post:order_by("id"):cursor_paginate { per_page = 3 }.next_cursor
    local said = statements(function() Post:order_by("id"):cursor_paginate { per_page = 3, cursor = cursor } end)
    assert.equal(1, #said)
    assert.matches('where "id" > %? order by "id" limit %?$', said[1])
  end)

  it("is not moved by rows that come and go before it", function()
    local query = Post:order_by("title")
    local page = query:cursor_paginate { per_page = 3 }
    Post:insert { { title = "t00" }, { title = "t01x" } }
    Post:where("title", "t02"):delete()
    page = query:cursor_paginate { per_page = 3, cursor = page.next_cursor }
    assert.same({ "t04", "t05", "t06" }, page.data:pluck("title"))
  end)

  it("goes on from a row that is gone", function()
    local page = Post:order_by("id"):cursor_paginate { per_page = 3 }
    Post:where("id", 3):delete()
    assert.same({ 4, 5, 6 }, Post:order_by("id"):cursor_paginate { per_page = 3, cursor = page.next_cursor }.data:ids())
  end)

  it("does not take limits, offsets or casts of the query for part of the walk", function()
    local forward, backward = walk(Post:order_by("views"):limit(2):offset(3), 2)
    assert.same(Post:order_by("views"):order_by("id"):pluck("id"), of_each(forward))
    assert.same(of_each(forward), of_each(backward))
    for i = 1, 7 do Post:where("id", i):update { meta = { "x", n = nil }, price = ("%d.5"):format(i % 2) } end
    Post:where("id", 4):update { meta = null }
    forward, backward = walk(Post:order_by("meta"):order_by_desc("price"), 2)
    assert.same({ 4, 7, 5, 3, 1, 6, 2 }, of_each(backward))
    assert.same(of_each(forward), of_each(backward))
  end)

  it("walks by names that the query gives", function()
    local query = Post:select("id"):select_raw("views * -1 as less"):order_by("less")
    local forward, backward = walk(query, 2)
    assert.same({ 2, 5, 1, 4, 7, 3, 6 }, of_each(forward))
    assert.same(of_each(forward), of_each(backward))
    User:insert { { name = "zed" }, { name = "amy" } }
    Post:where("id", "<", 4):update { author_id = 1 }
    Post:where("id", ">=", 4):update { author_id = 2 }
    local joined = Post:join("users", "users.id", "posts.author_id"):select("posts.*", "users.name as who"):order_by("who")
    assert.same({ 4, 5, 6, 7, 1, 2, 3 }, of_each((walk(joined, 2))))
  end)

  it("walks plain tables, and keys of two columns", function()
    local db = world.fresh([[create table marks (a INTEGER not null, b VARCHAR(9) not null, c REAL, primary key (a, b))]])
    for i = 1, 12 do db:table("marks"):insert { a = i % 3, b = ("%x"):format(i * 7 % 16), c = i % 4 > 0 and i % 4 / 2 or nil } end
    local forward, backward = walk(db:table("marks"):order_by_desc("c"), 5)
    assert.same(db:table("marks"):order_by_desc("c"):order_by_desc("a"):order_by_desc("b"):all():to_table(), forward)
    assert.same(forward, backward)
    assert.same(12, #(walk(db:table("marks"), 1)))
  end)

  it("sees each row once in any order, forward as back (random data)", function()
    world.seed()
    local columns = { "views", "score", "title", "at", "live", "author_id", "price", "body", "id" }
    User:insert { { name = "a" }, { name = "b" } }
    for round = 1, 40 do
      Post:unfiltered():delete()
      local rows = {}
      for i = 1, math.random(0, 30) do
        local function maybe(value) return math.random(3) > 1 and value or nil end
        rows[i] = { title = ("x"):rep(math.random(0, 3)), views = math.random(-2, 2), score = maybe(math.random(0, 4) / 3),
          at = maybe(math.random(0, 2) * 86400 + math.random(0, 1) / 4), live = math.random(2) == 1, author_id = maybe(1),
          price = maybe(math.random(-1, 1) * 1.1), body = maybe(({ "", "é\"'\\", "null" })[math.random(3)]) }
      end
      Post:insert(rows)
      local query, plain, named = Post:query(), Post:query(), {}
      for _ = 1, math.random(0, 4) do
        local column, direction = columns[math.random(#columns)], math.random(2) == 1 and "asc" or "desc"
        if math.random(2) == 1 then query, plain = query:where("id", ">", 0), plain:where("id", ">", 0) end
        query, plain = query:order_by(column, direction), plain:order_by(column, direction)
        named[#named + 1] = column .. " " .. direction
      end
      local last = named[#named]
      plain = plain:order_by("id", last and last:match "desc$" or "asc")
      local said = ("round %d, %d rows by %s"):format(round, #rows, table.concat(named, ", "))
      local forward, backward = walk(query, math.random(1, 7))
      assert.same(plain:pluck("id"), of_each(forward), said)
      assert.same(of_each(forward), of_each(backward), said)
    end
  end)

  it("fits only the query that made it", function()
    local cursor = Post:order_by("id"):cursor_paginate { per_page = 3 }.next_cursor
    for _, other in ipairs { Post:order_by_desc("id"), Post:order_by("title"), Post:where("views", 1):order_by("id"),
      Post:select("id"):order_by("id") } do
      local e = refused("invalid_argument", other.cursor_paginate, other, { per_page = 3, cursor = cursor })
      assert.equal("cursor_paginate: the cursor belongs to another query", e.message)
      assert.equal("begin again without a cursor", e.hint)
    end
    assert.same({ 4, 5 }, Post:order_by("id"):cursor_paginate { per_page = 2, cursor = cursor }.data:ids())
  end)

  it("is refused when it is no cursor", function()
    local query = Post:order_by("views")
    local good = query:cursor_paginate { per_page = 3 }.next_cursor
    local text = good:gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end)
    local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
    assert.equal(good, hex(text))
    local tampered = {
      "", "zz", "0", good:sub(1, -2), good:sub(1, -3), good .. "00", hex "null", hex "[]", hex '["next"]', hex "[1,2,3]",
      hex(text:gsub('%[%["integer","1"%],.*$', '["x"]]')), hex(text:gsub('"integer","1"', '"integer",{}')),
      hex(text:gsub('"integer","1"', '"integer","x"')), hex(text:gsub('"integer","1"', '"bytes","zz"')), "\0", 1, true, {},
    }
    for _, cursor in ipairs(tampered) do
      local e = world.untouched("invalid_argument", query.cursor_paginate, query, { per_page = 3, cursor = cursor })
      assert.is_truthy(e.hint)
    end
    for byte = 1, #text do
      local changed = hex(text:sub(1, byte - 1) .. string.char(text:byte(byte) ~ 1) .. text:sub(byte + 1))
      local ok, e = pcall(query.cursor_paginate, query, { per_page = 3, cursor = changed })
      assert.is_true(ok or world.rille.is_error(e), tostring(e))
    end
  end)

  it("refuses orders that give no place", function()
    local function why(query) return refused("unsupported", query.cursor_paginate, query, {}).message end
    assert.matches("raw or random", why(Post:order_by_raw("views")))
    assert.matches("raw or random", why(Post:in_random_order()))
    assert.matches("union", why(Post:union(Post:query())))
    assert.matches("group_by", why(Post:group_by("views")))
    assert.matches("distinct", why(Post:distinct()))
    local joined = Post:join("users", "users.id", "posts.author_id")
    assert.matches('"users.name" of a joined table', why(joined:order_by("users.name")))
    assert.matches('"users.id" of a joined table', why(joined:order_by("users.id")))
    assert.matches("name of an output", why(Post:select("id", "views as title"):order_by("title")))
    local db = world.fresh "create table loose (a)"
    assert.matches("primary key", why(db:table("loose")))
  end)

  it("wants the columns that it walks by", function()
    refused("missing_attribute", function() Post:select("id"):order_by("views"):cursor_paginate {} end)
    refused("missing_attribute", function() Post:select("views"):order_by("views"):cursor_paginate { per_page = 1 } end)
    local plain = world.rille.db():table("posts"):select("id"):order_by("views")
    refused("missing_attribute", plain.cursor_paginate, plain, { per_page = 1 })
  end)

  it("refuses options that it does not know", function()
    assert.equal('did you mean "per_page"?', refused("invalid_argument", Post.cursor_paginate, Post, { perpage = 3 }).hint)
    for _, size in ipairs { 0, -1, 1.5, "3", {} } do
      refused("invalid_argument", Post.cursor_paginate, Post, { per_page = size })
    end
    refused("invalid_argument", Post.cursor_paginate, Post, 3)
  end)
end)

describe("chunks", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog()
    Post:insert(titled(25))
  end)

  local function sizes_and_ids(word, query, size, ...)
    local sizes, ids = {}, {}
    query[word](query, size, function(rows)
      sizes[#sizes + 1] = #rows
      for _, row in ipairs(rows) do ids[#ids + 1] = row.id end
    end, ...)
    return sizes, ids
  end

  it("give every row, in lists of that size, in the order of the query", function()
    local sizes, ids = sizes_and_ids("chunk", Post:query(), 10)
    assert.same({ 10, 10, 5 }, sizes)
    assert.same(Post:order_by("id"):pluck("id"), ids)
    sizes, ids = sizes_and_ids("chunk", Post:order_by_desc("views"):order_by("title"), 10)
    assert.same({ 10, 10, 5 }, sizes)
    assert.same(Post:order_by_desc("views"):order_by("title"):pluck("id"), ids)
    assert.same({}, (sizes_and_ids("chunk", Post:where("id", 0), 10)))
    assert.same({ 25 }, (sizes_and_ids("chunk", Post:query(), math.maxinteger)))
    sizes, ids = sizes_and_ids("chunk_by_id", Post:order_by_desc("views"), 10)
    assert.same({ 10, 10, 5 }, sizes)
    assert.same(Post:order_by("id"):pluck("id"), ids)
  end)

  it("keep to a limit and an offset of the query", function()
    for _, order in ipairs { "id", "views", "title" } do
      for _, case in ipairs { { 12, 0 }, { 12, 5 }, { 1, 24 }, { 100, 20 }, { 0, 0 }, { 5, 100 } } do
        local query = Post:order_by(order):order_by("id"):limit(case[1]):offset(case[2])
        local _, ids = sizes_and_ids("chunk", query, 5)
        assert.same(query:pluck("id"), ids, ("by %s, limit %d, offset %d"):format(order, case[1], case[2]))
      end
      local _, ids = sizes_and_ids("chunk", Post:order_by(order):order_by("id"):limit(7), 5)
      assert.equal(7, #ids)
    end
  end)

  it("stop when the function returns false", function()
    for _, word in ipairs { "chunk", "chunk_by_id" } do
      local calls = 0
      Post[word](Post, 5, function()
        calls = calls + 1
        return calls < 2
      end)
      assert.equal(2, calls)
    end
    local seen = 0
    Post:each(function(post)
      seen = seen + 1
      return post.id < 7
    end)
    assert.equal(7, seen)
  end)

  it("give each row once although its place in the order changes meanwhile", function()
    for _, query in ipairs { Post:order_by("views"), Post:order_by_desc("views"), Post:order_by("title"), Post:query() } do
      local times = {}
      query:chunk(4, function(rows)
        for _, post in ipairs(rows) do
          times[post.id] = (times[post.id] or 0) + 1
          post:update { views = post.views + 100, title = ("%s%d"):format(post.id % 2 == 0 and "a" or "z", post.id) }
        end
      end)
      for id = 1, 25 do assert.equal(1, times[id]) end
    end
  end)

  it("leave out rows that fit no longer, and those that are gone", function()
    local seen = {}
    Post:where("views", 1):order_by_desc("title"):chunk(3, function(rows)
      for _, post in ipairs(rows) do seen[#seen + 1] = post.id end
      Post:where_in("id", { 1, 4 }):delete()
      Post:where("id", 7):update { views = 2 }
    end)
    assert.same({ 25, 22, 19, 16, 13, 10 }, seen)
  end)

  it("go through rows that are deleted on the way", function()
    for _, word in ipairs { "chunk", "chunk_by_id" } do
      Post:unfiltered():delete()
      Post:insert(titled(25))
      local seen = 0
      local query = Post:where("views", "<", 2)
      query[word](query, 4, function(rows)
        seen = seen + #rows
        for _, post in ipairs(rows) do post:delete() end
      end)
      assert.equal(17, seen)
      assert.equal(8, Post:count())
    end
  end)

  it("end although rows are added behind them", function()
    local calls = 0
    Post:order_by("title"):chunk(10, function()
      calls = calls + 1
      Post:insert { title = "zz" .. calls }
    end)
    assert.equal(3, calls)
  end)

  it("give a row that a join has several times with all its rows", function()
    User:insert { { name = "a" }, { name = "b" }, { name = "c" } }
    local pairs_of = {}
    Post:join("users", "users.id", ">=", "posts.views"):select("posts.id", "users.name as who"):chunk(4, function(rows)
      for _, row in ipairs(rows) do pairs_of[#pairs_of + 1] = row.id .. row.who end
    end)
    table.sort(pairs_of)
    local want = {}
    for _, row in ipairs(db:query "select posts.id, name from posts join users on users.id >= views") do
      want[#want + 1] = row.id .. row.name
    end
    table.sort(want)
    assert.same(want, pairs_of)
  end)

  it("walk keys of two columns and plain tables", function()
    db = world.fresh([[create table marks (a INTEGER not null, b VARCHAR(9) not null, c REAL, primary key (a, b))]])
    for i = 1, 12 do db:table("marks"):insert { a = i % 3, b = ("%x"):format(i * 7 % 16), c = i % 4 / 2 } end
    for _, query in ipairs { db:table("marks"), db:table("marks"):order_by("c") } do
      local keys = {}
      query:chunk(5, function(rows)
        for _, row in ipairs(rows) do keys[row.a .. row.b] = (keys[row.a .. row.b] or 0) + 1 end
      end)
      local count = 0
      for _, times in pairs(keys) do
        count = count + 1
        assert.equal(1, times)
      end
      assert.equal(12, count)
    end
  end)

  it("read each row but once", function()
    assert.equal(4, #statements(function() Post:each(function() end) Post:chunk(10, function() end) end))
    local seen = {}
    Post:order_by("views"):each(function(post) seen[#seen + 1] = post.id end)
    assert.equal(25, #seen)
  end)

  it("want a size, a function and an order that gives a place", function()
    for _, word in ipairs { "chunk", "chunk_by_id" } do
      for _, size in ipairs { 0, -1, 1.5, "5", 0 / 0 } do refused("invalid_argument", Post[word], Post, size, print) end
      refused("invalid_argument", Post[word], Post, 5)
      refused("invalid_argument", Post[word], Post, 5, "fn")
    end
    refused("invalid_argument", Post.each, Post, nil)
    refused("unsupported", function() Post:in_random_order():chunk(5, print) end)
    refused("missing_attribute", function() Post:select("title"):order_by("views"):chunk(5, print) end)
  end)

  it("pass on what the function raises", function()
    local ok, e = pcall(Post.chunk, Post, 5, function() error("mine", 0) end)
    assert.same({ false, "mine" }, { ok, e })
    db:execute "drop table posts"
  end)
end)
