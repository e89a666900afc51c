/* spec/bench/raw.c - the works of the benchmark, written by hand in C against sqlite3: the measure of all ratios.
** Usage: raw WORK DB, or raw settings DB.  Each work is what a good C programmer would write without a benchmark in
** mind: statements are prepared once and kept, a row that outlives its step is copied, many writes share a
** transaction.  No trick that nobody would use (no statement left open to hold the lock, no table read past sqlite3)
** and no waste.  What a work still has at its end is freed after the clock stopped, just as what rille has then is
** collected after it; what either drops on the way counts. */
#include "json.h"
#include "works.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t *
random_ids(size_t n)
{
  int64_t *ids = bench_alloc(n * sizeof *ids);
  uint64_t state = 42;

  for (size_t i = 0; i < n; i++)
    ids[i] = (int64_t)bench_random(&state, BENCH_POSTS) + 1;
  return ids;
}

/* 100,000 random posts by their key, each copied whole into a struct, read and dropped; no transaction round them. */
static void
work_find(sqlite3 *db, struct bench_outcome *out)
{
  enum { FINDS = 100000 };
  sqlite3_stmt *stmt = posts_prepare(db, "where id = ?");
  int64_t *ids = random_ids(FINDS);
  struct post post;

  bench_warm(db, stmt);
  bench_clock_start(out);
  for (int i = 0; i < FINDS; i++) {
    if (post_find(db, stmt, ids[i], &post)) {
      out->rows++;
      out->sum += post.views;
      post_release(&post);
    }
  }
  bench_clock_stop(out);
  sqlite3_finalize(stmt);
  free(ids);
}

/* Every post copied whole into one list of structs; then title, status and views read of each. */
static void
work_all(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3_stmt *stmt = posts_prepare(db, "");
  struct posts list = { 0 };

  bench_warm(db, stmt);
  bench_clock_start(out);
  posts_fetch(&list, db, stmt);
  for (size_t i = 0; i < list.length; i++) {
    const struct post *post = &list.at[i];

    out->sum += (int64_t)strlen(post->title) + post->views;
    if (strcmp(post->status, "published") == 0)
      out->sum++;
  }
  bench_clock_stop(out);
  out->rows = (int64_t)list.length;
  posts_release(&list);
  sqlite3_finalize(stmt);
}

struct search {
  int64_t author_id, views;
  char since[BENCH_TIME_BYTES];
};

/* 20,000 times the posts of one author, published, with so many views, since then; the most viewed first, 10 at most
** (1.7 on average).  One prepared statement serves all; the posts found are copied whole, read and dropped. */
static void
work_query(sqlite3 *db, struct bench_outcome *out)
{
  enum { QUERIES = 20000 };
  sqlite3_stmt *stmt = posts_prepare(db, "where author_id = ? and status = ? and views > ? and created_at >= ? "
                                         "order by views desc limit 10");
  struct search *searches = bench_alloc(QUERIES * sizeof *searches);
  uint64_t state = 7;

  for (int i = 0; i < QUERIES; i++) {
    searches[i].author_id = (int64_t)bench_random(&state, BENCH_USERS) + 1;
    searches[i].views = (int64_t)bench_random(&state, 50000);
    bench_time_text(bench_post_time_us(25000 + (int64_t)bench_random(&state, 75000)), searches[i].since);
  }
  bench_warm(db, stmt);
  bench_clock_start(out);
  for (int i = 0; i < QUERIES; i++) {
    struct posts found = { 0 };

    sqlite3_bind_int64(stmt, 1, searches[i].author_id);
    sqlite3_bind_text(stmt, 2, "published", -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, searches[i].views);
    sqlite3_bind_text(stmt, 4, searches[i].since, -1, SQLITE_STATIC);
    posts_fetch(&found, db, stmt);
    for (size_t place = 0; place < found.length; place++) /* the order counts in the sum */
      out->sum += found.at[place].id * (int64_t)(place + 1);
    out->rows += (int64_t)found.length;
    posts_release(&found);
  }
  bench_clock_stop(out);
  sqlite3_finalize(stmt);
  free(searches);
}

static void
fill_body(char body[BENCH_BODY_BYTES + 1])
{
  memset(body, 'x', BENCH_BODY_BYTES);
  body[BENCH_BODY_BYTES] = '\0';
}

/* 10,000 posts made and inserted one after the other, each stamped with a time of its own, in one transaction. */
static void
work_create(sqlite3 *db, struct bench_outcome *out)
{
  enum { CREATES = 10000 };
  sqlite3_stmt *stmt = post_prepare_insert(db);
  char title[64], body[BENCH_BODY_BYTES + 1], now[BENCH_TIME_BYTES];

  fill_body(body);
  bench_clock_start(out);
  bench_run(db, "begin immediate");
  for (int i = 1; i <= CREATES; i++) {
    struct post post = {
      .author_id = i, .views = i, .title = title, .body = body, .status = "draft", .created_at = now, .updated_at = now
    };

    snprintf(title, sizeof title, "A new post %d", i);
    bench_time_text(bench_time_now_us(), now);
    post_insert(db, stmt, &post);
    out->rows++;
    out->sum += post.id;
  }
  bench_run(db, "commit");
  bench_clock_stop(out);
  sqlite3_finalize(stmt);
}

/* 100,000 posts that are there already, inserted in one transaction by one prepared statement. */
static void
work_insert(sqlite3 *db, struct bench_outcome *out)
{
  enum { INSERTS = 100000 };
  sqlite3_stmt *stmt = post_prepare_insert(db);
  struct post *rows = bench_alloc(INSERTS * sizeof *rows);
  char body[BENCH_BODY_BYTES + 1], time[BENCH_TIME_BYTES];

  fill_body(body);
  bench_time_text(bench_post_time_us(0), time);
  for (int i = 1; i <= INSERTS; i++) {
    char *title = bench_alloc(64);

    snprintf(title, 64, "An inserted post %d", i);
    rows[i - 1] = (struct post){ .author_id = i % BENCH_USERS + 1,
                                 .views = i,
                                 .title = title,
                                 .body = body,
                                 .status = "published",
                                 .created_at = time,
                                 .updated_at = time };
  }
  bench_clock_start(out);
  bench_run(db, "begin immediate");
  for (int i = 0; i < INSERTS; i++) {
    post_insert(db, stmt, &rows[i]);
    out->rows++;
    out->sum += rows[i].views;
  }
  bench_run(db, "commit");
  bench_clock_stop(out);
  for (int i = 0; i < INSERTS; i++)
    free(rows[i].title);
  free(rows);
  sqlite3_finalize(stmt);
}

/* 10,000 random posts loaded whole, their views raised by one, that column and the time of the change written; in one
** transaction. */
static void
work_save(sqlite3 *db, struct bench_outcome *out)
{
  enum { SAVES = 10000 };
  sqlite3_stmt *find = posts_prepare(db, "where id = ?");
  sqlite3_stmt *update = bench_prepare(db, "update posts set views = ?, updated_at = ? where id = ?");
  int64_t *ids = random_ids(SAVES);
  struct post post;
  char now[BENCH_TIME_BYTES];

  bench_warm(db, find);
  bench_clock_start(out);
  bench_run(db, "begin immediate");
  for (int i = 0; i < SAVES; i++) {
    if (!post_find(db, find, ids[i], &post))
      bench_die("save", "a post is missing");
    post.views++;
    bench_time_text(bench_time_now_us(), now);
    sqlite3_bind_int64(update, 1, post.views);
    sqlite3_bind_text(update, 2, now, -1, SQLITE_STATIC);
    sqlite3_bind_int64(update, 3, post.id);
    bench_check(db, sqlite3_step(update));
    bench_check(db, sqlite3_reset(update));
    out->rows++;
    out->sum += post.views;
    post_release(&post);
  }
  bench_run(db, "commit");
  bench_clock_stop(out);
  sqlite3_finalize(update);
  sqlite3_finalize(find);
  free(ids);
}

static const char EVENTS_SQL[] = "select id, user_id, kind, amount, \"at\" from events";

/* An event as a loop over them sees it: the texts are sqlite3's, and stand until the next step. */
struct event {
  int64_t id, user_id, amount;
  const char *kind, *at;
};

static void
event_read(struct event *event, sqlite3_stmt *stmt)
{
  event->id = sqlite3_column_int64(stmt, 0);
  event->user_id = sqlite3_column_int64(stmt, 1);
  event->kind = (const char *)sqlite3_column_text(stmt, 2);
  event->amount = sqlite3_column_int64(stmt, 3);
  event->at = (const char *)sqlite3_column_text(stmt, 4);
}

/* 1,000,000 events, one after the other in one struct that borrows its texts: a row to work with, as cursor() gives
** one, though nothing is copied.  One column is summed. */
static void
work_cursor(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3_stmt *stmt = bench_prepare(db, EVENTS_SQL);
  struct event event;

  bench_warm(db, stmt);
  bench_clock_start(out);
  while (bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW) {
    event_read(&event, stmt);
    out->rows++;
    out->sum += event.amount;
  }
  bench_clock_stop(out);
  sqlite3_finalize(stmt);
}

/* 10,000 posts that were read before, each with its author, as one JSON text. */
static void
work_json(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3_stmt *stmt = posts_prepare(db, "where id <= 10000 order by id");
  struct posts posts = { 0 };
  struct users users = users_fetch(db);
  json_t *array;
  char *text;

  posts_fetch(&posts, db, stmt);
  bench_clock_start(out);
  array = posts_json(&posts, &users);
  text = json_dumps(array, JSON_COMPACT);
  bench_clock_stop(out);
  if (text == NULL)
    bench_die("jansson", "the posts cannot be written");
  out->rows = (int64_t)posts.length;
  out->sum = (int64_t)strlen(text);
  out->check = json_checksum(text, strlen(text));
  free(text);
  json_decref(array);
  posts_release(&posts);
  users_release(&users);
  sqlite3_finalize(stmt);
}

/* The same rows, but of each only the number that the sum wants is asked for: the least that a program which knows
** beforehand what it will read can do.  Shown beside the table. */
static void
work_cursor_bare(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3_stmt *stmt = bench_prepare(db, EVENTS_SQL);

  bench_warm(db, stmt);
  bench_clock_start(out);
  while (bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW) {
    out->rows++;
    out->sum += sqlite3_column_int64(stmt, 3);
  }
  bench_clock_stop(out);
  sqlite3_finalize(stmt);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(sqlite3 *, struct bench_outcome *);
  } WORKS[] = { { "find", work_find },        { "all", work_all },
                { "query", work_query },      { "create", work_create },
                { "insert", work_insert },    { "save", work_save },
                { "cursor", work_cursor },    { "cursor_bare", work_cursor_bare },
                { "json", work_json },        { "graph", bench_work_graph },
                { "lazy", bench_work_graph }, { "hooked", work_create },
                { "many", bench_work_many },  { "visit", bench_work_visit },
                { "full", bench_work_full },  { "hot", bench_work_hot },
                { "stock", bench_work_stock } };
  bool known = false;
  sqlite3 *db;

  if (argc != 3) {
    fprintf(stderr, "usage: raw WORK|settings DB\n");
    return 2;
  }
  db = bench_open(argv[2]);
  if (strcmp(argv[1], "settings") == 0) {
    known = true;
    bench_print_settings(db);
  }
  for (size_t i = 0; i < sizeof WORKS / sizeof WORKS[0]; i++) {
    struct bench_outcome out = { 0 };

    if (strcmp(argv[1], WORKS[i].name) != 0)
      continue;
    known = true;
    WORKS[i].run(db, &out);
    printf("ms=%.3f rows=%lld sum=%lld peak_kib=%ld growth_kib=%ld", out.ms, (long long)out.rows, (long long)out.sum,
           bench_peak_kib(), bench_peak_kib() - out.peak_before_kib);
    printf(out.check != 0 ? " check=%016llx\n" : "\n", (unsigned long long)out.check);
  }
  bench_check(db, sqlite3_close(db));
  if (!known)
    bench_die(argv[1], "no such work");
  return 0;
}
