/* core/run/outbox_notice.c - asks for the mirrors' table where the schema has changed under a statement. */
#include "core/run/outbox_notice.h"

#include "core/run/aside.h"
#include "core/run/outbox.h"

static bool
is_mirrored(rille_connection *connection)
{
  rille_cell one;
  rille_arena none;
  bool found = false;

  (void)connection->conn->driver->has_table(connection->conn, "rille_mirrors", &found, NULL);
  if (!found)
    return false;
  rille_arena_init(&none);
  (void)rille_aside_row(connection, "select 1 from \"rille_mirrors\" limit 1", NULL, 0, &none, &one, 1, &found, NULL);
  return found;
}

rille_status
rille_outbox_notice(rille_connection *connection, rille_statement *statement, rille_status status, rille_fault *fault)
{
  statement->changes_seen = connection->conn->driver->changed(statement->stmt);
  if (status != RILLE_OK || connection->founding || !is_mirrored(connection))
    return status;
  connection->stale = true;
  if (connection->depth == 0) {
    connection->missed += connection->conn->driver->changes(connection->conn);
    return status;
  }
  status = rille_fault_set(fault, RILLE_SERIALIZATION_FAILURE,
                           "the database is mirrored since this connection was opened, which did not know it");
  rille_fault_hint(fault, "run the transaction again: it will be mirrored");
  rille_connection_spoil(connection, fault);
  return status;
}

static rille_status
record_missed(rille_connection *connection, rille_fault *fault)
{
  static const char sql[] = "insert into \"rille_mirror_skips\" (\"name\", \"rows\", \"first_at\", \"last_at\") "
                            "values ('(before it was noticed)', ?1, ?2, ?2) "
                            "on conflict (\"name\") do update set \"rows\" = \"rows\" + ?1, \"last_at\" = ?2";
  const rille_cell values[] = { rille_cell_int(connection->missed), rille_cell_int(rille_aside_now_us()) };

  return connection->missed > 0 ? rille_aside_run(connection, sql, values, 2, fault) : RILLE_OK;
}

void
rille_outbox_catch_up(rille_connection *connection)
{
  if (connection->depth > 0 || connection->cursors != NULL || connection->conn == NULL)
    return;
  connection->stale = rille_outbox_remember(connection, NULL) != RILLE_OK ||
                      record_missed(connection, NULL) != RILLE_OK;
  connection->missed = connection->stale ? connection->missed : 0;
}
