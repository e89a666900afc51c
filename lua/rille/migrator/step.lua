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

--- Run `work` outside of a transaction of the handle: another connection's holds the lock and writes the ledger.
local function outside(handle, work)
  local keeper = require "rille.handle".new(handle.name, handle.settings)
  local closed <close> = closing(keeper.close, keeper)                           -- luacheck: ignore 211
  Runner.new(keeper):change(function() work(keeper) end)
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
  local run, engine, started = Runner.new(handle), Engine.of(handle), false
  local result = { name = migration.name, direction = direction, ms = 0 }
  local function work(ledger)
    local batch
    if not options.unrecorded then
      local keeper = ledger == handle and run or Runner.new(ledger)
      Ledger.take(keeper)
      local rows, by_name = Ledger.read(ledger)
      if (by_name[migration.name] ~= nil) == (direction == "up") then
        result.state = "skipped"
        return
      end
      batch = direction == "up" and math.max(options.least_batch, Ledger.last_batch(rows)) or nil
      if engine.settle then engine.settle(keeper, migration.name) end
    end
    started = true
    result.ms, result.applied_at = perform(handle, ledger, migration, direction, {
      batch = batch, unrecorded = options.unrecorded,
    })
    result.batch = batch
    result.state = direction == "up" and "applied" or "rolled_back"
  end
  local is_outside = migration.outside[direction] == true and not options.unrecorded and engine.put_off ~= nil
    and not handle.rehearsal
  local begin = migration.foreign_keys_off[direction] and run.without_foreign_keys or run.change
  local ok, e
  if is_outside then
    ok, e = xpcall(outside, Error.keep_trace, handle, work)
  else
    ok, e = xpcall(begin, Error.keep_trace, run, function() work(handle) end)
  end
  if ok then return result end
  if not started or Failure.is_interrupt(e) then Error.again(e) end
  local failure = Failure.new(migration[direction], direction, e)
  failure.direction, failure.hint = direction, failure.hint or HINTS[is_outside]
  error(failure, 0)
end

return M
