/* core/driver/postgres.c - PostgreSQL under the contract of driver.h: its transactions, and the table of its parts.
**
** This and its postgres_*.[ch] alone include libpq-fe.h. */
#include <stdio.h>
#include <string.h>

#include "core/driver/postgres_catalog.h"
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_place.h"
#include "core/driver/postgres_stmt.h"
#include "core/driver/postgres_wall.h"

/* -- transactions ------------------------------------------------------------------------------------------ */

static void
postgres_set_wait(rille_conn *base, int wait_ms)
{
  ((rille_postgres_conn *)base)->wait_ms = wait_ms;
}

static bool
postgres_in_transaction(const rille_conn *base)
{
  const rille_postgres_conn *conn = (const rille_postgres_conn *)base;

  return conn->in_transaction || conn->begin != NULL || conn->committed;
}

static bool
postgres_failed(const rille_conn *base)
{
  return ((const rille_postgres_conn *)base)->failed;
}

static rille_status
postgres_begin(rille_conn *base, rille_begin_mode mode, rille_fault *fault)
{
  static const char *const words[RILLE_BEGIN_COUNT] = {
    [RILLE_BEGIN_DEFERRED] = "begin",
    [RILLE_BEGIN_IMMEDIATE] = "begin",
    [RILLE_BEGIN_EXCLUSIVE] = "begin",
    [RILLE_BEGIN_READ_COMMITTED] = "begin isolation level read committed",
    [RILLE_BEGIN_REPEATABLE_READ] = "begin isolation level repeatable read",
    [RILLE_BEGIN_SERIALIZABLE] = "begin isolation level serializable",
    [RILLE_BEGIN_SNAPSHOT] = "begin isolation level repeatable read, read only",
  };
  rille_postgres_conn *conn = (rille_postgres_conn *)base;

  if (postgres_in_transaction(base))
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "a transaction is open already");
  conn->begin = words[mode];
  conn->wrote = false;
  return RILLE_OK;
}

static rille_status
no_transaction(rille_fault *fault)
{
  return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "no transaction is open");
}

/* The server answers COMMIT with ROLLBACK when the transaction had failed before. */
static rille_status
committed(rille_postgres_conn *conn, const PGresult *result, rille_fault *fault)
{
  if (PQresultStatus(result) == PGRES_FATAL_ERROR)
    return rille_postgres_fault(result, (rille_str){ 0 }, conn->stopped, fault);
  if (strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "ROLLBACK") == 0)
    return rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "the server rolled the transaction back");
  return RILLE_OK;
}

static rille_status
postgres_commit(rille_conn *base, rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  rille_postgres_ask asks[1 + RILLE_POSTGRES_LOOKS] = { { .what = RILLE_ASK_SQL, .text = "commit" } };
  size_t count = 1;
  rille_status status;

  if (conn->begin != NULL || conn->committed) { /* nothing was done in it, or is left to be done */
    conn->begin = NULL;
    conn->committed = false;
    return RILLE_OK;
  }
  if (!conn->in_transaction)
    return no_transaction(fault);
  status = rille_postgres_ready(conn, fault);
  if (status == RILLE_OK && conn->failed) {
    (void)rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "a statement of the transaction failed: it cannot commit");
    rille_fault_hint(fault, "roll it back; nothing that was done in it is kept");
    return RILLE_TRANSACTION_ABORTED;
  }
  if (status != RILLE_OK)
    return status;
  if (conn->tracks)
    count += rille_postgres_look(conn, false, asks + 1);
  status = rille_postgres_exchange(conn, asks, count, fault);
  if (status == RILLE_OK && count > 1)
    rille_postgres_looked(conn, &asks[count - 1]);
  if (status == RILLE_OK || PQresultStatus(asks[0].result) == PGRES_COMMAND_OK) { /* and then it was lost */
    status = committed(conn, asks[0].result, fault);
    if (conn->pg == NULL)
      conn->in_transaction = conn->failed = false;
  } else if (conn->pg == NULL) {
    conn->in_transaction = conn->failed = false;
    status = rille_fault_set(fault, RILLE_IN_DOUBT,
                             "the connection was lost while the transaction was committed: it may be kept or undone");
    rille_fault_hint(fault, "look whether what it wrote is there before it is done again");
  }
  rille_postgres_clear(asks, count);
  return status;
}

/* A transaction whose connection is lost is undone by the server. */
rille_status
rille_postgres_rollback(rille_conn *base, rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  rille_postgres_ask rollback = { .what = RILLE_ASK_SQL, .text = "rollback" };
  rille_status status = RILLE_OK;

  if (!postgres_in_transaction(base))
    return no_transaction(fault);
  if (conn->in_transaction && conn->pg != NULL && rille_postgres_ready(conn, NULL) == RILLE_OK &&
      rille_postgres_exchange(conn, &rollback, 1, NULL) == RILLE_OK &&
      PQresultStatus(rollback.result) == PGRES_FATAL_ERROR) {
    status = rille_postgres_fault(rollback.result, (rille_str){ 0 }, conn->stopped, fault);
    if (conn->in_transaction && conn->pg != NULL)
      rille_postgres_drop(conn); /* the server undoes it then */
  }
  rille_postgres_clear(&rollback, 1);
  conn->begin = NULL;
  conn->in_transaction = conn->failed = conn->committed = false;
  return status;
}

/* -- what is known of it ----------------------------------------------------------------------------------- */

static void
postgres_stream(rille_stmt *base, bool streams)
{
  ((rille_postgres_stmt *)base)->one_by_one = streams;
}

static void
postgres_end_with(rille_conn *base)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;

  conn->ends = postgres_in_transaction(base) && !conn->wrote; /* or a lost connection would leave a doubt */
}

static void
postgres_guard(rille_stmt *base, bool guarded)
{
  ((rille_postgres_stmt *)base)->guarded = guarded;
}

static int
postgres_param_count(const rille_stmt *base)
{
  return ((const rille_postgres_stmt *)base)->param_count;
}

static int
postgres_column_count(const rille_stmt *base)
{
  return ((const rille_postgres_stmt *)base)->column_count;
}

static rille_str
postgres_column_name(const rille_stmt *base, int index)
{
  return rille_str_of(PQfname(((const rille_postgres_stmt *)base)->described, index));
}

static rille_str
postgres_column_declared(const rille_stmt *base, int index)
{
  const rille_postgres_stmt *stmt = (const rille_postgres_stmt *)base;

  return index >= 0 && index < stmt->column_count ? rille_str_of(stmt->columns[index].declared) : (rille_str){ 0 };
}

static int
postgres_changed(const rille_stmt *base)
{
  return ((const rille_postgres_stmt *)base)->changed;
}

/* Only asked for by who would watch. */
static rille_status
postgres_has_table(rille_conn *base, const char *name, bool *out, rille_fault *fault)
{
  (void)base;
  (void)name;
  (void)fault;
  *out = false;
  return RILLE_OK;
}

static bool
postgres_writes(const rille_stmt *base)
{
  return ((const rille_postgres_stmt *)base)->writes;
}

static rille_status
postgres_copy(rille_conn *to, rille_conn *from, rille_fault *fault)
{
  (void)to;
  (void)from;
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "a PostgreSQL database cannot be copied from here");
  rille_fault_hint(fault, "pg_dump and createdb --template copy one");
  return RILLE_UNSUPPORTED;
}

static rille_status
postgres_watch(rille_conn *conn, rille_on_change on_change, void *data, rille_fault *fault)
{
  (void)conn;
  (void)data;
  if (on_change == NULL)
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "PostgreSQL does not tell its clients of rows that change");
  rille_fault_hint(fault, "logical replication of the server repeats them elsewhere");
  return RILLE_UNSUPPORTED;
}

static rille_status
postgres_run_aside(rille_conn *base, rille_stmt *stmt, rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  int64_t changes = conn->changes;
  rille_status status = RILLE_OK;
  bool row = true;

  while (status == RILLE_OK && row)
    status = rille_postgres_step(stmt, &row, fault);
  conn->changes = changes;
  return status;
}

static int64_t
postgres_changes(const rille_conn *base)
{
  return ((const rille_postgres_conn *)base)->changes;
}

static int64_t
postgres_last_id(const rille_conn *base)
{
  (void)base;
  return 0;
}

static uint64_t
postgres_round_trips(const rille_conn *base)
{
  return ((const rille_postgres_conn *)base)->round_trips;
}

static const char *
postgres_version(void)
{
  static _Thread_local char text[24];

  if (rille_pq_load(NULL) != RILLE_OK)
    return "none";
  (void)snprintf(text, sizeof text, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
  return text;
}

const rille_driver rille_driver_postgres = {
  .name = "postgres",
  .catalog = {
    [RILLE_CATALOG_TABLES] = RILLE_POSTGRES_TABLES,
    [RILLE_CATALOG_COLUMNS] = RILLE_POSTGRES_COLUMNS,
    [RILLE_CATALOG_INDEXES] = RILLE_POSTGRES_INDEXES,
    [RILLE_CATALOG_FOREIGN] = RILLE_POSTGRES_FOREIGN,
  },
  .version = postgres_version,
  .open = rille_postgres_open,
  .close = rille_postgres_close,
  .locks_rows = true,
  .set_wait = postgres_set_wait,
  .begin = postgres_begin,
  .commit = postgres_commit,
  .rollback = rille_postgres_rollback,
  .in_transaction = postgres_in_transaction,
  .failed = postgres_failed,
  .prepare = rille_postgres_prepare,
  .free = rille_postgres_free,
  .param_count = postgres_param_count,
  .bind = rille_postgres_bind,
  .stream = postgres_stream,
  .guard = postgres_guard,
  .whose = rille_postgres_whose,
  .own = rille_postgres_own,
  .together = rille_postgres_together,
  .end_with = postgres_end_with,
  .load = rille_postgres_load,
  .load_row = rille_postgres_load_row,
  .load_end = rille_postgres_load_end,
  .step = rille_postgres_step,
  .reset = rille_postgres_reset,
  .column_count = postgres_column_count,
  .column_name = postgres_column_name,
  .column_declared = postgres_column_declared,
  .row = rille_postgres_row,
  .changed = postgres_changed,
  .has_table = postgres_has_table,
  .writes = postgres_writes,
  .copy = postgres_copy,
  .watch = postgres_watch,
  .run_aside = postgres_run_aside,
  .changes = postgres_changes,
  .last_id = postgres_last_id,
  .round_trips = postgres_round_trips,
  .place = rille_postgres_place,
  .epoch_start = rille_postgres_epoch_start,
  .track = rille_postgres_track,
  .look = rille_postgres_look_now,
  .generation = rille_postgres_generation,
  .tracked = rille_postgres_tracked,
};
