--- postgres.snapshot: the schema of a database as texts that can be compared.
local Ledger = require "rille.migrator.ledger"
local Store = require "rille.json_schema.store"

local M = {}

-- Each gives "what", a name of its own, and a line of its text; lines of one name are put together in their order.
local HERE <const> = "(select n.oid from pg_catalog.pg_namespace n where n.nspname = pg_catalog.current_schema())"
local NOT_OF_EXTENSION <const> = [[ not exists (select 1 from pg_catalog.pg_depend d where d.objid = %s.oid
  and d.deptype = 'e') ]]

local LINES <const> = {
  -- A table's columns in the order of their names: a column that was dropped comes back as the last one.
  [[select 'table ' || c.relname as "what", a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
      || case when a.attcollation <> t.typcollation then ' collate ' || l.collname else '' end
      || case when a.attnotnull then ' not null' else '' end
      || case when a.attidentity <> '' then ' identity' else '' end
      || case when a.attgenerated <> '' then ' generated' else '' end
      || coalesce(' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
      || coalesce(' comment ' || pg_catalog.quote_literal(pg_catalog.col_description(a.attrelid, a.attnum)), '')
      as "line"
    from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_catalog.pg_collation l on l.oid = a.attcollation
    where c.relnamespace = ]] .. HERE .. [[ and c.relkind in ('r', 'p', 'f') and ]] .. NOT_OF_EXTENSION:format "c"
    .. [[ order by c.relname, a.attname]],
  [[select 'table ' || c.relname as "what", k.conname || ' ' || pg_catalog.pg_get_constraintdef(k.oid) as "line"
    from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
    where c.relnamespace = ]] .. HERE .. [[ and k.contype in ('p', 'u', 'f', 'c', 'x') and ]]
    .. NOT_OF_EXTENSION:format "c" .. [[ order by k.conname]],
  [[select 'table ' || c.relname as "what", case when c.relforcerowsecurity then 'forced ' else '' end
      || 'row security' as "line" from pg_catalog.pg_class c
    where c.relnamespace = ]] .. HERE .. [[ and c.relrowsecurity and ]] .. NOT_OF_EXTENSION:format "c",
  [[select 'policy ' || p.polname || ' of ' || c.relname as "what", p.polcmd::text || p.polpermissive::text
      || coalesce(' using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid), '')
      || coalesce(' check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '') as "line"
    from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
    where c.relnamespace = ]] .. HERE .. " and" .. NOT_OF_EXTENSION:format "c",
  [[select 'index ' || c.relname as "what", pg_catalog.pg_get_indexdef(i.indexrelid, 0, true) as "line"
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_class o on o.oid = i.indrelid
    where c.relnamespace = ]] .. HERE .. [[ and o.relkind in ('r', 'p', 'm') and ]] .. NOT_OF_EXTENSION:format "o"
    .. [[ and not exists (select 1 from pg_catalog.pg_constraint k where k.conindid = i.indexrelid
      and k.contype in ('p', 'u', 'x'))]],
  [[select 'view ' || c.relname as "what", pg_catalog.pg_get_viewdef(c.oid, true) as "line" from pg_catalog.pg_class c
    where c.relnamespace = ]] .. HERE .. [[ and c.relkind in ('v', 'm') and ]] .. NOT_OF_EXTENSION:format "c",
  [[select 'trigger ' || t.tgname || ' of ' || c.relname as "what",
      pg_catalog.pg_get_triggerdef(t.oid, true) as "line"
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
    where c.relnamespace = ]] .. HERE .. [[ and not t.tgisinternal]],
  [[select 'function ' || p.oid::pg_catalog.regprocedure::text as "what",
      case when p.prokind = 'a' then 'an aggregate' else pg_catalog.pg_get_functiondef(p.oid) end as "line"
    from pg_catalog.pg_proc p where p.pronamespace = ]] .. HERE .. " and" .. NOT_OF_EXTENSION:format "p",
  [[select 'sequence ' || c.relname as "what", 'a sequence' as "line" from pg_catalog.pg_class c
    where c.relnamespace = ]] .. HERE .. [[ and c.relkind = 'S' and not exists (select 1 from pg_catalog.pg_depend d
      where d.objid = c.oid and d.deptype in ('a', 'i', 'e'))]],
  [[select 'type ' || t.typname as "what", t.typtype::text || coalesce((
      select ' ' || pg_catalog.string_agg(e.enumlabel, ', ' order by e.enumsortorder)
      from pg_catalog.pg_enum e where e.enumtypid = t.oid), '') as "line"
    from pg_catalog.pg_type t where t.typnamespace = ]] .. HERE .. [[ and t.typtype in ('e', 'd', 'r') and ]]
    .. NOT_OF_EXTENSION:format "t",
}

--- "table posts" -> its normal text, less the tables that rille keeps for itself.
---@param handle rille.Handle
---@return table<string, string>
function M.take(handle)
  local taken = {}
  for _, sql in ipairs(LINES) do
    for _, row in ipairs(handle:_query(sql)) do
      local before = taken[row.what]
      taken[row.what] = before and before .. ", " .. row.line or row.line
    end
  end
  for _, name in ipairs { Ledger.TABLE, Store.TABLE } do
    for what in pairs(taken) do
      if what == "table " .. name or what == "index " .. name .. "_pkey" then taken[what] = nil end
    end
  end
  return taken
end

return M
