/* core/bind/together.c - several reads whose statements are one round trip. */
#include "core/bind/together.h"

#include <lauxlib.h>
#include <string.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"

/* One of the reads.  Each part of it runs in a call of its own, in which its arguments stand where it wants them. */
struct part {
  const rille_lua_read *read;
  rille_work *work;
};

static int
start_part(lua_State *L)
{
  const struct part *part = lua_touserdata(L, lua_upvalueindex(1));

  part->read->start(L, part->work);
  return 0;
}

static int
read_part(lua_State *L)
{
  const struct part *part = lua_touserdata(L, lua_upvalueindex(1));

  return part->read->rows(L, part->work);
}

/* Calls a part with the arguments in the list at the top, which goes. */
static void
call_part(lua_State *L, lua_CFunction function, struct part *part, int results)
{
  int list = lua_gettop(L), count = (int)luaL_len(L, list);

  luaL_checkstack(L, count + 2, "too many arguments");
  lua_pushlightuserdata(L, part);
  lua_pushcclosure(L, function, 1);
  lua_pushvalue(L, 1);
  for (int i = 2; i <= count; i++)
    (void)lua_rawgeti(L, list, i);
  lua_remove(L, list);
  lua_call(L, count, results);
}

static const rille_lua_read *
read_called(lua_State *L, const char *name)
{
  static const rille_lua_read *const reads[] = { &rille_lua_read_all, &rille_lua_read_aggregate,
                                                 &rille_lua_read_related };

  for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
    if (strcmp(reads[i]->name, name) == 0)
      return reads[i];
  (void)luaL_error(L, "no read is called %s", name);
  return NULL;
}

/* db:together({ { method, ... }, ... }, ends) -> a list of what each gives, as a list: all are asked before one is
** read.  `ends`: commit() of the open transaction, which wrote nothing, comes next. */
static int
read_together(lua_State *L)
{
  enum { ENDS = 3 };
  rille_lua_database *database = rille_lua_check_database(L, 1);
  int count, result;
  struct part *parts;
  rille_stmt **statements;
  rille_work *first;
  const rille_driver *driver;

  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, ENDS);
  count = (int)luaL_len(L, 2);
  luaL_checkstack(L, 2 * count + 20, "too many reads");
  first = rille_lua_begin_call(L, database);
  parts = rille_work_get(L, first, (size_t)count * sizeof *parts);
  statements = rille_work_get(L, first, (size_t)count * sizeof(rille_stmt *));
  for (int i = 0; i < count; i++) {
    (void)lua_rawgeti(L, 2, i + 1);
    (void)lua_rawgeti(L, -1, 1);
    parts[i].read = read_called(L, luaL_checkstring(L, -1));
    lua_pop(L, 2);
    parts[i].work = rille_lua_begin_call(L, database);
    (void)lua_rawgeti(L, 2, i + 1);
    call_part(L, start_part, &parts[i], 0);
    statements[i] = parts[i].work->cursor.statement->stmt;
  }
  driver = database->driver;
  if (lua_toboolean(L, ENDS) && driver->end_with != NULL)
    driver->end_with(parts[0].work->cursor.connection->conn);
  if (driver->together(statements, (size_t)count, &first->fault) != RILLE_OK)
    return rille_lua_fail(L, first, NULL);
  lua_createtable(L, count, 0);
  result = lua_gettop(L);
  for (int i = 0; i < count; i++) {
    int values;

    (void)lua_rawgeti(L, 2, i + 1);
    call_part(L, read_part, &parts[i], LUA_MULTRET);
    values = lua_gettop(L) - result;
    lua_createtable(L, values, 0);
    lua_insert(L, result + 1);
    for (int at = values; at > 0; at--)
      lua_rawseti(L, result + 1, at);
    lua_rawseti(L, result, i + 1);
  }
  return 1;
}

const luaL_Reg rille_lua_together_methods[] = {
  { "together", read_together },
  { NULL, NULL },
};
