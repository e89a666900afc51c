--- postgres.policy: row-level security: the server shows a table's rows to their tenant alone, and takes no others.
-- The core sets rille.tenant, and in rille.everybody the names of tables of which all rows are meant ("*": all tables),
-- for each transaction (core/driver/postgres_wall.c); where neither is set no row is there.  The settings are read once
-- a statement, and the comparison is one of the column's type, without a cast of the column.
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"

local M = {}

M.NAME = "rille_tenant"

local function text_literal(text) return "'" .. text:gsub("'", "''") .. "'" end

--- Which rows a policy lets through.
---@param column string      the tenant's
---@param type_name string   of its values, without a length
---@param table_name string
---@return string sql
function M.condition(column, type_name, table_name)
  return ("%s = (select nullif(pg_catalog.current_setting('rille.tenant', true), '')::%s) or (select "
    .. "pg_catalog.string_to_array(pg_catalog.current_setting('rille.everybody', true), ',') && array['*', %s])")
    :format(Name.quote(column), type_name, text_literal(table_name))
end

--- A condition in the words that one has in common with what the server makes of it, in whichever version.
---@param sql string
---@return string
function M.plain(sql)
  local text = sql:gsub('%s+[Aa][Ss]%s+"?[%w_]+"?', ""):gsub("pg_catalog%.", ""):gsub("::text", "")
  return (text:gsub('[%s()"]+', ""):lower())
end

local function alter(run, table_, text) run:execute(("alter table %s %s"):format(Name.quote(table_.name), text)) end

--- The type of a column's values, as a cast takes it: a length would cut a value that is too long.
local function type_of(run, table_, column)
  return run:value("select pg_catalog.format_type(atttypid, -1) as value from pg_catalog.pg_attribute where attrelid = "
    .. "?::pg_catalog.oid and attnum = ?", table_.oid, column.number)
end

-- The policies of a table, and of ours the number of the tenant's column.
local POLICIES <const> = [[select p.polname::text as "name", coalesce((select min(d.refobjsubid)
    from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
      and d.refobjid = p.polrelid and d.refobjsubid > 0), 0) as "column"
  from pg_catalog.pg_policy p where p.polrelid = ?::pg_catalog.oid]]

--- Ours, and whether there are others.
local function find(run, table_)
  local own, others = nil, false
  for _, row in ipairs(run:rows(POLICIES, table_.oid)) do
    if row.name == M.NAME then own = row else others = true end
  end
  return own, others
end

local function column_by_number(table_, number)
  for _, column in ipairs(table_.columns) do
    if column.number == number then return column end
  end
end

local function make(run, table_, column)
  local condition = M.condition(column.name, type_of(run, table_, column), table_.name)
  run:execute(("create policy %s on %s using (%s) with check (%s)"):format(M.NAME, Name.quote(table_.name), condition,
    condition))
end

local function drop(run, table_) run:execute(("drop policy %s on %s"):format(M.NAME, Name.quote(table_.name))) end

--- Show the rows of a table to their tenant alone, whoever owns it.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column_name string?  that says whose a row is
function M.add(run, table_, column_name)
  if not column_name then
    Find.refuse(table_, "nothing says which column is the tenant's", 't:row_security "org_id" does')
  end
  local column = Find.known(table_, column_name)
  if find(run, table_) then
    Find.refuse(table_, "its rows are shown to their tenant alone already", "t:drop_row_security() goes first")
  end
  alter(run, table_, "enable row level security")
  alter(run, table_, "force row level security")
  make(run, table_, column)
end

--- Take that back; policies of others go on to hold.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
function M.remove(run, table_)
  local own, others = find(run, table_)
  if not own then Find.refuse(table_, "it has no row-level security of rille's") end
  drop(run, table_)
  if others then return end
  alter(run, table_, "no force row level security")
  alter(run, table_, "disable row level security")
end

--- Make the policy of a table anew where it depends on what changes: a column (nil: the table's name).
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column rille.PostgresColumn?
---@return (fun(table_: rille.PostgresTable))? again  makes it again, for the table as it then is
function M.set_aside(run, table_, column)
  local own = find(run, table_)
  if not own or column and own.column ~= column.number then return nil end
  drop(run, table_)
  return function(now) make(run, now, column_by_number(now, own.column)) end
end

--- Is the column the one by which rows are shown?
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column rille.PostgresColumn
---@return boolean
function M.needs(run, table_, column)
  local own = find(run, table_)
  return own ~= nil and own.column == column.number
end

return M
