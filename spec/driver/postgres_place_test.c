/* spec/driver/postgres_place_test.c - looks behind commits, whose answers are read later. */
#include "spec/driver/posts.h"

#include <stdio.h>

static const rille_driver *const postgres = &rille_driver_postgres;

/* Where the log of the server is, by another connection. */
static uint64_t
position_now(rille_conn *other)
{
  return (uint64_t)contract_integer(other, "select (pg_current_wal_lsn() - '0/0')::bigint");
}

static void
put_post(int64_t id)
{
  contract_run_sql(posts_db, "insert into posts values (%lld)", (long long)id);
}

static void
sees_a_place_between_before_its_commit_and_after_it(void **state)
{
  rille_conn *other = posts_connect((rille_open_options){ 0 });
  uint64_t position, before;
  uint32_t epoch;

  (void)state;
  postgres->track(posts_db, true);
  assert_false(postgres->tracked(posts_db, &epoch, &position));
  for (int64_t id = 1; id <= 20; id++) {
    before = position_now(other);
    put_post(id);
    if (id % 2 == 0) { /* another statement takes the connection before the answer was read */
      postgres->track(posts_db, false);
      assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), id);
    }
    assert_true(postgres->tracked(posts_db, &epoch, &position));
    assert_true(position > before && position <= position_now(other));
    assert_int_equal(epoch, 1);
    postgres->track(posts_db, true);
    assert_false(postgres->tracked(posts_db, &epoch, &position));
  }
  postgres->close(other);
}

static void
looks_in_the_round_trip_of_the_statement(void **state)
{
  uint64_t position, trips;
  uint32_t epoch;

  (void)state;
  put_post(1);
  postgres->track(posts_db, true);
  put_post(2);
  trips = postgres->round_trips(posts_db);
  for (int64_t id = 3; id <= 7; id++) /* each is prepared, and run */
    put_post(id);
  assert_int_equal(postgres->round_trips(posts_db) - trips, 10);
  assert_true(postgres->tracked(posts_db, &epoch, &position));
  assert_int_equal(postgres->round_trips(posts_db) - trips, 10);
}

static void
has_its_place_when_the_connection_was_lost_behind_it(void **state)
{
  rille_conn *other = posts_connect((rille_open_options){ 0 });
  uint64_t position, before = position_now(other);
  uint32_t epoch;
  char sql[100];

  (void)state;
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(posts_db, "select pg_backend_pid()"));
  postgres->track(posts_db, true);
  put_post(1);
  (void)spec_postgres_sql(sql);
  posts_pause(150);
  assert_true(postgres->tracked(posts_db, &epoch, &position));
  assert_true(position > before);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 1); /* by a new connection */
  postgres->close(other);
}

static void
has_none_where_the_look_failed(void **state)
{
  rille_fault fault;
  uint64_t position;
  uint32_t epoch;

  (void)state;
  postgres->track(posts_db, true);
  put_post(1);
  assert_fails(RILLE_UNIQUE_VIOLATION, contract_try(posts_db, "insert into posts values (1)", &fault), &fault);
  contract_run_sql(posts_db, "deallocate all");
  assert_false(postgres->tracked(posts_db, &epoch, &position));
  put_post(2);
  assert_true(postgres->tracked(posts_db, &epoch, &position));
}

static void
knows_of_a_transaction_that_was_begun_in_sql(void **state)
{
  (void)state;
  postgres->track(posts_db, true);
  contract_run_sql(posts_db, "begin");
  assert_true(postgres->in_transaction(posts_db));
  put_post(1);
  contract_run_sql(posts_db, "rollback");
  assert_false(postgres->in_transaction(posts_db));
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
}

static void
goes_on_with_all_else_while_an_answer_is_due(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  postgres->track(posts_db, true);
  put_post(1);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  put_post(2);
  assert_ok(postgres->commit(posts_db, &fault), &fault);
  put_post(3);
  stmt = contract_prepare(posts_db, "select id from posts order by id");
  put_post(4);
  postgres->stream(stmt, true);
  for (int id = 1; id <= 4; id++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    if (id == 2)
      put_post(5);
  }
  postgres->free(stmt);
  put_post(6); /* and is closed with it */
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_POSTS(sees_a_place_between_before_its_commit_and_after_it),
    ON_POSTS(looks_in_the_round_trip_of_the_statement),
    ON_POSTS(has_its_place_when_the_connection_was_lost_behind_it),
    ON_POSTS(has_none_where_the_look_failed),
    ON_POSTS(knows_of_a_transaction_that_was_begun_in_sql),
    ON_POSTS(goes_on_with_all_else_while_an_answer_is_due),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
