/* spec/core/connection_statement_test.c - statements of a connection, found by their shape or their text. */
#include "spec/support/spec.h"

#include "spec/support/build.h"
#include "spec/support/driver.h"

static rille_query *
by_views(uint32_t slot)
{
  rille_query *query = build_query(&build_posts);

  query->outputs = build_column("id");
  query->where = build_equal("views", slot);
  return query;
}

static rille_statement *
statement_for(rille_query *query)
{
  rille_statement *statement = NULL;
  rille_fault fault;

  assert_ok(rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_true(statement->in_use);
  return statement;
}

static void
prepares_a_shape_once(void **state)
{
  rille_statement *first = statement_for(by_views(0)), *again;

  (void)state;
  rille_connection_release(first);
  assert_string_equal(spec_driver_log(), "prepare select \"id\" from \"posts\" where \"views\" = ?");
  again = statement_for(by_views(0));
  assert_ptr_equal(again, first);
  rille_connection_release(again);
  assert_string_equal(spec_driver_log(), "prepare select \"id\" from \"posts\" where \"views\" = ?");
  assert_int_equal(spec_db->statements.hits, 1);
  rille_connection_release(NULL);
}

static void
tells_values_that_stand_in_another_order_apart(void **state)
{
  rille_query *limited = by_views(1);
  rille_statement *first, *second;

  (void)state;
  limited->limit = build_value(0);
  first = statement_for(limited);
  assert_int_equal(first->compiled.params[0].slot, 1);
  rille_connection_release(first);
  limited = by_views(0);
  limited->limit = build_value(1);
  second = statement_for(limited);
  assert_int_equal(second->compiled.params[0].slot, 0);
  assert_true(rille_str_equal(first->compiled.sql, second->compiled.sql));
  rille_connection_release(second);
}

static void
makes_a_second_statement_while_the_first_runs(void **state)
{
  rille_statement *first = statement_for(by_views(0)), *second = statement_for(by_views(0));
  size_t kept = spec_db->statements.count;

  (void)state;
  assert_ptr_not_equal(first, second);
  rille_connection_release(second);
  assert_ptr_equal(statement_for(by_views(0)), second); /* both are kept for the next time */
  rille_connection_release(first);
  assert_ptr_equal(statement_for(by_views(0)), first);
  rille_connection_release(first);
  rille_connection_release(second);
  assert_int_equal(spec_db->statements.count, kept);
}

static void
tells_sql_text_and_shapes_apart(void **state)
{
  rille_statement *made = statement_for(by_views(0)), *text = NULL;
  rille_fault fault;
  char shape[200];
  rille_str key = made->key;

  (void)state;
  memcpy(shape, key.at + 1, key.len - 1); /* the same bytes as text: no statement is found for them */
  assert_int_not_equal(rille_connection_sql(spec_db, (rille_str){ shape, key.len - 1 }, &text, &fault), RILLE_OK);
  rille_connection_release(made);
}

static void
forgets_its_statements_when_told(void **state)
{
  rille_statement *running = statement_for(by_views(0)), *again;

  (void)state;
  rille_connection_forget(spec_db);
  assert_int_equal(spec_db->statements.count, 0);
  assert_int_equal(running->key.len, 0);
  again = statement_for(by_views(0));
  assert_ptr_not_equal(again, running);
  rille_connection_release(running);
  rille_connection_release(again);
}

static void
keeps_nothing_of_a_statement_that_cannot_be_made(void **state)
{
  rille_query *query = by_views(0);
  rille_statement *statement = NULL;
  rille_fault fault;
  size_t kept = spec_db->statements.count;

  (void)state;
  query->where = build_equal("titel", 0);
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_string_equal(spec_driver_log(), "");
  spec_driver_fail("prepare", 1, RILLE_BUSY);
  assert_fails(RILLE_BUSY, rille_connection_statement(spec_db, by_views(0), &statement, &fault), &fault);
  assert_null(statement);
  assert_int_equal(spec_db->statements.count, kept);
}

static void
refuses_text_that_is_too_long(void **state)
{
  static char sql[RILLE_SQL_MAX + 1];
  rille_statement *statement = NULL;
  rille_fault fault;

  (void)state;
  memset(sql, ' ', sizeof sql);
  memcpy(sql, "select 1", 8);
  assert_fails(RILLE_INVALID_ARGUMENT,
               rille_connection_sql(spec_db, (rille_str){ sql, sizeof sql }, &statement, &fault), &fault);
  assert_contains(fault.message, "longer than 1000000 bytes");
  assert_contains(fault.hint, "parameters");
  assert_ok(rille_connection_sql(spec_db, (rille_str){ sql, sizeof sql - 1 }, &statement, &fault), &fault);
  rille_connection_release(statement);
}

#define ON_DB(test) cmocka_unit_test_setup_teardown(test, spec_db_posts, spec_db_close)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_DB(prepares_a_shape_once),
    ON_DB(tells_values_that_stand_in_another_order_apart),
    ON_DB(makes_a_second_statement_while_the_first_runs),
    ON_DB(tells_sql_text_and_shapes_apart),
    ON_DB(forgets_its_statements_when_told),
    ON_DB(keeps_nothing_of_a_statement_that_cannot_be_made),
    ON_DB(refuses_text_that_is_too_long),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
