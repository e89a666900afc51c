/* spec/support/driver.c - SQLite's driver with a log and a trap in front of it. */
#include "spec/support/driver.h"

#include "core/run/cursor.h"
#include "spec/support/build.h"
#include "spec/support/spec.h"

static const rille_driver *const below = &rille_driver_sqlite;
static const char *trap;
static int calls_left;
static rille_status trap_kind;
static bool losing, halting, halted;
static const rille_stmt *back; /* the statement that goes back to a savepoint */
static rille_conn *opened;
static char written[4000];

static void
write_down(const char *call, rille_str text)
{
  size_t len = strlen(written), room = sizeof written - len;
  rille_str parts[] = { rille_str_of(len > 0 ? "; " : ""), rille_str_of(call), rille_str_of(text.len > 0 ? " " : ""),
                        text };

  for (size_t i = 0; i < SPEC_COUNT(parts); i++)
    if (parts[i].len > 0 && parts[i].len < room) {
      memcpy(written + len, parts[i].at, parts[i].len);
      len += parts[i].len;
      room -= parts[i].len;
    }
  written[len] = '\0';
}

/* True when this call is the one that fails. */
static bool
trapped(const char *call, rille_str text, rille_fault *fault)
{
  write_down(call, text);
  if (trap == NULL || strcmp(trap, call) != 0 || --calls_left != 0)
    return false;
  trap = NULL;
  halted = halting;
  if (losing)
    (void)below->rollback(opened, NULL);
  (void)rille_fault_set(fault, trap_kind, "%s was made to fail", call);
  return true;
}

void
spec_driver_fail(const char *call, int nth, rille_status kind)
{
  written[0] = '\0';
  trap = call;
  calls_left = nth;
  trap_kind = kind;
  losing = halting = halted = false;
}

void
spec_driver_halt(const char *call, int nth, rille_status kind)
{
  spec_driver_fail(call, nth, kind);
  halting = true;
}

void
spec_driver_lose(const char *call, int nth, rille_status kind)
{
  spec_driver_fail(call, nth, kind);
  losing = true;
}

void
spec_driver_reset(void)
{
  spec_driver_fail(NULL, 0, RILLE_OK);
}

const char *
spec_driver_log(void)
{
  return written;
}

static rille_status
open_below(const rille_open_options *options, rille_conn **out, rille_fault *fault)
{
  rille_status status = below->open(options, out, fault);

  if (status == RILLE_OK)
    (opened = *out)->driver = &spec_driver;
  return status;
}

static void
close_below(rille_conn *conn)
{
  below->close(conn);
}

static rille_status
begin_below(rille_conn *conn, rille_begin_mode mode, rille_fault *fault)
{
  return trapped("begin", (rille_str){ 0 }, fault) ? trap_kind : below->begin(conn, mode, fault);
}

static rille_status
commit_below(rille_conn *conn, rille_fault *fault)
{
  return trapped("commit", (rille_str){ 0 }, fault) ? trap_kind : below->commit(conn, fault);
}

static rille_status
rollback_below(rille_conn *conn, rille_fault *fault)
{
  halted = false;
  return trapped("rollback", (rille_str){ 0 }, fault) ? trap_kind : below->rollback(conn, fault);
}

static rille_status
prepare_below(rille_conn *conn, rille_str sql, rille_stmt **out, rille_fault *fault)
{
  rille_status status = trapped("prepare", sql, fault) ? trap_kind : below->prepare(conn, sql, out, fault);

  if (status == RILLE_OK)
    (*out)->driver = &spec_driver;
  if (status == RILLE_OK && sql.len > 11 && memcmp(sql.at, "rollback to", 11) == 0)
    back = *out;
  return status;
}

static rille_status
step_below(rille_stmt *stmt, bool *row, rille_fault *fault)
{
  *row = false;
  if (halted && stmt != back)
    return rille_fault_set(fault, RILLE_TRANSACTION_ABORTED, "the spec's driver does nothing more");
  halted = false;
  return trapped("step", (rille_str){ 0 }, fault) ? trap_kind : below->step(stmt, row, fault);
}

static bool
in_transaction_below(const rille_conn *conn)
{
  return below->in_transaction(conn);
}
static void
free_below(rille_stmt *stmt)
{
  below->free(stmt);
}
static int
param_count_below(const rille_stmt *stmt)
{
  return below->param_count(stmt);
}
static void
reset_below(rille_stmt *stmt)
{
  below->reset(stmt);
}
static int
column_count_below(const rille_stmt *stmt)
{
  return below->column_count(stmt);
}
static rille_str
column_name_below(const rille_stmt *stmt, int index)
{
  return below->column_name(stmt, index);
}
static rille_str
column_declared_below(const rille_stmt *stmt, int index)
{
  return below->column_declared(stmt, index);
}
static int
changed_below(const rille_stmt *stmt)
{
  return below->changed(stmt);
}

static rille_status
has_table_below(rille_conn *conn, const char *name, bool *out, rille_fault *fault)
{
  return below->has_table(conn, name, out, fault);
}
static bool
writes_below(const rille_stmt *stmt)
{
  return below->writes(stmt);
}
static rille_status
watch_below(rille_conn *conn, rille_on_change on_change, void *data, rille_fault *fault)
{
  return below->watch(conn, on_change, data, fault);
}
static uint32_t
data_version_below(rille_conn *conn)
{
  return below->data_version(conn);
}

static rille_status
run_aside_below(rille_conn *conn, rille_stmt *stmt, rille_fault *fault)
{
  return below->run_aside(conn, stmt, fault);
}
static int64_t
changes_below(const rille_conn *conn)
{
  return below->changes(conn);
}
static int64_t
last_id_below(const rille_conn *conn)
{
  return below->last_id(conn);
}

static rille_status
bind_below(rille_stmt *stmt, int index, const rille_cell *cell, rille_fault *fault)
{
  return below->bind(stmt, index, cell, fault);
}

static rille_status
row_below(rille_stmt *stmt, rille_cell cells[], rille_fault *fault)
{
  return below->row(stmt, cells, fault);
}

static void
guard_below(rille_stmt *stmt, bool guarded)
{
  below->guard(stmt, guarded);
}

static rille_status
together_below(rille_stmt *const stmts[], size_t count, rille_fault *fault)
{
  return below->together(stmts, count, fault);
}

static void
stream_below(rille_stmt *stmt, bool streams)
{
  below->stream(stmt, streams);
}

static void
own_below(rille_stmt *stmt)
{
  below->own(stmt);
}

static bool
failed_below(const rille_conn *conn)
{
  return halted || below->failed(conn);
}

const rille_driver spec_driver = {
  .name = "spec",
  .open = open_below,
  .close = close_below,
  .begin = begin_below,
  .commit = commit_below,
  .rollback = rollback_below,
  .in_transaction = in_transaction_below,
  .failed = failed_below,
  .prepare = prepare_below,
  .free = free_below,
  .param_count = param_count_below,
  .bind = bind_below,
  .stream = stream_below,
  .guard = guard_below,
  .own = own_below,
  .together = together_below,
  .step = step_below,
  .reset = reset_below,
  .column_count = column_count_below,
  .column_name = column_name_below,
  .column_declared = column_declared_below,
  .row = row_below,
  .changed = changed_below,
  .data_version = data_version_below,
  .has_table = has_table_below,
  .writes = writes_below,
  .watch = watch_below,
  .run_aside = run_aside_below,
  .changes = changes_below,
  .last_id = last_id_below,
};

/* -- connections ----------------------------------------------------------------------------------------- */

rille_connection *
spec_connect(const char *path)
{
  const rille_open_options options = { .database = rille_str_of(path != NULL ? path : ":memory:"),
                                       .synchronous = rille_str_of("normal") };
  rille_connection *connection = NULL;
  rille_fault fault;

  spec_driver_reset();
  assert_ok(rille_connection_open(&spec_driver, &options, &connection, &fault), &fault);
  return connection;
}

/* Runs the text and keeps the first integer of its first row. */
static rille_status
run(rille_connection *connection, const char *sql, int64_t *integer, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_cursor cursor = { 0 };
  rille_arena arena;
  rille_cell cells[20];
  bool row = true, first = true;
  rille_status status = rille_connection_ready(connection, fault);

  rille_arena_init(&arena);
  if (status == RILLE_OK)
    status = rille_connection_sql(connection, rille_str_of(sql), &statement, fault);
  if (status == RILLE_OK)
    status = rille_cursor_open(&cursor, connection, statement, NULL, 0, &arena, fault);
  while (status == RILLE_OK && row) {
    status = rille_cursor_next(&cursor, cells, &row, fault);
    if (status == RILLE_OK && row && first && cells[0].kind == RILLE_INT)
      *integer = cells[0].as.integer;
    first = false;
  }
  rille_cursor_close(&cursor);
  rille_arena_release(&arena);
  return status;
}

rille_status
spec_run(rille_connection *connection, const char *sql, rille_fault *fault)
{
  int64_t unused;

  return run(connection, sql, &unused, fault);
}

int64_t
spec_integer(rille_connection *connection, const char *sql)
{
  int64_t integer = INT64_MIN;
  rille_fault fault;

  assert_ok(run(connection, sql, &integer, &fault), &fault);
  assert_true(integer != INT64_MIN);
  return integer;
}

/* -- one for each case ----------------------------------------------------------------------------------- */

rille_connection *spec_db;

static int
open_with(void **state, const char *const *ddl)
{
  rille_fault fault;

  spec_db = spec_connect(NULL);
  for (; *ddl != NULL; ddl++)
    assert_ok(spec_run(spec_db, *ddl, &fault), &fault);
  spec_driver_reset();
  return build_start(state);
}

int
spec_db_tables(void **state)
{
  return open_with(state, build_ddl);
}

int
spec_db_posts(void **state)
{
  static const char *const ddl[] = { "create table posts (id integer primary key, views integer unique)", NULL };

  return open_with(state, ddl);
}

int
spec_db_close(void **state)
{
  rille_connection_close(spec_db);
  spec_db = NULL;
  return build_end(state);
}
