/* spec/core/history_test.c - tokens and their places, and what a history says of them. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/run/aside.h"
#include "core/run/history.h"
#include "core/run/outbox.h"
#include "spec/support/driver.h"

static rille_connection *db;

static int
open_db(void **state)
{
  rille_fault fault;

  (void)state;
  db = spec_connect(NULL);
  assert_ok(spec_run(db, "create table posts (id integer primary key, title text)", &fault), &fault);
  return 0;
}

static int
close_db(void **state)
{
  (void)state;
  rille_connection_close(db);
  db = NULL;
  return 0;
}

/* -- tokens ---------------------------------------------------------------------------------------------- */

static const unsigned char secret[RILLE_SECRET_BYTES] = "a secret of thirty-two bytes...";

static void
writes_what_it_reads(void **state)
{
  static const rille_place places[] = {
    { 0, 0, 0, 0, 0 },
    { UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX },
    { 0x0123456789abcdef, 1, 0xdeadbeef, 42, 0x2f1 },
  };
  char text[RILLE_TOKEN_BYTES + 1];
  rille_place back;
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(places); i++) {
    rille_token_write(&places[i], secret, text);
    assert_int_equal(strlen(text), RILLE_TOKEN_BYTES);
    assert_ok(rille_token_read(rille_str_of(text), &back, &fault), &fault);
    assert_true(back.cluster == places[i].cluster && back.epoch == places[i].epoch && back.nonce == places[i].nonce &&
                back.position == places[i].position && back.bound == places[i].bound);
    assert_true(rille_token_is_signed(rille_str_of(text), secret));
  }
  text[72] = '\0';
  assert_string_equal(text, "r2.0123456789abcdef.00000001.deadbeef.000000000000002a.00000000000002f1.");
}

static void
writes_a_place_that_is_signed_later(void **state)
{
  static const rille_place place = { 0x0123456789abcdef, 1, 0xdeadbeef, 42, 0x2f1 };
  char token[RILLE_TOKEN_BYTES + 1], text[RILLE_TOKEN_BYTES + 1], *exact;
  rille_place back = { 0 };

  (void)state;
  rille_token_write(&place, secret, token);
  rille_place_write(&place, text);
  assert_int_equal(strlen(text), RILLE_PLACE_BYTES);
  assert_memory_equal(text, token, RILLE_PLACE_BYTES);
  for (size_t len = 0; len <= RILLE_TOKEN_BYTES; len++) {
    exact = spec_exact(token, len);
    assert_int_equal(rille_place_read((rille_str){ exact, len }, &back), len >= RILLE_PLACE_BYTES);
    free(exact);
  }
  assert_true(back.cluster == place.cluster && back.epoch == place.epoch && back.nonce == place.nonce &&
              back.position == place.position && back.bound == place.bound);
  rille_place_sign(text, secret);
  assert_string_equal(text, token);
}

static void
sorts_as_texts(void **state)
{
  char a[RILLE_TOKEN_BYTES + 1], b[RILLE_TOKEN_BYTES + 1];

  (void)state;
  rille_token_write(&(rille_place){ .cluster = 7, .epoch = 1, .position = 0xff }, secret, a);
  rille_token_write(&(rille_place){ .cluster = 7, .epoch = 1, .position = 0x100 }, secret, b);
  assert_true(strcmp(a, b) < 0);
}

static void
takes_no_other_signature(void **state)
{
  unsigned char other[RILLE_SECRET_BYTES];
  char text[RILLE_TOKEN_BYTES + 1];

  (void)state;
  rille_token_write(&(rille_place){ .cluster = 7, .position = 9 }, secret, text);
  memcpy(other, secret, sizeof other);
  other[31] ^= 1;
  assert_false(rille_token_is_signed(rille_str_of(text), other));
  text[54] ^= 1; /* the position */
  assert_false(rille_token_is_signed(rille_str_of(text), secret));
}

static void
refuses_what_is_no_token(void **state)
{
  char text[RILLE_TOKEN_BYTES + 1], *exact;
  rille_place place;
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_TOKEN, rille_token_read((rille_str){ 0 }, &place, &fault), &fault);
  assert_contains(fault.hint, "session:token()");
  rille_token_write(&(rille_place){ .cluster = 7 }, secret, text);
  for (size_t len = 0; len < RILLE_TOKEN_BYTES; len++) {
    exact = spec_exact(text, len);
    assert_fails(RILLE_INVALID_TOKEN, rille_token_read((rille_str){ exact, len }, &place, &fault), &fault);
    free(exact);
  }
  for (size_t i = 0; i < RILLE_TOKEN_BYTES; i++) {
    char kept = text[i];

    text[i] = 'g';
    assert_fails(RILLE_INVALID_TOKEN, rille_token_read(rille_str_of(text), &place, &fault), &fault);
    text[i] = kept;
  }
}

/* -- judging --------------------------------------------------------------------------------------------- */

static void
judges_by_epoch_and_position(void **state)
{
  static const rille_history history = {
    .now = { .cluster = 7, .epoch = 5, .nonce = 55, .position = 100 },
    .reach = 100,
    .count = 3,
    .epochs = { { 5, 55, true, 80 }, { 4, 44, false, 0 }, { 3, 33, true, 10 } },
  };
  static const struct {
    rille_place place;
    rille_verdict verdict;
  } cases[] = {
    { { 8, 5, 55, 90, 0 }, RILLE_PLACE_FOREIGN }, { { 7, 5, 55, 100, 0 }, RILLE_PLACE_THERE },
    { { 7, 5, 55, 101, 0 }, RILLE_PLACE_AHEAD },  { { 7, 5, 56, 90, 0 }, RILLE_PLACE_LOST },
    { { 7, 4, 44, 80, 0 }, RILLE_PLACE_THERE },   { { 7, 4, 44, 81, 0 }, RILLE_PLACE_LOST },
    { { 7, 4, 45, 1, 0 }, RILLE_PLACE_LOST },     { { 7, 3, 33, 20, 0 }, RILLE_PLACE_UNSURE },
    { { 7, 6, 66, 1, 0 }, RILLE_PLACE_LOST },     { { 7, 2, 22, 1, 0 }, RILLE_PLACE_LOST },
    { { 7, 4, 44, 81, 9 }, RILLE_PLACE_UNSURE },  { { 7, 4, 44, 82, 9 }, RILLE_PLACE_LOST },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_int_equal(rille_history_judge(&history, &cases[i].place), cases[i].verdict);
}

/* -- counting -------------------------------------------------------------------------------------------- */

static rille_history
history_of(rille_connection *connection)
{
  rille_history history;
  rille_fault fault;
  bool found;

  assert_ok(rille_history_read(connection, NULL, &history, &found, &fault), &fault);
  assert_true(found);
  return history;
}

static void
has_none_before_something_is_counted(void **state)
{
  rille_history history;
  rille_fault fault;
  bool found;

  (void)state;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  assert_ok(rille_history_read(db, NULL, &history, &found, &fault), &fault);
  assert_false(found);
}

static void
counts_transactions_that_wrote(void **state)
{
  rille_fault fault;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  assert_ok(spec_run(db, "select * from posts", &fault), &fault);
  assert_int_equal(history_of(db).now.position, 1);
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  assert_ok(spec_run(db, "insert into posts (title) values ('b')", &fault), &fault);
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(history_of(db).now.position, 1);
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(history_of(db).now.position, 2);
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(history_of(db).now.position, 2);
  assert_int_equal(history_of(db).count, 1);
}

static void
keeps_nothing_when_it_cannot_be_counted(void **state)
{
  rille_fault fault;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  assert_ok(spec_run(db, "update rille_history set secret = 'x'", &fault), &fault);
  db->counting = false;
  assert_fails(RILLE_CORRUPT, spec_run(db, "insert into posts (title) values ('b')", &fault), &fault);
  assert_contains(fault.message, "rille_history");
  assert_int_equal(spec_integer(db, "select count(*) from posts"), 1);
}

static void
begins_an_epoch_where_it_does_not_go_on_from_its_own(void **state)
{
  rille_history history;
  rille_place before;
  rille_fault fault;
  bool found;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  assert_ok(spec_run(db, "insert into posts (title) values ('b')", &fault), &fault);
  before = history_of(db).now;
  db->counting = false; /* as a connection opened anew */
  assert_ok(spec_run(db, "insert into posts (title) values ('c')", &fault), &fault);
  assert_int_equal(history_of(db).count, 1);
  db->counts = db->counting = false;
  assert_ok(spec_run(db, "update rille_history set position = 1", &fault), &fault); /* as a backup put back */
  db->counts = true;
  for (int i = 0; i < 5; i++)
    assert_ok(spec_run(db, "insert into posts (title) values ('d')", &fault), &fault);
  history = history_of(db);
  assert_int_equal(history.count, 1);
  assert_int_equal(history.now.epoch, 2);
  assert_ok(rille_history_read(db, &before, &history, &found, &fault), &fault);
  assert_int_equal(history.count, 2);
  assert_int_equal(history.now.position, 6);
  assert_int_equal(rille_history_judge(&history, &before), RILLE_PLACE_LOST);
}

static void
counts_anew_where_its_tables_are_gone(void **state)
{
  rille_fault fault;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  db->counts = false;
  assert_ok(spec_run(db, "drop table rille_history", &fault), &fault);
  assert_ok(spec_run(db, "drop table rille_epochs", &fault), &fault);
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('b')", &fault), &fault);
  assert_int_equal(history_of(db).now.position, 1);
}

static void
goes_on_with_its_era_while_rille_changes_the_schema(void **state)
{
  static const char *const changes[] = {
    "create table more (id integer primary key)",
    "-- a comment\nalter table more add column name text",
    "vacuum",
    "drop table more",
  };
  rille_fault fault;
  int64_t era;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  era = history_of(db).era;
  for (int counts = 0; counts < 2; counts++) {
    db->counts = counts != 0;
    for (size_t i = 0; i < SPEC_COUNT(changes); i++) {
      assert_ok(spec_run(db, changes[i], &fault), &fault);
      assert_int_equal(history_of(db).era, era);
    }
  }
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  assert_ok(rille_outbox_create(db, &fault), &fault);
  assert_ok(rille_connection_commit(db, &fault), &fault);
  assert_int_equal(history_of(db).era, era);
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, &fault), &fault);
  assert_ok(spec_run(db, "create table undone (id integer primary key)", &fault), &fault);
  assert_ok(rille_connection_rollback(db, &fault), &fault);
  assert_int_equal(history_of(db).era, era);
  assert_int_equal(history_of(db).now.epoch, 1);
}

static void
begins_an_era_where_something_else_changed_the_schema(void **state)
{
  rille_fault fault;
  int64_t era, next;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  era = history_of(db).era;
  assert_ok(rille_aside_run(db, "create table theirs (id integer primary key)", NULL, 0, &fault), &fault);
  next = history_of(db).era;
  assert_true(next > era);
  assert_ok(spec_run(db, "create table more (id integer primary key)", &fault), &fault);
  assert_int_equal(history_of(db).era, next); /* with the same one, which is known now */
  assert_int_equal(history_of(db).now.epoch, 2);
  assert_ok(spec_run(db, "insert into posts (title) values ('b')", &fault), &fault);
  assert_int_equal(history_of(db).era, next);
  assert_int_equal(history_of(db).now.epoch, 2);
  assert_ok(rille_aside_run(db, "drop table rille_era", NULL, 0, &fault), &fault);
  assert_ok(spec_run(db, "insert into posts (title) values ('c')", &fault), &fault);
  assert_true(history_of(db).era > next);
}

static void
judges_by_epochs_of_long_ago(void **state)
{
  rille_history history;
  rille_place first;
  rille_fault fault;
  bool found;

  (void)state;
  db->counts = true;
  assert_ok(spec_run(db, "insert into posts (title) values ('a')", &fault), &fault);
  first = history_of(db).now;
  db->counts = false;
  assert_ok(spec_run(db,
                     "with recursive n (i) as (select 2 union all select i + 1 from n where i < 500) "
                     "insert into rille_epochs select i, i, 1 from n",
                     &fault),
            &fault);
  assert_ok(rille_history_read(db, &first, &history, &found, &fault), &fault);
  assert_int_equal(rille_history_judge(&history, &first), RILLE_PLACE_THERE);
  first.position = 2;
  assert_int_equal(rille_history_judge(&history, &first), RILLE_PLACE_LOST);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(writes_what_it_reads),
    cmocka_unit_test(writes_a_place_that_is_signed_later),
    cmocka_unit_test(sorts_as_texts),
    cmocka_unit_test(takes_no_other_signature),
    cmocka_unit_test(refuses_what_is_no_token),
    cmocka_unit_test(judges_by_epoch_and_position),
    cmocka_unit_test_setup_teardown(has_none_before_something_is_counted, open_db, close_db),
    cmocka_unit_test_setup_teardown(counts_transactions_that_wrote, open_db, close_db),
    cmocka_unit_test_setup_teardown(keeps_nothing_when_it_cannot_be_counted, open_db, close_db),
    cmocka_unit_test_setup_teardown(counts_anew_where_its_tables_are_gone, open_db, close_db),
    cmocka_unit_test_setup_teardown(goes_on_with_its_era_while_rille_changes_the_schema, open_db, close_db),
    cmocka_unit_test_setup_teardown(begins_an_era_where_something_else_changed_the_schema, open_db, close_db),
    cmocka_unit_test_setup_teardown(judges_by_epochs_of_long_ago, open_db, close_db),
    cmocka_unit_test_setup_teardown(begins_an_epoch_where_it_does_not_go_on_from_its_own, open_db, close_db),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
