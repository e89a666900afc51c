/* core/run/opening.c - opens a connection, sets its pragmas, has it fill the outbox of a mirrored file. */
#include "core/run/opening.h"

#include "core/run/outbox.h"

static rille_status
set_pragmas(const rille_opening *opening, rille_connection *connection, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  for (size_t i = 0; i < opening->pragma_count && status == RILLE_OK; i++) {
    rille_statement *statement = NULL;
    bool row;

    status = rille_connection_sql(connection, opening->pragmas[i], &statement, fault);
    if (status == RILLE_OK)
      status = opening->driver->step(statement->stmt, &row, fault);
    rille_connection_release(statement);
  }
  return status;
}

rille_status
rille_opening_connect(const rille_opening *opening, rille_connection **out, rille_fault *fault)
{
  rille_connection *connection = NULL;
  rille_status status = rille_connection_open(opening->driver, &opening->options, &connection, fault);

  if (status == RILLE_OK)
    status = set_pragmas(opening, connection, fault);
  if (status == RILLE_OK && !opening->options.readonly)
    status = rille_outbox_remember(connection, fault);
  if (status == RILLE_OK)
    *out = connection;
  else
    rille_connection_close(connection);
  return status;
}

rille_opening
rille_opening_copy(const rille_opening *opening, rille_arena *arena)
{
  rille_opening copy = *opening;
  rille_str *pragmas = rille_arena_get(arena, opening->pragma_count * sizeof *pragmas);

  for (size_t i = 0; pragmas != NULL && i < opening->pragma_count; i++)
    pragmas[i] = rille_arena_copy(arena, opening->pragmas[i]);
  copy.pragmas = pragmas;
  copy.options.database = rille_arena_copy(arena, opening->options.database);
  copy.options.journal_mode = rille_arena_copy(arena, opening->options.journal_mode);
  copy.options.synchronous = rille_arena_copy(arena, opening->options.synchronous);
  return copy;
}
