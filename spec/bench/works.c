/* spec/bench/works.c - the clock of a work and the settings that it runs with. */
#include "works.h"

#include <stdio.h>

void
bench_clock_start(struct bench_outcome *out)
{
  out->peak_before_kib = bench_peak_kib();
  out->started_ms = bench_now_ms();
}

void
bench_clock_stop(struct bench_outcome *out)
{
  out->ms = bench_now_ms() - out->started_ms;
}

void
bench_warm(sqlite3 *db, sqlite3_stmt *stmt)
{
  bench_check(db, sqlite3_step(stmt));
  sqlite3_reset(stmt);
}

void
bench_print_settings(sqlite3 *db)
{
  static const char *const NAMES[] = { "journal_mode", "synchronous", "mmap_size",  "foreign_keys",
                                       "cache_size",   "page_size",   "temp_store", "locking_mode" };

  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    char sql[64];
    sqlite3_stmt *stmt;

    snprintf(sql, sizeof sql, "pragma %s", NAMES[i]);
    stmt = bench_prepare(db, sql);
    bench_check(db, sqlite3_step(stmt));
    printf("%s=%s ", NAMES[i], (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
  }
  printf("sqlite=%s source=%s\n", sqlite3_libversion(), sqlite3_sourceid());
  for (int i = 0; sqlite3_compileoption_get(i) != NULL; i++)
    printf("%s%s", i > 0 ? " " : "", sqlite3_compileoption_get(i));
  printf("\n");
}
