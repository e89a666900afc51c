/* spec/bench/first.c - a whole program: opens the database, reads the first user, prints the name.  Usage: first DB */
#include "common.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
  sqlite3 *db;
  sqlite3_stmt *stmt;

  if (argc != 2) {
    fprintf(stderr, "usage: first DB\n");
    return 2;
  }
  db = bench_open(argv[1]);
  stmt = bench_prepare(db, "select id, name, email, created_at, updated_at from users limit 1");
  if (bench_check(db, sqlite3_step(stmt)) != SQLITE_ROW)
    bench_die(argv[1], "no user in it");
  printf("%s\n", (const char *)sqlite3_column_text(stmt, 1));
  sqlite3_finalize(stmt);
  bench_check(db, sqlite3_close(db));
  return 0;
}
