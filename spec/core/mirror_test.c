/* spec/core/mirror_test.c - the outbox is what was committed, and a mirror has each of it once, whatever fails. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/change.h"
#include "core/run/aside.h"
#include "core/run/mirror.h"
#include "core/run/outbox.h"
#include "spec/support/driver.h"
#include "spec/support/temporary.h"

static rille_connection *db, *target;
static char db_path[SPEC_PATH_BYTES];
static rille_mirror mirror;

static void
run(const char *sql)
{
  rille_fault fault;

  assert_ok(spec_run(db, sql, &fault), &fault);
}

static int
open_both(void **state)
{
  char path[SPEC_PATH_BYTES];
  rille_fault fault;

  (void)state;
  spec_new_path(db_path);
  db = spec_connect(db_path);
  spec_new_path(path);
  target = spec_connect(path);
  run("create table posts (id integer primary key, title text, views integer unique)");
  assert_ok(rille_outbox_create(db, &fault), &fault);
  run("insert into rille_mirrors values ('root', 'a', null, 0, 0, 0)");
  assert_ok(rille_outbox_start(db, NULL, 0, &fault), &fault);
  mirror = (rille_mirror){
    .source = db, .target = target, .name = rille_str_of("root"), .source_name = rille_str_of("a")
  };
  spec_driver_reset();
  return 0;
}

static int
close_both(void **state)
{
  (void)state;
  rille_connection_close(db);
  rille_connection_close(target);
  db = target = NULL;
  return 0;
}

static rille_mirror_outcome
apply(void)
{
  rille_mirror_outcome outcome;
  rille_fault fault;

  assert_ok(rille_mirror_apply(&mirror, 100, false, &outcome, &fault), &fault);
  return outcome;
}

/* -- the outbox ------------------------------------------------------------------------------------------ */

static void
each_transaction_is_one_row(void **state)
{
  rille_fault fault;

  (void)state;
  run("insert into posts (title) values ('a'), ('b')");
  run("update posts set title = 'c' where id = 9");
  assert_int_equal(spec_integer(db, "select count(*) from rille_outbox"), 1);
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  run("insert into posts (title) values ('d')");
  run("delete from posts where id = 1");
  assert_int_equal(spec_integer(db, "select count(*) from rille_outbox"), 1);
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(spec_integer(db, "select count(*) from rille_outbox"), 2);
}

/* A commit that fails is made again, or undone: either way once, or not at all. */
static void
a_commit_that_fails_is_not_written_twice(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  run("insert into posts (title) values ('a')");
  spec_driver_fail("commit", 1, RILLE_BUSY);
  assert_fails(RILLE_BUSY, rille_connection_commit(db, &fault), &fault);
  run("insert into posts (title) values ('b')");
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(apply().transactions, 2);
  assert_int_equal(spec_integer(target, "select count(*) from posts"), 2);
  spec_driver_fail("commit", 1, RILLE_BUSY);
  assert_fails(RILLE_BUSY, spec_run(db, "insert into posts (title) values ('c')", &fault), &fault);
  assert_int_equal(db->depth, 0);
  assert_int_equal(spec_integer(db, "select count(*) from posts"), 2);
  assert_int_equal(apply().transactions, 0);
}

static void
what_a_savepoint_undid_is_not_there(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  for (int i = 0; i < 3; i++) {
    assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
    run("create table other (id integer primary key, n)");
    run("insert into other (n) values (1)");
    run("insert into posts (title) values ('undone')");
    assert_ok(rille_connection_rollback(db, &fault), &fault);
    run("insert into posts (title) values ('kept')");
  }
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(apply().transactions, 1);
  assert_int_equal(spec_integer(target, "select count(*) from posts where title = 'kept'"), 3);
  assert_int_equal(spec_integer(target, "select count(*) from posts"), 3);
  assert_int_equal(spec_integer(target, "select count(*) from sqlite_schema where name = 'other'"), 0);
}

static void
a_table_made_anew_in_a_transaction_has_its_columns(void **state)
{
  rille_fault fault;

  (void)state;
  run("insert into posts (title) values ('a')");
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  run("update posts set title = 'b'");
  run("alter table posts add column extra text");
  run("update posts set extra = 'e'");
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(apply().transactions, 2);
  assert_int_equal(spec_integer(target, "select count(*) from posts where title = 'b' and extra = 'e'"), 1);
}

/* The columns are known from one transaction to the next only as long as nobody can have changed them. */
static void
columns_that_came_by_any_way_are_there(void **state)
{
  rille_connection *other = spec_connect(db_path);
  rille_fault fault;

  (void)state;
  run("insert into posts (title) values ('a')");
  assert_ok(spec_run(other, "alter table posts add column extra text", &fault), &fault);
  run("update posts set extra = 'of another connection'");
  run("/* mine */ alter table posts add column own text");
  run("update posts set own = 'of this one'");
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  run("alter table posts add column undone text");
  run("update posts set undone = 'x'");
  assert_ok(rille_connection_rollback(db, &fault), &fault);
  run("update posts set title = 'b'");
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  run("alter table posts add column late text");
  assert_ok(rille_connection_commit(db, &fault), &fault);
  run("update posts set late = 'y'");
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_DEFERRED, db, &fault), &fault);
  assert_ok(spec_run(other, "alter table posts add column latest text", &fault), &fault);
  run("update posts set latest = 'z'");
  assert_ok(rille_connection_commit(db, &fault), &fault);
  rille_connection_close(other);
  (void)apply();
  assert_int_equal(spec_integer(target, "select count(*) from posts where title = 'b' and late = 'y' and latest = 'z' "
                                        "and extra = 'of another connection' and own = 'of this one'"),
                   1);
}

/* -- the mirror ------------------------------------------------------------------------------------------ */

/* Whatever fails at whichever call of the driver: applied again, the mirror has each change once. */
static void
failures_lose_and_double_nothing(void **state)
{
  static const char *const calls[] = { "begin", "commit", "step", "prepare" };
  int failures = 0;

  (void)state;
  run("create table counts (id integer primary key, n integer)");
  run("insert into counts values (1, 0)");
  for (size_t i = 0; i < SPEC_COUNT(calls); i++)
    for (int nth = 1; nth < 60; nth++) {
      rille_mirror_outcome outcome;
      rille_fault fault;
      rille_status status;

      run("insert into posts (title) values ('x')");
      run("update counts set n = n + 1");
      spec_driver_fail(calls[i], nth, RILLE_DISK_FULL);
      status = rille_mirror_apply(&mirror, 1, false, &outcome, &fault);
      spec_driver_reset();
      failures += status != RILLE_OK;
      assert_int_equal(target->depth, 0);
      assert_int_equal(outcome.blocked, 0);
      while (apply().transactions > 0)
        continue;
      assert_int_equal(spec_integer(target, "select count(*) from posts"),
                       spec_integer(db, "select count(*) from posts"));
      assert_int_equal(spec_integer(target, "select n from counts"), spec_integer(db, "select n from counts"));
    }
  assert_true(failures > 10);
  assert_int_equal(spec_integer(db, "select count(*) from rille_outbox"), 1);
}

static void
the_last_one_stays_until_the_next_is_applied(void **state)
{
  rille_mirror_outcome outcome;
  rille_fault fault;

  (void)state;
  run("insert into posts (title) values ('a')");
  assert_int_equal(apply().transactions, 1);
  assert_int_equal(spec_integer(db, "select count(*) from rille_outbox"), 1);
  run("update rille_outbox set made_at = made_at + 1");
  run("insert into posts (title) values ('b')");
  assert_fails(RILLE_CHECKSUM_MISMATCH, rille_mirror_apply(&mirror, 10, false, &outcome, &fault), &fault);
  assert_fails(RILLE_CHECKSUM_MISMATCH, rille_mirror_apply(&mirror, 10, true, &outcome, &fault), &fault);
  assert_int_equal(spec_integer(target, "select count(*) from posts"), 1);
  assert_ok(rille_mirror_resync(&mirror, &outcome, &fault), &fault);
  assert_int_equal(outcome.transactions, 2);
  assert_int_equal(apply().transactions, 0);
}

/* An outbox is a table that others can write to: some byte of it is another one, and often it is cut. */
static void
what_is_no_change_is_refused(void **state)
{
  rille_arena arena;
  rille_cell whole;
  rille_fault fault;
  bool found;
  int refused = 0;

  (void)state;
  run("insert into posts (title, views) values ('some title', 70000)");
  rille_arena_init(&arena);
  assert_ok(rille_aside_row(db, "select changes from rille_outbox", NULL, 0, &arena, &whole, 1, &found, &fault),
            &fault);
  spec_seed(7);
  for (uint64_t round = 0; round < 3000; round++) {
    size_t len = whole.as.text.len - (round % 2 == 0 ? 0 : (size_t)spec_random(whole.as.text.len));
    char *bytes = spec_exact(whole.as.text.at, len);
    const rille_cell changes = { .kind = RILLE_BLOB, .as.text = { bytes, len } };
    rille_mirror_outcome outcome;

    bytes[spec_random(len)] = (char)spec_random(256);
    run("delete from rille_outbox");
    assert_ok(rille_aside_run(db, "insert into rille_outbox values (1, 1, ?)", &changes, 1, &fault), &fault);
    free(bytes);
    refused += rille_mirror_apply(&mirror, 10, false, &outcome, &fault) != RILLE_OK;
    assert_int_equal(target->depth, 0);
    assert_ok(spec_run(target, "drop table if exists rille_mirror_ledger", &fault), &fault);
  }
  assert_true(refused > 1000);
  rille_arena_release(&arena);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_both, close_both)
  const struct CMUnitTest tests[] = {
    CASE(each_transaction_is_one_row),
    CASE(a_commit_that_fails_is_not_written_twice),
    CASE(what_a_savepoint_undid_is_not_there),
    CASE(a_table_made_anew_in_a_transaction_has_its_columns),
    CASE(columns_that_came_by_any_way_are_there),
    CASE(failures_lose_and_double_nothing),
    CASE(the_last_one_stays_until_the_next_is_applied),
    CASE(what_is_no_change_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
