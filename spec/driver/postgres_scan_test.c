/* spec/driver/postgres_scan_test.c - what is said of a SQL text without asking the server. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/driver/postgres_scan.h"

/* Reads from a block of exactly the text's size, so that a step too far is seen. */
static rille_postgres_scan
scan(const char *sql)
{
  char *exact = spec_exact(sql, strlen(sql));
  rille_postgres_scan found = rille_postgres_scan_text((rille_str){ exact, strlen(sql) });

  free(exact);
  return found;
}

static void
tells_a_text_without_a_statement(void **state)
{
  static const char *const none[] = { "", " \n\t", ";", ";;-- a", "/* a /* b */ ; */", "-- a\n;", "/*" };
  static const char *const some[] = { "a", ";a", "-- a\nb", "/* /* */ */ '", "$$", "1" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(none); i++)
    assert_true(scan(none[i]).empty);
  for (size_t i = 0; i < SPEC_COUNT(some); i++)
    assert_false(scan(some[i]).empty);
}

static void
tells_what_stands_behind_the_first_statement(void **state)
{
  static const char *const one[] = { "select 1;",           "select ';x'",     "select \";x\"",  "select $$;x$$",
                                     "select $a$;$$;x$a$",  "select e'\\';x'", "select 'a'';x'", "select 1; -- x",
                                     "select 1; /* x */ ;", "select 'open;x",  "select a$b;",    "select 1 /* ; x */" };
  static const char *const several[] = { "select 1; x",       "select 'a\\'; x'", "select $1;x$1", "; select 1; x",
                                         "select e'\\\\'; x", "select 1;'",       "select a$$; x" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(one); i++)
    assert_false(scan(one[i]).several);
  for (size_t i = 0; i < SPEC_COUNT(several); i++)
    assert_true(scan(several[i]).several);
}

static void
tells_what_is_a_query(void **state)
{
  static const char *const are[] = { "select 1",
                                     " /* a */ SELECT 1;",
                                     "(select 1) union (select 2)",
                                     "values (1)",
                                     "table a",
                                     "with a as (select 1) select * from a" };
  static const char *const are_not[] = {
    "show all", "explain select 1", "fetch 1 from a",      "insert into a values (1)",
    "'select'", ";select 1",        "-- select\nshow all", "execute a"
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(are); i++)
    assert_true(scan(are[i]).queries);
  for (size_t i = 0; i < SPEC_COUNT(are_not); i++)
    assert_false(scan(are_not[i]).queries);
}

static void
tells_what_may_let_a_commit_come_early(void **state)
{
  static const char *const may[] = { "set local synchronous_commit = off", "SET Synchronous_Commit TO local",
                                     "select set_config('synchronous_commit', 'off', true)", "do $$ begin end $$",
                                     "call p()" };
  static const char *const not [] = { "select 1", "insert into a values (1) on conflict do nothing", "set a = 1",
                                      "select 'synchronous_commit'", "select call from a" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(may); i++)
    assert_true(scan(may[i]).defers);
  for (size_t i = 0; i < SPEC_COUNT(not ); i++)
    assert_false(scan(not [i]).defers);
}

static void
tells_what_writes_and_what_reads(void **state)
{
  static const char *const reads[] = { "select 1",
                                       "(select 1) union (select 2)",
                                       "VALUES (1)",
                                       "table posts",
                                       "show timezone",
                                       "with a as (select 1) select * from a",
                                       "explain select 1",
                                       "/* insert */ select 'update', \"delete\", $$into$$",
                                       "begin",
                                       "savepoint a",
                                       "rollback to a",
                                       "set work_mem = '1MB'",
                                       "select updated, inserts from posts" };
  static const char *const writes[] = { "insert into a values (1)",
                                        "Update a set b = 1",
                                        "delete from a",
                                        "with a as (insert into b values (1) returning *) select * from a",
                                        "select * into a from b",
                                        "select * from a for update",
                                        "select * from a for no key update skip locked",
                                        "select * from a for share",
                                        "explain analyze delete from a",
                                        "create table a (b int)",
                                        "truncate a",
                                        "do $$begin end$$",
                                        "call a()",
                                        "vacuum",
                                        "refresh materialized view a" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(reads); i++)
    assert_false(scan(reads[i]).writes);
  for (size_t i = 0; i < SPEC_COUNT(writes); i++)
    assert_true(scan(writes[i]).writes);
}

static void
finds_the_greatest_parameter(void **state)
{
  static const struct {
    const char *sql;
    unsigned long top;
  } cases[] = {
    { "select 1", 0 },
    { "select $1", 1 },
    { "select $2, $12, $3", 12 },
    { "select '$5', \"$6\", $$ $7 $$, $8x$9", 8 },
    { "select a$4", 0 },
    { "select $65536", 65536 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_int_equal(scan(cases[i].sql).top, cases[i].top);
  assert_true(scan("select $99999999999999999999").top > 65535);
}

static void
tells_a_copy_from_or_to_the_client(void **state)
{
  (void)state;
  assert_true(scan("copy a from stdin").copies);
  assert_true(scan("COPY (select 1) TO STDOUT with (format csv)").copies);
  assert_false(scan("copy a from '/tmp/stdin'").copies);
  assert_false(scan("select copy, stdin").copies);
}

int
main(void)
{
  const struct CMUnitTest scans[] = {
    cmocka_unit_test(tells_a_text_without_a_statement),
    cmocka_unit_test(tells_what_stands_behind_the_first_statement),
    cmocka_unit_test(tells_what_is_a_query),
    cmocka_unit_test(tells_what_may_let_a_commit_come_early),
    cmocka_unit_test(tells_what_writes_and_what_reads),
    cmocka_unit_test(finds_the_greatest_parameter),
    cmocka_unit_test(tells_a_copy_from_or_to_the_client),
  };

  return cmocka_run_group_tests(scans, NULL, NULL);
}
