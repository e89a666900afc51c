/* host/copy.h - values across the border between Lua and C. */
#ifndef RILLE_HOST_COPY_H
#define RILLE_HOST_COPY_H

#include <lua.h>

#include "host/rille.h"

/* Pushes a value that a C caller made; null as nil.  Raises. */
void rille_host_push(lua_State *L, const rille_value *value);

/* Copies the value at `index` into *result, which may become non-NULL before something is raised: whoever catches that
** frees it.  Records, lists and queries are asked for plain tables.  At most `most_bytes` are copied.  Raises. */
void rille_host_take(lua_State *L, int index, size_t most_bytes, rille_value **result);

/* The same beside what *result holds already; NULL there begins one, which is null itself.  The copy belongs to
** *result.  Raises. */
const rille_value *rille_host_take_more(lua_State *L, int index, size_t most_bytes, rille_value **result);

#endif
