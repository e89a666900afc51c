/* core/bind/together.h - reads in two parts, so that several can be on their way at once. */
#ifndef RILLE_BIND_TOGETHER_H
#define RILLE_BIND_TOGETHER_H

#include <lua.h>

#include "core/bind/work.h"

/* A method of databases that reads.  Its arguments stand where its call has them, and may be followed by anything. */
typedef struct rille_lua_read {
  const char *name;
  void (*start)(lua_State *L, rille_work *work); /* makes the statement, and starts the work's cursor */
  int (*rows)(lua_State *L, rille_work *work);   /* pushes what the method returns, and how much that is */
} rille_lua_read;

extern const rille_lua_read rille_lua_read_all, rille_lua_read_aggregate, rille_lua_read_related;

/* Starts the cursor of a read on the database at 1, with the query at 2 and what is sealed at 3 in it: for those who
** have nothing to add. */
void rille_lua_start_read(lua_State *L, rille_work *work);

#endif
