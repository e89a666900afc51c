/* host/hook.h - what the rest of the host must know of hooks in C: the record that one of them is given. */
#ifndef RILLE_HOST_HOOK_H
#define RILLE_HOST_HOOK_H

#include <lua.h>

#include "host/rille.h"

/* Pushes the record that a value of kind RILLE_RECORD stands for.  Raises if its hook has returned, or runs in another
** host. */
void rille_hook_push(lua_State *L, const rille_value *value);

/* rille_get of a value of kind RILLE_RECORD.  A failure is kept for when the hook returns.  Raises nothing. */
const rille_value *rille_hook_read(const rille_value *value, const char *name);

#endif
