--- step: one migration, up or down, with its line in the ledger: one transaction.
local core = require "rille.core"
local Engine = require "rille.schema.engine"
local Error = require "rille.error"
local Failure = require "rille.migrator.failure"
local Ledger = require "rille.migrator.ledger"
local Runner = require "rille.schema.runner"
local Transaction = require "rille.transaction"
local closing = require "rille.closing"

local M = {}

-- By whether it ran outside of a transaction.
local HINTS <const> = {
  [true] = "it runs outside of a transaction: what it did before this is still there",
  [false] = "what it did before was taken back",
}

--- Milliseconds since then, with as many digits as mean something.
---@param start number  of core.monotonic_ms
---@return number
function M.elapsed_ms(start) return (core.monotonic_ms() - start) * 1000 // 1 / 1000 end

--- Run the function of a migration and write the ledger: how long it took, and when it was applied.
local function perform(handle, ledger, migration, direction, options)
  local schema = require "rille.schema".on(handle)
  local start = core.monotonic_ms()
  Transaction.is_for_several()
  migration.run[direction](schema, handle)
  local ms = M.elapsed_ms(start)
  if options.unrecorded then return ms end
  if direction == "up" then return ms, Ledger.add(ledger, migration, options.batch, ms) end
  Ledger.remove(ledger, migration.name)
  return ms
end

--- The connection whose transaction has the lock and writes the ledger: one of its own for what runs outside of one.
---@return rille.Handle keeper
---@return table closed  for a variable that is <close>
local function keeper_of(handle, is_outside)
  if not is_outside then return handle, closing(function() end) end
  local keeper = require "rille.handle".new(handle.name, handle.settings)
  return keeper, closing(keeper.close, keeper)
end

---@class rille.StepResult
---@field name string
---@field direction "up"|"down"
---@field state "applied"|"rolled_back"|"skipped"|"failed"  skipped: another process was faster
---@field ms number
---@field applied_at? string   of what was applied
---@field batch? integer

--- Apply a migration or take it back.  Its function may be started a second time, after what it did was taken back,
--- when a table has to be rebuilt: see sqlite/runner.lua.
---@param handle rille.Handle
---@param migration rille.Migration
---@param direction "up"|"down"
---@param options { least_batch: integer?, unrecorded: boolean? }  the batch is this one or that of whoever came between
---@return rille.StepResult
function M.run(handle, migration, direction, options)
  local engine, started = Engine.of(handle), false
  local is_recorded = not options.unrecorded
  local is_outside = migration.outside[direction] == true and is_recorded and engine.put_off ~= nil
    and not handle.rehearsal
  local keeper, closed <close> = keeper_of(handle, is_outside)                   -- luacheck: ignore 211
  local run = Runner.new(keeper)
  local result = { name = migration.name, direction = direction, ms = 0 }
  local function work()
    local batch
    if is_recorded then
      if not is_outside then Ledger.make(run) end
      Ledger.lock(run)
      local rows, by_name = Ledger.read(handle)            -- outside of the transaction of a keeper
      if (by_name[migration.name] ~= nil) == (direction == "up") then
        result.state = "skipped"
        return
      end
      batch = direction == "up" and math.max(options.least_batch, Ledger.last_batch(rows)) or nil
      if engine.settle then engine.settle(run, migration.name) end
    end
    started = true
    result.ms, result.applied_at = perform(handle, keeper, migration, direction, {
      batch = batch, unrecorded = options.unrecorded,
    })
    result.batch = batch
    result.state = direction == "up" and "applied" or "rolled_back"
  end
  local begin = not is_outside and migration.foreign_keys_off[direction] and run.without_foreign_keys or run.change
  local function try()
    return xpcall(function()
      if is_outside then Ledger.make(run) end              -- before the transaction: see postgres/lock.lua
      begin(run, work)
    end, Error.keep_trace)
  end
  local function may_again(e) return not started and Error.is(e, "locked") end
  local ok, e
  if engine.patiently and is_recorded then
    ok, e = engine.patiently(run, try, may_again)
  else
    ok, e = try()
  end
  if ok then return result end
  if not started or Failure.is_interrupt(e) then Error.again(e) end
  local failure = Failure.new(migration[direction], direction, e)
  failure.direction, failure.hint = direction, failure.hint or HINTS[is_outside]
  error(failure, 0)
end

return M
