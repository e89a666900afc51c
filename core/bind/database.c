/* core/bind/database.c - core.open, connections by coroutine, closing. */
#include "core/bind/database.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/base/shown.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"

#define DATABASE_META "rille.database"

enum { BUSY_TIMEOUT_MS = 5000, MMAP_BYTES = 128 << 20, CACHE_KIB = 8 << 10 };

/* Its address marks databases. */
static const char database_tag;

rille_lua_database *
rille_lua_check_database(lua_State *L, int index)
{
  rille_lua_database *database = rille_lua_tagged(L, index, &database_tag, sizeof *database);

  if (database == NULL)
    (void)rille_lua_refuse(L, "a database was expected, not a %s", luaL_typename(L, index));
  if (database->closed)
    (void)rille_lua_refuse(L, "the database \"%s\" is closed", rille_show(database->options.database).text);
  return database;
}

int
rille_lua_fail(lua_State *L, const rille_work *work, const rille_statement *statement)
{
  return rille_lua_raise(L, &work->fault, statement != NULL ? statement->compiled.sql : (rille_str){ 0 });
}

/* Opens one more connection and gives it the pragmas that were asked for. */
static rille_connection *
add_connection(lua_State *L, rille_lua_database *database)
{
  rille_connection *connection = NULL;
  rille_fault fault;
  rille_status status;

  status = rille_connection_open(database->driver, &database->options, &connection, &fault);
  for (size_t i = 0; i < database->pragma_count && status == RILLE_OK; i++) {
    rille_statement *statement = NULL;
    bool row;

    status = rille_connection_sql(connection, database->pragmas[i], &statement, &fault);
    if (status == RILLE_OK)
      status = database->driver->step(statement->stmt, &row, &fault);
    rille_connection_release(statement);
  }
  if (status != RILLE_OK) {
    rille_connection_close(connection);
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
    return NULL;
  }
  connection->trace.on = database->trace;
  database->connections[database->count++] = connection;
  return connection;
}

/* Raises `busy`: every connection is held by a transaction or a cursor of another coroutine. */
static int
busy(lua_State *L, const rille_lua_database *database)
{
  const char *holder = database->exclusive || database->connections[0]->depth > 0 ? "transaction" : "cursor";
  rille_fault fault;

  if (database->exclusive) {
    (void)rille_fault_set(&fault, RILLE_BUSY, "a %s of another coroutine holds this database for itself", holder);
    rille_fault_hint(&fault, "what is done by several coroutines wants a database that no transaction holds");
  } else if (database->memory) {
    (void)rille_fault_set(&fault, RILLE_BUSY,
                          "a %s of another coroutine holds the one connection of this in-memory database", holder);
    rille_fault_hint(&fault, "end that %s first", holder);
  } else {
    (void)rille_fault_set(&fault, RILLE_BUSY,
                          "all %d connections are held by transactions and cursors of other coroutines",
                          RILLE_CONNECTIONS_MAX);
    rille_fault_hint(&fault, "end some of them first");
  }
  return rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* True while a cursor of another coroutine reads on the connection. */
static bool
is_read(lua_State *L, const rille_connection *connection)
{
  for (const rille_cursor *each = connection->cursors; each != NULL; each = each->next)
    if (each->owner != NULL && each->owner != L)
      return true;
  return false;
}

/* Sets how long the connection waits for locks: not at all while a transaction or a cursor of this database is open on
** another one, for whoever holds that lock is in this thread and cannot go on while we wait. */
static rille_connection *
with_wait(rille_lua_database *database, rille_connection *chosen)
{
  bool held = false;

  for (int i = 0; i < database->count; i++) {
    const rille_connection *other = database->connections[i];

    held = held || (other != chosen && (other->depth > 0 || other->cursors != NULL));
  }
  database->driver->set_wait(chosen->conn, held ? 0 : database->options.busy_timeout_ms);
  return database->last = chosen;
}

rille_connection *
rille_lua_connection_alone(lua_State *L, rille_lua_database *database)
{
  rille_connection *idle = NULL;
  bool held = false;

  for (int i = 0; i < database->count; i++) {
    rille_connection *connection = database->connections[i];

    if (connection->depth > 0 && connection->owner == L)
      return with_wait(database, connection);
    held = held || connection->depth > 0;
    if (connection->depth == 0 && idle == NULL && !is_read(L, connection))
      idle = connection;
  }
  if (held && database->exclusive)
    (void)busy(L, database);
  if (idle == NULL) {
    if (database->count == RILLE_CONNECTIONS_MAX || (database->memory && database->count > 0))
      (void)busy(L, database);
    idle = add_connection(L, database);
  }
  return with_wait(database, idle);
}

rille_connection *
rille_lua_connection(lua_State *L, rille_lua_database *database)
{
  rille_connection *first = database->count == 1 ? database->connections[0] : NULL;

  if (first != NULL && (first->depth == 0 || first->owner == L))
    return database->last = first; /* nothing was committed beside it: a cursor on it hides nothing */
  return rille_lua_connection_alone(L, database);
}

rille_work *
rille_lua_begin_call(lua_State *L, rille_lua_database *database)
{
  (void)lua_getiuservalue(L, 1, RILLE_DATABASE_WORKS);
  return rille_work_open(L, lua_gettop(L), database);
}

/* -- opening --------------------------------------------------------------------------------------------- */

static rille_str
text_option(lua_State *L, rille_lua_database *database, const char *name)
{
  rille_str text = { 0 };

  if (lua_getfield(L, 1, name) != LUA_TNIL)
    text = rille_arena_copy(&database->arena, rille_lua_check_text(L, -1, name));
  lua_pop(L, 1);
  return text;
}

static int64_t
number_option(lua_State *L, const char *name, int64_t normal)
{
  int is_integer = 1;
  int64_t value = normal;

  if (lua_getfield(L, 1, name) != LUA_TNIL)
    value = (int64_t)lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (!is_integer || value < 0)
    (void)rille_lua_refuse(L, "%s must be an integer, at least 0", name);
  return value;
}

static bool
flag_option(lua_State *L, const char *name, bool normal)
{
  bool value = lua_getfield(L, 1, name) == LUA_TNIL ? normal : lua_toboolean(L, -1) != 0;

  lua_pop(L, 1);
  return value;
}

static bool
is_word(rille_str text)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.at[i];

    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  }
  return text.len > 0 && text.len < 64;
}

/* pragmas = { name = value }: words and numbers only. */
static void
read_pragmas(lua_State *L, rille_lua_database *database)
{
  size_t count = 0;

  if (lua_getfield(L, 1, "pragmas") == LUA_TTABLE) {
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
      count++;
    database->pragmas = rille_arena_get(&database->arena, count * sizeof *database->pragmas);
    for (lua_pushnil(L); database->pragmas != NULL && lua_next(L, -2); lua_pop(L, 1)) {
      char sql[160];
      rille_str name = rille_lua_text(L, -2), value;

      if (lua_type(L, -1) == LUA_TBOOLEAN)
        value = rille_str_of(lua_toboolean(L, -1) ? "on" : "off");
      else
        value = (rille_str){ lua_tolstring(L, -1, &value.len), value.len };
      if (!is_word(name) || value.at == NULL || !is_word(value))
        (void)rille_lua_refuse(L, "pragmas: names and values must be words or numbers");
      (void)snprintf(sql, sizeof sql, "pragma %.*s = %.*s", RILLE_STR_ARG(name), RILLE_STR_ARG(value));
      database->pragmas[database->pragma_count++] = rille_arena_copy(&database->arena, rille_str_of(sql));
    }
  }
  lua_pop(L, 1);
}

/* open(options) -> database; the first connection is made at once, so that what is wrong is said here */
static int
database_open(lua_State *L)
{
  rille_lua_database *database;
  rille_str name;

  luaL_checktype(L, 1, LUA_TTABLE);
  database = lua_newuserdatauv(L, sizeof *database, RILLE_DATABASE_VALUES);
  *database = (rille_lua_database){ .tag = &database_tag };
  luaL_setmetatable(L, DATABASE_META);
  lua_createtable(L, 4, 0);
  (void)lua_setiuservalue(L, -2, RILLE_DATABASE_WORKS);

  name = text_option(L, database, "driver");
  database->driver = rille_driver_named(name.len > 0 ? name : rille_str_of("sqlite"));
  if (database->driver == NULL)
    return rille_lua_refuse(L, "there is no driver \"%s\"", rille_show(name).text);
  database->options = (rille_open_options){
    .database = text_option(L, database, "database"),
    .journal_mode = text_option(L, database, "journal_mode"),
    .synchronous = text_option(L, database, "synchronous"),
    .readonly = flag_option(L, "readonly", false),
    .existing = !flag_option(L, "create", true),
    .no_foreign_keys = !flag_option(L, "foreign_keys", true),
    .busy_timeout_ms = (int)number_option(L, "busy_timeout_ms", BUSY_TIMEOUT_MS),
    .mmap_bytes = number_option(L, "mmap_bytes", MMAP_BYTES),
    .cache_kib = number_option(L, "cache_kib", CACHE_KIB),
  };
  database->memory = rille_str_is(database->options.database, ":memory:");
  read_pragmas(L, database);
  if (!rille_arena_ok(&database->arena))
    return rille_lua_no_memory(L);
  (void)add_connection(L, database);
  return 1;
}

static void
close_connections(rille_lua_database *database)
{
  while (database->count > 0)
    rille_connection_close(database->connections[--database->count]);
  database->last = NULL;
}

void
rille_lua_settle(rille_lua_database *database)
{
  if (database->closed && database->calls == 0 && database->steps == 0)
    close_connections(database);
}

/* db:close(): rolls back what is open, at the latest when what runs right now has ended; closing twice is fine */
static int
database_close(lua_State *L)
{
  rille_lua_database *database = luaL_checkudata(L, 1, DATABASE_META);

  database->closed = true;
  rille_lua_settle(database);
  return 0;
}

static int
database_gc(lua_State *L)
{
  rille_lua_database *database = luaL_checkudata(L, 1, DATABASE_META);

  close_connections(database);
  rille_arena_release(&database->arena);
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

  for (int i = 0; i < database->count; i++)
    rille_connection_forget(database->connections[i]);
  return 0;
}

/* db:trace(on): keep what db:last() gives, from the next statement on */
static int
database_trace(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  database->trace = lua_toboolean(L, 2) != 0;
  for (int i = 0; i < database->count; i++) {
    rille_trace *trace = &database->connections[i]->trace;

    if (database->trace && !trace->on)
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

/* db:stats() -> { connections, cursors (open ones), kept, hits, misses (of its statements) } */
static int
database_stats(lua_State *L)
{
  const rille_lua_database *database = rille_lua_check_database(L, 1);
  lua_Integer cursors = 0, kept = 0, hits = 0, misses = 0;

  for (int i = 0; i < database->count; i++) {
    kept += (lua_Integer)database->connections[i]->statements.count;
    hits += (lua_Integer)database->connections[i]->statements.hits;
    misses += (lua_Integer)database->connections[i]->statements.misses;
    for (const rille_cursor *each = database->connections[i]->cursors; each != NULL; each = each->next)
      cursors++;
  }
  lua_createtable(L, 0, 5);
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
  luaL_setfuncs(L, rille_lua_copy_methods, 0);
  luaL_setfuncs(L, rille_lua_raw_methods, 0);
  luaL_setfuncs(L, rille_lua_read_methods, 0);
  luaL_setfuncs(L, rille_lua_related_methods, 0);
  luaL_setfuncs(L, rille_lua_write_methods, 0);
  luaL_setfuncs(L, rille_lua_save_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, database_open);
  lua_setfield(L, -2, "open");
  lua_pushstring(L, rille_driver_sqlite.version());
  lua_setfield(L, -2, "sqlite_version");
}
