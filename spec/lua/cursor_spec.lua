--- cursor_spec: what a cursor shows while its loop, or somebody else, writes.
local world = require "spec.support.world"

describe("a cursor", function()
  local rille = world.rille
  local Post, db, _

  before_each(function()
    Post, _, db = world.blog({ timestamps = false })
    db:execute "create index posts_by_views on posts (views)"
    local rows = {}
    for i = 1, 40 do rows[i] = { title = "post " .. i, views = i } end
    Post:insert(rows)
  end)

  --- Each post once, with the values that it had when the cursor was opened.
  local function assert_as_it_was(seen)
    assert.equal(40, #seen)
    for i, each in ipairs(seen) do assert.same({ i, "post " .. i }, each) end
  end

  --- What a loop reads that does something with each post.
  local function read(step)
    local seen = {}
    for post in Post:where("views", "<", 1000):order_by("views"):cursor() do
      seen[#seen + 1] = { post.views, post.title }
      assert.is_true(#seen <= 200, "the loop does not end")
      step(post, #seen)
    end
    return seen
  end

  local WRITES <const> = {
    ["moves each row on in its order"] = function(post) post:increment("views", 100) end,
    ["changes a value"] = function(post) post:update { title = "changed" } end,
    ["deletes each row"] = function(post) post:delete() end,
    ["changes all rows at once"] = function() Post:where("id", ">", 0):increment("views", 7) end,
    ["deletes all rows at once"] = function(_, n) if n == 3 then Post:where("id", ">", 0):delete() end end,
    ["adds rows"] = function(post) Post:create { title = "new", views = post.views + 50 } end,
    ["writes in transactions"] = function(post)
      rille.transaction(function() post:increment("views", 100) end)
    end,
    ["writes in transactions that are rolled back"] = function(post)
      pcall(rille.transaction, function()
        post:increment("views", 100)
        error "not today"
      end)
    end,
    ["reads with another cursor and writes there"] = function(_, n)
      if n > 2 then return end
      for other in Post:order_by("id"):cursor() do other:increment("views", 100) end
    end,
  }

  for name, step in pairs(WRITES) do
    it("whose loop " .. name .. " shows what was there when it was opened", function()
      assert_as_it_was(read(step))
    end)

    it("whose loop " .. name .. " shows it in a transaction, too", function()
      local before = Post:order_by("id"):pluck("views")
      pcall(rille.transaction, function()
        assert_as_it_was(read(step))
        error "all back"
      end)
      assert.same(before, Post:order_by("id"):pluck("views"))
    end)
  end

  it("shows in a transaction what that has written before", function()
    rille.transaction(function()
      Post:where("views", ">", 38):delete()
      Post:create { title = "last", views = 39 }
      local seen = read(function(post) post:increment("views", 100) end)
      assert.equal(39, #seen)
      assert.same({ 39, "last" }, seen[39])
    end)
  end)

  it("shows in a transaction what a level of it wrote that is rolled back meanwhile", function()
    local seen = {}
    rille.transaction(function()
      local walk
      pcall(rille.transaction, function()
        for i = 41, 50 do Post:create { title = "post " .. i, views = i } end
        walk = Post:order_by("views"):cursor()
        seen[1] = walk().views
        error "no"
      end)
      for post in walk do seen[#seen + 1] = post.views end
    end)
    assert.equal(50, #seen)
    assert.equal(40, Post:count())
  end)

  it("gives whole rows when what is collected in between writes", function()
    local long = ("long "):rep(2000)
    Post:where("id", ">", 0):update { body = long }
    local pause, writes = collectgarbage("setpause", 0), 0
    for post in Post:order_by("id"):cursor() do
      setmetatable({}, { __gc = function()
        writes = writes + 1
        Post:where("id", 40):update { body = "short " .. writes }
      end })
      assert.equal(long, post.body)
      assert.equal("post " .. post.id, post.title)
    end
    collectgarbage("setpause", pause)
    collectgarbage()
    assert.is_true(writes > 0)
  end)

  it("that was left early does not keep the table from being changed", function()
    for post in Post:order_by("views"):cursor() do
      if post.views == 3 then break end
    end
    collectgarbage()
    db:execute "drop index posts_by_views"
    db:execute "alter table posts add column more text"
    assert.equal(40, Post:count())
  end)
end)
