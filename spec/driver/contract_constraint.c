/* spec/driver/contract_constraint.c - a violated constraint says of which kind it is, and where. */
#include "spec/driver/contract.h"

static int
open_constrained(void **state)
{
  (void)contract_open(state);
  contract_run_sql(contract_db,
                   "create table users (id %s, email %s not null unique, age %s check (age >= 0), "
                   "org %s, nick %s, constraint grown_up check (age is null or age < 200), unique (org, nick))",
                   contract->key, contract->text, contract->integer, contract->integer, contract->text);
  contract_run_sql(contract_db,
                   "create table posts (id %s, user_id %s references users (id), "
                   "owner_id %s references users (id) deferrable initially deferred)",
                   contract->key, contract->integer, contract->integer);
  contract_run_sql(contract_db, "create table badges (user_id %s references users (id) on delete restrict)",
                   contract->integer);
  contract_run_sql(contract_db, "insert into users (email, age, org, nick) values ('ann@example.org', 30, 1, 'ann')");
  contract_run_sql(contract_db, "insert into posts (user_id) values (1)");
  return 0;
}

static void
says_which_constraint_was_violated(void **state)
{
  static const struct {
    const char *sql;
    rille_status kind;
    const char *table, *column;
  } cases[] = {
    { "insert into users (email) values ('ann@example.org')", RILLE_UNIQUE_VIOLATION, "users", "email" },
    { "insert into users (id, email) values (1, 'x')", RILLE_UNIQUE_VIOLATION, "users", "id" },
    { "insert into users (email, org, nick) values ('x', 1, 'ann')", RILLE_UNIQUE_VIOLATION, "users", "org" },
    { "insert into users (email) values (null)", RILLE_NOT_NULL_VIOLATION, "users", "email" },
    { "update users set email = null", RILLE_NOT_NULL_VIOLATION, "users", "email" },
    { "insert into users (email, age) values ('x', -1)", RILLE_CHECK_VIOLATION, NULL, NULL },
    { "insert into posts (user_id) values (77)", RILLE_FOREIGN_KEY_VIOLATION, NULL, NULL },
    { "delete from users", RILLE_FOREIGN_KEY_VIOLATION, NULL, NULL },
    { "update posts set user_id = 77", RILLE_FOREIGN_KEY_VIOLATION, NULL, NULL },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault;

    assert_fails(cases[i].kind, contract_try(contract_db, cases[i].sql, &fault), &fault);
    assert_true(fault.code != 0);
    if (cases[i].table != NULL)
      assert_string_equal(fault.table, cases[i].table);
    if (cases[i].column != NULL)
      assert_string_equal(fault.column, cases[i].column);
  }
  assert_int_equal(contract_integer(contract_db, "select count(*) from users"), 1);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 1);
}

static void
tells_a_reference_that_restricts_from_a_check(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db, "insert into users (id, email) values (2, 'ben@example.org')");
  contract_run_sql(contract_db, "insert into badges values (2)");
  assert_fails(RILLE_FOREIGN_KEY_VIOLATION, contract_try(contract_db, "delete from users where id = 2", &fault),
               &fault);
  assert_int_equal(contract_integer(contract_db, "select count(*) from users"), 2);
}

static void
names_a_constraint_that_has_a_name(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_CHECK_VIOLATION,
               contract_try(contract_db, "insert into users (email, age) values ('x', 200)", &fault), &fault);
  assert_string_equal(fault.constraint, "grown_up");
}

static void
waits_for_the_commit_with_a_constraint_that_is_deferred(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "insert into posts (owner_id) values (2)");
  assert_fails(RILLE_FOREIGN_KEY_VIOLATION, contract->driver->commit(contract_db, &fault), &fault);
  if (contract->driver->in_transaction(contract_db))
    assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 1);

  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "insert into posts (owner_id) values (2)");
  contract_run_sql(contract_db, "insert into users (id, email) values (2, 'ben@example.org')");
  assert_ok(contract->driver->commit(contract_db, &fault), &fault);
}

#define CONSTRAINED(test) cmocka_unit_test_setup_teardown(test, open_constrained, contract_close)

int
contract_constraints(void)
{
  const struct CMUnitTest constraints[] = {
    CONSTRAINED(says_which_constraint_was_violated),
    CONSTRAINED(tells_a_reference_that_restricts_from_a_check),
    CONSTRAINED(names_a_constraint_that_has_a_name),
    CONSTRAINED(waits_for_the_commit_with_a_constraint_that_is_deferred),
  };

  return cmocka_run_group_tests(constraints, NULL, NULL);
}
