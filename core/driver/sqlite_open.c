/* core/driver/sqlite_open.c - opens a SQLite database as a careful C programmer would, and waits where others write. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/base/stop.h"
#include "core/driver/sqlite_conn.h"
#include "core/driver/sqlite_error.h"
#include "core/driver/sqlite_watch.h"

enum {
  STOP_CHECK_STEPS = 4000, /* virtual machine steps between two looks at the stop flag */
  BUSY_FIRST_WAIT_US = 500,
  BUSY_LONGEST_WAIT_US = 20000
};

rille_status
rille_sqlite_fail(rille_sqlite_conn *conn, int code, rille_fault *fault)
{
  int extended = conn->db != NULL ? sqlite3_extended_errcode(conn->db) : code;

  if ((extended & 0xFF) != (code & 0xFF))
    extended = code;
  if ((code & 0xFF) == SQLITE_BUSY && rille_stop_requested())
    extended = SQLITE_INTERRUPT; /* it was stopped while it waited */
  if ((code & 0xFF) == SQLITE_FULL && conn->max_bytes > 0) {
    (void)rille_fault_set(fault, RILLE_DISK_FULL, "the database or the disk is full: max_bytes is %lld",
                          (long long)conn->max_bytes);
    rille_fault_hint(fault, "delete rows, or allow it more; nothing of this statement was kept");
    return RILLE_DISK_FULL;
  }
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
  rille_sqlite_conn *conn = data;
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

void
rille_sqlite_be_patient(rille_sqlite_conn *conn)
{
  (void)sqlite3_busy_handler(conn->db, on_busy, conn);
}

static int
on_progress(void *data)
{
  (void)data;
  return rille_stop_requested();
}

static rille_status
execute(rille_sqlite_conn *conn, const char *sql, rille_fault *fault)
{
  int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);

  return code == SQLITE_OK ? RILLE_OK : rille_sqlite_fail(conn, code, fault);
}

/* Sets a pragma that takes a word, one of `words` (the first of them when none is given).  SQLite itself takes any
** word, and for one that it does not know chooses what is not safe. */
static rille_status
set_word(rille_sqlite_conn *conn, const char *pragma, rille_str value, const char *const words[], rille_fault *fault)
{
  size_t i = 0;
  char sql[80];

  while (value.len > 0 && words[i] != NULL && !rille_str_is(value, words[i]))
    i++;
  if (words[i] == NULL)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s cannot be \"%s\"", pragma, rille_show(value).text);
  (void)snprintf(sql, sizeof sql, "pragma %s = %s", pragma, words[i]);
  return execute(conn, sql, fault);
}

/* Whoever opens a new file switches it to the write-ahead log, and SQLite refuses another one that does the
** same without asking the busy handler: so that is asked here. */
static rille_status
set_journal(rille_sqlite_conn *conn, rille_str mode, rille_fault *fault)
{
  static const char *const modes[] = { "wal", "delete", "truncate", "persist", "memory", "off", NULL };
  int64_t since_ms = monotonic_ms();
  rille_status status = set_word(conn, "journal_mode", mode, modes, fault);

  for (int tries = 1; status == RILLE_BUSY; tries++) {
    conn->busy_since_ms = since_ms; /* the statement has waited, too */
    if (!on_busy(conn, tries))
      break;
    status = set_word(conn, "journal_mode", mode, modes, fault);
  }
  return status;
}

static rille_status
set_number(rille_sqlite_conn *conn, const char *pragma, int64_t value, rille_fault *fault)
{
  char sql[80];

  (void)snprintf(sql, sizeof sql, "pragma %s = %lld", pragma, (long long)value);
  return execute(conn, sql, fault);
}

/* SQLite counts pages; at least what is there already may stay. */
static rille_status
set_max_bytes(rille_sqlite_conn *conn, int64_t bytes, rille_fault *fault)
{
  sqlite3_stmt *statement = NULL;
  int64_t page_bytes = 0;
  int code = sqlite3_prepare_v2(conn->db, "pragma page_size", -1, &statement, NULL);

  if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
    page_bytes = sqlite3_column_int64(statement, 0);
  code = sqlite3_finalize(statement);
  if (code != SQLITE_OK || page_bytes <= 0)
    return rille_sqlite_fail(conn, code != SQLITE_OK ? code : SQLITE_CORRUPT, fault);
  conn->max_bytes = bytes;
  return set_number(conn, "max_page_count", bytes < page_bytes ? 1 : bytes / page_bytes, fault);
}

static rille_status
configure(rille_sqlite_conn *conn, const rille_open_options *options, rille_fault *fault)
{
  static const char *const syncs[] = { "full", "normal", "extra", NULL };
  rille_status status;
  int code;

  (void)sqlite3_extended_result_codes(conn->db, 1);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  rille_sqlite_be_patient(conn);
  sqlite3_progress_handler(conn->db, STOP_CHECK_STEPS, on_progress, NULL);
  rille_sqlite_begin_checkpoints(conn);

  code = sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_FKEY, options->no_foreign_keys ? 0 : 1, NULL);
  status = code == SQLITE_OK ? RILLE_OK : rille_sqlite_fail(conn, code, fault);
  /* The first of these looks at the file for the first time. */
  if (status == RILLE_OK && options->readonly)
    status = execute(conn, "pragma schema_version", fault);
  if (status == RILLE_OK && !options->readonly)
    status = set_journal(conn, options->journal_mode, fault);
  if (status == RILLE_OK)
    status = set_word(conn, "synchronous", options->synchronous, syncs, fault);
  if (status == RILLE_OK)
    status = set_number(conn, "mmap_size", options->mmap_bytes, fault);
  if (status == RILLE_OK && options->cache_kib > 0)
    status = set_number(conn, "cache_size", -options->cache_kib, fault);
  if (status == RILLE_OK && options->max_bytes > 0)
    status = set_max_bytes(conn, options->max_bytes, fault);
  return status;
}

void
rille_sqlite_close(rille_conn *base)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;

  if (conn == NULL)
    return;
  for (int i = 0; i < SQL_COUNT; i++)
    (void)sqlite3_finalize(conn->kept[i]);
  (void)sqlite3_close_v2(conn->db);
  rille_sqlite_watch_free(conn->watch);
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

rille_status
rille_sqlite_open(const rille_open_options *options, rille_conn **out, rille_fault *fault)
{
  rille_sqlite_conn *conn = rille_memory_get(sizeof *conn);
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
    conn->readonly = options->readonly;
    code = sqlite3_open_v2(path, &conn->db, flags, NULL);
    status = code == SQLITE_OK ? configure(conn, options, fault) : rille_sqlite_fail(conn, code, fault);
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
  rille_sqlite_close((rille_conn *)conn);
  rille_memory_free(path);
  return status;
}
