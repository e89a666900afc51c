--- behind.postgres: what views and tables of PostgreSQL read and write besides, told by what the catalog says they use.
-- What a function does is not known there, so where one that somebody made is used, any table may be behind it.
local Error = require "rille.error"

local M = {}

-- A call of such a function, as a regular expression.
local HIDDEN_READING <const> = "\\m(" .. table.concat(require "rille.handle.postgres".READING, "|") .. ")\\w*\\("

-- Things are told apart by the catalog that they are in and their number in it.  What PostgreSQL itself brings is not
-- recorded as used, and has a number below 16384.
-- Which thing uses which: a view its rules and the functions of its triggers, these what the catalog says, and a table
-- those whose rows it has or which have its rows.
local USES <const> = [[select (classid::bigint << 32) + objid::bigint as thing,
    (refclassid::bigint << 32) + refobjid::bigint as used from pg_catalog.pg_depend
    where objid >= 16384 and refobjid >= 16384 and deptype <> 'e' and classid <> $1::pg_catalog.regclass
  union all select (c.tableoid::bigint << 32) + c.oid::bigint, (w.tableoid::bigint << 32) + w.oid::bigint
    from pg_catalog.pg_rewrite w join pg_catalog.pg_class c on c.oid = w.ev_class
    where w.oid >= 16384 and c.relkind in ('v', 'm')
  union all select (c.tableoid::bigint << 32) + c.oid::bigint, (p.tableoid::bigint << 32) + p.oid::bigint
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
    join pg_catalog.pg_proc p on p.oid = t.tgfoid where p.oid >= 16384 and c.relkind = 'v'
  union all select ($1::pg_catalog.regclass::oid::bigint << 32) + inhparent::bigint,
    ($1::pg_catalog.regclass::oid::bigint << 32) + inhrelid::bigint from pg_catalog.pg_inherits
  union all select ($1::pg_catalog.regclass::oid::bigint << 32) + inhrelid::bigint,
    ($1::pg_catalog.regclass::oid::bigint << 32) + inhparent::bigint from pg_catalog.pg_inherits]]

-- The names of tables and views, and whether these find them; no name: behind that thing there may be any table.
local THINGS <const> = [[select (tableoid::bigint << 32) + oid::bigint as thing, relname::text as name,
    pg_catalog.pg_table_is_visible(oid) as found, relkind::text as kind from pg_catalog.pg_class
    where oid >= 16384 and relkind in ('r', 'p', 'v', 'm', 'f')
  union all select (tableoid::bigint << 32) + oid::bigint, null, false, null from pg_catalog.pg_rewrite
    where oid >= 16384 and pg_catalog.pg_get_ruledef(oid) ~* $1
  union all select (p.tableoid::bigint << 32) + p.oid::bigint, null, false, null from pg_catalog.pg_proc p
    where p.oid >= 16384 and not exists (select from pg_catalog.pg_depend d
      where d.classid = p.tableoid and d.objid = p.oid and d.deptype = 'e')]]

local TRIGGERS <const> = [[select t.tgname::text as name, c.relname::text as tbl_name, p.prosrc as source
  from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_proc p on p.oid = t.tgfoid where not t.tgisinternal and c.relkind in ('r', 'p')
    and pg_catalog.pg_table_is_visible(c.oid) order by t.tgname]]

local INTERNAL <const> = "XX000"                   -- SQLSTATE: here, what the query looks at is dropped meanwhile
local TRIES <const> = 5

--- The rows of a query that looks at all of the catalog: asked again where somebody drops something under it.
local function read(db, sql, param)
  for try = 1, TRIES do
    local ok, rows = pcall(db.query, db, sql, { param })
    if ok then return rows end
    if try == TRIES or not (Error.is(rows) and rows.code == INTERNAL) then Error.again(rows) end
  end
end

--- Thing -> the list of those that it uses.
local function read_uses(db)
  local uses = {}
  for _, row in ipairs(read(db, USES, "pg_catalog.pg_class")) do
    local list = uses[row.thing] or {}
    uses[row.thing], list[#list + 1] = list, row.used
  end
  return uses
end

--- Thing -> its name, whichever schema it is in, or false where there may be anything.  Name -> the thing it finds.
-- Thing -> its kind, as the catalog has it.
local function read_things(db)
  local names, things, kinds = {}, {}, {}
  for _, row in ipairs(read(db, THINGS, HIDDEN_READING)) do
    names[row.thing], kinds[row.thing] = row.name or false, row.kind
    if row.found then things[row.name] = row.thing end
  end
  return names, things, kinds
end

--- All that is used when a thing is: the set of it and of what it uses.
local function reach(uses, thing, set)
  if set[thing] then return set end
  set[thing] = true
  for _, used in ipairs(uses[thing] or {}) do reach(uses, used, set) end
  return set
end

--- The triggers of tables: the source of what each does, in small letters and without quotes.
---@param handle rille.Handle
---@return { name: string, table: string, text: string }[]
function M.triggers(handle)
  local list = {}
  for _, row in ipairs((handle:_connect():query(TRIGGERS))) do
    list[#list + 1] = { name = row.name, table = row.tbl_name, text = (row.source:lower():gsub('"', " ")) }
  end
  return list
end

--- A table may have the rows of others, which M.read tells of.
---@return boolean
function M.is_plain() return false end

--- Read what uses what.
---@param handle rille.Handle
---@return fun(name: string): (fun(table_name: string): boolean)?  for a name: is a table behind it?  nil: none is
function M.read(handle)
  local db = handle:_connect()
  local uses = read_uses(db)
  local names, things = read_things(db)
  return function(name)
    local behind, anything, set = {}, false, {}
    if things[name] then reach(uses, things[name], set) end
    for thing in next, set do
      if names[thing] then behind[names[thing]] = true end
      anything = anything or names[thing] == false
    end
    return function(table_name) return anything or behind[table_name] == true end
  end
end

--- What shows rows of guarded tables that the policies of these do not hold for: materialized views, partitions and
--- the like when they are named themselves, and views of such.
---@param handle rille.Handle
---@param guarded table<string, true>  names of tables with a policy
---@return table<string, true> names
function M.unwalled(handle, guarded)
  local db = handle:_connect()
  local uses = read_uses(db)
  local names, things, kinds = read_things(db)

  -- Does it keep rows of its own that are those of a guarded table?
  local function keeps(thing)
    if not kinds[thing] or kinds[thing] == "v" then return false end
    for used in next, reach(uses, thing, {}) do
      if guarded[names[used]] or names[used] == false and kinds[thing] == "m" then return true end
    end
    return false
  end
  local function shows(thing, seen)
    if seen[thing] or guarded[names[thing]] then return false end       -- by itself its policy holds
    seen[thing] = true
    if keeps(thing) then return true end
    for _, used in ipairs(uses[thing] or {}) do
      if shows(used, seen) then return true end
    end
    return false
  end

  local unwalled = {}
  for name, thing in next, things do unwalled[name] = shows(thing, {}) or nil end
  return unwalled
end

return M
