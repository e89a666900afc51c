/* spec/bench/common.h - what the C programs of the benchmark share: opening, preparing, clock, memory, numbers. */
#ifndef SPEC_BENCH_COMMON_H
#define SPEC_BENCH_COMMON_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_USERS = 10000, BENCH_POSTS = 100000, BENCH_EVENTS = 1000000, BENCH_BODY_BYTES = 200 };
enum { BENCH_GRAPH_USERS = 1000, BENCH_GRAPH_POSTS = 10000, BENCH_TAGS = 200 };

enum { BENCH_TIME_BYTES = 28 }; /* "2026-11-20T12:00:00.000000Z" and its NUL */

/* Opens an existing database as rille does.  The environment may say otherwise, for both sides alike:
** BENCH_OPEN=nomutex (without SQLite's mutexes), BENCH_SYNCHRONOUS (normal), BENCH_MMAP (bytes,
** 134217728), BENCH_CACHE_KIB (8192).  Ends the program when it cannot. */
sqlite3 *bench_open(const char *path);

/* Runs `sql`, which gives no rows that matter.  Ends the program when it fails, as the next two do. */
void bench_run(sqlite3 *db, const char *sql);

/* One statement, the caller's to finalize. */
sqlite3_stmt *bench_prepare(sqlite3 *db, const char *sql);

/* The answer of a call on `db`, which must be SQLITE_OK, SQLITE_ROW or SQLITE_DONE: given back. */
int bench_check(sqlite3 *db, int code);

/* Ends the program, exit status 1, with "bench: " and the two texts. */
_Noreturn void bench_die(const char *what, const char *why);

/* malloc that never gives NULL. */
void *bench_alloc(size_t bytes);

double bench_now_ms(void); /* a monotonic clock */
long bench_peak_kib(void); /* the largest resident size that this process ever had (VmHWM) */

/* The next number of a repeatable sequence, 0 <= n < below; rille.lua has the same one. */
uint64_t bench_random(uint64_t *state, uint64_t below);

/* Microseconds since 1970 (never before) as ISO 8601 text in UTC. */
void bench_time_text(int64_t us, char out[BENCH_TIME_BYTES]);
int64_t bench_time_now_us(void);

/* The moment that post `id` was created at, in microseconds: ten minutes after the one before it. */
int64_t bench_post_time_us(int64_t id);

#endif
