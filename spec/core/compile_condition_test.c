/* spec/core/compile_condition_test.c - the exact SQL of conditions. */
#include "spec/support/spec.h"

#include "spec/support/build.h"
#include "spec/support/sql.h"

#define TITLES "select \"title\" from \"posts\""

static void
writes_every_operator(void **state)
{
  static const struct {
    rille_operator op;
    const char *sql;
  } cases[] = {
    { RILLE_OP_EQUAL, "\"views\" = ?" },   { RILLE_OP_UNEQUAL, "\"views\" <> ?" },
    { RILLE_OP_LESS, "\"views\" < ?" },    { RILLE_OP_LESS_EQUAL, "\"views\" <= ?" },
    { RILLE_OP_GREATER, "\"views\" > ?" }, { RILLE_OP_GREATER_EQUAL, "\"views\" >= ?" },
    { RILLE_OP_LIKE, "\"views\" glob ?" }, { RILLE_OP_ILIKE, "\"views\" like ? escape '\\'" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char sql[200];

    (void)strcpy(sql, TITLES " where ");
    (void)strcat(sql, cases[i].sql);
    assert_sql(build_titles(build_compare(build_column("views"), cases[i].op, build_value(7))), sql, "7");
  }
}

static void
writes_every_kind_of_condition(void **state)
{
  rille_node *items = build_chain(build_value(0), build_value(1), build_value(2), NULL);
  const struct {
    rille_node *condition;
    const char *sql, *slots;
  } cases[] = {
    { build_node(RILLE_NODE_IS_NULL, build_column("title"), NULL, NULL), "\"title\" is null", "" },
    { build_node(RILLE_NODE_NOT, build_node(RILLE_NODE_IS_NULL, build_column("title"), NULL, NULL), NULL, NULL),
      "\"title\" is not null", "" },
    { build_node(RILLE_NODE_NOT, build_equal("views", 0), NULL, NULL), "not (\"views\" = ?)", "0" },
    { build_node(RILLE_NODE_BETWEEN, build_column("views"), build_value(3), build_value(2)),
      "\"views\" between ? and ?", "3 2" },
    { build_node(RILLE_NODE_IN, build_column("views"), build_many(RILLE_NODE_ITEMS, items), NULL),
      "\"views\" in (?, ?, ?)", "0 1 2" },
    { build_node(RILLE_NODE_IN, build_column("views"), build_node(RILLE_NODE_LIST, NULL, NULL, NULL), NULL),
      "\"views\" in (select \"value\" from json_each(?))", "0" },
    { build_compare(build_call(RILLE_FN_DATE, build_column("created_at")), RILLE_OP_LESS, build_value(1)),
      "date(\"created_at\") < ?", "1" },
    { build_compare(build_call(RILLE_FN_YEAR, build_column("created_at")), RILLE_OP_EQUAL, build_value(1)),
      "cast(strftime('%Y', \"created_at\") as integer) = ?", "1" },
    { build_compare(build_call(RILLE_FN_JSON_GET, build_chain(build_column("title"), build_value(0), NULL)),
                    RILLE_OP_EQUAL, build_value(1)),
      "json_extract(\"title\", ?) = ?", "0 1" },
    { build_call(RILLE_FN_JSON_CONTAINS, build_chain(build_column("title"), build_value(0), build_value(1), NULL)),
      "exists (select 1 from json_each(\"title\", ?) where \"value\" = ?)", "0 1" },
    { build_compare(build_column("views"), RILLE_OP_EQUAL, build_column("author_id")), "\"views\" = \"author_id\"",
      "" },
    { build_constant(true), "1", "" },
    { build_constant(false), "0", "" },
    { build_many(RILLE_NODE_AND, NULL), "1", "" },
    { build_many(RILLE_NODE_OR, NULL), "0", "" },
    { build_raw("views > ? or 1", build_value(5)), "views > ? or 1", "5" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char sql[300];

    (void)strcpy(sql, TITLES " where ");
    (void)strcat(sql, cases[i].sql);
    assert_sql(build_titles(cases[i].condition), sql, cases[i].slots);
  }
}

static void
asks_about_rows_of_other_queries(void **state)
{
  rille_query *inner = build_query(&build_users), *ids = build_query(&build_users);

  (void)state;
  inner->where = build_compare(build_column("users.id"), RILLE_OP_EQUAL, build_column("posts.author_id"));
  assert_sql(build_titles(build_nested(RILLE_NODE_EXISTS, inner)),
             TITLES " where exists (select 1 from \"users\" where "
                    "\"users\".\"id\" = \"posts\".\"author_id\")",
             "");
  ids->outputs = build_column("id");
  ids->where = build_equal("name", 0);
  ids->limit = build_value(1);
  assert_sql(
    build_titles(build_node(RILLE_NODE_IN, build_column("author_id"), build_nested(RILLE_NODE_QUERY, ids), NULL)),
    TITLES " where \"author_id\" in (select \"users\".\"id\" from \"users\" where \"users\".\"name\" = ? limit ?)",
    "0 1");
}

static rille_node *
outer(const char *name)
{
  rille_node *column = build_column(name);

  column->op = 1;
  return column;
}

static void
knows_the_columns_of_a_query_around_by_its_first_table(void **state)
{
  rille_query *inner = build_query(&build_posts), *innermost = build_query(&build_posts);

  (void)state;
  innermost->where = build_compare(build_column("posts.id"), RILLE_OP_EQUAL, outer("author_id"));
  inner->sealed = build_compare(build_column("posts.author_id"), RILLE_OP_EQUAL, outer("id"));
  inner->where = build_nested(RILLE_NODE_EXISTS, innermost);
  assert_sql(build_titles(build_nested(RILLE_NODE_EXISTS, inner)),
             TITLES " where exists (select 1 from \"posts\" as \"posts#1\" where \"posts#1\".\"author_id\" = "
                    "\"posts\".\"id\" and exists (select 1 from \"posts\" as \"posts#2\" where \"posts#2\".\"id\" = "
                    "\"posts#1\".\"author_id\"))",
             "");
}

static void
counts_the_rows_of_other_queries(void **state)
{
  rille_query *counted = build_query(&build_users), *query = build_query(&build_posts);
  rille_node *output = build_nested(RILLE_NODE_QUERY, counted);

  (void)state;
  counted->where = build_compare(build_column("id"), RILLE_OP_EQUAL, outer("author_id"));
  counted->aggregate = build_call(RILLE_FN_COUNT, build_node(RILLE_NODE_STAR, NULL, NULL, NULL));
  output->alias = rille_str_of("users_count");
  query->outputs = build_chain(build_column("title"), output, NULL);
  query->orders = build_term(build_column("users_count"), true);
  query->where = build_compare(build_nested(RILLE_NODE_QUERY, counted), RILLE_OP_GREATER, build_value(0));
  assert_sql(query,
             "select \"title\", (select count(*) from \"users\" where \"users\".\"id\" = \"posts\".\"author_id\") as "
             "\"users_count\" from \"posts\" where (select count(*) from \"users\" where \"users\".\"id\" = "
             "\"posts\".\"author_id\") > ? order by \"users_count\" desc",
             "0");
}

#define NUMBERED                                                                                                     \
  "select \"title\" from (select \"title\", row_number() over (partition by \"author_id\" order by \"id\" desc) as " \
  "\"rille#number\" from \"posts\" where \"views\" = ?) where \"rille#number\" "

static void
counts_limits_among_rows_that_are_alike(void **state)
{
  rille_query *query = build_titles(build_equal("views", 0));

  (void)state;
  query->orders = build_term(build_column("id"), true);
  query->per = build_column("author_id");
  assert_sql(query, TITLES " where \"views\" = ? order by \"id\" desc", "0");
  query->limit = build_value(1);
  assert_sql(query, NUMBERED "<= ? order by \"rille#number\"", "0 1");
  query->offset = build_value(2);
  assert_sql(query, NUMBERED "> ? and \"rille#number\" - ? <= ? order by \"rille#number\"", "0 2 2 1");
}

static void
keeps_groups_of_conditions_together(void **state)
{
  rille_node *a = build_many(RILLE_NODE_OR, build_chain(build_equal("title", 0), build_equal("views", 1), NULL));
  rille_node *b = build_many(RILLE_NODE_AND, build_chain(build_equal("id", 2), build_raw("1 or 0", NULL), a, NULL));

  (void)state;
  assert_sql(build_titles(b), TITLES " where \"id\" = ? and (1 or 0) and (\"title\" = ? or \"views\" = ?)", "2 0 1");
  assert_sql(build_titles(build_node(RILLE_NODE_NOT, a, NULL, NULL)),
             TITLES " where not (\"title\" = ? or \"views\" = ?)", "0 1");
}

static void
keeps_operands_together(void **state)
{
  rille_node *inner = build_compare(build_column("views"), RILLE_OP_SUBTRACT, build_value(0));

  (void)state;
  assert_sql(build_titles(build_compare(build_column("id"), RILLE_OP_EQUAL,
                                        build_compare(build_column("author_id"), RILLE_OP_SUBTRACT, inner))),
             TITLES " where \"id\" = (rille_subtract(\"author_id\", "
                    "rille_subtract(\"views\", ?)))",
             "0");
  assert_sql(build_titles(build_compare(build_raw("1 or 0", NULL), RILLE_OP_EQUAL, build_value(0))),
             TITLES " where (1 or 0) = ?", "0");
  assert_sql(build_titles(build_node(RILLE_NODE_IS_NULL, build_equal("views", 0), NULL, NULL)),
             TITLES " where (\"views\" = ?) is null", "0");
}

static void
lets_no_or_escape_what_scopes_demand(void **state)
{
  rille_node *either = build_many(RILLE_NODE_OR, build_chain(build_equal("title", 0), build_constant(true), NULL));
  rille_node *sealed = build_many(
    RILLE_NODE_OR, build_chain(build_equal("author_id", 1),
                               build_node(RILLE_NODE_IS_NULL, build_column("author_id"), NULL, NULL), NULL));
  rille_query *query = build_titles(either);

  (void)state;
  query->sealed = sealed;
  assert_sql(query, TITLES " where (\"author_id\" = ? or \"author_id\" is null) and (\"title\" = ? or 1)", "1 0");
  query->where = build_raw("1 or 1", NULL);
  assert_sql(query, TITLES " where (\"author_id\" = ? or \"author_id\" is null) and (1 or 1)", "1");
  query->where = NULL;
  assert_sql(query, TITLES " where \"author_id\" = ? or \"author_id\" is null", "1");
  query->verb = RILLE_DELETE;
  query->outputs = NULL;
  query->where = either;
  query->unfiltered = true; /* for "or 1" is no condition */
  assert_sql(query, "delete from \"posts\" where (\"author_id\" = ? or \"author_id\" is null) and (\"title\" = ? or 1)",
             "1 0");
}

/* However many conditions there are: no chain is deeper than databases allow, and nothing is lost or swapped. */
static void
balances_long_chains(void **state)
{
  static const size_t counts[] = { 1, 2, 199, 200, 201, 400, 401, 999, 1001, 5000, 20000 };

  (void)state;
  for (size_t c = 0; c < SPEC_COUNT(counts); c++)
    for (int or = 0; or < 2; or ++) {
      rille_node *first = NULL;
      rille_compiled compiled;
      rille_fault fault;
      size_t questions = 0, depth = 0, deepest = 0;

      for (size_t i = counts[c]; i > 0; i--) {
        rille_node *condition = build_compare(build_column("views"), RILLE_OP_EQUAL, build_value((uint32_t)i));

        condition->next = first;
        first = condition;
      }
      assert_ok(spec_compile(build_titles(build_many(or ? RILLE_NODE_OR : RILLE_NODE_AND, first)), &compiled, &fault),
                &fault);
      assert_int_equal(compiled.param_count, counts[c]);
      for (size_t i = 0; i < counts[c]; i++)
        assert_int_equal(compiled.params[i].slot, i + 1);
      for (size_t i = 0; i < compiled.sql.len; i++) {
        depth += compiled.sql.at[i] == '(';
        depth -= compiled.sql.at[i] == ')';
        deepest = depth > deepest ? depth : deepest;
        questions += compiled.sql.at[i] == '?';
      }
      assert_int_equal(depth, 0);
      assert_int_equal(questions, counts[c]);
      assert_in_range(deepest, counts[c] > 200 ? 1 : 0, 12);
    }
}

static void
gives_sqlite_chains_that_it_takes(void **state)
{
  rille_node *first = NULL;
  rille_buffer sql, slots;

  (void)state;
  rille_buffer_init(&sql, RILLE_SQL_MAX);
  rille_buffer_init(&slots, RILLE_SQL_MAX);
  rille_buffer_text(&sql, TITLES " where (");
  for (uint32_t i = 0; i < 400; i++) {
    rille_node *condition = build_compare(build_column("views"), RILLE_OP_EQUAL, build_value(399 - i));

    condition->next = first;
    first = condition;
    rille_buffer_text(&sql, i == 0 ? "" : i == 200 ? ") or (" : " or ");
    rille_buffer_text(&sql, "\"views\" = ?");
    rille_buffer_format(&slots, i > 0 ? " %u" : "%u", i);
  }
  rille_buffer_text(&sql, ")");
  assert_sql(build_titles(build_many(RILLE_NODE_OR, first)), rille_buffer_str(&sql).at, rille_buffer_str(&slots).at);
  rille_buffer_release(&sql);
  rille_buffer_release(&slots);
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(writes_every_operator),
    BUILDS(writes_every_kind_of_condition),
    BUILDS(asks_about_rows_of_other_queries),
    BUILDS(knows_the_columns_of_a_query_around_by_its_first_table),
    BUILDS(counts_the_rows_of_other_queries),
    BUILDS(counts_limits_among_rows_that_are_alike),
    BUILDS(keeps_groups_of_conditions_together),
    BUILDS(keeps_operands_together),
    BUILDS(lets_no_or_escape_what_scopes_demand),
    BUILDS(balances_long_chains),
    BUILDS(gives_sqlite_chains_that_it_takes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
