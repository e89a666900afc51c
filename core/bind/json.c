/* core/bind/json.c - core.json: a value, a record or a list of them becomes a text, whole or not at all. */
#include "core/bind/json.h"

#include <lauxlib.h>

#include "core/bind/json_value.h"
#include "core/bind/value.h"

/* json(value, where [, shape [, options]]) -> text.  `where` is what messages begin with; `shape(record, options)` says
** what a record shows, see json_record.c: without it records are refused. */
static int
json_write(lua_State *L)
{
  rille_json_out out;

  lua_settop(L, RILLE_JSON_OPTIONS);
  (void)rille_lua_check_text(L, RILLE_JSON_WHERE, "what messages of JSON begin with");
  rille_json_begin(L, &out);
  lua_createtable(L, 0, 0);
  rille_json_value(L, &out, RILLE_JSON_VALUE);
  (void)lua_pushlstring(L, out.at, out.len);
  return 1;
}

void
rille_lua_add_json(lua_State *L)
{
  rille_json_add_box(L);
  lua_pushcfunction(L, json_write);
  lua_setfield(L, -2, "json");
}
