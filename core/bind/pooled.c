/* core/bind/pooled.c - databases whose connections come from the pool: opened when used, closed for others. */
#include <errno.h>
#include <lauxlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/bind/database.h"
#include "core/bind/value.h"

/* -- connections ----------------------------------------------------------------------------------------- */

static void
close_all(rille_lua_database *database)
{
  while (database->count > 0)
    rille_connection_close(database->connections[--database->count]);
  database->last = NULL;
}

/* The pool wants the connections of a database in which nothing goes on. */
static void
give_up(rille_seat *seat, bool foreign)
{
  rille_lua_database *database = (rille_lua_database *)((char *)seat - offsetof(rille_lua_database, seat));

  if (!foreign)
    close_all(database);
  else
    for (int i = 0; i < database->count; i++)
      rille_connection_detach(database->connections[i]);
}

/* The host of a state is known by its main thread. */
static const void *
host_of(lua_State *L)
{
  const void *host;

  (void)lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  host = lua_topointer(L, -1);
  lua_pop(L, 1);
  return host;
}

void
rille_lua_join_pool(lua_State *L, rille_lua_database *database)
{
  database->pooled = true;
  database->seat = (rille_seat){ .path = database->options.database, .host = host_of(L), .close = give_up };
}

void
rille_lua_pin(rille_lua_database *database)
{
  rille_seat_pin(&database->seat);
  if (database->count > 0 && database->connections[0]->conn == NULL)
    close_all(database); /* another host had need of them */
}

void
rille_lua_close_connections(rille_lua_database *database)
{
  if (database->pooled)
    rille_seat_pin(&database->seat);
  close_all(database);
  if (database->pooled)
    rille_seat_leave(&database->seat);
}

rille_opening
rille_lua_opening(const rille_lua_database *database)
{
  return (rille_opening){ .driver = database->driver,
                          .options = database->options,
                          .pragmas = database->pragmas,
                          .pragma_count = database->pragma_count };
}

static rille_status
open_connection(rille_lua_database *database, rille_connection **out, rille_fault *fault)
{
  rille_opening opening = rille_lua_opening(database);
  rille_status status = rille_opening_connect(&opening, out, fault);

  if (status == RILLE_OK)
    rille_lua_mirror_connection(database, *out);
  if (status == RILLE_OK)
    (*out)->counts = database->counts;
  return status;
}

static rille_status
open_from_pool(rille_lua_database *database, rille_connection **out, rille_fault *fault)
{
  rille_status status = rille_seat_open(&database->seat, fault);

  if (status != RILLE_OK)
    return status;
  status = open_connection(database, out, fault);
  if (status == RILLE_CONNECTION_LOST && rille_seat_may_retry(&database->seat))
    status = open_connection(database, out, fault);
  rille_seat_opened(&database->seat, status == RILLE_OK);
  if (status == RILLE_OK)
    database->options.existing = true; /* once there, it is not made again by being looked at */
  return status;
}

rille_connection *
rille_lua_add_connection(lua_State *L, rille_lua_database *database)
{
  rille_connection *connection = NULL;
  rille_fault fault;
  rille_status status;

  rille_lua_hold(database);
  status = database->pooled ? open_from_pool(database, &connection, &fault)
                            : open_connection(database, &connection, &fault);
  if (status != RILLE_OK) {
    rille_lua_settle(database);
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
    return NULL;
  }
  connection->trace.on = database->trace;
  connection->begun = ++database->opened << 32; /* so that no level of it has the number of one before it */
  database->connections[database->count++] = connection;
  return connection;
}

/* -- what Lua asks of the pool --------------------------------------------------------------------------- */

static int
count_field(lua_State *L, const char *name, int least)
{
  lua_Integer value;

  (void)lua_getfield(L, 1, name);
  value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  if (value < least || value > INT32_MAX)
    (void)rille_lua_refuse(L, "pool.%s must be a whole number from %d to %d", name, least, INT32_MAX);
  return (int)value;
}

/* pool_configure { max, wait_ms, idle_ms } */
static int
pool_configure(lua_State *L)
{
  rille_pool_settings settings = { 0 };

  luaL_checktype(L, 1, LUA_TTABLE);
  settings.max = count_field(L, "max", 1);
  settings.wait_ms = count_field(L, "wait_ms", 0);
  settings.idle_ms = count_field(L, "idle_ms", 0);
  rille_pool_configure(&settings);
  return 0;
}

/* pool_stats() -> { open, limit, idle, pinned, opened, evicted }: see core/run/pool.h */
static int
pool_stats(lua_State *L)
{
  rille_pool_stats stats = rille_pool_look();
  const struct {
    const char *name;
    int64_t value;
  } fields[] = {
    { "open", stats.open },     { "limit", stats.limit },   { "idle", stats.idle },
    { "pinned", stats.pinned }, { "opened", stats.opened }, { "evicted", stats.evicted },
  };

  lua_createtable(L, 0, 6);
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    lua_pushinteger(L, (lua_Integer)fields[i].value);
    lua_setfield(L, -2, fields[i].name);
  }
  return 1;
}

/* Deletes the file with those that SQLite puts beside it. */
static rille_status
unlink_files(const char *path, rille_fault *fault)
{
  static const char *const more[] = { "-wal", "-shm", "-journal" };
  char beside[4096 + 16];

  if (unlink(path) != 0)
    return rille_fault_set(fault, errno == ENOENT ? RILLE_NOT_FOUND : RILLE_READONLY, "cannot remove %s: %s",
                           rille_show(rille_str_of(path)).text, strerror(errno));
  for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
    (void)snprintf(beside, sizeof beside, "%s%s", path, more[i]);
    (void)unlink(beside);
  }
  return RILLE_OK;
}

/* Deletes a database that nobody else has open: SQLite leaves WAL only for who is alone.  One that cannot be read is
** deleted too. */
static rille_status
remove_files(rille_str path, rille_fault *fault)
{
  rille_open_options options = { .database = path, .journal_mode = rille_str_of("delete"), .existing = true };
  rille_connection *connection = NULL;
  rille_status status = rille_connection_open(&rille_driver_sqlite, &options, &connection, fault);

  if (status == RILLE_OK)
    status = rille_connection_begin(connection, RILLE_BEGIN_EXCLUSIVE, NULL, fault);
  if (status == RILLE_BUSY) {
    (void)rille_fault_set(fault, status, "the database \"%s\" is open elsewhere", rille_show(path).text);
    rille_fault_hint(fault, "close it in every other process and connection first; nothing was removed");
  } else {
    status = unlink_files(path.at, fault);
  }
  rille_connection_close(connection);
  return status;
}

/* pool_remove(path): closes the database in all hosts and deletes it; `busy` while somebody uses it, `not_found` */
static int
pool_remove(lua_State *L)
{
  rille_str path = rille_lua_check_text(L, 1, "a path");
  rille_seat seat = { .path = path, .host = host_of(L) };
  rille_fault fault;
  rille_status status;

  if (path.len == 0 || path.len > 4096 || memchr(path.at, '\0', path.len) != NULL)
    return rille_lua_refuse(L, "a path cannot be \"%s\"", rille_show(path).text);
  rille_seat_pin(&seat);
  status = rille_seat_claim(&seat, &fault);
  if (status == RILLE_OK) {
    status = remove_files(path, &fault);
    rille_seat_opened(&seat, false);
  }
  rille_seat_leave(&seat);
  return status == RILLE_OK ? 0 : rille_lua_raise(L, &fault, (rille_str){ 0 });
}

void
rille_lua_add_pool(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "pool_configure", pool_configure },
    { "pool_stats", pool_stats },
    { "pool_remove", pool_remove },
    { NULL, NULL },
  };

  luaL_setfuncs(L, functions, 0);
}
