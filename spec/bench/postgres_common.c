/* spec/bench/postgres_common.c - the connection, and values in binary. */
#include "postgres.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

PGconn *db;
long rows;
int64_t sum;
double ms;
static double started_ms;

_Noreturn void
die(const char *what)
{
  fprintf(stderr, "bench: %s: %s\n", what, PQerrorMessage(db));
  exit(1);
}

void *
room_for(size_t bytes)
{
  void *memory = malloc(bytes > 0 ? bytes : 1);

  if (memory == NULL)
    die("no memory");
  return memory;
}

static double
now_ms(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void
start(void)
{
  started_ms = now_ms();
}

void
stop(void)
{
  ms = now_ms() - started_ms;
}

uint64_t
draw(uint64_t *state, uint64_t below)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (*state >> 33) % below;
}

PGresult *
good(PGresult *result)
{
  ExecStatusType status = PQresultStatus(result);

  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN &&
      status != PGRES_SINGLE_TUPLE)
    die(PQresultErrorMessage(result));
  return result;
}

void
run(const char *sql)
{
  PQclear(good(PQexec(db, sql)));
}

void
prepare(const char *name, const char *sql)
{
  PQclear(good(PQprepare(db, name, sql, 0, NULL)));
}

/* -- values in binary ---------------------------------------------------------------------------------------- */

int64_t
eight(const PGresult *result, int row, int column)
{
  uint64_t bits;

  memcpy(&bits, PQgetvalue(result, row, column), sizeof bits);
  return (int64_t)be64toh(bits);
}

char *
put8(char *at, int64_t number)
{
  uint64_t bits = htobe64((uint64_t)number);

  memcpy(at, &bits, sizeof bits);
  return at + sizeof bits;
}

char *
put4(char *at, int32_t number)
{
  uint32_t bits = htobe32((uint32_t)number);

  memcpy(at, &bits, sizeof bits);
  return at + sizeof bits;
}

char *
put_text(char *at, const char *text, size_t length)
{
  at = put4(at, (int32_t)length);
  memcpy(at, text, length);
  return at + length;
}

int64_t
now_us(void)
{
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return ((int64_t)now.tv_sec - 946684800) * 1000000 + now.tv_nsec / 1000;
}

/* -- rows as structs ----------------------------------------------------------------------------------------- */

char *
copy(const PGresult *result, int row, int column)
{
  size_t length = (size_t)PQgetlength(result, row, column) + 1;

  return memcpy(room_for(length), PQgetvalue(result, row, column), length);
}

void
read_post(struct post *post, const PGresult *result, int row)
{
  *post = (struct post){ .id = eight(result, row, 0),
                         .author_id = eight(result, row, 1),
                         .title = copy(result, row, 2),
                         .body = copy(result, row, 3),
                         .status = copy(result, row, 4),
                         .views = eight(result, row, 5),
                         .created_at = eight(result, row, 6),
                         .updated_at = eight(result, row, 7) };
}

void
release_post(struct post *post)
{
  free(post->title);
  free(post->body);
  free(post->status);
}

PGresult *
ask(const char *name, int count, const char *const values[], const int lengths[])
{
  static const int binary[] = { 1, 1, 1, 1, 1, 1, 1 };

  return good(PQexecPrepared(db, name, count, values, lengths, binary, 1));
}
