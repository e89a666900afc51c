/* spec/driver/posts.c - a new schema for each case, and psql to end connections with. */
#include "spec/driver/posts.h"

#include <stdio.h>
#include <time.h>

rille_conn *posts_db;
char posts_url[SPEC_URL_BYTES];

rille_conn *
posts_connect(rille_open_options options)
{
  rille_conn *conn = NULL;
  rille_fault fault;

  options.url = rille_str_of(posts_url);
  options.busy_timeout_ms = 2000;
  assert_ok(rille_driver_postgres.open(&options, &conn, &fault), &fault);
  return conn;
}

int
posts_open(void **state)
{
  (void)state;
  spec_postgres_schema(posts_url, sizeof posts_url);
  posts_db = posts_connect((rille_open_options){ 0 });
  contract_run_sql(posts_db, "create table posts (id bigint primary key, title text)");
  return 0;
}

int
posts_close(void **state)
{
  (void)state;
  rille_driver_postgres.close(posts_db);
  posts_db = NULL;
  return 0;
}

rille_stmt *
posts_stream(const char *sql)
{
  rille_stmt *stmt = contract_prepare(posts_db, sql);

  rille_driver_postgres.stream(stmt, true);
  return stmt;
}

void
posts_begin(void)
{
  rille_fault fault;

  assert_ok(rille_driver_postgres.begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
}

void
posts_commit(void)
{
  rille_fault fault;

  assert_ok(rille_driver_postgres.commit(posts_db, &fault), &fault);
}

void
posts_pause(int ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

  (void)nanosleep(&pause, NULL);
}

void
posts_terminate(rille_conn *conn)
{
  char sql[100];

  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(conn, "select pg_backend_pid()"));
  (void)spec_postgres_sql(sql);
  posts_pause(150);
}
