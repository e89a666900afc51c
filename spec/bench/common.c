/* spec/bench/common.c - what the C programs of the benchmark share, kept out of their works. */
#define _POSIX_C_SOURCE 200809L
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void
bench_die(const char *what, const char *why)
{
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

void *
bench_alloc(size_t bytes)
{
  void *block = malloc(bytes);

  if (block == NULL)
    bench_die("malloc", "no memory");
  return block;
}

int
bench_check(sqlite3 *db, int code)
{
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
    bench_die("sqlite", sqlite3_errmsg(db));
  return code;
}

void
bench_run(sqlite3 *db, const char *sql)
{
  bench_check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

sqlite3_stmt *
bench_prepare(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *stmt = NULL;

  bench_check(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL));
  return stmt;
}

static const char *
setting(const char *name, const char *otherwise)
{
  const char *value = getenv(name);

  return value != NULL && value[0] != '\0' ? value : otherwise;
}

sqlite3 *
bench_open(const char *path)
{
  int flags = SQLITE_OPEN_READWRITE;
  const char *cache_kib = setting("BENCH_CACHE_KIB", "8192");
  sqlite3 *db = NULL;
  char sql[256];

  if (strcmp(setting("BENCH_OPEN", "plain"), "nomutex") == 0)
    flags |= SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
    bench_die(path, db != NULL ? sqlite3_errmsg(db) : "no memory");
  sqlite3_busy_timeout(db, 5000);
  snprintf(sql, sizeof sql,
           "pragma foreign_keys = on; pragma mmap_size = %s; pragma journal_mode = wal; pragma synchronous = %s",
           setting("BENCH_MMAP", "134217728"), setting("BENCH_SYNCHRONOUS", "normal"));
  bench_run(db, sql);
  if (cache_kib != NULL) {
    snprintf(sql, sizeof sql, "pragma cache_size = -%s", cache_kib);
    bench_run(db, sql);
  }
  return db;
}

double
bench_now_ms(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

long
bench_peak_kib(void)
{
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;

  if (status == NULL)
    bench_die("/proc/self/status", "cannot be read");
  while (fgets(line, sizeof line, status) != NULL) {
    if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
      break;
  }
  fclose(status);
  return kib;
}

uint64_t
bench_random(uint64_t *state, uint64_t below)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (*state >> 33) % below;
}

void
bench_time_text(int64_t us, char out[BENCH_TIME_BYTES])
{
  time_t seconds = (time_t)(us / 1000000);
  struct tm utc;

  gmtime_r(&seconds, &utc);
  strftime(out, BENCH_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(out + 19, BENCH_TIME_BYTES - 19, ".%06uZ", (unsigned)((uint64_t)us % 1000000));
}

int64_t
bench_time_now_us(void)
{
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
bench_post_time_us(int64_t id)
{
  return INT64_C(1700000000000000) + id * 600 * 1000000;
}
