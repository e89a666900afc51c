/* core/driver/postgres_catalog.h - the questions of driver.h's catalog, asked of pg_catalog.
**
** Tables are those that their bare name finds (the search path decides).  `declared` says no more than what
** postgres_type.c knows of a type; domains are what they are made of. */
#ifndef RILLE_POSTGRES_CATALOG_H
#define RILLE_POSTGRES_CATALOG_H

/* A table by its name, as $1. */
#define RILLE_POSTGRES_TABLE                                                                                   \
  "(select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "         \
  "where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.pg_table_is_visible(c.oid) " \
  "and n.nspname not in ('pg_catalog', 'information_schema') limit 1)"

/* `schema`: a sum of what identifies each row of the catalogs that describe tables, and its latest version. */
#define RILLE_POSTGRES_TABLES                                                                         \
  "with t as (select c.oid, c.xmin, c.relname, c.relkind from pg_catalog.pg_class c "                 \
  "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "                                         \
  "where c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.pg_table_is_visible(c.oid) "           \
  "and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'), " \
  "s as (select coalesce(pg_catalog.sum(v::numeric), 0) % 1000000007 as schema from ("                \
  "select pg_catalog.hashint8(oid::bigint * 4294967296 + xmin::text::bigint) from t union all "       \
  "select pg_catalog.hashint8(a.attrelid::bigint * 4294967296 + a.xmin::text::bigint) "               \
  "from pg_catalog.pg_attribute a join t on t.oid = a.attrelid where a.attnum > 0 union all "         \
  "select pg_catalog.hashint8(i.indexrelid::bigint * 4294967296 + i.xmin::text::bigint) "             \
  "from pg_catalog.pg_index i join t on t.oid = i.indrelid union all "                                \
  "select pg_catalog.hashint8(o.oid::bigint * 4294967296 + o.xmin::text::bigint) "                    \
  "from pg_catalog.pg_constraint o join t on t.oid = o.conrelid) as h (v)) "                          \
  "select t.relname::text collate \"C\" as name, "                                                    \
  "case when t.relkind in ('v', 'm') then 'view' else 'table' end as kind, "                          \
  "case when t.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(t.oid) end as sql, "              \
  "s.schema::bigint as schema from t, s order by 1"

#define RILLE_POSTGRES_COLUMNS                                                                                       \
  "select a.attname::text as name, "                                                                                 \
  "case when b.oid in (16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700, "      \
  "2950, 3802) then pg_catalog.format_type(b.oid, case when t.typtype = 'd' then t.typtypmod else a.atttypmod end) " \
  "else '' end as declared, "                                                                                        \
  "(a.attnotnull or t.typnotnull)::int as not_null, "                                                                \
  "case when a.attidentity <> '' then 'identity' "                                                                   \
  "when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end as \"default\", "                    \
  "coalesce(pg_catalog.array_position(p.conkey, a.attnum), 0)::int as \"primary\", "                                 \
  "(a.attgenerated <> '')::int as generated, "                                                                       \
  "case when l.collname not in ('C', 'POSIX', 'default') then l.collname::text "                                     \
  "when l.collname = 'default' and e.datcollate not in ('C', 'POSIX') then e.datcollate::text end as collation "     \
  "from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid "                                  \
  "join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end "                \
  "left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum "                              \
  "left join pg_catalog.pg_constraint p on p.conrelid = a.attrelid and p.contype = 'p' "                             \
  "left join pg_catalog.pg_collation l on l.oid = a.attcollation "                                                   \
  "left join pg_catalog.pg_database e on e.datname = pg_catalog.current_database() "                                 \
  "where a.attrelid = " RILLE_POSTGRES_TABLE " and a.attnum > 0 and not a.attisdropped order by a.attnum"

/* `origin` as SQLite has it: pk, u (a unique constraint) or c (CREATE INDEX). */
#define RILLE_POSTGRES_INDEXES                                                                               \
  "select c.relname::text as name, i.indisunique::int as is_unique, "                                        \
  "case o.contype when 'p' then 'pk' when 'u' then 'u' else 'c' end as origin, "                             \
  "(i.indpred is not null)::int as partial, "                                                                \
  "case when o.oid is null then pg_catalog.pg_get_indexdef(i.indexrelid) end as sql, "                       \
  "a.attname::text as \"column\" "                                                                           \
  "from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid "                           \
  "left join pg_catalog.pg_constraint o on o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x') "      \
  "cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality as k (attnum, place) "             \
  "left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0 " \
  "where i.indrelid = " RILLE_POSTGRES_TABLE " and k.place <= i.indnkeyatts and i.indisvalid "               \
  "order by c.oid, k.place"

#define RILLE_POSTGRES_ACTION(column)                                                             \
  "case o." column " when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'c' then 'CASCADE' " \
  "when 'n' then 'SET NULL' else 'SET DEFAULT' end as "

#define RILLE_POSTGRES_FOREIGN                                                                                    \
  "select o.oid::bigint as id, a.attname::text as \"column\", f.relname::text as \"table\", "                     \
  "b.attname::text as \"references\", " RILLE_POSTGRES_ACTION("confupdtype") "on_update, " RILLE_POSTGRES_ACTION( \
    "confdeltype") "on_delete "                                                                                   \
                   "from pg_catalog.pg_constraint o join pg_catalog.pg_class f on f.oid = o.confrelid "           \
                   "cross join lateral rows from (pg_catalog.unnest(o.conkey), pg_catalog.unnest(o.confkey)) "    \
                   "with ordinality as k (own, other, place) "                                                    \
                   "join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.own "              \
                   "join pg_catalog.pg_attribute b on b.attrelid = o.confrelid and b.attnum = k.other "           \
                   "where o.conrelid = " RILLE_POSTGRES_TABLE " and o.contype = 'f' and o.conparentid = 0 "       \
                   "order by o.oid, k.place"

#endif
