/* core/driver/postgres_fetch.c - the rows of a cursor: many at a time, and the next ones while these are worked on.
**
** libpq gives rows one by one at three times the price of rows in one result.  So the server is told to DECLARE a
** cursor and asked for some of its rows after the other, in a pipeline that stays open: the server is at work on two
** FETCHes while the rows of the one before are read, and what ends the cursor goes out as soon as the last row has
** come.  How many rows are asked for follows from how wide they were: what is in memory is some tens of kilobytes, or
** one row.
**
** A cursor needs a transaction.  Where none is open it gets one of its own, which is `hidden`: nobody hears of it, and
** it ends before anything else is sent. */
#include "core/driver/postgres_fetch.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "core/driver/postgres_error.h"

enum {
  FIRST_ROWS = RILLE_POSTGRES_FEW_ROWS + 1, /* they say whether there are few, and how wide they are */
  MOST_ROWS = 400,                          /* more of them make it no faster */
  MOST_WIDE_ROWS = 128,                     /* where the next one may have any size */
  GROWTH = 8,
  BATCH_BYTES = 3 << 14, /* two of them, and some more, fit into a socket */
  JUMP_BYTES = 1 << 13,  /* so much more than expected, and a quarter of that, is no accident */
  SAME_LOOKS = 20,       /* some microseconds */
  END_SOON_MS = 20,      /* what nobody waits for is cancelled behind it, which costs a connection */
  UNDO_MS = 5000         /* a rollback takes no time: behind it the connection is taken to be lost */
};

/* One name is enough: what would open another cursor has this one end, and where it failed it goes with the level of
** the transaction that it was opened in. */
#define CURSOR "rille_cursor"
#define CLOSE "close " CURSOR

bool
rille_postgres_fetches(const rille_postgres_stmt *stmt)
{
  return stmt->one_by_one && stmt->queries && !stmt->few && stmt->column_count > 0 && !stmt->conn->failed;
}

/* -- its opening ------------------------------------------------------------------------------------------- */

/* The text of one more FETCH; it is due then. */
static void
add_fetch(rille_postgres_fetch *fetch, int rows)
{
  fetch->asked[fetch->due++] = rows;
  (void)snprintf(fetch->text, sizeof fetch->text, "fetch %d from " CURSOR, rows);
}

rille_status
rille_postgres_fetch_write(rille_postgres_stmt *stmt, rille_fault *fault)
{
  static const char before[] = "declare " CURSOR " no scroll cursor for ";
  rille_postgres_fetch *fetch = &stmt->fetch;
  size_t room = sizeof before + stmt->sql.len;
  char *text = rille_arena_get(&stmt->made, room);

  *fetch = (rille_postgres_fetch){ 0 };
  if (text == NULL)
    return rille_fault_no_memory(fault);
  fetch->declare.at = text;
  fetch->declare.len = (size_t)snprintf(text, room, "%s%s", before, stmt->sql.at);
  add_fetch(fetch, FIRST_ROWS);
  return RILLE_OK;
}

size_t
rille_postgres_fetch_asks(const rille_postgres_stmt *stmt, rille_postgres_ask asks[])
{
  asks[0] = (rille_postgres_ask){ .what = RILLE_ASK_SQL,
                                  .text = stmt->fetch.declare.at,
                                  .count = stmt->param_count,
                                  .types = stmt->types,
                                  .values = stmt->bytes,
                                  .lengths = stmt->lengths,
                                  .formats = stmt->formats };
  asks[1] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = stmt->fetch.text, .result_format = stmt->binary };
  return 2;
}

void
rille_postgres_fetch_begin(rille_postgres_stmt *stmt, PGresult *first)
{
  rille_postgres_stream_begin(stmt);
  stmt->fetch.open = true;
  stmt->fetch.by_row = first == NULL;
  stmt->fetch.first = first;
}

/* -- its end ----------------------------------------------------------------------------------------------- */

/* Asks for something of which nothing is expected, and waits; `pipe` is open before and behind it.  True when it was
** done. */
static bool
order(rille_postgres_conn *conn, const char *text, int most_ms)
{
  rille_postgres_ask ask = { .what = RILLE_ASK_SQL, .text = text };
  rille_status status = rille_postgres_pipe_ask(conn, &ask, NULL);
  bool done;

  if (status == RILLE_OK && most_ms > 0)
    conn->silence_ms = most_ms;
  if (status == RILLE_OK)
    status = rille_postgres_pipe_answer(conn, &ask, NULL);
  done = status == RILLE_OK && PQresultStatus(ask.result) == PGRES_COMMAND_OK;
  rille_postgres_clear(&ask, 1);
  return done;
}

/* Leaves the pipeline, and with it the transaction that was there for the cursor alone. */
static void
leave(rille_postgres_conn *conn)
{
  bool undone = true;

  if (conn->pg != NULL && conn->hidden)
    undone = order(conn, "rollback", UNDO_MS);
  conn->hidden = false;
  if (conn->pg != NULL)
    (void)rille_postgres_pipe_end(conn, NULL);
  if (conn->pg != NULL && !undone) { /* the server undoes it then */
    rille_postgres_drop(conn);
    conn->in_transaction = conn->failed = false;
  }
  conn->streaming = NULL;
}

void
rille_postgres_fetch_undo(rille_postgres_conn *conn)
{
  if (conn->hidden && rille_postgres_pipe(conn, NULL) == RILLE_OK)
    leave(conn);
}

/* Reads all answers that are due, and throws them away. */
static void
drain(rille_postgres_conn *conn, const rille_postgres_fetch *fetch)
{
  for (int i = fetch->due + fetch->ended; i > 0 && conn->pg != NULL; i--) {
    rille_postgres_ask ask = { .what = RILLE_ASK_SQL };

    (void)rille_postgres_pipe_answer(conn, &ask, NULL);
    rille_postgres_clear(&ask, 1);
  }
}

/* Is the next answer there, or will it be in a moment? */
static bool
comes_soon(rille_postgres_conn *conn)
{
  int64_t until_ms = rille_postgres_now_ms() + END_SOON_MS;
  struct pollfd socket = { .fd = PQsocket(conn->pg), .events = POLLIN };

  while (PQisBusy(conn->pg)) {
    int64_t left_ms = until_ms - rille_postgres_now_ms();

    if (left_ms <= 0 || poll(&socket, 1, (int)left_ms) <= 0 || !PQconsumeInput(conn->pg))
      return false;
  }
  return true;
}

void
rille_postgres_fetch_end(rille_postgres_stmt *stmt)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_fetch *fetch = &stmt->fetch;

  if (conn->hidden && !fetch->ended && fetch->due > 0 && (fetch->by_row || !comes_soon(conn)))
    rille_postgres_cancel(conn); /* in a transaction of others, that would fail */
  conn->hidden = conn->hidden && !fetch->ended;
  drain(conn, fetch);
  if (conn->pg != NULL && !conn->hidden && !fetch->ended && !fetch->failed)
    (void)order(conn, CLOSE, 0);
  leave(conn);
  PQclear(fetch->first);
  *fetch = (rille_postgres_fetch){ 0 };
}

/* Behind the last row. */
static rille_status
take_end(rille_postgres_stmt *stmt, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_ask end = { .what = RILLE_ASK_SQL };
  rille_status status = rille_postgres_pipe_answer(conn, &end, fault);

  stmt->fetch.ended = conn->hidden = false;
  if (status == RILLE_OK && PQresultStatus(end.result) == PGRES_FATAL_ERROR)
    status = rille_postgres_fault(end.result, stmt->sql, conn->stopped, fault);
  rille_postgres_clear(&end, 1);
  return status;
}

/* -- its rows ---------------------------------------------------------------------------------------------- */

/* It was declared as the schema is now, and was described as it was: a number would be read as a text. */
static rille_status
check_columns(rille_postgres_stmt *stmt, const PGresult *rows, rille_fault *fault)
{
  bool same = PQnfields(rows) == stmt->column_count;

  for (int i = 0; same && i < stmt->column_count; i++)
    same = PQftype(rows, i) == PQftype(stmt->described, i);
  stmt->fetch.checked = true;
  if (same)
    return RILLE_OK;
  stmt->stale = true;
  return rille_fault_set(fault, RILLE_SERIALIZATION_FAILURE, "the schema changed since this statement was first run");
}

/* As many rows as a batch holds if they are like the last ones. */
static int
rows_next(const rille_postgres_stmt *stmt)
{
  const rille_postgres_fetch *fetch = &stmt->fetch;
  int most = stmt->narrow ? MOST_ROWS : MOST_WIDE_ROWS;
  size_t fit = BATCH_BYTES / fetch->mean;

  if (most > fetch->most * GROWTH)
    most = fetch->most * GROWTH;
  return fit > (size_t)most ? most : fit > 0 ? (int)fit : 1;
}

/* A FETCH has come: asks for more or, when it gave fewer rows than it might, for the end. */
static rille_status
go_on(rille_postgres_stmt *stmt, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_fetch *fetch = &stmt->fetch;
  bool full = fetch->got == fetch->most;
  rille_postgres_ask next = { .what = RILLE_ASK_SQL, .text = fetch->text, .result_format = stmt->binary };
  rille_status status = RILLE_OK;

  fetch->full += full;
  if (fetch->got > 0)
    fetch->mean = fetch->bytes / (size_t)fetch->got + 1;
  while (status == RILLE_OK && full && fetch->due < (fetch->full > 1 ? 2 : 1)) {
    add_fetch(fetch, rows_next(stmt));
    status = rille_postgres_pipe_ask(conn, &next, fault);
  }
  if (status == RILLE_OK && !full && !fetch->ended) {
    next.text = conn->hidden ? "commit" : CLOSE;
    fetch->ended = true;
    status = rille_postgres_pipe_ask(conn, &next, fault);
  }
  fetch->got = 0;
  fetch->bytes = 0;
  return status;
}

static size_t
bytes_of(const PGresult *row)
{
  size_t bytes = 0;

  for (int i = 0; i < PQnfields(row); i++)
    bytes += (size_t)PQgetlength(row, 0, i) + 16;
  return bytes;
}

/* The first FETCH that was due was read to its end, which this is. */
static rille_status
is_read(rille_postgres_stmt *stmt, const PGresult *end, rille_fault *fault)
{
  rille_postgres_fetch *fetch = &stmt->fetch;

  fetch->most = fetch->asked[0];
  fetch->asked[0] = fetch->asked[1];
  fetch->due--;
  fetch->by_row = false;
  if (PQresultStatus(end) == PGRES_TUPLES_OK)
    return RILLE_OK;
  fetch->failed = PQresultErrorField(end, PG_DIAG_SQLSTATE) != NULL; /* or it is libpq that has no memory */
  return rille_postgres_fault(end, stmt->sql, stmt->conn->stopped, fault);
}

/* One row of a FETCH whose rows come one by one; *rows is NULL behind the last of them. */
static rille_status
take_row(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_fetch *fetch = &stmt->fetch;
  rille_postgres_ask rest = { .what = RILLE_ASK_SQL };
  rille_status status = rille_postgres_next(conn, &rest.result, fault);

  if (status != RILLE_OK)
    return status;
  if (PQresultStatus(rest.result) == PGRES_SINGLE_TUPLE) {
    fetch->got++;
    fetch->bytes += bytes_of(rest.result);
    *rows = rest.result;
    return RILLE_OK;
  }
  status = rille_postgres_pipe_answer(conn, &rest, fault);
  if (status == RILLE_OK)
    status = is_read(stmt, rest.result, fault);
  rille_postgres_clear(&rest, 1);
  return status;
}

static size_t
bytes_there(const rille_postgres_conn *conn)
{
  int bytes = 0;

  return ioctl(PQsocket(conn->pg), FIONREAD, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

/* Is more on its way than all that is due has, if its rows are like the last ones?  What was asked for long ago is
** there; of what comes just now the size shows when that grows no more.  No more than a guess: it must be made before
** libpq reads of it, which ends the choice. */
static bool
jumps(rille_postgres_conn *conn, const rille_postgres_fetch *fetch)
{
  size_t rows = (size_t)fetch->asked[0] + (fetch->due > 1 ? (size_t)fetch->asked[1] : 0);
  size_t bytes = bytes_there(conn), before = 0, most = rows * fetch->mean * 5 / 4 + JUMP_BYTES;

  if ((size_t)fetch->asked[0] * fetch->mean > 2 * BATCH_BYTES) /* it was asked for before that was known */
    return true;
  if (bytes > 0 || !PQisBusy(conn->pg) || !rille_postgres_wait(conn, false))
    return bytes > most;
  for (int same = 0; same < SAME_LOOKS && bytes <= most; same = bytes > before ? 0 : same + 1) {
    before = bytes;
    (void)sched_yield();
    bytes = bytes_there(conn);
  }
  return bytes > most;
}

/* All rows of a FETCH.  Those that are much wider than the ones before come one by one, if that shows before libpq has
** read of them. */
static rille_status
take_batch(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_fetch *fetch = &stmt->fetch;
  rille_postgres_ask ask = { .what = RILLE_ASK_SQL };
  rille_status status;

  if (!stmt->narrow && fetch->asked[0] > 1 && jumps(conn, fetch) && PQsetSingleRowMode(conn->pg)) {
    fetch->by_row = true;
    return RILLE_OK;
  }
  status = rille_postgres_pipe_answer(conn, &ask, fault);
  if (status == RILLE_OK)
    status = is_read(stmt, ask.result, fault);
  if (status == RILLE_OK)
    *rows = ask.result;
  else
    rille_postgres_clear(&ask, 1);
  return status;
}

/* The rows that came with the opening, or those of the next FETCH. */
static rille_status
take_rows(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault)
{
  rille_postgres_fetch *fetch = &stmt->fetch;
  rille_status status = RILLE_OK;

  if (fetch->first == NULL) {
    status = take_batch(stmt, rows, fault);
  } else {
    *rows = fetch->first;
    fetch->first = NULL;
    status = is_read(stmt, *rows, fault);
  }
  if (*rows != NULL) {
    fetch->got = PQntuples(*rows);
    fetch->bytes = PQresultMemorySize(*rows);
  }
  return status;
}

rille_status
rille_postgres_fetch_more(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault)
{
  rille_postgres_fetch *fetch = &stmt->fetch;
  rille_status status = stmt->conn->piped ? RILLE_OK : rille_postgres_pipe(stmt->conn, fault);
  PGresult *came = NULL;

  while (status == RILLE_OK && came == NULL && fetch->due > 0) {
    status = fetch->by_row ? take_row(stmt, &came, fault) : take_rows(stmt, &came, fault);
    if (status == RILLE_OK && came != NULL && !fetch->checked)
      status = check_columns(stmt, came, fault);
    if (status == RILLE_OK && !fetch->by_row)
      status = go_on(stmt, fault);
    if (came != NULL && (status != RILLE_OK || PQntuples(came) == 0)) {
      PQclear(came);
      came = NULL;
    }
  }
  if (status == RILLE_OK && came == NULL) {
    status = take_end(stmt, fault);
    leave(stmt->conn);
    fetch->open = false;
  } else if (status != RILLE_OK) {
    rille_postgres_fetch_end(stmt);
  }
  *rows = came;
  return status;
}
