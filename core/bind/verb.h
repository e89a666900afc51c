/* core/bind/verb.h - assignments from Lua. */
#ifndef RILLE_BIND_VERB_H
#define RILLE_BIND_VERB_H

#include "core/bind/source.h"
#include "core/bind/work.h"

/* Makes the query an update that sets what the list at `index` says: { { column, value }, ... } or, to add to a column,
** { column, number, "+" | "-" }.  Raises invalid_argument. */
void rille_lua_add_update(lua_State *L, rille_work *work, rille_query *query, int index);

/* Appends an assignment of `cell` to the column; returns where the next one goes. */
rille_set **rille_lua_add_set(lua_State *L, rille_work *work, rille_set **end, rille_str column,
                              const rille_cell *cell);

/* Makes of the assignment of a value one of the column with that value added (RILLE_OP_ADD) or taken away. */
void rille_lua_set_sum(lua_State *L, rille_work *work, rille_set *set, rille_operator sign);

#endif
