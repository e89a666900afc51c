--- query_chunk_spec: all rows of a query, a list at a time, each row once, whatever happens meanwhile.
local world = require "spec.support.world"
local refused, statements = world.refused, world.statements

local function titled(count)
  local rows = {}
  for i = 1, count do rows[i] = { title = ("t%02d"):format(i), views = i % 3 } end
  return rows
end

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
    assert.equal(25, #sizes_and_ids("chunk", Post:query(), 1))
    sizes, ids = sizes_and_ids("chunk_by_id", Post:order_by_desc("views"), 10)
    assert.same({ 10, 10, 5 }, sizes)
    assert.same(Post:order_by("id"):pluck("id"), ids)
  end)

  it("keep to conditions that are joined by or", function()
    for _, order in ipairs { "id", "title", "views" } do
      local query = Post:where("views", 1):or_where("id", 2):or_where("id", ">", 20):order_by(order):order_by("id")
      local _, ids = sizes_and_ids("chunk", query, 3)
      assert.same(query:pluck("id"), ids)
      assert.equal(13, #ids)
    end
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
    local calls, seen = 0, 0
    Post:order_by("views"):chunk(5, function()
      calls = calls + 1
      return calls < 2
    end)
    Post:order_by("views"):chunk(5, function() return true end)
    assert.equal(2, calls)
    Post:each(function(post)
      seen = seen + 1
      return post.id < 7
    end)
    assert.equal(7, seen)
    Post:insert(titled(2500))
    seen = 0
    Post:each(function()
      seen = seen + 1
      return seen < 3
    end)
    assert.equal(3, seen)
  end)

  it("give each row once although its place in the order changes meanwhile", function()
    for _, query in ipairs { Post:order_by("views"), Post:order_by_desc("views"), Post:order_by("title"),
      Post:query() } do
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

  it("may be ordered by an output that the query names", function()
    for _, query in ipairs { Post:select_raw("id, views * 2 as double"),
      Post:select("id"):select_raw("-views as double"),
      Post:select("id", "views as double") } do
      local _, ids = sizes_and_ids("chunk", query:order_by("double"), 4)
      assert.same(world.of_each(query:order_by("double"):order_by("id"):all()), ids)
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
