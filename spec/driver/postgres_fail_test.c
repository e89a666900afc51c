/* spec/driver/postgres_fail_test.c - statements that fail: their kinds, and what they tell. */
#include "spec/driver/posts.h"

#include <pthread.h>

static const rille_driver *const postgres = &rille_driver_postgres;

static void
ends_a_statement_that_takes_too_long(void **state)
{
  rille_conn *hasty = posts_connect((rille_open_options){ .statement_timeout_ms = 100 });
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_TIMEOUT, contract_try(hasty, "select pg_sleep(10)", &fault), &fault);
  assert_contains(fault.hint, "statement_timeout_ms");
  assert_int_equal(contract_integer(hasty, "select 1"), 1);
  postgres->close(hasty);
}

static void
tells_kinds_by_sqlstate(void **state)
{
  static const struct {
    const char *sql;
    rille_status kind;
    const char *state, *table, *column, *constraint;
  } cases[] = {
    { "select 1/0", RILLE_INVALID_ARGUMENT, "22012", "", "", "" },
    { "select 9223372036854775807 + 1", RILLE_INVALID_ARGUMENT, "22003", "", "", "" },
    { "insert into kept values (1, 'x', 1, 3)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "id", "kept_pkey" },
    { "insert into kept values (2, 'Y', 1, 3)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "", "kept_low" },
    { "insert into kept values (2, 'z', 1, 2)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "a", "kept_a_Odd, col_key" },
    { "insert into kept values (2, 'z', 3, -1)", RILLE_CHECK_VIOLATION, "23514", "kept", "", "positive" },
    { "insert into kept values (2, null, 3, 3)", RILLE_NOT_NULL_VIOLATION, "23502", "kept", "name", "" },
    { "do $$begin raise exception 'no such luck'; end$$", RILLE_CHECK_VIOLATION, "P0001", "", "", "" },
    { "set transaction isolation level nonsense", RILLE_SYNTAX, "42601", "", "", "" },
    { "select * from pg_authid", RILLE_INVALID_ARGUMENT, "42501", "", "", "" },
    { "select nothing()", RILLE_INVALID_ARGUMENT, "42883", "", "", "" },
    { "alter table kept drop column nope", RILLE_NO_SUCH_COLUMN, "42703", "", "nope", "" },
    { "select k.\"Nope\" from kept k", RILLE_NO_SUCH_COLUMN, "42703", "", "Nope", "" },
    { "select '\xC3\xA9', Nope from kept", RILLE_NO_SUCH_COLUMN, "42703", "", "nope", "" },
    { "drop table elsewhere.nope", RILLE_INVALID_ARGUMENT, "3F000", "", "", "" },
    { "select * from Public.\"No pe\"", RILLE_NO_SUCH_TABLE, "42P01", "No pe", "", "" },
    { "vacuum", RILLE_OK, "", "", "", "" },
    { "insert into kept values (2, 'z', 3, 3), (2, 'u', 4, 4)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "id", NULL },
    { "copy kept from stdin", RILLE_UNSUPPORTED, "", "", "", "" },
    { "copy kept to stdout", RILLE_UNSUPPORTED, "", "", "", "" },
  };

  (void)state;
  contract_run_sql(posts_db, "create table kept (id int primary key, name text not null, a int, \"Odd, col\" int "
                             "constraint positive check (\"Odd, col\" > 0), unique (a, \"Odd, col\"))");
  contract_run_sql(posts_db, "create unique index kept_low on kept (lower(name))");
  contract_run_sql(posts_db, "insert into kept values (1, 'y', 1, 2)");
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault = { 0 };

    assert_fails(cases[i].kind, contract_try(posts_db, cases[i].sql, &fault), &fault);
    assert_string_equal(fault.state, cases[i].state);
    assert_string_equal(fault.table, cases[i].table);
    assert_string_equal(fault.column, cases[i].column);
    if (cases[i].constraint != NULL)
      assert_string_equal(fault.constraint, cases[i].constraint);
    assert_int_equal(contract_try(posts_db, cases[i].sql, NULL), cases[i].kind);
  }
}

static void
names_all_columns_of_a_violated_key(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(posts_db, "create table kept (a int, \"Odd, col\" text, unique (a, \"Odd, col\"))");
  contract_run_sql(posts_db, "insert into kept values (1, 'x)=(y')");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract_try(posts_db, "insert into kept values (1, 'x)=(y')", &fault), &fault);
  assert_string_equal(fault.columns, "kept.a, kept.Odd, col");
  assert_contains(fault.message, "these values together");
}

static void *
take_the_first_row(void *conn)
{
  rille_fault fault;

  return (void *)(intptr_t)contract_try(conn, "update posts set title = 'b' where id = 1", &fault);
}

static void
tells_a_deadlock(void **state)
{
  rille_conn *other = posts_connect((rille_open_options){ 0 });
  rille_fault fault;
  pthread_t thread;
  void *theirs = NULL;
  rille_status ours;

  (void)state;
  postgres->set_wait(posts_db, 20000);
  postgres->set_wait(other, 20000);
  contract_run_sql(posts_db, "insert into posts values (1), (2)");
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  assert_ok(postgres->begin(other, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(posts_db, "update posts set title = 'a' where id = 1");
  contract_run_sql(other, "update posts set title = 'b' where id = 2");
  assert_int_equal(pthread_create(&thread, NULL, take_the_first_row, other), 0);
  ours = contract_try(posts_db, "update posts set title = 'a' where id = 2", &fault);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  assert_int_equal(pthread_join(thread, &theirs), 0);
  assert_true((ours == RILLE_DEADLOCK) != ((rille_status)(intptr_t)theirs == RILLE_DEADLOCK));
  assert_ok(postgres->rollback(other, &fault), &fault);
  postgres->close(other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_POSTS(ends_a_statement_that_takes_too_long),
    ON_POSTS(tells_kinds_by_sqlstate),
    ON_POSTS(names_all_columns_of_a_violated_key),
    ON_POSTS(tells_a_deadlock),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
