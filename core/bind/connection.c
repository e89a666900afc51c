/* core/bind/connection.c - which connection of a database a coroutine uses.
**
** The first one writes.  While another coroutine's transaction holds it, reads go to one that only reads, and what
** writes gets one more that may.  A cursor has a reader of its own, where no transaction is open: what it shows stays
** as it is, and it keeps nobody from writing. */
#include "core/bind/database.h"

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
                          database->most);
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

/* Sets how long the connection waits for locks.  Where all rows have one lock: not at all while a transaction or a
** cursor of this database is open on another connection that may write, for whoever holds that lock is in this thread
** and cannot go on while we wait. */
static rille_connection *
with_wait(rille_lua_database *database, rille_connection *chosen)
{
  bool held = false;

  for (int i = 0; i < database->count && !database->driver->locks_rows; i++) {
    const rille_connection *other = database->connections[i];

    held = held || (other != chosen && !other->reads && (other->depth > 0 || other->cursors != NULL));
  }
  database->driver->set_wait(chosen->conn, held ? 0 : database->options.busy_timeout_ms);
  return database->last = chosen;
}

/* The one whose transaction the coroutine owns, or NULL. */
static rille_connection *
own_transaction(lua_State *L, const rille_lua_database *database)
{
  for (int i = 0; i < database->count; i++)
    if (database->connections[i]->depth > 0 && database->connections[i]->owner == L)
      return database->connections[i];
  return NULL;
}

/* Is each of its connections as good as another? */
static bool
shares(const rille_lua_database *database)
{
  return database->driver->shares != NULL && database->driver->shares(database->connections[0]->conn);
}

/* Those on which nothing is open. */
static void
close_readers(rille_lua_database *database)
{
  int kept = 0;

  for (int i = 0; i < database->count; i++) {
    rille_connection *connection = database->connections[i];

    if (connection->reads && connection->cursors == NULL) {
      database->last = database->last == connection ? database->connections[0] : database->last;
      rille_connection_close(connection);
    } else {
      database->connections[kept++] = connection;
    }
  }
  database->count = kept;
}

rille_connection *
rille_lua_connection_alone(lua_State *L, rille_lua_database *database)
{
  rille_connection *idle = NULL, *walked = NULL, *own;
  bool held = false, hides;

  rille_lua_hold(database);
  own = own_transaction(L, database);
  if (own != NULL)
    return with_wait(database, own);
  hides = database->writers > 1 && shares(database);
  for (int i = 0; i < database->count; i++) {
    rille_connection *connection = database->connections[i];

    held = held || connection->depth > 0;
    if (connection->depth > 0 || connection->reads || is_read(L, connection))
      continue;
    if (idle == NULL && (connection->cursors == NULL || !hides))
      idle = connection;
    else if (walked == NULL)
      walked = connection; /* by cursors of this coroutine: what was committed on another one they would hide */
  }
  if (held && database->exclusive)
    (void)busy(L, database);
  if (idle == NULL && database->count == database->most)
    close_readers(database);
  if (idle == NULL && database->count < database->most && !(database->memory && database->count > 0))
    idle = rille_lua_add_connection(L, database);
  if (idle == NULL)
    idle = walked;
  if (idle == NULL)
    (void)busy(L, database);
  return with_wait(database, idle);
}

/* True while the first one is in a transaction of another coroutine. */
static bool
is_held(lua_State *L, const rille_lua_database *database)
{
  return database->connections[0]->depth > 0 && database->connections[0]->owner != L;
}

/* What nearly all use: the first one, while no other one may write.  Nothing was committed beside it, so a cursor on it
** hides nothing.  NULL: it is held. */
static inline rille_connection *
first_of(lua_State *L, rille_lua_database *database)
{
  rille_lua_hold(database);
  return database->writers == 1 && !is_held(L, database) ? database->connections[0] : NULL;
}

static rille_connection *
used(lua_State *L, rille_lua_database *database, rille_connection *connection)
{
  if (connection->wall != NULL)
    rille_lua_wall(L, database, connection);
  return database->last = connection;
}

rille_connection *
rille_lua_connection(lua_State *L, rille_lua_database *database)
{
  rille_connection *first = first_of(L, database);

  return used(L, database, first != NULL ? first : rille_lua_connection_alone(L, database));
}

/* -- those that only read ---------------------------------------------------------------------------------- */

/* Can it have any, that see what its first connection does? */
static bool
may_have_readers(const rille_lua_database *database)
{
  return database->count > 0 && !database->memory && !database->pooled && !database->exclusive &&
         !database->options.readonly && !database->readerless && shares(database);
}

/* One on which nothing is open: a cursor would hold what is read there where the cursor is.  At most half of all
** connections are readers, and the others are there to write.  NULL: there is none, and cannot be. */
static rille_connection *
idle_reader(rille_lua_database *database)
{
  rille_connection *reader;

  if (!may_have_readers(database))
    return NULL;
  for (int i = 1; i < database->count; i++)
    if (database->connections[i]->reads && database->connections[i]->cursors == NULL)
      return with_wait(database, database->connections[i]);
  if (database->count == database->most || database->count - database->writers >= database->most / 2)
    return NULL;
  reader = rille_lua_add_reader(database);
  return reader != NULL ? with_wait(database, reader) : NULL;
}

rille_connection *
rille_lua_connection_to_read(lua_State *L, rille_lua_database *database)
{
  rille_connection *connection = first_of(L, database);

  if (connection == NULL && database->count > 0 && is_held(L, database) && own_transaction(L, database) == NULL)
    connection = idle_reader(database);
  return used(L, database, connection != NULL ? connection : rille_lua_connection_alone(L, database));
}

rille_connection *
rille_lua_connection_to_walk(lua_State *L, rille_lua_database *database)
{
  rille_connection *connection;

  rille_lua_hold(database);
  connection = own_transaction(L, database) == NULL ? idle_reader(database) : NULL;
  return connection != NULL ? used(L, database, connection) : rille_lua_connection(L, database);
}

void
rille_lua_look_at_readers(rille_lua_database *database)
{
  if (database->count > database->writers && !may_have_readers(database))
    close_readers(database);
}

rille_connection *
rille_lua_connection_idle(lua_State *L, rille_lua_database *database, const char *what)
{
  rille_connection *connection = rille_lua_connection_alone(L, database);
  bool walked = false;

  for (int i = 0; i < database->count; i++)
    walked = walked || database->connections[i]->cursors != NULL;
  if (connection->depth > 0 || walked)
    (void)rille_lua_refuse(L, "%s: a %s is open on one of the databases", what,
                           connection->depth > 0 ? "transaction" : "cursor");
  return connection;
}
