/* spec/bench/data.c - makes the three databases that the works read, always the same bytes of content.
** Usage: data POSTS.DB EVENTS.DB GRAPH.DB.  The tables are written as rille's schema words would declare them. */
#include "common.h"

#include <stdio.h>
#include <string.h>

static const char POSTS_SQL[] =
  "create table \"users\" ("
  "\"id\" integer primary key autoincrement not null, \"name\" VARCHAR(255) not null, \"email\" VARCHAR(255) not null, "
  "\"created_at\" DATETIME TEXT, \"updated_at\" DATETIME TEXT);"
  "create table \"posts\" ("
  "\"id\" integer primary key autoincrement not null, "
  "\"author_id\" INTEGER not null references \"users\" (\"id\"), \"title\" VARCHAR(255) not null, "
  "\"body\" TEXT not null, \"status\" TEXT not null check (\"status\" in ('draft', 'published')), "
  "\"views\" INTEGER not null, \"created_at\" DATETIME TEXT, \"updated_at\" DATETIME TEXT);"
  "create index \"posts_author_id_index\" on \"posts\" (\"author_id\")";

static const char TAGS_SQL[] =
  "create table \"tags\" ("
  "\"id\" integer primary key autoincrement not null, \"name\" VARCHAR(255) not null, \"slug\" VARCHAR(255) not null);"
  "create table \"post_tags\" ("
  "\"post_id\" INTEGER not null references \"posts\" (\"id\"), "
  "\"tag_id\" INTEGER not null references \"tags\" (\"id\"), primary key (\"post_id\", \"tag_id\"))";

static const char EVENTS_SQL[] =
  "create table \"events\" ("
  "\"id\" integer primary key autoincrement not null, \"user_id\" INTEGER not null, \"kind\" VARCHAR(255) not null, "
  "\"amount\" INTEGER not null, \"at\" DATETIME TEXT not null)";

static void
bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
  sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

static void
bind_time(sqlite3_stmt *stmt, int at, int64_t us)
{
  char text[BENCH_TIME_BYTES];

  bench_time_text(us, text);
  bind_text(stmt, at, text);
}

static void
step(sqlite3 *db, sqlite3_stmt *stmt)
{
  bench_check(db, sqlite3_step(stmt));
  bench_check(db, sqlite3_reset(stmt));
}

static void
fill_users(sqlite3 *db, int64_t count)
{
  sqlite3_stmt *stmt = bench_prepare(db, "insert into users (name, email, created_at, updated_at) values (?, ?, ?, ?)");
  char text[64];

  for (int64_t id = 1; id <= count; id++) {
    snprintf(text, sizeof text, "User %d", (int)id);
    bind_text(stmt, 1, text);
    snprintf(text, sizeof text, "user%d@example.org", (int)id);
    bind_text(stmt, 2, text);
    bind_time(stmt, 3, bench_post_time_us(id));
    bind_time(stmt, 4, bench_post_time_us(id));
    step(db, stmt);
  }
  sqlite3_finalize(stmt);
}

static void
fill_posts(sqlite3 *db, int64_t count, uint64_t authors)
{
  sqlite3_stmt *stmt = bench_prepare(db, "insert into posts (author_id, title, body, status, views, created_at, "
                                         "updated_at) values (?, ?, ?, ?, ?, ?, ?)");
  uint64_t state = 1;
  char title[64], body[BENCH_BODY_BYTES + 1];

  for (int64_t id = 1; id <= count; id++) {
    sqlite3_bind_int64(stmt, 1, (int64_t)bench_random(&state, authors) + 1);
    snprintf(title, sizeof title, "The title of post %d", (int)id);
    bind_text(stmt, 2, title);
    memset(body, 'a' + (int)(id % 26), BENCH_BODY_BYTES);
    body[BENCH_BODY_BYTES] = '\0';
    bind_text(stmt, 3, body);
    bind_text(stmt, 4, bench_random(&state, 10) < 6 ? "published" : "draft");
    sqlite3_bind_int64(stmt, 5, (int64_t)bench_random(&state, 100000));
    bind_time(stmt, 6, bench_post_time_us(id));
    bind_time(stmt, 7, bench_post_time_us(id) + (int64_t)bench_random(&state, 1000000000));
    step(db, stmt);
  }
  sqlite3_finalize(stmt);
}

/* Each post gets one to five tags, three on average: neighbours of one that is drawn. */
static void
fill_tags(sqlite3 *db, int64_t posts)
{
  sqlite3_stmt *tag = bench_prepare(db, "insert into tags (name, slug) values (?, ?)");
  sqlite3_stmt *link = bench_prepare(db, "insert into post_tags (post_id, tag_id) values (?, ?)");
  uint64_t state = 3;
  char text[64];

  for (int id = 1; id <= BENCH_TAGS; id++) {
    snprintf(text, sizeof text, "Subject %d", id);
    bind_text(tag, 1, text);
    snprintf(text, sizeof text, "subject-%d", id);
    bind_text(tag, 2, text);
    step(db, tag);
  }
  for (int64_t id = 1; id <= posts; id++) {
    int64_t first = (int64_t)bench_random(&state, BENCH_TAGS), count = (int64_t)bench_random(&state, 5) + 1;

    for (int64_t i = 0; i < count; i++) {
      sqlite3_bind_int64(link, 1, id);
      sqlite3_bind_int64(link, 2, (first + i) % BENCH_TAGS + 1);
      step(db, link);
    }
  }
  sqlite3_finalize(link);
  sqlite3_finalize(tag);
}

static void
fill_events(sqlite3 *db)
{
  static const char *const KINDS[] = { "view", "click", "purchase", "signup" };
  sqlite3_stmt *stmt = bench_prepare(db, "insert into events (user_id, kind, amount, at) values (?, ?, ?, ?)");
  uint64_t state = 2;

  for (int64_t id = 1; id <= BENCH_EVENTS; id++) {
    sqlite3_bind_int64(stmt, 1, (int64_t)bench_random(&state, BENCH_USERS) + 1);
    bind_text(stmt, 2, KINDS[bench_random(&state, 4)]);
    sqlite3_bind_int64(stmt, 3, (int64_t)bench_random(&state, 10000));
    bind_time(stmt, 4, bench_post_time_us(0) + id * 1000000);
    step(db, stmt);
  }
  sqlite3_finalize(stmt);
}

static sqlite3 *
create(const char *path, const char *schema)
{
  sqlite3 *db = NULL;

  remove(path);
  if (sqlite3_open(path, &db) != SQLITE_OK)
    bench_die(path, sqlite3_errmsg(db));
  bench_run(db, "pragma journal_mode = wal; pragma synchronous = off; begin");
  bench_run(db, schema);
  return db;
}

/* Everything goes into the main file: closing the last connection removes the log. */
static void
finish(sqlite3 *db)
{
  bench_run(db, "commit; pragma wal_checkpoint(truncate)");
  bench_check(db, sqlite3_close(db));
}

int
main(int argc, char **argv)
{
  sqlite3 *db;

  if (argc != 4) {
    fprintf(stderr, "usage: data POSTS.DB EVENTS.DB GRAPH.DB\n");
    return 2;
  }
  db = create(argv[1], POSTS_SQL);
  fill_users(db, BENCH_USERS);
  fill_posts(db, BENCH_POSTS, BENCH_USERS);
  finish(db);
  db = create(argv[2], EVENTS_SQL);
  fill_events(db);
  finish(db);
  db = create(argv[3], POSTS_SQL);
  bench_run(db, TAGS_SQL);
  fill_users(db, BENCH_GRAPH_USERS);
  fill_posts(db, BENCH_GRAPH_POSTS, BENCH_GRAPH_USERS);
  fill_tags(db, BENCH_GRAPH_POSTS);
  finish(db);
  return 0;
}
