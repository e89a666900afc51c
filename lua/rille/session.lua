--- session: what somebody wrote and saw, so that what they read later is never older.
-- Between requests it is a token: for each database used a place in its history of commits.  A session belongs to the
-- coroutine that runs in it; another one, even if made inside, is in none until it says so itself.
local Config = require "rille.config"
local Database = require "rille.database"
local Error = require "rille.error"
local Fetch = require "rille.fetch"
local Handle = require "rille.handle"
local Transaction = require "rille.transaction"
local hook = require "rille.hook"

local M = {}

local OPTIONS = { "token", "mode", "wait_ms" }
local MODES = { "first-primary", "first-unconstrained" }
local WAIT_MS <const> = 500
local WAIT_MS_MAX <const> = 600000
local PARTS_MAX <const> = 8          -- databases of one token
local PART_BYTES <const> = 71        -- as core/run/token.h has it

---@class rille.Session
---@field mode "first-primary"|"first-unconstrained"  where its first read may go
---@field wait_ms integer  how long a read waits for a replica before it goes to the primary
---@field lost boolean     something that its token knew of did not survive
---@field parts string[]   what is known: a text for each database, the one used last at the end
---@field waiting table<string, true>  parts of databases that are not open yet
---@field touched table<rille.Handle, true>  used since their part was made
local Session = { __name = "rille.Session" }
Session.__index = Session
Session.__tostring = function(self) return "rille.Session: " .. (self:token() or "nothing seen yet") end

local running = setmetatable({}, { __mode = "k" })      -- coroutine -> the session it runs in

--- Which database a part speaks of.
local function cluster_of(part) return part:sub(4, 19) end

local function bad_token(token, why)
  Error.raise("invalid_token", ("session.start: %s is not a session's token: %s"):format(Error.show(token), why), {
    hint = "pass on what session:token() gave, whole and unchanged; without a token, leave it out",
  })
end

local function split(token)
  if type(token) ~= "string" then Error.argument("session.start", "a text for token", token) end
  if token == "" then bad_token(token, "it is empty") end
  if #token > PARTS_MAX * (PART_BYTES + 1) then bad_token(token:sub(1, PART_BYTES), "it is too long") end
  local parts = {}
  for part in (token .. ","):gmatch "([^,]*)," do
    if #part ~= PART_BYTES then bad_token(part, ("its %d bytes should be %d"):format(#part, PART_BYTES)) end
    parts[#parts + 1] = part
  end
  return parts
end

--- What is known of a database now, in the place of what was.
local function keep(self, part)
  local cluster = cluster_of(part)
  for i, other in ipairs(self.parts) do
    if cluster_of(other) == cluster then
      table.remove(self.parts, i)
      break
    end
  end
  if #self.parts == PARTS_MAX then table.remove(self.parts, 1) end
  self.parts[#self.parts + 1] = part
end

--- What a database says of a part of the token; false when it is not its own.
local function recognized(self, handle, part)
  local verdict = handle:connect():judge(part)
  if verdict == "foreign" then return false end
  if verdict == "there" then
    keep(self, part)
  elseif verdict ~= "unsure" then                       -- the one writer is behind what it has had, or had another past
    self.lost = true
    if hook.listening["session:lost"] then
      hook.emit("session:lost", { connection = handle.name, token = part, session = self })
    end
  end
  return true
end

--- The databases that may have made a token: those that are open, the default one first, then all that are configured.
local function candidates()
  local list, seen = {}, {}
  local function add(handle)
    if not seen[handle] then list[#list + 1], seen[handle] = handle, true end
  end
  local config = Config.current()
  local ok, default = pcall(Database.get)               -- with a database for each tenant, and none set, there is none
  if ok then add(default) end
  for handle in Handle.each_open() do add(handle) end
  for _, name in ipairs(require "rille.keys"(config.connections)) do add(Database.get(name)) end
  return list
end

local function read_token(self, token)
  local deferred = Config.current().tenancy
  deferred = deferred ~= nil and require "rille.tenant.home".decides()
  for _, part in ipairs(split(token)) do
    local known = false
    for _, handle in ipairs(candidates()) do
      known = recognized(self, handle, part)
      if known then break end
    end
    if not known and deferred then
      self.waiting[part] = true                         -- perhaps of a tenant whose database is not open
    elseif not known then
      bad_token(part, "no database that is configured made it")
    end
  end
end

--- A database is used inside: what it has to say becomes part of the token.
local function touch(self, handle)
  if self.touched[handle] then return end
  self.touched[handle] = true
  for part in next, self.waiting do
    if recognized(self, handle, part) then self.waiting[part] = nil end
  end
end

--- The places where the databases that were used are now.
local function refresh(self)
  for handle in next, self.touched do
    local part = not handle.closed and handle:connect():token()
    if part then keep(self, part) end
    if not Transaction.innermost(handle) then self.touched[handle] = nil end
  end
end

--- The way of every statement, once there is a session.
---@param handle rille.Handle
function M.used(handle)
  local self = running[coroutine.running()]
  if self then touch(self, handle) end
end

local function start_counting()
  if Fetch.session then return end
  Fetch.session = M
  for handle in Handle.each_open() do handle.core:count(true) end
end

--- Begin a session, or go on with the one that gave a token.
---@param options? { token: string?, mode: string?, wait_ms: integer? }
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
  local self = setmetatable({ mode = mode, wait_ms = wait_ms, lost = false, parts = {}, waiting = {}, touched = {} },
    Session)
  start_counting()
  if options.token ~= nil then read_token(self, options.token) end
  return self
end

--- The session of this coroutine, or nil.
---@return rille.Session?
function M.current() return running[coroutine.running()] end

local Leaving = { __close = function(left)
  running[left.co] = left.before
  refresh(left.session)
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

local entered = setmetatable({}, { __mode = "k" })      -- coroutine -> what was before each M.enter, the last one last

--- Be in a session until M.leave; for programs in C, see rille_session_enter.
---@param options? table  as for start
function M.enter(options)
  local self, co = M.start(options), coroutine.running()
  local before = entered[co] or {}
  before[#before + 1], entered[co] = { session = running[co], own = self }, before
  running[co] = self
end

--- End the last M.enter; nothing happens without one.
function M.leave()
  local co = coroutine.running()
  local before = entered[co]
  if not before or #before == 0 then return end
  running[co] = table.remove(before).session
end

--- The token of the session that was entered last, and whether it lost something.
---@return string? token
---@return boolean lost
function M.state()
  local before = entered[coroutine.running()]
  if not before or #before == 0 then
    Error.raise("invalid_argument", "session: none was entered", { hint = "rille_session_enter begins one" })
  end
  local self = before[#before].own
  return self:token(), self.lost
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
function Session:mark_written() self.marked = true end

return M
