--- promote.finish: what stands around the rows in the target: foreign keys and triggers, which are off while they come,
-- and the counters of ids, which go on behind the greatest.
local Catalog = require "rille.schema.postgres.catalog"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local ABOUT <const> = [[select (select count(*) from pg_catalog.pg_trigger t
    where t.tgrelid = pg_catalog.to_regclass(?) and not t.tgisinternal and t.tgenabled <> 'D') as "triggers",
  (select c.relrowsecurity and c.relforcerowsecurity from pg_catalog.pg_class c
    where c.oid = pg_catalog.to_regclass(?)) as "forced"]]

--- Take all foreign keys of the tables away; the statements that add them again.
---@param run rille.SchemaRunner
---@param names string[]
---@return string[] statements
function M.drop_keys(run, names)
  local statements = {}
  for _, name in ipairs(names) do
    for _, constraint in ipairs(Catalog.table(run, name).constraints) do
      if constraint.kind == "foreign" then
        local alter = "alter table " .. Name.quote(name)
        statements[#statements + 1] = ("%s add constraint %s %s"):format(alter, Name.quote(constraint.name),
          constraint.sql)
        run:execute(("%s drop constraint %s"):format(alter, Name.quote(constraint.name)))
      end
    end
  end
  return statements
end

--- Add foreign keys; a row that refers to none is told by the database.
---@param run rille.SchemaRunner
---@param statements string[]
function M.add_keys(run, statements)
  for _, sql in ipairs(statements) do run:execute(sql) end
end

--- Run `fn` while no trigger of the table does anything, and no policy keeps its owner from copying into it; in a
--- transaction, which takes it back should anything fail.
---@param run rille.SchemaRunner
---@param name string
---@param fn fun(): any
---@return any
function M.plain(run, name, fn)
  local quoted = Name.quote(name)
  local about, back = run:rows(ABOUT, quoted, quoted)[1], {}
  local function alter(what, undo)
    run:execute(("alter table %s %s"):format(quoted, what))
    back[#back + 1] = ("alter table %s %s"):format(quoted, undo)
  end
  if about.triggers > 0 then alter("disable trigger user", "enable trigger user") end
  if about.forced then alter("no force row level security", "force row level security") end
  local result = fn()
  for _, sql in ipairs(back) do run:execute(sql) end
  return result
end

--- Ids go on behind the greatest that the table has, or ever had.
---@param run rille.SchemaRunner
---@param name string
---@param ever? integer  the greatest that it ever gave, where that is known
function M.set_counter(run, name, ever)
  local quoted = Name.quote(name)
  for _, column in ipairs(run.handle:describe(name).columns) do
    local sequence = run:rows("select pg_catalog.pg_get_serial_sequence(?, ?) as name", quoted, column.name)[1].name
    if sequence then
      local greatest = run:rows(("select max(%s) as n from %s"):format(Name.quote(column.name), quoted))[1].n
      greatest = math.max(greatest or 0, column.primary > 0 and ever or 0)
      if greatest > 0 then
        run:rows("select pg_catalog.setval(?::pg_catalog.regclass, ?::pg_catalog.int8) as n", sequence, greatest)
      end
    end
  end
end

--- Raise unless the tables are empty.
---@param run rille.SchemaRunner
---@param names string[]
---@param lock? boolean  they are to stay so until the transaction ends
function M.check_empty(run, names, lock)
  if lock and names[1] then run:execute(("lock table %s"):format(Name.quote_all(names))) end
  for _, name in ipairs(names) do
    if run:rows(("select exists (select 1 from %s) as yes"):format(Name.quote(name)))[1].yes then
      Error.raise("unique_violation", ("the target has rows already, in %s"):format(Name.quote(name)), {
        table = name, hint = "a database is promoted into an empty one: give another, or empty this one first",
      })
    end
  end
end

return M
