/* spec/driver/postgres_wall_test.c - whose rows a statement sees is told to the server for it, and forgotten there. */
#include "spec/driver/posts.h"

#define TOLD                                                              \
  "select coalesce(current_setting('rille.tenant', true), '') || '/' || " \
  "coalesce(current_setting('rille.everybody', true), '') from generate_series(1, 500)"

static const rille_driver *const postgres = &rille_driver_postgres;
static rille_stmt *told;

static int
open_statement(void **state)
{
  (void)posts_open(state);
  told = contract_prepare(posts_db, TOLD);
  return 0;
}

static int
close_statement(void **state)
{
  postgres->free(told);
  return posts_close(state);
}

static void
assert_next(const char *expected)
{
  rille_cell cell;
  rille_fault fault;
  bool row = false;

  assert_ok(postgres->step(told, &row, &fault), &fault);
  assert_true(row);
  assert_ok(postgres->row(told, &cell, &fault), &fault);
  assert_int_equal(cell.kind, RILLE_TEXT);
  assert_true(rille_str_is(cell.as.text, expected));
}

/* Runs the statement, which sees what was told to the server; NULL: it says nothing itself. */
static void
assert_told(const char *tenant, const char *everybody, bool streams, const char *expected)
{
  postgres->reset(told);
  if (tenant != NULL)
    postgres->whose(told, rille_str_of(tenant), rille_str_of(everybody));
  if (streams)
    postgres->stream(told, true);
  assert_next(expected);
  assert_next(expected);
}

static void
is_told_for_one_statement(void **state)
{
  (void)state;
  for (int streams = 0; streams < 2; streams++) {
    assert_told("7", "a,b", streams != 0, "7/a,b");
    assert_told(NULL, NULL, false, "/");
    assert_told("7", "a,b", false, "7/a,b");
    assert_told(NULL, NULL, true, "/");
  }
}

static void
is_told_for_a_transaction(void **state)
{
  rille_fault fault;

  (void)state;
  for (int commits = 0; commits < 2; commits++) {
    assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
    assert_told("7", "", false, "7/");
    assert_told("7", "", true, "7/");
    assert_told("8", "*", true, "8/*");
    assert_told("7", "", false, "7/");
    postgres->reset(told);
    assert_ok((commits != 0 ? postgres->commit : postgres->rollback)(posts_db, &fault), &fault);
    assert_told(NULL, NULL, false, "/");
  }
}

static void
is_told_again_behind_a_savepoint(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(posts_db, "savepoint a");
  assert_told("7", "", false, "7/");
  postgres->reset(told);
  contract_run_sql(posts_db, "rollback to savepoint a");
  assert_told(NULL, NULL, false, "/");
  assert_told("7", "", false, "7/");
  postgres->reset(told);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
}

#define ON_STATEMENT(test) cmocka_unit_test_setup_teardown(test, open_statement, close_statement)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_STATEMENT(is_told_for_one_statement),
    ON_STATEMENT(is_told_for_a_transaction),
    ON_STATEMENT(is_told_again_behind_a_savepoint),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
