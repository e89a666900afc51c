/* core/driver/sqlite_stream.h - a statement whose rows are read one by one, while others run on its connection.
**
** Which rows it gives of those that its own connection changes meanwhile SQLite leaves open: one may come twice, or
** others for ever (https://sqlite.org/isolation.html).  And while it runs, the connection sees the database as it was
** when it began; once another connection has changed that, it can write no more.  So the rest of its rows is read
** before something is written: what it gives is what was there when it began. */
#ifndef RILLE_SQLITE_STREAM_H
#define RILLE_SQLITE_STREAM_H

#include <sqlite3.h>

#include "core/base/cell.h"
#include "core/base/status.h"
#include "core/driver/spill.h"

typedef struct rille_sqlite_stream {
  bool wanted;                            /* the run streams */
  struct rille_sqlite_stream *next, **at; /* among those in the middle of a run; `at` is NULL: it is not */
  sqlite3_stmt *handle;
  char *held; /* the texts of the row that was read last */
  size_t held_room;
  int *ended; /* of its statement: how the run ended; RILLE_SQLITE_SPILLED once its rows are here: */
  rille_spill rows;
  const char *row; /* the one that was found last */
  int code;        /* what the run ended with, or why not all rows could be kept */
} rille_sqlite_stream;

enum { RILLE_SQLITE_SPILLED = -1 };

/* The statement has given a row and may give more. */
void rille_sqlite_stream_begin(rille_sqlite_stream *stream, rille_sqlite_stream **first);

/* It gives no more: its run has ended, or is about to be.  Forgets rows that nobody read. */
void rille_sqlite_stream_end(rille_sqlite_stream *stream);

/* Copies the texts of the row that is being read to where they are until the next: its reader may allocate, and what
** Lua collects then may write.  False: memory ran out. */
bool rille_sqlite_hold_row(rille_sqlite_stream *stream, rille_cell cells[], int count);

/* Reads what is left of all of them and ends their runs. */
void rille_sqlite_spill(rille_sqlite_stream **first);

/* The next row of those that were read: SQLITE_ROW, or what the run ended with. */
int rille_sqlite_spilled_next(rille_sqlite_stream *stream);

/* Its cells; texts live until the next one is asked for. */
void rille_sqlite_spilled_row(const rille_sqlite_stream *stream, rille_cell cells[]);

#endif
