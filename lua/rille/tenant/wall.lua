--- tenant.wall: row-level security of PostgreSQL behind the conditions that rille puts into each statement.
-- `tenancy = { rls = true }`: connections tell the server whose rows are meant (core/driver/postgres_wall.c), policies
-- hold it to that (schema/postgres/policy.lua), and here it is tried whether they do, before a tenant reads a row.
local core = require "rille.core"
local Apart = require "rille.tenant.apart"
local Config = require "rille.config"
local Error = require "rille.error"

local M = {}

--- Have connections try it; true, for their options.
function M.build()
  core.wall[2] = M.try
  return true
end

--- Is there a wall in the database of the handle?
---@param handle rille.Handle
---@return boolean
function M.is_at(handle)
  local tenancy = Config.current().tenancy
  return tenancy ~= nil and tenancy.rls == true and handle.driver == "postgres"
end

--- Raise for a database that cannot do what the configuration says of it.
---@param handle rille.Handle
function M.check_engine(handle)
  if handle.driver == "postgres" or handle.name ~= Config.current().default then return end
  Error.raise("unsupported", ("tenancy.rls: %s has no row-level security"):format(handle.driver), {
    hint = 'connect to PostgreSQL, or say rls = false: the conditions in each statement hold all the same',
  })
end

--- From now on there is another table, or a model says something else: all is tried again.
function M.again() core.wall[1] = core.wall[1] + 1 end

--- The guards of tables in the database of a connection, in the order of their tables.
---@param name string
---@return rille.Guard[]
function M.guards(name)
  local found, seen, settings = {}, {}, Config.current().connections[name]
  local handle = { name = name, driver = settings and settings.driver, settings = settings }
  for _, class in next, require "rille.model".declared do
    local guard = class._def.guard
    if guard and not seen[guard.table] and require "rille.guard".is_in(guard, handle) then
      found[#found + 1], seen[guard.table] = guard, true
    end
  end
  table.sort(found, function(a, b) return a.table < b.table end)
  return found
end

-- -- what the server says -------------------------------------------------------------------------------------------

local ROLE <const> = [[select rolname::text as name, case when rolsuper then 'is a superuser'
    when rolbypassrls then 'has the attribute BYPASSRLS' end as passes
  from pg_catalog.pg_roles where rolname = current_user]]

-- A row for each policy of each table that is there, or one without a policy.
local TABLES <const> = [[select t.name, t."column", c.relkind::text as kind, c.relrowsecurity as enabled,
    c.relforcerowsecurity as forced, ]]
  .. require "rille.handle.postgres".ALIKE .. [[ as alike,
    pg_catalog.format_type(a.atttypid, -1) as type, p.polname::text as policy,
    p.polpermissive as permissive, p.polcmd::text as command, p.polroles = '{0}' as public,
    pg_catalog.pg_get_expr(p.polqual, p.polrelid) as condition,
    coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
      pg_catalog.pg_get_expr(p.polqual, p.polrelid)) as checked
  from pg_catalog.jsonb_to_recordset($1::jsonb) as t (name text, "column" text)
  join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident(t.name))
  left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = t."column" and not a.attisdropped
  left join pg_catalog.pg_policy p on p.polrelid = c.oid
  where c.relkind not in ('v', 'm') order by t.name]]

--- What is wrong with a table, by the rows that tell of it, and what to do if no migration mends it; nil for nothing.
local function fault_of(rows)
  local Policy = require "rille.schema.postgres.policy"
  local first, own = rows[1], nil
  if first.kind == "f" then return "is a foreign table, of which no policy is kept" end
  if not first.type then return ("has no column %s"):format(first.column) end
  if first.alike then return Apart.words(("has the column %s, which"):format(first.column), first.alike) end
  local condition = Policy.plain(Policy.condition(first.column, first.type, first.name))
  for _, row in ipairs(rows) do
    if row.policy == Policy.NAME then
      own = row
    elseif row.policy and row.permissive then
      return ("has the policy %s too, which lets more rows through"):format(row.policy)
    end
  end
  if not own then return "has no policy that shows its rows to their tenant alone" end
  if not (first.enabled and first.forced) then return "has row-level security that does not hold for its owner" end
  local whole = own.permissive and own.command == "*" and own.public
  if not whole or Policy.plain(own.condition) ~= condition or Policy.plain(own.checked) ~= condition then
    return ("has a policy %s that says something else"):format(Policy.NAME)
  end
end

--- What keeps the database from keeping tenants apart: of the role that connects, and of each table of a guard.
---@param db table      of the core, or a handle's
---@param guards rille.Guard[]
---@return { table: string?, message: string, hint: string }[]
function M.faults(db, guards)
  local faults, asked, by_table = {}, {}, {}
  local role = db:query(ROLE)[1]
  if not role or role.passes then
    faults[1] = { message = ("the role %s %s, and policies do not hold for it"):format(role and role.name or "?",
      role and role.passes or "is not known"), hint = "connect as a role that is none: alter role … nosuperuser "
      .. "nobypassrls" }
  end
  for i, guard in ipairs(guards) do asked[i] = { name = guard.table, column = guard.column } end
  if #asked == 0 then return faults end
  for _, row in ipairs((db:query(TABLES, { require "rille.json".encode(asked) }))) do
    local rows = by_table[row.name] or {}
    by_table[row.name], rows[#rows + 1] = rows, row
  end
  for _, guard in ipairs(guards) do
    local rows = by_table[guard.table]
    local message, hint
    if rows then message, hint = fault_of(rows) end
    if message then
      faults[#faults + 1] = { table = guard.table, message = ("%s %s"):format(guard.table, message),
        hint = hint or "rille migrate:generate writes the migration; in one, t:row_security() does it" }
    end
  end
  return faults
end

--- Raise where the database does not keep tenants apart; see core/bind/wall.c.
---@param db table     of the core
---@param name string  of its connection
function M.try(db, name)
  require "rille.guard".load_models()
  local fault = M.faults(db, M.guards((name:gsub(", replica %d+$", ""))))[1]
  if not fault then return end
  Error.raise("unsupported", ("tenancy.rls: %s"):format(fault.message), { table = fault.table, hint = fault.hint })
end

return M
