--- client: one process among several that work in the same sessions, each for a while, and pass their tokens on.
-- A session is a file in a folder: its token and, for each key, the least that whoever goes on with it must read; its
-- name says who has it for now.  Each key is written by one client, with growing numbers.
-- arg: FOLDER NUMBER CLIENTS SECONDS SEED URL REPLICA…
local rille = require "rille"
local core = require "rille.core"

local folder, number, clients, seconds, seed, url = table.unpack(arg, 1, 6)
local replicas = table.move(arg, 7, #arg, 1, {})
number, clients, seconds = tonumber(number), tonumber(clients), tonumber(seconds)
math.randomseed(tonumber(seed) + number)

local SESSIONS <const> = 2 * clients
local KEYS <const> = 3                     -- of each client

rille.configure { connections = { main = { driver = "postgres", url = url, replicas = replicas,
  connect_timeout_ms = 2000, statement_timeout_ms = 5000 } } }

local written, acked = {}, {}
local counts = { reads = 0, writes = 0, replicas = 0, lost = 0, failed = 0 }
local history = {}                         -- the last things that were done, for whoever has to find out

local function note(...)
  history[#history + 1] = table.concat({ ("%.3f"):format(core.monotonic_ms() / 1000), ... }, " ")
  if #history > 200 then table.remove(history, 1) end
end

rille.on("query", function(info) if info.replica then counts.replicas = counts.replicas + 1 end end)

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

--- What a session must see is no more what it was: it was told so.
local function forget_if_lost(s, state)
  if not s.lost then return end
  counts.lost = counts.lost + 1
  state.least, s.lost = {}, false
end

local function violated(i, what)
  io.stdout:write(("VIOLATION in session %d, client %d: %s\n%s\n"):format(i, number, what,
    table.concat(history, "\n")))
  os.exit(3)
end

local function check(i, s, state, key, value)
  note("session", i, "read", key, value or "none", "least", state.least[key] or 0)
  forget_if_lost(s, state)
  if (value or 0) < (state.least[key] or 0) then
    violated(i, ("read %s of key %d, and had seen %d"):format(value, key, state.least[key]))
  end
  state.least[key] = value
end

local function value_of(key)
  local row = rille.db():query("select value from registers where key = ?", key)[1]
  return row and row.value
end

local function read(i, s, state)
  local key = math.random(KEYS * clients)
  check(i, s, state, key, s:run(value_of, key))
  counts.reads = counts.reads + 1
end

local function set(key, value) rille.db():execute("update registers set value = ? where key = ?", value, key) end

local function write(i, s, state)
  local key = (number - 1) * KEYS + math.random(KEYS)
  local value = (written[key] or 0) + 1
  written[key] = value
  local inside
  s:run(function()
    if math.random(2) == 1 then return set(key, value) end
    rille.transaction(function()
      inside = value_of(key)
      set(key, value)
    end)
  end)
  note("session", i, "wrote", key, value)
  forget_if_lost(s, state)
  if inside and inside < (state.least[key] or 0) then violated(i, "a transaction read " .. inside) end
  state.least[key], acked[key] = value, value
  counts.writes = counts.writes + 1
end

local function visit()
  local i, path, own, state = take()
  if not i then return end
  local before = { token = state.token, least = table.move(state.least, 1, KEYS * clients, 1, {}) }
  local ok, e = pcall(function()
    local s = rille.session.start { token = state.token, wait_ms = math.random(100),
      mode = math.random(4) == 1 and "first-primary" or nil }
    forget_if_lost(s, state)
    for _ = 1, math.random(6) do
      local done, why = pcall(math.random(3) == 1 and write or read, i, s, state)
      if not done then
        if not rille.is_error(why) then error(why, 0) end
        counts.failed = counts.failed + 1
        note("session", i, "failed", why.kind, why.message)
      end
      before.token = s:token()             -- where it fails, what was seen since has no token: it cannot be held to it
      forget_if_lost(s, state)
      before.least = table.move(state.least, 1, KEYS * clients, 1, {})
    end
  end)
  give(path, own, before)
  if not ok and not rille.is_error(e) then error(e, 0) end
  if not ok then
    note("session", i, "ended", e.kind, e.message)
    core.pause(20)
  end
end

local deadline = core.monotonic_ms() + seconds * 1000
while core.monotonic_ms() < deadline do visit() end
local list = {}
for key, value in pairs(acked) do list[#list + 1] = key .. "=" .. value end
print(("DONE reads %d replicas %d writes %d lost %d failed %d acked %s"):format(counts.reads, counts.replicas,
  counts.writes, counts.lost, counts.failed, table.concat(list, ",")))
