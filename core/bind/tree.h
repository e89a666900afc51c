/* core/bind/tree.h - a chain of Lua tables (chain.h) -> query/tree. */
#ifndef RILLE_BIND_TREE_H
#define RILLE_BIND_TREE_H

#include "core/bind/source.h"
#include "core/bind/work.h"

/* The statement that the chain at `index` (absolute) says, a select until told otherwise.  `sealed` is the index of
** a chain whose conditions are and-ed outside, or 0 for none.  Texts are borrowed from the Lua tables.  Raises
** invalid_argument for what is no query. */
rille_query *rille_lua_to_query(lua_State *L, int index, int sealed, rille_work *work);

/* The source of the chain at `index`; raises invalid_argument for what is no query. */
rille_lua_source *rille_lua_query_source(lua_State *L, int index);

/* Adds `op`, the numbers of the ops, to the module table at the top. */
void rille_lua_add_ops(lua_State *L);

#endif
