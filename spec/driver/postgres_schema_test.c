/* spec/driver/postgres_schema_test.c - connections on which bare names are those of one schema. */
#include "spec/driver/posts.h"

#include <stdio.h>

static const rille_driver *const postgres = &rille_driver_postgres;

/* The url has a search path of its own, which does not count. */
static rille_status
connect_to(const char *schema, rille_conn **out, rille_fault *fault)
{
  rille_open_options options = { .schema = rille_str_of(schema), .busy_timeout_ms = 2000 };
  char url[SPEC_URL_BYTES];

  (void)snprintf(url, sizeof url, "%s&options=-csearch_path%%3Dpublic", spec_postgres_url());
  options.url = rille_str_of(url);
  return postgres->open(&options, out, fault);
}

static void
finds_bare_names_there_and_nowhere_else_before_and_behind_a_lost_connection(void **state)
{
  static const struct {
    const char *name, *quoted;
  } schemas[] = {
    { "a-b", "\"a-b\"" },
    { "A b\\ c\t,\"d\", 'e'", "\"A b\\ c\t,\"\"d\"\", 'e'\"" },
    { "öffentlich", "\"öffentlich\"" },
  };
  rille_conn *conn = NULL, *beside = NULL;
  char sql[200];
  rille_fault fault;

  (void)state;
  assert_ok(connect_to("public", &beside, &fault), &fault);
  contract_run_sql(beside, "create table kept (id int)");
  for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
    (void)snprintf(sql, sizeof sql, "create schema %s", schemas[i].quoted);
    contract_run_sql(beside, sql);
    (void)snprintf(sql, sizeof sql, "create table %s.kept (id int)", schemas[i].quoted);
    contract_run_sql(beside, sql);
    assert_ok(connect_to(schemas[i].name, &conn, &fault), &fault);
    for (int times = 1; times <= 2; times++) {
      contract_run_sql(conn, "insert into kept values (1)");
      assert_int_equal(contract_integer(conn, "select count(*) from kept"), times);
      assert_int_equal(contract_integer(conn, "select cardinality(current_schemas(false))"), 1);
      posts_terminate(conn);
    }
    (void)snprintf(sql, sizeof sql, "drop schema %s cascade", schemas[i].quoted);
    contract_run_sql(beside, sql);
    assert_fails(RILLE_NOT_FOUND, contract_try(conn, "select count(*) from kept", &fault), &fault);
    postgres->close(conn);
  }
  assert_int_equal(contract_integer(beside, "select count(*) from kept"), 0);
  contract_run_sql(beside, "drop table kept");
  postgres->close(beside);
}

static void
says_that_the_schema_is_missing(void **state)
{
  static const char *const missing[] = { "not there", "$user", "pg_temp" };
  rille_conn *conn = NULL;
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
    assert_fails(RILLE_NOT_FOUND, connect_to(missing[i], &conn, &fault), &fault);
    assert_contains(fault.message, "schema");
  }
}

static void
says_that_the_schema_may_not_be_used(void **state)
{
  rille_conn *conn = NULL;
  rille_fault fault;

  (void)state;
  (void)spec_postgres_sql("create schema unseen authorization postgres");
  assert_fails(RILLE_NOT_FOUND, connect_to("unseen", &conn, &fault), &fault);
  assert_contains(fault.hint, "USAGE");
  (void)spec_postgres_sql("drop schema unseen");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(finds_bare_names_there_and_nowhere_else_before_and_behind_a_lost_connection),
    cmocka_unit_test(says_that_the_schema_is_missing),
    cmocka_unit_test(says_that_the_schema_may_not_be_used),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
