/* spec/driver/contract_transaction.c - transactions, and two connections that want the same. */
#include "spec/driver/contract.h"

#include <pthread.h>
#include <time.h>

#include "core/base/stop.h"

static rille_conn *other;

static int
open_both(void **state)
{
  (void)contract_open(state);
  contract_run_sql(contract_db, "create table posts (id %s, views %s)", contract->key, contract->integer);
  other = contract_connect(0);
  return 0;
}

static int
close_both(void **state)
{
  contract->driver->close(other);
  return contract_close(state);
}

static int64_t
posts_seen_by(rille_conn *db)
{
  return contract_integer(db, "select count(*) from posts");
}

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
shows_others_only_what_is_committed(void **state)
{
  rille_fault fault;

  (void)state;
  for (int mode = RILLE_BEGIN_DEFERRED; mode <= RILLE_BEGIN_IMMEDIATE; mode++) {
    assert_false(contract->driver->in_transaction(contract_db));
    assert_ok(contract->driver->begin(contract_db, (rille_begin_mode)mode, &fault), &fault);
    assert_true(contract->driver->in_transaction(contract_db));
    contract_run_sql(contract_db, "insert into posts (views) values (1)");
    assert_int_equal(posts_seen_by(contract_db), mode + 1);
    assert_int_equal(posts_seen_by(other), mode);
    assert_ok(contract->driver->commit(contract_db, &fault), &fault);
    assert_false(contract->driver->in_transaction(contract_db));
    assert_int_equal(posts_seen_by(other), mode + 1);
  }
}

static void
undoes_what_is_rolled_back(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_EXCLUSIVE, &fault), &fault);
  contract_run_sql(contract_db, "update posts set views = 2");
  contract_run_sql(contract_db, "insert into posts (views) values (3)");
  contract_run_sql(contract_db, "create table more (a %s)", contract->integer);
  assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
  assert_false(contract->driver->in_transaction(contract_db));
  assert_int_equal(contract_integer(contract_db, "select min(views) * count(*) from posts"), 1);
  assert_fails(RILLE_NO_SUCH_TABLE, contract_try(contract_db, "select * from more", &fault), &fault);
}

static void
rolls_back_when_it_is_closed(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(contract->driver->begin(other, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(other, "insert into posts (views) values (1)");
  contract->driver->close(other);
  other = NULL;
  assert_int_equal(posts_seen_by(contract_db), 0);
  contract_run_sql(contract_db, "insert into posts (views) values (2)");
  contract->driver->close(NULL);
}

static void
refuses_a_transaction_in_a_transaction_and_an_end_without_one(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->commit(contract_db, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->rollback(contract_db, &fault), &fault);
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  assert_true(contract->driver->in_transaction(contract_db));
  assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
}

static void
keeps_a_transaction_when_a_statement_in_it_fails(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "create unique index posts_views on posts (views)");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract_try(contract_db, "insert into posts (views) values (5), (1)", &fault),
               &fault);
  assert_int_equal(contract->driver->failed(contract_db), contract->fails_whole);
  if (contract->fails_whole) {
    assert_fails(RILLE_TRANSACTION_ABORTED, contract_try(contract_db, "select 1", &fault), &fault);
    assert_fails(RILLE_TRANSACTION_ABORTED, contract->driver->commit(contract_db, &fault), &fault);
    assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
  } else {
    assert_ok(contract->driver->commit(contract_db, &fault), &fault);
  }
  assert_false(contract->driver->failed(contract_db));
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where views = 5"), 0);
  assert_int_equal(posts_seen_by(other), contract->fails_whole ? 0 : 1);
}

static void
goes_on_from_a_savepoint_after_a_statement_that_failed(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "create unique index posts_views on posts (views)");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  contract_run_sql(contract_db, "savepoint here");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract_try(contract_db, "insert into posts (views) values (5), (1)", &fault),
               &fault);
  contract_run_sql(contract_db, "rollback to here");
  assert_false(contract->driver->failed(contract_db));
  contract_run_sql(contract_db, "release here");
  contract_run_sql(contract_db, "insert into posts (views) values (2)");
  assert_ok(contract->driver->commit(contract_db, &fault), &fault);
  assert_int_equal(posts_seen_by(other), 2);
}

static void
leaves_the_transaction_as_it_was_when_a_guarded_statement_fails(void **state)
{
  const rille_cell one = { .kind = RILLE_INT, .as.integer = 1 };
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  contract_run_sql(contract_db, "create unique index posts_views on posts (views)");
  stmt = contract_prepare(contract_db, "insert into posts (views) select views + 4 from posts union all select ?");
  for (int before = 0; before < 2; before++) {
    assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
    for (int i = 0; i < 2; i++) {
      contract->driver->guard(stmt, true);
      assert_ok(contract->driver->bind(stmt, 1, &one, &fault), &fault);
      if (before == 0 && i == 0)
        assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
      else
        assert_fails(RILLE_UNIQUE_VIOLATION, contract->driver->step(stmt, &row, &fault), &fault);
      contract->driver->reset(stmt);
      assert_true(contract->driver->in_transaction(contract_db));
      assert_false(contract->driver->failed(contract_db));
    }
    contract_run_sql(contract_db, "insert into posts (views) values (%d)", 10 + before);
    assert_ok(contract->driver->commit(contract_db, &fault), &fault);
  }
  assert_int_equal(posts_seen_by(other), 3);
  contract->driver->guard(stmt, true); /* outside of a transaction it changes nothing */
  assert_ok(contract->driver->bind(stmt, 1, &one, &fault), &fault);
  assert_fails(RILLE_UNIQUE_VIOLATION, contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->free(stmt);
}

static void
runs_statements_together_and_gives_each_what_is_its_own(void **state)
{
  static const char *const texts[] = { "insert into posts (views) values (?)",
                                       "select count(*) from posts where views > ?",
                                       "insert into posts (id, views) values (1, ?)",
                                       "select views from posts where views >= ? order by views" };
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "insert into posts (views) values (0)");
  for (int inside = 0; inside < 2; inside++) {
    rille_stmt *stmts[SPEC_COUNT(texts)];
    const rille_cell value = { .kind = RILLE_INT, .as.integer = inside };
    rille_cell cell;
    bool row;

    if (inside)
      assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
    for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
      stmts[i] = contract_prepare(contract_db, texts[i]);
      assert_ok(contract->driver->bind(stmts[i], 1, &value, &fault), &fault);
    }
    assert_ok(contract->driver->together(stmts, SPEC_COUNT(texts), &fault), &fault);
    assert_ok(contract->driver->step(stmts[0], &row, &fault), &fault);
    assert_false(row);
    assert_int_equal(contract->driver->changes(contract_db), 1);
    assert_ok(contract->driver->step(stmts[1], &row, &fault), &fault);
    assert_true(row);
    assert_ok(contract->driver->row(stmts[1], &cell, &fault), &fault);
    assert_int_equal(cell.as.integer, 0);
    assert_fails(RILLE_UNIQUE_VIOLATION, contract->driver->step(stmts[2], &row, &fault), &fault);
    if (inside && contract->fails_whole) {
      assert_fails(RILLE_TRANSACTION_ABORTED, contract->driver->step(stmts[3], &row, &fault), &fault);
    } else {
      assert_ok(contract->driver->step(stmts[3], &row, &fault), &fault);
      assert_true(row);
      assert_ok(contract->driver->row(stmts[3], &cell, &fault), &fault);
      assert_int_equal(cell.as.integer, inside);
    }
    for (size_t i = 0; i < SPEC_COUNT(texts); i++)
      contract->driver->free(stmts[i]);
    if (inside)
      assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
    else
      assert_int_equal(posts_seen_by(other), 2);
  }
}

static void
ends_a_transaction_with_the_statements_that_run_together_last(void **state)
{
  enum { READS, FAILS, WROTE, CASES };
  rille_fault fault;
  bool row;

  (void)state;
  if (contract->driver->end_with == NULL)
    return;
  for (int what = READS; what < CASES; what++) {
    uint64_t before;
    rille_stmt *stmt;

    assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_REPEATABLE_READ, &fault), &fault);
    if (what == WROTE)
      contract_run_sql(contract_db, "insert into posts (views) values (7)");
    stmt = contract_prepare(contract_db, what == FAILS ? "select 1 / views from posts where views = 0"
                                                       : "select count(*) from posts");
    before = contract->driver->round_trips(contract_db);
    contract->driver->end_with(contract_db);
    assert_ok(contract->driver->together(&stmt, 1, &fault), &fault);
    if (what == FAILS)
      assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->step(stmt, &row, &fault), &fault);
    else
      assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
    assert_true(contract->driver->in_transaction(contract_db));
    contract->driver->free(stmt);
    if (what == FAILS)
      assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
    else
      assert_ok(contract->driver->commit(contract_db, &fault), &fault);
    assert_false(contract->driver->in_transaction(contract_db));
    assert_int_equal(contract->driver->round_trips(contract_db) - before, what == READS ? 1 : 2);
    contract_run_sql(contract_db, "insert into posts (views) values (0)"); /* outside of any: kept at once */
    assert_int_equal(posts_seen_by(other), what == READS ? 1 : what == FAILS ? 2 : 4);
  }
}

/* The row that two connections want. */
static void
hold_a_row(void)
{
  rille_fault fault;

  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "update posts set views = 2");
}

static void
is_busy_while_another_writes(void **state)
{
  rille_fault fault;
  int64_t before = now_ms();

  (void)state;
  hold_a_row();
  if (contract->one_writer) {
    assert_fails(RILLE_BUSY, contract->driver->begin(other, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
    assert_false(contract->driver->in_transaction(other));
  }
  assert_fails(RILLE_BUSY, contract_try(other, "update posts set views = 3", &fault), &fault);
  assert_string_not_equal(fault.hint, "");
  assert_true(now_ms() - before < 1000);
  assert_int_equal(contract_integer(other, "select views from posts"), 1);
  assert_ok(contract->driver->commit(contract_db, &fault), &fault);
  contract_run_sql(other, "update posts set views = 3");
}

static void
waits_as_long_as_it_was_told(void **state)
{
  rille_conn *patient = contract_connect(200);
  rille_fault fault;
  int64_t before, waited;

  (void)state;
  hold_a_row();
  for (int wait_ms = 200; wait_ms <= 400; wait_ms += 200) {
    contract->driver->set_wait(patient, wait_ms);
    before = now_ms();
    assert_fails(RILLE_BUSY, contract_try(patient, "update posts set views = 3", &fault), &fault);
    waited = now_ms() - before;
    assert_in_range(waited, wait_ms - 10, wait_ms + 1800);
  }
  assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
  contract->driver->close(patient);
}

static void *
commit_soon(void *data)
{
  const struct timespec pause = { .tv_nsec = 60000000 };

  (void)data;
  (void)nanosleep(&pause, NULL);
  return contract->driver->commit(contract_db, NULL) == RILLE_OK ? contract_db : NULL;
}

static void
goes_on_as_soon_as_the_other_is_done(void **state)
{
  rille_conn *patient = contract_connect(10000);
  pthread_t thread;
  void *committed = NULL;
  int64_t before;

  (void)state;
  hold_a_row();
  before = now_ms();
  assert_int_equal(pthread_create(&thread, NULL, commit_soon, NULL), 0);
  contract_run_sql(patient, "update posts set views = views + 10");
  assert_int_equal(pthread_join(thread, &committed), 0);
  assert_non_null(committed);
  assert_in_range(now_ms() - before, 50, 3000);
  assert_int_equal(contract_integer(patient, "select views from posts"), 12);
  contract->driver->close(patient);
}

static void
stops_waiting_when_asked_to_stop(void **state)
{
  rille_conn *patient = contract_connect(10000);
  rille_fault fault;
  int64_t before = now_ms();

  (void)state;
  hold_a_row();
  rille_stop_request();
  assert_fails(RILLE_INTERRUPTED, contract_try(patient, "update posts set views = 3", &fault), &fault);
  rille_stop_clear();
  assert_true(now_ms() - before < 2000);
  contract->driver->close(patient);
}

/* What was read may be old: the whole transaction has to be tried again, not only the statement. */
static void
refuses_to_write_on_what_another_changed_since_it_was_read(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_REPEATABLE_READ, &fault), &fault);
  assert_int_equal(posts_seen_by(contract_db), 1);
  contract_run_sql(other, "update posts set views = 2");
  assert_fails(RILLE_SERIALIZATION_FAILURE, contract_try(contract_db, "update posts set views = views + 10", &fault),
               &fault);
  assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
  assert_int_equal(contract_integer(contract_db, "select views from posts"), 2);
}

static void
makes_a_database_a_copy_of_another(void **state)
{
  rille_conn *copy;
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "create index posts_views on posts (views)");
  contract_run_sql(contract_db, "insert into posts (views) values (1)");
  copy = contract_connect_new();
  if (!contract->copies) {
    assert_fails(RILLE_UNSUPPORTED, contract->driver->copy(copy, contract_db, &fault), &fault);
    contract->driver->close(copy);
    return;
  }
  contract_run_sql(copy, "create table others (id %s)", contract->key);
  assert_ok(contract->driver->copy(copy, contract_db, &fault), &fault);
  contract_run_sql(copy, "insert into posts (views) values (2)");
  assert_int_equal(contract_integer(copy, "select count(*) from posts"), 2);
  assert_int_equal(posts_seen_by(contract_db), 1);
  assert_fails(RILLE_NO_SUCH_TABLE, contract_try(copy, "select * from others", &fault), &fault);
  contract->driver->close(copy);
}

static void
makes_no_copy_over_an_open_transaction(void **state)
{
  rille_conn *copy;
  rille_fault fault;

  (void)state;
  copy = contract_connect_new();
  contract_run_sql(copy, "create table others (id %s)", contract->key);
  assert_ok(contract->driver->begin(copy, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  assert_int_not_equal(contract->driver->copy(copy, contract_db, &fault), RILLE_OK);
  assert_ok(contract->driver->rollback(copy, &fault), &fault);
  assert_int_equal(contract_integer(copy, "select count(*) from others"), 0);
  contract->driver->close(copy);
}

#define ON_BOTH(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int
contract_transactions(void)
{
  const struct CMUnitTest transactions[] = {
    ON_BOTH(shows_others_only_what_is_committed),
    ON_BOTH(undoes_what_is_rolled_back),
    ON_BOTH(rolls_back_when_it_is_closed),
    ON_BOTH(refuses_a_transaction_in_a_transaction_and_an_end_without_one),
    ON_BOTH(keeps_a_transaction_when_a_statement_in_it_fails),
    ON_BOTH(goes_on_from_a_savepoint_after_a_statement_that_failed),
    ON_BOTH(leaves_the_transaction_as_it_was_when_a_guarded_statement_fails),
    ON_BOTH(runs_statements_together_and_gives_each_what_is_its_own),
    ON_BOTH(ends_a_transaction_with_the_statements_that_run_together_last),
    ON_BOTH(is_busy_while_another_writes),
    ON_BOTH(waits_as_long_as_it_was_told),
    ON_BOTH(goes_on_as_soon_as_the_other_is_done),
    ON_BOTH(stops_waiting_when_asked_to_stop),
    ON_BOTH(refuses_to_write_on_what_another_changed_since_it_was_read),
    ON_BOTH(makes_a_database_a_copy_of_another),
    ON_BOTH(makes_no_copy_over_an_open_transaction),
  };

  return cmocka_run_group_tests(transactions, NULL, NULL);
}
