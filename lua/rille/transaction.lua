--- transaction: a function between begin and commit; one inside another is a savepoint.
-- A transaction belongs to the coroutine that began it.  Nothing here catches an error of the function: it passes
-- through a variable that is closed, so its value and its traceback stay what they are and the function may yield.
-- One that a test begins around itself (`of_test`) is as good as none for what the program begins inside.
local tenants = require "rille.core".tenants             -- see tenant.lua
local Error = require "rille.error"
local Fetch = require "rille.fetch"
local hook = require "rille.hook"

local M = {
  tenant_in = false,     -- of rille.tenant.directory, once there is one: whose rows are in a handle's database
}

-- How much of others a transaction sees, the more the higher.  SQLite runs every one as if it were alone, which keeps
-- the promise of each of these.
local ISOLATION = { read_committed = 1, repeatable_read = 2, serializable = 3 }
local ISOLATION_NAMES = { "serializable", "repeatable_read", "read_committed" }
local OPTIONS = { "isolation", "retries" }
local NOTHING = {}
local WORTH_ANOTHER_TRY = { busy = true, serialization_failure = true, deadlock = true }

---@class rille.Transaction
---@field handle rille.Handle
---@field db table                    the database of the core
---@field version integer            of what the handle knew of the schema when it began
---@field guard? userdata             of the outermost: rolls back when it is collected, as its coroutine is
---@field parent? rille.Transaction   the one it is a savepoint of
---@field outer? rille.Transaction    the one open before it in this coroutine, on whichever database
---@field owner thread
---@field state "open"|"committed"|"rolled back"
---@field after? function[]           what waits for the commit
---@field undo? rille.Undo            what it did to records
---@field isolation? string           what it was begun with
---@field tenant? any                of the outermost: the id of the current one, which a directory says is here
---@field whose? any                 of the first: the id of the tenant that it has become; nil: of none so far
---@field for_several? boolean        of a seed or a migration, which may be several tenants, one after the other
---@field of_test? boolean            begun by rille.testing: never committed, and no event is told of it
local Transaction = { __name = "rille.Transaction" }
Transaction.__index = Transaction

-- The same inside another: no finalizer, as the one around it has one for all.
local Savepoint = { __name = "rille.Transaction", __index = Transaction }

local newest = setmetatable({}, { __mode = "k" })       -- coroutine -> its transaction begun last and still open
M.newest = newest

--- The innermost open transaction of a coroutine on a database.
---@param owner thread
---@param handle rille.Handle
---@return rille.Transaction?
local function innermost_of(owner, handle)
  local each = newest[owner]
  while each and each.handle ~= handle do each = each.outer end
  return each
end

M.innermost_of = innermost_of

--- The innermost open transaction of this coroutine on a database.
---@param handle rille.Handle
---@return rille.Transaction?
function M.innermost(handle)
  return innermost_of(coroutine.running(), handle)
end

--- Is it the outermost one of the program on its database?
local function is_outermost(self)
  return not self.of_test and (not self.parent or self.parent.of_test)
end

--- What waits for a commit never waits for one around a test, nor for one around that.
local function unless_of_test(each) return each and not each.of_test and each or nil end

--- Is a transaction of the program open on the database, in this coroutine?
---@param handle rille.Handle
---@return boolean
function M.is_inside(handle)
  local inner = M.innermost(handle)
  return inner ~= nil and not inner.of_test
end

local function unlink(self, state)
  self.state = state
  local owner = self.owner
  if newest[owner] == self then
    newest[owner] = self.outer
  else
    local inner = newest[owner]
    while inner.outer ~= self do inner = inner.outer end
    inner.outer = self.outer
  end
end

--- Every function is called, whatever the ones before it did; then the first error is raised.
local function call_all(functions, ...)
  local failed, first = false, nil
  for i = 1, #functions do
    local ok, e = xpcall(functions[i], Error.keep_trace, ...)
    if not ok and not failed then failed, first = true, e end
  end
  if failed then Error.again(first) end
end

local function tell(self, event)
  if hook.listening[event] then hook.emit(event, { connection = self.handle.name }) end
end

--- Records are what they were.  What fails, as when memory runs out, is given back: the rollback comes first.
---@return any e  nil when nothing did
local function take_back(self)
  local undo = self.undo
  self.undo = nil
  if not undo then return nil end
  local ok, e = pcall(undo.take_back, undo)
  if not ok then return e end
end

local function rollback(self)
  local inner, failed = innermost_of(self.owner, self.handle), nil
  while inner ~= self do                  -- savepoints that nobody ended; what they cannot take back, this one does
    unlink(inner, "rolled back")
    failed = take_back(inner) or failed
    pcall(inner.db.rollback, inner.db)
    inner = innermost_of(self.owner, self.handle)
  end
  unlink(self, "rolled back")             -- first: it is over even when ROLLBACK fails
  failed = take_back(self) or failed
  self.db:rollback()
  if self.version ~= self.handle.version then self.handle:forget() end       -- tables are what they were before
  if is_outermost(self) then tell(self, "transaction:rollback") end
  if failed then Error.again(failed) end
end

local function commit(self)
  if Fetch.session then Fetch.session.commit(self.handle, self.db) else self.db:commit() end      -- when it raises,
  -- the transaction is still open and the caller rolls back
  unlink(self, "committed")
  local parent, after = self.parent, self.after or NOTHING
  if parent and self.undo then self.undo:merge_into(parent) end
  local heir = unless_of_test(parent) or unless_of_test(self.outer)
  if heir and after[1] then
    heir.after = table.move(after, 1, #after, #(heir.after or NOTHING) + 1, heir.after or {})
    after = NOTHING
  end
  if is_outermost(self) then
    call_all { function() tell(self, "transaction:commit") end, function() call_all(after) end }
  end
end

local function started(self)
  if not self.parent then self.guard = self.db:guard() end
  if is_outermost(self) then tell(self, "transaction:start") end
end

--- Inside another one nothing more can be asked for than that one gives; one around a test gives way.
local function check_inside(parent, isolation, word)
  local given = parent.isolation or "read_committed"
  if parent.of_test or not parent.handle:engine().locks_rows or ISOLATION[isolation] <= ISOLATION[given] then return end
  Error.raise("invalid_argument", ("%s: wants %s inside a transaction that is %s"):format(word, isolation, given), {
    hint = ('rille.transaction(fn, { isolation = "%s" }) around it gives it'):format(isolation),
  })
end

local function begin(handle, mode, isolation, of_test)
  local owner = coroutine.running()
  local parent = innermost_of(owner, handle)
  if Fetch.session and not parent then Fetch.session.begin(handle) end
  if parent and isolation then check_inside(parent, isolation, "transaction.isolation") end
  local tenant = M.tenant_in and not of_test and not unless_of_test(parent) and M.tenant_in(handle) or nil
  local db = parent and parent.db or handle:_connect()
  local self = setmetatable({ handle = handle, db = db, parent = parent, outer = newest[owner], owner = owner,
    state = "open", version = handle.version, of_test = of_test, isolation = isolation or parent and parent.isolation,
    tenant = tenant, whose = (tenants[owner] or NOTHING)[1],
  }, parent and Savepoint or Transaction)
  newest[owner] = self                    -- first: behind BEGIN nothing may fail that would leave it open
  local ok, e = pcall(db.begin, db, mode)
  if not ok then
    unlink(self, "rolled back")
    Error.again(e)
  end
  if not parent or parent.of_test then
    ok, e = xpcall(started, Error.keep_trace, self)
    if not ok then
      pcall(rollback, self)
      Error.again(e)
    end
  end
  return self
end

local function check_turn(self, method)
  if self.state ~= "open" then
    Error.raise("invalid_argument", ("%s: the transaction is already %s"):format(method, self.state))
  elseif self.owner ~= coroutine.running() then
    Error.raise("invalid_argument", method .. ": the transaction belongs to another coroutine")
  end
end

--- Keep what was done.  What waits for the commit of the outermost transaction runs now, or waits on.
function Transaction:commit()
  check_turn(self, "commit")
  if innermost_of(self.owner, self.handle) ~= self then
    Error.raise("invalid_argument", "commit: a transaction begun inside this one is still open", {
      hint = "write `local tx <close> = rille.begin()` and end it with tx:commit() or tx:rollback()",
    })
  end
  commit(self)
end

--- Take back what was done since it began.
function Transaction:rollback()
  check_turn(self, "rollback")
  rollback(self)
end

--- Left early: roll back.  When an error is on its way, that one is what the caller shall see.
function Transaction:__close(e)
  if self.state ~= "open" then return end
  if self.owner ~= coroutine.running() then
    Error.raise("invalid_argument", "a transaction was left in a coroutine that did not begin it: it is still open", {
      hint = "end it where it began",
    })
  end
  if e ~= nil then pcall(rollback, self) else rollback(self) end
end

Savepoint.__close = Transaction.__close

--- Dropped with its coroutine: the guard rolls it back, and with it the savepoints inside.
function Transaction:__gc()
  if self.state ~= "open" then return end
  local each = innermost_of(self.owner, self.handle)
  while each do
    each.state = "rolled back"
    take_back(each)
    each = each.parent
  end
end

local function finish(self, ...)
  self:commit()
  return ...
end

local function attempt(handle, fn, mode, isolation, outcome)
  local self <close> = begin(handle, mode, isolation)
  if outcome then outcome.transaction = self end
  return finish(self, fn(handle))
end

--- Again while the database asks for it.  Not after the commit: what fails then is not the transaction.
local function attempt_often(handle, fn, mode, isolation, retries)
  local outcome = {}
  for try = 0, retries do
    outcome.transaction = nil
    local results = table.pack(xpcall(attempt, Error.keep_trace, handle, fn, mode, isolation,
      outcome))
    if results[1] then return table.unpack(results, 2, results.n) end
    local e, begun = results[2], outcome.transaction
    local final = try == retries or begun and begun.state == "committed"
    if final or not Error.is(e) or not WORTH_ANOTHER_TRY[e.kind] then Error.again(e) end
  end
end

local function check_options(options)
  options = Error.options("transaction", options, OPTIONS)
  local isolation, retries = options.isolation, options.retries or 0
  if isolation ~= nil and not ISOLATION[isolation] then
    Error.argument("transaction.isolation", "one of " .. table.concat(ISOLATION_NAMES, ", "), isolation,
      Error.did_you_mean(isolation, ISOLATION_NAMES))
  end
  if math.type(retries) ~= "integer" or retries < 0 then
    Error.argument("transaction.retries", "how often to try again, a whole number", retries)
  end
  return retries, isolation
end

--- How the core begins it: with the lock of all writers where there is one, else as it was asked for, or as the
--- server does of itself.
local function mode_of(handle, isolation)
  if not handle:engine().locks_rows then return handle.settings.readonly and "deferred" or "immediate" end
  return isolation or "immediate"
end

--- Run `fn` in a transaction, or in a savepoint of the one that is open.
---@param handle rille.Handle
---@param fn fun(handle: rille.Handle): any ...
---@param options? { isolation: string?, retries: integer? }  a savepoint is never tried again: what failed is around it
---@return any ...  what fn returns
function M.run(handle, fn, options)
  if type(fn) ~= "function" then Error.argument("transaction", "a function", fn) end
  local retries, isolation = check_options(options)
  if retries > 0 and not M.is_inside(handle) then
    return attempt_often(handle, fn, mode_of(handle, isolation), isolation, retries)
  end
  return attempt(handle, fn, mode_of(handle, isolation), isolation)
end

--- Begin a transaction, or a savepoint, that the caller ends: `local tx <close> = db:begin()`.
---@param handle rille.Handle
---@param options? { isolation: string? }
---@return rille.Transaction
function M.begin(handle, options)
  local retries, isolation = check_options(options)
  if retries > 0 then
    Error.raise("invalid_argument", "begin: cannot try again what it does not run", {
      hint = "retries belong to rille.transaction(fn, { retries = n })",
    })
  end
  return begin(handle, mode_of(handle, isolation), isolation)
end

--- The same without options, for whoever begins one around each record.
---@param handle rille.Handle
---@return rille.Transaction
function M.enter(handle) return begin(handle, mode_of(handle)) end

--- Run reads at one moment: in one read transaction, which sees nothing of what others commit meanwhile and costs no
-- lock a read.  Inside a transaction they are at one moment already, if that one is isolated as much.
---@param handle rille.Handle
---@param fn fun(handle: rille.Handle): any ...
---@return any ...  what fn returns
function M.snapshot(handle, fn)
  if type(fn) ~= "function" then Error.argument("snapshot", "a function", fn) end
  local around = M.innermost(handle)
  if not around then return attempt(handle, fn, "snapshot", "repeatable_read") end
  check_inside(around, "repeatable_read", "snapshot")
  return fn(handle)
end

--- The same where it may be that something is written too, and where the transaction around it, if any, decides.
---@param handle rille.Handle
---@param fn fun(handle: rille.Handle, own: boolean): any ...  own: the transaction is for this alone
---@return any ...
function M.at_one_moment(handle, fn)
  if M.innermost(handle) then return fn(handle, false) end
  return attempt(handle, function() return fn(handle, true) end, "repeatable_read", "repeatable_read")
end

--- Call `fn` when the outermost transaction of this coroutine has committed, never if it, or the savepoint around this
--- call, rolls back; at once when none is open.
---@param fn function
function M.after_commit(fn)
  if type(fn) ~= "function" then Error.argument("after_commit", "a function", fn) end
  local current = unless_of_test(newest[coroutine.running()])
  if not current then
    fn()
    return
  end
  current.after = current.after or {}
  current.after[#current.after + 1] = fn
end

--- Has the coroutine a transaction of the program open?
---@param owner thread
---@return boolean
function M.begun_by(owner) return unless_of_test(newest[owner]) ~= nil end

--- The first transaction of the program, but for those of seeds and migrations, that the coroutine has open.
---@param owner thread
---@return rille.Transaction?
function M.first_of(owner)
  local each, first = newest[owner], nil
  while each do
    first, each = not each.of_test and not each.for_several and each or first, each.outer
  end
  return first
end

--- The transaction that this coroutine began last, if any, may be of several tenants, one after the other.
function M.is_for_several()
  local each = newest[coroutine.running()]
  if each then each.for_several = true end
end

--- Where a tenant's rows were when this coroutine began the transaction there that it has open.
---@param tenant any  its id
---@return rille.Handle?
function M.home_of(tenant)
  local each = newest[coroutine.running()]
  while each and each.tenant ~= tenant do each = each.outer end
  return each and each.handle
end

--- Begin the transaction around a test, which ends with rollback().
---@param handle rille.Handle
---@return rille.Transaction
function M.begin_test(handle) return begin(handle, "immediate", nil, true) end

--- Has any coroutine a transaction open on the database?
---@param handle rille.Handle
---@return boolean
function M.holds(handle)
  for owner in next, newest do
    if innermost_of(owner, handle) then return true end
  end
  return false
end

--- The transactions that the program has open, savepoints not counted.
---@return rille.Transaction[]
function M.open()
  local list = {}
  for _, each in next, newest do
    while each do
      if is_outermost(each) then list[#list + 1] = each end
      each = each.outer
    end
  end
  return list
end

--- Roll back every transaction that this coroutine began and did not end.
function M.abandon()
  local owner = coroutine.running()
  for _, each in ipairs(M.open()) do
    if each.owner == owner then rollback(each) end
  end
end

--- Forget the transactions whose database was closed: that took them back.  Their records are what they were.
function M.forget_closed()
  for _, each in ipairs(M.open()) do
    if each.handle.closed then pcall(rollback, each) end
  end
end

local function default() return require "rille.database".get() end

--- transaction, begin and snapshot of the default connection, as `rille.transaction(fn)` and its like.
function M.default(fn, options) return M.run(default(), fn, options) end
function M.begin_default(options) return M.begin(default(), options) end
function M.snapshot_default(fn) return M.snapshot(default(), fn) end

return M
