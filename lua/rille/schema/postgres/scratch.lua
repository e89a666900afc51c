--- postgres.scratch: a schema with the same tables and no rows, in the place of a database's own.
-- It is made in a transaction of another connection that is rolled back in the end, so nothing is left of it, whatever
-- happens.  What is behind it in the search path (extensions, functions) can be used as ever.
local Error = require "rille.error"
local Handle = require "rille.handle"
local Name = require "rille.schema.name"

local M = {}

local PREFIX <const> = "rille_rehearsal_"
local count = 0

local Restore = {
  __close = function(self)
    local handle, scratch = self.handle, self.scratch
    handle._core, handle.rehearsal = self.core, nil
    handle:forget()
    scratch:close()
  end,
}

-- What makes a table as it is, less what refers to others; %s is the new schema, in the names of pg_catalog's making.
local TABLES <const> = [[select c.relname::text as "name", n.nspname::text as "schema"
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not c.relispartition
    and not exists (select 1 from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e') order by c.oid]]

local CONSTRAINTS <const> = [[select c.relname::text as "table", k.conname::text as "name",
    pg_catalog.pg_get_constraintdef(k.oid, true) as "sql"
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not c.relispartition
    and k.contype in ('p', 'u', 'x', 'f')
  order by k.contype = 'f', k.oid]]

local INDEXES <const> = [[select pg_catalog.pg_get_indexdef(i.indexrelid, 0, true) as "sql"
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not c.relispartition
    and not exists (select 1 from pg_catalog.pg_constraint k where k.conindid = i.indexrelid
      and k.contype in ('p', 'u', 'x')) order by i.indexrelid]]

-- Row-level security, one statement a row: tables that have it, then their policies.
local SECURITY <const> = [[select pg_catalog.format('alter table %I enable row level security', c.relname)
      || case when c.relforcerowsecurity then ', force row level security' else '' end as "sql"
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not c.relispartition
      and c.relrowsecurity
  union all select pg_catalog.format('create policy %I on %I as %s for %s to %s', p.polname, c.relname,
      case when p.polpermissive then 'permissive' else 'restrictive' end,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
        else 'all' end,
      (select pg_catalog.string_agg(coalesce(pg_catalog.quote_ident(r.rolname), 'public'), ', ')
        from pg_catalog.unnest(p.polroles) as u (oid) left join pg_catalog.pg_roles r on r.oid = u.oid))
      || coalesce(' using (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '')
      || coalesce(' with check (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not c.relispartition]]

local VIEWS <const> = [[select c.relname::text as "name", c.relkind::text as "kind",
    pg_catalog.pg_get_viewdef(c.oid, true) as "sql"
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = pg_catalog.current_schema() and c.relkind in ('v', 'm')
    and not exists (select 1 from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e') order by c.oid]]

local TRIGGERS <const> = [[select pg_catalog.pg_get_triggerdef(t.oid, true) as "sql"
  from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = pg_catalog.current_schema() and not t.tgisinternal order by t.oid]]

--- The statements that make all of it, in the order in which they can be run.
local function statements_of(handle)
  local statements = {}
  local function add(text, ...) statements[#statements + 1] = text:format(...) end
  local quote = Name.quote
  for _, row in ipairs(handle:_query(TABLES)) do
    add("create table %s (like %s.%s including defaults including constraints including generated including identity "
      .. "including comments)", quote(row.name), quote(row.schema), quote(row.name))
  end
  local foreign = {}
  for _, row in ipairs(handle:_query(CONSTRAINTS)) do
    local text = ("alter table %s add constraint %s %s"):format(quote(row.table), quote(row.name), row.sql)
    if row.sql:find "^FOREIGN" then foreign[#foreign + 1] = text else statements[#statements + 1] = text end
  end
  for _, row in ipairs(handle:_query(INDEXES)) do statements[#statements + 1] = row.sql end
  table.move(foreign, 1, #foreign, #statements + 1, statements)
  for _, row in ipairs(handle:_query(SECURITY)) do statements[#statements + 1] = row.sql end
  for _, row in ipairs(handle:_query(VIEWS)) do
    local kind = row.kind == "m" and "materialized view" or "view"
    statements[#statements + 1] = ("create %s %s as %s"):format(kind, quote(row.name), (row.sql:gsub(";%s*$", "")))
  end
  for _, row in ipairs(handle:_query(TRIGGERS)) do statements[#statements + 1] = row.sql end
  return statements
end

local function search_path(handle)
  return handle:_query("select pg_catalog.current_setting('search_path') as \"path\"")[1].path
end

--- A schema of this transaction alone.
local function make_schema(handle)
  count = count + 1                          -- one may stand inside another
  local name = ("%s%d_%d"):format(PREFIX, handle:_query("select pg_catalog.pg_backend_pid() as \"pid\"")[1].pid, count)
  local ok, e = pcall(handle._execute, handle, "create schema " .. name)
  if ok then return name end
  if Error.is(e) then
    e.hint = "a rehearsal makes a schema of its own, and takes it back: that wants the right to create one"
  end
  Error.again(e)
end

--- Run `fn` in a transaction that is rolled back, with an empty schema before all others.
---@param handle rille.Handle
---@param fn fun(): any
---@return any
function M.within(handle, fn)
  local path = search_path(handle)
  local tx <close> = handle:begin()                                            -- luacheck: ignore 211
  local schema = make_schema(handle)
  handle:_query("select pg_catalog.set_config('search_path', ?, true) as \"path\"", schema .. ", " .. path)
  return fn()
end

--- Run `fn` while the handle leads to the copy.
---@param handle rille.Handle
---@param options { empty: boolean? }
---@param fn fun(): any
---@return any
function M.run(handle, options, fn)
  local made = options.empty and {} or statements_of(handle)
  local other = Handle.new(handle.name, handle.settings)
  local restore <close> = setmetatable({                                       -- luacheck: ignore 211
    handle = handle, scratch = other, core = handle._core,
  }, Restore)
  handle._core, handle.rehearsal = other:_connect(), {}
  handle:forget()
  return M.within(handle, function()
    for _, sql in ipairs(made) do handle:_execute(sql) end
    return fn()
  end)
end

return M
