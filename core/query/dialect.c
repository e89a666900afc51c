/* core/query/dialect.c - the dialects as data. */
#include "core/query/dialect.h"

const rille_dialect rille_dialect_sqlite = {
  .name = "sqlite",
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
  .decimal_order = " collate rille_decimal",
  /* GLOB is SQLite's case-sensitive match, and the one that uses an ordinary index; LIKE ignores the case of ASCII
  ** letters. */
  .like = RILLE_PATTERN_GLOB,
  .like_escape = " escape '\\'",
  .long_list = "(select \"value\" from json_each($1))",
  .no_limit = "-1",
  .default_row = "default values",
};
