/* core/bind/system.h - what rille's Lua needs of the machine that stock Lua does not give. */
#ifndef RILLE_BIND_SYSTEM_H
#define RILLE_BIND_SYSTEM_H

#include <lua.h>

/* Adds now, monotonic_ms, checksum, nearest, list_directory and make_directory to the module table at the top. */
void rille_lua_add_system(lua_State *L);

/* Adds the functions of file.c likewise. */
void rille_lua_add_file(lua_State *L);

#endif
