/* core/bind/open.h - the Lua module rille.core. */
#ifndef RILLE_BIND_OPEN_H
#define RILLE_BIND_OPEN_H

#include <lua.h>

/* Pushes the module's table: what `require "rille.core"` returns.  May raise a Lua error when memory runs out. */
__attribute__((visibility("default"))) int luaopen_rille_core(lua_State *L);

#endif
