/* host/library.h - what `require` finds in a host, and what its scripts may see. */
#ifndef RILLE_HOST_LIBRARY_H
#define RILLE_HOST_LIBRARY_H

#include "host/host.h"

/* Opens the libraries of a new state.  Raises. */
void rille_library_open(lua_State *L);

/* Pushes what `require(name)` gives the library's own modules, whatever scripts did to theirs.  Raises. */
void rille_library_require(lua_State *L, const char *name);

/* Pushes `rille.null`.  Raises. */
void rille_library_null(lua_State *L);

/* Pushes the function of plain.lua.  Raises. */
void rille_library_plain(lua_State *L);

/* Pushes the function of listen.lua.  Raises. */
void rille_library_listen(lua_State *L);

#endif
