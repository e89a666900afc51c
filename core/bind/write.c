/* core/bind/write.c - updates and deletes by query. */
#include <lauxlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/bind/database.h"
#include "core/base/shown.h"
#include "core/bind/ends.h"
#include "core/bind/tenant.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"
#include "core/bind/verb.h"

rille_set **
rille_lua_add_set(lua_State *L, rille_work *work, rille_set **end, rille_str column, const rille_cell *cell)
{
  rille_set *set = rille_work_get(L, work, sizeof *set);

  set->name = column;
  set->value = rille_work_value(L, work, cell);
  *end = set;
  return &set->next;
}

void
rille_lua_set_sum(lua_State *L, rille_work *work, rille_set *set, rille_operator sign)
{
  rille_node *sum = rille_work_node(L, work, RILLE_NODE_COMPARE), *column = rille_work_node(L, work, RILLE_NODE_COLUMN);

  column->text = set->name;
  sum->op = sign;
  sum->a = column;
  sum->b = set->value;
  set->value = sum;
}

void
rille_lua_add_update(lua_State *L, rille_work *work, rille_query *query, int index)
{
  rille_set **end = &query->sets;

  luaL_checktype(L, index, LUA_TTABLE);
  query->verb = RILLE_UPDATE;
  for (lua_Integer i = 1, count = luaL_len(L, index); i <= count; i++) {
    rille_set *set;
    rille_cell cell;
    rille_str column;
    char place[100];

    (void)lua_rawgeti(L, index, i);
    (void)lua_rawgeti(L, -1, 1);
    column = rille_lua_check_text(L, -1, "the name of a column");
    (void)snprintf(place, sizeof place, "%.*s", RILLE_STR_ARG(column));
    (void)lua_rawgeti(L, -2, 2);
    rille_lua_check_cell(L, -1, place, &cell);
    (void)lua_rawgeti(L, -3, 3);
    if (query->source.table->tenant != NULL && rille_str_equal(column, query->source.table->tenant->name))
      rille_lua_check_tenant(L, work, &query->source, lua_isstring(L, -1) ? NULL : &cell);
    end = rille_lua_add_set(L, work, end, column, &cell);
    set = (rille_set *)((char *)end - offsetof(rille_set, next));
    if (lua_isstring(L, -1))
      rille_lua_set_sum(L, work, set, lua_tostring(L, -1)[0] == '-' ? RILLE_OP_SUBTRACT : RILLE_OP_ADD);
    lua_pop(L, 4);
  }
}

/* Runs a statement without rows; returns the rows it changed. */
static int64_t
run(lua_State *L, rille_lua_database *database, rille_work *work, rille_query *query)
{
  rille_connection *connection = rille_lua_connection(L, database);
  rille_statement *statement = NULL;
  bool row;

  if (rille_connection_ready(connection, &work->fault) != RILLE_OK ||
      rille_connection_statement(connection, query, &statement, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, NULL);
  if (rille_work_run(work, connection, statement, &work->arena) != RILLE_OK ||
      rille_cursor_step(&work->cursor, &row, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, work->cursor.statement);
  rille_cursor_close(&work->cursor);
  return connection->conn->driver->changes(connection->conn);
}

/* db:update(query, sealed, sets) -> rows changed */
static int
write_update(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;

  lua_settop(L, 4);
  work = rille_lua_begin_call(L, database);
  query = rille_lua_to_query(L, 2, lua_istable(L, 3) ? 3 : 0, work);
  rille_lua_add_update(L, work, query, 4);
  lua_pushinteger(L, (lua_Integer)run(L, database, work, query));
  return 1;
}

/* db:delete(query, sealed) -> rows deleted */
static int
write_delete(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;

  lua_settop(L, 3);
  work = rille_lua_begin_call(L, database);
  query = rille_lua_to_query(L, 2, lua_istable(L, 3) ? 3 : 0, work);
  query->verb = RILLE_DELETE;
  lua_pushinteger(L, (lua_Integer)run(L, database, work, query));
  return 1;
}

const luaL_Reg rille_lua_write_methods[] = {
  { "update", write_update },
  { "delete", write_delete },
  { NULL, NULL },
};
