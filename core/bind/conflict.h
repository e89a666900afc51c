/* core/bind/conflict.h - what an insert does with rows that a constraint refuses, and what it returns. */
#ifndef RILLE_BIND_CONFLICT_H
#define RILLE_BIND_CONFLICT_H

#include <lua.h>

#include "core/bind/work.h"

/* Reads the table at `index` (nil: nothing is said) into the insert: { ignore = true }, or { by = { columns },
** where = SQL | nil, update = { columns }, count = column | nil }, or { returning = { columns }, into = { } }.  `count`
** is the column to which 1 is added when a row is updated; the SQL is the schema's own, and borrowed. */
void rille_lua_read_conflict(lua_State *L, int index, rille_work *work, rille_query *query);

#endif
