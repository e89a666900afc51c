--- handle_spec: handles on real databases: statements, transactions of several coroutines, health.
local config = require "rille.config"
local database = require "rille.database"
local rille = require "rille"

local files = {}

--- A path for a database that is gone after the spec.
local function new_path()
  local path = os.tmpname()
  os.remove(path)
  files[#files + 1] = path
  return path
end

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e
end

describe("a handle", function()
  local db
  before_each(function()
    db = rille.connect(new_path())
    db:execute "create table posts (id integer primary key, title text not null unique, views integer default 0)"
  end)
  after_each(function()
    rille.close()
    config.clear()
    for _, path in ipairs(files) do
      for _, ending in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. ending) end
    end
    files = {}
  end)

  local function titles()
    return table.concat(db:query "select title from posts order by id":pluck "title", " ")
  end
  local function add(title) return db:execute("insert into posts (title) values (?)", title) end

  describe("runs statements", function()
    it("with values by position and by name, and tells what changed", function()
      assert.same({ changes = 1, last_id = 1 }, add "a")
      assert.same({ changes = 2, last_id = 3 },
        db:execute("insert into posts (title) values (:x), (:y)", { x = "it's", y = "?" }))
      local rows, names = db:query("select id, title, ? as word, nullif(views, 0) as none from posts where id >= ?",
        "??", 2)
      assert.same({ { id = 2, title = "it's", word = "??" }, { id = 3, title = "?", word = "??" } }, rows)
      assert.same({ "id", "title", "word", "none" }, names)
      assert.same({ changes = 3, last_id = 3 }, db:execute("update posts set views = :n", { n = rille.null }))
    end)

    it("one at a time", function()
      local e = refused(db.execute, db, "delete from posts; drop table posts")
      assert.equal("invalid_argument", e.kind)
      assert.same({ "posts" }, db:tables())
    end)

    it("and binds what looks like SQL", function()
      add "x'); drop table posts; --"
      assert.equal("x'); drop table posts; --", titles())
    end)

    it("and describes what there is", function()
      assert.equal("posts", db:describe("posts").name)
      assert.is_nil(db:describe "absent")
      assert.equal("describe: wants the name of a table, got nil", refused(db.describe, db).message)
    end)
  end)

  it("answers with a status where nothing may raise", function()
    add "a"
    local function status(...)
      local result = db:result(...)
      return result.status, result.error.kind
    end
    assert.same({ 409, "unique_violation" }, { status("insert into posts (title) values (?)", "a") })
    assert.same({ 422, "not_null_violation" }, { status("insert into posts (title) values (?)", rille.null) })
    assert.same({ 400, "no_such_table" }, { status "select * from absent" })
    assert.same({ 400, "syntax" }, { status "selec 1" })
    assert.same({ { title = "a" } }, db:result("select title from posts").json)
    assert.equal(1, db:result("delete from posts").changes)
    assert.same({ { id = 9 } }, db:result("insert into posts (id, title) values (9, 'z') returning id").json)
  end)

  describe("runs transactions", function()
    it("of which all happens or nothing", function()
      assert.equal("done", db:transaction(function() add "a" return "done" end))
      refused(db.transaction, db, function() add "b" error "no" end)
      assert.equal("a", titles())
    end)

    it("with savepoints inside", function()
      db:transaction(function()
        add "a"
        refused(db.transaction, db, function()
          add "b"
          db:transaction(function() add "c" end)
          error "no"
        end)
        db:transaction(function() add "d" end)
      end)
      assert.equal("a d", titles())
    end)

    it("that roll back when their scope is left", function()
      do
        local tx <close> = rille.begin()
        add "a"
        do
          local inner <close> = db:begin()      -- luacheck: ignore 211
          add "b"
        end
        tx:commit()
      end
      do
        local tx <close> = rille.begin()        -- luacheck: ignore 211
        add "c"
      end
      assert.equal("a", titles())
    end)

    it("that go on after a statement in them failed and was expected", function()
      db:transaction(function()
        add "a"
        assert.equal("unique_violation", refused(add, "a").kind)
        add "b"
      end)
      assert.equal("a b", titles())
    end)

    it("whose rollback by the database itself is noticed", function()
      local e = refused(db.transaction, db, function()
        add "a"
        pcall(db.execute, db, "insert or rollback into posts (title) values ('a')")
        add "b"
      end)
      assert.equal("transaction_aborted", e.kind)
      assert.equal("", titles())
      add "c"
      assert.equal("c", titles())
    end)
  end)

  describe("keeps coroutines apart", function()
    local function in_transaction(title)
      local co = coroutine.create(function()
        db:transaction(function()
          add(title)
          coroutine.yield()
        end)
      end)
      assert(coroutine.resume(co))
      return co
    end

    it("so that one does not see what another has not committed", function()
      local other = in_transaction "a"
      assert.equal("", titles())
      assert(coroutine.resume(other))
      assert.equal("a", titles())
    end)

    it("and finds a database in memory busy", function()
      db = rille.connect ":memory:"
      db:execute "create table posts (id integer primary key, title text)"
      local other = in_transaction "a"
      assert.equal("busy", refused(titles).kind)
      assert(coroutine.resume(other))
      assert.equal("a", titles())
    end)

    it("so that a cursor of one does not see what another writes in a transaction", function()
      for _, title in ipairs { "a", "b", "c" } do add(title) end
      local read = db:table "posts":order_by "id":cursor()
      assert.equal("a", read().title)
      local other = coroutine.wrap(function()
        db:transaction(function()
          db:execute "update posts set title = title || '!'"
          coroutine.yield()
        end)
      end)
      other()
      assert.equal("b", read().title)
      assert.equal("a b c", titles())
      other()
      assert.equal("c", read().title)
      assert.is_nil(read())
      assert.equal("a! b! c!", titles())
    end)

    it("so that nobody else reads at the moment of a cursor once something was committed beside it", function()
      for _, title in ipairs { "a", "b" } do add(title) end
      local reading = coroutine.create(function()
        for row in db:table "posts":order_by "id":cursor() do coroutine.yield(row.title) end
      end)
      assert(coroutine.resume(reading))
      db:transaction(function() db:execute "update posts set title = 'n' where id = 1" end)
      assert.equal("n b", titles())
      local title = db:table "posts":where("id", 1):value "title"
      db:transaction(function() db:execute("update posts set title = ? where id = 1", title .. "!") end)
      db:execute "update posts set views = 7 where id = 2"
      assert.same({ "n! b", 7 }, { titles(), db:table "posts":where("id", 2):value "views" })
      local _, second = assert(coroutine.resume(reading))
      assert.equal("b", second)                            -- the cursor itself goes on where it was
      coroutine.close(reading)
      assert.equal("n! b", titles())
    end)

    it("and finds a database in memory busy while another's cursor reads", function()
      db = rille.connect ":memory:"
      db:execute "create table posts (id integer primary key, title text)"
      add "a"
      local read, _, _, closes = db:table "posts":cursor()
      local e = refused(coroutine.wrap(function() db:transaction(function() add "b" end) end))
      assert.equal("busy", e.kind)
      assert.equal("a cursor of another coroutine holds the one connection of this in-memory database", e.message)
      db:transaction(function() add "c" end)               -- its own coroutine is not kept out
      assert.equal("a", read().title)
      getmetatable(closes).__close(closes)
      coroutine.wrap(function() db:transaction(function() add "b" end) end)()
      assert.equal("a c b", titles())
    end)

    it("and takes back what a coroutine left that nobody will resume", function()
      local other = in_transaction "a"
      assert.equal("suspended", coroutine.status(other))
      other = nil                                                -- luacheck: ignore 311
      collectgarbage()
      collectgarbage()
      add "b"
      assert.equal("b", titles())
    end)

    it("and waits for nobody's after_commit but its own", function()
      local ran = {}
      local function later(name) rille.after_commit(function() ran[#ran + 1] = name end) end
      local other = coroutine.wrap(function()
        db:transaction(function() later "theirs" coroutine.yield() end)
      end)
      other()
      db:snapshot(function() later "ours" end)
      assert.same({ "ours" }, ran)
      other()
      assert.same({ "ours", "theirs" }, ran)
    end)
  end)

  describe("closed while it is read", function()
    local ROWS <const>, BYTES <const> = 2000, 10000       -- enough garbage for collections among the rows

    -- Closes the handle in a finalizer, at the next collection; busted runs in generations, which come as they please.
    local mode
    local function close_when_collected()
      collectgarbage()
      mode = collectgarbage("incremental", 100)
      setmetatable({}, { __gc = function() db:close() end })
    end
    local function check(row, i)
      if row.id ~= i or #row.title ~= BYTES or tonumber(row.title) ~= i then
        error(("row %d is not what was written"):format(i))
      end
    end
    after_each(function()
      if mode then collectgarbage(mode) end
      mode = nil
    end)
    before_each(function()
      db:execute(([[insert into posts (id, title)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
        select i, printf('%%0%dd', i) from n]]):format(ROWS, BYTES))
    end)

    it("ends the read first", function()
      local core = db:_connect()
      close_when_collected()
      local rows = core:query("select id, title from posts order by id", {})
      assert.is_true(db.closed)
      assert.equal(ROWS, #rows)
      for i, row in ipairs(rows) do check(row, i) end
    end)

    it("ends the row of a cursor first, then the cursor", function()
      local read, count = db:table "posts":order_by "id":cursor(), 0
      close_when_collected()
      local e = refused(function()
        for row in read do
          count = count + 1
          check(row, count)
        end
      end)
      assert.equal("the cursor is closed", e.message)
      assert.is_true(db.closed and count > 0)
    end)

    it("closes the cursor at once when no row is being made", function()
      local read = db:table "posts":cursor()
      read()
      db:close()
      assert.equal("the cursor is closed", refused(read).message)
    end)
  end)

  it("reads at one moment in a snapshot", function()
    add "a"
    local other = database.get()
    local before, after = rille.snapshot(function()
      local first = titles()
      coroutine.wrap(function() other:execute("insert into posts (title) values (?)", "b") end)()
      return first, titles()
    end)
    assert.same({ "a", "a" }, { before, after })
    assert.equal("a b", titles())
  end)

  describe("tells its health", function()
    it("of a database that can be written", function()
      local health = db:health()
      assert.same({ true, true, "wal", true }, { health.ok, health.writable, health.journal_mode, health.foreign_keys })
      assert.is_true(health.ms >= 0 and health.size_bytes > 0)
      assert.is_truthy(health.version:find "^3%.")
    end)

    it("inside a transaction, which it leaves alone", function()
      db:transaction(function()
        add "a"
        assert.is_true(db:health().writable)
      end)
      assert.equal("a", titles())
    end)

    it("of one that is read-only, being written, or not there", function()
      local path = db.settings.database
      local read_only = rille.connect(path, { readonly = true })
      assert.same({ true, false }, { read_only:health().ok, read_only:health().writable })
      assert.equal("readonly", refused(read_only.execute, read_only, "delete from posts").kind)

      config.configure { default = "a", connections = {
        a = { database = path, busy_timeout_ms = 0 }, b = { database = path, busy_timeout_ms = 0 } } }
      database.get("a"):transaction(function()
        local health = database.get("b"):health()
        assert.same({ true, true, true }, { health.ok, health.writable, health.locked })
      end)

      local missing = rille.connect "/nowhere/at/all.db"
      assert.is_false(missing:health().ok)
      assert.is_string(missing:health().error.message)
    end)
  end)

  it("says that it was closed", function()
    rille.close()
    assert.equal('connection "main" was closed', refused(db.query, db, "select 1").message)
    assert.equal("rille.close() ended all connections", refused(rille.db).message)
  end)
end)
