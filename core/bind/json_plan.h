/* core/bind/json_plan.h - how the attributes of records are written, found out once for all that are alike.
**
** What a record shows, and in which order, is decided in Lua (lua/rille/record/data.lua), which gives a shape:
**   [1] [2] ...   names: the attributes of the row, columns in the order of the table first
**   appends       list of names: accessors that come after the relations
**   hidden, only  sets of names (`only` may be nil): which of the loaded relations are shown
**   texts         column -> "json" or "array": columns that keep JSON, which is copied when it is JSON
** From it a plan is made once for all records of a model with the same columns, and kept for the call.  A record that
** differs (it hides something, or holds columns that were not selected) has a plan of its own. */
#ifndef RILLE_BIND_JSON_PLAN_H
#define RILLE_BIND_JSON_PLAN_H

#include "core/bind/json_out.h"
#include "core/bind/record.h"

/* How the value of an attribute is come by. */
typedef enum rille_json_how {
  RILLE_JSON_BY_ROW,   /* from the row, as the column's type reads it */
  RILLE_JSON_BY_TEXT,  /* from the row, which keeps JSON: any value */
  RILLE_JSON_BY_ARRAY, /* the same, an array or an object */
  RILLE_JSON_BY_LUA    /* by record[name] */
} rille_json_how;

typedef struct rille_json_attribute {
  rille_str name; /* a string of the shape */
  rille_str key;  /* in quotes, with its colon: behind the plan */
  rille_type_kind type;
  rille_json_how how;
  int position; /* in the row */
} rille_json_attribute;

/* User values of a plan. */
enum { RILLE_JSON_PLAN_SHAPE = 1, RILLE_JSON_PLAN_ORIGIN = 2, RILLE_JSON_PLAN_VALUES = 2 };

typedef struct rille_json_plan {
  const rille_lua_source *source;
  const rille_layout *layout; /* kept by the origin */
  bool top;
  size_t count;
  rille_json_attribute attributes[];
} rille_json_plan;

/* Pushes the plan for the record at `index`, which owns what the pointers in it lead to.  `top`: the call is about the
** record; `own`: it differs from others of its model. */
const rille_json_plan *rille_json_push_plan(lua_State *L, rille_json_out *out, const rille_lua_record *record,
                                            int index, bool top, bool own);

#endif
