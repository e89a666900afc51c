--- session_route_spec: which node a read of a session goes to, on nodes and a clock that do as they are told.
require "spec.support.world"
local Error = require "rille.error"
local Route = require "rille.session.route"

local EPOCH <const> = "r2.00000000000000aa.%08x.%08x.%016x.%016x.ffffffffffffffff"

local function place(position, epoch, bound) return EPOCH:format(epoch or 1, epoch or 1, position, bound or 0) end

describe("the route of a session's reads", function()
  local clock, nodes, route, seen

  --- A node that was asked for its place so many times.  Transactions below `next` have ended, but for those that are
  -- `open`.
  local function node(position)
    return {
      position = position, asked = 0, connected = 1, epoch = 1, open = {}, next = 100, looked = 0, busy = {},
      token = function(self)
        self.asked = self.asked + 1
        if self.down then error(Error.new("connection_lost", "gone"), 0) end
        local here = place(self.position, self.epoch, self.bound)
        if self.more then return place(self.position + 1, self.epoch, self.bound), here end
        return here
      end,
      query = function(self, sql, values)
        if sql:find "txid_current%(" then return { { next = self.next } } end
        if sql:find "pg_stat_activity" then
          return { { listed = table.concat(require "rille.keys"(self.busy), ",") } }
        end
        if sql:find "txid_status" then
          local list = {}
          for id in values[1]:gmatch "%d+" do
            if tonumber(id) < self.next and not self.open[tonumber(id)] then list[#list + 1] = id end
          end
          return { { listed = table.concat(list, ",") } }
        end
        self.looked = self.looked + 1
        local list = require "rille.keys"(self.open)
        return { { oldest = list[1] or self.next, next = self.next, listed = table.concat(list, ",") } }
      end,
      look = function(self) return self:token() end,
      generation = function(self) return self.connected end,
      judge = function(self) return self.verdict or "lost" end,
    }
  end

  local function on(...)
    nodes = {}
    for i, position in ipairs { ... } do nodes[i] = node(position) end
    local primary = table.remove(nodes, 1)
    nodes.primary = primary
    clock = { time = 0, paused = 0 }
    clock.now = function() return clock.time end
    clock.pause = function(ms)
      clock.time, clock.paused = clock.time + ms, clock.paused + 1
      if clock.tick then clock.tick() end
    end
    route = Route.new(primary, #nodes, function(number) return nodes[number] end, clock)
    seen = { wait_ms = 50, on_lag = "primary", saw = function(at)
      if not seen.part or at > seen.part then seen.part = at end
    end, unsure = function() seen.lost = true end }
  end

  local function saw(number, position)
    local replica = route.replicas[number]
    replica.db, replica.place, replica.generation = nodes[number], place(position), 1
  end

  local function chosen()
    local replica = route:choose(seen)
    seen.unsaid = replica ~= nil
    return replica and replica.number
  end

  it("is the primary where there are no replicas", function()
    on(10)
    assert.is_nil(chosen())
    assert.equal(0, nodes.primary.asked)
  end)

  it("is a replica that has what was seen, and then that one without asking again", function()
    on(10, 5, 10)
    seen.part = place(8)
    for _ = 1, 20 do
      seen.replica, seen.unsaid = nil, nil
      saw(1, 5)
      saw(2, 10)
      assert.equal(2, chosen())
    end
    assert.equal(0, nodes[2].asked)
    assert.equal(2, chosen())
    assert.equal(0, nodes[2].asked)
  end)

  it("asks the one seen farthest, waits for it, and gives up after its time", function()
    on(10, 5)
    seen.part = place(8)
    clock.tick = function() nodes[1].position = nodes[1].position + 1 end
    assert.equal(1, chosen())
    assert.equal(3, clock.paused)
    on(10, 5)
    seen.part = place(8)
    assert.is_nil(chosen())
    assert.is_true(clock.time >= 50 and clock.time < 61)
  end)

  it("leaves one that lagged alone for a second, so that it costs one wait and not one a read", function()
    on(10, 5)
    seen.part = place(8)
    chosen()
    local time, asked = clock.time, nodes[1].asked
    for _ = 1, 10 do assert.is_nil(chosen()) end
    assert.equal(time, clock.time)
    assert.equal(asked, nodes[1].asked)
    nodes[1].position = 8
    clock.time = clock.time + 1001
    assert.equal(1, chosen())
  end)

  it("raises replica_lag where that was asked for", function()
    on(10, 5)
    seen.part, seen.on_lag = place(8), "error"
    local ok, e = pcall(chosen)
    assert.is_false(ok)
    assert.equal("replica_lag", e.kind)
    assert.truthy(e.hint:find "wait_ms")
  end)

  it("goes on from what was seen at a replica when it leaves it", function()
    on(100, 50, 20)
    saw(1, 50)
    seen.part = place(8)
    assert.equal(1, chosen())
    nodes[1].position = 60
    route.replicas[1].skip_until = math.huge
    assert.is_nil(chosen())
    assert.equal(place(60), seen.part)
  end)

  it("takes the primary's place for what was seen at a replica that is gone", function()
    on(100, 50)
    assert.equal(1, chosen())
    nodes[1].down = true
    nodes[1].connected = 2
    assert.is_nil(chosen())
    assert.equal(place(100), seen.part)
  end)

  it("does not believe an earlier look over a new connection", function()
    on(100, 50)
    seen.part = place(40)
    assert.equal(1, chosen())
    nodes[1].position, nodes[1].connected = 10, 2      -- the same address, another server
    assert.is_nil(chosen())
    assert.equal(place(100), seen.part)
  end)

  it("asks the replica itself about another epoch", function()
    on(100, 500)
    seen.part = place(8, 2)
    assert.is_nil(chosen())
    on(100, 500)
    seen.part = place(8, 2)
    nodes[1].verdict = "there"
    assert.equal(1, chosen())
  end)

  it("never takes an earlier place for a later one", function()
    on(100, 50)
    seen.part = place(90)
    seen.replica, seen.unsaid, seen.generation = route.replicas[1], true, 1
    route.replicas[1].db, route.replicas[1].generation = nodes[1], 1
    route:settle(seen)
    assert.equal(place(90), seen.part)
  end)

  it("keeps to a replica that is in the middle of a record, and to no other one that is as far", function()
    on(100, 50, 50)
    nodes[1].more = true
    saw(1, 50)
    seen.part = place(50)
    assert.equal(1, chosen())
    route:settle(seen)
    assert.equal(place(51), seen.part)
    local asked = nodes[1].asked
    assert.equal(1, chosen())
    assert.equal(asked, nodes[1].asked)
    route.replicas[1].skip_until = math.huge
    assert.is_nil(chosen())                               -- the second has no more than 50
    nodes[2].position, route.replicas[2].skip_until = 52, 0
    assert.equal(2, chosen())
  end)

  describe("to the primary", function()
    --- It read at a replica which shows transactions that the primary does not show yet.
    local function after_reading(open)
      on(100, 50)
      nodes[1].bound, nodes.primary.open = 100, open
      assert.equal(1, chosen())
    end

    it("asks nobody where the session saw nothing at a replica", function()
      on(100, 50)
      route:show(seen)
      assert.equal(0, nodes.primary.looked)
    end)

    it("looks once where nothing is open there", function()
      after_reading {}
      route:show(seen)
      route:show(seen)
      assert.equal(1, nodes.primary.looked)
      assert.equal(0, clock.paused)
    end)

    it("waits for what has committed at the replica, and not for what has not", function()
      after_reading { [70] = true, [80] = true, [90] = true }
      nodes[1].open[80] = true
      clock.tick = function()
        if clock.paused == 3 then nodes.primary.open[70] = nil end
        if clock.paused == 5 then nodes.primary.open[90] = nil end
      end
      route:show(seen)
      assert.equal(5, clock.paused)
      assert.is_nil(seen.lost)
    end)

    it("waits for what it has not even heard of", function()
      after_reading {}
      nodes.primary.next = 98
      clock.tick = function() nodes.primary.next = 100 end
      route:show(seen)
      assert.equal(1, clock.paused)
    end)

    it("says when it does not become so", function()
      after_reading { [70] = true }
      route:show(seen)
      assert.is_true(seen.lost)
      assert.is_true(clock.time >= 1000 and clock.time < 1011)
    end)

    it("does not wait for what does not change", function()
      after_reading { [70] = true }
      route:show(seen, true)
      assert.equal(0, clock.time)
      assert.is_true(seen.lost)
    end)

    it("waits for all that are open while no replica can tell which of them were seen", function()
      after_reading { [70] = true, [80] = true }
      nodes[1].down, nodes[1].connected = true, 2
      clock.tick = function()
        if clock.paused == 4 then nodes.primary.open[70] = nil end
        if clock.paused == 8 then
          nodes[1].down, nodes[1].position, nodes[1].open[80] = false, 100, true
          route.replicas[1].skip_until = 0
        end
      end
      route:show(seen)
      assert.equal(8, clock.paused)
      assert.is_nil(seen.lost)
    end)

    it("waits no longer than a moment for those that are busy with something else", function()
      after_reading { [70] = true, [80] = true }
      nodes[1].down, nodes[1].connected = true, 2
      nodes.primary.busy = { [70] = true, [80] = true }
      route:show(seen)
      assert.is_true(clock.time > 100 and clock.time < 120)
      assert.is_nil(seen.lost)
    end)

    it("says at once when the primary has another past than the replica that is gone", function()
      after_reading {}
      nodes[1].down, nodes[1].connected = true, 2
      nodes.primary.epoch = 2
      route:show(seen)
      assert.is_true(seen.lost)
      assert.equal(0, clock.paused)
    end)

    it("says at once when the primary is farther behind than any is", function()
      after_reading {}
      nodes[1].bound = 100000000
      route:show(seen)
      assert.is_true(seen.lost)
    end)

    it("says when another primary may not have what was done at the one before", function()
      on(100, 50)
      route:heard(place(90))
      route:notice(seen)
      seen.late = true
      nodes.primary.epoch = 2
      route:settle(seen)
      assert.is_true(seen.lost)
      seen.lost, seen.late = nil, true
      route:notice(seen)
      route:settle(seen)
      assert.is_nil(seen.lost)
    end)

    it("knows what it knew when that could not be found out", function()
      after_reading {}
      seen.late = true
      nodes.primary.look = function() error(Error.new("connection_lost", "gone"), 0) end
      assert.is_false((pcall(route.settle, route, seen)))
      assert.is_true(seen.late)
    end)
  end)

  it("tries at the primary what failed at a replica, and no other failure", function()
    on(100, 50)
    local replica = route.replicas[1]
    for _, kind in ipairs { "readonly", "serialization_failure", "connection_lost", "deadlock", "no_such_table" } do
      assert.is_true(route:forgive(replica, Error.new(kind, "x")))
    end
    assert.is_false(route:forgive(replica, Error.new("syntax", "x")))
    assert.is_false(route:forgive(replica, "a bug"))
    replica.skip_until = 0
    route:forgive(replica, Error.new("readonly", "x"))
    assert.equal(0, replica.skip_until)
  end)

  describe("where another primary may have been promoted,", function()
    it("asks the primary once a second in which epoch it is", function()
      on(10, 20)
      saw(1, 20)
      seen.part = place(5)
      for _ = 1, 10 do assert.equal(1, chosen()) end
      assert.equal(1, nodes.primary.asked)
      clock.time = clock.time + 1001
      assert.equal(1, chosen())
      assert.equal(2, nodes.primary.asked)
      route:heard(place(11))                              -- whoever wrote need not ask
      clock.time = clock.time + 999
      assert.equal(1, chosen())
      assert.equal(2, nodes.primary.asked)
    end)

    it("reads at no replica that is of another epoch than the primary, however far it is", function()
      on(10, 20)
      saw(1, 20)
      seen.part = place(5)
      assert.equal(1, chosen())
      nodes.primary.epoch = 2
      clock.time = clock.time + 1001
      assert.is_nil(chosen())
      nodes[1].epoch, nodes[1].verdict = 2, "there"
      clock.time = clock.time + 1001
      assert.equal(1, chosen())
    end)

    it("asks again where a replica has heard of a new epoch first", function()
      on(10, 20)
      seen.part = place(5)
      assert.equal(1, chosen())
      nodes.primary.epoch, nodes[1].epoch, nodes[1].verdict, nodes[1].connected = 2, 2, "there", 2
      assert.equal(1, chosen())
      assert.is_true(seen.lost)                           -- what was read at the old one nobody knows
      assert.is_true(nodes.primary.asked > 1)
    end)

    it("reads on where the primary cannot be asked, and leaves it alone for a while", function()
      on(10, 20)
      seen.part = place(5)
      nodes.primary.look = function(self)
        self.asked = self.asked + 1
        clock.time = clock.time + 100
        error(Error.new("connection_lost", "gone"), 0)
      end
      for _ = 1, 3 do assert.equal(1, chosen()) end
      clock.time = clock.time + 2900
      assert.equal(1, chosen())
      assert.equal(1, nodes.primary.asked)
      clock.time = clock.time + 200
      assert.equal(1, chosen())
      assert.equal(2, nodes.primary.asked)
    end)
  end)
end)
