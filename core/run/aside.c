/* core/run/aside.c - a few words around statements that are kept like all others. */
#include "core/run/aside.h"

#include <time.h>

rille_status
rille_aside_start(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                  rille_statement **out, rille_fault *fault)
{
  rille_status status = rille_connection_sql(connection, rille_str_of(sql), out, fault);

  for (size_t i = 0; i < count && status == RILLE_OK; i++)
    status = connection->conn->driver->bind((*out)->stmt, (int)i + 1, &values[i], fault);
  return status;
}

rille_status
rille_aside_next(rille_connection *connection, rille_statement *statement, rille_cell cells[], bool *row,
                 rille_fault *fault)
{
  rille_status status = connection->conn->driver->step(statement->stmt, row, fault);

  if (status == RILLE_OK && *row)
    status = connection->conn->driver->row(statement->stmt, cells, fault);
  return status;
}

rille_status
rille_aside_run(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_status status = rille_aside_start(connection, sql, values, count, &statement, fault);

  if (status == RILLE_OK)
    status = connection->conn->driver->run_aside(connection->conn, statement->stmt, fault);
  rille_connection_release(statement);
  return status;
}

rille_status
rille_aside_row(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                rille_arena *arena, rille_cell cells[], size_t cell_count, bool *found, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_status status = rille_aside_start(connection, sql, values, count, &statement, fault);

  *found = false;
  if (status == RILLE_OK)
    status = rille_aside_next(connection, statement, cells, found, fault);
  for (size_t i = 0; status == RILLE_OK && *found && i < cell_count; i++)
    if (cells[i].kind == RILLE_TEXT || cells[i].kind == RILLE_BLOB)
      cells[i].as.text = rille_arena_copy(arena, cells[i].as.text);
  rille_connection_release(statement);
  return status == RILLE_OK && !rille_arena_ok(arena) ? rille_fault_no_memory(fault) : status;
}

int64_t
rille_aside_now_us(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
