/* core/driver/postgres_run.c - runs a statement: values go out, rows come in.
**
** A transaction begins at the server with its first statement, in the same round trip.  Values are encoded when a
** statement runs, not when they are bound: by then it may have been prepared again, and its parameters have other
** types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/driver/postgres_error.h"
#include "core/driver/postgres_fetch.h"
#include "core/driver/postgres_place.h"
#include "core/driver/postgres_stmt.h"
#include "core/driver/postgres_wall.h"

rille_status
rille_postgres_bind(rille_stmt *base, int index, const rille_cell *cell, rille_fault *fault)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;

  if (index < 1 || index > stmt->param_count)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the statement has %d parameters: there is no parameter %d",
                           stmt->param_count, index);
  if (cell->kind == RILLE_TEXT && cell->as.text.len > 0 && memchr(cell->as.text.at, '\0', cell->as.text.len) != NULL)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "a text holds a NUL byte, which PostgreSQL cannot keep");
  stmt->cells[index - 1] = *cell;
  return RILLE_OK;
}

/* The server takes no message of a gigabyte, and ends the connection over one. */
static rille_status
encode(rille_postgres_stmt *stmt, rille_fault *fault)
{
  static const size_t BYTES_MAX = ((size_t)1 << 30) - (1 << 20);
  size_t bytes = 0;
  rille_status status = RILLE_OK;

  for (int i = 0; i < stmt->param_count; i++) {
    const rille_cell *cell = &stmt->cells[i];
    size_t form = cell->kind == RILLE_BLOB && stmt->params[i] != RILLE_PG_TEXT && stmt->params[i] != RILLE_PG_BYTEA;

    bytes += cell->kind == RILLE_TEXT || cell->kind == RILLE_BLOB ? cell->as.text.len << form : 32;
    if (bytes > BYTES_MAX) {
      (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                            "the values of one statement have more than a gigabyte together: PostgreSQL takes less");
      return RILLE_INVALID_ARGUMENT;
    }
  }
  for (int i = 0; i < stmt->param_count && status == RILLE_OK; i++) {
    rille_postgres_value *value = &stmt->values[i];

    status = rille_postgres_give(stmt->params[i], &stmt->cells[i], &stmt->made, value, fault);
    stmt->bytes[i] = value->bytes;
    stmt->lengths[i] = value->length;
    stmt->formats[i] = value->format;
  }
  return status;
}

/* Rows that INSERT, UPDATE, DELETE or MERGE changed, as other tags count what was read; and that a savepoint was rolled
** back, with what was set since. */
void
rille_postgres_read_tag(rille_postgres_conn *conn, PGresult *result)
{
  static const char *const tags[] = { "INSERT ", "UPDATE ", "DELETE ", "MERGE " };
  const char *tag = PQcmdStatus(result);

  if (tag[0] == 'S') /* SELECT, as most are, says nothing of these */
    return;
  for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
    if (strncmp(tag, tags[i], strlen(tags[i])) == 0)
      conn->changes = strtoll(PQcmdTuples(result), NULL, 10);
  if (conn->wait_told_inside && strcmp(tag, "ROLLBACK") == 0)
    conn->wait_told_ms = -1;
  if (strcmp(tag, "ROLLBACK") == 0)
    conn->wall_knows = false;
}

size_t
rille_postgres_before(rille_postgres_conn *conn, rille_postgres_ask asks[], char told[RILLE_POSTGRES_TOLD_BYTES])
{
  size_t count = 0;

  if (conn->wait_told_ms != conn->wait_ms && !conn->failed) {
    (void)snprintf(told, RILLE_POSTGRES_TOLD_BYTES, "set lock_timeout = %d", conn->wait_ms > 0 ? conn->wait_ms : 1);
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = told };
    if (!conn->in_transaction)
      asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SYNC };
    conn->wait_told_ms = conn->wait_ms;
    conn->wait_told_inside = conn->in_transaction;
  }
  if (conn->begin != NULL)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = conn->begin };
  return count;
}

size_t
rille_postgres_run_asks(const rille_postgres_stmt *stmt, rille_postgres_ask asks[])
{
  size_t count = 0;

  if (stmt->conn->unnamed)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_PREPARE, .name = "", .text = stmt->sql.at };
  asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_RUN,
                                        .name = stmt->conn->unnamed ? "" : stmt->name,
                                        .count = stmt->param_count,
                                        .values = stmt->bytes,
                                        .lengths = stmt->lengths,
                                        .formats = stmt->formats,
                                        .result_format = stmt->binary };
  return count;
}

/* The transaction goes on from before the statement that failed. */
static void
go_back(rille_postgres_conn *conn)
{
  rille_postgres_ask back[] = { { .what = RILLE_ASK_SQL, .text = "rollback to savepoint rille_guard" },
                                { .what = RILLE_ASK_SQL, .text = "release savepoint rille_guard" } };

  (void)rille_postgres_exchange(conn, back, 2, NULL);
  rille_postgres_clear(back, 2);
}

/* What one round trip holds around a statement. */
typedef struct round_trip {
  rille_postgres_ask
    asks[RILLE_POSTGRES_BEFORE + RILLE_POSTGRES_HOMES + RILLE_POSTGRES_WALLS + 4 + RILLE_POSTGRES_LOOKS];
  char told[RILLE_POSTGRES_TOLD_BYTES];
  size_t count, run, now; /* asks, which of them is the statement itself, and those waited for */
  bool guards, fetches;
} round_trip;

static void
plan(rille_postgres_stmt *stmt, round_trip *trip)
{
  rille_postgres_conn *conn = stmt->conn;
  bool inside = conn->in_transaction || conn->begin != NULL;
  bool looks = conn->tracks && !inside && !stmt->one_by_one;

  trip->guards = stmt->guarded && inside && !stmt->one_by_one && !conn->failed;
  trip->fetches = rille_postgres_fetches(stmt);
  trip->count = rille_postgres_before(conn, trip->asks, trip->told);
  trip->count += rille_postgres_home(conn, stmt->own, trip->asks + trip->count);
  if (trip->fetches && !inside)
    trip->asks[trip->count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = "begin" };
  trip->count += rille_postgres_wall(stmt, trip->asks + trip->count);
  if (trip->guards)
    trip->asks[trip->count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = "savepoint rille_guard" };
  trip->count += trip->fetches ? rille_postgres_fetch_asks(stmt, trip->asks + trip->count)
                               : rille_postgres_run_asks(stmt, trip->asks + trip->count);
  trip->run = trip->count - 1;
  if (trip->guards)
    trip->asks[trip->count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = "release savepoint rille_guard" };
  trip->now = trip->count;
  if (looks) {
    trip->count += rille_postgres_look(conn, true, trip->asks + trip->count);
    trip->now++; /* the SYNC, with which it is committed */
  }
}

/* Makes the round trip.  *come: the rows of the statement come one by one.  One that gave few of them the last time
** will give few again, or all at once. */
static rille_status
make(rille_postgres_stmt *stmt, round_trip *trip, bool *come, rille_fault *fault)
{
  bool last = trip->run + 1 == trip->count;

  *come = false;
  if (trip->fetches)
    return rille_postgres_exchange_rows(stmt->conn, trip->asks, trip->count, trip->run, false, come, fault);
  if (last && (stmt->one_by_one || (!stmt->writes && !stmt->few)))
    return rille_postgres_exchange_rows(stmt->conn, trip->asks, trip->count, trip->run, stmt->one_by_one, come, fault);
  return rille_postgres_exchange_looking(stmt->conn, trip->asks, trip->count, trip->now, fault);
}

/* A transaction that somebody began in SQL is not at its end. */
static bool
begins(PGresult *result)
{
  const char *tag = PQcmdStatus(result);

  return strcmp(tag, "BEGIN") == 0 || strcmp(tag, "START TRANSACTION") == 0;
}

/* The result has all rows. */
static void
take_whole(rille_postgres_stmt *stmt)
{
  stmt->streams = false;
  stmt->rows = PQntuples(stmt->result);
  stmt->few = stmt->rows <= RILLE_POSTGRES_FEW_ROWS;
  stmt->at = -1;
}

/* Asks the server to run it, and takes what comes.  *stale: it must be prepared again first. */
static rille_status
ask(rille_postgres_stmt *stmt, bool *stale, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  const char *begin = conn->begin;
  rille_status status;
  round_trip trip;
  bool come;

  *stale = stmt->missing = false;
  conn->wrote = conn->wrote || stmt->writes;
  plan(stmt, &trip);
  conn->hidden = trip.fetches && begin == NULL && !conn->in_transaction;
  if (begin != NULL) {
    conn->begin = NULL;
    conn->in_transaction = true; /* lost from here on, it is lost with all of it */
  }
  conn->astray = conn->astray || stmt->own;
  status = make(stmt, &trip, &come, fault);
  if (come && trip.fetches)
    rille_postgres_fetch_begin(stmt, NULL);
  else if (come)
    rille_postgres_stream_begin(stmt);
  if (status == RILLE_OK)
    status = rille_postgres_walled(conn, trip.asks, trip.count, stale, fault);
  for (size_t i = 0; i < trip.run + !come && status == RILLE_OK; i++)
    if (PQresultStatus(trip.asks[i].result) == PGRES_FATAL_ERROR) {
      *stale = i == trip.run && rille_postgres_is_stale(trip.asks[i].result);
      stmt->missing = *stale && rille_postgres_is(trip.asks[i].result, "26000");
      status = rille_postgres_fault(trip.asks[i].result, trip.fetches ? stmt->fetch.declare : stmt->sql, conn->stopped,
                                    fault);
      if (stmt->walled)
        status = rille_postgres_wall_fault(trip.asks[i].result, status, fault);
      if (trip.guards && i == trip.run)
        go_back(conn);
    }
  if (come && status != RILLE_OK) {
    rille_postgres_stream_end(stmt);
  } else if (trip.fetches && status != RILLE_OK) {
    rille_postgres_fetch_undo(conn);
  } else if (trip.fetches && !come) {
    rille_postgres_fetch_begin(stmt, trip.asks[trip.run].result);
    trip.asks[trip.run].result = NULL;
  } else if (status == RILLE_OK && !come) {
    stmt->result = trip.asks[trip.run].result;
    trip.asks[trip.run].result = NULL;
    take_whole(stmt);
    conn->astray = stmt->own;
    rille_postgres_read_tag(conn, stmt->result);
    if (trip.now < trip.count && begins(stmt->result))
      rille_postgres_look_end(conn);
  }
  rille_postgres_clear(trip.asks, trip.count);
  if (*stale && begin != NULL && conn->failed && rille_postgres_rollback(&conn->base, NULL) == RILLE_OK)
    conn->begin = begin; /* nothing was done in it: it can begin once more */
  return status;
}

rille_status
rille_postgres_encode(rille_postgres_stmt *stmt, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  if (stmt->stale || stmt->generation != stmt->conn->generation) {
    status = rille_postgres_prepare_again(stmt, fault);
    stmt->changed = true;
  }
  if (status == RILLE_OK)
    status = encode(stmt, fault);
  return status == RILLE_OK && rille_postgres_fetches(stmt) ? rille_postgres_fetch_write(stmt, fault) : status;
}

/* The transaction has failed with it, or it failed twice: done again, all of it may succeed. */
static rille_status
say_stale(rille_fault *fault)
{
  (void)rille_fault_set(fault, RILLE_SERIALIZATION_FAILURE, "the schema changed since this statement was first run");
  rille_fault_hint(fault, "do the transaction again");
  return RILLE_SERIALIZATION_FAILURE;
}

/* A statement that the server does not know any more, or in another form, is prepared again where nothing is lost by
** trying.  One that it does not know even then was prepared at another server, behind a pooler. */
static rille_status
start(rille_postgres_stmt *stmt, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_status status = rille_postgres_ready(conn, fault);
  bool stale = false;

  if (status == RILLE_OK)
    status = rille_postgres_go_home(conn, fault);
  for (int tries = 0; tries < 3 && status == RILLE_OK; tries++) {
    status = rille_postgres_encode(stmt, fault);
    stale = false;
    if (status == RILLE_OK)
      status = ask(stmt, &stale, fault);
    stmt->stale = stmt->stale || stale;
    if (stale && stmt->missing && (tries == 1 || conn->failed))
      conn->unnamed = true;
    if (!stale || conn->failed)
      break;
    status = tries < 2 ? RILLE_OK : status;
  }
  return stale && status != RILLE_OK ? say_stale(fault) : status;
}

/* What came when it ran together with others: one that the server did not take is run for itself, if that does no
** harm. */
static rille_status
look_at(rille_postgres_stmt *stmt, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  if (stmt->streams)
    return RILLE_OK;
  if (PQresultStatus(stmt->result) == PGRES_PIPELINE_ABORTED)
    status = rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "a statement that ran before it failed");
  else if (PQresultStatus(stmt->result) == PGRES_FATAL_ERROR)
    status = rille_postgres_fault(stmt->result, stmt->sql, false, fault);
  if (status == RILLE_OK) {
    take_whole(stmt);
    return RILLE_OK;
  }
  if (stmt->walled)
    status = rille_postgres_wall_fault(stmt->result, status, fault);
  stmt->stale = stmt->untold || rille_postgres_is_stale(stmt->result);
  PQclear(stmt->result);
  stmt->result = NULL;
  if (!stmt->stale)
    return status;
  return stmt->conn->in_transaction ? say_stale(fault) : start(stmt, fault);
}

static rille_status
next_row(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  *row = stmt->at + 1 < stmt->rows;
  stmt->at += *row;
  return *row || !stmt->streams ? RILLE_OK : rille_postgres_stream_next(stmt, row, fault);
}

/* Whether the server takes a stream is known only with its first row: one that it does not take, outside of a
** transaction, is run as others are. */
static rille_status
first_row(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_status status = next_row(stmt, row, fault);

  if (status == RILLE_OK || !stmt->stale || conn->pg == NULL)
    return status;
  if (conn->failed)
    return say_stale(fault);
  conn->unnamed = conn->unnamed || stmt->missing;
  stmt->one_by_one = false;
  status = start(stmt, fault);
  return status == RILLE_OK ? next_row(stmt, row, fault) : status;
}

rille_status
rille_postgres_step(rille_stmt *base, bool *row, rille_fault *fault)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;
  rille_status status;

  *row = false;
  switch (stmt->state) {
  case RILLE_PG_READY:
  case RILLE_PG_CAME:
    status = stmt->state == RILLE_PG_READY ? start(stmt, fault) : look_at(stmt, fault);
    stmt->state = RILLE_PG_RUNS;
    if (status == RILLE_OK)
      status = first_row(stmt, row, fault);
    break;
  case RILLE_PG_RUNS: status = next_row(stmt, row, fault); break;
  default:
    return stmt->ended == RILLE_OK ? RILLE_OK : rille_fault_set(fault, stmt->ended, "the statement has failed before");
  }
  if (!*row) {
    stmt->state = RILLE_PG_ENDED;
    stmt->ended = status;
  }
  return status;
}

rille_status
rille_postgres_row(rille_stmt *base, rille_cell cells[], rille_fault *fault)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;
  const PGresult *result = stmt->spilled.row == NULL ? stmt->result : NULL;
  int count = stmt->column_count, at = stmt->at;
  rille_status status = RILLE_OK;

  if (stmt->texts.blocks != NULL)
    rille_arena_reset(&stmt->texts);
  for (int i = 0; i < count && status == RILLE_OK; i++) {
    const char *bytes;
    size_t length = 0;

    if (result == NULL) {
      bytes = rille_postgres_spilled_value(stmt->spilled.row, i, &length);
    } else {
      length = (size_t)PQgetlength(result, at, i); /* of NULL 0: most values need not be asked if they are */
      bytes = length == 0 && PQgetisnull(result, at, i) ? NULL : PQgetvalue(result, at, i);
    }
    if (bytes == NULL)
      cells[i].kind = RILLE_NULL;
    else if (!rille_postgres_take_common(&stmt->columns[i], stmt->binary, bytes, length, &cells[i]))
      status = rille_postgres_take(&stmt->columns[i], stmt->binary, bytes, length, &stmt->texts, &cells[i], fault);
  }
  return status;
}
