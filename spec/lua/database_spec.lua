--- database_spec: handles without a database behind them: what they ask, tell and answer.
local recording = require "spec.support.recording"
local Error = require "rille.error"
local config = require "rille.config"
local database = require "rille.database"
local hook = require "rille.hook"
local refused = require "spec.support.refused"

describe("database", function()
  local db, core, handle
  before_each(function()
    db = recording()
    core, handle = db.core, db.handle
  end)

  describe("get", function()
    it("gives one handle for each name and opens nothing", function()
      config.configure { default = "a", connections = { a = "a.db", b = "b.db" } }
      assert.equal(database.get(), database.get "a")
      assert.is_false(rawequal(database.get(), database.get "b"))
      assert.equal(0, #core.opened)
    end)

    it("knows the names it has", function()
      config.configure { default = "main", connections = { main = "a.db", warehouse = "b.db" } }
      assert.equal('the configuration has no connection "warehose"\n  hint: did you mean "warehouse"?',
        tostring(refused(database.get, "warehose")))
      assert.equal("db: wants the name of a connection, got 1 (integer)", refused(database.get, 1).message)
    end)

    it("passes the settings on when the connection is first used", function()
      config.connect("app.db", { synchronous = "normal", busy_timeout_ms = 10, pragmas = { temp_store = 2 } })
      database.get():query "select 1"
      database.get():query "select 1"
      assert.equal(1, #core.opened)
      assert.same({ name = "main", driver = "sqlite", database = "app.db", synchronous = "normal", busy_timeout_ms = 10,
        pragmas = { temp_store = 2 } }, core.opened[1].options)
    end)

    it("opens a database of a server, whose password is never shown", function()
      local warehouse = config.connect("postgresql://me:s3cret@host/app?password=s3cret", { statement_timeout_ms = 5,
        pool = { max = 4 } })
      warehouse:_connect()
      assert.same({ name = "main", driver = "postgres", url = "postgresql://me:s3cret@host/app?password=s3cret",
        statement_timeout_ms = 5, max_connections = 4 }, core.opened[1].options)
      core.refuse_open = Error.new("connection_lost", "no")
      assert.equal("rille.Handle: main (postgresql://me@host/app?password=...)", tostring(warehouse))
      assert.equal("postgresql://me@host/app?password=...", warehouse:health().database)
    end)

    it("opens again when the first time failed", function()
      core.refuse_open = Error.new("busy", "no")
      assert.equal("no", refused(handle.query, handle, "select 1").message)
      core.refuse_open = nil
      assert.same({}, (handle:query "select 1"))
    end)
  end)

  describe("close", function()
    it("closes every connection, and says so to who goes on", function()
      handle:query "select 1"
      database.close()
      assert.is_true(core.opened[1].closed)
      assert.equal('connection "main" was closed', refused(handle.query, handle, "select 1").message)
      assert.equal("rille.close() ended all connections\n  hint: rille.connect begins anew",
        tostring(refused(database.get)))
      database.close()
      config.connect ":memory:":query "select 1"
    end)
  end)

  it("query gives rows as a list of plain tables, and the names of the columns", function()
    core.answers = { { { id = 1, name = "a" }, { id = 2 } } }
    local rows, names = handle:query("select * from users where id < ? -- ?", 3)
    assert.same({ { id = 1, name = "a" }, { id = 2 } }, rows)
    assert.is_nil(getmetatable(rows[1]))
    assert.same({ 1, 2 }, rows:ids())
    assert.same({ "id", "name" }, names)
    assert.same({ n = 1, 3 }, db:params(1))
  end)

  it("execute tells what changed", function()
    core.answers = { { changes = 2, last_id = 7 } }
    assert.same({ changes = 2, last_id = 7 }, handle:execute("update t set a = :a", { a = 1 }))
    assert.same({ "update t set a = ?" }, db:statements())
  end)

  describe("result", function()
    it("says how it went, of a statement that is read and of one that is run", function()
      core.answers = { { { id = 1 } }, { changes = 3, last_id = 9 } }
      assert.same({ ok = true, status = 200, json = { { id = 1 } } }, handle:result "select 1")
      assert.same({ ok = true, status = 200, json = {}, changes = 3, last_id = 9 }, handle:result "update t set a = 1")
    end)

    it("has the status of an HTTP answer for every kind, and never raises", function()
      local allowed = { [400] = true, [404] = true, [409] = true, [422] = true, [500] = true, [503] = true }
      for _, kind in ipairs(Error.kinds) do
        core.answers = { Error.new(kind, "m") }
        local result = handle:result "select 1"
        assert.is_false(result.ok)
        assert.equal(kind, result.error.kind)
        assert.is_true(allowed[result.status], kind)
      end
      for kind, status in pairs { unique_violation = 409, check_violation = 422, syntax = 400, busy = 503,
        not_found = 404, corrupt = 500, script = 500 } do
        core.answers = { Error.new(kind, "m") }
        assert.equal(status, handle:result("select 1").status)
      end
    end)

    it("answers a caller's mistake and an error that is not ours", function()
      assert.equal(400, handle:result(nil).status)
      assert.equal(400, handle:result("select ?", nil).status)
      core.answers = { "plain" }
      local result = handle:result "select 1"
      assert.same({ 500, "script", "plain" }, { result.status, result.error.kind, result.error.message })
    end)
  end)

  describe("the event of a query", function()
    it("tells statement, values, rows and time", function()
      local heard = {}
      local stop = hook.on("query", function(info) heard[#heard + 1] = info end)
      core.answers = { { { id = 1 }, { id = 2 } }, { changes = 5 } }
      handle:query("select ?", 1)
      handle:execute "delete from t"
      stop()
      handle:query "select 1"
      assert.same({
        { sql = "select ?", params = { n = 1, 1 }, rows = 2, ms = 1, connection = "main" },
        { sql = "delete from t", params = { n = 0 }, rows = 5, ms = 1, connection = "main" },
      }, heard)
    end)
  end)

  describe("health", function()
    local function answers_of(...)
      local answers = {}
      for i, value in ipairs { ... } do answers[i] = { { value = value } } end
      return answers
    end

    it("tells what answers and how", function()
      core.answers = answers_of("3.40.1", "wal", 1, 10, 4096, 7)
      local health = handle:health()
      assert.is_true(health.ok)
      assert.same({ "sqlite", ":memory:", "wal", true },
        { health.driver, health.database, health.journal_mode, health.writable })
      assert.same({ 40960, "3.40.1" }, { health.size_bytes, health.version })
      assert.equal(1, health.ms)
      assert.same({ "begin immediate", "pragma user_version = 7", "rollback" },
        table.move(db:statements(), 7, 9, 1, {}))
    end)

    it("tells a database that cannot be written from one that is being written", function()
      core.answers = answers_of("3.40.1", "delete", 1, 1, 1, 7)
      core.answers[7] = Error.new("readonly", "no")
      assert.is_false(handle:health().writable)
      core.answers = answers_of("3.40.1", "wal", 1, 1, 1, 7)
      core.fail["begin immediate"] = Error.new("busy", "locked")
      local health = handle:health()
      assert.same({ true, true, true }, { health.ok, health.writable, health.locked })
    end)

    it("answers even when nothing does", function()
      core.refuse_open = Error.new("corrupt", "broken")
      local health = handle:health()
      core.refuse_open = nil
      assert.is_false(health.ok)
      assert.equal("corrupt", health.error.kind)
      assert.equal(":memory:", health.database)
    end)
  end)
end)
