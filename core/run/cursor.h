/* core/run/cursor.h - the rows of one running statement. */
#ifndef RILLE_CURSOR_H
#define RILLE_CURSOR_H

#include "core/run/connection.h"

/* `owner` is whoever reads it beyond one call (a coroutine), NULL for nobody: no transaction of somebody else may begin
** on its connection, or the cursor would see what is not committed.  Open from rille_cursor_open to
** rille_cursor_close; closing twice is fine.  The connection may end it before its owner does: `statement` is NULL
** then. */
typedef struct rille_cursor {
  rille_connection *connection;
  rille_statement *statement;
  const void *owner;
  struct rille_cursor *next, **at; /* among the connection's open ones */
  bool wrapped;                    /* in a transaction of its own, which ends with it */
  int64_t rows;                    /* read so far */
  double started_ms;               /* while traced */
} rille_cursor;

/* Binds the values and makes the statement ready to be stepped.  Takes the statement over: it is released when the
** cursor closes, at once when binding fails.  Slots and arena must stay until the cursor is closed. */
rille_status rille_cursor_open(rille_cursor *cursor, rille_connection *connection, rille_statement *statement,
                               const rille_slot *slots, size_t slot_count, rille_arena *arena, rille_fault *fault);

/* Makes the statement ready to be run once more, with other values: of the arena nothing is kept but what is bound. */
rille_status rille_cursor_again(rille_cursor *cursor, const rille_slot *slots, size_t slot_count, rille_arena *arena,
                                rille_fault *fault);

/* The next row in `cells`, one a column of the layout; *row is false after the last.  Texts live until the next
** call. */
rille_status rille_cursor_next(rille_cursor *cursor, rille_cell cells[], bool *row, rille_fault *fault);

/* Steps once: enough for a statement that gives no rows. */
rille_status rille_cursor_step(rille_cursor *cursor, bool *row, rille_fault *fault);

/* Ends the run and tells the trace.  One that was not read to its end is undone where it is mirrored. */
void rille_cursor_close(rille_cursor *cursor);

/* Milliseconds by a clock that never goes back. */
double rille_clock_ms(void);

#endif
