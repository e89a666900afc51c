--- tenant.across: moves the rows of a tenant between two databases that no transaction holds together, for one of them
-- at least is at a server.
-- The steps, and what is noted of them, are those of extract.lua.  The notes of the target are locked during each step,
-- so that moves of the same tenant come one after the other; in the second one the source's tables are locked, too.
-- Rows are carried as `rille promote` carries them: every value is looked at for the column that is to keep it before
-- anything is written, and both sides are added up.  On their way they wait in short-lived tables of the target, where
-- they are compared with what is there.
local Collision = require "rille.tenant.collision"
local Error = require "rille.error"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Rows = require "rille.promote.rows"
local Side = require "rille.tenant.side"
local Target = require "rille.promote.target"

local M = {}

local TRIES <const> = 5            -- how often rows may change between the first step and the second

local quote = Name.quote

local function names_of(list)
  local names = {}
  for i, each in ipairs(list) do names[i] = each.name end
  return names
end

-- -- how rows are carried -------------------------------------------------------------------------------------------

--- Columns of the target that the source has not: what is in them would not find its way back.
local function tell_more(source, target, tell)
  local known = {}
  for _, column in ipairs(source.columns) do known[column.name:lower()] = true end
  for _, column in ipairs(target.columns) do
    if not column.generated and not known[column.name:lower()] then
      tell(("%s.%s of the target has no place in the source"):format(target.name, column.name))
    end
  end
end

--- Which column of a table takes which.
local function columns_of(job, name)
  local source, target, wrong = job.from.db:describe(name), job.to.db:describe(name), {}
  local function tell(why) wrong[#wrong + 1] = why end
  if not target then
    tell "the target has no such table"
  else
    local columns = Target.columns(source.columns, target, tell)
    tell_more(source, target, tell)
    if #wrong == 0 then return columns end
  end
  Error.raise("migration", ("%s is another table in the target: %s"):format(name, table.concat(wrong, "; ")), {
    table = name, hint = "both databases must have the same migrations",
  })
end

--- How the rows of a table are carried: `rows` compares both sides, `stage` brings them to where they wait.
local function carriage(job, name, stage, where, where_there)
  local exact, columns = job.to.db:engine().exact_decimals, columns_of(job, name)
  local function plan(there, wheres)
    return { name = there, source = name, columns = columns, exact = exact, where = wheres }
  end
  return { name = name, place = stage, columns = columns, rows = plan(name, { source = where, name = where_there }),
    stage = plan(stage, { source = where }) }
end

--- Of each table that moves, and of what its rows refer to of everybody's.
local function carriages(job)
  job.own, job.others = {}, {}
  for i, each in ipairs(job.plan) do
    job.own[i] = carriage(job, each.name, "rille_stage_" .. i, job.from:meant(i, quote(each.name)),
      job.to:meant(i, quote(each.name)))
    for _, key in ipairs(each.shared) do
      local target = quote(key.table)
      local other = carriage(job, key.table, "rille_shared_" .. #job.others + 1,
        ("exists (select 1 from %s as c where %s and %s)"):format(quote(each.name), job.from:meant(i, "c"),
          Moved.matches("c", key.columns, target, key.references)))
      other.references = key.references
      job.others[#job.others + 1] = other
    end
  end
end

--- Those of everybody's in an order in which they refer to those before them.
local function put_in_order(job)
  local list, by_name = { at = {} }, {}
  for _, each in ipairs(job.others) do
    local name = each.name:lower()
    if not by_name[name] then
      list[#list + 1], by_name[name] = { name = each.name }, {}
      list.at[name] = #list
    end
    table.insert(by_name[name], each)
  end
  local order, circles = job.to:order(list, true)
  job.others = {}
  for _, i in ipairs(order) do
    table.move(by_name[list[i].name:lower()], 1, #by_name[list[i].name:lower()], #job.others + 1, job.others)
  end
  return circles
end

-- -- before anything is written -------------------------------------------------------------------------------------

--- Raise for values that the target does not keep as they are.
local function look(job)
  local count, fields, first = 0, {}, nil
  for _, list in ipairs { job.own, job.others } do
    for i, each in ipairs(list) do
      if list == job.own then job.on_step("checking", each.name, job.from.counts[i]) end
      each.seen = Rows.look(job.from.db, each.rows)
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

--- Bring the rows to where they wait, and raise where they are others there.
local function stage(job)
  for _, list in ipairs { job.own, job.others } do
    for i, each in ipairs(list) do
      if list == job.own then job.on_step("copying", each.name, job.from.counts[i]) end
      job.to.words.make_like(job.to.db, each.place, each.name, each.columns)
      Rows.copy(job.from.db, job.to.db, each.stage)
      local there = Rows.sum(job.to.db, each.stage)
      if there.rows ~= each.seen.rows or there.digest ~= each.seen.digest then
        Error.raise("checksum_mismatch", ("%s: the target does not keep these rows as they are: %s"):format(each.name,
          table.concat(Rows.differences(job.from.db, job.to.db, each.stage), "; ")), {
          table = each.name, hint = "nothing was moved; what type have its columns in the target?",
        })
      end
    end
  end
end

--- Raise where the rows have no room in the target, or would refer to others there.
local function check_room(job)
  local words = job.to.words
  Collision.check_shared(Collision.find(job.to.db, job.others, {
    keys = function(_, i) return { job.others[i].references } end,
    mine = function(i) return job.others[i].place .. " as m", "true" end,
    theirs = function(i)
      return quote(job.others[i].name) .. " as o", Collision.differ(names_of(job.others[i].columns), words.DIFFERS)
    end,
    shown = words.SHOWN,
  }))
  Collision.check(Collision.find(job.to.db, job.plan, {
    keys = function(name) return words.unique_keys(job.to.db, name) end,
    mine = function(i) return job.own[i].place .. " as m", "true" end,
    theirs = function(i) return quote(job.plan[i].name) .. " as o", ("not (%s)"):format(job.to:meant(i, "o")) end,
    shown = words.SHOWN,
  }))
end

--- Has the target, of whatever is marked there, what was seen in the source?
local function is_same(job)
  for _, each in ipairs(job.own) do
    local there = Rows.sum(job.to.db, each.rows)
    if there.rows ~= each.seen.rows or there.digest ~= each.seen.digest then return false, each end
  end
  return true
end

local function digest(sums)
  local parts = {}
  for i, sum in ipairs(sums) do parts[i] = ("%d:%s"):format(sum.rows, sum.digest) end
  return table.concat(parts, " ")
end

--- Raise unless the target has what had arrived, which may then be cleared.
local function check_untouched(job, arrived, here)
  local sums, fields = {}, {}
  for i, each in ipairs(job.own) do sums[i] = Rows.sum(job.to.db, each.rows) end
  if here > 0 and digest(sums) == arrived then return end
  for i, each in ipairs(job.own) do
    if sums[i].rows ~= each.seen.rows or sums[i].digest ~= each.seen.digest then
      fields[each.name] = Rows.differences(job.from.db, job.to.db, each.rows)
    end
  end
  Moved.refuse_changed(fields)
end

local function lock(side, plan) side.words.lock(side.db, names_of(plan)) end

--- All that can be found out before rows are in their tables; false where the source has none any more, for another
--- process has moved them, "there" where the target has them.
local function prepare(job)
  local state, arrived = job.to:state(job.key)
  local is_arriving = state == "arriving"
  if is_arriving then lock(job.to, job.plan) end
  local there, here = job.to:mark(job.plan, job.id), job.from:mark(job.plan, job.id)
  if here == 0 and not is_arriving then return false end
  if there > 0 and not is_arriving then
    Error.raise("unique_violation", ("the target has %d rows of this tenant already"):format(there), {
      hint = "they are not from a move that was broken off: look at them first",
    })
  end
  look(job)
  if is_arriving then
    if is_same(job) then return "there" end
    check_untouched(job, arrived, here)
  end
  stage(job)
  check_room(job)
  return "room"
end

-- -- the steps ------------------------------------------------------------------------------------------------------

local function put(job)
  local db = job.to.db
  local function insert(each, condition)
    local names = Name.quote_all(names_of(each.columns))
    db:_execute(("insert into %s (%s)%s select %s from %s as p%s"):format(quote(each.name), names,
      job.to.words.OVERRIDING, names, each.place, condition))
  end
  for _, each in ipairs(job.others) do
    insert(each, (" where not exists (select 1 from %s as o where %s)"):format(quote(each.name),
      Moved.matches("o", each.references, "p", each.references)))
    job.to.words.count_on(db, each.name)
  end
  for _, i in ipairs(job.to_order) do
    insert(job.own[i], "")
    job.to.words.count_on(db, job.own[i].name)
  end
end

local function check_dangling(job, before)
  local after = job.to.words.dangling(job.to.db)
  if after > before then
    Error.raise("foreign_key_violation", ("%d rows would refer to rows that are not there"):format(after - before), {
      hint = "rows that the tenant's rows refer to are missing in the target",
    })
  end
end

--- Is all done but that the target forgets it?
local function has_left(job) return job.from:state(job.key) == "left" and job.to:state(job.key) == "arriving" end

--- Bring the rows; false where there is none to bring.
local function arrive(job)
  return job.to:write(function()
    if job.to_circles then job.to.words.put_off(job.to.db) end
    return job.from:read(function()
      if has_left(job) then return true end
      Moved.check_whole(job.from:state(job.key))
      local found = prepare(job)
      if found ~= "room" then return found == "there" end
      local before = job.to.words.dangling(job.to.db)
      job.to:clear(job.plan, job.to_order)
      put(job)
      job.to:mark(job.plan, job.id)
      local same, each = is_same(job)
      if not same then
        Error.raise("checksum_mismatch", ("%s: the target has other rows than it was given: %s"):format(each.name,
          table.concat(Rows.differences(job.from.db, job.to.db, each.rows), "; ")), { table = each.name,
          hint = "nothing was moved; please report it" })
      end
      check_dangling(job, before)
      local sums = {}
      for i, own in ipairs(job.own) do sums[i] = own.seen end
      job.to:note(job.key, Moved.arriving(digest(sums)))
      return true
    end)
  end)
end

--- What the source has is to be what the target has; false where it has changed since.
local function compare(job)
  for _, each in ipairs(job.own) do
    each.seen = Rows.look(job.from.db, each.rows)
    if each.seen.misfit_count > 0 then return false end
  end
  return (is_same(job))
end

--- Delete the rows in the source, if the target has the same; false when they have changed since they were copied.
local function leave(job)
  return job.to:write(function()
    return job.from:write(function()
      if has_left(job) then return true end
      lock(job.from, job.plan)
      if job.from_circles then job.from.words.put_off(job.from.db) end
      job.from:mark(job.plan, job.id)
      job.to:mark(job.plan, job.id)
      if not compare(job) then return false end
      local referring = job.from:referring(job.plan)
      if referring > 0 then
        Error.raise("foreign_key_violation", ("%d rows would refer to rows that are not there"):format(referring), {
          hint = "rows of the source refer to the tenant's rows, and would stay",
        })
      end
      job.from:clear(job.plan, job.from_order)
      assert(job.from:mark(job.plan, job.id) == 0, "rows were deleted and are still there")
      job.from:note(job.key, "left")
      return true
    end)
  end)
end

--- A note that rows left is of an earlier move where none are arriving.
local function forget_earlier(job)
  job.to:write(function()
    if job.to:state(job.key) ~= "arriving" then
      job.from:write(function() job.from:forget(job.key, "left") end)
    end
  end)
end

local function move(job)
  forget_earlier(job)
  local tries = 0
  while not has_left(job) do
    tries = tries + 1
    if tries > TRIES then
      Error.raise("busy", "the tenant's rows change all the time", { hint = "move it while nobody writes them" })
    end
    if not arrive(job) then return job.on_step "done" end
    job.on_step "arrived"
    if leave(job) then job.on_step "left" end
  end
  job.to:write(function() job.to:forget(job.key, "arriving") end)
  job.on_step "done"
end

-- -- the whole ------------------------------------------------------------------------------------------------------

--- Raise for what cannot be moved whole.
local function check(job)
  if #job.plan == 0 then
    Error.raise("not_found", "no table of the source says whose its rows are", {
      hint = "its migrations say :tenant() of a column, or a model says tenant_column",
    })
  end
  for _, each in ipairs(job.plan) do job.from.words.check(job.from.db, each.name) end
  if not job.to then return end
  carriages(job)
  for _, each in ipairs(job.plan) do
    job.to.words.check(job.to.db, each.name)
    for _, side in ipairs { job.from, job.to } do
      local trigger = side.words.trigger(side.db, each.name)
      if trigger then
        Error.raise("unsupported", ("%s has the trigger %s, which would run again"):format(each.name, trigger), {
          table = each.name, hint = "drop it for as long as tenants are moved",
        })
      end
    end
  end
  job.from_order, job.from_circles = job.from:order(job.plan)
  job.to_order, job.to_circles = job.to:order(job.plan)
  job.to_circles = put_in_order(job) or job.to_circles
end

local function run(job, dry_run)
  job.plan = Moved.plan(job.from.db, job.from.words.keys)
  check(job)
  local done = { tables = {} }
  job.from:read(function() done.rows = job.from:mark(job.plan, job.id) end)
  for i, each in ipairs(job.plan) do done.tables[each.name] = job.from.counts[i] end
  if job.to then Moved.check_whole(job.from:state(job.key)) end
  if dry_run and job.to and done.rows > 0 then
    job.to:try(function() job.from:read(function() prepare(job) end) end)
  elseif not dry_run and (done.rows > 0 or job.to:state(job.key) == "arriving") then
    job.from:make_notes()
    job.to:make_notes()
    move(job)
  end
  return done
end

--- See extract.lua, which gives what its caller gave.
---@param from rille.Handle
---@param to? rille.Handle
---@param tenant rille.Tenant
---@param dry_run boolean
---@param on_step fun(step: string, table: string?, rows: integer?)
---@return { rows: integer, tables: table<string, integer> }
function M.run(from, to, tenant, dry_run, on_step)
  local job = { id = tenant.id, key = tostring(tenant.id), on_step = on_step, from = Side.open(from) }
  local closing <close> = setmetatable({}, { __close = function()              -- luacheck: ignore 211
    job.from:close()
    if job.to then job.to:close() end
  end })
  job.to = to and Side.open(to) or nil
  return require "rille.tenant".outside(run, job, dry_run)
end

return M
