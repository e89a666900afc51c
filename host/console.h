/* host/console.h - the Lua module rille.console: a line editor with history and completion. */
#ifndef RILLE_CONSOLE_H
#define RILLE_CONSOLE_H

#include <lua.h>

int rille_console_open(lua_State *L);

#endif
