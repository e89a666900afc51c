/* core/bind/pooled.c - opens connections; of some databases they come from the pool: opened when used, closed for
** others. */
#include <errno.h>
#include <lauxlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/bind/database.h"
#include "core/bind/folder.h"
#include "core/bind/value.h"
#include "core/run/wall.h"

enum { LOOK_MS = 1000 }; /* how long a file that is gone, or another one, may go on to be used */

/* -- connections ----------------------------------------------------------------------------------------- */

static void
close_all(rille_lua_database *database)
{
  while (database->count > 0)
    rille_connection_close(database->connections[--database->count]);
  database->writers = 0;
  database->readerless = false;
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
  database->seat = (rille_seat){ .path = database->place.len > 0 ? database->place : database->options.database,
                                 .host = host_of(L),
                                 .close = give_up };
}

/* A file has a path, and anything else a place. */
static bool
is_at_server(const rille_lua_database *database)
{
  return database->place.len > 0;
}

/* Which file is at the path of the database; { 0, 0 } when there is none. */
static void
look_at_file(const rille_lua_database *database, uint64_t file[2])
{
  struct stat info;

  file[0] = file[1] = 0;
  if (stat(database->options.database.at, &info) == 0) {
    file[0] = (uint64_t)info.st_dev;
    file[1] = (uint64_t)info.st_ino;
  }
}

/* The same of one that is about to be opened, or has been: looked at before, a file that comes meanwhile is noticed. */
static void
remember_file(rille_lua_database *database)
{
  if (database->driver->data_version != NULL && database->count == 0 && !database->memory)
    look_at_file(database, database->file);
}

static bool
is_same_file(const rille_lua_database *database)
{
  uint64_t file[2];

  look_at_file(database, file);
  return file[0] == database->file[0] && file[1] == database->file[1];
}

/* Another file is at the path: how the one before looked says nothing of it. */
static void
is_another(rille_lua_database *database)
{
  database->went_back++;
  database->seen = (rille_sight){ 0 };
}

/* The file has been opened, perhaps not for the first time, and nothing of it was open before. */
static void
meet_file(rille_lua_database *database)
{
  if (database->file[1] != 0 && !is_same_file(database))
    is_another(database);
  look_at_file(database, database->file);
}

/* A server goes on with a schema that is no more, and says that each table is missing. */
static bool
is_schema_there(const rille_lua_database *database)
{
  static const char sql[] = "select 1 where pg_catalog.current_schema() is not null";
  rille_statement *statement = NULL;
  rille_fault fault;
  bool row = false;

  if (rille_connection_sql(database->connections[0], rille_str_of(sql), &statement, &fault) == RILLE_OK)
    row = database->driver->step(statement->stmt, &row, &fault) == RILLE_OK && row;
  rille_connection_release(statement);
  return row;
}

/* Somebody else may have removed the database, or put another one there: it would go on with the old one. */
static void
look_again(rille_lua_database *database)
{
  bool there = true; /* a server keeps a database that somebody is connected to */

  database->looked_ms = database->seat.pinned_ms;
  if (database->options.schema.len > 0)
    there = is_schema_there(database);
  else if (!is_at_server(database))
    there = is_same_file(database);
  if (!there) {
    close_all(database);
    is_another(database);
    rille_seat_closed(&database->seat);
  }
}

void
rille_lua_look_again(rille_lua_database *database)
{
  uint64_t file[2];

  if (database->pooled || database->memory || database->driver->data_version == NULL || database->count == 0 ||
      rille_lua_is_busy(database))
    return;
  database->moved = false;
  look_at_file(database, file);
  if ((file[0] == 0 && file[1] == 0) || (file[0] == database->file[0] && file[1] == database->file[1]))
    return; /* one that is gone may be about to come back: a new one would be empty */
  close_all(database);
  is_another(database);
}

void
rille_lua_pin(rille_lua_database *database)
{
  rille_seat_pin(&database->seat);
  if (database->count > 0 && database->connections[0]->conn == NULL)
    close_all(database); /* another host had need of them */
  else if (database->count > 0 && database->seat.pinned_ms - database->looked_ms >= LOOK_MS)
    look_again(database);
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
  if (status == RILLE_OK && database->walled) {
    (*out)->wall = rille_wall_new();
    status = (*out)->wall != NULL ? RILLE_OK : rille_fault_no_memory(fault);
    if (status != RILLE_OK)
      rille_connection_close(*out);
  }
  if (status == RILLE_OK && database->tracks)
    database->driver->track((*out)->conn, true);
  return status;
}

bool
rille_lua_is_gone(const rille_fault *fault)
{
  return fault->kind == RILLE_NOT_FOUND || strcmp(fault->state, "3D000") == 0;
}

rille_status
rille_lua_name_gone(const rille_lua_database *database, rille_fault *fault)
{
  (void)rille_fault_set(fault, RILLE_TENANT_UNKNOWN, "there is no tenant \"%s\"", rille_show(database->tenant).text);
  rille_fault_hint(fault, "rille.tenant.create makes it");
  return RILLE_TENANT_UNKNOWN;
}

/* Says so when a database could not be opened because its tenant is no more. */
static rille_status
name_failure(const rille_lua_database *database, rille_status status, rille_fault *fault)
{
  bool gone = is_at_server(database) ? status != RILLE_OK && rille_lua_is_gone(fault)
                                     : status == RILLE_CONNECTION_LOST &&
                                         access(database->options.database.at, F_OK) != 0 && errno == ENOENT;

  return gone && database->tenant.len > 0 ? rille_lua_name_gone(database, fault) : status;
}

/* Opens the file where nobody is about to remove it or to put another one there. */
static rille_status
open_in_folder(rille_lua_database *database, rille_connection **out, rille_fault *fault)
{
  const char *path = database->options.database.at;
  rille_status status;
  int lock;

  if (!rille_folder_lock(path, false, RILLE_POOL_WAIT_MS, &lock))
    return rille_fault_set(fault, RILLE_TIMEOUT, "the folder of \"%s\" was locked for %d ms",
                           rille_show(rille_str_of(path)).text, RILLE_POOL_WAIT_MS);
  status = open_connection(database, out, fault);
  if (status == RILLE_OK && database->count == 0)
    meet_file(database);
  status = name_failure(database, status, fault);
  rille_folder_unlock(lock);
  return status;
}

static rille_status
open_at_place(rille_lua_database *database, rille_connection **out, rille_fault *fault)
{
  if (!is_at_server(database))
    return open_in_folder(database, out, fault);
  return name_failure(database, open_connection(database, out, fault), fault);
}

static rille_status
open_from_pool(rille_lua_database *database, rille_connection **out, rille_fault *fault)
{
  rille_status status = rille_seat_open(&database->seat, fault);

  if (status != RILLE_OK)
    return status;
  status = open_at_place(database, out, fault);
  if (status == RILLE_CONNECTION_LOST && rille_seat_may_retry(&database->seat))
    status = open_at_place(database, out, fault);
  rille_seat_opened(&database->seat, status == RILLE_OK);
  if (status == RILLE_OK) {
    database->options.existing = true; /* once there, it is not made again by being looked at */
    database->looked_ms = database->seat.pinned_ms;
  }
  return status;
}

/* The connection is the database's from here on. */
static rille_connection *
take_in(rille_lua_database *database, rille_connection *connection)
{
  connection->trace.on = database->trace;
  connection->seen = database->seen;
  connection->begun = ++database->opened << 32; /* so that no level of it has the number of one before it */
  database->writers += !connection->reads;
  database->connections[database->count++] = connection;
  return connection;
}

rille_connection *
rille_lua_add_connection(lua_State *L, rille_lua_database *database)
{
  rille_connection *connection = NULL;
  rille_fault fault;
  rille_status status;

  rille_lua_hold(database);
  if (!database->pooled)
    remember_file(database);
  status = database->pooled ? open_from_pool(database, &connection, &fault)
                            : open_connection(database, &connection, &fault);
  if (!database->pooled && database->file[1] == 0)
    remember_file(database); /* it was made just now */
  if (status != RILLE_OK) {
    rille_lua_settle(database);
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
    return NULL;
  }
  return take_in(database, connection);
}

/* It waits for nobody.  Where pragmas of the configuration write there are none. */
rille_connection *
rille_lua_add_reader(rille_lua_database *database)
{
  rille_opening opening = rille_lua_opening(database);
  rille_connection *connection = NULL;
  rille_status status;

  if (!is_same_file(database))
    return NULL;
  opening.options.readonly = opening.options.existing = true;
  opening.options.busy_timeout_ms = 0;
  status = rille_opening_connect(&opening, &connection, NULL);
  database->readerless = status == RILLE_READONLY;
  if (status != RILLE_OK)
    return NULL;
  connection->reads = true;
  return take_in(database, connection);
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

/* Deletes the file with those that SQLite puts beside it.  These first: what were left of them would be taken for part
** of the next database at that path. */
static rille_status
unlink_files(const char *path, rille_fault *fault)
{
  int code;

  rille_folder_unlink_beside(path);
  code = unlink(path) != 0 ? errno : rille_folder_sync(path);
  if (code != 0)
    return rille_fault_set(fault, code == ENOENT ? RILLE_NOT_FOUND : RILLE_READONLY, "cannot remove %s: %s",
                           rille_show(rille_str_of(path)).text, strerror(code));
  return RILLE_OK;
}

/* Deletes a database that nobody else has open: SQLite leaves WAL only for who is alone.  One that holds no database is
** deleted too. */
static rille_status
remove_files(rille_str path, rille_fault *fault)
{
  rille_open_options options = { .database = path, .journal_mode = rille_str_of("delete"), .existing = true };
  rille_connection *connection = NULL;
  rille_status status = access(path.at, F_OK) == 0 || errno != ENOENT
                          ? rille_connection_open(&rille_driver_sqlite, &options, &connection, fault)
                          : RILLE_CORRUPT; /* and unlink says that there is none */

  if (status == RILLE_OK)
    status = rille_connection_begin(connection, RILLE_BEGIN_EXCLUSIVE, NULL, fault);
  if (status == RILLE_OK || status == RILLE_CORRUPT) {
    status = unlink_files(path.at, fault);
  } else if (status == RILLE_BUSY) {
    (void)rille_fault_set(fault, status, "the database \"%s\" is open elsewhere", rille_show(path).text);
    rille_fault_hint(fault, "close it in every other process and connection first; nothing was removed");
  }
  rille_connection_close(connection);
  return status;
}

/* The same while nobody opens what is in the folder. */
static rille_status
remove_in_folder(rille_str path, rille_fault *fault)
{
  rille_status status;
  int lock;

  if (!rille_folder_lock(path.at, true, RILLE_POOL_WAIT_MS, &lock)) {
    (void)rille_fault_set(fault, RILLE_BUSY, "databases beside \"%s\" were being opened for %d ms",
                          rille_show(path).text, RILLE_POOL_WAIT_MS);
    rille_fault_hint(fault, "try again; nothing was removed");
    return RILLE_BUSY;
  }
  status = remove_files(path, fault);
  rille_folder_unlock(lock);
  return status;
}

/* pool_empty(place): closes the database in all hosts; `busy` while somebody uses it */
static int
pool_empty(lua_State *L)
{
  rille_seat seat = { .path = rille_lua_check_text(L, 1, "a place"), .host = host_of(L) };
  rille_fault fault;
  rille_status status;

  rille_seat_pin(&seat);
  status = rille_seat_claim(&seat, &fault);
  if (status == RILLE_OK)
    rille_seat_opened(&seat, false);
  rille_seat_leave(&seat);
  return status == RILLE_OK ? 0 : rille_lua_raise(L, &fault, (rille_str){ 0 });
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
    status = remove_in_folder(path, &fault);
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
    { "pool_empty", pool_empty },
    { "pool_remove", pool_remove },
    { NULL, NULL },
  };

  luaL_setfuncs(L, functions, 0);
}
