--- promote: takes a SQLite database to PostgreSQL: its tables, its rows, the counters of its ids.
-- Before anything is written to the target, all of it is tried: the tables are made in a scratch schema that is taken
-- back, and every value of the source is looked at for the column that will hold it.  Then the tables are made, and
-- each is filled by one transaction, in which it is read back and compared; what the target notes of it
-- (promote/notes.lua) makes a run after any end go on.  Foreign keys are off until the last row is there.
-- The source is read at one moment and never written.  Who writes to it meanwhile is noticed under its writers' lock
-- before the target is called done: so nobody's rows can be missing there.
local Config = require "rille.config"
local Error = require "rille.error"
local Finish = require "rille.promote.finish"
local Handle = require "rille.handle"
local Name = require "rille.schema.name"
local Notes = require "rille.promote.notes"
local Rows = require "rille.promote.rows"
local Runner = require "rille.schema.runner"
local Source = require "rille.promote.source"
local Target = require "rille.promote.target"
local Trial = require "rille.promote.trial"
local closing = require "rille.closing"
local copy = require "rille.copy"

local M = {}

local OPTIONS <const> = { "from", "to", "dry_run", "schema", "skip", "accept", "path", "on_progress", "all_tenants" }
local LOCK <const> = [[select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('rille_promotion'),
  pg_catalog.hashtext(pg_catalog.current_schema())) as "got"]]

local LOCK_TRIES <const> = 100          -- of a tenth of a second: the server may yet have to notice a process that died

---@class rille.PromoteOptions
---@field to string|table      a URL, the name of a connection, or its settings: PostgreSQL
---@field from? string         the name of a connection to SQLite; the default one when absent
---@field dry_run? boolean     look at everything, and write nothing
---@field schema? "migrations"|"catalog"  where tables come from; migrations where the source has any
---@field skip? string[]       tables that stay behind
---@field accept? boolean      what does not go over (views, triggers …) may stay behind
---@field path? string         the folder of migrations
---@field all_tenants? boolean  each tenant's database becomes a schema; see promote/tenants.lua
---@field on_progress? fun(step: rille.PromoteStep)

---@class rille.PromoteStep
---@field step "preparing"|"checking"|"trying"|"migrating"|"copying"|"comparing"|"finishing"
---@field table? string
---@field rows? integer        so far
---@field number? integer      of the table, from 1
---@field count? integer       of all tables
---@field name? string         of a migration, or of a tenant

---@class rille.Promoted
---@field state "done"|"already"|"dry_run"
---@field from string
---@field to string
---@field rows integer
---@field tables { name: string, rows: integer, digest: string, state: "copied"|"kept"|"checked" }[]
---@field left { kind: string, name: string, why: string? }[]  what did not go over
---@field misfit_count integer   values and references that the target would not take
---@field misfits rille.Misfit[]  some of them
---@field finished_at? string

-- -- trying it -------------------------------------------------------------------------------------------------------

--- Make the tables where nothing is left of them, see which column takes which, and call `fn` while they are there.
local function rehearse(job, fn)
  job.tell { step = "preparing" }
  require "rille.schema.rehearsal".run(job.to, { empty = true }, function()
    Target.migrate(job.to, job.path, job.last)
    local keys = Target.make_rest(job.from, job.to, job.source, function(kind, name, why)
      table.insert(job.source.left, { kind = kind, name = name, why = why })
    end)
    Finish.add_keys(job.run, keys)
    job.plans = Target.plans(job.from, job.to, job.source)
    fn()
  end)
end

local function step_of(job, step, number)
  local plan, count = job.plans[number], #job.plans
  local function tell(rows) job.tell { step = step, table = plan.name, rows = rows, number = number, count = count } end
  tell(0)
  return tell
end

--- Look at every value and reference.
local function look(job)
  local result = job.result
  job.looks = {}
  for i, plan in ipairs(job.plans) do
    local seen = Rows.look(job.from, plan, step_of(job, "checking", i))
    job.looks[plan.name] = seen
    result.tables[i] = { name = plan.name, rows = seen.rows, digest = seen.digest, state = "checked" }
    result.rows = result.rows + seen.rows
    result.misfit_count = result.misfit_count + seen.misfit_count
    table.move(seen.misfits, 1, #seen.misfits, #result.misfits + 1, result.misfits)
  end
  local dangling, count = Source.dangling(job.source_run, job.source)
  result.misfit_count = result.misfit_count + count
  table.move(dangling, 1, #dangling, #result.misfits + 1, result.misfits)
end

--- Look at them, and see what the tables make of them.
local function try_all(job)
  look(job)
  local result = job.result
  local refused = Trial.run(job, function(number) return step_of(job, "trying", number) end)
  result.misfit_count = result.misfit_count + #refused
  table.move(refused, 1, #refused, #result.misfits + 1, result.misfits)
end

local function refuse(job, kind, message, hint)
  Error.raise(kind, message, { hint = hint, done = job.result })
end

--- Raise for what would be lost or left behind unseen.
local function check(job)
  local result = job.result
  if result.misfit_count > 0 then
    local first = result.misfits[1]
    refuse(job, "validation", ("%d values do not fit, of %s (%s) for example: %s"):format(result.misfit_count,
      first.table, first.row, first.why), "mend them in the source; a dry run lists them; nothing was copied")
  end
  if #result.left > 0 and not job.options.accept then
    local names = {}
    for i, each in ipairs(result.left) do names[i] = ("%s %s"):format(each.kind, Error.quote(each.name)) end
    refuse(job, "unsupported", "not all of the source goes over: " .. table.concat(names, ", "),
      "accept = true (--yes) leaves it behind; nothing was copied")
  end
end

-- -- doing it --------------------------------------------------------------------------------------------------------

local function names_of(plans)
  local names = {}
  for i, plan in ipairs(plans) do names[i] = plan.name end
  return names
end

--- A target in which nothing began: it has no rows of these tables, and no other migrations.  The tables that it has.
local function check_new(job)
  local there, engine = {}, require "rille.schema.engine".of(job.to)
  local ledger = require "rille.migrator.ledger"
  local _, applied = ledger.read(job.from)
  for _, row in ipairs((ledger.read(job.to))) do
    if not applied[row.name] or not job.last then
      Error.raise("migration", ("the target has the migration %s, and the source has not"):format(row.name), {
        hint = "a database is promoted into an empty one",
      })
    end
  end
  for _, name in ipairs(job.source.tables) do
    if name ~= ledger.TABLE and engine.has_table(job.run, name) then there[#there + 1] = name end
  end
  Finish.check_empty(job.run, there)
  return there
end

--- Make the tables, without foreign keys and without what migrations put into them: one transaction, so that a target
--- has all tables or none.
local function make(job)
  local to, run = job.to, job.run
  local plain <close> = closing(function() to.rehearsal = nil end)               -- luacheck: ignore 211
  run:change(function()
    Finish.check_empty(run, job.there, true)       -- looking at the rows took its time, and they would go unseen
    to.rehearsal = {}                              -- nobody uses it yet: nothing is done concurrently
    Target.migrate(to, job.path, job.last, function(step)
      if step.state == "running" then job.tell { step = "migrating", name = step.name } end
    end)
    local keys = Target.make_rest(job.from, to, job.source, function() end)
    job.plans = Target.plans(job.from, to, job.source)
    run:execute "set constraints all immediate"    -- of rows that migrations made: then their tables can be changed
    local dropped = Finish.drop_keys(run, names_of(job.plans))
    table.move(keys, 1, #keys, #dropped + 1, dropped)
    Notes.begin(run, job.result, dropped)
    if #job.plans > 0 then run:execute("truncate " .. Name.quote_all(names_of(job.plans))) end
  end)
end

local function compare(job, number, plan, done)
  local there = Rows.sum(job.to, plan, step_of(job, "comparing", number))
  if there.rows == done.rows and there.digest == done.digest then return end
  refuse(job, "checksum_mismatch", ("%s: the target has other rows than it was given: %s"):format(plan.name,
    table.concat(Rows.differences(job.from, job.to, plan), "; ")), "nothing of this table was kept; please report it")
end

--- Fill one table, if it is not as it should be already.
local function fill(job, number)
  local plan = job.plans[number]
  local seen, noted, shown = job.looks[plan.name], job.notes.tables[plan.name], job.result.tables[number]
  if noted then
    local there = Rows.sum(job.to, plan, step_of(job, "comparing", number))
    if there.rows ~= noted.rows or there.digest ~= noted.digest then
      refuse(job, "checksum_mismatch", ("somebody else has written to %s in the target since it was copied"):format(
        plan.name), "nothing was changed there; give an empty database, and begin anew")
    end
    if seen.digest == noted.digest and seen.rows == noted.rows then
      shown.state = "kept"
      return
    end
  end
  job.run:change(function()
    if noted then
      job.run:execute("truncate " .. Name.quote(plan.name))
    else
      Finish.check_empty(job.run, { plan.name })
    end
    local ok, done = pcall(Finish.plain, job.run, plan.name, function()
      return Rows.copy(job.from, job.to, plan, step_of(job, "copying", number))
    end)
    if not ok and Trial.is_refusal(done) then
      refuse(job, done.kind, ("%s refuses a row: %s"):format(plan.name, done.message),
        "nothing of this table was kept; mend it in the source: " .. (done.hint or "a dry run names it"))
    elseif not ok then
      Error.again(done)
    end
    assert(done.misfit_count == 0 and done.digest == seen.digest, "the source changed within a transaction")
    compare(job, number, plan, done)
    Notes.table(job.run, plan.name, done)
  end)
  shown.state = "copied"
end

--- The source may have become another one since the promotion began: a table that it has no more would stay in the
--- target, and what does not go over may have come to it.
local function check_resumed(job)
  local planned, known, left = {}, {}, job.notes.left
  for _, plan in ipairs(job.plans) do planned[plan.name] = true end
  for _, name in ipairs(job.notes.made) do
    if not planned[name] then
      refuse(job, "migration", ("%s was to go over when this promotion began, and is not any more"):format(
        Name.quote(name)), "nothing was changed; give an empty database, and begin anew")
    end
  end
  for _, each in ipairs(left) do known[each.kind .. " " .. each.name] = true end
  for _, each in ipairs(job.source.left) do
    if not known[each.kind .. " " .. each.name] then left[#left + 1] = each end
  end
end

--- Everything that is read of the source, at one moment.
local function copy_all(job)
  job.source = Source.look(job.source_run, job.skip)
  local source, result, options = job.source, job.result, job.options
  job.last = options.schema ~= "catalog" and Target.last_migration(job.from, job.path) or nil
  local is_new = not job.notes
  if is_new and not job.is_absent then job.there = check_new(job) end
  if is_new then
    rehearse(job, function() if options.dry_run then try_all(job) end end)
  else
    job.plans = Target.plans(job.from, job.to, source)
    check_resumed(job)
  end
  result.left = is_new and source.left or job.notes.left
  if not (is_new and options.dry_run) then look(job) end
  if options.dry_run then return end
  check(job)
  if is_new then make(job) end
  job.notes = Notes.read(job.run)
  for i = 1, #job.plans do fill(job, i) end
end

--- Put around the rows what belongs there, while nobody can write to the source.
local function finish(job)
  job.tell { step = "finishing" }
  job.from:transaction(function()
    if Source.version(job.source_run) ~= job.source.version then
      refuse(job, "serialization_failure", "the source has changed while it was copied", "stop what writes to it, and "
        .. "run it again: only tables that changed are copied anew")
    end
    job.run:change(function()
      Finish.add_keys(job.run, Notes.read(job.run).keys)
      for _, plan in ipairs(job.plans) do Finish.set_counter(job.run, plan.name, job.source.counters[plan.name]) end
      Notes.finish(job.run, job.result)
    end)
  end)
  for _, plan in ipairs(job.plans) do job.run:execute("analyze " .. Name.quote(plan.name)) end
end

-- -- the whole -------------------------------------------------------------------------------------------------------

--- Keep other processes out for as long as the connection is open.
local function lock(run)
  for _ = 1, LOCK_TRIES do
    if run:rows(LOCK)[1].got then return end
    run:rows "select pg_catalog.pg_sleep(0.1)"
  end
  Error.raise("locked", "another process takes a database to this one", { hint = "wait for it, or end it" })
end

--- Take one database over.  `to` is the default connection by then, so that migrations write there and nowhere else.
---@param from rille.Handle
---@param to rille.Handle
---@param options rille.PromoteOptions  checked
---@param is_absent? boolean            where the target will be nothing is yet: a dry run elsewhere in its database
---@return rille.Promoted
function M.database(from, to, options, is_absent)
  local run = Runner.new(to)
  local job = { from = from, to = to, run = run, source_run = Runner.new(from), is_absent = is_absent, skip = {},
    options = options, path = options.path or Config.current().migrations,
    tell = options.on_progress or function() end }
  for _, name in ipairs(options.skip or {}) do job.skip[name] = true end
  job.result = { from = from:place(), to = to:place(), source = from:place(), rows = 0, tables = {}, left = {},
    misfits = {}, misfit_count = 0 }
  lock(run)
  job.notes = not is_absent and Notes.read(run) or nil
  if job.notes then Notes.check(job.notes, from:place()) end
  if job.notes and job.notes.state == "done" then
    job.result.state, job.result.finished_at, job.result.left = "already", job.notes.finished_at, job.notes.left
    for _, name in ipairs(require "rille.keys"(job.notes.tables)) do
      local each = job.notes.tables[name]
      table.insert(job.result.tables, { name = name, rows = each.rows, digest = each.digest, state = "kept" })
      job.result.rows = job.result.rows + each.rows
    end
  else
    from:snapshot(function() copy_all(job) end)
    if not options.dry_run then finish(job) end
    job.result.state = options.dry_run and "dry_run" or "done"
  end
  job.result.source = nil
  return job.result
end

--- A handle of the source that nobody else has, and that neither makes a file nor fills a mirror.
---@param settings table
---@return rille.Handle
local function open_source(settings)
  local own = copy(settings)
  own.mirror, own.create, own.pooled = nil, false, nil
  if settings.driver ~= "sqlite" then
    Error.raise("unsupported", "promote: a database of SQLite is taken to PostgreSQL, and the source is none")
  elseif settings.database == ":memory:" then
    Error.raise("unsupported", "promote: a database in memory is gone when this ends; the source must be a file")
  elseif not require "rille.core".file_size(settings.database) then
    Error.raise("not_found", ("there is no database %s"):format(Error.quote(settings.database)))
  end
  return Handle.new("source", own)
end

--- Take a database over while the target is the default connection.
---@param source table       settings of the SQLite database
---@param target table       settings of the PostgreSQL database
---@param options rille.PromoteOptions
---@param around? { is_absent: boolean?, done: (fun(to: rille.Handle))? }  done: runs when all is there
---@return rille.Promoted
function M.between(source, target, options, around)
  local config = Config.current()
  local from = open_source(source)
  local put_back = Config.stand_in(copy(config.connections, { [config.default] = target }))
  local closed <close> = closing(function()                                      -- luacheck: ignore 211
    from:close()
    put_back()
  end)
  local to = require "rille.database".get(config.default)
  local result = M.database(from, to, options, around and around.is_absent)
  if around and around.done and result.state ~= "dry_run" then around.done(to) end
  return result
end

local function check_options(options)
  options = Error.options("promote", options, OPTIONS)
  if options.schema ~= nil and options.schema ~= "migrations" and options.schema ~= "catalog" then
    Error.argument("promote.schema", 'one of "migrations", "catalog"', options.schema)
  elseif options.skip ~= nil and type(options.skip) ~= "table" then
    Error.argument("promote.skip", "a list of names of tables", options.skip)
  elseif options.on_progress ~= nil and type(options.on_progress) ~= "function" then
    Error.argument("promote.on_progress", "a function", options.on_progress)
  end
  return options
end

--- Settings of the target, completed as the configuration completes them.
local function target_settings(to)
  local connections = Config.current().connections
  local settings = type(to) == "string" and connections[to] or to
  if settings == nil then Error.argument("promote.to", "where the PostgreSQL database is", to) end
  settings = Config.settings("promote.to", settings)
  if settings.driver ~= "postgres" then
    Error.argument("promote.to", "a PostgreSQL database: postgresql://…", type(to) == "string" and to
      or "another one")
  end
  settings.walled = true                           -- rows of all tenants are copied, and seen there afterwards
  return settings
end

--- rille.promote: take the database of a connection, or with `all_tenants` those of all tenants, to PostgreSQL.  May be
--- run again after any end, and goes on.  Connections are opened anew by it: what `rille.db()` gave before is closed.
---@param options rille.PromoteOptions
---@return rille.Promoted|rille.PromotedTenants
function M.run(options)
  options = check_options(options)
  local config, target = Config.current(), target_settings(options.to)
  if options.all_tenants then
    local is_pattern = type(options.to) == "string" and options.to:find("{slug}", 1, true)
    return require "rille.promote.tenants".run(is_pattern and options.to or target, options)
  end
  local name = options.from or config.default
  local source = config.connections[name]
  if not source then
    Error.unknown("invalid_argument", "connection", name, require "rille.keys"(config.connections),
      "the configuration")
  end
  return M.between(source, target, options)
end

return M
