/* spec/bench/check.c - what a work left in the table posts, in numbers that must be the same whoever wrote it.
** Usage: check DB.  `stamped` counts rows changed after the data was made, by timestamps of the right form. */
#include "common.h"

#include <stdio.h>

static const char *const NAMES[] = { "count",      "authors",   "views",  "title_bytes",
                                     "body_bytes", "published", "formed", "stamped" };

static const char SQL[] =
  "select count(*), sum(id * author_id), sum(id * views), sum(id * length(title)), sum(length(body)), "
  "sum(status = 'published'), "
  "sum(length(created_at) = 27 and created_at glob '20*-*-*T*:*:*.*Z' "
  "and length(updated_at) = 27 and updated_at glob '20*-*-*T*:*:*.*Z'), "
  "sum(updated_at > '2025-12-01') from posts";

int
main(int argc, char **argv)
{
  sqlite3 *db;
  sqlite3_stmt *stmt;

  if (argc != 2) {
    fprintf(stderr, "usage: check DB\n");
    return 2;
  }
  db = bench_open(argv[1]);
  stmt = bench_prepare(db, SQL);
  bench_check(db, sqlite3_step(stmt));
  printf("check=");
  for (int i = 0; i < sqlite3_column_count(stmt); i++)
    printf("%s%s:%lld", i > 0 ? "," : "", NAMES[i], (long long)sqlite3_column_int64(stmt, i));
  printf("\n");
  sqlite3_finalize(stmt);
  bench_check(db, sqlite3_close(db));
  return 0;
}
