--- hook_spec: who hears an event, in which order, and what ends it.
local recording = require "spec.support.recording"
recording()
local hook = require "rille.hook"

describe("hook", function()
  local stops
  local function on(...)
    local stop = hook.on(...)
    stops[#stops + 1] = stop
    return stop
  end

  before_each(function() stops = {} end)
  after_each(function()
    for _, stop in ipairs(stops) do stop() end
    assert.same({}, hook.listening)
  end)

  it("tells who listens, in the order they came, until they end it", function()
    local heard = {}
    on("model:created", function(what) heard[#heard + 1] = "first " .. what end)
    local stop = on("model:created", function(what) heard[#heard + 1] = "second " .. what end)
    hook.emit("model:created", "a")
    stop()
    stop()
    hook.emit("model:created", "b")
    assert.same({ "first a", "second a", "first b" }, heard)
  end)

  it("shows whether anybody listens", function()
    assert.is_nil(hook.listening["transaction:commit"])
    local stop = on("transaction:commit", print)
    assert.is_true(hook.listening["transaction:commit"])
    stop()
    assert.is_nil(hook.listening["transaction:commit"])
  end)

  it("counts a listener of slow queries as one of queries", function()
    local stop_slow, stop = on("slow_query", print), on("query", print)
    assert.is_true(hook.listening.query)
    stop()
    assert.is_true(hook.listening.query)
    stop_slow()
    assert.is_nil(hook.listening.query)
  end)

  it("refuses an event that does not exist and a listener that is no function", function()
    local ok, e = pcall(hook.on, "transaction:comit", print)
    assert.is_false(ok)
    assert.equal('on has no event "transaction:comit"\n  hint: did you mean "transaction:commit"?', tostring(e))
    assert.equal("on: wants a function, got nil", select(2, pcall(hook.on, "query", nil)).message)
  end)

  it("knows the events of every model", function()
    for _, name in ipairs { "retrieved", "creating", "created", "updating", "updated", "saving", "saved", "deleting",
      "deleted", "restoring", "restored", "force_deleting", "force_deleted" } do
      on("model:" .. name, print)
    end
  end)

  it("stops at the first false and says why", function()
    local later = false
    on("model:creating", function() return nil end)
    on("model:creating", function() return false, "not now" end)
    on("model:creating", function() later = true end)
    assert.same({ false, "not now" }, { hook.emit("model:creating", {}) })
    assert.is_false(later)
  end)

  it("raises what a listener raises, and tells it again the next time", function()
    local calls = 0
    on("query", function() calls = calls + 1 error("no", 0) end)
    for _ = 1, 2 do
      local ok, e = pcall(hook.emit, "query", {})
      assert.is_false(ok)
      assert.equal("no", e)
    end
    assert.equal(2, calls)
  end)

  it("does not tell a listener what it does itself, but tells the others", function()
    local inner, others = 0, 0
    on("query", function()
      inner = inner + 1
      hook.emit("query", {})
    end)
    on("query", function() others = others + 1 end)
    hook.emit("query", {})
    assert.equal(1, inner)
    assert.equal(2, others)
  end)

  it("tells a listener that waits in one coroutine what happens in another", function()
    local heard = {}
    on("query", function(what)
      heard[#heard + 1] = what
      if what == "waits" then coroutine.yield() end
    end)
    local waiting = coroutine.create(hook.emit)
    coroutine.resume(waiting, "query", "waits")
    hook.emit("query", "meanwhile")
    coroutine.resume(waiting)
    assert.same({ "waits", "meanwhile" }, heard)
  end)

  it("finishes telling when a listener ends itself or another", function()
    local heard, stop_second = {}, nil
    local stop_first
    stop_first = on("query", function()
      heard[#heard + 1] = 1
      stop_first()
      stop_second()
    end)
    stop_second = on("query", function() heard[#heard + 1] = 2 end)
    hook.emit("query", {})
    hook.emit("query", {})
    assert.same({ 1, 2 }, heard)
  end)

  it("tells of slow queries from the configured time on", function()
    require "rille.config".configure { connections = { main = ":memory:" }, slow_query_ms = 50 }
    local slow = {}
    on("slow_query", function(info) slow[#slow + 1] = info.ms end)
    for _, ms in ipairs { 49.9, 50, 120 } do hook.query { sql = "select 1", ms = ms, rows = 1, connection = "main" } end
    assert.same({ 50, 120 }, slow)
  end)
end)
