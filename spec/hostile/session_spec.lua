--- session_spec: many processes work in the same sessions while nodes stop, lag, die and are promoted.
-- Each read must show what its session wrote and saw before, in whichever process, unless that was told to be lost; and
-- what was acknowledged is there in the end.  RILLE_SECONDS says for how long (RILLE_SESSION_SECONDS says it to these
-- alone), RILLE_SEED which faults.
local world = require "spec.support.world"
local Cluster = require "spec.support.cluster"
local core = require "rille.core"
local rille = world.rille

local SECONDS <const> = tonumber(os.getenv "RILLE_SECONDS" or os.getenv "RILLE_SESSION_SECONDS") or 4
local CLIENTS <const> = 3
local KEYS <const> = 9

--- A folder of sessions that have seen nothing.
local function new_sessions()
  local folder = os.tmpname()
  os.remove(folder)
  assert(core.make_directory(folder))
  for i = 1, 2 * CLIENTS do
    local file <close> = assert(io.open(("%s/s%d"):format(folder, i), "w"))
    file:write "return { least = {} }"
  end
  return folder
end

local function make_tables()
  local db = rille.db()
  db:execute "create table registers (key bigint primary key, value bigint not null)"
  db:execute "create table marks (key bigint primary key, value bigint not null)"
  db:execute "create table entries (client bigint not null, value bigint not null, primary key (client, value))"
  for key = 1, KEYS do db:execute("insert into registers values (?, 0)", key) end
end

--- Clients that work for a while; each is said at the end of the line where the database is.
local function start_clients(folder, seconds, ...)
  local pipes, places = {}, {}
  for i = 1, select("#", ...) do places[i] = ("'%s'"):format((select(i, ...))) end
  for number = 1, CLIENTS do
    local line = ("%s run spec/support/sessions/client.lua %s %d %d %d %d %s 2>&1"):format(os.getenv "RILLE", folder,
      number, CLIENTS, seconds, math.random(1000000), table.concat(places, " "))
    pipes[number] = assert(io.popen(line))
  end
  return pipes
end

--- Until the clients are done: what they say added up, what was acknowledged (by key its value, and when), and which
-- sessions were told of a loss.
local function finish(pipes)
  local sums, acked, told, texts, well = {}, {}, {}, {}, true
  for i, pipe in ipairs(pipes) do
    texts[i] = pipe:read "a"
    well = pipe:close() and texts[i]:find "DONE" and well
  end
  assert(well, table.concat(texts, "\n"))
  for _, text in ipairs(texts) do
    print("-- " .. text:match "DONE (.-) acked")
    for name, count in text:gmatch "(%a+) (%d+)" do
      if name ~= "told" then sums[name] = (sums[name] or 0) + tonumber(count) end
    end
    for key, value, at in text:gmatch "(%d+)=(%d+)@(%d+)" do
      acked[tonumber(key)] = { value = tonumber(value), at = tonumber(at) }
    end
    for i in text:gmatch "told (%d+)" do told[tonumber(i)] = true end
  end
  return sums, acked, told
end

local VALUES <const> = ([[select key, value from registers union all
  select client + %d, max(value) from entries group by client]]):format(KEYS)

--- What was acknowledged is there; of a failover, what was so once it was over.
---@param since? number  milliseconds of core.monotonic_ms
---@return integer count  of keys that were looked at
local function assert_kept(acked, since)
  local now, count = {}, 0
  for _, row in ipairs(rille.db():query(VALUES)) do now[row.key] = row.value end
  for key, each in pairs(acked) do
    if each.at >= (since or 0) then
      assert.is_true((now[key] or 0) >= each.value, ("key %d"):format(key))
      count = count + 1
    end
  end
  return count
end

local function assert_busy(sums)
  for _, name in ipairs { "reads", "snapshots", "writes" } do assert.is_true(sums[name] > 10, name) end
end

describe("sessions of many processes", function()
  local cluster, folder

  before_each(function()
    world.seed()
    cluster = Cluster.start(2)
    folder = new_sessions()
    rille.connect(cluster:any_primary())
    make_tables()
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
    return start_clients(folder, seconds, cluster:any_primary(), cluster.urls[1], cluster.urls[2])
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

  it("never see their own past while replicas fail, and nothing acknowledged is lost", function()
    local pipes = start(SECONDS)
    local deadline = core.monotonic_ms() + SECONDS * 1000
    while core.monotonic_ms() < deadline do fault() end
    local sums, acked = finish(pipes)
    assert.equal(0, sums.lost)
    assert_busy(sums)
    assert.is_true(sums.replicas > 10)
    rille.connect(cluster:any_primary())
    assert_kept(acked)
  end)

  --- What a replica has of each key, once it has repeated all that it got.
  local function values_at(node)
    local before
    repeat
      local now = cluster:sql(node, "select pg_last_wal_replay_lsn()")
      local still = now == before
      before = now
      core.pause(200)
    until still
    local values = {}
    for key, value in cluster:sql(node, VALUES):gmatch "(%d+)|(%d+)" do values[tonumber(key)] = tonumber(value) end
    return values
  end

  --- The sessions whose token says that they know of more than that.
  local function sessions_ahead_of(values)
    local ahead = {}
    for path in assert(io.popen(("ls %s/s* 2>/dev/null"):format(folder))):lines() do
      local ok, state = pcall(dofile, path)                -- its client may just give it back
      for key, least in pairs(ok and state and state.least or {}) do
        if least > (values[key] or 0) then ahead[tonumber(path:match "/s(%d+)[^/]*$")] = true end
      end
    end
    return ahead
  end

  --- No row of the new primary is missed in the end, whoever wrote it.
  local function assert_no_less(values, entries)
    local now = {}
    for _, row in ipairs(rille.db():query(VALUES)) do now[row.key] = row.value end
    for key, value in pairs(values) do assert.is_true(now[key] >= value, ("key %d"):format(key)) end
    local rows = {}
    for _, row in ipairs(rille.db():query "select client, value from entries") do
      rows[row.client .. "|" .. row.value] = true
    end
    for row in entries:gmatch "%S+" do assert.is_true(rows[row], row) end
  end

  --- Let the clients work on after a failover: for a while, and until those sessions have been told that should be, or
  --- a minute shows that they are not.
  local function go_on_until_told(ahead, since)
    local function is_told()
      for i in pairs(ahead) do
        local path = ("%s/told%d"):format(folder, i)
        if not os.rename(path, path) then return false end
      end
      return true
    end
    repeat
      core.pause(200)
      local ms = core.monotonic_ms() - since
    until ms > 60000 or ms > math.max(SECONDS, 8) * 1000 and is_told()
    io.open(folder .. "/stop", "w"):close()
  end

  --- The primary dies while the clients work, after whatever `before` does, and another node takes its place.
  ---@param after? fun()  once it has
  local function fail_over(before, after)
    local pipes = start(SECONDS + 180)
    core.pause(1000) core.pause(1000)
    before()
    cluster:tell("kill", 0)
    local one, two = values_at(1), values_at(2)
    local farther = 1
    for key, value in pairs(two) do
      if value > (one[key] or 0) then farther = 2 end
    end
    local values = farther == 1 and one or two
    local entries = cluster:sql(farther, "select client, value from entries")
    local ahead = sessions_ahead_of(values)
    cluster:tell("promote", farther)
    local since = core.monotonic_ms()
    if after then after(farther) end
    cluster:tell("join", 3 - farther)
    go_on_until_told(ahead, core.monotonic_ms())
    local sums, acked, told = finish(pipes)
    assert_busy(sums)
    for i in pairs(ahead) do assert.is_true(told[i], ("session %d knew of what was lost"):format(i)) end
    rille.connect(cluster:any_primary())
    assert_no_less(values, entries)
    assert.is_true(assert_kept(acked, since) > 0, "nothing was written after the failover")
    return sums, ahead, acked
  end

  it("go on after a failover that kept everything", function()
    local function stop_writing()                          -- then the replicas have it all
      cluster:sql(0, "alter system set default_transaction_read_only = on")
      cluster:sql(0, "select pg_reload_conf()")
      core.pause(1000)
    end
    local sums, ahead, acked = fail_over(stop_writing, function(node)
      cluster:sql(node, "alter system reset default_transaction_read_only")
      cluster:sql(node, "select pg_reload_conf()")
    end)
    assert.equal(0, sums.lost)
    assert.same({}, ahead)
    assert_kept(acked)
  end)

  it("are told what a failover lost", function()
    local sums, ahead = fail_over(function()
      cluster:tell("cut", 1)
      cluster:tell("cut", 2)
      core.pause(1000)
    end)
    assert.is_true(sums.lost > 0)
    assert.truthy(next(ahead))
  end)

  it("go on, or are told what it lost, after one in the middle of their work", function()
    fail_over(function() end)
  end)
end)

describe("sessions of many processes on one file", function()
  local folder, path

  before_each(function()
    world.seed()
    folder = new_sessions()
    path = folder .. "/app.db"
    rille.configure { connections = { main = { driver = "sqlite", database = path, synchronous = "normal" } },
      session = { enabled = true } }
    make_tables()
  end)
  after_each(function()
    rille.close()
    os.execute("rm -r " .. folder)
  end)

  it("never see their own past, and nothing acknowledged is lost", function()
    local sums, acked = finish(start_clients(folder, SECONDS, path))
    assert.equal(0, sums.lost)
    assert_busy(sums)
    assert_kept(acked)
  end)

  --- The database's own copying, which takes its turn among the writers.
  local function copy(from, to)
    local source <close> = core.open { database = from }
    local target <close> = core.open { database = to, busy_timeout_ms = 100 }
    local why
    for _ = 1, 100 do
      local ok, e = pcall(target.copy, target, source)
      if ok then return end
      assert.is_true(rille.is_error(e, "busy") or rille.is_error(e, "locked"), tostring(e))
      why = e
      core.pause(math.random(10))
    end
    error("the backup could not be put back: " .. tostring(why))
  end

  it("are told when a backup is put back under them", function()
    local pipes = start_clients(folder, SECONDS, path)
    local deadline = core.monotonic_ms() + SECONDS * 1000 - 1000
    while core.monotonic_ms() < deadline do
      local most = math.random(2) == 1 and 20 or 600
      copy(path, folder .. "/kept.db")
      core.pause(math.random(0, most))
      copy(folder .. "/kept.db", path)
      core.pause(math.random(0, most))
    end
    local sums = finish(pipes)
    assert_busy(sums)
    assert.is_true(sums.lost > 0)
  end)
end)
