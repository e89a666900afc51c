--- session.shown: waits until the primary shows what was seen at a replica.
-- A backend writes its commit into the log, which replicas repeat, and only then tells the others at the primary: a
-- moment later, or with synchronous replication once it is confirmed.  Transactions that are open at the primary and
-- committed at a replica are in that moment; they are few, and have numbers below that where the replica's ended.
local Error = require "rille.error"

local M = {}

-- The transactions that the primary does not show: those listed, and all from `next` on.
local OPEN <const> = [[select pg_catalog.txid_snapshot_xmin(s) as oldest, pg_catalog.txid_snapshot_xmax(s) as next,
  pg_catalog.array_to_string(array(select pg_catalog.txid_snapshot_xip(s)), ',') as listed
  from (select pg_catalog.txid_current_snapshot()) as t (s)]]

local COMMITTED <const> = [[select coalesce(pg_catalog.string_agg(id::text, ','), '') as listed
  from pg_catalog.unnest(pg_catalog.string_to_array($1, ',')::bigint[]) as t (id)
  where case when id < pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())
    then pg_catalog.txid_status(id) = 'committed' end]]

-- Those that wait for something which is not the end of a commit, or go on working; numbers of 32 bits.
local BUSY <const> = [[select coalesce(pg_catalog.string_agg(backend_xid::text, ','), '') as listed
  from pg_catalog.pg_stat_activity where backend_xid is not null
    and coalesce(wait_event_type, '') not in ('IPC', 'LWLock', 'IO')]]

local NEXT <const> = "select pg_catalog.txid_current() as next"

local MOMENT_MS <const> = 100         -- whoever was working for so long was not about to tell of its commit
local HIDDEN_MAX <const> = 65536      -- more are none that replicas are ahead by: the primary has another past

local function numbers(text)
  local list = {}
  for number in text:gmatch "%d+" do list[#list + 1] = math.tointeger(number) end
  return list
end

local function set_of(rows)
  local set = {}
  for _, id in ipairs(numbers(rows[1].listed)) do set[id] = true end
  return set
end

--- The transactions below `bound` that the primary does not show, as a set; nil when they are too many.
local function hidden(primary, bound)
  local row, set = primary:query(OPEN)[1], {}
  if row.oldest >= bound then return set end
  if bound - row.next > HIDDEN_MAX then return nil end
  for _, id in ipairs(numbers(row.listed)) do
    if id < bound then set[id] = true end
  end
  for id = row.next, bound - 1 do set[id] = true end
  return set
end

--- Those that a replica shows; nil when there is none, or it does not answer.
local function committed(replica, set)
  if not replica then return nil end
  local ok, rows = pcall(replica.query, replica, COMMITTED, { table.concat(require "rille.keys"(set), ",") })
  if not ok and not Error.is(rows) then error(rows, 0) end
  return ok and set_of(rows) or nil
end

--- Those that may be about to tell of their commit.  What others do is not for every role to know.
local function maybe_committed(primary, set)
  local busy, left = set_of(primary:query(BUSY)), {}
  for id in next, set do
    if not busy[id & 0xffffffff] then left[id] = true end
  end
  return left
end

local function both(a, b)
  local set = {}
  for id in next, a do set[id] = b[id] end
  return set
end

--- A number that no transaction has yet which anybody may have seen anywhere; nil where there are none to come.
---@param primary table  of the core
---@return integer?
function M.next(primary)
  local ok, rows = pcall(primary.query, primary, NEXT)
  if not ok and not Error.is(rows, "readonly") then error(rows, 0) end
  return ok and rows[1].next or nil
end

--- Does the primary show all that a replica showed?  It is waited for.
---@param primary table             of the core
---@param bound integer             transactions that were seen have numbers below this one
---@param witness fun(): table?     gives a replica's database that has what was seen
---@param pause fun(): number?      says how many milliseconds have passed; nil when there are no more
---@return boolean
function M.await(primary, bound, witness, pause)
  local waiting, known = hidden(primary, bound), false    -- known: all of them were seen
  while waiting and next(waiting) do
    local seen = not known and committed(witness(), waiting)
    if seen then waiting, known = both(waiting, seen), true end
    if not next(waiting) then break end
    local passed = pause()
    if not passed then return false end
    if not known and passed > MOMENT_MS then waiting = maybe_committed(primary, waiting) end
    waiting = both(waiting, hidden(primary, bound) or waiting)
  end
  return waiting ~= nil
end

return M
