/* core/run/cursor.c - binds, steps, and leaves a trace for listeners. */
#include "core/run/cursor.h"

#include <time.h>

#include "core/run/era.h"
#include "core/run/outbox.h"
#include "core/run/outbox_notice.h"
#include "core/run/wall.h"

double
rille_clock_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
link_cursor(rille_cursor *cursor)
{
  cursor->at = &cursor->connection->cursors;
  cursor->next = *cursor->at;
  if (cursor->next != NULL)
    cursor->next->at = &cursor->next;
  *cursor->at = cursor;
}

static void
unlink_cursor(rille_cursor *cursor)
{
  *cursor->at = cursor->next;
  if (cursor->next != NULL)
    cursor->next->at = cursor->at;
}

/* Keeps the text and the bound values of the statement; what does not fit in memory is left out of the trace. */
static void
trace_start(rille_cursor *cursor, const rille_slot *slots, size_t slot_count)
{
  rille_trace *trace = &cursor->connection->trace;
  const rille_statement *s = cursor->statement;
  size_t count = s->raw ? slot_count : s->compiled.param_count;

  trace->ms = 0;
  trace->rows = 0;
  rille_buffer_clear(&trace->sql);
  rille_buffer_add(&trace->sql, s->compiled.sql.at, s->compiled.sql.len);
  rille_arena_reset(&trace->arena);
  trace->params = rille_arena_get(&trace->arena, count * sizeof *trace->params);
  trace->param_count = trace->params != NULL ? count : 0;
  for (size_t i = 0; i < trace->param_count; i++) {
    rille_cell *cell = &trace->params[i];

    if (s->raw)
      *cell = slots[i].cell;
    else
      (void)rille_statement_cell(s, i, slots, &trace->arena, cell, NULL);
    if (cell->kind == RILLE_TEXT || cell->kind == RILLE_BLOB)
      cell->as.text = rille_arena_copy(&trace->arena, cell->as.text);
  }
  cursor->started_ms = rille_clock_ms();
}

rille_status
rille_cursor_open(rille_cursor *cursor, rille_connection *connection, rille_statement *statement,
                  const rille_slot *slots, size_t slot_count, rille_arena *arena, rille_fault *fault)
{
  rille_status status;

  *cursor = (rille_cursor){ .connection = connection, .statement = statement };
  status = rille_statement_bind(statement, slots, slot_count, arena, fault);
  if (status == RILLE_OK && connection->wall != NULL)
    status = rille_wall_stand(connection->wall, statement->stmt, arena, fault);
  if (status != RILLE_OK) {
    rille_connection_release(statement);
    cursor->statement = NULL;
    return status;
  }
  link_cursor(cursor);
  if (connection->trace.on)
    trace_start(cursor, slots, slot_count);
  return RILLE_OK;
}

rille_status
rille_cursor_again(rille_cursor *cursor, const rille_slot *slots, size_t slot_count, rille_arena *arena,
                   rille_fault *fault)
{
  rille_statement *statement = cursor->statement;
  rille_status status;

  statement->stmt->driver->reset(statement->stmt);
  rille_arena_reset(arena);
  status = rille_statement_bind(statement, slots, slot_count, arena, fault);
  if (status == RILLE_OK && cursor->connection->wall != NULL)
    status = rille_wall_stand(cursor->connection->wall, statement->stmt, arena, fault);
  return status;
}

/* -- statements that are mirrored, or counted --------------------------------------------------------------- */

/* What a failed statement leaves: the rows that it changed before, where it is one that says OR FAIL. */
static bool
keeps_rows(const rille_connection *connection)
{
  return connection->conn->driver->in_transaction(connection->conn) &&
         connection->conn->driver->changes(connection->conn) > 0;
}

/* Ends the transaction of a statement that was not in one. */
static rille_status
unwrap(rille_cursor *cursor, rille_status status, rille_fault *fault)
{
  rille_connection *connection = cursor->connection;
  rille_status committed = status;

  cursor->wrapped = false;
  if (status == RILLE_OK || keeps_rows(connection))
    committed = rille_connection_commit(connection, status == RILLE_OK ? fault : NULL);
  if (committed != RILLE_OK)
    (void)rille_connection_rollback(connection, NULL);
  return status != RILLE_OK ? status : committed;
}

/* Steps a statement whose changes go into the outbox. */
static rille_status
step_mirrored(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_connection *connection = cursor->connection;
  rille_outbox *outbox = connection->outbox;
  rille_status status = rille_outbox_ready(outbox, cursor->wrapped, fault);
  rille_outbox_mark mark;

  if (status != RILLE_OK)
    return status;
  mark = rille_outbox_at(outbox);
  status = connection->conn->driver->step(cursor->statement->stmt, row, fault);
  if (status != RILLE_OK && !keeps_rows(connection))
    rille_outbox_back(outbox, mark);
  else if (status == RILLE_OK)
    status = rille_outbox_check(outbox, fault);
  if (cursor->statement->effect == RILLE_CHANGES_SCHEMA)
    rille_outbox_doubt(outbox);
  return status;
}

/* Steps a statement that changes rows of a database that is not mirrored, as far as the connection knows. */
static rille_status
step_plain(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_statement *statement = cursor->statement;
  const rille_driver *driver = statement->stmt->driver;
  rille_status status = driver->step(statement->stmt, row, fault);

  if (driver->changed(statement->stmt) != statement->changes_seen)
    status = rille_outbox_notice(cursor->connection, statement, status, fault);
  return status;
}

/* A statement, its place in the outbox and in the history are one transaction. */
static rille_status
step_watched(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_connection *connection = cursor->connection;
  rille_status status = RILLE_OK;

  if (connection->depth == 0) {
    status = rille_connection_begin(connection, RILLE_BEGIN_IMMEDIATE, NULL, fault);
    cursor->wrapped = status == RILLE_OK;
  }
  connection->wrote = true;
  if (status == RILLE_OK && cursor->statement->effect == RILLE_CHANGES_SCHEMA)
    status = rille_era_before_change(connection, fault);
  if (status == RILLE_OK && connection->outbox != NULL)
    status = step_mirrored(cursor, row, fault);
  else if (status == RILLE_OK)
    status = step_plain(cursor, row, fault);
  if (cursor->wrapped && (status != RILLE_OK || !*row))
    status = unwrap(cursor, status, fault);
  return status;
}

static rille_status
step_vacuum(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_connection *connection = cursor->connection;
  int64_t version;
  bool kept = rille_era_before_vacuum(connection, &version);
  rille_status status = connection->conn->driver->step(cursor->statement->stmt, row, fault);

  if (status == RILLE_OK && kept)
    rille_era_after_vacuum(connection, version);
  return status;
}

static rille_status
step_write(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_connection *connection = cursor->connection;
  rille_effect effect = cursor->statement->effect;

  if (effect == RILLE_VACUUMS)
    return step_vacuum(cursor, row, fault);
  if (connection->outbox != NULL || connection->counts)
    return step_watched(cursor, row, fault);
  if (effect == RILLE_CHANGES_SCHEMA && rille_era_is_kept(connection))
    return step_watched(cursor, row, fault);
  return step_plain(cursor, row, fault);
}

rille_status
rille_cursor_step(rille_cursor *cursor, bool *row, rille_fault *fault)
{
  rille_status status;

  *row = false;
  if (cursor->statement == NULL)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the cursor is closed");
  if (cursor->statement->effect != RILLE_CHANGES_NOTHING)
    status = step_write(cursor, row, fault);
  else
    status = cursor->statement->stmt->driver->step(cursor->statement->stmt, row, fault);
  if (status != RILLE_OK)
    rille_connection_failed(cursor->connection, fault);
  cursor->rows += *row;
  return status;
}

/* SQL text such as "select *" may give other columns after a change of the schema; what is known of them is then
** wrong, and the statement must be made anew. */
static rille_status
check_columns(rille_cursor *cursor, rille_fault *fault)
{
  const rille_statement *s = cursor->statement;
  const rille_driver *driver = s->stmt->driver;
  bool same;

  if (!s->raw || s->layout == NULL || !driver->changed(s->stmt))
    return RILLE_OK;
  same = (size_t)driver->column_count(s->stmt) == s->layout->count;
  for (size_t i = 0; same && i < s->layout->count; i++)
    same = rille_str_equal(driver->column_name(s->stmt, (int)i), s->layout->names[i]);
  if (same)
    return RILLE_OK;
  rille_connection_forget(cursor->connection);
  (void)rille_fault_set(fault, RILLE_SERIALIZATION_FAILURE, "the schema changed since this statement was first run");
  rille_fault_hint(fault, "run it again");
  return RILLE_SERIALIZATION_FAILURE;
}

rille_status
rille_cursor_next(rille_cursor *cursor, rille_cell cells[], bool *row, rille_fault *fault)
{
  rille_status status = rille_cursor_step(cursor, row, fault);

  if (status == RILLE_OK && *row && cursor->rows == 1)
    status = check_columns(cursor, fault);
  if (status == RILLE_OK && *row)
    status = cursor->statement->stmt->driver->row(cursor->statement->stmt, cells, fault);
  return status;
}

void
rille_cursor_close(rille_cursor *cursor)
{
  rille_connection *connection = cursor->connection;

  if (cursor->statement == NULL)
    return;
  if (connection->trace.on && cursor->started_ms > 0) {
    connection->trace.ms = rille_clock_ms() - cursor->started_ms;
    connection->trace.rows = cursor->statement->layout != NULL ? cursor->rows
                                                               : connection->conn->driver->changes(connection->conn);
  }
  unlink_cursor(cursor);
  rille_connection_release(cursor->statement);
  cursor->statement = NULL;
  if (cursor->wrapped)
    (void)rille_connection_rollback(connection, NULL);
  cursor->wrapped = false;
  if (connection->stale)
    rille_outbox_catch_up(connection);
}
