/* core/bind/json_value.h - any value of Lua as JSON. */
#ifndef RILLE_BIND_JSON_VALUE_H
#define RILLE_BIND_JSON_VALUE_H

#include "core/bind/json_out.h"

/* Writes the value at `index`, which is absolute: false, numbers, texts, rille.null, tables with names (in their order)
** or elements, records where the call knows their shape, and what says itself by __tojson.  Refuses all else, and what
** contains itself; a record inside itself is left out of the list that holds it. */
void rille_json_value(lua_State *L, rille_json_out *out, int index);

/* True when the value at `index` is a record that is being written: it is left out. */
bool rille_json_is_left_out(lua_State *L, const rille_json_out *out, int index);

/* Writes a record; json_record.c.  `top`: the call is about it. */
void rille_json_record(lua_State *L, rille_json_out *out, int index, bool top);

#endif
