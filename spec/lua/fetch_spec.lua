--- fetch_spec: whoever listens to "query" hears each statement once, with what it was; nobody else pays for it.
local world = require "spec.support.world"
local rille = world.rille
local heard, statements = world.heard, world.statements

describe("the event query", function()
  local Post, User, db
  before_each(function()
    Post, User, db = world.blog()
    User:insert { { name = "ann" }, { name = "bob" } }
    Post:insert { { title = "a", author_id = 1, views = 1 }, { title = "b", author_id = 1, views = 2 } }
  end)

  it("tells the SQL, the parameters, the time, the rows and the connection", function()
    local info = heard(function() Post:where("views", ">", 0):where("live", true):all() end)
    assert.equal(1, #info)
    assert.matches('^select .* where "views" > %? and "live" = %?$', world.marked(info[1].sql))
    assert.same({ 0, 1 }, table.move(info[1].params, 1, 2, 1, {}))
    assert.equal("number", type(info[1].ms))
    assert.is_true(info[1].ms >= 0 and info[1].ms < 10000)
    assert.equal(2, info[1].rows)
    assert.equal(db.name, info[1].connection)
    assert.is_nil(info[1].replica)
    assert.is_nil(info[1].tenant)
  end)

  it("tells whose statement it was, of models and of others", function()
    local acme = { id = 7, slug = "acme" }
    local info = heard(function()
      rille.tenant.run(acme, function()
        Post:count()
        db:query("select 1", { all_tenants = true })
      end)
      Post:count()
    end)
    assert.same({ acme, acme }, { info[1].tenant, info[2].tenant })
    assert.is_nil(info[3].tenant)
  end)

  it("is heard once for each end of a query, each write and each statement of one's own", function()
    local post = Post:find(1)
    for name, call in pairs {
      all = function() Post:all() end, first = function() Post:first() end, find = function() Post:find(1) end,
      count = function() Post:count() end, sum = function() Post:sum("views") end,
        exists = function() Post:exists() end,
      pluck = function() Post:pluck("title") end, value = function() Post:value("title") end,
      cursor = function() for _ in Post:cursor() do Post:columns() end end, explain = function() Post:explain() end,
      create = function() Post:create { title = "c" } end, insert = function() Post:insert { title = "d" } end,
      save = function() post:update { title = "x" } end, refresh = function() post:refresh() end,
      fresh = function() post:fresh() end, update = function() Post:where("id", 1):update { views = 1 } end,
      increment = function() Post:where("id", 1):increment("views") end,
        delete = function() Post:where("id", 2):delete() end,
      query = function() db:query("select 1") end, execute = function() db:execute("update posts set views = 3") end,
      cursor_paginate = function() Post:cursor_paginate { per_page = 1 } end,
    } do
      assert.equal(1, #statements(call), name)
    end
    assert.equal(2, #statements(function() Post:paginate(1, 1) end))
    assert.equal(2, #statements(function() post:increment("views") end))
    assert.same({}, statements(function()
      Post:where("id", 1):to_sql()
      post:save()
      return post.title
    end))
  end)

  it("tells how many rows were changed", function()
    assert.equal(2, heard(function() Post:unfiltered():update { views = 9 } end)[1].rows)
    assert.equal(1, heard(function() Post:where("id", 1):delete() end)[1].rows)
  end)

  it("hears what the database cannot prepare, by its text alone", function()
    local function query() db:query("select nonsense from posts where id = ?", 1) end
    local function execute() db:execute "insert into nowhere default values" end
    local function part() Post:where_raw("nonsense = ?", 1):all() end
    local heard_of = {}
    local stop = rille.on("query", function(info) heard_of[#heard_of + 1] = info end)
    for _, call in ipairs { query, execute, part } do assert.is_false((pcall(call))) end
    stop()
    assert.equal(3, #heard_of)
    for i, text in ipairs { "^select nonsense", "^insert into nowhere", "nonsense" } do
      assert.matches(text, heard_of[i].sql)
      assert.same({ {}, 0 }, { heard_of[i].params, heard_of[i].rows })
      assert.is_true(heard_of[i].ms >= 0 and heard_of[i].ms < 10000)
    end
  end)

  it("hears nothing of what was refused before any SQL", function()
    for kind, call in pairs {
      no_such_column = function() Post:where("nope", 1):all() end,
      invalid_argument = function() Post:where("views", "x"):all() end,
      unsafe_mutation = function() Post:delete() end,
      mass_assignment = function() Post:create { nope = 1 } end,
    } do
      assert.same({}, statements(world.refused, kind, call), kind)
    end
  end)

  it("hears of a statement that the database refused", function()
    User:create { name = "cid", email = "c@x" }
    local said = statements(world.refused, "unique_violation", User.create, User, { name = "dee", email = "c@x" })
    assert.equal(1, #said)
    assert.matches("^insert into", said[1])
    assert.equal(1, #statements(function() User:count() end))
  end)

  it("ends with the function that began it, and may be heard by several", function()
    local first, second = 0, 0
    local stop_first = rille.on("query", function() first = first + 1 end)
    local stop_second = rille.on("query", function() second = second + 1 end)
    Post:count()
    stop_first()
    Post:count()
    stop_second()
    Post:count()
    assert.same({ 1, 2 }, { first, second })
  end)

  it("may query itself, which it does not hear", function()
    local calls, inner = 0, nil
    local stop = rille.on("query", function()
      calls = calls + 1
      inner = Post:count()
    end)
    Post:find(1)
    stop()
    assert.same({ 1, 2 }, { calls, inner })
  end)

  it("passes on what a listener raises, after the statement", function()
    local stop = rille.on("query", function() error("mine", 0) end)
    local ok, e = pcall(Post.create, Post, { title = "c" })
    stop()
    assert.same({ false, "mine" }, { ok, e })
    assert.equal(3, Post:count())
  end)

  it("gives the same results heard or not", function()
    local function results()
      local page = Post:order_by("id"):paginate(1, 1)
      return { Post:order_by("id"):pluck("title"), Post:count(), Post:find(1).title, Post:find(9) or "none",
        page.total, Post:where("id", 2):update { views = 2 }, (Post:exists()) }
    end
    local silent, loud = results(), nil
    heard(function() loud = results() end)
    assert.same(silent, loud)
  end)
end)
