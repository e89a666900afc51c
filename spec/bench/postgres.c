/* spec/bench/postgres.c - the works of the fourth table by hand, with libpq alone: prepared once, values and results in
** binary, rows copied into structs as a C program keeps them.  Usage: postgres WORK URL, after `postgres data URL`.
**
** data makes the tables; clean takes away what a work wrote, and check says what it was. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDS = 20000, QUERIES = 5000, CREATES = 10000, INSERTS = 100000 };

static void
work_find(void)
{
  uint64_t state = 42;

  prepare("find", "select " COLUMNS " from posts where id = $1");
  start();
  for (int i = 0; i < FINDS; i++) {
    char id[8];
    const char *values[] = { id };
    struct post post;
    PGresult *result;

    put8(id, (int64_t)draw(&state, POSTS) + 1);
    result = ask("find", 1, values, (const int[]){ 8 });
    read_post(&post, result, 0);
    PQclear(result);
    rows++;
    sum += post.views;
    release_post(&post);
  }
  stop();
}

static void
work_all(void)
{
  PGresult *result;
  struct post *posts;

  prepare("all", "select " COLUMNS " from posts");
  start();
  result = ask("all", 0, NULL, NULL);
  rows = PQntuples(result);
  posts = room_for((size_t)rows * sizeof *posts);
  for (int i = 0; i < rows; i++)
    read_post(&posts[i], result, i);
  PQclear(result);
  for (int i = 0; i < rows; i++)
    sum += posts[i].views + (int64_t)strlen(posts[i].title) + (int64_t)strlen(posts[i].status);
  stop();
  for (int i = 0; i < rows; i++)
    release_post(&posts[i]);
  free(posts);
}

static void
work_query(void)
{
  uint64_t state = 7;

  prepare("query", "select " COLUMNS " from posts where author_id = $1 and status = $2 and views > $3 "
                   "and created_at >= $4 order by views desc limit 10");
  start();
  for (int i = 0; i < QUERIES; i++) {
    char author[8], views[8], since[8];
    const char *values[] = { author, "published", views, since };
    PGresult *result;

    put8(author, (int64_t)draw(&state, 10000) + 1);
    put8(views, (int64_t)draw(&state, 50000));
    put8(since, INT64_C(760000000000000));
    result = ask("query", 4, values, (const int[]){ 8, 9, 8, 8 });
    for (int row = 0; row < PQntuples(result); row++) {
      struct post post;

      read_post(&post, result, row);
      rows++;
      sum += post.id * (row + 1);
      release_post(&post);
    }
    PQclear(result);
  }
  stop();
}

static void
work_create(void)
{
  char title[64], body[201];

  memset(body, 'x', 200);
  body[200] = '\0';
  prepare("create", "insert into posts (" WRITTEN ") values ($1, $2, $3, $4, $5, $6, $7) returning id");
  start();
  run("begin");
  for (int i = 1; i <= CREATES; i++) {
    char number[8], now[8];
    const char *values[] = { number, title, body, "draft", number, now, now };
    PGresult *result;

    put8(number, i);
    put8(now, now_us());
    snprintf(title, sizeof title, "A new post %d", i);
    result = ask("create", 7, values, (const int[]){ 8, (int)strlen(title), 200, 5, 8, 8, 8 });
    rows++;
    sum += eight(result, 0, 0) > 0 ? i : 0;
    PQclear(result);
  }
  run("commit");
  stop();
}

/* COPY is the fastest there is. */
static void
work_insert(void)
{
  static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
  char body[200], title[64], row[512], *at;

  memset(body, 'x', sizeof body);
  start();
  run("begin");
  run("copy posts (" WRITTEN ") from stdin (format binary)");
  if (PQputCopyData(db, header, 19) != 1)
    die("copy");
  for (int i = 1; i <= INSERTS; i++) {
    size_t length = (size_t)snprintf(title, sizeof title, "An inserted post %d", i);

    row[0] = 0;
    row[1] = 7;
    at = put8(put4(row + 2, 8), i % 10000 + 1);
    at = put_text(put_text(put_text(at, title, length), body, sizeof body), "published", 9);
    at = put8(put4(at, 8), i);
    at = put8(put4(at, 8), INT64_C(760000000000000));
    at = put8(put4(at, 8), INT64_C(760000000000000));
    if (PQputCopyData(db, row, (int)(at - row)) != 1)
      die("copy");
    rows++;
    sum += i;
  }
  if (PQputCopyData(db, "\377\377", 2) != 1 || PQputCopyEnd(db, NULL) != 1)
    die("copy");
  PQclear(good(PQgetResult(db)));
  PQclear(PQgetResult(db));
  run("commit");
  stop();
}

/* As on SQLite a row to work with, in one struct that borrows its texts, though one column is all that is summed. */
struct event {
  int64_t id, user_id, amount, at;
  const char *kind;
};

static void
work_cursor(void)
{
  struct event event;
  PGresult *result;

  prepare("cursor", "select id, user_id, kind, amount, at from events");
  start();
  if (!PQsendQueryPrepared(db, "cursor", 0, NULL, NULL, NULL, 1) || !PQsetSingleRowMode(db))
    die("cursor");
  while ((result = PQgetResult(db)) != NULL) {
    if (PQresultStatus(good(result)) == PGRES_SINGLE_TUPLE) {
      event = (struct event){ .id = eight(result, 0, 0),
                              .user_id = eight(result, 0, 1),
                              .kind = PQgetvalue(result, 0, 2),
                              .amount = eight(result, 0, 3),
                              .at = eight(result, 0, 4) };
      rows++;
      sum += event.amount;
    }
    PQclear(result);
  }
  stop();
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(void);
  } works[] = { { "pg_find", work_find },     { "pg_all", work_all },       { "pg_query", work_query },
                { "pg_create", work_create }, { "pg_insert", work_insert }, { "pg_cursor", work_cursor },
                { "pg_graph", work_graph },   { "data", make_data },        { "clean", clean },
                { "check", print_check } };

  if (argc == 3)
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
      if (strcmp(works[i].name, argv[1]) == 0) {
        db = PQconnectdb(argv[2]);
        if (PQstatus(db) != CONNECTION_OK)
          die(argv[2]);
        run("set client_min_messages = warning");
        works[i].run();
        if (ms > 0)
          printf("ms=%.3f rows=%ld sum=%lld\n", ms, rows, (long long)sum);
        PQfinish(db);
        return 0;
      }
  fprintf(stderr, "usage: postgres WORK|data|clean|check URL\n");
  return 2;
}
