/* host/error.h - errors on their way from Lua to a rille_error. */
#ifndef RILLE_HOST_ERROR_H
#define RILLE_HOST_ERROR_H

#include <lua.h>

#include "host/rille.h"

/* Raises an error value of rille; never returns. `hint` may be NULL. */
_Noreturn void rille_host_raise(lua_State *L, const char *kind, const char *hint, const char *format, ...)
  __attribute__((format(printf, 4, 5)));

/* A lua_CFunction for lua_pcall: makes any error one of rille's, and adds a traceback unless it has one. */
int rille_host_handler(lua_State *L);

/* Fills *err (may be NULL) from the value at `index`.  May raise. */
void rille_host_describe(lua_State *L, int index, rille_error *err);

/* Fills *err (may be NULL) from the error value that lua_pcall left on top when it gave `status`; pops it.
** Raises nothing. */
void rille_host_report(lua_State *L, int status, rille_error *err);

/* Fills *err (may be NULL) with plain texts; `hint` may be NULL.  Needs no state and no memory. */
void rille_host_fail(rille_error *err, const char *kind, const char *message, const char *hint);

#endif
