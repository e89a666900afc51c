/* spec/core/connection_test.c - levels of transactions, and what breaks them. */
#include "spec/support/spec.h"

#include <stdio.h>

#include "spec/support/build.h"
#include "spec/support/driver.h"
#include "spec/support/temporary.h"

static void
begin(void)
{
  rille_fault fault;

  assert_ok(rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault), &fault);
}

static void
run(const char *sql)
{
  rille_fault fault;

  assert_ok(spec_run(spec_db, sql, &fault), &fault);
}

static int64_t
sum(void)
{
  return spec_integer(spec_db, "select coalesce(sum(views), 0) from posts");
}

/* -- levels ---------------------------------------------------------------------------------------------- */

static void
begins_and_commits(void **state)
{
  rille_fault fault;

  (void)state;
  assert_int_equal(spec_db->depth, 0);
  assert_null(spec_db->owner);
  begin();
  assert_int_equal(spec_db->depth, 1);
  assert_ptr_equal(spec_db->owner, spec_db);
  run("insert into posts (views) values (1)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_null(spec_db->owner);
  assert_int_equal(sum(), 1);
}

static void
makes_savepoints_inside(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  run("insert into posts (views) values (1)");
  begin();
  run("insert into posts (views) values (10)");
  begin();
  run("insert into posts (views) values (100)");
  assert_int_equal(spec_db->depth, 3);
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 111);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 1);
  assert_int_equal(sum(), 1);
  begin();
  run("insert into posts (views) values (1000)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_int_equal(sum(), 1001);
}

static void
undoes_all_levels_with_the_outermost(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  begin();
  run("insert into posts (views) values (1)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_null(spec_db->owner);
  assert_int_equal(sum(), 0);
}

static void
numbers_levels_as_they_are_begun(void **state)
{
  rille_fault fault;
  uint64_t first;

  (void)state;
  begin();
  first = spec_db->levels[0];
  begin();
  assert_true(spec_db->levels[1] == first + 1);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  begin();
  assert_true(spec_db->levels[1] == first + 2);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  begin();
  assert_true(spec_db->levels[0] == first + 3);
}

static void
nests_a_hundred_deep_and_no_deeper(void **state)
{
  rille_fault fault;
  char sql[80];

  (void)state;
  for (int i = 1; i <= RILLE_LEVELS_MAX; i++) {
    begin();
    (void)snprintf(sql, sizeof sql, "insert into posts (views) values (%d)", i);
    run(sql);
  }
  assert_fails(RILLE_INVALID_ARGUMENT, rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, RILLE_LEVELS_MAX);
  for (int i = RILLE_LEVELS_MAX; i > 1; i--)
    assert_ok(i % 2 ? rille_connection_rollback(spec_db, &fault) : rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_integer(spec_db, "select count(*) from posts"), 2); /* level 3 took all above it along */
}

static void
refuses_to_commit_what_was_not_begun(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_ARGUMENT, rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  begin();
  assert_int_equal(spec_db->depth, 1);
}

static void
keeps_no_level_that_could_not_be_begun(void **state)
{
  rille_fault fault;

  (void)state;
  spec_driver_fail("begin", 1, RILLE_BUSY);
  assert_fails(RILLE_BUSY, rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_null(spec_db->owner);
  begin();
  spec_driver_fail("step", 1, RILLE_OUT_OF_MEMORY);
  assert_fails(RILLE_OUT_OF_MEMORY, rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 1);
  run("insert into posts (views) values (1)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 1);
}

/* -- what breaks a transaction --------------------------------------------------------------------------- */

static void
can_commit_again_when_a_commit_was_busy(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  run("insert into posts (views) values (1)");
  spec_driver_fail("commit", 1, RILLE_BUSY);
  assert_fails(RILLE_BUSY, rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 1);
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 1);
}

static void
goes_on_after_a_statement_that_failed(void **state)
{
  rille_fault fault;

  (void)state;
  run("insert into posts (views) values (1)");
  begin();
  run("insert into posts (views) values (2)");
  assert_fails(RILLE_UNIQUE_VIOLATION, spec_run(spec_db, "insert into posts (views) values (3), (1)", &fault), &fault);
  assert_false(spec_db->broken);
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 3);
}

/* SQLite ends a transaction by itself when a statement says so, or when the disk is full. */
static void
refuses_everything_but_a_rollback_once_the_database_ended_it(void **state)
{
  rille_fault fault;

  (void)state;
  run("insert into posts (views) values (1)");
  begin();
  run("insert into posts (views) values (10)");
  begin();
  assert_fails(RILLE_UNIQUE_VIOLATION, spec_run(spec_db, "insert or rollback into posts (views) values (1)", &fault),
               &fault);
  assert_true(spec_db->broken);
  assert_int_equal(spec_db->depth, 2);
  assert_fails(RILLE_TRANSACTION_ABORTED, spec_run(spec_db, "insert into posts (views) values (100)", &fault), &fault);
  assert_contains(fault.message, "another row has this value");
  assert_string_not_equal(fault.hint, "");
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault),
               &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 2);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_false(spec_db->broken);
  assert_int_equal(sum(), 1);
  begin();
  run("insert into posts (views) values (1000)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
}

static void
goes_back_to_a_savepoint_where_the_database_does_nothing_more(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  run("insert into posts (views) values (1)");
  begin();
  run("insert into posts (views) values (10)");
  spec_driver_halt("step", 1, RILLE_CHECK_VIOLATION);
  assert_fails(RILLE_CHECK_VIOLATION, spec_run(spec_db, "insert into posts (views) values (100)", &fault), &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, spec_run(spec_db, "insert into posts (views) values (100)", &fault), &fault);
  assert_contains(fault.message, "step was made to fail");
  assert_contains(fault.hint, "a transaction of its own");
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault),
               &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_false(spec_db->broken);
  run("insert into posts (views) values (1000)");
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 1001);
}

static void
a_statement_that_cannot_be_prepared_halts_the_transaction_too(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  spec_driver_halt("prepare", 1, RILLE_SYNTAX);
  assert_fails(RILLE_SYNTAX, spec_run(spec_db, "select 1 + 1", &fault), &fault);
  assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_commit(spec_db, &fault), &fault);
  assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_int_equal(sum(), 0);
}

static void
notices_that_the_database_ended_it_in_a_savepoint(void **state)
{
  static const char *const steps[] = { "begin", "commit", "rollback" };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(steps); i++) {
    begin();
    run("insert into posts (views) values (1)");
    if (i > 0)
      begin();
    spec_driver_lose("step", 1, RILLE_DISK_FULL);
    assert_fails(RILLE_DISK_FULL,
                 i == 0   ? rille_connection_begin(spec_db, RILLE_BEGIN_IMMEDIATE, spec_db, &fault)
                 : i == 1 ? rille_connection_commit(spec_db, &fault)
                          : rille_connection_rollback(spec_db, &fault),
                 &fault);
    assert_fails(RILLE_TRANSACTION_ABORTED, spec_run(spec_db, "insert into posts (views) values (2)", &fault), &fault);
    while (spec_db->depth > 0)
      assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
    assert_int_equal(sum(), 0);
  }
}

/* A level that cannot be undone must not be committed with the one around it. */
static void
breaks_the_transaction_when_a_level_cannot_be_undone(void **state)
{
  rille_fault fault;

  (void)state;
  for (int nth = 1; nth <= 2; nth++) { /* "rollback to", then "release" */
    begin();
    run("insert into posts (views) values (1)");
    begin();
    run("insert into posts (views) values (10)");
    spec_driver_fail("step", nth, RILLE_OUT_OF_MEMORY);
    assert_fails(RILLE_OUT_OF_MEMORY, rille_connection_rollback(spec_db, &fault), &fault);
    assert_int_equal(spec_db->depth, 1);
    assert_fails(RILLE_TRANSACTION_ABORTED, rille_connection_commit(spec_db, &fault), &fault);
    assert_contains(fault.message, "step was made to fail");
    assert_ok(rille_connection_rollback(spec_db, &fault), &fault);
    assert_int_equal(sum(), 0);
  }
}

/* Whatever comes after a rollback that failed must not land in the old transaction. */
static void
undoes_what_a_failed_rollback_left_before_it_goes_on(void **state)
{
  rille_fault fault;

  (void)state;
  begin();
  run("insert into posts (views) values (1)");
  spec_driver_fail("rollback", 1, RILLE_OUT_OF_MEMORY);
  assert_fails(RILLE_OUT_OF_MEMORY, rille_connection_rollback(spec_db, &fault), &fault);
  assert_int_equal(spec_db->depth, 0);
  assert_null(spec_db->owner);
  spec_driver_fail("rollback", 1, RILLE_OUT_OF_MEMORY);
  assert_fails(RILLE_TRANSACTION_ABORTED, spec_run(spec_db, "insert into posts (views) values (10)", &fault), &fault);
  assert_string_equal(spec_driver_log(), "rollback");
  run("insert into posts (views) values (100)");
  assert_int_equal(sum(), 100);
  begin();
  assert_ok(rille_connection_commit(spec_db, &fault), &fault);
  assert_int_equal(sum(), 100);
}

static void
rolls_back_what_is_open_when_it_is_closed(void **state)
{
  char path[SPEC_PATH_BYTES];
  rille_connection *first;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  first = spec_connect(path);
  assert_ok(spec_run(first, "create table posts (views integer)", &fault), &fault);
  assert_ok(rille_connection_begin(first, RILLE_BEGIN_IMMEDIATE, NULL, &fault), &fault);
  assert_ok(rille_connection_begin(first, RILLE_BEGIN_IMMEDIATE, NULL, &fault), &fault);
  assert_ok(spec_run(first, "insert into posts values (1)", &fault), &fault);
  rille_connection_close(first);
  first = spec_connect(path);
  assert_int_equal(spec_integer(first, "select count(*) from posts"), 0);
  rille_connection_close(first);
  rille_connection_close(NULL);
}

static void
says_why_it_could_not_be_opened(void **state)
{
  char path[SPEC_PATH_BYTES];
  rille_open_options options = { .existing = true };
  rille_connection *connection = NULL;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  options.database = rille_str_of(path);
  assert_fails(RILLE_CONNECTION_LOST, rille_connection_open(&rille_driver_sqlite, &options, &connection, &fault),
               &fault);
  assert_null(connection);
}

#define ON_DB(test) cmocka_unit_test_setup_teardown(test, spec_db_posts, spec_db_close)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_DB(begins_and_commits),
    ON_DB(makes_savepoints_inside),
    ON_DB(undoes_all_levels_with_the_outermost),
    ON_DB(numbers_levels_as_they_are_begun),
    ON_DB(nests_a_hundred_deep_and_no_deeper),
    ON_DB(refuses_to_commit_what_was_not_begun),
    ON_DB(keeps_no_level_that_could_not_be_begun),
    ON_DB(can_commit_again_when_a_commit_was_busy),
    ON_DB(goes_on_after_a_statement_that_failed),
    ON_DB(refuses_everything_but_a_rollback_once_the_database_ended_it),
    ON_DB(goes_back_to_a_savepoint_where_the_database_does_nothing_more),
    ON_DB(a_statement_that_cannot_be_prepared_halts_the_transaction_too),
    ON_DB(notices_that_the_database_ended_it_in_a_savepoint),
    ON_DB(breaks_the_transaction_when_a_level_cannot_be_undone),
    ON_DB(undoes_what_a_failed_rollback_left_before_it_goes_on),
    ON_DB(rolls_back_what_is_open_when_it_is_closed),
    ON_DB(says_why_it_could_not_be_opened),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
