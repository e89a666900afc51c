/* spec/driver/postgres_large_test.c - results that are large: their rows are read while the rest comes. */
#include "spec/driver/posts.h"

#include <stdio.h>

static const rille_driver *const postgres = &rille_driver_postgres;

/* Of 200 KB and more: the server sends them in many pieces. */
#define LARGE "select i, repeat('x', 200) from generate_series(1, 1000) as n (i)"

static int64_t
pid(void)
{
  return contract_integer(posts_db, "select pg_backend_pid()");
}

/* Rows from `from` on, the first column of which counts. */
static void
assert_rows(rille_stmt *stmt, int64_t from)
{
  rille_cell cells[2];
  rille_fault fault;
  bool row;

  for (int64_t i = from; i <= 1000; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, cells, &fault), &fault);
    assert_int_equal(cells[0].as.integer, i);
    assert_int_equal(cells[1].as.text.len, 200);
  }
  for (int i = 0; i < 2; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_false(row);
  }
}

static void
step_over_row(rille_stmt *stmt)
{
  rille_fault fault;
  bool row;

  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_true(row);
}

static void
gives_all_rows_whatever_is_asked_between_them(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, LARGE);
  rille_fault fault;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    if (inside)
      assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    assert_rows(stmt, 1);
    postgres->reset(stmt);
    step_over_row(stmt);
    assert_int_equal(contract_integer(posts_db, "select 7"), 7);
    assert_rows(stmt, 2);
    postgres->reset(stmt);
  }
  assert_ok(postgres->commit(posts_db, &fault), &fault);
  postgres->free(stmt);
}

static void
is_large_or_small_from_one_run_to_the_next(void **state)
{
  static const int64_t sizes[] = { 1, 1000, 1000, 1, 0, 1, 1000, 1000 };
  rille_stmt *stmt = contract_prepare(
    posts_db, "select i, repeat('x', 200) from generate_series(1001 - $1::bigint, 1000) as n (i)");
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(sizes); i++) {
    const rille_cell size = { .kind = RILLE_INT, .as.integer = sizes[i] };

    assert_ok(postgres->bind(stmt, 1, &size, &fault), &fault);
    assert_rows(stmt, 1001 - sizes[i]);
    postgres->reset(stmt);
  }
  postgres->free(stmt);
}

/* Nothing is cancelled, for it may be the last row that was read. */
static void
ends_before_its_last_row_on_the_same_connection(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, LARGE);
  int64_t before = pid();

  (void)state;
  step_over_row(stmt);
  postgres->reset(stmt);
  assert_int_equal(contract_integer(posts_db, "select 7"), 7);
  step_over_row(stmt);
  postgres->free(stmt);
  assert_int_equal(pid(), before);
}

/* libpq 15 went on giving rows one by one to what comes next, if that is the first of a pipeline. */
static void
leaves_what_runs_together_next_as_it_is(void **state)
{
  rille_fault fault;

  (void)state;
  for (int streams = 0; streams < 2; streams++) {
    rille_stmt *large = contract_prepare(posts_db, LARGE);
    rille_stmt *both[] = { contract_prepare(posts_db, "select generate_series(1, 3)"),
                           contract_prepare(posts_db, "select 5") };
    rille_cell cell;

    if (streams)
      postgres->stream(large, true);
    assert_rows(large, 1);
    assert_ok(postgres->together(both, 2, &fault), &fault);
    for (int i = 0; i < 4; i++) {
      step_over_row(both[i / 3]);
      assert_ok(postgres->row(both[i / 3], &cell, &fault), &fault);
      assert_int_equal(cell.as.integer, i < 3 ? i + 1 : 5);
    }
    postgres->free(large);
    postgres->free(both[0]);
    postgres->free(both[1]);
  }
}

static void
comes_behind_others_that_it_runs_together_with(void **state)
{
  rille_fault fault;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmts[3];

    if (inside)
      assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    for (int i = 0; i < 3; i++)
      stmts[i] = contract_prepare(posts_db, LARGE);
    assert_ok(postgres->together(stmts, 3, &fault), &fault);
    assert_rows(stmts[0], 1);
    step_over_row(stmts[2]);
    assert_rows(stmts[1], 1);
    assert_int_equal(contract_integer(posts_db, "select 7"), 7);
    assert_rows(stmts[2], 2);
    for (int i = 0; i < 3; i++)
      postgres->free(stmts[i]);
  }
  assert_ok(postgres->commit(posts_db, &fault), &fault);
}

static void
says_that_one_before_it_failed(void **state)
{
  rille_stmt *stmts[] = { contract_prepare(posts_db, LARGE),
                          contract_prepare(posts_db, "select 1 / (i - 1) from generate_series(1, 1) "
                                                     "as n (i)"),
                          contract_prepare(posts_db, LARGE) };
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  assert_ok(postgres->together(stmts, 3, &fault), &fault);
  assert_rows(stmts[0], 1);
  assert_fails(RILLE_INVALID_ARGUMENT, postgres->step(stmts[1], &row, &fault), &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, postgres->step(stmts[2], &row, &fault), &fault);
  for (int i = 0; i < 3; i++)
    postgres->free(stmts[i]);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
}

static void
ends_the_transaction_behind_its_rows(void **state)
{
  enum { READ, LEFT, FAILED, WAYS };
  rille_fault fault;

  (void)state;
  for (int way = READ; way < WAYS; way++) {
    uint64_t before;
    rille_status status = RILLE_OK;
    rille_stmt *stmt = contract_prepare(posts_db, way == FAILED ? "select 1 / (900 - i), repeat('x', 200) "
                                                                  "from generate_series(1, 1000) as n (i)"
                                                                : LARGE);

    assert_ok(postgres->begin(posts_db, RILLE_BEGIN_REPEATABLE_READ, &fault), &fault);
    before = postgres->round_trips(posts_db);
    postgres->end_with(posts_db);
    assert_ok(postgres->together(&stmt, 1, &fault), &fault);
    step_over_row(stmt);
    assert_true(postgres->in_transaction(posts_db));
    if (way == READ)
      assert_rows(stmt, 2);
    for (bool row = way == FAILED; row && status == RILLE_OK;)
      status = postgres->step(stmt, &row, &fault);
    assert_int_equal(status, way == FAILED ? RILLE_INVALID_ARGUMENT : RILLE_OK);
    postgres->free(stmt);
    assert_true(postgres->in_transaction(posts_db));
    if (way == FAILED)
      assert_ok(postgres->rollback(posts_db, &fault), &fault);
    else
      assert_ok(postgres->commit(posts_db, &fault), &fault);
    assert_false(postgres->in_transaction(posts_db));
    assert_int_equal(postgres->round_trips(posts_db) - before, way == FAILED ? 2 : 1);
  }
}

static void
says_where_it_comes_that_a_row_failed(void **state)
{
  rille_fault fault;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmt = contract_prepare(
      posts_db, "select 1 / (900 - i), repeat('x', 200) from generate_series(1, 1000) as n (i)");
    rille_status status = RILLE_OK;
    bool row = true;
    int rows = 0;

    if (inside)
      assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    for (; status == RILLE_OK; rows++)
      status = postgres->step(stmt, &row, &fault);
    assert_fails(RILLE_INVALID_ARGUMENT, status, &fault);
    assert_contains(fault.message, "division by zero");
    assert_int_equal(rows, 900);
    assert_fails(RILLE_INVALID_ARGUMENT, postgres->step(stmt, &row, &fault), &fault);
    assert_int_equal(postgres->failed(posts_db), inside);
    postgres->free(stmt);
    if (inside)
      assert_ok(postgres->rollback(posts_db, &fault), &fault);
    assert_int_equal(contract_integer(posts_db, "select 7"), 7);
  }
}

static void
says_where_it_comes_that_the_connection_was_lost(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, "select generate_series(1, 100000000), repeat('x', 200)");
  rille_status status = RILLE_OK;
  rille_fault fault;
  char sql[100];
  bool row = true;

  (void)state;
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)", (long long)pid());
  step_over_row(stmt);
  (void)spec_postgres_sql(sql);
  while (status == RILLE_OK && row)
    status = postgres->step(stmt, &row, &fault);
  assert_fails(RILLE_CONNECTION_LOST, status, &fault);
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 7"), 7);
}

int
main(void)
{
  const struct CMUnitTest large[] = {
    ON_POSTS(gives_all_rows_whatever_is_asked_between_them),
    ON_POSTS(is_large_or_small_from_one_run_to_the_next),
    ON_POSTS(ends_before_its_last_row_on_the_same_connection),
    ON_POSTS(leaves_what_runs_together_next_as_it_is),
    ON_POSTS(comes_behind_others_that_it_runs_together_with),
    ON_POSTS(says_that_one_before_it_failed),
    ON_POSTS(ends_the_transaction_behind_its_rows),
    ON_POSTS(says_where_it_comes_that_a_row_failed),
    ON_POSTS(says_where_it_comes_that_the_connection_was_lost),
  };

  return cmocka_run_group_tests(large, NULL, NULL);
}
