/* core/bind/session.h - the history of a database, for who tells sessions where in it they are. */
#ifndef RILLE_BIND_SESSION_H
#define RILLE_BIND_SESSION_H

#include <lua.h>

#include "core/run/history.h"

/* The history of the database at 1, read now and kept there, and begun where there is none; NULL where the database
** keeps none and cannot, or does not say where in it it is. */
const rille_history *rille_lua_history_now(lua_State *L);

/* db:token([makes]), see session.c. */
int rille_lua_session_token(lua_State *L);

#endif
