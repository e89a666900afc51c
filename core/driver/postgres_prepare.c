/* core/driver/postgres_prepare.c - statements: made, described, made again, and forgotten by the server.
**
** libpq 15 cannot close a prepared statement; DEALLOCATE does, in the round trip of a later one. */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_place.h"
#include "core/driver/postgres_scan.h"
#include "core/driver/postgres_stmt.h"

/* Remembers that the server may forget the statement; where memory is short it does not. */
static void
not_wanted(rille_postgres_conn *conn, const rille_postgres_stmt *stmt)
{
  if (conn->pg == NULL || conn->unnamed || stmt->generation != conn->generation)
    return;
  if (conn->unwanted_count == conn->unwanted_room) {
    size_t room = conn->unwanted_room > 0 ? conn->unwanted_room * 2 : 16;
    uint64_t *grown = rille_memory_resize(conn->unwanted, room * sizeof *grown);

    if (grown == NULL)
      return;
    conn->unwanted = grown;
    conn->unwanted_room = room;
  }
  conn->unwanted[conn->unwanted_count++] = stmt->number;
}

/* Nobody else's name: whoever ran a statement of another client by mistake would get what it never asked for. */
static void
put_name(const rille_postgres_conn *conn, uint64_t number, char name[RILLE_POSTGRES_NAME_BYTES])
{
  (void)snprintf(name, RILLE_POSTGRES_NAME_BYTES, "rille_%016llx_%llu", (unsigned long long)conn->nonce,
                 (unsigned long long)number);
}

/* Makes asks that have the server forget statements; returns how many.  In a transaction none: one that fails would
** spoil it. */
static size_t
forget(rille_postgres_conn *conn, rille_postgres_ask asks[], char texts[][RILLE_POSTGRES_NAME_BYTES + 16], size_t most)
{
  static const char deallocate[] = "deallocate ";
  size_t count = 0;

  if (conn->in_transaction)
    return 0;
  while (count + 1 < most && conn->unwanted_count > 0) {
    memcpy(texts[count], deallocate, sizeof deallocate);
    put_name(conn, conn->unwanted[--conn->unwanted_count], texts[count] + sizeof deallocate - 1);
    asks[count] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = texts[count] };
    count++;
  }
  if (count > 0)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SYNC };
  return count;
}

/* Has no value of the type more than a kilobyte or so? */
static bool
is_narrow(rille_postgres_form form, int typmod)
{
  switch (form) {
  case RILLE_PG_TEXT: return typmod > 0 && typmod <= 4 + 255; /* varchar(255) */
  case RILLE_PG_BYTEA:
  case RILLE_PG_JSONB:
  case RILLE_PG_OTHER: return false;
  default: return true;
  }
}

/* Takes over what the server says that the statement takes and gives. */
static rille_status
describe(rille_postgres_stmt *stmt, PGresult *described, rille_fault *fault)
{
  int params = PQnparams(described), columns = PQnfields(described);
  bool binary = true, narrow = true;

  rille_arena_reset(&stmt->about);
  stmt->params = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->params);
  stmt->types = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->types);
  stmt->values = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->values);
  stmt->bytes = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->bytes);
  stmt->lengths = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->lengths);
  stmt->formats = rille_arena_get(&stmt->about, (size_t)params * sizeof *stmt->formats);
  stmt->columns = rille_arena_get(&stmt->about, (size_t)columns * sizeof *stmt->columns);
  if (stmt->cells == NULL) {
    stmt->cells = rille_memory_get((size_t)params * sizeof *stmt->cells);
    stmt->param_count = params;
  }
  if (!rille_arena_ok(&stmt->about) || stmt->cells == NULL) {
    PQclear(described);
    return rille_fault_no_memory(fault);
  }
  for (int i = 0; i < params; i++) {
    stmt->types[i] = PQparamtype(described, i);
    stmt->params[i] = rille_postgres_form_of(stmt->types[i]);
  }
  for (int i = 0; i < columns; i++) {
    unsigned type = PQftype(described, i);
    bool expression = PQftable(described, i) == 0;

    stmt->columns[i].form = rille_postgres_form_of(type);
    if (stmt->columns[i].form == RILLE_PG_NUMERIC && expression && PQfmod(described, i) < 0)
      stmt->columns[i].form = RILLE_PG_SUM;
    rille_postgres_declare(type, PQfmod(described, i), expression, stmt->columns[i].declared);
    binary = binary && stmt->columns[i].form != RILLE_PG_OTHER;
    narrow = narrow && is_narrow(stmt->columns[i].form, PQfmod(described, i));
  }
  PQclear(stmt->described);
  stmt->described = described;
  stmt->column_count = columns;
  stmt->binary = binary;
  stmt->narrow = narrow;
  return RILLE_OK;
}

rille_status
rille_postgres_prepare_again(rille_postgres_stmt *stmt, rille_fault *fault)
{
  enum { FORGOTTEN = 32 };
  rille_postgres_conn *conn = stmt->conn;
  char texts[FORGOTTEN][RILLE_POSTGRES_NAME_BYTES + 16];
  rille_postgres_ask asks[FORGOTTEN + RILLE_POSTGRES_HOMES + 2];
  size_t count = forget(conn, asks, texts, FORGOTTEN);
  const char *name = conn->unnamed ? "" : stmt->name;
  rille_postgres_ask *made, *described;
  rille_status status;

  count += rille_postgres_home(conn, false, asks + count);
  made = &asks[count];
  described = &asks[count + 1];
  stmt->number = ++conn->names;
  put_name(conn, stmt->number, stmt->name);
  *made = (rille_postgres_ask){ .what = RILLE_ASK_PREPARE, .text = stmt->sql.at, .name = name };
  *described = (rille_postgres_ask){ .what = RILLE_ASK_DESCRIBE, .name = name };
  count += 2;
  status = rille_postgres_exchange(conn, asks, count, fault);
  if (status == RILLE_OK && PQresultStatus(made->result) != PGRES_COMMAND_OK) {
    status = rille_postgres_fault(made->result, stmt->sql, conn->stopped, fault);
  } else if (status == RILLE_OK && PQresultStatus(described->result) != PGRES_COMMAND_OK) {
    status = rille_postgres_fault(described->result, stmt->sql, conn->stopped, fault);
  } else if (status == RILLE_OK) {
    stmt->generation = conn->generation;
    stmt->stale = false;
    if (stmt->cells != NULL && PQnparams(described->result) != stmt->param_count)
      status = rille_fault_set(fault, RILLE_SERIALIZATION_FAILURE, "the schema changed since this statement was made");
    else
      status = describe(stmt, described->result, fault);
    if (status == RILLE_OK || status == RILLE_OUT_OF_MEMORY)
      described->result = NULL;
  }
  rille_postgres_clear(asks, count);
  return status;
}

static rille_status
check_text(rille_str sql, rille_postgres_scan *scan, rille_fault *fault)
{
  if (sql.len > INT32_MAX || (sql.len > 0 && memchr(sql.at, '\0', sql.len) != NULL))
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the SQL text holds a NUL byte or is too long");
  *scan = rille_postgres_scan_text(sql);
  if (scan->empty)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the text holds no SQL statement");
  if (scan->top > RILLE_POSTGRES_PARAMS_MAX) {
    (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the statement has more than %d values",
                          RILLE_POSTGRES_PARAMS_MAX);
    rille_fault_hint(fault, "do it in several statements");
    return RILLE_INVALID_ARGUMENT;
  }
  if (scan->copies) {
    (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "COPY from or to the client cannot be run here");
    rille_fault_hint(fault, "rows go in by insert, many at a time, and come out of a query");
    return RILLE_UNSUPPORTED;
  }
  return RILLE_OK;
}

void
rille_postgres_reset(rille_stmt *base)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;

  if (stmt->streams)
    rille_postgres_stream_end(stmt);
  PQclear(stmt->result);
  stmt->result = NULL;
  stmt->state = RILLE_PG_READY;
  stmt->one_by_one = stmt->streams = stmt->guarded = stmt->walled = false;
  for (int i = 0; i < stmt->param_count; i++)
    stmt->cells[i].kind = RILLE_NULL;
  if (stmt->made.blocks != NULL)
    rille_arena_reset(&stmt->made);
}

void
rille_postgres_free(rille_stmt *base)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;

  if (stmt == NULL)
    return;
  if (stmt->cells != NULL) {
    rille_postgres_reset(base);
    not_wanted(stmt->conn, stmt);
  }
  PQclear(stmt->described);
  rille_memory_free(stmt->cells);
  rille_memory_free((char *)(uintptr_t)stmt->sql.at);
  rille_arena_release(&stmt->about);
  rille_arena_release(&stmt->made);
  rille_arena_release(&stmt->texts);
  rille_memory_free(stmt);
}

rille_status
rille_postgres_prepare(rille_conn *base, rille_str sql, rille_stmt **out, rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  rille_postgres_stmt *stmt = NULL;
  rille_postgres_scan scan = { 0 };
  rille_status status = check_text(sql, &scan, fault);

  if (status == RILLE_OK) {
    stmt = rille_memory_get(sizeof *stmt);
    status = stmt != NULL ? RILLE_OK : rille_fault_no_memory(fault);
  }
  if (status == RILLE_OK) {
    stmt->base.driver = &rille_driver_postgres;
    stmt->conn = conn;
    stmt->writes = scan.writes;
    stmt->queries = scan.queries && !scan.writes;
    rille_postgres_defer(conn, scan.defers);
    stmt->sql = (rille_str){ rille_memory_copy(sql.at, sql.len), sql.len };
    if (stmt->sql.at == NULL)
      status = rille_fault_no_memory(fault);
  }
  if (status == RILLE_OK)
    status = rille_postgres_ready(conn, fault);
  if (status == RILLE_OK)
    status = rille_postgres_prepare_again(stmt, fault);
  if (status == RILLE_SYNTAX && scan.several)
    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                             "the text holds more than one SQL statement; only one can be run at a time");
  if (status == RILLE_OK) {
    *out = &stmt->base;
    stmt = NULL;
  }
  rille_postgres_free((rille_stmt *)stmt);
  return status;
}
