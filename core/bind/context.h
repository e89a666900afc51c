/* core/bind/context.h - what each coroutine sees of tenants' rows: its context, as Lua said it.
**
** A context is { value, mark, all, lifted, everybody }: the value that the tenant's column keeps (nil: no tenant), what
** tells this view of the rows from any other, whether everybody's rows of all tables are meant, the set of the guards
** (RILLE_SOURCE_GUARD) of the tables of which they are (nil: none), and the names of these as rille_driver.whose takes
** them (nil: none).  The first and the fourth never change.
**
** core.tenants is a table with weak keys: coroutine -> context.  Lua (lua/rille/tenant.lua) reads it; it is written by
** core.enter(context | nil [, held]) alone, for the calling coroutine.  It gives what was before, a value that makes it
** so again when it is closed: for that contexts have the metatable core.context_meta.  With a table `held` it does, and
** gives, nothing where the coroutine is a key there or has a context: then Lua looks whether that may be left.
**
** core.known_tenant(tenant, fn, contexts) finds the context of a tenant that was met before, the cheap way. */
#ifndef RILLE_BIND_CONTEXT_H
#define RILLE_BIND_CONTEXT_H

#include <lua.h>

#include "core/base/cell.h"

/* The coroutine met last whose context is a tenant's and lifts nothing; one for each state, and as long as it. */
typedef struct rille_lua_met {
  const lua_State *thread; /* NULL: there is none */
  bool main;               /* it is the state's first */
  const void *context;     /* its context: kept alive, so that no other can be taken for it */
  rille_cell tenant;       /* what that says; a text is the context's */
} rille_lua_met;

/* Pushes two values, of which the upper is the context of the calling coroutine; its index, or 0 when it has none. */
int rille_lua_push_context(lua_State *L);

/* Reads the tenant of the context at that index (0: none), if there is one; its text is borrowed from there.  Pushes
** up to one value. */
bool rille_lua_read_tenant(lua_State *L, int context, rille_cell *cell);

/* Did any state of this process ever set a tenant?  Whoever has none asks nobody about views. */
bool rille_lua_had_tenants(void);

/* Keeps in the user value `value` of the userdata at that absolute index what rille_lua_meet looks at. */
rille_lua_met *rille_lua_know_met(lua_State *L, int index, int value);

/* Is the calling coroutine's context a tenant's, with nothing lifted?  Then met->tenant is whose.  Most statements ask
** for the same one as the statement before, and are answered by a look at the user value.  The stack must have room for
** two values more. */
bool rille_lua_meet(lua_State *L, rille_lua_met *met, int index, int value);

/* Adds `tenants`, `enter`, `context_meta` and `known_tenant` to the module table at the top. */
void rille_lua_add_contexts(lua_State *L);

#endif
