/* core/driver/postgres_stream.c - rows one by one; put out of the way when another statement wants the connection.
**
** A cursor's rows come so, and those of a result that is large, so that they are worked on while the rest comes. */
#include "core/base/memory.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_fetch.h"
#include "core/driver/postgres_stmt.h"

/* Was that the last result?  A pipeline ends with its SYNC; NULLs only stand between its parts. */
static bool
is_last(const rille_postgres_conn *conn, const PGresult *result)
{
  return conn->piped ? result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC : result == NULL;
}

/* Reads what comes behind the last row: the connection is free then. */
static rille_status
finish(rille_postgres_conn *conn, rille_fault *fault)
{
  PGresult *result = NULL;
  rille_status status, committed = RILLE_OK;

  do {
    PQclear(result);
    result = NULL;
    status = rille_postgres_next(conn, &result, fault);
    if (conn->commit_behind && PQresultStatus(result) == PGRES_FATAL_ERROR && result != NULL)
      committed = rille_postgres_fault(result, (rille_str){ 0 }, conn->stopped, fault);
  } while (status == RILLE_OK && !is_last(conn, result));
  PQclear(result);
  conn->streaming = NULL;
  if (status == RILLE_OK && conn->piped && !PQexitPipelineMode(conn->pg))
    status = rille_postgres_cannot_send(conn, fault);
  conn->piped = false;
  if (status == RILLE_OK) {
    rille_postgres_settle(conn);
    conn->committed = conn->committed || (conn->commit_behind && committed == RILLE_OK && !conn->in_transaction);
    status = committed;
  }
  conn->commit_behind = false;
  return status;
}

void
rille_postgres_stream_begin(rille_postgres_stmt *stmt)
{
  stmt->conn->streaming = stmt;
  stmt->streams = true;
  stmt->rows = 0;
  stmt->at = -1;
  stmt->streamed = 0;
}

/* What came instead of a row: the end, or a failure. */
static rille_status
end_of_stream(rille_postgres_stmt *stmt, PGresult *result, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_status status = RILLE_OK, finished;

  if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR) {
    stmt->stale = rille_postgres_is_stale(result);
    stmt->missing = rille_postgres_is(result, "26000");
    status = rille_postgres_fault(result, stmt->sql, conn->stopped, fault);
  }
  PQclear(result);
  finished = finish(conn, status == RILLE_OK ? fault : NULL);
  return status != RILLE_OK ? status : finished;
}

/* A row that was spilled; behind the last one, what the stream ended with. */
static rille_status
spilled_next(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  rille_postgres_spilled *spilled = &stmt->spilled;
  rille_status status;

  spilled->row = rille_spill_next(&spilled->rows, &status);
  *row = spilled->row != NULL;
  if (!*row && status == RILLE_OK)
    status = spilled->status;
  if (status == RILLE_OUT_OF_MEMORY)
    return rille_fault_no_memory(fault);
  if (status == RILLE_DISK_FULL && spilled->fault == NULL)
    return rille_fault_set(fault, status, "the rows of a cursor do not fit on the disk of temporary files");
  if (status != RILLE_OK && fault != NULL && spilled->fault != NULL)
    *fault = *spilled->fault;
  return status;
}

/* The next rows of those that are on their way; *rows is NULL behind the last one, where the connection is free. */
static rille_status
more(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault)
{
  PGresult *result = NULL;
  rille_status status;

  *rows = NULL;
  if (stmt->fetch.open) {
    status = rille_postgres_fetch_more(stmt, rows, fault);
  } else {
    status = rille_postgres_next(stmt->conn, &result, fault);
    if (status == RILLE_OK && result != NULL && PQresultStatus(result) == PGRES_SINGLE_TUPLE)
      *rows = result;
    else if (status == RILLE_OK)
      status = end_of_stream(stmt, result, fault);
  }
  if (*rows != NULL)
    stmt->streamed += PQntuples(*rows);
  else if (status == RILLE_OK && stmt->one_by_one)
    stmt->few = stmt->streamed <= RILLE_POSTGRES_FEW_ROWS;
  return status;
}

rille_status
rille_postgres_stream_next(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  rille_status status;

  *row = false;
  if (stmt->conn->streaming != stmt)
    return spilled_next(stmt, row, fault);
  PQclear(stmt->result);
  stmt->result = NULL;
  stmt->rows = 0;
  status = more(stmt, &stmt->result, fault);
  if (status == RILLE_OK && stmt->result != NULL) {
    stmt->rows = PQntuples(stmt->result);
    stmt->at = 0;
    *row = true;
  }
  return status;
}

rille_status
rille_postgres_spill(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_stmt *stmt = conn->streaming;
  rille_postgres_spilled *spilled = &stmt->spilled;
  rille_fault why = { 0 };
  rille_status status, kept = RILLE_OK;

  for (;;) {
    PGresult *rows;

    status = more(stmt, &rows, &why);
    if (rows == NULL)
      break;
    for (int i = 0; i < PQntuples(rows) && kept == RILLE_OK; i++)
      kept = rille_postgres_spill_row(&spilled->rows, rows, i);
    PQclear(rows);
  }
  if (kept == RILLE_OK)
    kept = rille_spill_seal(&spilled->rows);
  spilled->status = kept != RILLE_OK ? kept : status;
  if (kept == RILLE_OK && status != RILLE_OK) {
    spilled->fault = rille_memory_get(sizeof *spilled->fault);
    if (spilled->fault != NULL)
      *spilled->fault = why;
    else
      spilled->status = RILLE_OUT_OF_MEMORY;
  }
  return rille_postgres_ready(conn, fault);
}

void
rille_postgres_stream_end(rille_postgres_stmt *stmt)
{
  rille_postgres_conn *conn = stmt->conn;

  if (conn->streaming == stmt && stmt->fetch.open) {
    rille_postgres_fetch_end(stmt);
  } else if (conn->streaming == stmt) {
    if (stmt->one_by_one && !conn->in_transaction) /* in one, it would fail with it */
      rille_postgres_cancel(conn);
    (void)finish(conn, NULL);
  }
  rille_spill_clear(&stmt->spilled.rows);
  rille_memory_free(stmt->spilled.fault);
  stmt->spilled = (rille_postgres_spilled){ 0 };
}
