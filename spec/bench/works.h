/* spec/bench/works.h - what the works of raw.c and second.c share: what a work did, and its clock. */
#ifndef SPEC_BENCH_WORKS_H
#define SPEC_BENCH_WORKS_H

#include "common.h"

/* What a work did: the same rows and sum must come out on the other side. */
struct bench_outcome {
  double started_ms, ms;
  int64_t rows, sum;
  uint64_t check; /* of what was written; 0 for works that write nothing */
  long peak_before_kib;
};

void bench_clock_start(struct bench_outcome *out);
void bench_clock_stop(struct bench_outcome *out);

/* Reads the schema and a first page before the clock runs. */
void bench_warm(sqlite3 *db, sqlite3_stmt *stmt);

/* Prints the settings that both sides must share, "name=value name=value", and the library; then how that was
** compiled. */
void bench_print_settings(sqlite3 *db);

/* All users, their posts and the tags of these, read by three statements and linked; see second.c. */
void bench_work_graph(sqlite3 *db, struct bench_outcome *out);

/* Makes the databases of third.c where they are not there yet. */
void bench_work_many(sqlite3 *db, struct bench_outcome *out);

/* Many small databases, one after the other: each opened and closed, 100 kept open, or all; files copied: see
** third.c. */
void bench_work_visit(sqlite3 *db, struct bench_outcome *out);
void bench_work_full(sqlite3 *db, struct bench_outcome *out);
void bench_work_stock(sqlite3 *db, struct bench_outcome *out);
void bench_work_hot(sqlite3 *db, struct bench_outcome *out);

#endif
