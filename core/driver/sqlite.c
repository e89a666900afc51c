/* core/driver/sqlite.c - SQLite under the contract of driver.h; alone, with its sqlite_*.c, includes sqlite3.h.
**
** Connections are opened without SQLite's own mutexes: the contract gives a connection to one thread at a time.  That
** also makes the values of a row "protected", so that they may be read without the mutex of sqlite3_column_*. */
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/sqlite_bind.h"
#include "core/driver/sqlite_conn.h"
#include "core/driver/sqlite_function.h"
#include "core/driver/sqlite_error.h"
#include "core/driver/sqlite_file.h"
#include "core/driver/sqlite_stream.h"
#include "core/driver/sqlite_watch.h"

struct sqlite_stmt {
  rille_stmt base;
  rille_sqlite_conn *conn;
  int ended; /* SQLITE_DONE, or the code of the failure that ended the run; 0 while it goes on */
  bool own;  /* its text was looked at */
  rille_sqlite_bound bound;
  rille_sqlite_stream stream;
};

static void
sqlite_set_wait(rille_conn *base, int wait_ms)
{
  ((rille_sqlite_conn *)base)->busy_timeout_ms = wait_ms;
}

/* Runs one of the statements that every transaction needs. */
static rille_status
run_kept(rille_sqlite_conn *conn, int which, const char *sql, rille_fault *fault)
{
  int code = SQLITE_OK;

  if (conn->kept[which] == NULL)
    code = sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &conn->kept[which], NULL);
  if (code == SQLITE_OK) {
    code = sqlite3_step(conn->kept[which]);
    if (code == SQLITE_DONE)
      code = SQLITE_OK;
  }
  if (code != SQLITE_OK) {
    rille_status status = rille_sqlite_fail(conn, code, fault);

    (void)sqlite3_reset(conn->kept[which]);
    return status;
  }
  (void)sqlite3_reset(conn->kept[which]);
  return RILLE_OK;
}

static rille_status
sqlite_begin(rille_conn *base, rille_begin_mode mode, rille_fault *fault)
{
  static const char *const words[] = { "begin", "begin immediate", "begin exclusive" };
  static const int kept[RILLE_BEGIN_COUNT] = {
    [RILLE_BEGIN_DEFERRED] = SQL_BEGIN_DEFERRED,        [RILLE_BEGIN_IMMEDIATE] = SQL_BEGIN_IMMEDIATE,
    [RILLE_BEGIN_EXCLUSIVE] = SQL_BEGIN_EXCLUSIVE,      [RILLE_BEGIN_REPEATABLE_READ] = SQL_BEGIN_DEFERRED,
    [RILLE_BEGIN_SERIALIZABLE] = SQL_BEGIN_IMMEDIATE,   [RILLE_BEGIN_SNAPSHOT] = SQL_BEGIN_DEFERRED,
    [RILLE_BEGIN_READ_COMMITTED] = SQL_BEGIN_IMMEDIATE,
  };
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;

  rille_sqlite_spill(&conn->streams);
  return run_kept(conn, kept[mode], words[kept[mode]], fault);
}

static rille_status
sqlite_commit(rille_conn *base, rille_fault *fault)
{
  return run_kept((rille_sqlite_conn *)base, SQL_COMMIT, "commit", fault);
}

static rille_status
sqlite_rollback(rille_conn *base, rille_fault *fault)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;

  rille_sqlite_spill(&conn->streams);
  return run_kept(conn, SQL_ROLLBACK, "rollback", fault);
}

static bool
sqlite_in_transaction(const rille_conn *base)
{
  return sqlite3_get_autocommit(((const rille_sqlite_conn *)base)->db) == 0;
}

/* A statement that failed is undone alone, or the whole transaction is: in both cases one can go on. */
static bool
sqlite_failed(const rille_conn *base)
{
  (void)base;
  return false;
}

static void
sqlite_free(rille_stmt *base)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;

  if (stmt != NULL) {
    rille_sqlite_stream_end(&stmt->stream);
    rille_memory_free(stmt->stream.held);
    (void)sqlite3_finalize(stmt->bound.handle);
    rille_memory_free(stmt);
  }
}

/* True when nothing but blanks, semicolons and comments is left. */
static bool
is_only_blank(rille_sqlite_conn *conn, const char *tail, const char *end, int *code)
{
  while (*code == SQLITE_OK && tail < end) {
    sqlite3_stmt *next = NULL;

    *code = sqlite3_prepare_v2(conn->db, tail, (int)(end - tail), &next, &tail);
    if (next != NULL) {
      (void)sqlite3_finalize(next);
      return false;
    }
  }
  return *code == SQLITE_OK;
}

/* SQLite's code for a first statement of the text.  A connection gets the functions of rille with the first statement
** that cannot be prepared without them, which few have: to add them costs a tenth of what opening does. */
static int
prepare(rille_sqlite_conn *conn, rille_str sql, sqlite3_stmt **out, const char **tail)
{
  int code = sqlite3_prepare_v3(conn->db, sql.at, (int)sql.len, SQLITE_PREPARE_PERSISTENT, out, tail);

  if ((code & 0xFF) != SQLITE_ERROR || conn->has_functions)
    return code;
  code = rille_sqlite_add_functions(conn->db);
  if (code != SQLITE_OK)
    return code;
  conn->has_functions = true;
  return sqlite3_prepare_v3(conn->db, sql.at, (int)sql.len, SQLITE_PREPARE_PERSISTENT, out, tail);
}

static rille_status
sqlite_prepare(rille_conn *base, rille_str sql, rille_stmt **out, rille_fault *fault)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;
  struct sqlite_stmt *stmt = rille_memory_get(sizeof *stmt);
  rille_status status = stmt != NULL ? RILLE_OK : rille_fault_no_memory(fault);
  const char *tail = NULL;

  if (sql.len == 0)
    sql.at = "";
  if (status == RILLE_OK && (sql.len > INT32_MAX || memchr(sql.at, '\0', sql.len) != NULL))
    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the SQL text holds a NUL byte or is too long");
  if (status == RILLE_OK) {
    int code = prepare(conn, sql, &stmt->bound.handle, &tail);

    if (code != SQLITE_OK)
      status = rille_sqlite_fail(conn, code, fault);
    else if (stmt->bound.handle == NULL)
      status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the text holds no SQL statement");
    else if (!is_only_blank(conn, tail, sql.at + sql.len, &code))
      status = code == SQLITE_NOMEM
                 ? rille_fault_no_memory(fault)
                 : rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                                   "the text holds more than one SQL statement; only one can be run at a time");
    stmt->base.once = rille_sqlite_guard_checkpoints(conn);
  }
  if (status == RILLE_OK) {
    stmt->base.driver = &rille_driver_sqlite;
    stmt->conn = conn;
    stmt->stream.handle = stmt->bound.handle;
    stmt->stream.ended = &stmt->ended;
    *out = &stmt->base;
    stmt = NULL;
  }
  sqlite_free((rille_stmt *)stmt);
  return status;
}

static int
sqlite_param_count(const rille_stmt *base)
{
  return sqlite3_bind_parameter_count(((const struct sqlite_stmt *)base)->bound.handle);
}

static rille_status
sqlite_bind(rille_stmt *base, int index, const rille_cell *cell, rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  int code = rille_sqlite_bind(&stmt->bound, index, cell);

  return code == SQLITE_OK ? RILLE_OK : rille_sqlite_fail(stmt->conn, code, fault);
}

/* Rows come one by one in any case. */
static void
sqlite_stream(rille_stmt *base, bool streams)
{
  ((struct sqlite_stmt *)base)->stream.wanted = streams;
}

static void
sqlite_own(rille_stmt *base)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;

  if (!stmt->own && !stmt->conn->odd)
    rille_sqlite_look_for_pragma(stmt->conn, sqlite3_sql(stmt->bound.handle));
  stmt->own = true;
}

/* A failed statement is undone alone anyway. */
static void
sqlite_guard(rille_stmt *base, bool guarded)
{
  (void)base;
  (void)guarded;
}

/* There is no round trip to save. */
static rille_status
sqlite_together(rille_stmt *const stmts[], size_t count, rille_fault *fault)
{
  (void)stmts;
  (void)count;
  (void)fault;
  return RILLE_OK;
}

/* A row of a run that was read to its end before its time. */
static rille_status
step_spilled(struct sqlite_stmt *stmt, bool *row, rille_fault *fault)
{
  int code = rille_sqlite_spilled_next(&stmt->stream);

  *row = code == SQLITE_ROW;
  if (*row)
    return RILLE_OK;
  rille_sqlite_stream_end(&stmt->stream);
  stmt->ended = code;
  if (code == SQLITE_DONE)
    return RILLE_OK;
  return rille_sqlite_fault(
    code, code == SQLITE_FULL ? "the rows of a cursor do not fit on the disk of temporary files" : sqlite3_errstr(code),
    fault);
}

/* Other statements read their rows before this one writes, or does what gives no rows: goes back to a savepoint, begins
** what is to see the database as it is now. */
static void
make_way(struct sqlite_stmt *stmt)
{
  if (sqlite3_stmt_readonly(stmt->bound.handle) == 0 || sqlite3_column_count(stmt->bound.handle) == 0)
    rille_sqlite_spill(&stmt->conn->streams);
}

/* Left to itself SQLite begins a run that has ended once more, and writes its rows again. */
static rille_status
sqlite_step(rille_stmt *base, bool *row, rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  int code;

  *row = false;
  if (stmt->bound.stale != 0)
    rille_sqlite_drop_stale(&stmt->bound);
  if (stmt->ended == SQLITE_DONE)
    return RILLE_OK;
  if (stmt->ended == RILLE_SQLITE_SPILLED)
    return step_spilled(stmt, row, fault);
  if (stmt->ended != 0)
    return rille_sqlite_fault(stmt->ended, sqlite3_errstr(stmt->ended), fault);
  if (stmt->conn->streams != NULL)
    make_way(stmt);
  code = sqlite3_step(stmt->bound.handle);
  *row = code == SQLITE_ROW;
  if (!*row) {
    stmt->ended = code;
    stmt->conn->aside = false;
    if (stmt->stream.wanted)
      rille_sqlite_stream_end(&stmt->stream);
  } else if (stmt->stream.wanted && stmt->stream.at == NULL && sqlite3_stmt_readonly(stmt->bound.handle) != 0) {
    rille_sqlite_stream_begin(&stmt->stream, &stmt->conn->streams);
  }
  return code == SQLITE_ROW || code == SQLITE_DONE ? RILLE_OK : rille_sqlite_fail(stmt->conn, code, fault);
}

static void
sqlite_reset(rille_stmt *base)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;

  if (stmt->stream.wanted)
    rille_sqlite_stream_end(&stmt->stream);
  (void)sqlite3_reset(stmt->bound.handle);
  stmt->ended = 0;
  rille_sqlite_unbind(&stmt->bound);
}

static int
sqlite_column_count(const rille_stmt *base)
{
  return sqlite3_column_count(((const struct sqlite_stmt *)base)->bound.handle);
}

static rille_str
sqlite_column_name(const rille_stmt *base, int index)
{
  return rille_str_of(sqlite3_column_name(((const struct sqlite_stmt *)base)->bound.handle, index));
}

static rille_str
sqlite_column_declared(const rille_stmt *base, int index)
{
  return rille_str_of(sqlite3_column_decltype(((const struct sqlite_stmt *)base)->bound.handle, index));
}

static rille_status
sqlite_row(rille_stmt *base, rille_cell cells[], rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  int count = sqlite3_data_count(stmt->bound.handle);

  if (stmt->ended == RILLE_SQLITE_SPILLED)
    rille_sqlite_spilled_row(&stmt->stream, cells);
  for (int i = 0; i < count; i++)
    if (!rille_sqlite_cell(sqlite3_column_value(stmt->bound.handle, i), &cells[i]))
      return rille_fault_no_memory(fault);
  if (stmt->stream.at != NULL && !stmt->conn->readonly && !rille_sqlite_hold_row(&stmt->stream, cells, count))
    return rille_fault_no_memory(fault);
  return RILLE_OK;
}

static int
sqlite_changed(const rille_stmt *base)
{
  return sqlite3_stmt_status(((const struct sqlite_stmt *)base)->bound.handle, SQLITE_STMTSTATUS_REPREPARE, 0);
}

/* Reads the schema where that was not done yet. */
static rille_status
sqlite_has_table(rille_conn *base, const char *name, bool *out, rille_fault *fault)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;
  int code = sqlite3_table_column_metadata(conn->db, "main", name, NULL, NULL, NULL, NULL, NULL, NULL);

  *out = code == SQLITE_OK;
  return code == SQLITE_OK || code == SQLITE_ERROR ? RILLE_OK : rille_sqlite_fail(conn, code, fault);
}

static bool
sqlite_writes(const rille_stmt *base)
{
  return !sqlite3_stmt_readonly(((const struct sqlite_stmt *)base)->bound.handle);
}

static int64_t
sqlite_changes(const rille_conn *base)
{
  const rille_sqlite_conn *conn = (const rille_sqlite_conn *)base;

  return conn->aside ? conn->changes_before : sqlite3_changes(conn->db);
}

static int64_t
sqlite_last_id(const rille_conn *base)
{
  return sqlite3_last_insert_rowid(((const rille_sqlite_conn *)base)->db);
}

const rille_driver rille_driver_sqlite = {
  .name = "sqlite",
  .catalog = {
    [RILLE_CATALOG_TABLES] =
        "select name, type as kind, sql, (select schema_version from pragma_schema_version) as schema "
        "from sqlite_schema where type in ('table', 'view') "
        "and name not like 'sqlite\\_%' escape '\\' order by name",
    [RILLE_CATALOG_COLUMNS] =
        "select name, type as declared, \"notnull\" as not_null, dflt_value as \"default\", pk as \"primary\", "
        "hidden in (2, 3) as generated, rille_collation(?1, name) as collation "
        "from pragma_table_xinfo(?1) where hidden <> 1 order by cid",
    [RILLE_CATALOG_INDEXES] =
        "select l.name as name, l.\"unique\" as is_unique, l.origin as origin, l.partial as partial, "
        "(select sql from sqlite_schema where type = 'index' and name = l.name) as sql, i.name as \"column\" "
        "from pragma_index_list(?1) as l, pragma_index_info(l.name) as i "
        "order by l.seq desc, i.seqno",
    [RILLE_CATALOG_FOREIGN] =
        "select id, \"from\" as \"column\", \"table\", \"to\" as \"references\", on_update, on_delete "
        "from pragma_foreign_key_list(?1) order by id, seq",
  },
  .version = sqlite3_libversion,
  .open = rille_sqlite_open,
  .close = rille_sqlite_close,
  .set_wait = sqlite_set_wait,
  .begin = sqlite_begin,
  .commit = sqlite_commit,
  .rollback = sqlite_rollback,
  .in_transaction = sqlite_in_transaction,
  .failed = sqlite_failed,
  .prepare = sqlite_prepare,
  .free = sqlite_free,
  .param_count = sqlite_param_count,
  .bind = sqlite_bind,
  .stream = sqlite_stream,
  .guard = sqlite_guard,
  .own = sqlite_own,
  .together = sqlite_together,
  .step = sqlite_step,
  .reset = sqlite_reset,
  .column_count = sqlite_column_count,
  .column_name = sqlite_column_name,
  .column_declared = sqlite_column_declared,
  .row = sqlite_row,
  .changed = sqlite_changed,
  .data_version = rille_sqlite_data_version,
  .moved = rille_sqlite_moved,
  .shares = rille_sqlite_shares,
  .path = rille_sqlite_path,
  .mark = rille_sqlite_mark,
  .has_table = sqlite_has_table,
  .writes = sqlite_writes,
  .copy = rille_sqlite_copy,
  .watch = rille_sqlite_watch_rows,
  .run_aside = rille_sqlite_run_aside,
  .changes = sqlite_changes,
  .last_id = sqlite_last_id,
};
