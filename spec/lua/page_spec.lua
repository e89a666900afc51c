--- page_spec: pages by number and pages by cursor, forward and back.
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
      assert.matches("paginate: page", refused("invalid_argument", Post[word], Post, math.maxinteger, 2).message)
    end
    assert.is_false(Post:simple_paginate(1, 7).has_more)
    assert.is_true(Post:simple_paginate(1, 6).has_more)
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
    local forward, backward, page, cursor = {}, {}
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

  it("keeps to conditions that are joined by or", function()
    local query = Post:where("id", 1):or_where("id", ">", 3)
    local forward, backward = walk(query:order_by_desc("views"), 2)
    assert.same({ 5, 7, 4, 1, 6 }, of_each(forward))
    assert.same(of_each(forward), of_each(backward))
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
    query = world.rille.db():table("posts"):select_raw("id, nullif(views, 1) as less"):order_by("less")
    forward, backward = walk(query, 2)
    assert.same({ 1, 4, 7, 3, 6, 2, 5 }, of_each(forward))
    assert.same(forward, backward)
    User:insert { { name = "zed" }, { name = "amy" } }
    Post:where("id", "<", 4):update { author_id = 1 }
    Post:where("id", ">=", 4):update { author_id = 2 }
    local joined = Post:join("users", "users.id", "posts.author_id")
      :select("posts.*", "users.name as who"):order_by("who")
    assert.same({ 4, 5, 6, 7, 1, 2, 3 }, of_each((walk(joined, 2))))
  end)

  it("walks plain tables, and keys of two columns", function()
    local db = world.fresh [[create table marks (a INTEGER not null, b VARCHAR(9) not null, c REAL,
      primary key (a, b))]]
    for i = 1, 12 do
      db:table("marks"):insert { a = i % 3, b = ("%x"):format(i * 7 % 16), c = i % 4 > 0 and i % 4 / 2 or nil }
    end
    local forward, backward = walk(db:table("marks"):order_by_desc("c"), 5)
    assert.same(db:table("marks"):order_by_desc("c"):order_by_desc("a"):order_by_desc("b"):all():to_table(), forward)
    assert.same(forward, backward)
    assert.same(12, #(walk(db:table("marks"), 1)))
  end)

  it("walks by bytes that are no text, and by fractions", function()
    for i = 1, 7 do Post:where("id", i):update { data = string.char(255 - i % 3, 0, 39), score = i % 3 / 7 } end
    local forward, backward = walk(Post:order_by("data"):order_by_desc("score"), 2)
    assert.same({ 5, 2, 7, 4, 1, 6, 3 }, of_each(forward))
    assert.same(of_each(forward), of_each(backward))
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
        rows[i] = { title = ("x"):rep(math.random(0, 3)), views = math.random(-2, 2), author_id = maybe(1),
          score = maybe(math.random(0, 4) / 3), live = math.random(2) == 1,
          at = maybe(math.random(0, 2) * 86400 + math.random(0, 1) / 4),
          price = maybe(math.random(-1, 1) * 1.1), body = maybe(({ "", "é\"'\\", "null" })[math.random(3)]) }
      end
      Post:insert(rows)
      local query, plain, named = Post:query(), Post:query(), {}
      for _ = 1, math.random(0, 4) do
        local column, direction = columns[math.random(#columns)], math.random(2) == 1 and "asc" or "desc"
        if math.random(2) == 1 then query, plain = query:where("id", ">", 0), plain:where("id", ">", 0) end
        if math.random(3) == 1 then query, plain = query:or_where("views", 1), plain:or_where("views", 1) end
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
      "", "zz", "0", good:sub(1, -2), good:sub(1, -3), good .. "00", hex "null", hex "[]", hex '["next"]',
        hex "[1,2,3]",
      hex(text:gsub('%[%["integer","1"%],.*$', '["x"]]')), hex(text:gsub('"integer","1"', '"integer",{}')),
      hex(text:gsub('"integer","1"', '"integer","x"')), hex(text:gsub('"integer","1"', '"bytes","zz"')), "\0", 1,
        true, {},
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
    assert.matches("name of an output", why(Post:select_raw("id, upper(title) as title"):order_by("title")))
    local db = world.fresh "create table loose (a)"
    assert.matches("primary key", why(db:table("loose")))
  end)

  it("wants the columns that it walks by", function()
    refused("missing_attribute", function() Post:select("id"):order_by("views"):cursor_paginate {} end)
    refused("missing_attribute", function() Post:select("views"):order_by("views"):cursor_paginate { per_page = 1 } end)
    refused("missing_attribute", function() Post:select("views"):select("id"):order_by("views"):cursor_paginate {} end)
    assert.equal(7, #Post:select("id"):add_select("views"):order_by("views"):cursor_paginate({}).data)
    local rows = world.rille.db():table("posts")
    for _, query in ipairs { rows:select("id"), rows:select_raw("id"), rows:select_raw("id, title as t") } do
      local plain = query:order_by("views")
      refused("missing_attribute", plain.cursor_paginate, plain, { per_page = 1 })
    end
  end)

  it("refuses options that it does not know", function()
    assert.equal('did you mean "per_page"?', refused("invalid_argument", Post.cursor_paginate, Post,
      { perpage = 3 }).hint)
    for _, size in ipairs { 0, -1, 1.5, "3", {} } do
      refused("invalid_argument", Post.cursor_paginate, Post, { per_page = size })
    end
    refused("invalid_argument", Post.cursor_paginate, Post, 3)
  end)
end)
