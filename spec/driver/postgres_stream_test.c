/* spec/driver/postgres_stream_test.c - rows that come one by one, and other statements between them. */
#include "spec/driver/posts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "core/base/stop.h"

static const rille_driver *const postgres = &rille_driver_postgres;

/* The next row must be there; its first cell. */
static int64_t
next_of(rille_stmt *stmt, rille_cell cells[])
{
  rille_fault fault;
  bool row;

  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_true(row);
  assert_ok(postgres->row(stmt, cells, &fault), &fault);
  return cells[0].as.integer;
}

static void
assert_ended(rille_stmt *stmt)
{
  rille_fault fault;
  bool row;

  for (int i = 0; i < 2; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_false(row);
  }
}

/* The address sanitizer holds freed memory back. */
#ifdef __SANITIZE_ADDRESS__
enum { HELD_BACK_KIB = 400000 };
#else
enum { HELD_BACK_KIB = 0 };
#endif

/* The most memory that the process has had. */
static long
peak_kib(void)
{
  struct rusage usage;

  (void)getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static void
reads_a_million_rows_in_flat_memory(void **state)
{
  rille_stmt *stmt = posts_stream("select generate_series(1, 1000000), repeat('x', 100)");
  rille_cell cells[2];
  long before = 0;

  (void)state;
  for (int64_t i = 1; i <= 1000000; i++) {
    assert_int_equal(next_of(stmt, cells), i);
    if (i == 1000)
      before = peak_kib();
  }
  assert_ended(stmt);
  assert_in_range(peak_kib() - before, 0, 2000 + HELD_BACK_KIB);
  postgres->free(stmt);
}

/* Rows of 110 MB together, of which 64 MB may be in memory. */
static void
keeps_no_more_than_a_bounded_part_of_the_rest_in_memory(void **state)
{
  rille_stmt *stmt = posts_stream("select generate_series(1, 1000000), repeat('x', 100)");
  rille_cell cells[2];
  long before = 0;

  (void)state;
  for (int64_t i = 1; i <= 1000000; i++) {
    assert_int_equal(next_of(stmt, cells), i);
    assert_int_equal(cells[1].as.text.len, 100);
    if (i == 1000)
      before = peak_kib();
    if (i % 100000 == 1000)
      assert_int_equal(contract_integer(posts_db, "select 7"), 7);
  }
  assert_ended(stmt);
  assert_in_range(peak_kib() - before, 0, 80000 + HELD_BACK_KIB);
  postgres->free(stmt);
}

static void
goes_on_after_another_statement_with_the_rows_as_they_were(void **state)
{
  rille_stmt *stmt, *inner;
  rille_cell cells[5];

  (void)state;
  contract_run_sql(posts_db,
                   "create temporary table kept as select i, case when i %% 3 = 0 then null else 't' || i end as t, "
                   "case when i = 7 then ''::bytea else '\\x00ff'::bytea end as b, i / 4.0 as n, "
                   "'1.2.3.4'::inet as o from generate_series(1, 10) as n (i)");
  for (int printed = 0; printed < 2; printed++) {
    stmt = posts_stream(printed ? "select i, t, b, n, o from kept order by i"
                                : "select i, t, b, n from kept order by i");
    inner = posts_stream("select i from kept order by i desc");
    for (int i = 1; i <= 10; i++) {
      char text[20];

      assert_int_equal(next_of(stmt, cells), i);
      (void)snprintf(text, sizeof text, "t%d", i);
      assert_int_equal(cells[1].kind, i % 3 == 0 ? RILLE_NULL : RILLE_TEXT);
      if (i % 3 != 0)
        assert_text(cells[1].as.text, text);
      assert_int_equal(cells[2].kind, RILLE_BLOB);
      assert_int_equal(cells[2].as.text.len, i == 7 ? 0 : 2);
      if (i >= 4)
        assert_int_equal(next_of(inner, cells), 14 - i);
      if (i == 4)
        contract_run_sql(posts_db, "update kept set t = 'changed', n = n");
    }
    assert_ended(stmt);
    postgres->free(stmt);
    postgres->free(inner);
    contract_run_sql(posts_db, "update kept set t = 't' || i where i %% 3 <> 0");
    contract_run_sql(posts_db, "update kept set t = null where i %% 3 = 0");
  }
}

static void
ends_before_its_last_row_without_reading_the_rest(void **state)
{
  rille_cell cells[1];
  rille_fault fault;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmt = posts_stream("select i from generate_series(1, 100000) as n (i)");

    if (inside == 1)
      assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    assert_int_equal(next_of(stmt, cells), 1);
    postgres->reset(stmt);
    assert_int_equal(contract_integer(posts_db, "select 1"), 1);
    assert_int_equal(next_of(stmt, cells), 1); /* a run that does not stream */
    postgres->reset(stmt);
    postgres->stream(stmt, true);
    assert_int_equal(next_of(stmt, cells), 1);
    assert_int_equal(contract_integer(posts_db, "select 1"), 1);
    postgres->free(stmt); /* what was spilled goes with it */
    assert_int_equal(postgres->in_transaction(posts_db), inside);
    assert_false(postgres->failed(posts_db));
  }
  assert_ok(postgres->commit(posts_db, &fault), &fault);
}

/* Rows that came with the one that failed are not given: they may be some hundred. */
static void
says_where_it_comes_that_a_row_failed(void **state)
{
  rille_fault fault;
  rille_cell cells[1];
  bool row;

  (void)state;
  for (int spilled = 0; spilled < 2; spilled++) {
    rille_stmt *stmt = posts_stream("select 0 / (2000 - i) + i from generate_series(1, 3000) as n (i)");
    rille_status status = RILLE_OK;
    int64_t rows = 0;

    while (rows < 100)
      assert_int_equal(next_of(stmt, cells), ++rows);
    if (spilled)
      assert_int_equal(contract_integer(posts_db, "select 1"), 1);
    while (rows < 1500)
      assert_int_equal(next_of(stmt, cells), ++rows);
    for (; status == RILLE_OK; rows++)
      status = postgres->step(stmt, &row, &fault);
    assert_in_range(rows, 1500, 2000);
    assert_fails(RILLE_INVALID_ARGUMENT, status, &fault);
    assert_contains(fault.message, "division by zero");
    assert_fails(RILLE_INVALID_ARGUMENT, postgres->step(stmt, &row, &fault), &fault);
    postgres->free(stmt);
    assert_int_equal(contract_integer(posts_db, "select 1"), 1);
  }
}

static void
says_where_it_comes_that_the_connection_was_lost(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  rille_cell cells[1];
  char sql[100];
  rille_status status = RILLE_OK;
  bool row = true;
  int64_t rows = 0;

  (void)state;
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(posts_db, "select pg_backend_pid()"));
  stmt = posts_stream("select generate_series(1, 100000000)");
  (void)next_of(stmt, cells);
  (void)spec_postgres_sql(sql);
  while (status == RILLE_OK && row) {
    status = postgres->step(stmt, &row, &fault);
    rows++;
  }
  assert_fails(RILLE_CONNECTION_LOST, status, &fault);
  assert_true(rows < 100000000);
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

static void
begins_a_transaction_and_ends_it_with_rows_left(void **state)
{
  rille_stmt *stmt = posts_stream("select i from generate_series(1, 1000) as n (i)");
  rille_fault fault;
  rille_cell cells[1];

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  assert_int_equal(next_of(stmt, cells), 1);
  assert_true(postgres->in_transaction(posts_db));
  assert_ok(postgres->commit(posts_db, &fault), &fault);
  assert_false(postgres->in_transaction(posts_db));
  for (int64_t i = 2; i <= 1000; i++)
    assert_int_equal(next_of(stmt, cells), i);
  assert_ended(stmt);
  postgres->free(stmt);
}

static void
on_alarm(int number)
{
  (void)number;
  rille_stop_request();
}

static void
stops_when_asked_to_stop(void **state)
{
  const struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
  rille_stmt *stmt = posts_stream(
    "select i, pg_sleep(case when i > 100 then 100 else 0 end) from generate_series(1, 200) "
    "as n (i)");
  rille_status status = RILLE_OK;
  rille_fault fault;
  bool row = true;

  (void)state;
  assert_true(signal(SIGALRM, on_alarm) != SIG_ERR);
  assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
  while (status == RILLE_OK && row)
    status = postgres->step(stmt, &row, &fault);
  rille_stop_clear();
  assert_fails(RILLE_INTERRUPTED, status, &fault);
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

int
main(void)
{
  const struct CMUnitTest streams[] = {
    ON_POSTS(goes_on_after_another_statement_with_the_rows_as_they_were),
    ON_POSTS(ends_before_its_last_row_without_reading_the_rest),
    ON_POSTS(says_where_it_comes_that_a_row_failed),
    ON_POSTS(says_where_it_comes_that_the_connection_was_lost),
    ON_POSTS(begins_a_transaction_and_ends_it_with_rows_left),
    ON_POSTS(stops_when_asked_to_stop),
    ON_POSTS(reads_a_million_rows_in_flat_memory),
    ON_POSTS(keeps_no_more_than_a_bounded_part_of_the_rest_in_memory),
  };

  return cmocka_run_group_tests(streams, NULL, NULL);
}
