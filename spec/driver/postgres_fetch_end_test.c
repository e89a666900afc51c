/* spec/driver/postgres_fetch_end_test.c - how a cursor that the server keeps ends, well or not, and what it leaves. */
#include "spec/driver/posts.h"

#include <stdio.h>
#include <time.h>

static const rille_driver *const postgres = &rille_driver_postgres;

#define MANY "select i, repeat('x', 50) from generate_series(1, 3000) as n (i)"

/* Rows `from` to `to`, the first column of which counts. */
static void
assert_rows(rille_stmt *stmt, int64_t from, int64_t to)
{
  rille_cell cells[8];
  rille_fault fault;
  bool row;

  for (int64_t i = from; i <= to; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, cells, &fault), &fault);
    assert_int_equal(cells[0].as.integer, i);
  }
}

static void
assert_ended(rille_stmt *stmt)
{
  rille_fault fault;
  bool row;

  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_false(row);
}

/* Steps on behind row `rows` until it fails; returns the last row that came before. */
static int64_t
rows_until(rille_stmt *stmt, int64_t rows, rille_status expected, rille_fault *fault)
{
  rille_status status = RILLE_OK;
  rille_cell cells[8];
  bool row = true;

  while (status == RILLE_OK && row) {
    status = postgres->step(stmt, &row, fault);
    if (status == RILLE_OK && row) {
      assert_ok(postgres->row(stmt, cells, fault), fault);
      assert_int_equal(cells[0].as.integer, ++rows);
    }
  }
  assert_fails(expected, status, fault);
  assert_int_equal(postgres->step(stmt, &row, NULL), expected);
  return rows;
}

/* What the server says of a connection; asked by somebody else, for a statement of its own would end the cursor. */
static void
assert_state(int64_t pid, const char *expected)
{
  char sql[120];

  (void)snprintf(sql, sizeof sql, "select state from pg_stat_activity where pid = %lld", (long long)pid);
  assert_string_equal(spec_postgres_sql(sql), expected);
}

static int64_t
pid_of(void)
{
  return contract_integer(posts_db, "select pg_backend_pid()");
}

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- in whose transaction ---------------------------------------------------------------------------------- */

static void
has_a_transaction_that_nobody_sees_and_that_ends_with_it(void **state)
{
  int64_t pid = pid_of();
  rille_stmt *stmt = posts_stream(MANY);

  (void)state;
  for (int way = 0; way < 3; way++) {
    assert_rows(stmt, 1, way == 0 ? 3000 : 700);
    assert_false(postgres->in_transaction(posts_db));
    assert_false(postgres->failed(posts_db));
    if (way == 1)
      assert_state(pid, "idle in transaction");
    if (way == 0)
      assert_ended(stmt);
    else if (way == 1)
      postgres->reset(stmt);
    else
      contract_run_sql(posts_db, "insert into posts values (1)");
    assert_state(pid, "idle");
    postgres->reset(stmt);
    postgres->stream(stmt, true);
  }
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 1);
  assert_int_equal(pid_of(), pid);
}

static void
leaves_nothing_open_in_the_transaction_of_others(void **state)
{
  rille_stmt *stmt;

  (void)state;
  contract_run_sql(posts_db, "insert into posts select i from generate_series(1, 3000) as n (i)");
  stmt = posts_stream("select id, title from posts order by id");
  posts_begin();
  for (int way = 0; way < 3; way++) {
    assert_rows(stmt, 1, way == 0 ? 3000 : 700);
    if (way == 0)
      assert_ended(stmt);
    if (way < 2)
      postgres->reset(stmt);
    assert_int_equal(contract_integer(posts_db, "select count(*) from pg_cursors where name <> ''"), 0);
    contract_run_sql(posts_db, "alter table posts add column n%d bigint", way); /* not while a cursor reads it */
    postgres->reset(stmt);
    postgres->stream(stmt, true);
  }
  postgres->free(stmt);
  posts_commit();
}

/* What was opened in a savepoint goes with it at the server, but its rows were taken out of the way before. */
static void
goes_on_when_a_savepoint_is_rolled_back(void **state)
{
  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmt = posts_stream(MANY);

    posts_begin();
    if (!inside)
      assert_rows(stmt, 1, 300);
    contract_run_sql(posts_db, "savepoint a");
    if (inside)
      assert_rows(stmt, 1, 300);
    contract_run_sql(posts_db, "rollback to a");
    assert_rows(stmt, 301, 3000);
    assert_ended(stmt);
    postgres->free(stmt);
    posts_commit();
  }
}

static void
sees_what_was_there_when_it_was_opened(void **state)
{
  (void)state;
  contract_run_sql(posts_db, "insert into posts select i from generate_series(1, 1000) as n (i)");
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmt = posts_stream("select id, title from posts order by id");
    rille_conn *other = posts_connect((rille_open_options){ 0 });

    if (inside)
      posts_begin();
    assert_rows(stmt, 1, 1);
    contract_run_sql(other, "insert into posts select 1000 + i from generate_series(1, 10) as n (i)");
    assert_rows(stmt, 2, 1000);
    assert_ended(stmt);
    postgres->free(stmt);
    if (inside)
      posts_commit();
    contract_run_sql(other, "delete from posts where id > 1000");
    postgres->close(other);
  }
}

/* -- what fails -------------------------------------------------------------------------------------------- */

static void
says_that_a_row_failed_and_takes_another_cursor(void **state)
{
  rille_fault fault;

  (void)state;
  for (int way = 0; way < 4; way++) {
    bool inside = way % 2 == 1;
    rille_stmt *stmt = posts_stream(way < 2 ? "select i, 1 / (i - 900) from generate_series(1, 3000) as n (i)"
                                            : "select i, 1 / (i - 9) from generate_series(1, 3000) as n (i)");
    rille_stmt *next = posts_stream(MANY);

    if (inside) {
      posts_begin();
      contract_run_sql(posts_db, "insert into posts values (%d)", way);
      contract_run_sql(posts_db, "savepoint a");
    }
    assert_in_range(rows_until(stmt, 0, RILLE_INVALID_ARGUMENT, &fault), 0, 899);
    assert_contains(fault.message, "division by zero");
    assert_int_equal(postgres->failed(posts_db), inside);
    assert_int_equal(postgres->in_transaction(posts_db), inside);
    if (inside)
      contract_run_sql(posts_db, "rollback to a");
    assert_rows(next, 1, 3000);
    assert_ended(next);
    postgres->free(next);
    postgres->free(stmt);
    if (inside)
      posts_commit();
  }
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 2);
}

static void
says_that_the_connection_was_lost_between_its_rows(void **state)
{
  rille_fault fault;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    char sql[100];
    rille_stmt *stmt;

    (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)", (long long)pid_of());
    stmt = posts_stream(MANY);
    if (inside)
      posts_begin();
    assert_rows(stmt, 1, 500);
    (void)spec_postgres_sql(sql);
    posts_pause(100);
    assert_in_range(rows_until(stmt, 500, RILLE_CONNECTION_LOST, &fault), 500, 2999);
    assert_string_equal(fault.state, "57P01");
    assert_int_equal(postgres->in_transaction(posts_db), inside);
    postgres->free(stmt);
    if (inside)
      assert_ok(postgres->rollback(posts_db, &fault), &fault);
    assert_int_equal(contract_integer(posts_db, "select 7"), 7);
  }
}

/* What the server said last, while nothing was asked, stands in the error. */
static void
says_why_the_server_ended_the_connection(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;

  (void)state;
  contract_run_sql(posts_db, "set idle_in_transaction_session_timeout = 200");
  stmt = posts_stream(MANY);
  assert_rows(stmt, 1, 500);
  posts_pause(600);
  assert_in_range(rows_until(stmt, 500, RILLE_CONNECTION_LOST, &fault), 500, 2999);
  assert_string_equal(fault.state, "25P03");
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 7"), 7);
}

static void
says_that_a_row_took_too_long(void **state)
{
  rille_conn *all = posts_db;
  rille_fault fault;
  rille_stmt *stmt;

  (void)state;
  posts_db = posts_connect((rille_open_options){ .statement_timeout_ms = 300 });
  stmt = posts_stream(
    "select i, pg_sleep(case when i > 700 then 100 else 0 end) from generate_series(1, 3000) as n (i)");
  assert_in_range(rows_until(stmt, 0, RILLE_TIMEOUT, &fault), 21, 700);
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 7"), 7);
  postgres->close(posts_db);
  posts_db = all;
}

/* Each FETCH has the time that a statement may take; who reads takes as long as it wants. */
static void
may_be_read_for_longer_than_a_statement_may_take(void **state)
{
  rille_conn *all = posts_db;
  rille_stmt *stmt;

  (void)state;
  posts_db = posts_connect((rille_open_options){ .statement_timeout_ms = 300 });
  stmt = posts_stream(MANY);
  for (int i = 0; i < 5; i++) {
    assert_rows(stmt, i * 600 + 1, i * 600 + 600);
    posts_pause(150);
  }
  assert_ended(stmt);
  postgres->free(stmt);
  postgres->close(posts_db);
  posts_db = all;
}

/* The function's trigger is put off to the end of the transaction, which is that of the cursor. */
static void
says_that_its_transaction_could_not_commit(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;

  (void)state;
  contract_run_sql(posts_db, "create function put(i bigint) returns bigint language sql as "
                             "'insert into posts values (i) returning id'");
  contract_run_sql(posts_db, "create function refuse() returns trigger language plpgsql as "
                             "'begin if new.id = 500 then raise exception ''no 500''; end if; return null; end'");
  contract_run_sql(posts_db, "create constraint trigger late after insert on posts deferrable initially deferred "
                             "for each row execute function refuse()");
  stmt = posts_stream("select put(i) from generate_series(1, 499) as n (i)");
  assert_rows(stmt, 1, 499);
  assert_ended(stmt);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 499);
  postgres->free(stmt);
  contract_run_sql(posts_db, "delete from posts");
  stmt = posts_stream("select put(i) from generate_series(1, 600) as n (i)");
  assert_int_equal(rows_until(stmt, 0, RILLE_CHECK_VIOLATION, &fault), 600);
  assert_contains(fault.message, "no 500");
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
}

/* -- early ------------------------------------------------------------------------------------------------- */

static void
cancels_what_nobody_waits_for(void **state)
{
  rille_stmt *stmt = posts_stream("select i, pg_sleep(case when i > 100 then 100 else 0 end) "
                                  "from generate_series(1, 3000) as n (i)");
  int64_t began_ms = now_ms(), pid = pid_of();

  (void)state;
  assert_rows(stmt, 1, 21);
  postgres->reset(stmt);
  assert_true(now_ms() - began_ms < 10000);
  assert_int_equal(pid_of(), pid);
  postgres->free(stmt);
}

int
main(void)
{
  const struct CMUnitTest ends[] = {
    ON_POSTS(has_a_transaction_that_nobody_sees_and_that_ends_with_it),
    ON_POSTS(leaves_nothing_open_in_the_transaction_of_others),
    ON_POSTS(goes_on_when_a_savepoint_is_rolled_back),
    ON_POSTS(sees_what_was_there_when_it_was_opened),
    ON_POSTS(says_that_a_row_failed_and_takes_another_cursor),
    ON_POSTS(says_that_the_connection_was_lost_between_its_rows),
    ON_POSTS(says_why_the_server_ended_the_connection),
    ON_POSTS(says_that_a_row_took_too_long),
    ON_POSTS(may_be_read_for_longer_than_a_statement_may_take),
    ON_POSTS(says_that_its_transaction_could_not_commit),
    ON_POSTS(cancels_what_nobody_waits_for),
  };

  return cmocka_run_group_tests(ends, NULL, NULL);
}
