/* core/driver/sqlite_conn.h - what the parts of the SQLite driver share: a connection, opened and ended. */
#ifndef RILLE_SQLITE_CONN_H
#define RILLE_SQLITE_CONN_H

#include <sqlite3.h>

#include "core/driver/driver.h"

enum {
  SQL_BEGIN_DEFERRED,
  SQL_BEGIN_IMMEDIATE,
  SQL_BEGIN_EXCLUSIVE,
  SQL_COMMIT,
  SQL_ROLLBACK,
  SQL_LOG,
  SQL_LOCK,
  SQL_ALIKE,
  SQL_COUNT
};

typedef struct rille_sqlite_watch rille_sqlite_watch;
struct rille_sqlite_stream;

typedef struct rille_sqlite_conn {
  rille_conn base;
  sqlite3 *db;
  int busy_timeout_ms;
  int64_t busy_since_ms;
  int64_t max_bytes;                   /* 0: as much as there is */
  int checkpoint_pages;                /* in the log, from which on it is copied into the database; INT_MAX: never */
  bool checkpoint_said;                /* by the pragma */
  sqlite3_stmt *kept[SQL_COUNT];       /* begin, commit ...: prepared at first use */
  struct rille_sqlite_stream *streams; /* those in the middle of a run */
  rille_sqlite_watch *watch;           /* NULL: nobody is told of rows */
  bool readonly;                       /* nothing is written on it */
  bool odd;                            /* a pragma set how it reads, or whether others may */
  bool has_functions;                  /* those of sqlite_function.h */
  bool aside;                          /* the last statement was run aside: */
  int64_t changes_before;              /* ... what the one before it changed */
} rille_sqlite_conn;

/* Fills the fault for a result code that the connection has just given, with its extended code and message. */
rille_status rille_sqlite_fail(rille_sqlite_conn *conn, int code, rille_fault *fault);

/* Fills the cell with a protected value, whose bytes it borrows.  False: memory ran out.  Texts in UTF-8 are read with
** sqlite3_value_blob, which gives the bytes where they lie; sqlite3_value_text would copy each one only to put a NUL
** behind it. */
static inline bool
rille_sqlite_cell(sqlite3_value *value, rille_cell *cell)
{
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    cell->kind = RILLE_INT;
    cell->as.integer = sqlite3_value_int64(value);
    return true;
  case SQLITE_FLOAT:
    cell->kind = RILLE_REAL;
    cell->as.real = sqlite3_value_double(value);
    return true;
  case SQLITE_TEXT:
    cell->kind = RILLE_TEXT;
    cell->as.text.at = sqlite3_value_encoding(value) == SQLITE_UTF8 ? sqlite3_value_blob(value)
                                                                    : (const char *)sqlite3_value_text(value);
    break;
  case SQLITE_BLOB:
    cell->kind = RILLE_BLOB;
    cell->as.text.at = sqlite3_value_blob(value);
    break;
  default: cell->kind = RILLE_NULL; return true;
  }
  cell->as.text.len = (size_t)sqlite3_value_bytes(value);
  if (cell->as.text.at != NULL)
    return true;
  if (cell->as.text.len > 0)
    return false;
  cell->as.text.at = "";
  return true;
}

/* From now on the connection waits for locks, for its busy timeout.  A backup that found no lock has used that up for
** the next one (sqlite3BtreeBeginTrans counts the tries, and nothing but a statement begins to count anew). */
void rille_sqlite_be_patient(rille_sqlite_conn *conn);

/* From now on the log is copied into the database as sqlite_checkpoint.c says. */
void rille_sqlite_begin_checkpoints(rille_sqlite_conn *conn);

/* To be called when a statement has been prepared: the pragma "wal_autocheckpoint" puts SQLite's own way of copying the
** log in the place of this one while it is.  Keeps its number, and this way; true when the statement was that. */
bool rille_sqlite_guard_checkpoints(rille_sqlite_conn *conn);

/* What is told of a row goes into a table beside it: a transaction that wrote one page writes two or more.  Spaced, the
** log is copied at twice as many pages, so that the disk is waited for as often as otherwise; unless the pragma said a
** number. */
void rille_sqlite_space_checkpoints(rille_sqlite_conn *conn, bool spaced);

/* The driver's shares; and its own, of a statement's text. */
bool rille_sqlite_shares(rille_conn *base);
void rille_sqlite_look_for_pragma(rille_sqlite_conn *conn, const char *sql);

/* The driver's open and close. */
rille_status rille_sqlite_open(const rille_open_options *options, rille_conn **out, rille_fault *fault);
void rille_sqlite_close(rille_conn *base);

#endif
