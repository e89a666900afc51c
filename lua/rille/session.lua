--- session: what somebody wrote and saw, so that what they read later is never older.
-- Between requests it is a token: for each database used a place in its history of commits.  A session belongs to the
-- coroutine that runs in it; another one, even if made inside, is in none until it says so itself.
local Config = require "rille.config"
local Error = require "rille.error"
local Fetch = require "rille.fetch"
local Handle = require "rille.handle"
local Nodes = require "rille.session.nodes"
local Place = require "rille.session.place"
local Route = require "rille.session.route"
local Token = require "rille.session.token"
local Transaction = require "rille.transaction"
local hook = require "rille.hook"

local M = {}

local coroutine_running = coroutine.running
local OPTIONS = { "token", "mode", "wait_ms", "on_lag" }
local MODES = { "first-primary", "first-unconstrained" }
local ON_LAG = { "primary", "error" }
local WAIT_MS <const> = 500
local WAIT_MS_MAX <const> = 600000
local PARTS_MAX <const> = Token.PARTS_MAX

---@class rille.Session
---@field mode "first-primary"|"first-unconstrained"  where its first read may go
---@field wait_ms integer  how long a read waits for a replica before it goes to the primary
---@field lost boolean     something that its token knew of did not survive
---@field parts string[]   what is known: a text for each database, the one used last at the end
---@field waiting table<string, true>  parts of databases that are not open yet
---@field touched table<rille.Handle, integer|false>  used since their part was made: how often they had gone back
--                        before; false: where they are was looked at for the session
---@field on_lag "primary"|"error"  what becomes of a read for which no replica is far enough in time
---@field seen table<rille.Handle, rille.Seen>  of databases that have nodes
local Session = { __name = "rille.Session" }
Session.__index = Session
Session.__tostring = function(self) return "rille.Session: " .. (self:token() or "nothing seen yet") end

local running = setmetatable({}, { __mode = "k" })      -- coroutine -> the session it runs in

--- What is known of a database now, in the place of what was.
local function keep(self, part)
  local cluster = Place.cluster(part)
  for i, other in ipairs(self.parts) do
    if Place.cluster(other) == cluster then
      table.remove(self.parts, i)
      break
    end
  end
  if #self.parts == PARTS_MAX then table.remove(self.parts, 1) end
  self.parts[#self.parts + 1] = part
end

--- The token of what was seen, which is signed only when somebody asks for it: nil when nothing was, or where the
-- database that was asked was closed since.
local function token_of(seen)
  local part = seen.part
  if not part or Place.is_signed(part) then return part end
  local ok, token = pcall(seen.asked.sign, seen.asked, part)
  return ok and token or nil
end

--- What the session knew of is gone, or nobody can say that it is not: it begins anew.
local function lose(self, handle, part, verdict)
  self.lost = true
  if hook.listening["session:lost"] then
    hook.emit("session:lost", { connection = handle.name, token = part, session = self, certain = verdict ~= "unsure" })
  end
end

-- Handle -> the database that it was found to be of: several handles may be of one.
local clusters = setmetatable({}, { __mode = "k" })

--- A token of the database says what was seen.
local function go_on(self, handle, part)
  local seen, bound = self:seen_of(handle), Place.bound(part)
  seen.part, seen.bound = part, bound > 0 and bound or nil
end

--- What a database says of a part of the token; false when it is not its own.
local function recognized(self, handle, part)
  local verdict = handle:_connect():judge(part)
  if verdict == "foreign" then return false end
  clusters[handle], self.touched[handle] = Place.cluster(part), self.touched[handle] or false
  if verdict == "there" then
    keep(self, part)
    if Nodes.has(handle) then go_on(self, handle, part) end
  else                                                  -- the one writer is behind what it has had, or had another past
    lose(self, handle, part, verdict)
  end
  if verdict ~= "there" and Nodes.has(handle) then
    local seen = self:seen_of(handle)
    seen.primary, seen.late = true, true
  end
  return true
end

local function read_token(self, token)
  Token.read(token, function(handle, part) return recognized(self, handle, part) end, function(part)
    self.waiting[part] = true
  end)
end

--- A database is used inside: what it has to say becomes part of the token.  How it looks before anything is done there
-- is what tells later whether a backup was put there meanwhile.
local function touch(self, handle)
  if self.touched[handle] then return end
  local backs = handle._core:look_again()
  for part in next, self.waiting do
    if recognized(self, handle, part) then self.waiting[part] = nil end
    backs = handle._core:look_again()                      -- what that saw is known now
  end
  if self.touched[handle] == nil and not Nodes.has(handle) then
    backs = select(2, handle:_connect():token(false)) or backs
  end
  self.touched[handle] = backs                            -- not before: what failed is tried again
end

--- A node was seen at a place: that is at least what the session saw there, unless its past is another.
---@param replica? table  its database; nil: the primary, which what the session saw can never be ahead of
local function saw(self, handle, seen, place, replica)
  local before = seen.part
  if not replica then Nodes.route(handle):heard(place) end
  local reached, verdict = not before or Place.reaches(place, before), nil
  if reached == nil or not reached and not replica then   -- of another epoch, or not written into the log yet
    verdict = (replica or handle:_connect()):judge(before, true)
  end
  if not replica then seen.primary, seen.late, seen.at = false, false, nil end
  if reached or verdict == "there" then
    seen.part = reached == false and before or place
  elseif not replica or not Place.comparable(place, before) and place > before then
    lose(self, handle, token_of(seen), verdict)
    seen.part = place
  end
end

--- What the session knows of a database that has nodes.
---@param handle rille.Handle
---@return rille.Seen
function Session:seen_of(handle)
  local key = clusters[handle] or handle
  local seen, alone = self.seen[key], self.seen[handle]
  if not seen then
    seen = alone or { wait_ms = self.wait_ms, on_lag = self.on_lag, primary = self.mode == "first-primary",
      late = self.marked }
    self.seen[handle] = nil
    self.seen[key] = seen                                 -- the same one, while nobody knows which database it is
  elseif alone and alone ~= seen then                      -- both are of one database
    self.seen[handle], seen.primary, seen.late = nil, true, true
    seen.bound = (alone.unsaid or alone.bound) and Route.UNKNOWN or seen.bound
  end
  if seen.handle ~= handle then
    seen.handle = handle
    seen.saw = function(place, replica) saw(self, handle, seen, place, replica) end
    seen.unsure = function() lose(self, handle, token_of(seen), "unsure") end
  end
  if seen.looked then Nodes.look(seen) end
  return seen
end

--- Before something is done at the primary inside a transaction.
local function show(self, handle)
  local seen, around = self:seen_of(handle), Transaction.innermost(handle)
  if seen.unsaid or seen.bound then
    local frozen = around and around.isolation and around.isolation ~= "read_committed"
    Nodes.route(handle):show(seen, frozen)
  end
  return seen
end

--- Find out which database it is before something is done there: what fails here has done nothing yet.
local function identify(handle)
  if clusters[handle] then return end
  local place = handle:_connect():token()
  if not place then return end
  clusters[handle] = Place.cluster(place)
  if Nodes.has(handle) then Nodes.route(handle):heard(place) end
end

--- The place where a database is now, or where the session saw it; and how often it went back, if it can.
local function part_of(self, handle)
  if handle.closed then return nil end
  local inside = Transaction.innermost(handle) ~= nil
  if not Nodes.has(handle) then return handle:_connect():token(not inside) end
  local seen = self:seen_of(handle)
  if not inside then Nodes.route(handle):settle(seen) end
  local part = token_of(seen)
  if part or not seen.part or inside then return part end
  part = handle:_connect():token()
  if part then seen.saw(part) end
  return token_of(seen)
end

--- The same becomes part of what is known.  Where the one file has all that was committed, it must follow from what
-- was known before, and from what was done since: somebody may have put a backup there.
---@param backs integer  how often the database had gone back, before it was used
local function keep_part(self, handle, backs)
  local part, backs_now = part_of(self, handle)
  backs_now = backs_now or backs                          -- one that has nodes is never put back under its sessions
  if not part or backs_now == backs and part == self.parts[#self.parts] then return end
  local gone, verdict
  for _, before in ipairs(Nodes.has(handle) and {} or self.parts) do
    if Place.cluster(before) == Place.cluster(part) then
      if not Place.reaches(part, before) then
        verdict = handle:_connect():judge(before)
        if verdict ~= "there" then gone = before end
      end
    end
  end
  if not gone and backs_now ~= backs then gone, verdict = part, "unsure" end
  if gone then lose(self, handle, gone, verdict) end
  keep(self, part)
end

--- The places of the databases that were used.
local function refresh(self)
  for handle, backs in next, self.touched do
    if backs then
      keep_part(self, handle, backs)
      if not Transaction.innermost(handle) then self.touched[handle] = false end
    end
  end
end

--- All databases are about to be closed: who runs in a session keeps what it saw there.
function M.closing()
  for _, self in next, running do pcall(refresh, self) end
end

--- A database was closed, and what is known of its replicas with it.
---@param handle rille.Handle
function M.closed(handle) Nodes.close(handle) end

--- The way of every statement, once there is a session.
---@param handle rille.Handle
---@param run fun(handle: rille.Handle, db: table, node: table|nil, method: string, a, b, c, d): any ...
---@param method string  of the core's database
---@param a any          its arguments
---@param b any
---@param c any
---@param d any
---@return any ...       what it gives
function M.call(handle, run, method, a, b, c, d)
  local owner, db = coroutine_running(), handle._core or handle:_connect()
  local self = running[owner]
  if not self then return run(handle, db, nil, method, a, b, c, d) end
  touch(self, handle)
  if not Nodes.has(handle) then return run(handle, db, nil, method, a, b, c, d) end
  if Transaction.innermost_of(owner, handle) then         -- its commit says where it was, if that is in the session
    local seen = show(self, handle)
    Nodes.route(handle):notice(seen)
    seen.primary, seen.late = true, true
    return run(handle, db, nil, method, a, b, c, d)
  end
  identify(handle)
  return Nodes.call(handle, self:seen_of(handle), run, method, a, b, c, d)
end

--- A transaction is about to begin at the primary: what it sees stays as it is from then on.
---@param handle rille.Handle
function M.begin(handle)
  local self = running[coroutine.running()]
  if not self or not Nodes.has(handle) then return end
  handle:_connect()
  touch(self, handle)
  identify(handle)
  show(self, handle)
end

--- The commit of a transaction, for what the session knows.
---@param handle rille.Handle
---@param db table  of the core
function M.commit(handle, db)
  local self = running[coroutine.running()]
  if not self or db:depth() > 1 or not Nodes.has(handle) then return db:commit() end
  touch(self, handle)
  Nodes.at_primary(db, show(self, handle), db.commit, db)
end

local function start_counting()
  if Fetch.session then return end
  Fetch.session = M                     -- from here on it hears of each statement
  for handle in Handle.each_open() do handle._core:count(true) end
end

--- Begin a session, or go on with the one that gave a token.
---@param options? { token: string?, mode: string?, wait_ms: integer?, on_lag: string? }
---@return rille.Session
function M.start(options)
  options = Error.options("session.start", options, OPTIONS)
  local config = Config.current().session or {}
  if config.enabled == false then
    Error.raise("unsupported", "session.start: sessions are switched off", {
      hint = "session = { enabled = true } in the configuration switches them on",
    })
  end
  local mode = options.mode or config.mode or "first-unconstrained"
  if mode ~= MODES[1] and mode ~= MODES[2] then
    Error.argument("session.start.mode", "one of " .. table.concat(MODES, ", "), mode, Error.did_you_mean(mode, MODES))
  end
  local wait_ms = options.wait_ms or config.wait_ms or WAIT_MS
  if math.type(wait_ms) ~= "integer" or wait_ms < 0 or wait_ms > WAIT_MS_MAX then
    Error.argument("session.start.wait_ms", "milliseconds, a whole number of at most " .. WAIT_MS_MAX, wait_ms)
  end
  local on_lag = options.on_lag or config.on_lag or "primary"
  if on_lag ~= ON_LAG[1] and on_lag ~= ON_LAG[2] then
    Error.argument("session.start.on_lag", '"primary" or "error"', on_lag, Error.did_you_mean(on_lag, ON_LAG))
  end
  local self = setmetatable({ mode = mode, wait_ms = wait_ms, on_lag = on_lag, lost = false, parts = {}, waiting = {},
    touched = {}, seen = setmetatable({}, { __mode = "k" }) }, Session)
  start_counting()
  if options.token ~= nil then read_token(self, options.token) end
  return self
end

--- The session of this coroutine, or nil.
---@return rille.Session?
function M.current() return running[coroutine.running()] end

local Leaving = { __close = function(left)
  running[left.co] = left.before
  pcall(refresh, left.session)                            -- what fails now, token() says
end }

--- Run a function in the session: what it reads is at least what the session wrote and saw.
---@param fn fun(...): any ...
---@param ... any   for fn
---@return any ...  what fn returns
function Session:run(fn, ...)
  if type(fn) ~= "function" then Error.argument("session:run", "a function", fn) end
  local co = coroutine.running()
  local left = { co = co, before = running[co], session = self }
  local leaving <close> = setmetatable(left, Leaving)                     -- luacheck: ignore 211
  running[co] = self
  return fn(...)
end

local entered = require "rille.entered".new()

--- Be in a session until M.leave; for programs in C, see rille_session_enter.
---@param options? table  as for start
function M.enter(options)
  local self, co = M.start(options), coroutine.running()
  entered:push { session = running[co], own = self }
  running[co] = self
end

--- End the last M.enter; nothing happens without one.
function M.leave()
  local left = entered:pop()
  if left then running[coroutine.running()] = left.session end
end

--- The token of the session that was entered last, and whether it lost something.
---@return string? token
---@return boolean lost
function M.state()
  local top = entered:top()
  if not top then
    Error.raise("invalid_argument", "session: none was entered", { hint = "rille_session_enter begins one" })
  end
  return top.own:token(), top.own.lost
end

--- What to hand to the next request: an opaque text, nil before anything was read or written.
---@return string? token
function Session:token()
  refresh(self)
  local list = table.move(self.parts, 1, #self.parts, 1, {})
  for _, part in ipairs(require "rille.keys"(self.waiting)) do list[#list + 1] = part end
  return list[1] and table.concat(list, ",", math.max(1, #list - PARTS_MAX + 1)) or nil
end

--- Something was written that the session did not see, as by another program: its next read is at the primary.
function Session:mark_written()
  for _, seen in next, self.seen do
    seen.primary, seen.late, seen.looked = true, true, nil
    self.touched[seen.handle] = 0
  end
  self.mode, self.marked = "first-primary", true           -- for those that are not used yet
end

return M
