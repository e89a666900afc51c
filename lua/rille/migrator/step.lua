--- step: one migration, up or down, with its line in the ledger: one transaction.
local core = require "rille.core"
local Error = require "rille.error"
local Ledger = require "rille.migrator.ledger"
local Runner = require "rille.schema.runner"

local M = {}

local KEPT_APART = { kind = true, message = true, traceback = true }

--- What went wrong, as an error that names the file; the cause's own fields stay readable.
local function wrap(migration, direction, cause)
  local path = migration[direction]
  local fields = { file = path, direction = direction, cause = cause, traceback = Error.traceback(cause) }
  local message = tostring(cause)
  if Error.is(cause) then
    message = cause.message
    for key, value in next, cause do
      if not KEPT_APART[key] then fields[key] = value end
    end
  end
  local place = fields.line and path:find "%.sql$" and ("%s:%d"):format(path, fields.line) or path
  return Error.new("migration", ("%s: %s failed: %s"):format(place, direction, message), fields)
end

--- Ctrl-C is not a failure of the migration: it goes on as the host raised it.
local function is_interrupt(cause) return type(cause) == "table" and rawget(cause, "kind") == "interrupted" end

--- Run the function of a migration and write the ledger.
local function perform(handle, migration, direction, options)
  local schema = require "rille.schema".on(handle)
  local start = core.monotonic_ms()
  migration.run[direction](schema, handle)
  local ms = core.monotonic_ms() - start
  if options.unrecorded then return ms end
  if direction == "up" then
    Ledger.add(handle, migration, options.batch, ms)
  else
    Ledger.remove(handle, migration.name)
  end
  return ms
end

---@class rille.StepResult
---@field name string
---@field direction "up"|"down"
---@field state "applied"|"rolled_back"|"skipped"  skipped: another process was faster
---@field ms number
---@field batch? integer

--- Apply a migration or take it back.  Its function may be started a second time, after what it did was taken back,
--- when a table has to be rebuilt: see runner.lua.
---@param handle rille.Handle
---@param migration rille.Migration
---@param direction "up"|"down"
---@param options { least_batch: integer?, unrecorded: boolean? }  the batch is this one or that of whoever came between
---@return rille.StepResult
function M.run(handle, migration, direction, options)
  local run, started = Runner.new(handle), false
  local result = { name = migration.name, direction = direction, ms = 0 }
  local function work()
    local batch
    if not options.unrecorded then
      Ledger.ensure(handle)
      local rows, by_name = Ledger.read(handle)
      if (by_name[migration.name] ~= nil) == (direction == "up") then
        result.state = "skipped"
        return
      end
      batch = direction == "up" and math.max(options.least_batch, Ledger.last_batch(rows)) or nil
    end
    started = true
    result.ms = perform(handle, migration, direction, { batch = batch, unrecorded = options.unrecorded })
    result.batch = batch
    result.state = direction == "up" and "applied" or "rolled_back"
  end
  local begin = migration.foreign_keys_off[direction] and run.without_foreign_keys or run.change
  local ok, e = xpcall(begin, Error.keep_trace, run, work)
  if ok then return result end
  if not started or is_interrupt(e) then Error.again(e) end
  error(wrap(migration, direction, e), 0)
end

return M
