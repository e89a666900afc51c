--- transaction_spec: begin, commit, savepoints, retries, events and what waits for the commit.
local recording = require "spec.support.recording"
local Error = require "rille.error"
local hook = require "rille.hook"
local transaction = require "rille.transaction"

local function refused(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e
end

describe("transaction", function()
  local db, core, handle
  local function statements() return db:statements() end

  before_each(function()
    db = recording()
    core, handle = db.core, db.handle
    core.fail = {}
  end)

  describe("with a function", function()
    it("commits and returns what the function returns, nil ones too", function()
      local results = table.pack(handle:transaction(function(given)
        assert.equal(handle, given)
        given:execute "update t set a = 1"
        return nil, 2, nil
      end))
      assert.same({ n = 3, nil, 2, nil }, results)
      assert.same({ "begin immediate", "update t set a = 1", "commit" }, statements())
    end)

    it("rolls back and raises the very error, its traceback whole", function()
      local thrown = setmetatable({}, { __name = "thrown" })
      local function culprit() error(thrown) end
      local traceback
      local ok, e = xpcall(handle.transaction, function(e)
        traceback = debug.traceback()
        return e
      end, handle, function() culprit() end)
      assert.is_false(ok)
      assert.equal(thrown, e)
      assert.is_truthy(traceback:find("culprit", 1, true))
      assert.same({ "begin immediate", "rollback" }, statements())
      assert.same({ "begin immediate", "rollback", "begin immediate", "rollback" }, (function()
        refused(handle.transaction, handle, function() error(nil) end)
        return statements()
      end)())
    end)

    it("is a savepoint inside another", function()
      handle:transaction(function()
        handle:transaction(function() end)
        refused(handle.transaction, handle, function() error "inner" end)
      end)
      assert.same({ "begin immediate", "savepoint", "release", "savepoint", "rollback to", "commit" }, statements())
    end)

    it("lets the function yield", function()
      local step = coroutine.wrap(function()
        return handle:transaction(function() return coroutine.yield "inside" end)
      end)
      assert.equal("inside", step())
      assert.equal("done", step "done")
      assert.same({ "begin immediate", "commit" }, statements())
    end)

    it("rolls back when its coroutine is closed", function()
      local co = coroutine.create(function() handle:transaction(coroutine.yield) end)
      coroutine.resume(co)
      assert.is_true(coroutine.close(co))
      assert.same({ "begin immediate", "rollback" }, statements())
      assert.is_nil(transaction.innermost(handle))
    end)

    it("keeps the first error when the rollback fails", function()
      core.fail.rollback = Error.new("connection_lost", "gone")
      local e = refused(handle.transaction, handle, function() error("first", 0) end)
      assert.equal("first", e)
      assert.is_nil(transaction.innermost(handle))
      handle:transaction(function() end)
      assert.equal("commit", statements()[#statements()])
    end)

    it("rolls back when the commit fails, and raises why", function()
      core.fail.commit = Error.new("foreign_key_violation", "deferred")
      assert.equal("foreign_key_violation", refused(handle.transaction, handle, function() end).kind)
      assert.same({ "begin immediate", "commit", "rollback" }, statements())
    end)

    it("leaves nothing open when it cannot begin", function()
      core.fail["begin immediate"] = Error.new("busy", "locked")
      assert.equal("busy", refused(handle.transaction, handle, function() error "not reached" end).kind)
      assert.is_nil(transaction.innermost(handle))
    end)

    it("refuses to commit over a transaction that was left open inside", function()
      local e = refused(handle.transaction, handle, function() handle:begin() end)
      assert.equal("commit: a transaction begun inside this one is still open", e.message)
      assert.same({ "begin immediate", "savepoint", "rollback to", "rollback" }, statements())
    end)

    it("checks what it is given", function()
      assert.equal("transaction: wants a function, got nil", refused(handle.transaction, handle).message)
      assert.equal('transaction has no option "retreis"\n  hint: did you mean "retries"?',
        tostring(refused(handle.transaction, handle, print, { retreis = 1 })))
      assert.equal("transaction.isolation: wants one of serializable, repeatable_read, read_committed, "
        .. 'got "serialisable" (string)\n  hint: did you mean "serializable"?',
        tostring(refused(handle.transaction, handle, print, { isolation = "serialisable" })))
      assert.equal("transaction.retries: wants how often to try again, a whole number, got -1 (integer)",
        refused(handle.transaction, handle, print, { retries = -1 }).message)
      assert.same({}, statements())
      handle:transaction(function() end, { isolation = "serializable" })
      assert.same({ "begin immediate", "commit" }, statements())
    end)

    it("does not ask a read-only database for the right to write", function()
      local read_only = require "rille.config".connect("app.db", { readonly = true })
      read_only:transaction(function() end)
      assert.same({ "begin deferred", "commit" }, statements())
    end)
  end)

  describe("with retries", function()
    local function failing(times, kind)
      local calls = 0
      return function()
        calls = calls + 1
        if calls <= times then Error.raise(kind or "busy", "try " .. calls) end
        return calls
      end
    end

    it("tries again what the database asks to try again, as often as it was told", function()
      for _, kind in ipairs { "busy", "serialization_failure", "deadlock" } do
        assert.equal(3, handle:transaction(failing(2, kind), { retries = 2 }))
      end
      local e = refused(handle.transaction, handle, failing(3), { retries = 2 })
      assert.equal("try 3", e.message)
      assert.is_truthy(e.traceback:find("transaction_spec", 1, true))
    end)

    it("tries a transaction again that could not begin", function()
      core.fail["begin immediate"] = Error.new("busy", "locked")
      assert.equal(1, handle:transaction(failing(0), { retries = 1 }))
    end)

    it("raises anything else at once", function()
      local refuse = failing(1, "unique_violation")
      assert.equal("try 1", refused(handle.transaction, handle, refuse, { retries = 5 }).message)
      assert.equal("plain", refused(handle.transaction, handle, function() error("plain", 0) end, { retries = 5 }))
    end)

    it("leaves it to the outermost", function()
      local inner, outer = 0, 0
      handle:transaction(function()
        outer = outer + 1
        handle:transaction(function()
          inner = inner + 1
          if inner == 1 then Error.raise("busy", "m") end
        end, { retries = 5 })
      end, { retries = 1 })
      assert.same({ 2, 2 }, { inner, outer })
    end)

    it("never repeats what was committed", function()
      local calls = 0
      local e = refused(handle.transaction, handle, function()
        calls = calls + 1
        transaction.after_commit(function() Error.raise("busy", "afterwards") end)
      end, { retries = 5 })
      assert.equal("afterwards", e.message)
      assert.equal(1, calls)
    end)
  end)

  describe("with begin", function()
    it("ends by commit or rollback, once", function()
      do
        local tx <close> = handle:begin()
        tx:commit()
        assert.equal("commit: the transaction is already committed", refused(tx.commit, tx).message)
        assert.equal("rollback: the transaction is already committed", refused(tx.rollback, tx).message)
      end
      do
        local tx <close> = handle:begin()
        tx:rollback()
        assert.equal("commit: the transaction is already rolled back", refused(tx.commit, tx).message)
      end
      assert.same({ "begin immediate", "commit", "begin immediate", "rollback" }, statements())
    end)

    it("rolls back when it is left early, by return or by error", function()
      local function leave(how)
        local tx <close> = handle:begin()       -- luacheck: ignore 211
        how()
      end
      leave(function() end)
      assert.equal("away", refused(leave, function() error("away", 0) end))
      assert.same({ "begin immediate", "rollback", "begin immediate", "rollback" }, statements())
    end)

    it("raises that the rollback failed when nothing else is on its way", function()
      core.fail.rollback = Error.new("connection_lost", "gone")
      local function leave()
        local tx <close> = handle:begin()       -- luacheck: ignore 211
      end
      assert.equal("gone", refused(leave).message)
    end)

    it("belongs to its coroutine", function()
      local tx = handle:begin()
      local e = select(2, coroutine.resume(coroutine.create(function() tx:commit() end)))
      assert.equal("commit: the transaction belongs to another coroutine", e.message)
      tx:rollback()
    end)

    it("cannot try again", function()
      assert.equal("begin: cannot try again what it does not run",
        refused(handle.begin, handle, { retries = 1 }).message)
    end)
  end)

  describe("snapshot", function()
    it("is one read transaction", function()
      assert.equal("done", handle:snapshot(function()
        handle:query "select 1"
        return "done"
      end))
      assert.equal("no", refused(handle.snapshot, handle, function() error("no", 0) end))
      assert.same({ "begin snapshot", "select 1", "commit", "begin snapshot", "rollback" }, statements())
    end)

    it("is nothing of its own inside a transaction", function()
      handle:transaction(function() handle:snapshot(function() handle:execute "update t set a = 1" end) end)
      assert.same({ "begin immediate", "update t set a = 1", "commit" }, statements())
    end)
  end)

  describe("on a server", function()
    before_each(function() handle.driver = "postgres" end)

    it("is isolated as it says, and as the server does it where it says nothing", function()
      for _, isolation in ipairs { "read_committed", "repeatable_read", "serializable" } do
        handle:transaction(function() end, { isolation = isolation })
      end
      handle:transaction(function() end)
      assert.same({ "begin read_committed", "commit", "begin repeatable_read", "commit", "begin serializable", "commit",
        "begin immediate", "commit" }, statements())
    end)

    it("gives inside another what that one gives, and refuses more", function()
      local function inside(outer, inner)
        return handle:transaction(function()
          return handle:transaction(function() return "done" end, { isolation = inner })
        end, { isolation = outer })
      end
      assert.equal("done", inside("serializable", "repeatable_read"))
      assert.equal("done", inside(nil, "read_committed"))
      local e = refused(inside, nil, "serializable")
      assert.equal("transaction.isolation: wants serializable inside a transaction that is read_committed", e.message)
      assert.equal("invalid_argument", refused(inside, "repeatable_read", "serializable").kind)
    end)

    it("has no snapshot inside what is not isolated so", function()
      local function inside(outer)
        return handle:transaction(function()
          return handle:snapshot(function() return "done" end)
        end, { isolation = outer })
      end
      assert.equal("done", inside "repeatable_read")
      assert.equal("snapshot: wants repeatable_read inside a transaction that is read_committed",
        refused(inside).message)
    end)
  end)

  describe("after_commit", function()
    local ran
    local function later(name) transaction.after_commit(function() ran[#ran + 1] = name end) end
    before_each(function() ran = {} end)

    it("waits for the outermost commit", function()
      handle:transaction(function()
        later "outer"
        handle:transaction(function() later "inner" end)
        assert.same({}, ran)
      end)
      assert.same({ "outer", "inner" }, ran)
      assert.equal("commit", statements()[4])
    end)

    it("runs at once where no transaction is open", function()
      later "now"
      assert.same({ "now" }, ran)
    end)

    it("never runs after a rollback, of the whole or of the savepoint around it", function()
      handle:transaction(function()
        later "kept"
        refused(handle.transaction, handle, function() later "dropped" error "no" end)
        refused(handle.transaction, handle, function()
          handle:transaction(function() later "dropped too" end)
          error "no"
        end)
      end)
      refused(handle.transaction, handle, function() later "dropped with all" error "no" end)
      assert.same({ "kept" }, ran)
    end)

    it("is outside of the transaction when it runs", function()
      handle:transaction(function()
        transaction.after_commit(function()
          handle:transaction(function() later "of its own" end)
          later "at once"
        end)
      end)
      assert.same({ "of its own", "at once" }, ran)
      assert.same({ "begin immediate", "commit", "begin immediate", "commit" }, statements())
    end)

    it("runs all of them, then raises the first error", function()
      local e = refused(handle.transaction, handle, function()
        transaction.after_commit(function() error("first", 0) end)
        later "second"
        transaction.after_commit(function() error("third", 0) end)
      end)
      assert.equal("first", e)
      assert.same({ "second" }, ran)
      assert.same({ "begin immediate", "commit" }, statements())
    end)

    it("waits for the transaction around it on another database", function()
      require "rille.config".configure { connections = { main = "a.db", other = "b.db" } }
      local main, other = require "rille.database".get(), require "rille.database".get "other"
      main:transaction(function()
        other:transaction(function() later "both" end)
        assert.same({}, ran)
      end)
      assert.same({ "both" }, ran)
      refused(main.transaction, main, function()
        other:transaction(function() later "never" end)
        error "no"
      end)
      assert.same({ "both" }, ran)
    end)

    it("keeps apart what two coroutines wait for", function()
      local main = require "rille.config".connect "app.db"
      local other = coroutine.wrap(function() main:transaction(function() later "theirs" coroutine.yield() end) end)
      other()
      main:transaction(function() later "ours" end)
      assert.same({ "ours" }, ran)
      other()
      assert.same({ "ours", "theirs" }, ran)
    end)

    it("wants a function", function()
      assert.equal("after_commit: wants a function, got nil", refused(transaction.after_commit, nil).message)
    end)
  end)

  describe("events", function()
    local heard, stops
    before_each(function()
      heard, stops = {}, {}
      for _, word in ipairs { "start", "commit", "rollback" } do
        stops[#stops + 1] = hook.on("transaction:" .. word, function(info)
          heard[#heard + 1] = word .. " " .. info.connection
        end)
      end
    end)
    after_each(function() for _, stop in ipairs(stops) do stop() end end)

    it("tell of the outermost only", function()
      handle:transaction(function() handle:transaction(function() end) end)
      refused(handle.transaction, handle, function() error "no" end)
      assert.same({ "start main", "commit main", "start main", "rollback main" }, heard)
    end)

    it("come before what waits for the commit", function()
      handle:transaction(function() transaction.after_commit(function() heard[#heard + 1] = "after" end) end)
      assert.same({ "start main", "commit main", "after" }, heard)
    end)

    it("roll back when a listener of the start raises", function()
      stops[#stops + 1] = hook.on("transaction:start", function() error("no", 0) end)
      assert.equal("no", refused(handle.transaction, handle, print))
      assert.same({ "begin immediate", "rollback" }, statements())
      assert.is_nil(transaction.innermost(handle))
    end)
  end)

  it("has shorthands for the default connection", function()
    transaction.default(function() end)
    do
      local tx <close> = transaction.begin_default()
      tx:commit()
    end
    transaction.snapshot_default(function() end)
    assert.equal(6, #statements())
  end)
end)
