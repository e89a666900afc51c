--- postgres.catalog: what a PostgreSQL database holds, as far as changing a table has to know it.
-- Names mean the schema in which `create table` would make a table: the first one of the search path.
local Error = require "rille.error"

local M = {}

---@class rille.PostgresColumn
---@field number integer        pg_attribute.attnum
---@field name string
---@field type string           as format_type writes it
---@field base string           the name of the type alone: "int8", "varchar"
---@field nullable boolean
---@field default? string       SQL
---@field identity boolean      the database counts it up
---@field generated boolean     its values come of `expression`, SQL
---@field collation? string     its name, where it is not the default of the type
---@field comment? string

---@class rille.PostgresConstraint
---@field name string
---@field kind "primary"|"unique"|"foreign"|"check"|"exclude"
---@field columns string[]
---@field sql string            its definition
---@field condition? string     of a check
---@field table? string         that a foreign key refers to
---@field references? string[]
---@field on_delete? string
---@field on_update? string
---@field deferrable boolean

---@class rille.PostgresIndex
---@field name string
---@field unique boolean
---@field origin "c"|"u"|"pk"   made by CREATE INDEX, a unique or exclusion constraint, the primary key
---@field columns (string|false)[]  false for an expression; those of INCLUDE are left out
---@field descending boolean[]
---@field needs string[]        every column that it mentions, wherever
---@field where? string         SQL; `partial` is whether there is one
---@field valid boolean         false: one that CONCURRENTLY began and did not finish
---@field plain boolean         one that the words of migrations can say again
---@field sql string            of CREATE INDEX

---@class rille.PostgresTable
---@field name string
---@field columns rille.PostgresColumn[]
---@field constraints rille.PostgresConstraint[]
---@field indexes rille.PostgresIndex[]
---@field incoming { table: string, name: string, columns: string[], references: string[] }[]  keys that refer to it

local HERE <const> = "(select n.oid from pg_catalog.pg_namespace n where n.nspname = pg_catalog.current_schema())"

local KINDS = { r = "table", p = "table", v = "view", m = "materialized view", f = "foreign table" }
local CONSTRAINTS = { p = "primary", u = "unique", f = "foreign", c = "check", x = "exclude" }
local ACTIONS = { c = "cascade", n = "set null", d = "set default", r = "restrict" }

-- Names of columns as JSON, in the order of a list of their numbers; null for 0, which is an expression.
local function names_sql(relation, numbers)
  return ([[(select coalesce(pg_catalog.json_agg(part.attname order by u.at), '[]')::text
    from pg_catalog.unnest(%s::pg_catalog.int2[]) with ordinality as u (number, at)
    left join pg_catalog.pg_attribute part on part.attrelid = %s and part.attnum = u.number)]]):format(numbers,
    relation)
end

local FIND <const> = [[select c.oid::pg_catalog.int8 as "oid", c.relname::text as "name", c.relkind::text as "kind",
    n.nspname::text as "schema"
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relnamespace = ]] .. HERE .. [[ and c.relname = ? and c.relkind in ('r', 'p', 'v', 'm', 'f')]]

local TABLES <const> = [[select c.relname::text as "name" from pg_catalog.pg_class c
  where c.relnamespace = ]] .. HERE .. [[ and c.relkind in ('r', 'p') and not c.relispartition
  order by c.relname collate "C"]]

local COLUMNS <const> = [[select a.attnum::int as "number", a.attname::text as "name", t.typname::text as "base",
    pg_catalog.format_type(a.atttypid, a.atttypmod) as "type", a.attnotnull::int as "not_null",
    (a.attidentity <> '')::int as "identity", (a.attgenerated <> '')::int as "generated",
    pg_catalog.pg_get_expr(d.adbin, d.adrelid) as "default",
    pg_catalog.col_description(a.attrelid, a.attnum) as "comment",
    case when a.attcollation <> t.typcollation then l.collname::text end as "collation"
  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_catalog.pg_collation l on l.oid = a.attcollation
  where a.attrelid = ?::pg_catalog.oid and a.attnum > 0 and not a.attisdropped order by a.attnum]]

local CONSTRAINTS_OF <const> = [[select k.conname::text as "name", k.contype::text as "kind",
    pg_catalog.pg_get_constraintdef(k.oid) as "sql", pg_catalog.pg_get_expr(k.conbin, k.conrelid) as "condition",
    f.relname::text as "table", k.confdeltype::text as "on_delete", k.confupdtype::text as "on_update",
    k.condeferrable::int as "deferrable", ]] .. names_sql("k.conrelid", "k.conkey") .. [[ as "columns",
    ]] .. names_sql("k.confrelid", "k.confkey") .. [[ as "references"
  from pg_catalog.pg_constraint k left join pg_catalog.pg_class f on f.oid = nullif(k.confrelid, 0)
  where k.conrelid = ?::pg_catalog.oid and k.contype in ('p', 'u', 'f', 'c', 'x') order by k.oid]]

local INDEXES <const> = [[select c.relname::text as "name", i.indisunique::int as "is_unique",
    i.indisprimary::int as "is_primary", i.indisvalid::int as "valid", (k.oid is not null)::int as "constrained",
    ]] .. names_sql("i.indrelid", "(i.indkey::pg_catalog.int2[])[0: (i.indnkeyatts - 1)]") .. [[ as "columns",
    (select pg_catalog.json_agg(o.bits & 1 order by o.at)::text
      from pg_catalog.unnest(i.indoption::pg_catalog.int2[]) with ordinality as o (bits, at)) as "descending",
    (select coalesce(pg_catalog.json_agg(distinct a.attname), '[]')::text from pg_catalog.pg_depend d
      join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indrelid
        and d.refobjsubid > 0) as "needs",
    (m.amname = 'btree' and i.indnatts = i.indnkeyatts and not exists (
      select 1 from pg_catalog.unnest(i.indclass::pg_catalog.oid[]) as u (oid)
      join pg_catalog.pg_opclass o on o.oid = u.oid where not o.opcdefault))::int as "plain",
    pg_catalog.pg_get_expr(i.indpred, i.indrelid) as "where", pg_catalog.pg_get_indexdef(i.indexrelid) as "sql"
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_am m on m.oid = c.relam
  left join pg_catalog.pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
  where i.indrelid = ?::pg_catalog.oid order by c.oid]]

local INCOMING <const> = [[select f.relname::text as "table", k.conname::text as "name",
    ]] .. names_sql("k.conrelid", "k.conkey") .. [[ as "columns", ]] .. names_sql("k.confrelid", "k.confkey")
  .. [[ as "references"
  from pg_catalog.pg_constraint k join pg_catalog.pg_class f on f.oid = k.conrelid
  where k.contype = 'f' and k.confrelid = ?::pg_catalog.oid and k.conparentid = 0 order by f.relname, k.conname]]

-- Views, also materialized ones, whose rule reads a column of the table (or anything of it, where $2 is 0).
local VIEWS <const> = [[select distinct v.relname::text as "name",
    case v.relkind when 'm' then 'materialized view' else 'view' end as "kind"
  from pg_catalog.pg_depend d
  join pg_catalog.pg_rewrite r on r.oid = d.objid and d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
  where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = ?::pg_catalog.oid
    and (d.refobjsubid = ? or ? = 0) and v.oid <> d.refobjid order by 1]]

local function decode(text) return require "rille.json".decode(text, "catalog") end

--- Names out of JSON; false for null.
local function names_of(text)
  local names = {}
  for i, name in ipairs(decode(text)) do names[i] = type(name) == "string" and name or false end
  return names
end

local function read_columns(run, oid)
  local columns = {}
  for i, row in ipairs(run:rows(COLUMNS, oid)) do
    columns[i] = { number = row.number, name = row.name, type = row.type, base = row.base,
      nullable = row.not_null == 0, default = row.default, identity = row.identity == 1,
      generated = row.generated == 1, collation = row.collation, comment = row.comment }
    if columns[i].generated then columns[i].default, columns[i].expression = nil, row.default end
  end
  return columns
end

local function read_constraints(run, oid)
  local constraints = {}
  for i, row in ipairs(run:rows(CONSTRAINTS_OF, oid)) do
    constraints[i] = { name = row.name, kind = CONSTRAINTS[row.kind], sql = row.sql, condition = row.condition,
      columns = names_of(row.columns), table = row.table, references = names_of(row.references),
      on_delete = ACTIONS[row.on_delete], on_update = ACTIONS[row.on_update], deferrable = row.deferrable == 1 }
  end
  return constraints
end

local function read_indexes(run, oid)
  local indexes = {}
  for i, row in ipairs(run:rows(INDEXES, oid)) do
    local origin = row.is_primary == 1 and "pk" or row.constrained == 1 and "u" or "c"
    local descending = {}
    for at, bit in ipairs(decode(row.descending)) do descending[at] = bit == 1 end
    indexes[i] = { name = row.name, unique = row.is_unique == 1, origin = origin, columns = names_of(row.columns),
      descending = descending, needs = names_of(row.needs), where = row.where, partial = row.where ~= nil,
      valid = row.valid == 1, plain = row.plain == 1, sql = row.sql }
  end
  return indexes
end

local function read_incoming(run, oid)
  local incoming = {}
  for i, row in ipairs(run:rows(INCOMING, oid)) do
    incoming[i] = { table = row.table, name = row.name, columns = names_of(row.columns),
      references = names_of(row.references) }
  end
  return incoming
end

--- Names of the tables that people made, sorted.
---@param run rille.SchemaRunner
---@return string[]
function M.tables(run)
  local names = {}
  for i, row in ipairs(run:rows(TABLES)) do names[i] = row.name end
  return names
end

local function find(run, name) return run:rows(FIND, name)[1] end

---@param run rille.SchemaRunner
---@param name string
---@return boolean
function M.has_table(run, name)
  local row = find(run, name)
  return row ~= nil and KINDS[row.kind] == "table"
end

---@param run rille.SchemaRunner
---@param table_name string
---@param column string
---@return boolean
function M.has_column(run, table_name, column)
  local row = find(run, table_name)
  if not row then return false end
  for _, each in ipairs(read_columns(run, row.oid)) do
    if each.name == column then return true end
  end
  return false
end

--- All of a table; raises when there is none, or when it cannot be changed.
---@param run rille.SchemaRunner
---@param name string
---@return rille.PostgresTable
function M.table(run, name)
  local row = find(run, name)
  if not row then Error.unknown("no_such_table", "table", name, M.tables(run), nil, { table = name }) end
  if KINDS[row.kind] ~= "table" then
    Error.raise("unsupported", ("%q is a %s and cannot be changed"):format(row.name, KINDS[row.kind]), {
      table = row.name, hint = "drop it and make it anew",
    })
  end
  local oid = row.oid
  return { name = row.name, schema = row.schema, oid = oid, columns = read_columns(run, oid),
    constraints = read_constraints(run, oid), indexes = read_indexes(run, oid), incoming = read_incoming(run, oid) }
end

--- Views that need a column of a table, or the table.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column? rille.PostgresColumn
---@return { name: string, kind: string }[]
function M.views(run, table_, column)
  local number = column and column.number or 0
  return run:rows(VIEWS, table_.oid, number, number)
end

return M
