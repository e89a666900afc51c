/* core/bind/json.h - JSON in one call from Lua. */
#ifndef RILLE_BIND_JSON_H
#define RILLE_BIND_JSON_H

#include <lua.h>

/* Adds `json` to the module table at the top. */
void rille_lua_add_json(lua_State *L);

#endif
