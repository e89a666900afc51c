--- tenant.extract: moves the rows of a tenant from one database into another: out of the shared one, or back into it.
-- Here between two files, which one connection has open; see across.lua for where one of them is at a server.
-- Two files cannot be written in one step that no crash divides, so there are three, each whole by itself:
--   1. the target gets the rows, and a note that they are arriving;
--   2. the source compares both sides under its lock, then deletes its rows and notes that they left;
--   3. the target forgets the note.
-- Until the second is done the source has everything, and the first begins anew; from then on the target has.  Whoever
-- runs it again after a crash goes on where it ended.
local Collision = require "rille.tenant.collision"
local Error = require "rille.error"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Side = require "rille.tenant.side.sqlite"

local M = {}

local TRIES <const> = 5            -- how often rows may change between the first step and the second
local SHOWN <const> = 5            -- rows of a table that differ
local OPTIONS <const> = { "dry_run", "on_step" }
local NOTES <const> = Moved.NOTES

local quote, matches = Name.quote, Moved.matches

--- The columns of a table of the source, but those that are computed.
local function columns_of(db, name)
  local names = {}
  for _, column in ipairs(db:describe(name).columns) do
    if not column.generated then names[#names + 1] = column.name end
  end
  return names
end

-- -- which rows -----------------------------------------------------------------------------------------------------

local function set_of(schema, i) return ('temp."move_%s_%d"'):format(schema, i) end

--- Note the rowids of the tenant's rows on one side; how many there are.
local function mark(db, plan, schema, id)
  local total = 0
  for i, each in ipairs(plan) do
    local set = set_of(schema, i)
    db:_execute(("create table if not exists %s (id integer primary key)"):format(set))
    db:_execute("delete from " .. set)
    if each.column then
      each[schema] = db:_execute(("insert into %s select rowid from %s.%s where %s = ?"):format(set, schema,
        quote(each.name), quote(each.column)), Moved.id_for(db, each, id)).changes
    else
      each[schema] = 0
    end
  end
  local more
  repeat
    more = 0
    for i, each in ipairs(plan) do
      for _, key in ipairs(each.column and {} or each.keys) do
        local added = db:_execute(([[insert or ignore into %s select c.rowid from %s.%s as c join %s.%s as p on %s
          where p.rowid in (select id from %s)]]):format(set_of(schema, i), schema, quote(each.name), schema,
          quote(plan[key.to].name), matches("c", key.columns, "p", key.references), set_of(schema, key.to))).changes
        each[schema], more = each[schema] + added, more + added
      end
    end
  until more == 0
  for _, each in ipairs(plan) do total = total + each[schema] end
  return total
end

--- What the marked rows of the source refer to of everybody's, a foreign key each; `is_meant` is SQL about the row m.
local function shared_of(db, plan)
  local list = {}
  for i, each in ipairs(plan) do
    for _, key in ipairs(each.shared) do
      list[#list + 1] = { name = key.table, columns = columns_of(db, key.table), references = key.references,
        is_meant = ("exists (select 1 from main.%s as c where c.rowid in (select id from %s) and %s)"):format(
          quote(each.name), set_of("main", i), matches("c", key.columns, "m", key.references)) }
    end
  end
  return list
end

local function clear(db, plan, schema)
  for i, each in ipairs(plan) do
    db:_execute(("delete from %s.%s where rowid in (select id from %s)"):format(schema, quote(each.name),
      set_of(schema, i)))
  end
end

--- The columns in a form that tells all values apart.
local function exact(each)
  local parts = {}
  for i, name in ipairs(each.columns) do parts[i] = ("quote(%s)"):format(quote(name)) end
  return table.concat(parts, ", ")
end

--- Are the rows of both sides the same, value by value?
local function are_same(db, plan)
  local function rows(each, schema, i)
    return ("select %s from %s.%s where rowid in (select id from %s)"):format(exact(each), schema, quote(each.name),
      set_of(schema, i))
  end
  for i, each in ipairs(plan) do
    local here, there = rows(each, "main", i), rows(each, "other", i)
    local differ = ("select exists (select * from (%s except %s)) or exists (select * from (%s except %s)) as yes")
      :format(here, there, there, here)
    if each.main ~= each.other or db:_query(differ)[1].yes ~= 0 then return false end
  end
  return true
end

--- Of the marked rows of a side.
local function digest(db, plan, schema)
  local parts = {}
  for i, each in ipairs(plan) do
    local columns = {}
    for k, name in ipairs(each.columns) do columns[k] = { name = name, declared = "TEXT" } end
    local sum = db:connect():carry { table = each.name, columns = columns, exact = true, most = 1,
      sql = ("select %s from %s.%s where rowid in (select id from %s)"):format(exact(each), schema, quote(each.name),
        set_of(schema, i)) }
    parts[i] = ("%d:%s"):format(sum.rows, sum.digest)
  end
  return table.concat(parts, " ")
end

--- Which marked rows of a side the other one has not, in words.
local function only_in(db, each, i, schema, other)
  local rows = ("from %s.%s where rowid in (select id from %s) and (%s) not in (select %s from %s.%s where rowid in "
    .. "(select id from %s))"):format(schema, quote(each.name), set_of(schema, i), exact(each), exact(each), other,
    quote(each.name), set_of(other, i))
  local count, ids = db:_query("select count(*) as n " .. rows)[1].n, {}
  if count == 0 then return nil end
  for k, row in ipairs(db:_query(("select rowid as id %s order by rowid limit %d"):format(rows, SHOWN))) do
    ids[k] = tostring(row.id)
  end
  return ("%d row%s only in the %s: %s%s"):format(count, count == 1 and "" or "s", schema == "main" and "source"
    or "target", table.concat(ids, ", "), count > #ids and " …" or "")
end

--- Raise unless the target has what had arrived, which may then be cleared.  Both sides are marked.
local function check_untouched(db, plan, arrived, here)
  if here > 0 and digest(db, plan, "other") == arrived then return end
  local fields = {}
  for i, each in ipairs(plan) do
    local words = { only_in(db, each, i, "other", "main") }
    words[#words + 1] = only_in(db, each, i, "main", "other")
    if words[1] then fields[each.name] = words end
  end
  Moved.refuse_changed(fields)
end

--- How many references of a side lead nowhere.  A condition on the column `schema` would be true of no row: only
--- arguments are heard.
local function dangling(db, schema)
  return db:_query("select count(*) as n from pragma_foreign_key_check(null, ?)", schema)[1].n
end

local function check_dangling(db, schema, before, hint)
  local after = dangling(db, schema)
  if after > before then
    Error.raise("foreign_key_violation", ("%d rows would refer to rows that are not there"):format(after - before), {
      hint = hint,
    })
  end
end

--- Copy the tenant's rows, and what they refer to of everybody's where the other side lacks it.
local function copy(db, plan, on_step)
  for _, each in ipairs(shared_of(db, plan)) do
    local target, columns = quote(each.name), Name.quote_all(each.columns)
    db:_execute(([[insert into other.%s (%s) select %s from main.%s as m where %s
      and not exists (select 1 from other.%s as o where %s)]]):format(target, columns, columns, target, each.is_meant,
      target, matches("o", each.references, "m", each.references)))
  end
  for i, each in ipairs(plan) do
    on_step("copying", each.name, each.main)
    local columns = Name.quote_all(each.columns)
    db:_execute(("insert into other.%s (%s) select %s from main.%s where rowid in (select id from %s) order by rowid")
      :format(quote(each.name), columns, columns, quote(each.name), set_of("main", i)))
  end
end

-- -- notes ----------------------------------------------------------------------------------------------------------

local function make_notes(db)
  for _, schema in ipairs { "main", "other" } do
    db:_execute(("create table if not exists %s.%s (tenant TEXT not null primary key, state TEXT not null)"):format(
      schema, NOTES))
  end
end

local function has_notes(db, schema)
  return db:_query(("select 1 from %s.sqlite_schema where name = '%s'"):format(schema, NOTES))[1] ~= nil
end

local function state_of(db, schema, key)
  if not has_notes(db, schema) then return nil end
  local row = db:_query(("select state from %s.%s where tenant = ?"):format(schema, NOTES), key)[1]
  return Moved.read(row and row.state)
end

local function note(db, schema, key, state)
  db:_execute(("insert or replace into %s.%s (tenant, state) values (?, ?)"):format(schema, NOTES), key, state)
end

--- Forget what is noted, if it is that.
local function forget(db, schema, key, state)
  if state_of(db, schema, key) == state then
    db:_execute(("delete from %s.%s where tenant = ?"):format(schema, NOTES), key)
  end
end

-- -- the steps ------------------------------------------------------------------------------------------------------

--- Raise unless the rows have room in the target; true where they are there.  Both sides are marked.
local function check_room(db, plan, key, there, here)
  local state, arrived = state_of(db, "other", key)
  local is_arriving = state == "arriving"
  if is_arriving and are_same(db, plan) then return true end
  if is_arriving then check_untouched(db, plan, arrived, here) end
  if there > 0 and not is_arriving then
    Error.raise("unique_violation", ("the target has %d rows of this tenant already"):format(there), {
      hint = "they are not from a move that was broken off: look at them first",
    })
  end
  local shared = shared_of(db, plan)
  Collision.check_shared(Collision.find(db, shared, {
    keys = function(_, i) return { shared[i].references } end,
    mine = function(i) return ("main.%s as m"):format(quote(shared[i].name)), shared[i].is_meant end,
    theirs = function(i)
      return ("other.%s as o"):format(quote(shared[i].name)), Collision.differ(shared[i].columns, Side.DIFFERS)
    end,
    shown = Side.SHOWN,
  }))
  Collision.check(Collision.find(db, plan, {
    keys = function(name) return Side.unique_keys(db, name, "other") end,
    mine = function(i)
      return ("main.%s as m"):format(quote(plan[i].name)), ("m.rowid in (select id from %s)"):format(set_of("main", i))
    end,
    theirs = function(i)
      return ("other.%s as o"):format(quote(plan[i].name)),
        ("o.rowid not in (select id from %s)"):format(set_of("other", i))
    end,
    shown = Side.SHOWN,
  }))
  return false
end

--- Is all done but that the target forgets it?
local function has_left(db, key)
  return state_of(db, "main", key) == "left" and state_of(db, "other", key) == "arriving"
end

-- Each step looks at the notes under its lock: another process may have come before it and done it all.
--- Bring the rows; false where there is none to bring, for another process has moved them.
local function arrive(db, plan, id, key, on_step)
  return db:transaction(function()
    if has_left(db, key) then return true end
    Moved.check_whole(state_of(db, "main", key))
    local there, here = mark(db, plan, "other", id), mark(db, plan, "main", id)
    local is_arriving = state_of(db, "other", key) == "arriving"
    if here == 0 and not is_arriving then return false end
    if check_room(db, plan, key, there, here) then return true end
    if is_arriving then clear(db, plan, "other") end
    local before = dangling(db, "other")
    copy(db, plan, on_step)
    check_dangling(db, "other", before, "rows that the tenant's rows refer to are missing in the target")
    mark(db, plan, "other", id)
    note(db, "other", key, Moved.arriving(digest(db, plan, "other")))
    return true
  end)
end

--- Delete the rows in the source, if the target has the same; false when they have changed since they were copied.
local function leave(db, plan, id, key)
  return db:transaction(function()
    if has_left(db, key) then return true end
    mark(db, plan, "main", id)
    mark(db, plan, "other", id)
    if not are_same(db, plan) then return false end
    local before = dangling(db, "main")
    clear(db, plan, "main")
    check_dangling(db, "main", before, "rows of the source refer to the tenant's rows, and would stay")
    note(db, "main", key, "left")
    return true
  end)
end

--- A note that rows left is of an earlier move where none are arriving.
local function forget_earlier(db, key)
  db:transaction(function()
    if state_of(db, "other", key) ~= "arriving" then
      forget(db, "main", key, "left")
    end
  end)
end

local function move(db, plan, id, key, on_step)
  forget_earlier(db, key)
  local tries = 0
  while not has_left(db, key) do
    tries = tries + 1
    if tries > TRIES then
      Error.raise("busy", "the tenant's rows change all the time", { hint = "move it while nobody writes them" })
    end
    if not arrive(db, plan, id, key, on_step) then return on_step "done" end
    on_step "arrived"
    if leave(db, plan, id, key) then on_step "left" end
  end
  forget(db, "other", key, "arriving")
  on_step "done"
end

-- -- the whole ------------------------------------------------------------------------------------------------------

--- Raise unless a table has the same columns on both sides.
local function check_columns(db, name)
  local columns = {}
  for _, schema in ipairs { "main", "other" } do
    local names = {}
    for i, row in ipairs(db:_query("select name from pragma_table_info(?, ?) order by name", name, schema)) do
      names[i] = row.name
    end
    columns[schema] = table.concat(names, ", ")
  end
  if columns.main == columns.other then return end
  Error.raise("migration", ("%s has other columns in the target: %s; and here: %s"):format(name, columns.other,
    columns.main), { table = name, hint = "both databases must have the same migrations" })
end

--- Raise for what cannot be moved whole.
local function check(db, plan, to)
  if #plan == 0 then
    Error.raise("not_found", "no table of the source says whose its rows are", {
      hint = "its migrations say :tenant() of a column, or a model says tenant_column",
    })
  end
  for _, each in ipairs(plan) do Side.check(db, each.name) end
  for _, each in ipairs(to and plan or {}) do
    for _, schema in ipairs { "main", "other" } do
      local trigger = Side.trigger(db, each.name, schema)
      if trigger then
        Error.raise("unsupported", ("%s has the trigger %s, which would run again"):format(each.name, trigger), {
          table = each.name, hint = "drop it for as long as tenants are moved",
        })
      end
    end
    check_columns(db, each.name)
  end
  for _, each in ipairs(to and shared_of(db, plan) or {}) do check_columns(db, each.name) end
end

--- What a run would do; raises what it would raise.
local function rehearse(db, plan, to, id, key)
  if not to then return end
  check_room(db, plan, key, mark(db, plan, "other", id), mark(db, plan, "main", id))
end

--- A connection of its own that has both databases, with foreign keys looked after at the end of each step.
local function open(from, to)
  local other = to and Side.settings(to.settings).database or ":memory:"
  local db = require "rille.handle".new("move", Side.settings(from.settings))
  db:_execute("attach ? as other", other)
  db:_execute "pragma other.synchronous = full"
  db:_execute "pragma main.synchronous = full"
  return db
end

--- Move a tenant's rows: every table with a tenant's column, and what hangs on these by foreign keys.  Rows that are
--- everybody's stay; those that the tenant's refer to are copied where the target lacks them.  Nobody may write the
--- tenant's rows in the target meanwhile.  May be run again after any end, and goes on.
---@param from rille.Handle
---@param to? rille.Handle    has the same tables; a dry run needs none
---@param tenant rille.Tenant
---@param options? { dry_run: boolean?, on_step: (fun(step: string, table: string?, rows: integer?))? }  on_step hears
---  "copying" with each table, before that perhaps "checking" with each, then "arrived", "left", "done"
---@return { rows: integer, tables: table<string, integer> } moved  of this run; none where all was done before
function M.run(from, to, tenant, options)
  options = Error.options("extract", options, OPTIONS)
  if not to and not options.dry_run then Error.argument("extract", "a handle to move to", nil) end
  require "rille.autoload".load_once()
  if from.driver ~= "sqlite" or to and to.driver ~= "sqlite" then
    return require "rille.tenant.across".run(from, to, tenant, options.dry_run, options.on_step or function() end)
  end
  local id, key = tenant.id, tostring(tenant.id)
  local handle = open(from, to)
  local closing <close> = setmetatable({}, { __close = function() handle:close() end })     -- luacheck: ignore 211
  local plan = Moved.plan(handle, Side.keys)
  check(handle, plan, to)
  local done = { rows = mark(handle, plan, "main", id), tables = {} }
  for _, each in ipairs(plan) do done.tables[each.name] = each.main end
  if to then Moved.check_whole(state_of(handle, "main", key)) end
  if options.dry_run then
    if done.rows > 0 then rehearse(handle, plan, to, id, key) end
    return done
  end
  make_notes(handle)
  if done.rows > 0 or state_of(handle, "other", key) == "arriving" then
    move(handle, plan, id, key, options.on_step or function() end)
  end
  return done
end

return M
