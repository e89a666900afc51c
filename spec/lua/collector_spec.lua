--- collector_spec: what a read of many rows does to Lua's collector.
local world = require "spec.support.world"
local rille = world.rille

describe("a read of many rows", function()
  local db

  local function things(rows)
    db = world.fresh([[create table things (id integer primary key, parent_id INTEGER, n INTEGER)]])
    db:execute(("with recursive i(n) as (select 1 union all select n + 1 from i where n < %d) "
      .. "insert into things select n, 1, n from i"):format(rows))
    return rille.model "Thing" { relations = { children = rille.has_many("Thing", { foreign_key = "parent_id" }) } }
  end

  it("lets the collector work again when it has ended", function()
    local Thing = things(5000)
    assert.equal(5000, #Thing:all())
    assert.is_true(collectgarbage "isrunning")
    assert.equal(5000, #Thing:with("children"):find(1).children)
    assert.is_true(collectgarbage "isrunning")
  end)

  it("lets it work when the read fails on its way, too", function()
    things(5000)
    local fails = "abs(case when id = 4900 then -9223372036854775807 - 1 else id end) as n"
    assert.is_false(pcall(function() return db:table("things"):select_raw(fails):all() end))
    assert.is_true(collectgarbage "isrunning")
  end)

  it("leaves a collector at rest that was stopped before", function()
    local Thing = things(5000)
    collectgarbage "stop"
    local rows, runs = #Thing:all(), collectgarbage "isrunning"
    collectgarbage "restart"
    assert.same({ 5000, false }, { rows, runs })
  end)

  it("leaves no garbage of one behind that grows with their number", function()
    local Thing, most = things(5000), 0
    local function read() for _ = 1, 5 do assert.equal(5000, #Thing:all()) end end
    read()
    for _ = 1, 5 do
      read()
      most = math.max(most, collectgarbage "count")
    end
    collectgarbage() collectgarbage()
    local rows = Thing:all()
    local one = collectgarbage "count"
    assert.equal(5000, #rows)
    assert.is_true(most < 6 * one, ("%d KiB, where one result has %d"):format(most // 1, one // 1))
  end)
end)
