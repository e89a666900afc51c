--- pooled_spec: databases that lose their files while nothing goes on in them; whoever uses them does not notice.
local core = require "rille.core"
local rille = require "rille"

local root

local function files_open()
  local count = 0
  for _ in ipairs(assert(core.list_directory "/proc/self/fd")) do count = count + 1 end
  return count
end

local function open(name) return core.open { database = root .. "/" .. name, pooled = true } end

describe("a pooled database", function()
  before_each(function()
    root = os.tmpname()
    os.remove(root)
    assert(core.make_directory(root))
    core.pool_configure { max = 2, wait_ms = 50, idle_ms = 60000 }
  end)
  after_each(function()
    collectgarbage()
    collectgarbage()
    for _, name in ipairs(core.list_directory(root)) do os.remove(root .. "/" .. name) end
    os.remove(root)
    core.pool_configure { max = 500, wait_ms = 5000, idle_ms = 60000 }
  end)

  it("goes on after it was closed for others", function()
    local all = {}
    for i = 1, 10 do
      all[i] = open(i .. ".db")
      all[i]:execute "create table t (n integer)"
    end
    for turn = 1, 3 do
      for i = 1, 10 do all[i]:execute("insert into t values (?)", { turn * i }) end
    end
    for i = 1, 10 do assert.equal(6 * i, all[i]:query "select sum(n) as n from t"[1].n) end
    local stats = core.pool_stats()
    assert.same({ 2, 2, 2 }, { stats.open, stats.idle, stats.limit })
  end)

  it("has no file open while it is out", function()
    local before = files_open()
    local all = {}
    for i = 1, 50 do
      all[i] = open(i .. ".db")
      all[i]:execute "create table t (n integer)"
    end
    assert.is_true(files_open() <= before + 8)
    all = nil                                              -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.equal(before, files_open())
    assert.equal(0, core.pool_stats().open)
  end)

  it("is closed when nothing went on in it for a while, without being asked", function()
    core.pool_configure { max = 50, wait_ms = 50, idle_ms = 50 }
    local before, all = files_open(), {}
    for i = 1, 10 do
      all[i] = open(i .. ".db")
      all[i]:execute "create table t (n integer)"
    end
    all[1]:begin()
    for _ = 1, 200 do
      if core.pool_stats().open == 1 then break end
      core.pause(10)
    end
    assert.equal(1, core.pool_stats().open)
    assert.is_true(files_open() <= before + 4)
    all[1]:execute "insert into t values (7)"
    all[1]:commit()
    for i = 1, 10 do assert.equal(i == 1 and 1 or 0, #all[i]:query "select * from t") end
  end)

  it("stays while a transaction is open, and only so long", function()
    local first, second, third = open "1.db", open "2.db", open "3.db"
    first:begin()
    first:execute "create table t (n integer)"
    for _ = 1, 3 do
      second:query "select 1"
      third:query "select 1"
    end
    first:commit()
    assert.equal(0, core.pool_stats().pinned)
    second:query "select 1"
    third:query "select 1"
    assert.same({}, (first:query "select * from t"))
  end)

  it("stays while a cursor is read", function()
    local Handle = require "rille.handle"
    local db = Handle.new("one", { driver = "sqlite", database = root .. "/1.db", pooled = true })
    db:execute "create table t (id integer primary key)"
    db:execute "insert into t values (1), (2), (3)"
    local second, third, seen = open "2.db", open "3.db", 0
    for row in db:table("t"):cursor() do
      second:query "select 1"
      third:query "select 1"
      seen = seen + row.id
    end
    assert.equal(6, seen)
    assert.equal(0, core.pool_stats().pinned)
    local next_row = db:table("t"):cursor()
    next_row()
    assert.equal(1, core.pool_stats().pinned)
    next_row = nil                                         -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.equal(0, core.pool_stats().pinned)
  end)

  it("is not held by a call that failed in a coroutine that was only resumed", function()
    local all = {}
    for i = 1, 10 do
      all[i] = open(i .. ".db")
      local co = coroutine.create(function()
        return all[i]:query "select abs(-9223372036854775807 - column1) from (values (0), (1))"
      end)
      local ok, e = coroutine.resume(co)                  -- which closes nothing of what the coroutine left
      assert.is_false(ok)
      assert.is_truthy(rille.is_error(e), tostring(e))
    end
    for i = 1, 10 do assert.equal(i, all[i]:query(("select %d as n"):format(i))[1].n) end
  end)

  it("waits for a lock each time that it is copied into", function()
    local holder <close> = open "a.db"
    local source <close> = open "b.db"
    local target <close> = core.open { database = root .. "/a.db", busy_timeout_ms = 60 }
    holder:execute "create table t (n integer)"
    source:execute "create table u (n integer)"
    holder:begin "immediate"
    for _ = 1, 3 do
      local started = core.monotonic_ms()
      local ok, e = pcall(target.copy, target, source)
      assert.same({ false, "busy" }, { ok, e.kind })
      assert.is_true(core.monotonic_ms() - started >= 50)
    end
    holder:rollback()
  end)

  it("says when transactions hold all there may be, and serves again when one ends", function()
    local first, second, third = open "1.db", open "2.db", open "3.db"
    first:begin()
    second:begin()
    local ok, e = pcall(third.query, third, "select 1")
    assert.is_false(ok)
    assert.same({ "busy", "tenant pool exhausted: 2 connections are held by transactions and cursors" },
      { e.kind, e.message })
    second:rollback()
    assert.equal(1, third:query "select 1 as n"[1].n)
    first:rollback()
  end)

  it("lets a guard of an earlier connection undo nothing of a later one", function()
    local db = open "1.db"
    db:execute "create table t (n integer)"
    for _ = 1, 20 do
      db:begin()
      local guard = { db:guard() }
      db:commit()
      open("2.db"):query "select 1"
      open("3.db"):query "select 1"
      db:begin()
      db:execute "insert into t values (1)"
      table.remove(guard)
      collectgarbage()
      db:commit()
    end
    assert.equal(20, db:query "select count(*) as n from t"[1].n)
  end)

  it("is not made anew when its file is gone", function()
    local db = open "1.db"
    db:execute "create table t (n integer)"
    open("2.db"):query "select 1"
    open("3.db"):query "select 1"
    os.remove(root .. "/1.db")
    local ok, e = pcall(db.query, db, "select 1")
    assert.is_false(ok)
    assert.is_true(rille.is_error(e, "connection_lost"))
    assert.is_nil(core.file_size(root .. "/1.db"))
  end)

  describe("removed", function()
    it("is gone with the files beside it", function()
      local db = open "1.db"
      db:execute "create table t (n integer)"
      assert.is_not_nil(core.file_size(root .. "/1.db-wal"))
      core.pool_remove(root .. "/1.db")
      assert.same({}, core.list_directory(root))
    end)

    it("is refused while something goes on in it", function()
      local db = open "1.db"
      db:execute "create table t (n integer)"
      db:begin()
      local ok, e = pcall(core.pool_remove, root .. "/1.db")
      assert.same({ false, "busy" }, { ok, e.kind })
      db:rollback()
      assert.same({}, (db:query "select * from t"))
    end)

    it("is refused while somebody outside of the pool has it open", function()
      local other = core.open { database = root .. "/1.db" }
      other:execute "create table t (n integer)"
      local ok, e = pcall(core.pool_remove, root .. "/1.db")
      assert.same({ false, "busy" }, { ok, e.kind })
      assert.same({}, (other:query "select * from t"))
      other:close()
      core.pool_remove(root .. "/1.db")
    end)

    it("may be no database at all", function()
      local file = assert(io.open(root .. "/1.db", "wb"))
      file:write(("no database"):rep(1000))
      file:close()
      core.pool_remove(root .. "/1.db")
      local ok, e = pcall(core.pool_remove, root .. "/1.db")
      assert.same({ false, "not_found" }, { ok, e.kind })
    end)
  end)

  it("may not grow beyond max_bytes", function()
    local db = core.open { database = root .. "/1.db", pooled = true, max_bytes = 64 * 1024 }
    db:execute "create table t (data blob)"
    local ok, e = pcall(function()
      for _ = 1, 100 do db:execute "insert into t values (randomblob(2000))" end
    end)
    assert.same({ false, "disk_full" }, { ok, e.kind })
    assert.is_truthy(e.message:find("max_bytes is 65536", 1, true))
    local rows = db:query "select count(*) as n from t"[1].n
    assert.is_true(rows > 10 and rows < 32)
  end)
end)
