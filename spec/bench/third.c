/* spec/bench/third.c - the works of the third table by hand: many small databases, visited one after the other, and
** files that are copied. */
#define _GNU_SOURCE /* copy_file_range */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "works.h"

enum { DATABASES = 500, ROWS = 10, VISITS = 2000, HOT = 100, HOT_VISITS = 200000, STOCK = 200, PATH_BYTES = 400 };

static const char QUESTION[] = "select name from users where id = ?";

/* The path of the n-th database, from 1, in the directory that BENCH_MANY names. */
static void
path_of(int n, char path[PATH_BYTES])
{
  const char *directory = getenv("BENCH_MANY");

  if (directory == NULL)
    bench_die("BENCH_MANY", "names no directory");
  (void)snprintf(path, PATH_BYTES, "%s/t%d.db", directory, n);
}

static void
make_one(const char *path)
{
  sqlite3 *db = NULL;
  char sql[100];

  if (sqlite3_open(path, &db) != SQLITE_OK)
    bench_die(path, sqlite3_errmsg(db));
  bench_run(db, "pragma journal_mode = wal; pragma synchronous = off; begin;"
                "create table users (id integer primary key not null, name text not null)");
  for (int row = 1; row <= ROWS; row++) {
    (void)snprintf(sql, sizeof sql, "insert into users values (%d, 'user number %d')", row, row);
    bench_run(db, sql);
  }
  bench_run(db, "commit");
  bench_check(db, sqlite3_close(db));
}

void
bench_work_many(sqlite3 *db, struct bench_outcome *out)
{
  char path[PATH_BYTES];

  (void)db;
  (void)out;
  for (int n = 1; n <= DATABASES; n++) {
    path_of(n, path);
    if (access(path, F_OK) != 0)
      make_one(path);
  }
}

static void
ask(sqlite3 *db, sqlite3_stmt *stmt, int64_t id, struct bench_outcome *out)
{
  bench_check(db, sqlite3_bind_int64(stmt, 1, id));
  if (bench_check(db, sqlite3_step(stmt)) != SQLITE_ROW)
    bench_die("visit", "no row");
  out->sum += (int64_t)strlen((const char *)sqlite3_column_text(stmt, 0));
  out->rows++;
}

void
bench_work_visit(sqlite3 *db, struct bench_outcome *out)
{
  char path[PATH_BYTES];

  (void)db;
  bench_clock_start(out);
  for (int visit = 0; visit < VISITS; visit++) {
    sqlite3_stmt *stmt;
    sqlite3 *one;

    path_of(visit % DATABASES + 1, path);
    one = bench_open(path);
    stmt = bench_prepare(one, QUESTION);
    ask(one, stmt, visit % ROWS + 1, out);
    sqlite3_finalize(stmt);
    bench_check(one, sqlite3_close(one));
  }
  bench_clock_stop(out);
}

/* The same when 100 stay open, and the one that was visited longest ago is closed for the next. */
void
bench_work_full(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3 *open[HOT];
  sqlite3_stmt *stmts[HOT];
  char path[PATH_BYTES];

  (void)db;
  for (int visit = -HOT; visit < VISITS; visit++) {
    int at = (visit + HOT) % HOT;

    if (visit == 0)
      bench_clock_start(out);
    if (visit >= 0) {
      sqlite3_finalize(stmts[at]);
      bench_check(open[at], sqlite3_close(open[at]));
    }
    path_of((visit + DATABASES) % DATABASES + 1, path);
    open[at] = bench_open(path);
    stmts[at] = bench_prepare(open[at], QUESTION);
    ask(open[at], stmts[at], (visit + DATABASES) % ROWS + 1, out);
    sqlite3_reset(stmts[at]);
    if (visit < 0)
      out->rows = out->sum = 0;
  }
  bench_clock_stop(out);
  for (int n = 0; n < HOT; n++) {
    sqlite3_finalize(stmts[n]);
    bench_check(open[n], sqlite3_close(open[n]));
  }
}

/* The tables of a new tenant, as many pages as rille's template has. */
static void
make_template(const char *path)
{
  sqlite3 *db = NULL;

  if (sqlite3_open(path, &db) != SQLITE_OK)
    bench_die(path, sqlite3_errmsg(db));
  bench_run(db, "pragma journal_mode = wal; begin; create table migrations (name text primary key not null);"
                "insert into migrations values ('0001_users');"
                "create table users (id integer primary key autoincrement not null, name text not null); commit");
  bench_check(db, sqlite3_close(db));
}

/* A copy that is whole or not there, whenever the power fails: it is on the disk before it has its name, which takes
** nobody else's place, and then its name is. */
static void
copy(const char *from_path, const char *to_path, int folder)
{
  char new_path[PATH_BYTES + 8];
  int from = open(from_path, O_RDONLY | O_CLOEXEC), to;

  (void)snprintf(new_path, sizeof new_path, "%s.new", to_path);
  to = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (from < 0 || to < 0)
    bench_die(new_path, "cannot be made");
  while (copy_file_range(from, NULL, to, NULL, 1 << 30, 0) > 0)
    continue;
  if (fdatasync(to) != 0 || close(to) != 0 || link(new_path, to_path) != 0 || fsync(folder) != 0)
    bench_die(to_path, "cannot be written");
  (void)unlink(new_path);
  (void)close(from);
}

void
bench_work_stock(sqlite3 *db, struct bench_outcome *out)
{
  char from[PATH_BYTES], to[PATH_BYTES];
  int folder;

  (void)db;
  (void)snprintf(from, sizeof from, "%s/template.db", getenv("BENCH_MANY"));
  if (access(from, F_OK) != 0)
    make_template(from);
  folder = open(getenv("BENCH_MANY"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bench_clock_start(out);
  for (int n = 0; n < STOCK; n++) {
    (void)snprintf(to, sizeof to, "%s/copy%d-%d.db", getenv("BENCH_MANY"), (int)getpid(), n);
    copy(from, to, folder);
  }
  bench_clock_stop(out);
  out->rows = out->sum = STOCK;
  (void)close(folder);
}

void
bench_work_hot(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3 *hot[HOT];
  sqlite3_stmt *stmts[HOT];
  char path[PATH_BYTES];

  (void)db;
  for (int n = 0; n < HOT; n++) {
    path_of(n + 1, path);
    hot[n] = bench_open(path);
    stmts[n] = bench_prepare(hot[n], QUESTION);
  }
  bench_clock_start(out);
  for (int visit = 0; visit < HOT_VISITS; visit++) {
    ask(hot[visit % HOT], stmts[visit % HOT], visit % ROWS + 1, out);
    sqlite3_reset(stmts[visit % HOT]);
  }
  bench_clock_stop(out);
  for (int n = 0; n < HOT; n++) {
    sqlite3_finalize(stmts[n]);
    bench_check(hot[n], sqlite3_close(hot[n]));
  }
}
