/* core/driver/postgres_stream.c - rows one by one; taken into memory when another statement wants the connection. */
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_stmt.h"

enum { SPILL_BYTES = 1 << 20 };

/* -- memory ------------------------------------------------------------------------------------------------ */

static void
forget_spilled(rille_postgres_stmt *stmt)
{
  while (stmt->spilled != NULL) {
    rille_postgres_spilled *next = stmt->spilled->next;

    rille_memory_free(stmt->spilled);
    stmt->spilled = next;
  }
  stmt->spilled_last = NULL;
  stmt->spilled_at = 0;
  stmt->spilled_row = NULL;
  rille_memory_free(stmt->spill_fault);
  stmt->spill_fault = NULL;
  stmt->spill_status = RILLE_OK;
}

static size_t
row_bytes(const PGresult *row, int columns)
{
  size_t bytes = 0;

  for (int i = 0; i < columns; i++)
    bytes += sizeof(int) + (PQgetisnull(row, 0, i) ? 0 : (size_t)PQgetlength(row, 0, i) + 1);
  return bytes;
}

/* Room for one more row; NULL when memory ran out. */
static char *
spill_room(rille_postgres_stmt *stmt, size_t bytes)
{
  rille_postgres_spilled *last = stmt->spilled_last;
  char *room;

  if (last == NULL || last->size - last->len < bytes) {
    size_t size = bytes > SPILL_BYTES ? bytes : SPILL_BYTES;

    last = rille_memory_resize(NULL, sizeof *last + size);
    if (last == NULL)
      return NULL;
    *last = (rille_postgres_spilled){ .size = size };
    if (stmt->spilled_last != NULL)
      stmt->spilled_last->next = last;
    else
      stmt->spilled = last;
    stmt->spilled_last = last;
  }
  room = last->bytes + last->len;
  last->len += bytes;
  return room;
}

static bool
spill_row(rille_postgres_stmt *stmt, const PGresult *row)
{
  int columns = PQnfields(row);
  char *to = spill_room(stmt, row_bytes(row, columns));

  for (int i = 0; i < columns && to != NULL; i++) {
    int length = PQgetisnull(row, 0, i) ? -1 : PQgetlength(row, 0, i);

    memcpy(to, &length, sizeof length);
    to += sizeof length;
    if (length >= 0) {
      memcpy(to, PQgetvalue(row, 0, i), (size_t)length + 1); /* libpq puts a NUL behind each */
      to += length + 1;
    }
  }
  return to != NULL;
}

/* Where the next row of the first block begins, behind this one. */
static size_t
past_row(const rille_postgres_stmt *stmt, size_t at)
{
  for (int i = 0; i < stmt->column_count; i++) {
    int length;

    memcpy(&length, stmt->spilled->bytes + at, sizeof length);
    at += sizeof length + (length >= 0 ? (size_t)length + 1 : 0);
  }
  return at;
}

const char *
rille_postgres_spilled_value(const rille_postgres_stmt *stmt, int column, size_t *length)
{
  const char *at = stmt->spilled_row;

  for (int i = 0;; i++) {
    int bytes;

    memcpy(&bytes, at, sizeof bytes);
    at += sizeof bytes;
    if (i == column) {
      *length = bytes >= 0 ? (size_t)bytes : 0;
      return bytes >= 0 ? at : NULL;
    }
    at += bytes >= 0 ? (size_t)bytes + 1 : 0;
  }
}

/* -- the stream -------------------------------------------------------------------------------------------- */

/* Reads what comes behind the last row: the connection is free then. */
static rille_status
finish(rille_postgres_conn *conn, rille_fault *fault)
{
  PGresult *result = NULL;
  rille_status status;

  do {
    PQclear(result);
    result = NULL;
    status = rille_postgres_next(conn, &result, fault);
  } while (status == RILLE_OK && result != NULL);
  conn->streaming = NULL;
  if (status == RILLE_OK)
    rille_postgres_settle(conn);
  return status;
}

/* What came instead of a row: the end, or a failure. */
static rille_status
end_of_stream(rille_postgres_stmt *stmt, PGresult *result, rille_fault *fault)
{
  rille_postgres_conn *conn = stmt->conn;
  rille_status status = RILLE_OK, finished;

  if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR)
    status = rille_postgres_fault(result, stmt->sql, conn->stopped, fault);
  PQclear(result);
  finished = finish(conn, status == RILLE_OK ? fault : NULL);
  return status != RILLE_OK ? status : finished;
}

static rille_status
spilled_next(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  while (stmt->spilled != NULL && stmt->spilled_at >= stmt->spilled->len) {
    rille_postgres_spilled *next = stmt->spilled->next;

    rille_memory_free(stmt->spilled);
    stmt->spilled = next;
    stmt->spilled_at = 0;
  }
  if (stmt->spilled != NULL) {
    stmt->spilled_row = stmt->spilled->bytes + stmt->spilled_at;
    stmt->spilled_at = past_row(stmt, stmt->spilled_at);
    *row = true;
    return RILLE_OK;
  }
  stmt->spilled_last = NULL;
  stmt->spilled_row = NULL;
  if (stmt->spill_status == RILLE_OUT_OF_MEMORY || (stmt->spill_status != RILLE_OK && stmt->spill_fault == NULL))
    return rille_fault_no_memory(fault);
  if (stmt->spill_status != RILLE_OK && fault != NULL)
    *fault = *stmt->spill_fault;
  return stmt->spill_status;
}

rille_status
rille_postgres_stream_next(rille_postgres_stmt *stmt, bool *row, rille_fault *fault)
{
  PGresult *result = NULL;
  rille_status status;

  *row = false;
  if (stmt->conn->streaming != stmt)
    return spilled_next(stmt, row, fault);
  PQclear(stmt->result);
  stmt->result = NULL;
  status = rille_postgres_next(stmt->conn, &result, fault);
  if (status != RILLE_OK)
    return status;
  if (result == NULL || PQresultStatus(result) != PGRES_SINGLE_TUPLE)
    return end_of_stream(stmt, result, fault);
  stmt->result = result;
  stmt->at = 0;
  *row = true;
  return RILLE_OK;
}

rille_status
rille_postgres_spill(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_stmt *stmt = conn->streaming;
  rille_fault why = { 0 };
  rille_status status;
  bool kept = true;

  for (;;) {
    PGresult *result = NULL;

    status = rille_postgres_next(conn, &result, &why);
    if (status != RILLE_OK)
      break;
    if (result == NULL || PQresultStatus(result) != PGRES_SINGLE_TUPLE) {
      status = end_of_stream(stmt, result, &why);
      break;
    }
    kept = kept && spill_row(stmt, result);
    PQclear(result);
  }
  stmt->spill_status = kept ? status : RILLE_OUT_OF_MEMORY;
  if (stmt->spill_status != RILLE_OK && kept) {
    stmt->spill_fault = rille_memory_get(sizeof *stmt->spill_fault);
    if (stmt->spill_fault != NULL)
      *stmt->spill_fault = why;
  }
  return conn->pg != NULL ? RILLE_OK : rille_postgres_ready(conn, fault);
}

void
rille_postgres_stream_end(rille_postgres_stmt *stmt)
{
  rille_postgres_conn *conn = stmt->conn;

  if (conn->streaming == stmt) {
    if (!conn->in_transaction) /* in one, it would fail with it */
      rille_postgres_cancel(conn);
    (void)finish(conn, NULL);
  }
  forget_spilled(stmt);
}
