--- postgres/insert_spec: many rows in few statements; nothing else is different.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

local POSTS <const> = [[create table posts (id integer primary key autoincrement, org_id INTEGER, title TEXT unique,
  views INTEGER not null default 7, price DECIMAL(10,2), live BOOLEAN, meta JSON TEXT, at DATETIME TEXT, day DATE TEXT,
  uid UUID TEXT, score DOUBLE, data BLOB, kind TEXT default 'plain')]]

local db, Post

local function trips(fn)
  local before = db:_connect():stats().round_trips
  fn()
  return db:_connect():stats().round_trips - before
end

local function some(count, change)
  local rows = {}
  for i = 1, count do
    rows[i] = { title = "post " .. i, views = i }
    if change then change(rows[i], i) end
  end
  return rows
end

before_each(function()
  db = world.fresh(POSTS)
  Post = rille.model "Post" { timestamps = false }
end)

describe("an insert of many rows", function()
  it("goes out in a few round trips", function()
    db:insert("posts", some(1024, function(row, i) row.title = "first " .. i end))
    assert.is_true(trips(function() assert.equal(1024, db:insert("posts", some(1024))) end) <= 7)
    assert.same({ 2048, 1024 * 1025 }, { db:table("posts"):count(), db:table("posts"):sum "views" })
  end)

  it("puts each value where it belongs, whatever its number of rows", function()
    for _, count in ipairs { 1, 2, 3, 5, 255, 256, 257, 700 } do
      db:execute "truncate posts"
      assert.equal(count, db:insert("posts", some(count)))
      local rows = db:query "select title, views from posts order by views"
      assert.equal(count, #rows)
      for i, row in ipairs(rows) do assert.same({ "post " .. i, i }, { row.title, row.views }) end
    end
  end)

  it("keeps values of every type, and NULL", function()
    local row = { title = "b", views = math.mininteger, price = "-12345678.90", live = false, meta = { a = { 1, 2 } },
      at = "2026-11-20T12:00:00.123456Z", day = "2026-02-28", uid = "00000000-0000-4000-8000-00000000000f",
      score = 0.1, data = rille.blob "\0\1\255" }
    local function twice()
      local rows = { {}, {}, {} }
      for i = 1, 3 do
        for name, value in next, row do rows[i][name] = value end
        rows[i].title = "t" .. i
      end
      for name in next, row do
        if name ~= "views" and name ~= "title" then rows[2][name] = rille.null end
      end
      return rows
    end
    assert.equal(3, Post:insert(twice()))
    local one, none, same = Post:find(1), Post:find(2), Post:find(3)
    for name in next, row do
      if name == "meta" then
        assert.same({ 1, 2 }, one.meta.a)
      elseif name ~= "title" then
        assert.equal(one[name], same[name])
        if name ~= "views" then assert.is_nil(none[name]) end
      end
    end
    assert.same({ "-12345678.90", false, "2026-11-20T12:00:00.123456Z", "\0\1\255" },
      { one.price, one.live, one.at, one.data })
  end)

  it("lets each row stand for itself: what it leaves out takes its default", function()
    db:insert("posts", some(20, function(row, i)
      if i % 7 == 0 then row.views = nil end
      if i > 15 then row.kind = "odd" end
      if i == 12 then row.title, row.views = nil, nil end
    end))
    local kinds = db:query "select views, kind from posts order by id"
    for i, row in ipairs(kinds) do
      assert.same({ (i % 7 == 0 or i == 12) and 7 or i, i > 15 and "odd" or "plain" }, { row.views, row.kind })
    end
    assert.equal(20, #kinds)
    assert.equal(3, db:insert("posts", { {}, {}, {} }))
  end)

  for _, at in ipairs { 1, 2, 256, 257, 600 } do
    it(("names the row that is refused, and keeps none: row %d"):format(at), function()
      local rows = some(600)
      rows[at].title = "there"
      db:insert("posts", { title = "there", views = 1 })
      local e = refused("unique_violation", db.insert, db, "posts", rows)
      assert.matches(("^row %d of 600: "):format(at), e.message)
      assert.equal("title", e.column)
      rows[at] = { title = "post " .. at, views = rille.null }
      e = refused("not_null_violation", db.insert, db, "posts", rows)
      assert.matches(("^row %d of 600: "):format(at), e.message)
      rows[at].views = "many"
      e = refused("invalid_argument", db.insert, db, "posts", rows)
      assert.matches(("^row %d of 600: posts.views"):format(at), e.message)
      assert.equal(1, db:table("posts"):count())
    end)
  end

  it("that is refused leaves the transaction around it as it was, once it is caught", function()
    rille.transaction(function()
      db:insert("posts", { title = "post 3" })
      refused("unique_violation", rille.transaction, function() db:insert("posts", some(10)) end)
      assert.equal(1, Post:count())
    end)
    assert.equal(1, Post:count())
  end)

  it("leaves out what is there, and what it says twice", function()
    db:insert("posts", some(3))
    local rows = some(300)
    rows[200] = { title = "post 199", views = 0 }
    assert.equal(296, Post:insert_or_ignore(rows))
    assert.equal(0, Post:insert_or_ignore(rows))
  end)

  it("updates what is there, row by row where it says one twice", function()
    db:insert("posts", some(10))
    assert.equal(300, Post:upsert(some(300, function(row) row.views = row.views * 10 end), "title"))
    assert.same({ 300, 451500 }, { Post:count(), Post:sum "views" })
    local twice = some(4)
    twice[3] = { title = "post 2", views = 99 }
    assert.equal(4, Post:upsert(twice, "title"))
    assert.equal(99, Post:where("title", "post 2"):value "views")
  end)

  it("names the row that another tenant's is in the way of", function()
    require "rille.model".forget_all()
    local Own = rille.model "Own" { table = "posts", tenant_column = "org_id", timestamps = false }
    rille.tenant.run({ id = 2 }, Own.create, Own, { title = "post 77" })
    rille.tenant.run({ id = 1 }, function()
      local e = refused("unique_violation", Own.upsert, Own, some(100), "title")
      assert.matches("^row 77 of 100: .*not the current tenant's", e.message)
      assert.equal(0, Own:count())
      local rows = some(100)
      rows[77].title = "mine"
      assert.equal(100, Own:upsert(rows, "title"))
      assert.equal(100, Own:upsert(rows, "title"))
      assert.equal(100, Own:count())
    end)
  end)
end)
