/* core/driver/postgres_load.c - rows into a table by COPY, in its text format: the server reads each value as it reads
** the texts of SQL, so that nothing need be known of the columns' types. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_stmt.h"

enum { SEND_BYTES = 1 << 16 }; /* that are put together before they are sent */

/* The server takes no line of a gigabyte. */
static const size_t LINE_BYTES_MAX = ((size_t)1 << 30) - (1 << 20);

struct rille_load {
  rille_postgres_conn *conn;
  rille_buffer text; /* lines that are not sent yet */
  rille_buffer sql;
  size_t count; /* of the columns */
};

/* -- what is sent ------------------------------------------------------------------------------------------ */

static void
put_sql(rille_buffer *sql, rille_str table, const rille_str columns[], size_t count)
{
  rille_buffer_text(sql, "copy ");
  rille_buffer_name(sql, table);
  for (size_t i = 0; i < count; i++) {
    rille_buffer_text(sql, i == 0 ? " (" : ", ");
    rille_buffer_name(sql, columns[i]);
  }
  rille_buffer_text(sql, ") from stdin");
}

/* Tabs and line ends part values and rows, and a backslash says that something else is meant. */
static void
put_text(rille_buffer *out, rille_str text)
{
  size_t from = 0;

  for (size_t i = 0; i < text.len; i++) {
    char c = text.at[i], as = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\\' ? '\\' : '\0';

    if (as == '\0')
      continue;
    rille_buffer_add(out, text.at + from, i - from);
    rille_buffer_byte(out, '\\');
    rille_buffer_byte(out, as);
    from = i + 1;
  }
  rille_buffer_add(out, text.at + from, text.len - from);
}

static void
put_blob(rille_buffer *out, rille_str blob)
{
  static const char digits[] = "0123456789abcdef";

  rille_buffer_text(out, "\\\\x");
  for (size_t i = 0; i < blob.len; i++) {
    rille_buffer_byte(out, digits[(unsigned char)blob.at[i] >> 4]);
    rille_buffer_byte(out, digits[(unsigned char)blob.at[i] & 0xF]);
  }
}

static void
put_cell(rille_buffer *out, const rille_cell *cell)
{
  char number[32];

  switch (cell->kind) {
  case RILLE_NULL: rille_buffer_text(out, "\\N"); break;
  case RILLE_BOOL:
  case RILLE_INT: rille_buffer_format(out, "%lld", (long long)cell->as.integer); break;
  case RILLE_REAL:
    if (isfinite(cell->as.real))
      rille_buffer_add(out, number, rille_real_shortest(number, sizeof number, cell->as.real));
    else
      rille_buffer_text(out, isnan(cell->as.real) ? "NaN" : cell->as.real > 0 ? "Infinity" : "-Infinity");
    break;
  case RILLE_TEXT: put_text(out, cell->as.text); break;
  case RILLE_BLOB: put_blob(out, cell->as.text); break;
  }
}

/* -- a load ------------------------------------------------------------------------------------------------ */

static void
load_free(rille_load *load)
{
  rille_buffer_release(&load->text);
  rille_buffer_release(&load->sql);
  rille_memory_free(load);
}

/* BEGIN and what else goes before a statement. */
static rille_status
say_before(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_ask asks[RILLE_POSTGRES_BEFORE + RILLE_POSTGRES_HOMES];
  char told[RILLE_POSTGRES_TOLD_BYTES];
  size_t count;
  rille_status status = rille_postgres_go_home(conn, fault);

  if (status != RILLE_OK)
    return status;
  count = rille_postgres_before(conn, asks, told);
  count += rille_postgres_home(conn, false, asks + count);
  if (conn->begin != NULL) {
    conn->begin = NULL;
    conn->in_transaction = true; /* lost from here on, it is lost with all of it */
  }
  if (count > 0)
    status = rille_postgres_exchange(conn, asks, count, fault);
  for (size_t i = 0; i < count && status == RILLE_OK; i++)
    if (PQresultStatus(asks[i].result) == PGRES_FATAL_ERROR)
      status = rille_postgres_fault(asks[i].result, (rille_str){ 0 }, conn->stopped, fault);
  conn->astray = conn->astray && status != RILLE_OK;
  rille_postgres_clear(asks, count);
  return status;
}

/* The server's own words tell which row it was, and which value. */
static rille_status
refused(rille_load *load, const PGresult *result, rille_fault *fault)
{
  rille_status status = rille_postgres_fault(result, rille_buffer_str(&load->sql), load->conn->stopped, fault);
  const char *where = PQresultErrorField(result, PG_DIAG_CONTEXT);
  const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char *line = where != NULL ? strstr(where, ": \"") : NULL; /* the detail says it better, where there is one */

  if (where != NULL && strncmp(where, "COPY ", 5) == 0)
    rille_fault_hint(fault, "%.*s%s%s",
                     (int)(line != NULL && detail != NULL ? line - where : (ptrdiff_t)strcspn(where, "\n")), where,
                     detail != NULL ? "; " : "", detail != NULL ? detail : "");
  return status;
}

/* All results up to the end of what was asked; what the first that failed says. */
static rille_status
take_results(rille_load *load, int64_t *rows, rille_fault *fault)
{
  rille_postgres_conn *conn = load->conn;
  rille_status status = RILLE_OK;

  for (;;) {
    PGresult *result = NULL;
    rille_status next = rille_postgres_next(conn, &result, status == RILLE_OK ? fault : NULL);

    if (next != RILLE_OK)
      return status != RILLE_OK ? status : next;
    if (result == NULL)
      break;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR && status == RILLE_OK)
      status = refused(load, result, fault);
    else if (rows != NULL && PQresultStatus(result) == PGRES_COMMAND_OK)
      *rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
  }
  rille_postgres_settle(conn);
  return status;
}

/* Has the server wait for rows. */
static rille_status
start(rille_load *load, rille_fault *fault)
{
  rille_postgres_conn *conn = load->conn;
  PGresult *result = NULL;
  rille_status status;

  conn->stopped = false;
  if (!PQsendQuery(conn->pg, rille_buffer_str(&load->sql).at))
    return rille_postgres_cannot_send(conn, fault);
  status = rille_postgres_flush(conn, fault);
  if (status == RILLE_OK)
    status = rille_postgres_next(conn, &result, fault);
  if (status != RILLE_OK)
    return status;
  conn->loading = PQresultStatus(result) == PGRES_COPY_IN;
  if (!conn->loading) {
    status = rille_postgres_fault(result, rille_buffer_str(&load->sql), conn->stopped, fault);
    (void)take_results(load, NULL, NULL);
  }
  PQclear(result);
  return status;
}

rille_status
rille_postgres_load(rille_conn *base, rille_str table, const rille_str columns[], size_t count, rille_load **out,
                    rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  rille_load *load;
  rille_status status = rille_postgres_ready(conn, fault);

  if (status == RILLE_OK)
    status = say_before(conn, fault);
  if (status != RILLE_OK)
    return status;
  load = rille_memory_get(sizeof *load);
  if (load == NULL)
    return rille_fault_no_memory(fault);
  load->conn = conn;
  load->count = count;
  rille_buffer_init(&load->text, LINE_BYTES_MAX + SEND_BYTES);
  rille_buffer_init(&load->sql, 1 << 20);
  put_sql(&load->sql, table, columns, count);
  status = rille_buffer_ok(&load->sql) ? start(load, fault) : rille_fault_no_memory(fault);
  if (status == RILLE_OK)
    *out = load;
  else
    load_free(load);
  return status;
}

/* Sends the lines that are there. */
static rille_status
send_lines(rille_load *load, rille_fault *fault)
{
  rille_postgres_conn *conn = load->conn;

  if (!conn->loading)
    return rille_fault_set(fault, RILLE_CONNECTION_LOST, "the connection was lost while rows were put into a table");
  if (load->text.len > 0 && PQputCopyData(conn->pg, load->text.at, (int)load->text.len) <= 0)
    return rille_postgres_cannot_send(conn, fault);
  rille_buffer_clear(&load->text);
  return rille_postgres_flush(conn, fault);
}

rille_status
rille_postgres_load_row(rille_load *load, const rille_cell cells[], rille_fault *fault)
{
  size_t before = load->text.len;

  for (size_t i = 0; i < load->count; i++) {
    if (i > 0)
      rille_buffer_byte(&load->text, '\t');
    put_cell(&load->text, &cells[i]);
  }
  rille_buffer_byte(&load->text, '\n');
  if (load->text.full || load->text.len - before > LINE_BYTES_MAX)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                           "the values of one row have more than a gigabyte together: PostgreSQL takes less");
  if (!rille_buffer_ok(&load->text))
    return rille_fault_no_memory(fault);
  return load->text.len < SEND_BYTES ? RILLE_OK : send_lines(load, fault);
}

rille_status
rille_postgres_load_end(rille_load *load, bool keep, int64_t *rows, rille_fault *fault)
{
  rille_postgres_conn *conn = load->conn;
  rille_fault ignored;
  rille_status status = keep || !conn->loading ? send_lines(load, fault) : RILLE_OK;

  *rows = 0;
  if (conn->loading) {
    conn->loading = false;
    if (PQputCopyEnd(conn->pg, status == RILLE_OK && keep ? NULL : "given up") <= 0) {
      status = rille_postgres_cannot_send(conn, fault);
    } else {
      rille_status ended = rille_postgres_flush(conn, &ignored);

      if (ended == RILLE_OK)
        ended = take_results(load, rows, status == RILLE_OK ? fault : &ignored);
      else if (status == RILLE_OK && fault != NULL)
        *fault = ignored;
      status = status == RILLE_OK ? ended : status;
    }
  }
  load_free(load);
  return keep ? status : RILLE_OK;
}
