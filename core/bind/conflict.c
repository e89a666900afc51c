/* core/bind/conflict.c - the parts of an insert beside its rows, from Lua. */
#include "core/bind/conflict.h"

#include <lauxlib.h>

#include "core/bind/value.h"
#include "core/bind/verb.h"

/* The columns that the list in the field names; none where there is no list. */
static rille_node *
read_columns(lua_State *L, int index, const char *field, rille_work *work)
{
  rille_node *first = NULL, **end = &first;
  lua_Integer count = lua_getfield(L, index, field) == LUA_TTABLE ? luaL_len(L, -1) : 0;

  for (lua_Integer i = 1; i <= count; i++) {
    rille_node *column = rille_work_node(L, work, RILLE_NODE_COLUMN);

    (void)lua_rawgeti(L, -1, i);
    column->text = rille_lua_check_text(L, -1, "the name of a column");
    lua_pop(L, 1);
    *end = column;
    end = &column->next;
  }
  lua_pop(L, 1);
  return first;
}

void
rille_lua_read_conflict(lua_State *L, int index, rille_work *work, rille_query *query)
{
  rille_set **end = &query->conflict_sets;

  if (!lua_istable(L, index))
    return;
  if (lua_getfield(L, index, "ignore") != LUA_TNIL && lua_toboolean(L, -1))
    query->conflict = RILLE_CONFLICT_IGNORED;
  if (lua_getfield(L, index, "by") == LUA_TTABLE)
    query->conflict = RILLE_CONFLICT_UPDATES;
  if (lua_getfield(L, index, "where") == LUA_TSTRING)
    query->conflict_where = rille_lua_text(L, -1);
  lua_pop(L, 3);
  query->conflict_columns = read_columns(L, index, "by", work);
  for (rille_node *column = read_columns(L, index, "update", work); column != NULL; column = column->next) {
    *end = rille_work_get(L, work, sizeof **end);
    **end = (rille_set){ .name = column->text, .value = column };
    end = &(*end)->next;
  }
  query->returning = read_columns(L, index, "returning", work);
  if (lua_getfield(L, index, "count") == LUA_TSTRING) {
    const rille_cell one = { .kind = RILLE_INT, .as.integer = 1 };

    (void)rille_lua_add_set(L, work, end, rille_lua_text(L, -1), &one);
    rille_lua_set_sum(L, work, *end, RILLE_OP_ADD);
  }
  lua_pop(L, 1);
}
