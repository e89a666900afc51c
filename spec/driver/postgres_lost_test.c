/* spec/driver/postgres_lost_test.c - connections that end, and what becomes of transactions and statements. */
#include "spec/driver/posts.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

static const rille_driver *const postgres = &rille_driver_postgres;

static void
goes_on_when_the_server_ended_an_idle_connection(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  stmt = contract_prepare(posts_db, "insert into posts values ($1)");
  for (int64_t id = 1; id <= 3; id++) {
    const rille_cell cell = { .kind = RILLE_INT, .as.integer = id };

    assert_ok(postgres->bind(stmt, 1, &cell, &fault), &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    postgres->reset(stmt);
    posts_terminate(posts_db);
  }
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 3);
  postgres->free(stmt);
}

static void
says_that_the_connection_was_lost_and_connects_anew(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_CONNECTION_LOST, contract_try(posts_db, "select pg_terminate_backend(pg_backend_pid())", &fault),
               &fault);
  assert_contains(fault.message, "terminating connection");
  assert_string_equal(fault.state, "57P01");
  assert_false(postgres->in_transaction(posts_db));
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

static void
keeps_a_lost_transaction_open_until_it_is_rolled_back(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(posts_db, "insert into posts values (1)");
  assert_fails(RILLE_CONNECTION_LOST, contract_try(posts_db, "select pg_terminate_backend(pg_backend_pid())", &fault),
               &fault);
  assert_true(postgres->in_transaction(posts_db));
  assert_true(postgres->failed(posts_db));
  assert_fails(RILLE_CONNECTION_LOST, contract_try(posts_db, "insert into posts values (2)", &fault), &fault);
  assert_contains(fault.message, "nothing of it was kept");
  assert_fails(RILLE_CONNECTION_LOST, postgres->commit(posts_db, &fault), &fault);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  assert_false(postgres->in_transaction(posts_db));
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
}

static void
loses_nothing_when_the_connection_ends_before_a_transaction_began(void **state)
{
  rille_fault fault;

  (void)state;
  posts_terminate(posts_db);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(posts_db, "insert into posts values (1)");
  assert_ok(postgres->commit(posts_db, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 1);
}

static void *
terminate_soon(void *sql)
{
  posts_pause(300);
  (void)spec_postgres_sql(sql);
  return NULL;
}

/* A commit that takes a second, in the middle of which the connection is ended. */
static void
does_not_know_what_became_of_a_commit_whose_answer_was_lost(void **state)
{
  rille_fault fault;
  pthread_t thread;
  char sql[100];

  (void)state;
  contract_run_sql(posts_db, "create function slow() returns trigger language plpgsql as "
                             "$$begin perform pg_sleep(5); return null; end$$");
  contract_run_sql(posts_db, "create constraint trigger slow after insert on posts deferrable initially deferred "
                             "for each row execute function slow()");
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(posts_db, "select pg_backend_pid()"));
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(posts_db, "insert into posts values (1)");
  assert_int_equal(pthread_create(&thread, NULL, terminate_soon, sql), 0);
  assert_fails(RILLE_IN_DOUBT, postgres->commit(posts_db, &fault), &fault);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_not_equal(fault.hint, "");
  assert_false(postgres->in_transaction(posts_db));
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
}

static void
goes_on_after_the_server_was_killed_and_started_again(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(posts_db, "insert into posts values (1)");
  spec_postgres_do("kill", "0");
  assert_fails(RILLE_CONNECTION_LOST, contract_try(posts_db, "select 1", &fault), &fault);
  assert_fails(RILLE_CONNECTION_LOST, contract_try(posts_db, "select 1", &fault), &fault);
  assert_contains(fault.message, "cannot connect");
  spec_postgres_do("begin", "0");
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 1);
}

/* A server that neither answers nor goes, as behind a network that was cut. */
static void
waits_for_no_server_that_has_gone_silent(void **state)
{
  rille_conn *conn = posts_connect((rille_open_options){ .statement_timeout_ms = 200 });
  pid_t server = (pid_t)contract_integer(conn, "select pg_backend_pid()");
  time_t began;
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(conn, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(conn, "insert into posts values (1)");
  assert_int_equal(kill(server, SIGSTOP), 0);
  began = time(NULL);
  assert_fails(RILLE_CONNECTION_LOST, contract_try(conn, "insert into posts values (2)", &fault), &fault);
  assert_true(time(NULL) - began < 20);
  assert_contains(fault.message, "has not answered");
  assert_true(postgres->in_transaction(conn));
  assert_ok(postgres->rollback(conn, &fault), &fault);
  assert_int_equal(contract_integer(conn, "select count(*) from posts"), 0);
  assert_int_equal(kill(server, SIGCONT), 0); /* it finds its client gone, and undoes what it had */

  server = (pid_t)contract_integer(conn, "select pg_backend_pid()");
  assert_ok(postgres->begin(conn, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(conn, "insert into posts values (3)");
  assert_int_equal(kill(server, SIGSTOP), 0);
  assert_fails(RILLE_IN_DOUBT, postgres->commit(conn, &fault), &fault);
  assert_int_equal(kill(server, SIGCONT), 0);
  assert_false(postgres->in_transaction(conn));
  postgres->close(conn);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_POSTS(goes_on_when_the_server_ended_an_idle_connection),
    ON_POSTS(says_that_the_connection_was_lost_and_connects_anew),
    ON_POSTS(keeps_a_lost_transaction_open_until_it_is_rolled_back),
    ON_POSTS(loses_nothing_when_the_connection_ends_before_a_transaction_began),
    ON_POSTS(does_not_know_what_became_of_a_commit_whose_answer_was_lost),
    ON_POSTS(waits_for_no_server_that_has_gone_silent),
    ON_POSTS(goes_on_after_the_server_was_killed_and_started_again),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
