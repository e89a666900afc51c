--- migrator: which migrations have run; runs them, takes them back, says how it stands.  Prints nothing.
-- What is pending is the files less the ledger, whatever their names are: one that came late with a merge runs too.
local core = require "rille.core"
local Error = require "rille.error"
local File = require "rille.migrator.file"
local Ledger = require "rille.migrator.ledger"
local Step = require "rille.migrator.step"

local M = {}

---@class rille.MigrateOptions
---@field connection? string|rille.Handle
---@field path? string       the folder; default: `migrations` of the configuration
---@field pretend? boolean   change nothing, give the SQL that would run on an empty copy
---@field fresh? boolean     drop all tables first, with all they hold; migrate only
---@field step? integer      at most so many
---@field to? string         up to this one; migrate only
---@field seed? boolean      then run the seeds; migrate only
---@field on_progress? fun(step: rille.StepResult)  before each ("running") and after it

---@class rille.MigrateResult
---@field applied? rille.StepResult[]      by migrate, in the order they were run; none when pretended
---@field rolled_back? rille.StepResult[]  by rollback, likewise
---@field batch? integer                   of what was applied
---@field pretended? { name: string, statements: string[] }[]
---@field dropped? string[]                by fresh: names of tables and views
---@field seeded? string[]                 names of seeds
---@field failed? rille.StepResult         the one that raised; an error's `done` alone has it

local COMMON = { "connection", "path", "on_progress" }

local function read_options(where, options, more)
  local known = table.move(more, 1, #more, #COMMON + 1, table.move(COMMON, 1, #COMMON, 1, {}))
  options = Error.options(where, options, known)
  local step = options.step
  if step ~= nil and (math.type(step) ~= "integer" or step < 1) then
    Error.argument(where .. ".step", "a number of migrations, at least 1", step)
  end
  if options.on_progress ~= nil and type(options.on_progress) ~= "function" then
    Error.argument(where .. ".on_progress", "a function", options.on_progress)
  end
  if options.path ~= nil and type(options.path) ~= "string" then
    Error.argument(where .. ".path", "the path of a folder", options.path)
  end
  local handle = options.connection
  if type(handle) ~= "table" then handle = require "rille.database".get(handle) end
  require "rille.schema.engine".of(handle)              -- says so where the driver can make no tables
  if where == "migrate" or where == "rollback" then require "rille.guard".check_schema(where, handle) end
  return options, handle, options.path or require "rille.config".current().migrations
end

local function names_of(list)
  local names = {}
  for i, each in ipairs(list) do names[i] = each.name end
  return names
end

local function by_name_of(list)
  local by_name = {}
  for _, each in ipairs(list) do by_name[each.name] = each end
  return by_name
end

--- Raise where the text of an applied migration is not what was applied.
local function check_unchanged(files, applied)
  for _, file in ipairs(files) do
    local row = applied[file.name]
    if row and row.checksum ~= file.checksum then
      Error.raise("checksum_mismatch", ("%s was changed after it was applied on %s"):format(file.up, row.applied_at), {
        file = file.up, hint = "put it back as it was and write a new migration for the change; "
          .. "or, where nobody else applied it, migrate:rollback and migrate again",
      })
    end
  end
end

--- Files that were not applied, marked as late when a later one was.
local function pending_of(files, rows, applied)
  local newest = ""
  for _, row in ipairs(rows) do
    if row.name > newest then newest = row.name end
  end
  local pending = {}
  for _, file in ipairs(files) do
    if not applied[file.name] then
      pending[#pending + 1] = { file = file, late = file.name < newest or nil }
    end
  end
  return pending
end

local function limited(pending, options, files)
  local last = #pending
  if options.to ~= nil then
    if not by_name_of(files)[options.to] then
      Error.unknown("invalid_argument", "migration", options.to, names_of(files), "the folder of migrations")
    end
    last = 0
    while pending[last + 1] and pending[last + 1].file.name <= options.to do last = last + 1 end
  end
  return table.move(pending, 1, math.min(last, options.step or last), 1, {})
end

--- Run one step; where it fails, the result says which one it was.
local function run_one(handle, step, direction, least_batch, result)
  local start = core.monotonic_ms()
  local ok, done = xpcall(Step.run, Error.keep_trace, handle, step.migration, direction, { least_batch = least_batch })
  if ok then return done end
  result.failed = { name = step.migration.name, direction = direction, state = "failed", ms = Step.elapsed_ms(start) }
  Error.again(done)
end

--- Run the steps one after the other and add them to the list of the result; the ones that another process was faster
--- with are told and not listed.
local function run_all(handle, steps, direction, options, least_batch, result)
  local list = direction == "up" and result.applied or result.rolled_back
  local tell = options.on_progress or function() end
  for _, step in ipairs(steps) do
    tell { name = step.migration.name, direction = direction, ms = 0, state = "running", late = step.late }
    local done = run_one(handle, step, direction, least_batch, result)
    done.late = step.late
    if done.state ~= "skipped" then
      list[#list + 1] = done
      result.batch = done.batch or result.batch
    end
    tell(done)
  end
end

--- Run a function that fills in a result.  What was done before an error stays done, so the error tells it: `e.done`.
local function telling(result, fn)
  local ok, e = xpcall(fn, Error.keep_trace)
  if ok then return result end
  if Error.is(e) then e.done = result end
  Error.again(e)
end

local function sow(handle, sown, only)
  require "rille.migrator.seed".run(handle, require "rille.config".current().seeds, sown, only)
end

--- Run the steps on an empty copy of the database and give their SQL; `begin` goes before them.
local function pretend_all(handle, steps, direction, begin)
  local Rehearsal = require "rille.schema.rehearsal"
  local results = {}
  Rehearsal.run(handle, { foreign_keys = false }, function()
    if begin then results[1] = { name = begin.name, statements = (Rehearsal.record(handle, begin.run)) } end
    for _, step in ipairs(steps) do
      local statements = Rehearsal.record(handle, function()
        return Step.run(handle, step.migration, direction, { unrecorded = true })
      end)
      results[#results + 1] = { name = step.migration.name, late = step.late, statements = statements }
    end
  end)
  return results
end

--- rille.migrate: apply what is pending, each migration in a transaction of its own.  All are loaded before the first
--- one runs; the first that fails ends it, and what was applied before stays applied.
---@param options? rille.MigrateOptions
---@return rille.MigrateResult
function M.migrate(options)
  local handle, folder
  options, handle, folder = read_options("migrate", options, { "pretend", "fresh", "step", "to", "seed" })
  local files = File.list(folder)
  local rows, applied = {}, {}
  if not options.fresh then rows, applied = Ledger.read(handle) end
  check_unchanged(files, applied)
  local steps = limited(pending_of(files, rows, applied), options, files)
  for _, step in ipairs(steps) do step.migration = File.load(step.file, handle.driver) end
  local function drop_all()
    return require "rille.schema.engine".of(handle).drop_all(require "rille.schema.runner".new(handle))
  end
  if options.pretend then
    local begin = options.fresh and { name = "fresh", run = drop_all } or nil
    return { applied = {}, pretended = pretend_all(handle, steps, "up", begin) }
  end
  local result = { applied = {} }
  return telling(result, function()
    result.dropped = options.fresh and drop_all() or nil
    run_all(handle, steps, "up", options, Ledger.last_batch(rows) + 1, result)
    if options.seed then
      result.seeded = {}
      sow(handle, result.seeded)
    end
  end)
end

--- Run the seeds, each in a transaction of its own; the first that fails ends it.
---@param options? { connection: string|rille.Handle|nil, only: string? }  only: the name of the one to run
---@return { seeded: string[] }  their names
function M.seed(options)
  options = Error.options("seed", options, { "connection", "only" })
  local handle, result = options.connection, { seeded = {} }
  if type(handle) ~= "table" then handle = require "rille.database".get(handle) end
  return telling(result, function() sow(handle, result.seeded, options.only) end)
end

--- Take back the last batch, or the last `step` migrations, the newest first.
---@param options? rille.MigrateOptions
---@return rille.MigrateResult
function M.rollback(options)
  local handle, folder
  options, handle, folder = read_options("rollback", options, { "pretend", "step" })
  local files = by_name_of(File.list(folder))
  local rows = Ledger.read(handle)
  local last, steps = Ledger.last_batch(rows), {}
  for i = #rows, 1, -1 do
    local wanted = options.step and #steps < options.step or not options.step and rows[i].batch == last
    if not wanted then break end
    local file = files[rows[i].name]
    if not file then
      Error.raise("migration", ("%s cannot be taken back: its file is gone from %s"):format(rows[i].name, folder), {
        hint = "bring the file back, from version control for instance; nothing was taken back",
      })
    end
    steps[#steps + 1] = { migration = File.load(file, handle.driver) }
  end
  if options.pretend then return { rolled_back = {}, pretended = pretend_all(handle, steps, "down") } end
  local result = { rolled_back = {} }
  return telling(result, function() run_all(handle, steps, "down", options, nil, result) end)
end

--- How each migration stands, by name.
---@param options? { connection: string|rille.Handle|nil, path: string? }
---@return { migrations: { name: string, state: string, batch: integer?, applied_at: string? }[] }
function M.status(options)
  local _, handle, folder = read_options("status", options, {})
  local _, applied = Ledger.read(handle)
  local list, seen = {}, {}
  for i, file in ipairs(File.list(folder)) do
    local row = applied[file.name]
    local state = not row and "pending" or row.checksum ~= file.checksum and "changed" or "applied"
    list[i] = { name = file.name, state = state, batch = row and row.batch, applied_at = row and row.applied_at }
    seen[file.name] = true
  end
  for name, row in pairs(applied) do
    if not seen[name] then
      list[#list + 1] = { name = name, state = "missing", batch = row.batch, applied_at = row.applied_at }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return { migrations = list }
end

--- Does every `down` undo its `up`?  Tried on an empty database in memory; the real one is not touched.
---@param options? { connection: string|rille.Handle|nil, path: string? }
---@return { ok: boolean, migrations: { name: string, ok: boolean, differences: string[] }[] }
function M.verify(options)
  local _, handle, folder = read_options("verify", options, {})
  local migrations = File.list(folder)
  for i, file in ipairs(migrations) do migrations[i] = File.load(file, handle.driver) end
  local result = { ok = true, migrations = require "rille.migrator.verify".run(handle, migrations) }
  for _, each in ipairs(result.migrations) do result.ok = result.ok and each.ok end
  return result
end

return M
