/* core/driver/sqlite.c - SQLite under the contract of driver.h; alone, with sqlite_error.c, includes sqlite3.h.
**
** Connections are opened without SQLite's own mutexes: the contract gives a connection to one thread at a time.  That
** also makes the values of a row "protected", so that they may be read without the mutex that sqlite3_column_* takes. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/base/stop.h"
#include "core/driver/driver.h"
#include "core/driver/sqlite_error.h"

enum {
  STOP_CHECK_STEPS = 4000, /* virtual machine steps between two looks at the stop flag */
  BUSY_FIRST_WAIT_US = 500,
  BUSY_LONGEST_WAIT_US = 20000
};

enum { SQL_BEGIN_DEFERRED, SQL_BEGIN_IMMEDIATE, SQL_BEGIN_EXCLUSIVE, SQL_COMMIT, SQL_ROLLBACK, SQL_COUNT };

struct sqlite_conn {
  rille_conn base;
  sqlite3 *db;
  int busy_timeout_ms;
  int64_t busy_since_ms;
  sqlite3_stmt *kept[SQL_COUNT]; /* begin, commit ...: prepared at first use */
};

struct sqlite_stmt {
  rille_stmt base;
  struct sqlite_conn *conn;
  sqlite3_stmt *handle;
};

static rille_status
fail(struct sqlite_conn *conn, int code, rille_fault *fault)
{
  int extended = conn->db != NULL ? sqlite3_extended_errcode(conn->db) : code;

  if ((extended & 0xFF) != (code & 0xFF))
    extended = code;
  if ((code & 0xFF) == SQLITE_BUSY && rille_stop_requested())
    extended = SQLITE_INTERRUPT; /* it was stopped while it waited */
  return rille_sqlite_fault(extended, conn->db != NULL ? sqlite3_errmsg(conn->db) : sqlite3_errstr(code), fault);
}

static int64_t
monotonic_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits a little longer each time, with a spread so that waiters do not come in step, until the timeout or a stop. */
static int
on_busy(void *data, int tries)
{
  struct sqlite_conn *conn = data;
  int64_t now = monotonic_ms();
  long wait = (long)BUSY_FIRST_WAIT_US << (tries < 6 ? tries : 6);
  struct timespec pause = { 0 };

  if (tries == 0)
    conn->busy_since_ms = now;
  if (now - conn->busy_since_ms >= conn->busy_timeout_ms || rille_stop_requested())
    return 0;
  if (wait > BUSY_LONGEST_WAIT_US)
    wait = BUSY_LONGEST_WAIT_US;
  pause.tv_nsec = (wait / 2 + (long)((uintptr_t)conn / 64 + (uintptr_t)tries * 2654435761u) % (wait / 2 + 1)) * 1000;
  (void)nanosleep(&pause, NULL);
  return 1;
}

static int
on_progress(void *data)
{
  (void)data;
  return rille_stop_requested();
}

static rille_status
execute(struct sqlite_conn *conn, const char *sql, rille_fault *fault)
{
  int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);

  return code == SQLITE_OK ? RILLE_OK : fail(conn, code, fault);
}

/* Sets a pragma that takes a word, one of `words` (the first of them when none is given).  SQLite itself takes any
** word, and for one that it does not know chooses what is not safe. */
static rille_status
set_word(struct sqlite_conn *conn, const char *pragma, rille_str value, const char *const words[], rille_fault *fault)
{
  size_t i = 0;
  char sql[80];

  while (value.len > 0 && words[i] != NULL && !rille_str_is(value, words[i]))
    i++;
  if (words[i] == NULL)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s cannot be \"%.*s\"", pragma, RILLE_STR_ARG(value));
  (void)snprintf(sql, sizeof sql, "pragma %s = %s", pragma, words[i]);
  return execute(conn, sql, fault);
}

static rille_status
set_number(struct sqlite_conn *conn, const char *pragma, int64_t value, rille_fault *fault)
{
  char sql[80];

  (void)snprintf(sql, sizeof sql, "pragma %s = %lld", pragma, (long long)value);
  return execute(conn, sql, fault);
}

static rille_status
configure(struct sqlite_conn *conn, const rille_open_options *options, rille_fault *fault)
{
  static const char *const journals[] = { "wal", "delete", "truncate", "persist", "memory", "off", NULL };
  static const char *const syncs[] = { "full", "normal", "extra", NULL };
  rille_status status;

  (void)sqlite3_extended_result_codes(conn->db, 1);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  (void)sqlite3_busy_handler(conn->db, on_busy, conn);
  sqlite3_progress_handler(conn->db, STOP_CHECK_STEPS, on_progress, NULL);

  status = execute(conn, "pragma schema_version", fault); /* looks at the file for the first time */
  if (status == RILLE_OK && !options->readonly)
    status = set_word(conn, "journal_mode", options->journal_mode, journals, fault);
  if (status == RILLE_OK)
    status = set_word(conn, "synchronous", options->synchronous, syncs, fault);
  if (status == RILLE_OK)
    status = set_number(conn, "foreign_keys", !options->no_foreign_keys, fault);
  if (status == RILLE_OK)
    status = set_number(conn, "mmap_size", options->mmap_bytes, fault);
  if (status == RILLE_OK && options->cache_kib > 0)
    status = set_number(conn, "cache_size", -options->cache_kib, fault);
  return status;
}

static void
sqlite_close(rille_conn *base)
{
  struct sqlite_conn *conn = (struct sqlite_conn *)base;

  if (conn == NULL)
    return;
  for (int i = 0; i < SQL_COUNT; i++)
    (void)sqlite3_finalize(conn->kept[i]);
  (void)sqlite3_close_v2(conn->db);
  rille_memory_free(conn);
}

/* A path is a path: SQLite may have been built to take what begins with "file:" for a URI with options in it. */
static char *
path_of(rille_str database)
{
  static const char here[] = "./";
  bool uri = database.len >= 5 && memcmp(database.at, "file:", 5) == 0;
  size_t before = uri ? sizeof here - 1 : 0;
  char *path = rille_memory_get(before + database.len + 1);

  if (path != NULL && database.len > 0) {
    memcpy(path, here, before);
    memcpy(path + before, database.at, database.len);
  }
  return path;
}

static rille_status
sqlite_open(const rille_open_options *options, rille_conn **out, rille_fault *fault)
{
  struct sqlite_conn *conn = rille_memory_get(sizeof *conn);
  char *path = path_of(options->database);
  int flags = SQLITE_OPEN_NOMUTEX | (options->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
              (options->readonly || options->existing ? 0 : SQLITE_OPEN_CREATE);
  rille_status status = conn != NULL && path != NULL ? RILLE_OK : rille_fault_no_memory(fault);

  if (status == RILLE_OK &&
      (options->database.len == 0 || memchr(options->database.at, '\0', options->database.len) != NULL))
    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                             "the path of a database must be a text without NUL and not be empty");
  if (status == RILLE_OK) {
    int code;

    conn->base.driver = &rille_driver_sqlite;
    conn->busy_timeout_ms = options->busy_timeout_ms;
    code = sqlite3_open_v2(path, &conn->db, flags, NULL);
    status = code == SQLITE_OK ? configure(conn, options, fault) : fail(conn, code, fault);
    if (status != RILLE_OK && fault != NULL) {
      char message[sizeof fault->message];

      memcpy(message, fault->message, sizeof message);
      (void)snprintf(fault->message, sizeof fault->message, "cannot open the database \"%.200s\": %.250s", path,
                     message);
    }
  }
  if (status == RILLE_OK) {
    *out = &conn->base;
    conn = NULL;
  }
  sqlite_close((rille_conn *)conn);
  rille_memory_free(path);
  return status;
}

/* Runs one of the statements that every transaction needs. */
static rille_status
run_kept(struct sqlite_conn *conn, int which, const char *sql, rille_fault *fault)
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
    rille_status status = fail(conn, code, fault);

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

  return run_kept((struct sqlite_conn *)base, SQL_BEGIN_DEFERRED + (int)mode, words[mode], fault);
}

static rille_status
sqlite_commit(rille_conn *base, rille_fault *fault)
{
  return run_kept((struct sqlite_conn *)base, SQL_COMMIT, "commit", fault);
}

static rille_status
sqlite_rollback(rille_conn *base, rille_fault *fault)
{
  return run_kept((struct sqlite_conn *)base, SQL_ROLLBACK, "rollback", fault);
}

static bool
sqlite_in_transaction(const rille_conn *base)
{
  return sqlite3_get_autocommit(((const struct sqlite_conn *)base)->db) == 0;
}

static void
sqlite_free(rille_stmt *base)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;

  if (stmt != NULL) {
    (void)sqlite3_finalize(stmt->handle);
    rille_memory_free(stmt);
  }
}

/* True when nothing but blanks, semicolons and comments is left. */
static bool
is_only_blank(struct sqlite_conn *conn, const char *tail, const char *end, int *code)
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

static rille_status
sqlite_prepare(rille_conn *base, rille_str sql, rille_stmt **out, rille_fault *fault)
{
  struct sqlite_conn *conn = (struct sqlite_conn *)base;
  struct sqlite_stmt *stmt = rille_memory_get(sizeof *stmt);
  rille_status status = stmt != NULL ? RILLE_OK : rille_fault_no_memory(fault);
  const char *tail = NULL;

  if (sql.len == 0)
    sql.at = "";
  if (status == RILLE_OK && (sql.len > INT32_MAX || memchr(sql.at, '\0', sql.len) != NULL))
    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the SQL text holds a NUL byte or is too long");
  if (status == RILLE_OK) {
    int code = sqlite3_prepare_v3(conn->db, sql.at, (int)sql.len, SQLITE_PREPARE_PERSISTENT, &stmt->handle, &tail);

    if (code != SQLITE_OK)
      status = fail(conn, code, fault);
    else if (stmt->handle == NULL)
      status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the text holds no SQL statement");
    else if (!is_only_blank(conn, tail, sql.at + sql.len, &code))
      status = code == SQLITE_NOMEM
                 ? rille_fault_no_memory(fault)
                 : rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                                   "the text holds more than one SQL statement; only one can be run at a time");
  }
  if (status == RILLE_OK) {
    stmt->base.driver = &rille_driver_sqlite;
    stmt->conn = conn;
    *out = &stmt->base;
    stmt = NULL;
  }
  sqlite_free((rille_stmt *)stmt);
  return status;
}

static int
sqlite_param_count(const rille_stmt *base)
{
  return sqlite3_bind_parameter_count(((const struct sqlite_stmt *)base)->handle);
}

static rille_status
sqlite_bind(rille_stmt *base, int index, const rille_cell *cell, rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  const char *bytes = cell->as.text.at;
  int code = SQLITE_OK;

  switch (cell->kind) {
  case RILLE_NULL: code = sqlite3_bind_null(stmt->handle, index); break;
  case RILLE_BOOL:
  case RILLE_INT: code = sqlite3_bind_int64(stmt->handle, index, cell->as.integer); break;
  case RILLE_REAL: code = sqlite3_bind_double(stmt->handle, index, cell->as.real); break;
  case RILLE_TEXT:
    code = sqlite3_bind_text64(stmt->handle, index, bytes != NULL ? bytes : "", cell->as.text.len, SQLITE_STATIC,
                               SQLITE_UTF8);
    break;
  case RILLE_BLOB:
    code = sqlite3_bind_blob64(stmt->handle, index, bytes != NULL ? bytes : "", cell->as.text.len, SQLITE_STATIC);
    break;
  }
  return code == SQLITE_OK ? RILLE_OK : fail(stmt->conn, code, fault);
}

static rille_status
sqlite_step(rille_stmt *base, bool *row, rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  int code = sqlite3_step(stmt->handle);

  *row = code == SQLITE_ROW;
  return code == SQLITE_ROW || code == SQLITE_DONE ? RILLE_OK : fail(stmt->conn, code, fault);
}

static void
sqlite_reset(rille_stmt *base)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;

  (void)sqlite3_reset(stmt->handle);
  (void)sqlite3_clear_bindings(stmt->handle);
}

static int
sqlite_column_count(const rille_stmt *base)
{
  return sqlite3_column_count(((const struct sqlite_stmt *)base)->handle);
}

static rille_str
sqlite_column_name(const rille_stmt *base, int index)
{
  return rille_str_of(sqlite3_column_name(((const struct sqlite_stmt *)base)->handle, index));
}

static rille_str
sqlite_column_declared(const rille_stmt *base, int index)
{
  return rille_str_of(sqlite3_column_decltype(((const struct sqlite_stmt *)base)->handle, index));
}

/* Texts in UTF-8 are read with sqlite3_value_blob, which gives the bytes where they lie; sqlite3_value_text would
** copy each one only to put a NUL behind it. */
static rille_status
sqlite_row(rille_stmt *base, rille_cell cells[], rille_fault *fault)
{
  struct sqlite_stmt *stmt = (struct sqlite_stmt *)base;
  int count = sqlite3_data_count(stmt->handle);

  for (int i = 0; i < count; i++) {
    sqlite3_value *value = sqlite3_column_value(stmt->handle, i);
    rille_cell *cell = &cells[i];

    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      cell->kind = RILLE_INT;
      cell->as.integer = sqlite3_value_int64(value);
      break;
    case SQLITE_FLOAT:
      cell->kind = RILLE_REAL;
      cell->as.real = sqlite3_value_double(value);
      break;
    case SQLITE_TEXT:
      cell->kind = RILLE_TEXT;
      cell->as.text.at = sqlite3_value_encoding(value) == SQLITE_UTF8 ? sqlite3_value_blob(value)
                                                                      : (const char *)sqlite3_value_text(value);
      cell->as.text.len = (size_t)sqlite3_value_bytes(value);
      break;
    case SQLITE_BLOB:
      cell->kind = RILLE_BLOB;
      cell->as.text.at = sqlite3_value_blob(value);
      cell->as.text.len = (size_t)sqlite3_value_bytes(value);
      break;
    default: cell->kind = RILLE_NULL; break;
    }
    if (cell->kind >= RILLE_TEXT && cell->as.text.at == NULL) {
      if (sqlite3_errcode(stmt->conn->db) == SQLITE_NOMEM)
        return rille_fault_no_memory(fault);
      cell->as.text = (rille_str){ "", 0 };
    }
  }
  return RILLE_OK;
}

static bool
sqlite_changed(const rille_stmt *base)
{
  return sqlite3_stmt_status(((const struct sqlite_stmt *)base)->handle, SQLITE_STMTSTATUS_REPREPARE, 0) > 0;
}

static bool
sqlite_writes(const rille_stmt *base)
{
  return !sqlite3_stmt_readonly(((const struct sqlite_stmt *)base)->handle);
}

static int64_t
sqlite_changes(const rille_conn *base)
{
  return sqlite3_changes(((const struct sqlite_conn *)base)->db);
}

static int64_t
sqlite_last_id(const rille_conn *base)
{
  return sqlite3_last_insert_rowid(((const struct sqlite_conn *)base)->db);
}

const rille_driver rille_driver_sqlite = {
  .name = "sqlite",
  .catalog = {
    [RILLE_CATALOG_TABLES] =
        "select name, type as kind, sql from sqlite_schema where type in ('table', 'view') "
        "and name not like 'sqlite\\_%' escape '\\' order by name",
    [RILLE_CATALOG_COLUMNS] =
        "select name, type as declared, \"notnull\" as not_null, dflt_value as \"default\", pk as \"primary\", "
        "hidden in (2, 3) as generated from pragma_table_xinfo(?1) where hidden <> 1 order by cid",
    [RILLE_CATALOG_INDEXES] =
        "select l.name as name, l.\"unique\" as is_unique, l.origin as origin, l.partial as partial, "
        "i.name as \"column\" from pragma_index_list(?1) as l, pragma_index_info(l.name) as i order by l.seq desc, i.seqno",
    [RILLE_CATALOG_FOREIGN] =
        "select id, \"from\" as \"column\", \"table\", \"to\" as \"references\", on_update, on_delete "
        "from pragma_foreign_key_list(?1) order by id, seq",
  },
  .version = sqlite3_libversion,
  .open = sqlite_open,
  .close = sqlite_close,
  .begin = sqlite_begin,
  .commit = sqlite_commit,
  .rollback = sqlite_rollback,
  .in_transaction = sqlite_in_transaction,
  .prepare = sqlite_prepare,
  .free = sqlite_free,
  .param_count = sqlite_param_count,
  .bind = sqlite_bind,
  .step = sqlite_step,
  .reset = sqlite_reset,
  .column_count = sqlite_column_count,
  .column_name = sqlite_column_name,
  .column_declared = sqlite_column_declared,
  .row = sqlite_row,
  .changed = sqlite_changed,
  .writes = sqlite_writes,
  .changes = sqlite_changes,
  .last_id = sqlite_last_id,
};
