/* core/run/aside.h - statements of rille's own, between those of the caller: no cursor, no trace, not mirrored. */
#ifndef RILLE_ASIDE_H
#define RILLE_ASIDE_H

#include "core/run/connection.h"

/* Cells of a text and of an integer. */
static inline rille_cell
rille_cell_text(rille_str text)
{
  return (rille_cell){ .kind = RILLE_TEXT, .as.text = text };
}

static inline rille_cell
rille_cell_int(int64_t integer)
{
  return (rille_cell){ .kind = RILLE_INT, .as.integer = integer };
}

/* A statement with its `count` values bound, ready to be stepped; they stay the caller's and must outlive the run.  The
** caller releases *out, which is NULL at first, whatever happens. */
rille_status rille_aside_start(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                               rille_statement **out, rille_fault *fault);

/* The next row of such a statement; as rille_cursor_next. */
rille_status rille_aside_next(rille_connection *connection, rille_statement *statement, rille_cell cells[], bool *row,
                              rille_fault *fault);

/* Runs a statement without rows to its end; what the connection says of changes and ids stays as it is. */
rille_status rille_aside_run(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                             rille_fault *fault);

/* The first row of a query, copied into `arena`; *found is false when there is none. */
rille_status rille_aside_row(rille_connection *connection, const char *sql, const rille_cell values[], size_t count,
                             rille_arena *arena, rille_cell cells[], size_t cell_count, bool *found,
                             rille_fault *fault);

/* Microseconds since 1970, by the system's clock. */
int64_t rille_aside_now_us(void);

#endif
