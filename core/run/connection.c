/* core/run/connection.c - looks statements up by shape; counts transaction levels. */
#include "core/run/connection.h"

#include <stdio.h>

#include "core/base/memory.h"
#include "core/query/shape.h"
#include "core/run/cursor.h"
#include "core/run/era.h"
#include "core/run/history.h"
#include "core/run/left.h"
#include "core/run/outbox.h"
#include "core/run/outbox_notice.h"
#include "core/run/wall.h"

enum { SHAPE_MAX = RILLE_SQL_MAX + 1 }; /* bytes: the mark of its kind and, of SQL text, all there may be */

rille_status
rille_connection_open(const rille_driver *driver, const rille_open_options *options, rille_connection **out,
                      rille_fault *fault)
{
  rille_connection *connection = rille_memory_get(sizeof *connection);
  rille_status status = connection != NULL ? RILLE_OK : rille_fault_no_memory(fault);

  if (status == RILLE_OK) {
    rille_buffer_init(&connection->shape, SHAPE_MAX);
    rille_buffer_init(&connection->trace.sql, RILLE_SQL_MAX);
    connection->dialect = rille_dialect_of(driver->name);
    status = driver->open(options, &connection->conn, fault);
  }
  if (status == RILLE_OK) {
    *out = connection;
    connection = NULL;
  }
  rille_connection_close(connection);
  return status;
}

/* Ends what the database has of it. */
static void
leave(rille_connection *connection)
{
  rille_leaving leaving = rille_left_begin(connection);

  connection->conn->driver->close(connection->conn);
  connection->conn = NULL;
  rille_left_end(&leaving);
}

void
rille_connection_close(rille_connection *connection)
{
  if (connection == NULL)
    return;
  while (connection->cursors != NULL)
    rille_cursor_close(connection->cursors);
  rille_outbox_stop(connection);
  rille_statements_clear(&connection->statements);
  if (connection->conn != NULL)
    leave(connection);
  rille_buffer_release(&connection->shape);
  rille_buffer_release(&connection->trace.sql);
  rille_arena_release(&connection->trace.arena);
  rille_wall_free(connection->wall);
  rille_memory_free(connection);
}

void
rille_connection_detach(rille_connection *connection)
{
  const rille_driver *driver = connection->conn->driver;

  rille_outbox_stop(connection);
  for (rille_statement *each = connection->statements.newest; each != NULL; each = each->older) {
    driver->free(each->stmt);
    each->stmt = NULL;
  }
  leave(connection);
}

/* -- statements ------------------------------------------------------------------------------------------ */

/* Makes a statement.  One that cannot be made leaves a trace, unless there is one of what the caller asked for: then
** this is a statement of rille's own. */
static rille_status
make(rille_connection *connection, rille_query *query, rille_str sql, rille_str key, uint64_t hash,
     rille_statement **out, rille_fault *fault)
{
  rille_trace *trace = &connection->trace;
  bool traces = trace->on && trace->sql.len == 0;
  double started_ms = traces ? rille_clock_ms() : 0;
  rille_status status = rille_statement_make(connection->conn, connection->dialect, query, sql, key, hash,
                                             traces ? &trace->sql : NULL, out, fault);

  if (status != RILLE_OK && traces) {
    trace->ms = rille_clock_ms() - started_ms;
    trace->rows = 0;
    trace->param_count = 0;
  }
  return status;
}

/* Finds or makes the statement for the key in connection->shape. */
static rille_status
look_up(rille_connection *connection, rille_query *query, rille_str sql, rille_statement **out, rille_fault *fault)
{
  rille_str key = { connection->shape.at, connection->shape.len };
  uint64_t hash = rille_shape_hash(key);
  rille_statement *found;
  rille_status status;

  if (connection->shape.full) {
    (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the statement is longer than %d bytes", RILLE_SQL_MAX);
    rille_fault_hint(fault, "pass long values as parameters");
    return RILLE_INVALID_ARGUMENT;
  }
  if (!rille_buffer_ok(&connection->shape))
    return rille_fault_no_memory(fault);
  found = rille_statements_find(&connection->statements, key, hash);
  if (found != NULL) {
    found->in_use = true;
    *out = found;
    return RILLE_OK;
  }
  status = make(connection, query, sql, key, hash, &found, fault);
  if (status != RILLE_OK) {
    rille_connection_failed(connection, fault);
    return status;
  }
  if (found->key.len > 0)
    rille_statements_keep(&connection->statements, found);
  found->in_use = true;
  *out = found;
  return RILLE_OK;
}

rille_status
rille_connection_statement(rille_connection *connection, rille_query *query, rille_statement **out, rille_fault *fault)
{
  rille_status status = rille_connection_ready(connection, fault);

  if (status != RILLE_OK)
    return status;
  rille_buffer_clear(&connection->shape);
  rille_buffer_byte(&connection->shape, 'Q');
  rille_shape_write(query, &connection->shape);
  return look_up(connection, query, (rille_str){ 0 }, out, fault);
}

static rille_status
look_up_sql(rille_connection *connection, rille_str sql, rille_statement **out, rille_fault *fault)
{
  rille_buffer_clear(&connection->shape);
  rille_buffer_byte(&connection->shape, 'S');
  rille_buffer_add(&connection->shape, sql.at, sql.len);
  return look_up(connection, NULL, sql, out, fault);
}

rille_status
rille_connection_sql(rille_connection *connection, rille_str sql, rille_statement **out, rille_fault *fault)
{
  rille_status status = rille_connection_ready(connection, fault);

  return status == RILLE_OK ? look_up_sql(connection, sql, out, fault) : status;
}

void
rille_connection_release(rille_statement *statement)
{
  if (statement == NULL)
    return;
  statement->stmt->driver->reset(statement->stmt);
  statement->in_use = false;
  if (statement->key.len == 0)
    rille_statement_free(statement);
}

void
rille_connection_forget(rille_connection *connection)
{
  rille_statements_clear(&connection->statements);
}

/* -- transactions ---------------------------------------------------------------------------------------- */

/* One name does for all levels: it means the innermost one. */
#define SAVEPOINT "savepoint rille"
#define RELEASE "release rille"
#define ROLLBACK_TO "rollback to rille"

/* Asks not whether the transaction is broken: to go back to a savepoint is what may mend it. */
static rille_status
savepoint(rille_connection *connection, const char *sql, rille_fault *fault)
{
  rille_statement *statement = NULL;
  bool row;
  rille_status status;

  status = look_up_sql(connection, rille_str_of(sql), &statement, fault);
  if (status == RILLE_OK)
    status = connection->conn->driver->step(statement->stmt, &row, fault);
  rille_connection_release(statement);
  return status;
}

/* Rolls back what the database has open. */
static rille_status
undo(rille_connection *connection, rille_fault *fault)
{
  const rille_driver *driver = connection->conn->driver;

  return driver->in_transaction(connection->conn) ? driver->rollback(connection->conn, fault) : RILLE_OK;
}

/* True while the transaction is there and does nothing but go back. */
static bool
is_failed(const rille_connection *connection)
{
  const rille_driver *driver = connection->conn->driver;

  return driver->in_transaction(connection->conn) && driver->failed(connection->conn);
}

static void
ended(rille_connection *connection)
{
  connection->depth = 0;
  connection->owner = NULL;
  connection->founding = false;
  connection->broken = connection->in_doubt = false;
  connection->wrote = connection->reshapes = false;
  if (connection->outbox != NULL)
    rille_outbox_ended(connection->outbox);
}

rille_status
rille_connection_ready(rille_connection *connection, rille_fault *fault)
{
  if (connection->broken && connection->depth == 0 && undo(connection, NULL) == RILLE_OK)
    connection->broken = false;
  if (!connection->broken)
    return RILLE_OK;
  if (is_failed(connection)) {
    (void)rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "a statement of this transaction has failed: %s",
                          connection->broke);
    rille_fault_hint(fault, "the database does nothing more in it: roll it back; what may fail wants a transaction of "
                            "its own inside it");
    return RILLE_TRANSACTION_ABORTED;
  }
  (void)rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "the transaction was ended by the database: %s",
                        connection->broke);
  rille_fault_hint(fault, connection->in_doubt ? "roll it back, and look whether what was done in it is there"
                                               : "roll it back; nothing that was done in it is kept");
  return RILLE_TRANSACTION_ABORTED;
}

/* From here on only a rollback of everything helps. */
void
rille_connection_spoil(rille_connection *connection, const rille_fault *fault)
{
  if (!connection->broken)
    (void)snprintf(connection->broke, sizeof connection->broke, "%.199s",
                   fault != NULL ? fault->message : "a statement failed");
  connection->broken = true;
}

void
rille_connection_failed(rille_connection *connection, const rille_fault *fault)
{
  const rille_driver *driver = connection->conn->driver;

  if (connection->depth > 0 && (!driver->in_transaction(connection->conn) || driver->failed(connection->conn)))
    rille_connection_spoil(connection, fault);
}

rille_status
rille_connection_begin(rille_connection *connection, rille_begin_mode mode, const void *owner, rille_fault *fault)
{
  rille_status status = rille_connection_ready(connection, fault);

  if (status != RILLE_OK)
    return status;
  if (connection->depth == 0) {
    status = connection->conn->driver->begin(connection->conn, mode, fault);
    if (status == RILLE_OK) {
      connection->owner = owner;
      connection->depth = 1;
      connection->levels[0] = ++connection->begun;
    }
    return status;
  }
  if (connection->depth == RILLE_LEVELS_MAX)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "transactions are nested more than %d deep",
                           RILLE_LEVELS_MAX);
  connection->depth++;
  status = savepoint(connection, SAVEPOINT, fault);
  if (status != RILLE_OK) {
    rille_connection_failed(connection, fault);
    connection->depth--;
  } else {
    connection->levels[connection->depth - 1] = ++connection->begun;
    if (connection->outbox != NULL)
      rille_outbox_begin_level(connection->outbox, connection->depth - 1);
  }
  return status;
}

/* A change of the schema is counted in any case, unless it took the history away. */
static bool
is_counted(rille_connection *connection)
{
  return connection->counts || (connection->reshapes && rille_era_is_kept(connection));
}

rille_status
rille_connection_commit(rille_connection *connection, rille_fault *fault)
{
  rille_status status = rille_connection_ready(connection, fault);
  bool counts = connection->depth == 1 && connection->wrote && is_counted(connection);

  if (status != RILLE_OK)
    return status;
  if (connection->depth == 1 && connection->outbox != NULL)
    status = rille_outbox_flush(connection->outbox, connection, fault);
  if (status == RILLE_OK && counts)
    status = rille_history_count(connection, fault);
  if (status == RILLE_OK)
    status = connection->depth > 1 ? savepoint(connection, RELEASE, fault)
                                   : connection->conn->driver->commit(connection->conn, fault);
  if (status == RILLE_OK && counts)
    rille_history_counted(connection);
  connection->in_doubt = status == RILLE_IN_DOUBT;
  if (status != RILLE_OK)
    rille_connection_failed(connection, fault);
  else if (--connection->depth == 0) {
    if (connection->outbox != NULL)
      rille_outbox_committed(connection->outbox);
    ended(connection);
  }
  return status;
}

rille_status
rille_connection_rollback(rille_connection *connection, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  if (connection->depth > 1 && (!connection->broken || is_failed(connection))) {
    connection->broken = false; /* what broke it is undone with the rest of this level */
    status = savepoint(connection, ROLLBACK_TO, fault);
    if (status == RILLE_OK && connection->outbox != NULL)
      rille_outbox_undo_level(connection->outbox, connection->depth - 1);
    if (status == RILLE_OK)
      status = savepoint(connection, RELEASE, fault);
    if (status != RILLE_OK)
      rille_connection_spoil(connection, fault); /* or what this level did would be committed with the rest */
    connection->depth--;
    return status;
  }
  if (connection->depth > 1) {
    connection->depth--;
    return RILLE_OK; /* there is nothing left to undo; the outermost level ends it */
  }
  status = undo(connection, fault);
  ended(connection);
  if (connection->stale)
    rille_outbox_catch_up(connection);
  if (status != RILLE_OK)
    rille_connection_spoil(connection, fault); /* nothing more is done before it is undone */
  return status;
}
