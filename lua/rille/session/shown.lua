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

local NEXT <const> = "select pg_catalog.txid_current() as next"

local function numbers(text)
  local list = {}
  for number in text:gmatch "%d+" do list[#list + 1] = math.tointeger(number) end
  return list
end

--- The transactions below `bound` that the primary does not show, as a set.
local function hidden(primary, bound)
  local row = primary:query(OPEN)[1]
  local set = {}
  if row.oldest >= bound then return set end
  for _, id in ipairs(numbers(row.listed)) do
    if id < bound then set[id] = true end
  end
  for id = row.next, bound - 1 do set[id] = true end
  return set
end

--- Those that a replica shows; all of them where there is none to ask.
local function shown_at(replica, set)
  if not replica then return set end
  local ok, rows = pcall(replica.query, replica, COMMITTED, { table.concat(require "rille.keys"(set), ",") })
  if not ok and not Error.is(rows) then error(rows, 0) end
  if not ok then return set end
  local shown = {}
  for _, id in ipairs(numbers(rows[1].listed)) do shown[id] = true end
  return shown
end

--- A number that no transaction has yet which anybody may have seen anywhere.
---@param primary table  of the core
---@return integer
function M.next(primary) return primary:query(NEXT)[1].next end

--- Does the primary show all that a replica showed?  It is waited for.
---@param primary table             of the core
---@param bound integer             transactions that were seen have numbers below this one
---@param witness fun(): table?     gives a replica's database that has what was seen
---@param pause fun(): boolean      false when there is no more time
---@return boolean
function M.await(primary, bound, witness, pause)
  local waiting = hidden(primary, bound)
  if next(waiting) then waiting = shown_at(witness(), waiting) end
  while next(waiting) do
    if not pause() then return false end
    local left = hidden(primary, bound)
    for id in next, waiting do
      if not left[id] then waiting[id] = nil end
    end
  end
  return true
end

return M
