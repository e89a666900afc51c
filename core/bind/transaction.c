/* core/bind/transaction.c - levels of transactions, each the coroutine's that began it. */
#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"

#define GUARD_META "rille.guard"

/* Watches over an open transaction or savepoint.  Its first user value is the coroutine that owns the level: that
** keeps the coroutine's address its own until the level has been ended. */
struct guard {
  rille_lua_database *database;
  rille_connection *connection;
  int depth;
  uint64_t number; /* of the level among those begun */
};

/* db:begin([mode]): a transaction, or inside one of this coroutine a savepoint; modes as rille_begin_mode has them */
static int
transaction_begin(lua_State *L)
{
  static const char *const words[RILLE_BEGIN_COUNT + 1] = { "deferred",       "immediate",       "exclusive",
                                                            "read_committed", "repeatable_read", "serializable",
                                                            "snapshot" };
  rille_lua_database *database = rille_lua_check_database(L, 1);
  int mode = luaL_checkoption(L, 2, "immediate", words);
  rille_fault fault;
  rille_status status = rille_connection_begin(rille_lua_connection_alone(L, database), (rille_begin_mode)mode, L,
                                               &fault);

  rille_lua_settle(database);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  return 0;
}

/* The connection whose transaction the calling coroutine owns; raises when it owns none. */
static rille_connection *
own_transaction(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  for (int i = 0; i < database->count; i++)
    if (database->connections[i]->depth > 0 && database->connections[i]->owner == L)
      return database->connections[i];
  (void)rille_lua_refuse(L, "no transaction of this coroutine is open");
  return NULL;
}

/* db:guard() -> a value that rolls the innermost level back if it is collected while that level is open: to be kept by
** whoever will end the level, so that a coroutine which is dropped in the middle leaves no transaction behind */
static int
transaction_guard(lua_State *L)
{
  rille_connection *connection = own_transaction(L);
  struct guard *guard = lua_newuserdatauv(L, sizeof *guard, 2);

  *guard = (struct guard){ .database = rille_lua_check_database(L, 1), .connection = connection };
  guard->depth = connection->depth;
  guard->number = connection->levels[connection->depth - 1];
  (void)lua_pushthread(L);
  (void)lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, 1);
  (void)lua_setiuservalue(L, -2, 2);
  luaL_setmetatable(L, GUARD_META);
  return 1;
}

/* True while the level is open.  Its connection may be gone since, and another one be where that was: no two have a
** level of the same number. */
static bool
is_open(const struct guard *guard)
{
  const rille_connection *connection = guard->connection;
  bool there = false;

  for (int i = 0; i < guard->database->count && !there; i++)
    there = guard->database->connections[i] == connection;
  return there && connection->depth >= guard->depth && connection->levels[guard->depth - 1] == guard->number;
}

static int
guard_gc(lua_State *L)
{
  struct guard *guard = luaL_checkudata(L, 1, GUARD_META);

  if (guard->database->closed || !is_open(guard))
    return 0;
  while (guard->connection->depth >= guard->depth)
    (void)rille_connection_rollback(guard->connection, NULL);
  rille_lua_settle(guard->database);
  return 0;
}

/* db:commit() ends the innermost level */
static int
transaction_commit(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_fault fault;
  rille_status status;

  database->last = own_transaction(L);
  status = rille_connection_commit(database->last, &fault);
  if (status != RILLE_OK)
    rille_lua_failed(database, &fault);
  rille_lua_settle(database);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  return 0;
}

/* db:rollback() undoes and ends the innermost level */
static int
transaction_rollback(lua_State *L)
{
  rille_fault fault;
  rille_status status = rille_connection_rollback(own_transaction(L), &fault);

  rille_lua_settle(rille_lua_check_database(L, 1));
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  return 0;
}

/* db:depth() -> open levels of the calling coroutine */
static int
transaction_depth(lua_State *L)
{
  const rille_lua_database *database = rille_lua_check_database(L, 1);
  int depth = 0;

  for (int i = 0; i < database->count; i++)
    if (database->connections[i]->owner == L)
      depth = database->connections[i]->depth;
  lua_pushinteger(L, depth);
  return 1;
}

/* db:exclusive(on) -> before: while a transaction is open, nobody but its coroutine may use the database; else others
** read what was there before it, on connections of their own */
static int
transaction_exclusive(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  lua_pushboolean(L, database->exclusive);
  database->exclusive = lua_toboolean(L, 2) != 0;
  return 1;
}

void
rille_lua_add_guard(lua_State *L)
{
  (void)luaL_newmetatable(L, GUARD_META);
  lua_pushcfunction(L, guard_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

const luaL_Reg rille_lua_transaction_methods[] = {
  { "begin", transaction_begin },
  { "guard", transaction_guard },
  { "commit", transaction_commit },
  { "rollback", transaction_rollback },
  { "depth", transaction_depth },
  { "exclusive", transaction_exclusive },
  { NULL, NULL },
};
