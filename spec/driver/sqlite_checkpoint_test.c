/* spec/driver/sqlite_checkpoint_test.c - one connection commits while another copies the log into the database.
**
** A file system of its own, in front of the real one, calls back at two moments of the connection that copies: when its
** commit has given back all locks, and when it has just read how far the log goes. */
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/run/opening.h"
#include "spec/support/driver.h"
#include "spec/support/spec.h"
#include "spec/support/temporary.h"

enum { WRITE_LOCK = 0, READ_LOCKS = 3, ROW_BYTES = 4000 };

static sqlite3_vfs *real;
static const sqlite3_io_methods *real_methods;
static const sqlite3_file *watched; /* the first database that is opened */
static void (*on_end)(void);        /* called once, each */
static void (*on_look)(void);

static bool wrote; /* it gave back the lock of the writer */

static void
call(void (**slot)(void))
{
  void (*function)(void) = *slot;

  *slot = NULL;
  if (function != NULL)
    function();
}

static int
lock(sqlite3_file *file, int from, int count, int flags)
{
  int code = real_methods->xShmLock(file, from, count, flags);

  if (file != watched || (flags & SQLITE_SHM_UNLOCK) == 0)
    return code;
  if (from == WRITE_LOCK)
    wrote = true;
  else if (from >= READ_LOCKS && wrote)
    call(&on_end);
  return code;
}

/* SQLite gives back what it has mapped when it sees that another connection has changed the log. */
static int
unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
  if (file == watched && page == NULL)
    call(&on_look);
  return real_methods->xUnfetch(file, at, page);
}

static int
open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
  static sqlite3_io_methods methods;
  int code = real->xOpen(real, path, file, flags, out_flags);

  (void)vfs;
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
    return code;
  real_methods = file->pMethods;
  methods = *real_methods;
  methods.xShmLock = lock;
  methods.xUnfetch = unfetch;
  file->pMethods = &methods;
  if (watched == NULL)
    watched = file;
  return code;
}

static int
begin_watching(void **state)
{
  static sqlite3_vfs vfs;

  (void)state;
  real = sqlite3_vfs_find(NULL);
  vfs = *real;
  vfs.zName = "watching";
  vfs.xOpen = open_file;
  return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -1;
}

/* -- two connections ------------------------------------------------------------------------------------- */

static rille_connection *copies, *other;
static int64_t rows; /* that were committed */

static rille_connection *
connect_to(const char *path, const char *pragma)
{
  rille_str pragmas[] = { rille_str_of(pragma) };
  rille_opening opening = { .driver = &rille_driver_sqlite,
                            .options = { .database = rille_str_of(path), .synchronous = rille_str_of("normal") },
                            .pragmas = pragmas,
                            .pragma_count = *pragma != '\0' ? 1 : 0 };
  rille_connection *connection = NULL;
  rille_fault fault;

  assert_ok(rille_opening_connect(&opening, &connection, &fault), &fault);
  return connection;
}

/* A commit of so many rows, each a page of the log at least; or none, where somebody else holds the lock for it. */
static void
add(rille_connection *connection, int count)
{
  char sql[200];
  rille_statement *statement = NULL;
  bool row = false;
  rille_status status;

  (void)snprintf(sql, sizeof sql,
                 "with recursive n(i) as (select 1 union all select i + 1 from n where i < %d) "
                 "insert into t (body) select zeroblob(%d) from n",
                 count, ROW_BYTES);
  status = rille_connection_sql(connection, rille_str_of(sql), &statement, NULL);
  assert_int_equal(status, RILLE_OK);
  status = connection->conn->driver->step(statement->stmt, &row, NULL);
  rille_connection_release(statement);
  assert_true(status == RILLE_OK || status == RILLE_BUSY);
  if (status == RILLE_OK)
    rows += count;
}

static void
another_commits(void)
{
  add(other, 1);
}

/* SQLite prepares a pragma anew when it is run again, which puts its own way back each time. */
static void
say(rille_connection *connection, const char *sql)
{
  for (int i = 0; i < 3 && *sql != '\0'; i++) {
    assert_int_equal(spec_run(connection, sql, NULL), RILLE_OK);
    assert_int_equal(spec_integer(connection, "pragma wal_autocheckpoint"), 0);
  }
}

static void
nothing_is_lost(int pages, const char *pragma, const char *sql)
{
  char path[SPEC_PATH_BYTES];

  spec_new_path(path);
  watched = NULL;
  rows = 0;
  copies = connect_to(path, pragma);
  other = connect_to(path, pragma);
  assert_int_equal(spec_run(copies, "create table t (id integer primary key, body blob)", NULL), RILLE_OK);
  say(copies, sql);
  say(other, sql);

  wrote = false;
  on_end = another_commits;  /* it copies the whole log, behind its own commit */
  on_look = another_commits; /* and then begins the log anew, where nobody keeps it from that */
  add(copies, pages + 100);
  assert_null(on_end);
  assert_null(on_look);

  for (int i = 0; i < 20; i++)
    add(other, 1);
  add(other, 2 * pages); /* it copies again */
  rille_connection_close(copies);
  rille_connection_close(other);

  other = connect_to(path, "");
  assert_int_equal(spec_integer(other, "select count(*) from t"), rows);
  assert_int_equal(spec_integer(other, "select count(*) from pragma_integrity_check where integrity_check = 'ok'"), 1);
  rille_connection_close(other);
}

static void
nobody_commits_while_one_copies_the_log(void **state)
{
  (void)state;
  nothing_is_lost(1000, "", "");
}

static void
nor_where_it_is_asked_for_after_other_numbers_of_pages(void **state)
{
  (void)state;
  nothing_is_lost(200, "pragma wal_autocheckpoint = 200", "");
}

static void
nor_where_a_statement_asks_for_that(void **state)
{
  (void)state;
  nothing_is_lost(200, "", "pragma wal_autocheckpoint = 200");
  nothing_is_lost(200, "pragma wal_autocheckpoint = 5000", "/* less */ pragma main.wal_autocheckpoint(200)");
}

static long
log_bytes(const char *path)
{
  char log[SPEC_PATH_BYTES + 8];
  struct stat info;

  (void)snprintf(log, sizeof log, "%s-wal", path);
  assert_int_equal(stat(log, &info), 0);
  return (long)info.st_size;
}

static void
nothing_is_copied_where_a_statement_says_that(void **state)
{
  char path[SPEC_PATH_BYTES];

  (void)state;
  spec_new_path(path);
  other = connect_to(path, "");
  assert_int_equal(spec_run(other, "create table t (id integer primary key, body blob)", NULL), RILLE_OK);
  say(other, "pragma wal_autocheckpoint = 0");
  for (int i = 0; i < 1200; i++)
    add(other, 1);
  assert_in_range(log_bytes(path), 1200 * 4096, 3600 * 4200);
  say(other, "pragma wal_autocheckpoint = 100");
  for (int i = 0; i < 1500; i++)
    add(other, 1);
  assert_in_range(log_bytes(path), 1200 * 4096, 3600 * 4200);
  rille_connection_close(other);
}

/* Or the log would grow for ever. */
static void
the_log_is_begun_anew_once_it_is_copied(void **state)
{
  char path[SPEC_PATH_BYTES];

  (void)state;
  spec_new_path(path);
  other = connect_to(path, "pragma wal_autocheckpoint = 100");
  copies = connect_to(path, "");
  assert_int_equal(spec_run(copies, "create table t (id integer primary key, body blob)", NULL), RILLE_OK);
  for (int i = 0; i < 700; i++)
    add(other, 1);
  assert_in_range(log_bytes(path), 100 * 4096, 120 * 4200);
  for (int i = 0; i < 1500; i++)
    add(copies, 1);
  assert_in_range(log_bytes(path), 1000 * 4096, 1020 * 4200);
  rille_connection_close(copies);
  rille_connection_close(other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nobody_commits_while_one_copies_the_log),
    cmocka_unit_test(the_log_is_begun_anew_once_it_is_copied),
    cmocka_unit_test(nor_where_it_is_asked_for_after_other_numbers_of_pages),
    cmocka_unit_test(nor_where_a_statement_asks_for_that),
    cmocka_unit_test(nothing_is_copied_where_a_statement_says_that),
  };

  return cmocka_run_group_tests(tests, begin_watching, NULL);
}
