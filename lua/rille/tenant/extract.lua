--- tenant.extract: moves the rows of a tenant from one database into another: out of the shared one, or back into it.
-- Two databases cannot be written in one step that no crash divides, so there are three, each whole by itself:
--   1. the target gets the rows, and a note that they are arriving;
--   2. the source compares both sides under its lock, then deletes its rows and notes that they left;
--   3. the target forgets the note.
-- Until the second is done the source has everything, and the first begins anew; from then on the target has.  Whoever
-- runs it again after a crash goes on where it ended.
-- The notes of the target are locked during each step, so that moves of the same tenant come one after the other; in
-- the second one the source's tables are locked, too.
local Apart = require "rille.tenant.apart"
local Carriage = require "rille.tenant.carriage"
local Collision = require "rille.tenant.collision"
local Error = require "rille.error"
local Hanging = require "rille.tenant.hanging"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Needed = require "rille.tenant.needed"
local Side = require "rille.tenant.side"
local closing = require "rille.closing"

local M = {}

local TRIES <const> = 5            -- how often rows may change between the first step and the second
local OPTIONS <const> = { "dry_run", "on_step" }

---@class rille.Move
---@field id integer|string
---@field key string                 the id, as it is noted
---@field on_step fun(step: string, table: string?, rows: integer?)
---@field from rille.MoveSide
---@field to? rille.MoveSide         nil: rows are only counted
---@field from_handle rille.Handle
---@field to_handle? rille.Handle
---@field plan rille.MovedTable[]
---@field own rille.Carriage[]       a table of the plan each
---@field others rille.Carriage[]    of everybody's
---@field from_order integer[]       the plan's tables, those first that others refer to
---@field to_order integer[]
---@field from_circles boolean       foreign keys go in a circle there
---@field to_circles boolean

local function names_of(list)
  local names = {}
  for i, each in ipairs(list) do names[i] = each.name end
  return names
end

-- -- before anything is written -------------------------------------------------------------------------------------

--- Raise for values that the target does not keep as they are.
local function look(job)
  local count, fields, first = 0, {}, nil
  for _, list in ipairs { job.own, job.others } do
    for i, each in ipairs(list) do
      if list == job.own then job.on_step("checking", each.name, job.from.counts[i]) end
      each:look()
      count = count + each.seen.misfit_count
      for _, misfit in ipairs(each.seen.misfits) do
        local place = ("%s.%s"):format(misfit.table, misfit.column)
        first = first or misfit
        fields[place] = fields[place] or {}
        table.insert(fields[place], ("%s: %s"):format(misfit.row, misfit.why))
      end
    end
  end
  if count == 0 then return end
  local how_many = count == 1 and "1 value of the tenant does" or ("%d values of the tenant do"):format(count)
  Error.raise("validation", ("%s not fit into the target, of %s (%s) for example: %s"):format(how_many, first.table,
    first.row, first.why), {
    fields = fields, hint = "nothing was moved; mend them, or give the column of the target a type that keeps them",
  })
end

--- Raise where the rows have no room in the target, or would refer to others there.
local function check_room(job)
  local to, own, others = job.to, job.own, job.others
  Collision.check_shared(Collision.find(to.db, others, {
    keys = function(name, i) return Moved.all_keys(to:unique_keys(name), others[i].references) end,
    mine = function(i) return others[i]:coming() .. " as m" end,
    theirs = function(i)
      return to:place(others[i].name) .. " as o", Collision.differ(names_of(others[i].columns), to.DIFFERS)
    end,
    shown = to.SHOWN,
  }))
  Collision.check(Collision.find(to.db, own, {
    keys = function(name) return to:unique_keys(name) end,
    mine = function(i) return own[i]:coming() .. " as m" end,
    theirs = function(i) return to:place(own[i].name) .. " as o", ("not (%s)"):format(to:meant(i, "o")) end,
    shown = to.SHOWN,
  }))
end

--- Raise unless the target has what had arrived, which may then be cleared.
local function check_untouched(job, arrived, here)
  local sums, fields = {}, {}
  for i, each in ipairs(job.own) do sums[i] = each:sum() end
  if here > 0 and Carriage.digest(sums) == arrived then return end
  for i, each in ipairs(job.own) do
    if sums[i].rows ~= each.seen.rows or sums[i].digest ~= each.seen.digest then
      fields[each.name] = each:differences()
    end
  end
  Moved.refuse_changed(fields)
end

local function tell_copying(job, i) job.on_step("copying", job.own[i].name, job.from.counts[i]) end

local function stage(job)
  for i, each in ipairs(job.own) do
    if each.stage then
      tell_copying(job, i)
      each:stage()
    end
  end
  for _, each in ipairs(job.others) do
    if each.stage then each:stage() end
  end
end

local function check_referring(job)
  Moved.refuse_references(job.from:referring(job.plan), "%d row%s of others would refer to rows that are gone: %s",
    "nothing was deleted; give them to the tenant, too, or let them refer to others")
end

--- Raise where the source's rows would leave others without what they refer to, or have not all that they refer to.
local function check_references(job)
  Needed.mark(job.plan, job.from)
  Moved.refuse_references(Needed.missing(job.plan, job.from), "%d row%s would refer to rows that are not there: %s",
    "nothing was moved; in the source they are not there either, or another tenant's: mend that first")
  check_referring(job)
  Moved.refuse_references(Hanging.left_behind(job.plan, job.from), "%d row%s would be left behind: %s, by a relation "
    .. "of the models alone", "nothing was moved; give their table the tenant's column, or a foreign key")
end

--- All that can be found out before rows are in their tables; false where the source has none any more, for another
--- process has moved them, "there" where the target has them.
local function prepare(job)
  local state, arrived = job.to:state(job.key)
  local is_arriving = state == "arriving"
  if is_arriving then job.to:lock(names_of(job.plan)) end
  local there, here = job.to:mark(job.plan, job.id), job.from:mark(job.plan, job.id)
  if here == 0 and not is_arriving then return false end
  if there > 0 and not is_arriving then
    Error.raise("unique_violation", ("the target has %d rows of this tenant already"):format(there), {
      hint = "they are not from a move that was broken off: look at them first",
    })
  end
  check_references(job)
  look(job)
  if is_arriving then
    if Carriage.are_same(job.own) then return "there" end
    check_untouched(job, arrived, here)
  end
  stage(job)
  check_room(job)
  return "room"
end

-- -- the steps ------------------------------------------------------------------------------------------------------

--- Put the rows into their tables, and what they refer to of everybody's where the target lacks it.
local function put(job)
  local to = job.to
  local function insert(each, condition)
    local names = Name.quote_all(names_of(each.columns))
    to.db:_execute(("insert into %s (%s)%s select %s from %s as p where %s"):format(to:place(each.name), names,
      to.OVERRIDING, names, each:coming(), condition))
    to:count_on(each.name)
  end
  for _, each in ipairs(job.others) do
    insert(each, ("not exists (select 1 from %s as o where %s)"):format(to:place(each.name),
      Moved.matches("o", each.identity, "p", each.identity)))
  end
  for _, i in ipairs(job.to_order) do
    if not job.own[i].stage then tell_copying(job, i) end
    insert(job.own[i], "true")
  end
end

--- Raise unless the target has now what it was given.
local function check_put(job)
  job.to:mark(job.plan, job.id)
  local same, each = Carriage.are_same(job.own)
  if not same then
    Error.raise("checksum_mismatch", ("%s: the target has other rows than it was given: %s"):format(each.name,
      table.concat(each:differences(), "; ")), { table = each.name, hint = "nothing was moved; please report it" })
  end
  Moved.refuse_references(job.to:more_dangling(), "%d row%s would refer to rows that are not there: %s",
    "nothing was moved; rows that the tenant's rows refer to are missing in the target")
end

--- Is all done but that the target forgets it?
local function has_left(job) return job.from:state(job.key) == "left" and job.to:state(job.key) == "arriving" end

-- Each step looks at the notes under its lock: another process may have come before it and done it all.
--- Bring the rows; false where there is none to bring.
local function arrive(job)
  return job.to:write(function()
    if job.to_circles then job.to:put_off() end
    return job.from:read(function()
      if has_left(job) then return true end
      Moved.check_whole(job.from:state(job.key))
      local found = prepare(job)
      if found ~= "room" then return found == "there" end
      job.to:note_dangling(job.plan)
      job.to:clear(job.plan, job.to_order)
      put(job)
      check_put(job)
      local sums = {}
      for i, each in ipairs(job.own) do sums[i] = each.seen end
      job.to:note(job.key, Moved.arriving(Carriage.digest(sums)))
      return true
    end)
  end)
end

--- What the source has is to be what the target has; false where it has changed since.
local function compare(job)
  for _, each in ipairs(job.own) do
    each:look()
    if each.seen.misfit_count > 0 then return false end
  end
  return (Carriage.are_same(job.own))
end

--- Run `fn` where nobody else moves anything on either side.  They are locked in one order whichever way rows move, so
--- that of two opposite ways none waits for the other.
local function alone(job, fn)
  local first, second = job.to, job.from
  if second.db:place() < first.db:place() then first, second = second, first end
  return first:write(function() return second:write(fn) end)
end

--- Delete the rows in the source, if the target has the same; false when they have changed since they were copied.
---@return integer[]|false counts  how many, a table of the plan each; empty where another run has done it
local function leave(job)
  return alone(job, function()
    if has_left(job) then return {} end
    job.from:lock(names_of(job.plan))
    if job.from_circles then job.from:put_off() end
    job.from:mark(job.plan, job.id)
    job.to:mark(job.plan, job.id)
    if not compare(job) then return false end
    check_referring(job)
    local counts = table.move(job.from.counts, 1, #job.plan, 1, {})
    job.from:clear(job.plan, job.from_order)
    assert(job.from:mark(job.plan, job.id) == 0, "rows were deleted and are still there")
    job.from:note(job.key, "left")
    return counts
  end)
end

--- A note that rows left is of an earlier move where none are arriving.
local function forget_earlier(job)
  alone(job, function()
    if job.to:state(job.key) ~= "arriving" then job.from:forget(job.key, "left") end
  end)
end

--- Raise for rows that somebody wrote into the source behind the second step: nobody would look for them there.
local function check_gone(job)
  local total, fields, shown = 0, {}, {}
  job.from:read(function() total = job.from:mark(job.plan, job.id) end)
  for i, each in ipairs(total > 0 and job.plan or {}) do
    local rows = job.from.counts[i]
    if rows > 0 then
      fields[each.name] = { ("%d row%s only in the source"):format(rows, rows == 1 and "" or "s") }
      shown[#shown + 1] = ("%s: %d"):format(each.name, rows)
    end
  end
  if total == 0 then return end
  Error.raise("checksum_mismatch", ("the tenant's rows were moved, and some were written into the source after they "
    .. "had left (%s)"):format(table.concat(shown, ", ")), {
    fields = fields, hint = "these were not moved: write them in the target, and delete them in the source",
  })
end

--- Do what is left of the steps.
---@return integer[] counts  of the rows that this run moved, a table of the plan each; empty: none
local function move(job)
  forget_earlier(job)
  local tries, counts = 0, {}
  while not has_left(job) do
    tries = tries + 1
    if tries > TRIES then
      Error.raise("busy", "the tenant's rows change all the time", { hint = "move it while nobody writes them" })
    end
    if not arrive(job) then
      job.on_step "done"
      return {}
    end
    job.on_step "arrived"
    local left = leave(job)
    if left then
      counts = left
      job.on_step "left"
    end
  end
  job.to:write(function() job.to:forget(job.key, "arriving") end)
  check_gone(job)
  job.on_step "done"
  return counts
end

-- -- the whole ------------------------------------------------------------------------------------------------------

local function check_triggers(side, name)
  local trigger = side:trigger(name)
  if not trigger then return end
  Error.raise("unsupported", ("%s has the trigger %s, which would run again"):format(name, trigger), {
    table = name, hint = "drop it for as long as tenants are moved",
  })
end

--- Raise where a database would take rows of others for the tenant's.  Two files are sides of one connection, which
--- describes the tables of the first alone.
local function check_apart(handle, plan)
  for _, each in ipairs(plan) do
    if each.column then Apart.check(handle, handle:describe(each.name), each.column) end
  end
end

--- Raise for what cannot be moved whole.
local function check(job)
  local from, to, plan = job.from, job.to, job.plan
  if #plan == 0 then
    Error.raise("not_found", "no table of the source says whose its rows are", {
      hint = "its migrations say :tenant() of a column, or a model says tenant_column",
    })
  end
  for _, each in ipairs(plan) do from:check(each.name) end
  check_apart(job.from_handle, plan)
  if not to then return end
  local circles
  job.own, job.others, circles = Carriage.load(plan, from, to)
  for _, each in ipairs(plan) do
    to:check(each.name)
    check_triggers(from, each.name)
    check_triggers(to, each.name)
  end
  check_apart(job.to_handle, plan)
  job.from_order, job.from_circles = from:order(plan)
  job.to_order, job.to_circles = to:order(plan)
  job.to_circles = job.to_circles or circles
end

local function run(job, dry_run)
  job.plan = Moved.plan(job.from)
  job.plan.others = Needed.tables(job.plan, job.from)
  check(job)
  local rows
  job.from:read(function() rows = job.from:mark(job.plan, job.id) end)
  local counts = table.move(job.from.counts, 1, #job.plan, 1, {})
  if job.to then Moved.check_whole(job.from:state(job.key)) end
  if dry_run and job.to and has_left(job) then
    check_gone(job)
  elseif dry_run and job.to and rows > 0 then
    job.to:try(function() job.from:read(function() prepare(job) end) end)
  elseif not dry_run and (rows > 0 or job.to:state(job.key) == "arriving") then
    job.from:make_notes()
    job.to:make_notes()
    counts = move(job)
  end
  local done = { rows = 0, tables = {} }
  for i, each in ipairs(job.plan) do
    done.tables[each.name] = counts[i] or 0
    done.rows = done.rows + done.tables[each.name]
  end
  return done
end

--- Move a tenant's rows: every table with a tenant's column, and what hangs on these by foreign keys.  Rows that are
--- everybody's stay; those that the tenant's refer to are copied where the target lacks them.  Nobody may write the
--- tenant's rows in the target meanwhile.  May be run again after any end, and goes on.
---@param from rille.Handle
---@param to? rille.Handle    has the same tables; a dry run needs none
---@param tenant rille.Tenant
---@param options? { dry_run: boolean?, on_step: (fun(step: string, table: string?, rows: integer?))? }  on_step hears
---  "checking" and "copying" with each table, then "arrived", "left", "done"
---@return { rows: integer, tables: table<string, integer> } moved  of this run; none where all was done before
function M.run(from, to, tenant, options)
  options = Error.options("extract", options, OPTIONS)
  if not to and not options.dry_run then Error.argument("extract", "a handle to move to", nil) end
  require "rille.autoload".load_once()
  local source, target = Side.open(from, to)
  local closed <close> = closing(function()                                      -- luacheck: ignore 211
    source:close()
    if target then target:close() end
  end)
  return require "rille.tenant".outside(run, { id = tenant.id, key = tostring(tenant.id), from = source, to = target,
    from_handle = from, to_handle = to, on_step = options.on_step or function() end }, options.dry_run)
end

return M
