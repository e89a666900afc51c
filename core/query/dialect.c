/* core/query/dialect.c - the dialects as data. */
#include "core/query/dialect.h"

#include <string.h>

const rille_dialect rille_dialect_sqlite = {
  .name = "sqlite",
  .row_ids = true,
  .constants = { "0", "1" },
  .operators = {
    [RILLE_OP_EQUAL] = "=", [RILLE_OP_UNEQUAL] = "<>", [RILLE_OP_LESS] = "<", [RILLE_OP_LESS_EQUAL] = "<=",
    [RILLE_OP_GREATER] = ">", [RILLE_OP_GREATER_EQUAL] = ">=", [RILLE_OP_LIKE] = "glob", [RILLE_OP_ILIKE] = "like",
  },
  .functions = {
    [RILLE_FN_COUNT] = "count($1)", [RILLE_FN_SUM] = "coalesce(sum($1), 0)", [RILLE_FN_AVG] = "avg($1)",
    [RILLE_FN_MIN] = "min($1)", [RILLE_FN_MAX] = "max($1)",
    [RILLE_FN_DATE] = "date($1)",
    [RILLE_FN_YEAR] = "cast(strftime('%Y', $1) as integer)",
    [RILLE_FN_MONTH] = "cast(strftime('%m', $1) as integer)",
    [RILLE_FN_DAY] = "cast(strftime('%d', $1) as integer)",
    [RILLE_FN_JSON_GET] = "json_extract($1, $2)",
    [RILLE_FN_JSON_CONTAINS] = "exists (select 1 from json_each($1, $2) where \"value\" = $3)",
    [RILLE_FN_RANDOM] = "random()",
  },
  /* Functions and a collation that the driver gives each connection: core/driver/sqlite_function.h. */
  .add = "rille_add($1, $2)", .subtract = "rille_subtract($1, $2)",
  .decimal_add = "rille_decimal_add($1, $2, $p, $s, $d)",
  .decimal_subtract = "rille_decimal_subtract($1, $2, $p, $s, $d)",
  .decimal_sum = "coalesce(rille_decimal_sum($1, $s), $0)",
  .decimal_avg = "rille_decimal_avg($1, $s, $a)",
  .decimal_order = "$1 collate rille_decimal",
  /* GLOB is SQLite's case-sensitive match, and the one that uses an ordinary index; LIKE ignores the case of ASCII
  ** letters. */
  .like = RILLE_PATTERN_GLOB,
  .like_escape = " escape '\\'",
  .in_list = " in (select \"value\" from json_each($1))",
  .no_limit = "-1",
  .derived = "",
  .default_row = "default values",
};

/* -- PostgreSQL ------------------------------------------------------------------------------------------ */

/* In a column of any type of moments; days are those of UTC. */
#define UTC "cast($1 as timestamptz) at time zone 'UTC'"

/* What stands at a path of a JSON document, or NULL: nothing there and JSON's null are the same, as in SQLite.  Strict:
** a path never looks through the elements of an array by itself. */
#define JSON_AT(path) "jsonb_path_query_first(cast($1 as jsonb), cast('strict ' || " path " as jsonpath), '{}', true)"

/* A scalar of JSON as SQLite has it: true and false are 1 and 0. */
#define PLAIN(x) "case " x " when 'true' then '1' when 'false' then '0' else " x " end"

/* A scalar of JSON as three values that compare as SQLite compares scalars: numbers before texts, which go by their
** bytes.  All three are NULL for NULL. */
#define CLASSED(x, name)                                                                                \
  "(select case when jsonb_typeof(x) = 'number' then 1 when x is not null then 2 end as c, "            \
  "case when jsonb_typeof(x) = 'number' then cast(x as numeric) when x is not null then 0 end as n, "   \
  "case when jsonb_typeof(x) = 'number' then '' else x #>> '{}' end collate \"C\" as t from (select " x \
  " as x) as x) as " name

static const rille_typed_template POSTGRES_TYPED[] = {
  { RILLE_FN_SUM, RILLE_TYPE_INTEGER, "cast(coalesce(sum($1), 0) as bigint)" },
  { RILLE_FN_SUM, RILLE_TYPE_TIMESTAMP, "cast(coalesce(sum($1), 0) as bigint)" },
  { RILLE_FN_SUM, RILLE_TYPE_BOOLEAN, "coalesce(sum(cast($1 as integer)), 0)" },
  { RILLE_FN_AVG, RILLE_TYPE_BOOLEAN, "cast(avg(cast($1 as integer)) as double precision)" },
  { RILLE_FN_MIN, RILLE_TYPE_BOOLEAN, "bool_and($1)" },
  { RILLE_FN_MAX, RILLE_TYPE_BOOLEAN, "bool_or($1)" },
  { RILLE_FN_MIN, RILLE_TYPE_UUID, "cast(min(cast($1 as text) collate \"C\") as uuid)" },
  { RILLE_FN_MAX, RILLE_TYPE_UUID, "cast(max(cast($1 as text) collate \"C\") as uuid)" },
  { 0 },
};

static const char *const POSTGRES_TEXT_OF[RILLE_TYPE_COUNT] = {
  [RILLE_TYPE_ANY] = "cast($1 as text)",
  [RILLE_TYPE_INTEGER] = "cast($1 as text)",
  [RILLE_TYPE_TEXT] = "$1",
  [RILLE_TYPE_BOOLEAN] = "cast(cast($1 as integer) as text)",
  [RILLE_TYPE_DECIMAL] = "cast($1 as text)",
  [RILLE_TYPE_DATETIME] = ("to_char(" UTC ", 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
  [RILLE_TYPE_DATE] = "to_char($1, 'YYYY-MM-DD')",
  [RILLE_TYPE_TIMESTAMP] = "cast($1 as text)",
  [RILLE_TYPE_UUID] = "cast($1 as text)",
};

static const char *const POSTGRES_ARRAYS[RILLE_TYPE_COUNT] = {
  [RILLE_TYPE_INTEGER] = "bigint[]",
  [RILLE_TYPE_TEXT] = "text[]",
  [RILLE_TYPE_UUID] = "uuid[]",
};

const rille_dialect rille_dialect_postgres = {
  .name = "postgres",
  .numbered = true, .booleans = true, .exact_decimals = true, .array_lists = true, .outputs_unknown = true,
  .excluded_beside = true,
  .insert_values = 4096,
  .name_bytes = 63,
  .constants = { "false", "true" },
  .operators = {
    [RILLE_OP_EQUAL] = "=", [RILLE_OP_UNEQUAL] = "<>", [RILLE_OP_LESS] = "<", [RILLE_OP_LESS_EQUAL] = "<=",
    [RILLE_OP_GREATER] = ">", [RILLE_OP_GREATER_EQUAL] = ">=", [RILLE_OP_LIKE] = "like", [RILLE_OP_ILIKE] = "ilike",
  },
  .functions = {
    [RILLE_FN_COUNT] = "count($1)", [RILLE_FN_SUM] = "coalesce(sum($1), 0)",
    [RILLE_FN_AVG] = "cast(avg($1) as double precision)",
    [RILLE_FN_MIN] = "min($1)", [RILLE_FN_MAX] = "max($1)",
    [RILLE_FN_DATE] = ("cast(" UTC " as date)"),
    [RILLE_FN_YEAR] = ("cast(extract(year from " UTC ") as bigint)"),
    [RILLE_FN_MONTH] = ("cast(extract(month from " UTC ") as bigint)"),
    [RILLE_FN_DAY] = ("cast(extract(day from " UTC ") as bigint)"),
    [RILLE_FN_JSON_GET] = ("nullif(" JSON_AT("$2") ", 'null')"),
    [RILLE_FN_JSON_CONTAINS] =
      "exists (select 1 from (select " JSON_AT("$2") " as x) as x, jsonb_array_elements(case jsonb_typeof(x) "
      "when 'array' then x when 'object' then jsonb_path_query_array(x, '$$.*') else jsonb_build_array(x) end) as e "
      "where " PLAIN("e.value") " = cast($3 as jsonb))",
    [RILLE_FN_RANDOM] = "random()",
  },
  .typed = POSTGRES_TYPED,
  .add = "$1 + $2", .subtract = "$1 - $2",
  .decimal_add = "$1 + $2", .decimal_subtract = "$1 - $2",
  .text_add = "cast(cast($1 as numeric) + cast($2 as numeric) as text)",
  .text_subtract = "cast(cast($1 as numeric) - cast($2 as numeric) as text)",
  .decimal_sum = "coalesce(sum(cast($1 as numeric)), $0)",
  .decimal_avg = "round(cast(sum(cast($1 as numeric)) as numeric(1000, $a)) / count($1), $a)",
  .decimal_order = "cast($1 as numeric)",
  .like = RILLE_PATTERN_LIKE,
  .like_escape = "",
  .ilike_of = "$1 collate \"C\"",
  .text_of = POSTGRES_TEXT_OF,
  .json_text = "(select case x when 'true' then '1' when 'false' then '0' else x #>> '{}' end "
               "from (select $1 as x) as x)",
  .json_equal = "(select " PLAIN("x") " $o cast($2 as jsonb) from (select $1 as x) as x)",
  .json_order = "(select row(a.c, a.n, a.t) $o row(b.c, b.n, b.t) from "
    CLASSED("(select " PLAIN("x") " from (select $1 as x) as x)", "a") ", " CLASSED("cast($2 as jsonb)", "b") ")",
  .seconds = "cast($1 as double precision)",
  .in_list = " = any($1)",
  .no_limit = "all",
  .nulls_first = " nulls first", .nulls_last = " nulls last",
  .derived = " as \"rille#rows\"",
  .array_types = POSTGRES_ARRAYS,
  .default_row = "default values",
  .locks = { [RILLE_LOCK_UPDATE] = " for update", [RILLE_LOCK_SHARE] = " for share" },
  .lock_waits = { [RILLE_LOCK_SKIPS] = " skip locked", [RILLE_LOCK_FAILS] = " nowait" },
};

const rille_dialect *
rille_dialect_of(const char *driver)
{
  return strcmp(driver, rille_dialect_postgres.name) == 0 ? &rille_dialect_postgres : &rille_dialect_sqlite;
}
