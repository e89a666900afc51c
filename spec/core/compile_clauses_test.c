/* spec/core/compile_clauses_test.c - the exact SQL of groups, orders, limits, unions, aggregates and tenants. */
#include "spec/support/spec.h"

#include "spec/support/build.h"
#include "spec/support/sql.h"

#define TITLES "select \"title\" from \"posts\""

static void
groups_orders_and_limits(void **state)
{
  rille_query *query = build_titles(NULL);

  (void)state;
  query->groups = build_chain(build_column("title"), build_column("views"), NULL);
  query->having = build_compare(build_raw("count(*)", NULL), RILLE_OP_GREATER, build_value(0));
  query->orders = build_chain(build_term(build_column("title"), true), build_term(build_column("views"), false),
                              build_term(build_call(RILLE_FN_RANDOM, NULL), false),
                              build_raw("length(title) + ?", build_value(1)), NULL);
  query->limit = build_value(2);
  query->offset = build_value(3);
  assert_sql(query,
             TITLES
             " group by \"title\", \"views\" having (count(*)) > ? order by \"title\" desc, \"views\", random(), "
             "length(title) + ? limit ? offset ?",
             "0 1 2 3");
  query = build_titles(NULL);
  query->offset = build_value(0);
  assert_sql(query, TITLES " limit -1 offset ?", "0");
}

static void
orders_by_the_names_of_outputs(void **state)
{
  rille_query *query = build_query(&build_posts);

  (void)state;
  query->outputs = build_output("title", "heading");
  query->orders = build_term(build_column("heading"), false);
  build_join(query, RILLE_JOIN_INNER, &build_pairs, NULL, build_constant(true));
  assert_sql(query, "select \"posts\".\"title\" as \"heading\" from \"posts\" join \"pairs\" on 1 order by \"heading\"",
             "");
}

static void
unites_queries(void **state)
{
  rille_query *query = build_titles(build_equal("views", 0)), *second = build_titles(build_equal("id", 1)),
              *third = build_titles(NULL);

  (void)state;
  second->union_all = true;
  third->orders = build_term(build_column("id"), false);
  third->limit = build_value(2);
  query->unions = second;
  second->next = third;
  query->orders = build_term(build_column("title"), false);
  query->limit = build_value(3);
  assert_sql(query,
             TITLES " where \"views\" = ? union all " TITLES " where \"id\" = ? union select * from (" TITLES
                    " order by \"id\" limit ?) order by \"title\" limit ?",
             "0 1 2 3");
}

static void
aggregates_over_the_table_or_over_the_result(void **state)
{
  rille_query *query = build_titles(build_equal("views", 0));

  (void)state;
  query->aggregate = build_call(RILLE_FN_COUNT, build_node(RILLE_NODE_STAR, NULL, NULL, NULL));
  query->orders = build_term(build_column("title"), false);
  assert_sql(query, "select count(*) from \"posts\" where \"views\" = ?", "0");
  query->aggregate = build_call(RILLE_FN_SUM, build_column("views"));
  assert_sql(query, "select coalesce(sum(\"views\"), 0) from \"posts\" where \"views\" = ?", "0");
  query->outputs = build_column("views");
  query->orders = NULL;
  query->limit = build_value(1);
  assert_sql(query,
             "select coalesce(sum(\"views\"), 0) from (select \"views\" from \"posts\" where \"views\" = ? limit ?)",
             "0 1");
  query->limit = NULL;
  query->distinct = true;
  query->aggregate = build_call(RILLE_FN_AVG, build_column("views"));
  assert_sql(query, "select avg(\"views\") from (select distinct \"views\" from \"posts\" where \"views\" = ?)", "0");
  query->distinct = false;
  query->groups = build_column("views");
  query->aggregate = build_call(RILLE_FN_MIN, build_column("views"));
  assert_sql(
    query, "select min(\"views\") from (select \"views\" from \"posts\" where \"views\" = ? group by \"views\")", "0");
}

/* -- tenants --------------------------------------------------------------------------------------------- */

/* posts, whose rows are those of the author that value 9 names. */
static rille_table authored;

static rille_query *
build_authored(rille_node *where)
{
  rille_query *query = build_titles(where);

  authored = build_posts;
  authored.guarded = true;
  authored.tenant = &authored.columns[1];
  query->source = (rille_source){ .table = &authored, .name = authored.name, .guard = RILLE_GUARD_TENANT, .tenant = 9 };
  return query;
}

#define OWN "\"author_id\" = ?"

static void
says_whose_rows_are_meant_wherever_a_table_is_read(void **state)
{
  rille_query *query = build_authored(NULL);
  rille_node *either = build_chain(build_equal("views", 0), build_constant(true), NULL);

  (void)state;
  assert_sql(query, TITLES " where " OWN, "9");
  query = build_authored(build_many(RILLE_NODE_OR, either));
  query->sealed = build_equal("id", 1);
  assert_sql(query, TITLES " where " OWN " and \"id\" = ? and (\"views\" = ? or 1)", "9 1 0");
  query = build_authored(build_nested(RILLE_NODE_EXISTS, build_authored(NULL)));
  query->unions = build_authored(NULL);
  assert_sql(query,
             TITLES " where " OWN
                    " and exists (select \"posts#1\".\"title\" from \"posts\" as \"posts#1\" where \"posts#1\"." OWN
                    ") union " TITLES " where " OWN,
             "9 9 9");
  query = build_authored(build_equal("id", 0));
  query->outputs = NULL;
  query->verb = RILLE_DELETE;
  assert_sql(query, "delete from \"posts\" where " OWN " and \"id\" = ?", "9 0");
}

static void
says_whose_rows_are_joined(void **state)
{
  rille_query *query = build_query(&build_users);

  (void)state;
  (void)build_authored(NULL);
  query->outputs = build_column("name");
  build_join(query, RILLE_JOIN_LEFT, &authored, "p", build_constant(true));
  query->joins->source.guard = RILLE_GUARD_TENANT;
  query->joins->source.tenant = 9;
  assert_sql(query, "select \"users\".\"name\" from \"users\" left join \"posts\" as \"p\" on 1 and \"p\"." OWN, "9");
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(groups_orders_and_limits),
    BUILDS(orders_by_the_names_of_outputs),
    BUILDS(unites_queries),
    BUILDS(aggregates_over_the_table_or_over_the_result),
    BUILDS(says_whose_rows_are_meant_wherever_a_table_is_read),
    BUILDS(says_whose_rows_are_joined),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
