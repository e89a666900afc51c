--- session.route: a read of a session goes to a replica that has what the session saw, else to the primary.
-- What a replica was once seen to have it has for ever, so most reads ask nothing.  A session keeps to its replica: how
-- far that was is asked for only when it goes elsewhere, or when its token is wanted.
local Error = require "rille.error"
local Place = require "rille.session.place"
local Shown = require "rille.session.shown"
local core = require "rille.core"

local Route = {}
Route.__index = Route

Route.UNKNOWN = math.maxinteger       -- a bound of which nobody knows more than that there is one

local CONFIRM_MS <const> = 1000       -- so long it is taken for granted that the primary is in the epoch it was in
local PATIENCE <const> = 30           -- ... or so often the time for which it was waited for in vain
local SKIP_MS <const> = 1000          -- a replica that lagged or failed is left alone for so long
local POLLS_MS <const> = { 0.5, 1, 2, 4, 8 }
local POLL_MS <const> = 10            -- and then always so long
local SHOW_MS <const> = 1000          -- the primary is given at least so long to show what a replica showed

-- After these a read is tried at the primary: the replica had to end it, or is gone, and is left alone for a while;
local FAILED = { serialization_failure = true, deadlock = true, connection_lost = true, busy = true }
-- or it was a write, or of what a replica does not have, such as temporary tables and, a moment long, new ones.
local NOT_THERE = { readonly = true, unsupported = true, no_such_table = true, no_such_column = true }

---@class rille.Replica
---@field number integer        from 1, as the configuration lists them
---@field db table|false        of the core, once it is open
---@field place string|false    what was committed until there it has, as it said last
---@field generation integer?   of the connections that showed it so
---@field skip_until number     milliseconds of core.monotonic_ms

---@class rille.Route
---@field primary table                    of the core
---@field replicas rille.Replica[]
---@field epoch string|false               of the primary; false: nobody knows
---@field confirm_at number                when it is asked for again, at the earliest
---@field open fun(number: integer): table
---@field now fun(): number
---@field pause fun(ms: number)

--- The way to the nodes of one connection.
---@param primary table                  the database of the core
---@param count integer                  of replicas
---@param open fun(number: integer): table  opens one of them
---@param clock? { now: fun(): number, pause: fun(ms: number) }
---@return rille.Route
function Route.new(primary, count, open, clock)
  local replicas = {}
  for number = 1, count do replicas[number] = { number = number, db = false, place = false, skip_until = 0 } end
  return setmetatable({ primary = primary, epoch = false, confirm_at = 0, replicas = replicas, open = open,
    now = clock and clock.now or core.monotonic_ms, pause = clock and clock.pause or core.pause }, Route)
end

--- What a session knows of one connection.
---@class rille.Seen
---@field part? string              the place that its reads must have reached, signed or not
---@field looked? table             the primary's database that was used last, and knows where it was then
---@field asked? table              the primary's database that knows how it is signed
---@field replica? rille.Replica    where it reads; what it saw there may be later than `part`
---@field generation? integer       ... of the connections at which it did
---@field unsaid? boolean           ... and has not been asked for yet
---@field said? string              ... and when it was, this was the answer
---@field of? string                ... and of which epoch it was
---@field bound? integer            transactions that were seen have lower numbers; the primary may not show all yet
---@field primary? boolean          the next read is at the primary
---@field late? boolean             it was at the primary, which was not asked yet where it was then
---@field at? string|false          ... nor since in which epoch that was
---@field wait_ms integer
---@field on_lag "primary"|"error"
---@field saw fun(place: string, replica: table?)  hears where a node is: a replica's database, nil for the primary
---@field unsure fun()              hears that nobody can say whether the primary shows what was seen

--- Call what may fail as a server does: whether it did not, and what it gives or why.  A bug is no answer.
local function try(fn, ...)
  local ok, result, more = pcall(fn, ...)
  if not ok and not Error.is(result) then error(result, 0) end
  return ok, result, more
end

local function is_usable(self, replica) return replica.skip_until == 0 or replica.skip_until <= self.now() end

--- Leave a replica alone for a while.
local function skip(self, replica)
  replica.skip_until, replica.place = self.now() + SKIP_MS, false
end

--- The primary was seen at a place.
---@param place string
function Route:heard(place) self.epoch, self.confirm_at = Place.epoch(place), self.now() + CONFIRM_MS end

--- A replica goes on with whoever is promoted, and only its rows tell, once somebody has written that down: until then
-- it looks as if it had what the old primary lost.  Whoever asks the new primary has it written down.
local function confirm(self)
  local started = self.now()
  if started < self.confirm_at then return end
  local ok, place = try(self.primary.look, self.primary)
  if ok and place then
    self:heard(place)
  else
    local ended = self.now()
    self.epoch, self.confirm_at = false, ended + math.max(CONFIRM_MS, PATIENCE * (ended - started))
  end
end

--- Is it of the epoch of the primary?
local function is_of_epoch(self, place)
  if not self.epoch or self.epoch == Place.epoch(place) then return true end
  self.confirm_at = 0                     -- one of both has heard of a new one
  confirm(self)
  return not self.epoch or self.epoch == Place.epoch(place)
end

--- Where the replica is now: what it has shown until now is there, and what it has.  nil when it cannot be asked: it is
-- skipped then.
local function ask(self, replica)
  local ok, showed, sure = try(function()
    replica.db = replica.db or self.open(replica.number)
    return replica.db:token()
  end)
  if not ok or not showed then
    skip(self, replica)
    return nil
  end
  replica.place, replica.generation = sure or showed, replica.db:generation()
  return showed, replica.place
end

--- Was the replica seen to have it, when it was asked last?
---@param said? string  a place that it gave itself, behind what it showed
local function had(self, replica, part, said)
  if not replica.place then return false end
  if part == nil then return true end
  if self.epoch and self.epoch ~= Place.epoch(replica.place) then return false end
  return part == said or Place.reaches(replica.place, part) == true
end

--- ... and is it the same server still?
local function is_known(self, replica, part)
  return had(self, replica, part) and replica.generation == replica.db:generation()
end

--- Is the replica the server still at which the session reads, and one of those that are configured?
local function is_same(self, seen, replica)
  return self.replicas[replica.number] == replica and seen.generation == replica.generation and
    seen.generation == replica.db:generation()
end

--- Has the replica got it now?
local function has(self, replica, part)
  local _, sure = ask(self, replica)
  if not sure then return false end
  if part == nil then return true end
  if not is_of_epoch(self, sure) then return false end
  local reached = Place.reaches(sure, part)
  if reached ~= nil then return reached end
  local ok, verdict = pcall(replica.db.judge, replica.db, part, true)
  return ok and verdict == "there"
end

--- Wait until it has.
local function wait_for(self, seen, replica)
  local deadline = self.now() + seen.wait_ms
  for i = 1, math.maxinteger do
    if has(self, replica, seen.part) then return true end
    local left = deadline - self.now()
    if left <= 0 or not is_usable(self, replica) then return false end
    self.pause(math.min(POLLS_MS[i] or POLL_MS, left))
  end
end

--- The replica seen farthest among those that may be asked; one never asked comes last.
local function farthest(self)
  local best
  for _, replica in ipairs(self.replicas) do
    if is_usable(self, replica) and (not best or (replica.place or "") > (best.place or "")) then best = replica end
  end
  return best
end

--- One of those known to have it, by chance; nil when none is.
local function known(self, part)
  local list = {}
  for _, replica in ipairs(self.replicas) do
    if is_usable(self, replica) and is_known(self, replica, part) then list[#list + 1] = replica end
  end
  return list[1] and list[math.random(#list)]
end

--- What the session saw at a replica becomes part of what it knows.
local function settle_replica(self, seen)
  if not seen.unsaid then return end
  local replica = seen.replica
  local showed = is_same(self, seen, replica) and ask(self, replica)
  if showed and is_same(self, seen, replica) and try(seen.saw, showed, replica.db) then
    seen.said, seen.bound = showed, math.max(seen.bound or 0, Place.bound(showed))
  else
    seen.replica, seen.said, seen.late, seen.bound = nil, nil, true, Route.UNKNOWN
  end
  seen.unsaid = false
end

--- A replica that has it.
local function witness(self, seen, part)
  local own = seen.replica
  if own and seen.said == part and is_usable(self, own) and is_same(self, seen, own) then return own.db end
  for _, replica in ipairs(self.replicas) do
    if is_usable(self, replica) and has(self, replica, part) then return replica.db end
  end
end

--- Where what was seen at a replica ends, that one being gone: no replica is farther than the primary, if that has gone
-- on with what the replica repeated.
---@return string? part
---@return integer? bound
local function farthest_seen(self, seen)
  local part = self.primary:look()
  if not part or seen.of and Place.epoch(part) ~= seen.of then return nil end
  return part, Shown.next(self.primary)
end

--- To be called before the session reads at the primary: which shows then what the session saw at a replica.
---@param seen rille.Seen
---@param frozen? boolean  what the primary shows does not change any more, so that it need not be waited for
function Route:show(seen, frozen)
  settle_replica(self, seen)
  local part, bound = seen.part, seen.bound
  if not bound then return end
  if bound == Route.UNKNOWN then part, bound = farthest_seen(self, seen) end
  local started, polls = self.now(), 0
  local time = frozen and 0 or math.max(seen.wait_ms, SHOW_MS)
  local shown = bound and Shown.await(self.primary, bound, function() return witness(self, seen, part) end, function()
    local spent = self.now() - started
    if spent >= time then return nil end
    polls = polls + 1
    self.pause(math.min(POLLS_MS[polls] or POLL_MS, time - spent))
    return self.now() - started
  end)
  seen.bound = nil
  if not shown then seen.unsure() end
end

--- The session is about to do something at the primary.
---@param seen rille.Seen
function Route:notice(seen) seen.at = seen.at or self.epoch end

--- What the session saw where it read becomes part of what it knows.
---@param seen rille.Seen
function Route:settle(seen)
  settle_replica(self, seen)
  if not seen.late then return end
  self:show(seen)
  local place = self.primary:look()
  if place then
    self:heard(place)
    if seen.at and seen.at ~= Place.epoch(place) then seen.unsure() end     -- this one may not have what was done there
    seen.saw(place)
    seen.asked = self.primary
  end
  seen.late, seen.at = false, nil
end

--- The replica for the next read of a session; nil for the primary.
---@param seen rille.Seen
---@return rille.Replica?
---@return number waited_ms
function Route:choose(seen)
  if seen.primary or #self.replicas == 0 then return nil, 0 end
  if seen.late then self:settle(seen) end
  if seen.part then confirm(self) end
  local own = seen.replica
  if own and is_usable(self, own) and is_same(self, seen, own) and had(self, own, seen.part, seen.said) then
    return own, 0
  end
  self:settle(seen)
  local replica, started = known(self, seen.part), self.now()
  if not replica then
    replica = farthest(self)
    if replica and not wait_for(self, seen, replica) then
      skip(self, replica)
      replica = nil
    end
  end
  local waited = self.now() - started
  if not replica and seen.on_lag == "error" then
    Error.raise("replica_lag", ("no replica has what this session saw, after %.0f ms"):format(waited), {
      hint = 'give it more time (wait_ms), or read at the primary (session = { on_lag = "primary" })',
    })
  end
  seen.replica, seen.said = replica, nil
  if replica then seen.generation, seen.of = replica.generation, Place.epoch(replica.place) end
  return replica, waited
end

--- Should what failed at a replica be tried at the primary?
---@param e any
---@param replica rille.Replica
---@return boolean
function Route:forgive(replica, e)
  if not Error.is(e) then return false end
  if FAILED[e.kind] then skip(self, replica) end
  return FAILED[e.kind] or NOT_THERE[e.kind] or false
end

--- Close the connections to replicas.
function Route:close()
  for _, replica in ipairs(self.replicas) do
    if replica.db then replica.db:close() end
    replica.db, replica.place = false, false
  end
  self.replicas = {}
end

return Route
