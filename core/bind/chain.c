/* core/bind/chain.c - reads the operands of a node; all that it gives lives in the work's arena or in the Lua
** tables. */
#include "core/bind/chain.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/bind/tenant.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"

enum { DEPTH_MAX = 45 }; /* SQLite's parser gives up at some 50 groups, or 20 queries, in each other */

static const char *const OP_NAMES[] = {
  NULL,       "compare",    "columns",   "in",           "between",       "null",         "group",
  "exists",   "raw",        "part",      "json",         "json_contains", "constant",     "sealed",
  "having",   "having_raw", "select",    "add_select",   "select_raw",    "distinct",     "join",
  "group_by", "order",      "order_raw", "order_random", "reorder",       "limit",        "offset",
  "union",    "unfiltered", "unlimited", "outer",        "compare_query", "select_query", "lock",
  "per",      "scopes",     "nothing",
};

void
rille_chain_enter(lua_State *L, rille_work *work, int levels)
{
  work->depth += levels;
  if (work->depth > DEPTH_MAX)
    (void)rille_lua_refuse(L, "a query has more than %d groups, or %d queries, in each other: write it flatter",
                           DEPTH_MAX, DEPTH_MAX / RILLE_QUERY_LEVELS);
}

rille_str
rille_chain_text(rille_chain *r, int node, int position, const char *what)
{
  rille_str text;

  (void)rille_chain_push(r, node, position);
  text = rille_lua_check_text(r->L, -1, what);
  lua_pop(r->L, 1);
  return text;
}

lua_Integer
rille_chain_integer(rille_chain *r, int node, int position)
{
  lua_Integer value;

  (void)rille_chain_push(r, node, position);
  value = lua_tointeger(r->L, -1);
  lua_pop(r->L, 1);
  return value;
}

bool
rille_chain_flag(rille_chain *r, int node, int position)
{
  bool value;

  (void)rille_chain_push(r, node, position);
  value = lua_toboolean(r->L, -1) != 0;
  lua_pop(r->L, 1);
  return value;
}

rille_node *
rille_chain_column_named(rille_chain *r, rille_str name)
{
  rille_node *column = rille_chain_node(r, RILLE_NODE_COLUMN);

  column->text = name;
  return column;
}

rille_node *
rille_chain_column(rille_chain *r, int node, int position)
{
  return rille_chain_column_named(r, rille_chain_text(r, node, position, "a column"));
}

rille_node *
rille_chain_value_at(rille_chain *r, int index, rille_str what)
{
  rille_cell cell;
  char place[100];

  if (!rille_lua_to_cell(r->L, index, &cell)) {
    (void)snprintf(place, sizeof place, "%.*s", RILLE_STR_ARG(what));
    rille_lua_check_cell(r->L, index, place, &cell);
  }
  return rille_work_value(r->L, r->work, &cell);
}

rille_node *
rille_chain_value(rille_chain *r, int node, int position, rille_str what)
{
  rille_node *value;

  (void)rille_chain_push(r, node, position);
  value = rille_chain_value_at(r, -1, what);
  lua_pop(r->L, 1);
  return value;
}

rille_node *
rille_chain_values(rille_chain *r, int node, int position)
{
  rille_node *first = NULL, **end = &first;

  if (rille_chain_push(r, node, position) == LUA_TTABLE) {
    lua_Integer count = luaL_len(r->L, -1);

    if (lua_getfield(r->L, -1, "n") == LUA_TNUMBER)
      count = lua_tointeger(r->L, -1);
    lua_pop(r->L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
      (void)lua_rawgeti(r->L, -1, i);
      *end = rille_chain_value_at(r, -1, rille_str_of("a parameter"));
      end = &(*end)->next;
      lua_pop(r->L, 1);
    }
  }
  lua_pop(r->L, 1);
  return first;
}

rille_node *
rille_chain_raw(rille_chain *r, int node, int sql, int params)
{
  rille_node *raw = rille_chain_node(r, RILLE_NODE_RAW);

  raw->text = rille_chain_text(r, node, sql, "raw SQL");
  raw->items = rille_chain_values(r, node, params);
  if (rille_chain_push(r, node, params) == LUA_TTABLE) {
    if (lua_getfield(r->L, -1, "reads") != LUA_TNIL) {
      rille_lua_check_raw(r->L);
      r->work->asked = true;
    }
    lua_pop(r->L, 1);
  }
  lua_pop(r->L, 1);
  return raw;
}

void
rille_lua_add_ops(lua_State *L)
{
  lua_createtable(L, 0, RILLE_CHAIN_NOTHING);
  for (int i = 1; i <= (int)RILLE_CHAIN_NOTHING; i++) {
    lua_pushinteger(L, i);
    lua_setfield(L, -2, OP_NAMES[i]);
  }
  lua_setfield(L, -2, "op");
}
