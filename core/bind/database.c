/* core/bind/database.c - core.open, closing, and what is asked of a database beside its rows. */
#include "core/bind/database.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"

#define DATABASE_META "rille.database"

/* Its address marks databases. */
static const char database_tag;

rille_lua_database *
rille_lua_check_database(lua_State *L, int index)
{
  rille_lua_database *database = rille_lua_tagged(L, index, &database_tag, sizeof *database);

  if (database == NULL)
    (void)rille_lua_refuse(L, "a database was expected, not a %s", luaL_typename(L, index));
  if (database->closed)
    (void)rille_lua_refuse(
      L, "the database \"%s\" is closed",
      rille_show(database->options.database.len > 0 ? database->options.database : database->name).text);
  return database;
}

void
rille_lua_failed(rille_lua_database *database, const rille_fault *fault)
{
  database->moved = fault->kind == RILLE_CONNECTION_LOST;
}

/* A connection that was made anew in the middle may find that its tenant is no more.  The work ends here and not when
** it is closed: a coroutine that an error ends is left by coroutine.resume without closing anything. */
int
rille_lua_fail_sql(lua_State *L, rille_work *work, rille_str sql)
{
  const rille_lua_database *database = work->database;

  rille_lua_failed(work->database, &work->fault);
  if (database->place.len > 0 && database->tenant.len > 0 && rille_lua_is_gone(&work->fault))
    (void)rille_lua_name_gone(database, &work->fault);
  rille_lua_push_error(L, &work->fault, sql);
  rille_work_failed(work);
  return lua_error(L);
}

int
rille_lua_fail(lua_State *L, rille_work *work, const rille_statement *statement)
{
  return rille_lua_fail_sql(L, work, statement != NULL ? statement->compiled.sql : (rille_str){ 0 });
}

rille_work *
rille_lua_begin_call(lua_State *L, rille_lua_database *database)
{
  (void)lua_getiuservalue(L, 1, RILLE_DATABASE_WORKS);
  return rille_work_open(L, lua_gettop(L), database);
}

/* -- opening --------------------------------------------------------------------------------------------- */

/* open(options) -> database; the first connection is made at once, so that what is wrong is said here.  With `later`
** it is made when it is used. */
static int
database_open(lua_State *L)
{
  rille_lua_database *database;

  luaL_checktype(L, 1, LUA_TTABLE);
  database = lua_newuserdatauv(L, sizeof *database, RILLE_DATABASE_VALUES);
  *database = (rille_lua_database){ .tag = &database_tag, .running = rille_lua_running_calls(L) };
  luaL_setmetatable(L, DATABASE_META);
  lua_createtable(L, 4, 0);
  (void)lua_setiuservalue(L, -2, RILLE_DATABASE_WORKS);

  rille_lua_read_options(L, database);
  if (lua_getfield(L, 1, "later") == LUA_TNIL)
    (void)rille_lua_add_connection(L, database);
  lua_settop(L, 2);
  rille_lua_settle(database);
  return 1;
}

bool
rille_lua_is_busy(const rille_lua_database *database)
{
  bool busy = database->calls > 0 || database->steps > 0;

  for (int i = 0; i < database->count && !busy; i++)
    busy = database->connections[i]->depth > 0 || database->connections[i]->cursors != NULL;
  return busy;
}

void
rille_lua_settle(rille_lua_database *database)
{
  if (database->closed && database->calls == 0 && database->steps == 0)
    rille_lua_close_connections(database);
  else if (database->seat.held && !rille_lua_is_busy(database))
    rille_seat_unpin(&database->seat);
  else if (database->moved)
    rille_lua_look_again(database);
}

/* db:close(): rolls back what is open, at the latest when what runs right now has ended; closing twice is fine */
static int
database_close(lua_State *L)
{
  rille_lua_database *database = luaL_checkudata(L, 1, DATABASE_META);

  database->closed = true;
  rille_lua_mirror_unfollow(database);
  rille_lua_settle(database);
  return 0;
}

static int
database_gc(lua_State *L)
{
  rille_lua_database *database = luaL_checkudata(L, 1, DATABASE_META);

  rille_lua_mirror_unfollow(database);
  rille_lua_close_connections(database);
  database->pooled = false;
  rille_arena_release(&database->arena);
  rille_memory_free(database->history);
  database->history = NULL;
  database->closed = true;
  database->options.database = (rille_str){ 0 };
  return 0;
}

/* -- the rest -------------------------------------------------------------------------------------------- */

/* db:forget(): the schema changed */
static int
database_forget(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++)
    rille_connection_forget(database->connections[i]);
  rille_lua_settle(database);
  return 0;
}

/* db:trace(on [, goes_on]): keep what db:last() gives, from the next statement on; goes_on: and what it gives now */
static int
database_trace(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  bool goes_on = lua_toboolean(L, 3) != 0;

  database->trace = lua_toboolean(L, 2) != 0;
  for (int i = 0; i < database->count; i++) {
    rille_trace *trace = &database->connections[i]->trace;

    if (database->trace && !trace->on && !goes_on)
      rille_buffer_clear(&trace->sql);
    trace->on = database->trace;
  }
  return 0;
}

/* db:last() -> { sql, params, ms, rows } of the last statement while traced; nil before the first */
static int
database_last(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_trace *trace = database->last != NULL ? &database->last->trace : NULL;
  rille_str sql;

  if (trace == NULL || trace->sql.len == 0)
    return 0;
  sql = rille_buffer_str(&trace->sql);
  lua_createtable(L, 0, 4);
  (void)lua_pushlstring(L, sql.at, sql.len);
  lua_setfield(L, -2, "sql");
  lua_pushnumber(L, trace->ms);
  lua_setfield(L, -2, "ms");
  lua_pushinteger(L, (lua_Integer)trace->rows);
  lua_setfield(L, -2, "rows");
  lua_createtable(L, (int)trace->param_count, 1);
  for (size_t i = 0; i < trace->param_count; i++) {
    if (trace->params[i].kind == RILLE_NULL)
      rille_lua_push_null(L);
    else
      rille_lua_push_cell(L, &trace->params[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "params");
  return 1;
}

/* db:path() -> what it was opened with */
static int
database_path(lua_State *L)
{
  const rille_lua_database *database = rille_lua_check_database(L, 1);

  (void)lua_pushlstring(L, database->options.database.at, database->options.database.len);
  return 1;
}

/* db:stats() -> { connections, cursors (open ones), kept, hits, misses (of its statements), round_trips (to a server,
** of the open connections) } */
static int
database_stats(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  lua_Integer cursors = 0, kept = 0, hits = 0, misses = 0, round_trips = 0;

  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++) {
    const rille_conn *conn = database->connections[i]->conn;

    round_trips += conn->driver->round_trips != NULL ? (lua_Integer)conn->driver->round_trips(conn) : 0;
    kept += (lua_Integer)database->connections[i]->statements.count;
    hits += (lua_Integer)database->connections[i]->statements.hits;
    misses += (lua_Integer)database->connections[i]->statements.misses;
    for (const rille_cursor *each = database->connections[i]->cursors; each != NULL; each = each->next)
      cursors++;
  }
  rille_lua_settle(database);
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, round_trips);
  lua_setfield(L, -2, "round_trips");
  lua_pushinteger(L, cursors);
  lua_setfield(L, -2, "cursors");
  lua_pushinteger(L, database->count);
  lua_setfield(L, -2, "connections");
  lua_pushinteger(L, kept);
  lua_setfield(L, -2, "kept");
  lua_pushinteger(L, hits);
  lua_setfield(L, -2, "hits");
  lua_pushinteger(L, misses);
  lua_setfield(L, -2, "misses");
  return 1;
}

void
rille_lua_add_database(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "close", database_close },
    { "forget", database_forget },
    { "trace", database_trace },
    { "last", database_last },
    { "path", database_path },
    { "stats", database_stats },
    { NULL, NULL },
  };

  rille_lua_add_guard(L);

  (void)luaL_newmetatable(L, DATABASE_META);
  lua_pushcfunction(L, database_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, database_close);
  lua_setfield(L, -2, "__close");
  lua_createtable(L, 0, 40);
  luaL_setfuncs(L, methods, 0);
  luaL_setfuncs(L, rille_lua_transaction_methods, 0);
  luaL_setfuncs(L, rille_lua_session_methods, 0);
  luaL_setfuncs(L, rille_lua_session_look_methods, 0);
  luaL_setfuncs(L, rille_lua_copy_methods, 0);
  luaL_setfuncs(L, rille_lua_carry_methods, 0);
  luaL_setfuncs(L, rille_lua_mirror_methods, 0);
  luaL_setfuncs(L, rille_lua_raw_methods, 0);
  luaL_setfuncs(L, rille_lua_read_methods, 0);
  luaL_setfuncs(L, rille_lua_related_methods, 0);
  luaL_setfuncs(L, rille_lua_together_methods, 0);
  luaL_setfuncs(L, rille_lua_write_methods, 0);
  luaL_setfuncs(L, rille_lua_insert_methods, 0);
  luaL_setfuncs(L, rille_lua_save_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, database_open);
  lua_setfield(L, -2, "open");
  lua_pushstring(L, rille_driver_sqlite.version());
  lua_setfield(L, -2, "sqlite_version");
}
