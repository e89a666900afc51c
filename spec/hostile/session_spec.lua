--- session_spec: many processes work in the same sessions while nodes stop, lag, die and are promoted.
-- Each read must show what its session wrote and saw before, in whichever process, unless that was told to be lost; and
-- what was acknowledged is there in the end.  RILLE_SECONDS says for how long, RILLE_SEED which faults.
local world = require "spec.support.world"
local Cluster = require "spec.support.cluster"
local core = require "rille.core"
local rille = world.rille

local SECONDS <const> = tonumber(os.getenv "RILLE_SECONDS") or 4
local CLIENTS <const> = 3
local KEYS <const> = 9

describe("sessions of many processes", function()
  local cluster, folder

  before_each(function()
    world.seed()
    cluster = Cluster.start(2)
    folder = os.tmpname()
    os.remove(folder)
    assert(core.make_directory(folder))
    for i = 1, 2 * CLIENTS do
      local file <close> = assert(io.open(("%s/s%d"):format(folder, i), "w"))
      file:write "return { least = {} }"
    end
    rille.connect(cluster:any_primary())
    rille.db():execute "create table registers (key bigint primary key, value bigint not null)"
    for key = 1, KEYS do rille.db():execute("insert into registers values (?, 0)", key) end
    local s = rille.session.start {}
    s:run(function() rille.db():query "select 1" end)
    s:token()                                             -- the history is there before anybody comes
    rille.close()
  end)
  after_each(function()
    rille.close()
    cluster:destroy()
    os.execute("rm -r " .. folder)
  end)

  local function start(seconds)
    local pipes = {}
    for number = 1, CLIENTS do
      local line = ("%s run spec/support/sessions/client.lua %s %d %d %d %d '%s' '%s' '%s' 2>&1"):format(
        os.getenv "RILLE", folder, number, CLIENTS, seconds, math.random(1000000), cluster:any_primary(),
        cluster.urls[1], cluster.urls[2])
      pipes[number] = assert(io.popen(line))
    end
    return pipes
  end

  --- Until the clients are done: what they say added up, and what was acknowledged.
  local function finish(pipes)
    local sums, acked = {}, {}
    for _, pipe in ipairs(pipes) do
      local text = pipe:read "a"
      local ok = pipe:close()
      assert(ok and text:find "DONE", text)
      print("-- " .. text:match "DONE (.-) acked")
      for name, count in text:gmatch "(%a+) (%d+)" do sums[name] = (sums[name] or 0) + tonumber(count) end
      for key, value in text:gmatch "(%d+)=(%d+)" do acked[tonumber(key)] = tonumber(value) end
    end
    return sums, acked
  end

  local function fault()
    local node = math.random(2)
    local kind = math.random(4)
    if kind == 1 then cluster:tell("pause", node)
    elseif kind == 2 then cluster:tell("delay", node, math.random(20, 300) .. "ms")
    elseif kind == 3 then cluster:tell("cut", node)
    else
      cluster:tell("kill", node)
      core.pause(math.random(300))
      cluster:tell("begin", node)
    end
    core.pause(math.random(900))
    if kind == 1 then cluster:tell("resume", node)
    elseif kind == 2 then cluster:tell("delay", node, "0")
    elseif kind == 3 then cluster:tell("join", node) end
    core.pause(math.random(300))
  end

  local function values()
    rille.connect(cluster:any_primary())
    local list = {}
    for _, row in ipairs(rille.db():query "select key, value from registers") do list[row.key] = row.value end
    return list
  end

  it("never see their own past while replicas fail, and nothing acknowledged is lost", function()
    local pipes = start(SECONDS)
    local deadline = core.monotonic_ms() + SECONDS * 1000
    while core.monotonic_ms() < deadline do fault() end
    local sums, acked = finish(pipes)
    assert.equal(0, sums.lost)
    assert.is_true(sums.reads > 10 and sums.writes > 10 and sums.replicas > 10)
    local now = values()
    for key, value in pairs(acked) do assert.is_true(now[key] >= value, ("key %d"):format(key)) end
  end)

  for _, keeps in ipairs { true, false } do
    it(keeps and "go on after a failover that kept everything" or "are told what a failover lost", function()
      local seconds = math.max(SECONDS, 8)
      local pipes = start(seconds)
      core.pause(1000) core.pause(1000)
      if not keeps then
        cluster:tell("cut", 1)
        cluster:tell("cut", 2)
        core.pause(1000)
      else
        rille.connect(cluster.urls[0])                    -- nobody writes any more, and the replicas have it all
        cluster:sql(0, "alter system set default_transaction_read_only = on")
        cluster:sql(0, "select pg_reload_conf()")
        core.pause(1000)
        rille.close()
      end
      cluster:tell("kill", 0)
      cluster:tell("promote", 1)
      if keeps then
        cluster:sql(1, "alter system reset default_transaction_read_only")
        cluster:sql(1, "select pg_reload_conf()")
      end
      if not keeps then cluster:tell("join", 2) end
      local sums, acked = finish(pipes)
      assert.is_true(sums.reads > 10 and sums.writes > 10)
      if keeps then
        assert.equal(0, sums.lost)
        local now = values()
        for key, value in pairs(acked) do assert.is_true(now[key] >= value, ("key %d"):format(key)) end
      else
        assert.is_true(sums.lost > 0)
      end
    end)
  end
end)
