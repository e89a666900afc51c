--- reader_spec: connections of a SQLite file that only read: who gets them, and what they show.
local world = require "spec.support.world"
local project = require "spec.support.project"
local rille = world.rille

describe("a file that is read beside whoever writes", function()
  local Post, db, path, folder

  local function open(settings)
    rille.close()
    require "rille.model".forget_all()
    settings = settings or {}
    settings.driver, settings.database = "sqlite", path
    rille.configure { connections = { main = settings } }
    db = rille.db()
    Post = rille.model("Post", { timestamps = false })
  end

  before_each(function()
    folder = project.new {}
    path = folder.path .. "/app.db"
    open()
    db:execute "create table posts (id integer primary key, title text not null, views integer not null default 0)"
    for i = 1, 6 do Post:create { title = "post " .. i, views = i } end
  end)

  after_each(function()
    rille.close()
    folder:remove()
  end)

  local function connections() return db._core:stats().connections end

  --- How many times the process has the file open to read only.
  local function readers()
    local list <close> = assert(io.popen(([[for fd in /proc/$PPID/fd/*; do
      [ "$(readlink "$fd")" = %q ] && grep -h flags "/proc/$PPID/fdinfo/${fd##*/}"; done]]):format(path)))
    local count = 0
    for line in list:lines() do
      if tonumber(line:match "%d+", 8) & 3 == 0 then count = count + 1 end
    end
    return count
  end

  --- Another process says something to the file.
  local function elsewhere(sql) assert.is_true(os.execute(("sqlite3 -batch %q %q >/dev/null"):format(path, sql))) end

  it("has none before a cursor is opened, and gives each that is open one of its own", function()
    Post:all()
    assert.same({ 1, 0 }, { connections(), readers() })
    for _ in Post:cursor() do
      for _ in Post:cursor() do assert.same({ 3, 2 }, { connections(), readers() }) end
    end
    for _ in Post:cursor() do assert.equal(3, connections()) end
  end)

  it("shows in the loop of a cursor what others commit meanwhile, and in the cursor what was there", function()
    local seen = {}
    for post in Post:order_by("id"):cursor() do
      elsewhere(("update posts set title = 'changed' where id = %d"):format(7 - post.id))
      seen[#seen + 1] = post.title
      assert.equal("changed", Post:find(7 - post.id).title)
      Post:where("id", post.id):increment("views")
    end
    assert.same({ "post 1", "post 2", "post 3", "post 4", "post 5", "post 6" }, seen)
    assert.equal(21 + 6, Post:sum("views"))
  end)

  it("is written in a transaction of the loop, which sees its own", function()
    for post in Post:order_by("id"):cursor() do
      rille.transaction(function()
        post:increment("views", 100)
        assert.equal(post.id + 100, Post:find(post.id).views)
        for inner in Post:where("views", ">", 100):order_by("id"):cursor() do assert.is_true(inner.id <= post.id) end
      end)
    end
    assert.equal(21 + 600, Post:sum("views"))
  end)

  it("waits in the loop for another process that writes, as elsewhere", function()
    for post in Post:where("id", 1):cursor() do
      os.execute(([[(printf 'begin immediate;\n'; sleep 0.4; printf 'commit;\n') | sqlite3 -batch %q &]]):format(path))
      os.execute "sleep 0.15"
      post:update { title = "waited" }
    end
    assert.equal("waited", Post:find(1).title)
  end)

  it("is read by other coroutines beside a transaction on connections that only read", function()
    local other = coroutine.create(function()
      for _ = 1, 3 do
        assert.equal("post 1", Post:find(1).title)
        assert.same({ 6, true, 6 }, { Post:count(), Post:where("id", 1):exists(), #Post:all() })
        coroutine.yield()
      end
    end)
    rille.transaction(function()
      Post:find(1):update { title = "not yet" }
      Post:create { title = "not yet" }
      for _ = 1, 3 do
        assert(coroutine.resume(other))
        assert.same({ 2, 1 }, { connections(), readers() })
      end
    end)
    assert.equal(7, Post:count())
  end)

  it("shows who wrote elsewhere what they wrote, whatever cursor is open", function()
    local walk = Post:order_by("id"):cursor()
    walk()
    local co = coroutine.wrap(function()
      Post:find(2):update { title = "mine" }
      local mine = { Post:find(2).title, Post:where("title", "mine"):count() }
      for post in Post:where("id", 2):cursor() do mine[3] = post.title end
      return mine
    end)
    assert.same({ "mine", 1, "mine" }, co())
    assert.equal("post 2", walk().title)
  end)

  it("reads on its one connection what no other one sees", function()
    db:execute "create temp table chosen (id integer primary key)"
    db:execute "insert into chosen values (2), (4)"
    local ids = {}
    for post in Post:where_raw("id in (select id from temp.chosen)"):order_by("id"):cursor() do
      ids[#ids + 1] = post.id
      db:execute "delete from chosen"
    end
    assert.same({ 2, 4 }, ids)
    assert.equal(1, connections())
    db:execute "drop table temp.chosen"
    for _ in Post:cursor() do assert.equal(2, connections()) end
    db:execute(("attach %q as beside"):format(folder.path .. "/beside.db"))
    for _ in Post:cursor() do assert.equal(2, connections()) end
    db:execute "create table beside.chosen as select 3 as id"
    for post in Post:where_raw("id in (select id from beside.chosen)"):cursor() do assert.equal(3, post.id) end
  end)

  it("reads as a pragma says that was set meanwhile", function()
    for _ in Post:where("id", 1):cursor() do assert.equal(2, connections()) end
    db:execute "pragma case_sensitive_like = on"
    for _ in Post:where_raw("title like 'POST%'"):cursor() do error "a row" end
    assert.equal(1, connections())
  end)

  it("may be taken out of the log, and put back", function()
    for _ in Post:cursor() do assert.equal(2, connections()) end
    assert.equal("delete", db:query "pragma journal_mode = delete"[1].journal_mode)
    for post in Post:order_by("id"):cursor() do post:increment("views") end
    assert.same({ 1, 27 }, { connections(), Post:sum("views") })
    assert.equal("wal", db:query "pragma journal_mode = wal"[1].journal_mode)
  end)

  for name, settings in pairs {
    ["no log"] = { journal_mode = "delete" },
    ["a file of its own"] = { pragmas = { locking_mode = "exclusive" } },
    ["pragmas that write"] = { pragmas = { user_version = 7 } },
  } do
    it("has none with " .. name .. ", and its cursors show the same", function()
      open(settings)
      local started = os.time()
      local seen = {}
      for post in Post:order_by("views"):cursor() do
        post:increment("views", 10)
        seen[#seen + 1] = post.title
      end
      assert.same({ "post 1", "post 2", "post 3", "post 4", "post 5", "post 6" }, seen)
      assert.equal(1, connections())
      assert.is_true(os.time() - started < 3)
    end)
  end

  it("has some left to write where many cursors are open", function()
    local open_ones = {}
    for i = 1, 40 do
      open_ones[i] = Post:order_by("id"):cursor()
      assert.equal(1, open_ones[i]().id)
    end
    assert.is_true(connections() <= 9)
    local co = coroutine.create(function()
      rille.transaction(function()
        Post:find(1):increment("views", 10)
        coroutine.yield()
      end)
    end)
    assert(coroutine.resume(co))
    assert.equal(1, Post:find(1).views)
    assert(coroutine.resume(co))
    for i = 1, 40 do assert.equal("post 2", open_ones[i]().title) end
    assert.equal(11, Post:find(1).views)
  end)

  it("closes those that nobody reads on to make room for who writes", function()
    local walks = {}
    for i = 1, 8 do walks[i] = Post:cursor() walks[i]() end
    for i = 1, 8 do repeat until not walks[i]() end
    assert.equal(9, connections())
    local levels = {}
    for i = 1, 16 do
      levels[i] = coroutine.create(function()
        db._core:begin "deferred"
        assert.equal(6, Post:count())
        coroutine.yield()
        db._core:commit()
      end)
      assert(coroutine.resume(levels[i]))
    end
    assert.equal(16, connections())
    for i = 1, 16 do assert(coroutine.resume(levels[i])) end
  end)

  it("is written where its cursor reads when two may write and there is no log", function()
    open { journal_mode = "delete", busy_timeout_ms = 0 }
    local level = coroutine.create(function()
      rille.transaction(coroutine.yield)
    end)
    assert(coroutine.resume(level))
    assert.equal(6, Post:count())
    assert(coroutine.resume(level))
    assert.equal(2, connections())
    for post in Post:order_by("id"):cursor() do post:increment("views") end
    assert.equal(27, Post:sum("views"))
  end)

  it("goes on to have them when somebody asked how it is opened", function()
    assert.equal("wal", db:query "pragma journal_mode"[1].journal_mode)
    for _ in Post:cursor() do assert.equal(2, connections()) end
    db:query "pragma journal_mode"
    assert.equal(2, connections())
  end)

  it("leaves no log behind when it is closed, not even under a cursor", function()
    local walk = Post:cursor()
    walk()
    Post:create { title = "more" }
    rille.close()
    assert.is_nil(io.open(path .. "-wal"))
    assert.is_false((pcall(walk)))
    open()
    assert.equal(7, Post:count())
  end)
end)
