--- postgres.fresh: drops everything that a schema holds, in one transaction or not at all.
-- What an extension brought stays.  Nothing is dropped that is elsewhere: where something there needs a table of here,
-- that is an error.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local HERE <const> = "(select n.oid from pg_catalog.pg_namespace n where n.nspname = pg_catalog.current_schema())"
local OURS <const> = " and not exists (select 1 from pg_catalog.pg_depend d where d.objid = o.oid and d.deptype = 'e')"

-- The youngest view first; tables in one statement, for they refer to each other.
local VIEWS <const> = [[select o.relname::text as "name", o.relkind::text as "kind" from pg_catalog.pg_class o
  where o.relkind in ('v', 'm') and o.relnamespace = ]] .. HERE .. OURS .. " order by o.oid desc"
local TABLES <const> = [[select o.relname::text as "name", o.relkind::text as "kind" from pg_catalog.pg_class o
  where o.relkind in ('r', 'p', 'f') and not o.relispartition and o.relnamespace = ]] .. HERE .. OURS
  .. ' order by o.relname collate "C"'

-- Behind them, without a name in the result: what migrations may have made in SQL.
local OTHERS <const> = {
  [[select 'drop routine ' || o.oid::pg_catalog.regprocedure::text as "sql" from pg_catalog.pg_proc o
    where o.pronamespace = ]] .. HERE .. OURS .. " order by o.oid desc",
  [[select 'drop sequence ' || o.oid::pg_catalog.regclass::text as "sql" from pg_catalog.pg_class o
    where o.relkind = 'S' and o.relnamespace = ]] .. HERE .. OURS .. " order by o.oid desc",
  [[select case o.typtype when 'd' then 'drop domain ' else 'drop type ' end || o.oid::pg_catalog.regtype::text as "sql"
    from pg_catalog.pg_type o where o.typnamespace = ]] .. HERE .. OURS .. [[ and (o.typtype in ('e', 'd', 'r')
      or o.typtype = 'c' and exists (select 1 from pg_catalog.pg_class c where c.oid = o.typrelid and c.relkind = 'c'))
    order by o.oid desc]],
}

local WORDS = { v = "view", m = "materialized view", f = "foreign table" }

local function drop(run, what, sql)
  local ok, e = pcall(run.execute, run, sql)
  if ok then return end
  if not Error.is(e) or e.kind == "interrupted" then error(e, 0) end
  Error.raise("migration", ("%s cannot be dropped: %s"):format(what, e.message), {
    sql = sql, code = e.code, cause = e, hint = "nothing was dropped",
  })
end

--- Drop views in whatever order they let go of each other.
local function drop_views(run)
  local all = run:rows(VIEWS)
  local left = all
  while #left > 0 do
    local stuck = {}
    for _, row in ipairs(left) do
      local sql = ("drop %s %s"):format(WORDS[row.kind], Name.quote(row.name))
      if run:attempt(sql) then stuck[#stuck + 1] = { name = row.name, kind = row.kind, sql = sql } end
    end
    if #stuck == #left then drop(run, ("%q"):format(stuck[1].name), stuck[1].sql) end
    left = stuck
  end
  return all
end

--- Drop all; raises, with everything still there, when something cannot be dropped.
---@param run rille.PostgresRunner
---@return string[] dropped  the names of views and tables
function M.drop_all(run)
  return run:change(function()
    local dropped, tables = {}, {}
    for _, row in ipairs(drop_views(run)) do dropped[#dropped + 1] = row.name end
    for _, row in ipairs(run:rows(TABLES)) do
      if row.kind == "f" then
        drop(run, ("%q"):format(row.name), "drop foreign table " .. Name.quote(row.name))
      else
        tables[#tables + 1] = row.name
      end
      dropped[#dropped + 1] = row.name
    end
    if #tables > 0 then drop(run, Name.quote_all(tables), "drop table " .. Name.quote_all(tables)) end
    for _, sql in ipairs(OTHERS) do
      for _, row in ipairs(run:rows(sql)) do drop(run, row.sql:match "^drop %a+ (.*)$", row.sql) end
    end
    return dropped
  end)
end

return M
