/* core/driver/postgres_wire.c - sends what is asked and waits for the answers; the socket never blocks.
**
** libpq is told not to block, so that this file does the waiting: it looks at the stop flag meanwhile, and reads while
** it writes, for a server that has answers to give takes no more questions until they are read.  One statement goes
** out alone; several go out as a pipeline.
**
** What cannot be brought into step again (memory ran out in the middle, COPY) drops the connection: a transaction is
** then undone by the server, and nothing is left half said. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

#include "core/base/stop.h"
#include "core/driver/postgres_conn.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_place.h"

enum {
  STOP_CHECK_MS = 50,     /* between two looks at the stop flag */
  END_PATIENCE_MS = 5000, /* so much longer than it should a server may take to end a statement by itself */
  IDLE_LOOK_MS = 100,     /* after it, a connection is looked at before it is used: its server may have gone */
  MUCH_BYTES = 8000       /* of an answer, and more is to come: a server sends what fills its buffer of 8 KiB */
};

int64_t
rille_postgres_now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- a connection that is gone ----------------------------------------------------------------------------- */

void
rille_postgres_drop(rille_postgres_conn *conn)
{
  PQfinish(conn->pg);
  conn->pg = NULL;
  conn->streaming = NULL;
  conn->loading = conn->commit_behind = conn->hidden = false;
  conn->unwanted_count = 0;
  conn->wait_told_ms = -1;
  conn->piped = conn->was_by_row = conn->wall_knows = conn->tracked = false;
  conn->looking = 0;
  conn->failed = conn->in_transaction; /* it is undone, and whoever is in it must be told */
}

rille_status
rille_postgres_lost(rille_postgres_conn *conn, const PGresult *last, rille_fault *fault)
{
  const char *state = last != NULL ? PQresultErrorField(last, PG_DIAG_SQLSTATE) : NULL;
  rille_status status = RILLE_CONNECTION_LOST;

  if (conn->stopped) {
    status = rille_fault_set(fault, RILLE_INTERRUPTED, "the statement was stopped");
  } else if (state != NULL) {
    if (rille_postgres_fault(last, (rille_str){ 0 }, false, fault) == RILLE_SERIALIZATION_FAILURE)
      status = RILLE_SERIALIZATION_FAILURE; /* a replica's transaction that was in the way stood still */
    if (fault != NULL)
      fault->kind = status;
  } else {
    const char *message = conn->silent ? "it has not answered for much longer than a statement may take"
                                       : PQerrorMessage(conn->pg);

    (void)rille_fault_set(fault, RILLE_CONNECTION_LOST, "the connection to the server was lost: %.*s",
                          (int)strcspn(message, "\n"), message);
    rille_fault_hint(fault, "%s",
                     conn->in_transaction ? "the server undoes the transaction; do it again from its beginning"
                                          : "whether a write was done is not known: look, and do it again if not");
  }
  rille_postgres_drop(conn);
  return status;
}

/* The connection is gone.  Behind `last`, what was read last or NULL, may be what the server said last: why it ended
** it. */
static rille_status
gone(rille_postgres_conn *conn, PGresult *last, rille_fault *fault)
{
  enum { RESULTS = 16 }; /* of what a pipeline has not been read of, and NULLs between */
  rille_status status;

  for (int i = 0; i < RESULTS && PQresultErrorField(last, PG_DIAG_SQLSTATE) == NULL && !PQisBusy(conn->pg); i++) {
    PQclear(last);
    last = PQgetResult(conn->pg);
  }
  status = rille_postgres_lost(conn, last, fault);
  PQclear(last);
  return status;
}

/* -- waiting ----------------------------------------------------------------------------------------------- */

bool
rille_postgres_wait(rille_postgres_conn *conn, bool to_write)
{
  int64_t began_ms = conn->silence_ms > 0 ? rille_postgres_now_ms() : 0;
  struct pollfd socket = { .fd = PQsocket(conn->pg), .events = (short)(POLLIN | (to_write ? POLLOUT : 0)) };

  for (;;) {
    int ready = poll(&socket, 1, STOP_CHECK_MS);

    if (ready > 0)
      return true;
    if (ready < 0 && errno != EINTR)
      return false;
    if (rille_stop_requested())
      rille_postgres_cancel(conn); /* once more, when it came before the server had begun: it takes no notice then */
    if (conn->stopped && rille_postgres_now_ms() >= conn->patient_until_ms)
      return false;
    if (conn->silence_ms > 0 && rille_postgres_now_ms() - began_ms >= conn->silence_ms) {
      conn->silent = true;
      return false;
    }
  }
}

/* Takes what has come from the socket, and counts it as long as that says something. */
static bool
consume(rille_postgres_conn *conn)
{
  int bytes = 0;

  if (conn->arrived < MUCH_BYTES && ioctl(PQsocket(conn->pg), FIONREAD, &bytes) == 0 && bytes > 0)
    conn->arrived += (size_t)bytes;
  return PQconsumeInput(conn->pg) != 0;
}

rille_status
rille_postgres_flush(rille_postgres_conn *conn, rille_fault *fault)
{
  int left;

  while ((left = PQflush(conn->pg)) > 0)
    if (!rille_postgres_wait(conn, true) || !consume(conn))
      return gone(conn, NULL, fault);
  return left == 0 ? RILLE_OK : gone(conn, NULL, fault);
}

/* Waits for more to come, and takes it. */
static rille_status
arrive(rille_postgres_conn *conn, rille_fault *fault)
{
  return rille_postgres_wait(conn, false) && consume(conn) ? RILLE_OK : gone(conn, NULL, fault);
}

rille_status
rille_postgres_next(rille_postgres_conn *conn, PGresult **out, rille_fault *fault)
{
  PGresult *result;
  rille_status status = RILLE_OK;

  while (status == RILLE_OK && PQisBusy(conn->pg))
    status = arrive(conn, fault);
  if (status != RILLE_OK)
    return status;
  result = PQgetResult(conn->pg);
  if (PQstatus(conn->pg) == CONNECTION_BAD)
    return gone(conn, result, fault);
  *out = result;
  return RILLE_OK;
}

/* -- one round trip ---------------------------------------------------------------------------------------- */

int
rille_postgres_send_one(PGconn *pg, const rille_postgres_ask *ask, bool alone)
{
  switch (ask->what) {
  case RILLE_ASK_SQL:
    return alone && ask->count == 0 && ask->result_format == 0
             ? PQsendQuery(pg, ask->text)
             : PQsendQueryParams(pg, ask->text, ask->count, ask->types, ask->values, ask->lengths, ask->formats,
                                 ask->result_format);
  case RILLE_ASK_PREPARE: return PQsendPrepare(pg, ask->name, ask->text, 0, NULL);
  case RILLE_ASK_DESCRIBE: return PQsendDescribePrepared(pg, ask->name);
  case RILLE_ASK_RUN:
    return PQsendQueryPrepared(pg, ask->name, ask->count, ask->values, ask->lengths, ask->formats, ask->result_format);
  case RILLE_ASK_SYNC: return PQpipelineSync(pg);
  }
  return 0;
}

rille_status
rille_postgres_cannot_send(rille_postgres_conn *conn, rille_fault *fault)
{
  if (PQstatus(conn->pg) == CONNECTION_BAD)
    return gone(conn, NULL, fault);
  (void)rille_fault_set(fault, RILLE_OUT_OF_MEMORY, "out of memory, or more than can be sent: %s",
                        PQerrorMessage(conn->pg));
  rille_postgres_drop(conn);
  return RILLE_OUT_OF_MEMORY;
}

/* All results of one ask: the first that failed, or else the last.  In a pipeline a NULL ends each; a SYNC has one
** result and no NULL. */
rille_status
rille_postgres_collect(rille_postgres_conn *conn, rille_postgres_ask *ask, rille_fault *fault)
{
  rille_status status;

  for (;;) {
    PGresult *result = NULL;
    ExecStatusType what;

    status = rille_postgres_next(conn, &result, fault);
    if (status == RILLE_CONNECTION_LOST && ask->result != NULL &&
        PQresultErrorField(ask->result, PG_DIAG_SQLSTATE) != NULL) {
      (void)rille_postgres_fault(ask->result, (rille_str){ 0 }, false, fault); /* it said why before it went */
      if (fault != NULL)
        fault->kind = RILLE_CONNECTION_LOST;
    }
    if (status != RILLE_OK || result == NULL)
      return status;
    what = PQresultStatus(result);
    if (what == PGRES_COPY_IN || what == PGRES_COPY_OUT || what == PGRES_COPY_BOTH) {
      PQclear(result);
      rille_postgres_drop(conn);
      return rille_fault_set(fault, RILLE_UNSUPPORTED, "COPY cannot be run here: rows go in by insert");
    }
    if (ask->result != NULL && PQresultStatus(ask->result) == PGRES_FATAL_ERROR) {
      PQclear(result);
    } else {
      PQclear(ask->result);
      ask->result = result;
    }
    if (what == PGRES_PIPELINE_SYNC)
      return RILLE_OK;
  }
}

/* The server ends what takes longer than statement_timeout, if it is there to do so. */
int
rille_postgres_silence(const rille_postgres_conn *conn, const rille_postgres_ask asks[], size_t count)
{
  int64_t ms = END_PATIENCE_MS;

  if (conn->info.statement_ms == 0)
    return 0;
  for (size_t i = 0; i < count; i++)
    if (asks[i].what == RILLE_ASK_SQL || asks[i].what == RILLE_ASK_RUN)
      ms += conn->info.statement_ms;
  return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* libpq goes on giving rows one by one to the first statement of a pipeline, when the last one outside of it was asked
** for so: a SYNC in front of it ends that. */
static rille_status
lead_in(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_ask sync = { .what = RILLE_ASK_SYNC };
  rille_status status = rille_postgres_collect(conn, &sync, fault);

  PQclear(sync.result);
  return status;
}

static rille_status
send_all(rille_postgres_conn *conn, const rille_postgres_ask asks[], size_t count, rille_fault *fault)
{
  bool alone = count == 1, leads;
  rille_status status;

  rille_postgres_look_end(conn);
  if (conn->pg == NULL)
    return rille_fault_set(fault, RILLE_CONNECTION_LOST, "the connection to the server was lost");
  leads = conn->was_by_row && !alone;
  conn->stopped = conn->silent = conn->was_by_row = false;
  conn->arrived = 0;
  conn->silence_ms = rille_postgres_silence(conn, asks, count);
  if (!alone && !PQenterPipelineMode(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  if (leads && !PQpipelineSync(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  for (size_t i = 0; i < count; i++)
    if (!rille_postgres_send_one(conn->pg, &asks[i], alone))
      return rille_postgres_cannot_send(conn, fault);
  if (!alone && !PQpipelineSync(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  status = rille_postgres_flush(conn, fault);
  return status == RILLE_OK && leads ? lead_in(conn, fault) : status;
}

/* The SYNC behind all of a pipeline. */
static rille_status
leave_pipeline(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_ask last = { .what = RILLE_ASK_SYNC };
  rille_status status = rille_postgres_collect(conn, &last, fault);

  PQclear(last.result);
  if (status == RILLE_OK && !PQexitPipelineMode(conn->pg))
    status = rille_postgres_cannot_send(conn, fault);
  return status;
}

rille_status
rille_postgres_exchange(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count, rille_fault *fault)
{
  return rille_postgres_exchange_looking(conn, asks, count, count, fault);
}

rille_status
rille_postgres_exchange_looking(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count, size_t now,
                                rille_fault *fault)
{
  rille_status status = send_all(conn, asks, count, fault);

  conn->arrived = MUCH_BYTES; /* nobody asks */
  for (size_t i = 0; i < now && status == RILLE_OK; i++)
    status = rille_postgres_collect(conn, &asks[i], fault);
  if (status == RILLE_OK && now < count)
    conn->looking = count - now;
  else if (status == RILLE_OK && count > 1)
    status = leave_pipeline(conn, fault);
  if (status == RILLE_OK)
    rille_postgres_settle(conn);
  return status;
}

/* Is the last of these to be run at all?  In a pipeline it is not, when what stands before it failed. */
static bool
is_reached(const rille_postgres_ask asks[], size_t last)
{
  for (size_t i = last; i > 0 && asks[i - 1].what != RILLE_ASK_SYNC; i--)
    if (PQresultStatus(asks[i - 1].result) == PGRES_FATAL_ERROR)
      return false;
  return true;
}

rille_status
rille_postgres_exchange_rows(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count, size_t rows,
                             bool always, bool *come, rille_fault *fault)
{
  rille_status status = send_all(conn, asks, count, fault);

  *come = false;
  for (size_t i = 0; i < rows && status == RILLE_OK; i++)
    status = rille_postgres_collect(conn, &asks[i], fault);
  if (status == RILLE_OK && count == 1 && !always)
    status = arrive(conn, fault);
  if (status == RILLE_OK && (always || conn->arrived >= MUCH_BYTES) && is_reached(asks, rows))
    *come = PQsetSingleRowMode(conn->pg) != 0; /* not when libpq has read of it */
  conn->piped = *come && count > 1;
  conn->was_by_row = *come && count == 1;
  if (*come)
    return RILLE_OK;
  for (size_t i = rows; i < count && status == RILLE_OK; i++)
    status = rille_postgres_collect(conn, &asks[i], fault);
  if (status == RILLE_OK && count > 1)
    status = leave_pipeline(conn, fault);
  if (status == RILLE_OK)
    rille_postgres_settle(conn);
  return status;
}

void
rille_postgres_clear(rille_postgres_ask asks[], size_t count)
{
  for (size_t i = 0; i < count; i++) {
    PQclear(asks[i].result);
    asks[i].result = NULL;
  }
}

/* libpq does not tell while a look is still to be read, which is behind what is in none. */
void
rille_postgres_take_over(rille_postgres_conn *conn)
{
  PGTransactionStatusType now = PQtransactionStatus(conn->pg);

  conn->in_transaction = !conn->hidden && (now == PQTRANS_INTRANS || now == PQTRANS_INERROR);
  if (conn->wait_told_inside && (conn->failed || now != PQTRANS_INTRANS))
    conn->wait_told_ms = -1; /* it may have been rolled back */
  conn->wall_knows = conn->wall_knows && now == PQTRANS_INTRANS;
  conn->wait_told_inside = conn->wait_told_inside && conn->in_transaction;
  conn->failed = !conn->hidden && now == PQTRANS_INERROR;
}

void
rille_postgres_settle(rille_postgres_conn *conn)
{
  rille_postgres_take_over(conn);
  conn->used_ms = rille_postgres_now_ms(); /* not where an answer is read that came long ago */
  conn->round_trips++;
}

void
rille_postgres_look_end(rille_postgres_conn *conn)
{
  rille_postgres_ask asks[RILLE_POSTGRES_LOOKS] = { { .what = RILLE_ASK_RUN } };
  size_t count = conn->looking;
  rille_status status = RILLE_OK;

  if (count == 0)
    return;
  conn->looking = 0;
  for (size_t i = 0; i < count && status == RILLE_OK; i++)
    status = rille_postgres_collect(conn, &asks[i], NULL);
  if (status == RILLE_OK)
    status = leave_pipeline(conn, NULL);
  if (status == RILLE_OK) {
    rille_postgres_looked(conn, &asks[count - 1]);
    rille_postgres_take_over(conn);
  }
  rille_postgres_clear(asks, count);
}

/* -- before it ------------------------------------------------------------------------------------------- */

/* Reads what the server said while nothing was asked: that it goes, for example.  False when it has gone. */
static bool
still_there(rille_postgres_conn *conn)
{
  struct pollfd socket = { .fd = PQsocket(conn->pg), .events = POLLIN };
  PGnotify *notify;

  while (poll(&socket, 1, 0) > 0)
    if (!PQconsumeInput(conn->pg) || PQisBusy(conn->pg) || PQstatus(conn->pg) == CONNECTION_BAD)
      return false;
  while ((notify = PQnotifies(conn->pg)) != NULL)
    PQfreemem(notify);
  return true;
}

rille_status
rille_postgres_ready(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_look_end(conn);
  if (conn->pg != NULL && conn->streaming != NULL)
    return rille_postgres_spill(conn, fault);
  if (conn->loading)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "rows are being put into a table on this connection");
  if (conn->pg != NULL && !conn->in_transaction && rille_postgres_now_ms() - conn->used_ms > IDLE_LOOK_MS &&
      !still_there(conn))
    rille_postgres_drop(conn);
  if (conn->pg != NULL)
    return RILLE_OK;
  if (conn->in_transaction) {
    (void)rille_fault_set(fault, RILLE_CONNECTION_LOST,
                          "the connection was lost in this transaction: nothing of it was kept");
    rille_fault_hint(fault, "roll it back, and do it again from its beginning");
    return RILLE_CONNECTION_LOST;
  }
  return rille_postgres_connect(conn, fault);
}
