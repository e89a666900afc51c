--- client: one process among several that work in the same sessions, each for a while, and pass their tokens on.
-- A session is a file in a folder: its token and, for each key, the least that whoever goes on with it must read; its
-- name says who has it for now.  Each key is written by one client, with growing numbers; an even one has a row in
-- `marks` too, which goes with the next odd one.
-- arg: FOLDER NUMBER CLIENTS SECONDS SEED URL REPLICA…, where the URL may be the path of a SQLite database
local rille = require "rille"
local core = require "rille.core"

local folder, number, clients, seconds, seed, url = table.unpack(arg, 1, 6)
local replicas = table.move(arg, 7, #arg, 1, {})
number, clients, seconds = tonumber(number), tonumber(clients), tonumber(seconds)
math.randomseed(tonumber(seed) + number)

local SESSIONS <const> = 2 * clients
local KEYS <const> = 3                     -- of each client

local main = { driver = "sqlite", database = url, synchronous = "normal" }
if url:find "^postgresql://" then
  main = { driver = "postgres", url = url, replicas = replicas, connect_timeout_ms = 2000, statement_timeout_ms = 5000 }
end
rille.configure { connections = { main = main } }

local written, acked = {}, {}
local acked_at = {}                        -- when, in milliseconds of a clock that all processes share
local told = {}                            -- sessions that were told of a loss
local counts = { reads = 0, snapshots = 0, writes = 0, replicas = 0, lost = 0, failed = 0 }
local history = {}                         -- the last things that were done, for whoever has to find out

local function note(...)
  history[#history + 1] = table.concat({ ("%.3f"):format(core.monotonic_ms() / 1000), ... }, " ")
  if #history > 200 then table.remove(history, 1) end
end

local last_node = "the primary"            -- where the last statement went

rille.on("query", function(info)
  last_node = info.replica and "replica " .. info.replica or "the primary"
  if info.replica then counts.replicas = counts.replicas + 1 end
end)

local function copy_of(list)
  local copy = {}
  for key, value in pairs(list) do copy[key] = value end
  return copy
end

local function take()
  local i = math.random(SESSIONS)
  local path = ("%s/s%d"):format(folder, i)
  local own = ("%s.%d"):format(path, number)
  if not os.rename(path, own) then return nil end
  return i, path, own, dofile(own)
end

local function give(path, own, state)
  local file <close> = assert(io.open(own, "w"))
  file:write(("return { token = %s, least = {"):format(state.token and ("%q"):format(state.token) or "nil"))
  for key, value in pairs(state.least) do file:write(("[%d] = %d,"):format(key, value)) end
  file:write "} }"
  file:close()
  assert(os.rename(own, path))
end

--- What a session must see is no more what it was: it was told so, at the latest when it has done something more, which
-- may be lost with the rest.
---@return boolean lost
local function forget_if_lost(i, s, state)
  if not s.lost then return false end
  counts.lost, told[i] = counts.lost + 1, true
  io.open(("%s/told%d"):format(folder, i), "w"):close()
  state.least, s.lost = {}, false
  return true
end

local function stop(why)
  io.stdout:write(("%s, client %d\n%s\n"):format(why, number, table.concat(history, "\n")))
  os.exit(3)
end

local VIOLATED <const> = folder .. "/violated"      -- is there once a client has found something

local function violated(i, what)
  io.open(VIOLATED, "w"):close()
  stop(("VIOLATION in session %d: %s"):format(i, what))
end

--- What was read of keys.  What came together with the news that something is lost may be of before, and of after.
local function check(i, s, state, keys, values)
  local lost = forget_if_lost(i, s, state)
  for n, key in ipairs(keys) do
    local value, least = values[n] or 0, state.least[key] or 0
    note("session", i, "read", key, value, "least", least, "at", last_node, lost and "and lost" or "")
    if value < least then violated(i, ("read %s of key %d, and had seen %d"):format(value, key, least)) end
    state.least[key] = not lost and value or nil
  end
end

local READ <const> = [[select r.value, m.value as mark from registers r left join marks m on m.key = r.key
  where r.key = ?]]

--- The value of a key.  One statement sees what one moment had of both tables.
local function value_of(key)
  local row = rille.db():query(READ, key)[1]
  if row and row.mark ~= (row.value > 0 and row.value % 2 == 0 and row.value or nil) then
    violated(0, ("key %d is %d, and its mark is %s"):format(key, row.value, row.mark))
  end
  return row and row.value
end

--- Several keys at one moment, each of them twice.
local function values_of(keys)
  return rille.snapshot(function()
    local values = {}
    for i, key in ipairs(keys) do values[i] = value_of(key) end
    for i, key in ipairs(keys) do
      if value_of(key) ~= values[i] then violated(0, ("key %d changed in a snapshot"):format(key)) end
    end
    return values
  end)
end

local function acknowledged(key, value) acked[key], acked_at[key] = value, core.monotonic_ms() // 1 end

local function any_key() return math.random(KEYS * clients) end

local function read(i, s, state)
  local key = any_key()
  check(i, s, state, { key }, { s:run(value_of, key) or 0 })
  counts.reads = counts.reads + 1
end

local function read_several(i, s, state)
  local keys = { any_key(), any_key() }
  check(i, s, state, keys, s:run(values_of, keys))
  counts.snapshots = counts.snapshots + 1
end

local function set(key, value)
  local db = rille.db()
  db:execute("update registers set value = ? where key = ?", value, key)
  if value % 2 == 1 then return db:execute("delete from marks where key = ?", key) end
  db:execute("insert into marks values (?, ?) on conflict (key) do update set value = excluded.value", key, value)
end

--- One key, or all of this client's, in one transaction.
local function write(i, s, state)
  local first = (number - 1) * KEYS
  local keys = { first + math.random(KEYS) }
  if math.random(4) == 1 then
    for n = 1, KEYS do keys[n] = first + n end
  end
  local inside, values = {}, {}
  for n, key in ipairs(keys) do
    values[n] = (written[key] or 0) + 1
    written[key] = values[n]
  end
  s:run(function()
    rille.transaction(function()
      for n, key in ipairs(keys) do
        inside[n] = value_of(key)
        set(key, values[n])
      end
    end)
  end)
  local lost = forget_if_lost(i, s, state)
  for n, key in ipairs(keys) do
    note("session", i, "wrote", key, values[n], lost and "or lost it" or "")
    if lost then goto continue end
    if (inside[n] or 0) < (state.least[key] or 0) then violated(i, ("a transaction read %s"):format(inside[n])) end
    state.least[key] = values[n]
    acknowledged(key, values[n])
    ::continue::
  end
  counts.writes = counts.writes + 1
end

--- A statement alone: a row more, which the next read finds.
local function add(i, s, state)
  local key = KEYS * clients + number
  local count = (written[key] or 0) + 1
  written[key] = count
  s:run(function() rille.db():execute("insert into entries values (?, ?)", number, count) end)
  note("session", i, "added", count)
  if forget_if_lost(i, s, state) then return end
  state.least[key] = count
  acknowledged(key, count)
  local seen = s:run(function()
    return rille.db():query("select coalesce(max(value), 0) as value from entries where client = ?", number)[1].value
  end)
  check(i, s, state, { key }, { seen })
  counts.writes = counts.writes + 1
end

local DEEDS <const> = { read, read, read, read_several, write, write, add }

local function visit()
  local i, path, own, state = take()
  if not i then return end
  local before = { token = state.token, least = copy_of(state.least) }
  local ok, e = pcall(function()
    local s = rille.session.start { token = state.token, wait_ms = math.random(100),
      mode = math.random(4) == 1 and "first-primary" or nil }
    forget_if_lost(i, s, state)
    for _ = 1, math.random(6) do
      local done, why = pcall(DEEDS[math.random(#DEEDS)], i, s, state)
      if not done then
        if not rille.is_error(why) then error(why, 0) end
        counts.failed = counts.failed + 1
        note("session", i, "failed", why.kind, why.message)
      end
      before.token = s:token()             -- where it fails, what was seen since has no token: it cannot be held to it
      forget_if_lost(i, s, state)
      before.least = copy_of(state.least)
    end
  end)
  give(path, own, before)
  if not ok and not rille.is_error(e) then error(e, 0) end
  if not ok then
    note("session", i, "ended", e.kind, e.message)
    core.pause(20)
  end
end

local STOP <const> = folder .. "/stop"              -- is there once it is enough, before the time is over
local deadline = core.monotonic_ms() + seconds * 1000
while core.monotonic_ms() < deadline and not os.rename(STOP, STOP) do
  visit()
  local found = io.open(VIOLATED)
  if found then stop "what another one found" end
end
local list = {}
for key, value in pairs(acked) do list[#list + 1] = ("%d=%d@%d"):format(key, value, acked_at[key]) end
for i in pairs(told) do list[#list + 1] = "told " .. i end
local said = {}
for _, name in ipairs { "reads", "snapshots", "replicas", "writes", "lost", "failed" } do
  said[#said + 1] = ("%s %d"):format(name, counts[name])
end
print(("DONE %s acked %s"):format(table.concat(said, " "), table.concat(list, ",")))
