/* core/query/dialect.c - the dialects as data. */
#include "core/query/dialect.h"

const rille_dialect rille_dialect_sqlite = {
  .name = "sqlite",
  .operators = {
    [RILLE_OP_EQUAL] = "=", [RILLE_OP_UNEQUAL] = "<>", [RILLE_OP_LESS] = "<", [RILLE_OP_LESS_EQUAL] = "<=",
    [RILLE_OP_GREATER] = ">", [RILLE_OP_GREATER_EQUAL] = ">=", [RILLE_OP_LIKE] = "glob", [RILLE_OP_ILIKE] = "like",
    [RILLE_OP_ADD] = "+", [RILLE_OP_SUBTRACT] = "-",
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
  /* GLOB is SQLite's case-sensitive match, and the one that uses an ordinary index; LIKE ignores the case of ASCII
  ** letters. */
  .like = RILLE_PATTERN_GLOB,
  .like_escape = " escape '\\'",
  .long_list = "(select \"value\" from json_each($1))",
  .no_limit = "-1",
  .default_row = "default values",
};
