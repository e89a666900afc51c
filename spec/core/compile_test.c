/* spec/core/compile_test.c - the exact SQL of outputs and joins, and the values that go with a statement. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/query/resolve.h"
#include "spec/support/build.h"
#include "spec/support/sql.h"

#define ALL_POSTS \
  "select \"id\", \"author_id\", \"title\", \"views\", \"price\", \"created_at\", \"slug\" from \"posts\""

#define TITLES "select \"title\" from \"posts\""

/* -- outputs --------------------------------------------------------------------------------------------- */

static void
selects_all_columns_by_name(void **state)
{
  rille_query *query = build_query(&build_posts);

  (void)state;
  assert_sql(query, ALL_POSTS, "");
  query->distinct = true;
  query->outputs = build_column("views");
  assert_sql(query, "select distinct \"views\" from \"posts\"", "");
}

static void
selects_outputs_with_and_without_names(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_node *raw = build_raw("views * ? as twice", build_value(0)),
             *flag = build_nested(RILLE_NODE_EXISTS, build_titles(build_equal("id", 1)));
  rille_node *most = build_call(RILLE_FN_MAX, build_column("views"));

  (void)state;
  raw->alias = rille_str_of("twice");
  flag->alias = rille_str_of("found");
  most->alias = rille_str_of("most");
  query->outputs = build_chain(build_output("title", "heading"), raw, build_column("posts.views"), flag, most, NULL);
  assert_sql(query,
             "select \"title\" as \"heading\", views * ? as twice, \"views\", exists (select \"posts#1\".\"title\" "
             "from \"posts\" as \"posts#1\" where \"posts#1\".\"id\" = ?) as \"found\", max(\"views\") as \"most\" "
             "from \"posts\"",
             "0 1");
}

static void
quotes_every_name_whatever_is_in_it(void **state)
{
  rille_query *query = build_query(&build_odd);

  (void)state;
  query->where = build_many(RILLE_NODE_AND, build_chain(build_equal("say \"hi\"", 0), build_equal("'; --", 1), NULL));
  query->groups = build_column("order");
  query->orders = build_term(build_column("say \"hi\""), false);
  assert_sql(
    query,
    "select \"id\", \"order\", \"say \"\"hi\"\"\", \"'; --\" from \"odd \"\"table\"\"\" where \"say \"\"hi\"\"\" = ? "
    "and \"'; --\" = ? group by \"order\" order by \"say \"\"hi\"\"\"",
    "0 1");
  query = build_query(&build_posts);
  query->outputs = build_output("title", "a\" from secrets --");
  assert_sql(query, "select \"title\" as \"a\"\" from secrets --\" from \"posts\"", "");
  query = build_query(&build_posts);
  query->source.name = rille_str_of("p\"");
  query->outputs = build_column("p\".title");
  assert_sql(query, "select \"title\" from \"posts\" as \"p\"\"\"", "");
}

/* -- joins ----------------------------------------------------------------------------------------------- */

static void
names_the_table_of_every_column_in_a_join(void **state)
{
  rille_query *query = build_titles(build_equal("name", 0));
  rille_node *every = build_node(RILLE_NODE_EVERY, NULL, NULL, NULL);

  (void)state;
  every->text = rille_str_of("u");
  query->outputs = build_chain(build_column("title"), every, NULL);
  build_join(query, RILLE_JOIN_LEFT, &build_users, "u",
             build_compare(build_column("author_id"), RILLE_OP_EQUAL, build_column("u.id")));
  build_join(query, RILLE_JOIN_INNER, &build_pairs, NULL,
             build_compare(build_column("pairs.a"), RILLE_OP_LESS, build_value(1)));
  query->orders = build_term(build_column("note"), true);
  assert_sql(
    query,
    "select \"posts\".\"title\", \"u\".\"id\", \"u\".\"name\", \"u\".\"title\" from \"posts\" left join \"users\" as "
    "\"u\" on \"posts\".\"author_id\" = \"u\".\"id\" join \"pairs\" on \"pairs\".\"a\" < ? where \"u\".\"name\" = ? "
    "order by \"pairs\".\"note\" desc",
    "1 0");
}

/* What scopes demand of joined rows knows their table alone, by both its names, and holds in an ON of its own. */
static void
seals_what_scopes_demand_of_joined_rows(void **state)
{
  rille_query *query = build_titles(build_equal("id", 0)), *inner = build_query(&build_pairs), *scoped;
  rille_join *join;

  (void)state;
  build_join(query, RILLE_JOIN_LEFT, &build_users, "u", build_constant(true));
  join = query->joins;
  scoped = build_query(&build_users);
  scoped->source = join->source;
  scoped->joined = true;
  inner->where = build_compare(build_column("a"), RILLE_OP_EQUAL, build_column("users.id"));
  scoped->where = build_many(RILLE_NODE_OR,
                             build_chain(build_equal("id", 1), build_nested(RILLE_NODE_EXISTS, inner), NULL));
  join->scoped = scoped;
  assert_sql(query,
             "select \"posts\".\"title\" from \"posts\" left join \"users\" as \"u\" on 1 and (\"u\".\"id\" = ? or "
             "exists (select 1 from \"pairs\" where \"pairs\".\"a\" = \"u\".\"id\")) where \"posts\".\"id\" = ?",
             "1 0");
}

/* -- values ---------------------------------------------------------------------------------------------- */

static void
says_for_each_value_what_it_becomes_and_where(void **state)
{
  rille_node *like = build_compare(build_column("price"), RILLE_OP_LIKE, build_value(0));
  rille_node *ilike = build_compare(build_column("price"), RILLE_OP_ILIKE, build_value(1));
  rille_node *list = build_node(RILLE_NODE_IN, build_column("created_at"),
                                build_node(RILLE_NODE_LIST, NULL, NULL, NULL), NULL);
  rille_node *raw = build_raw("? is 1", build_value(2));
  rille_query *query = build_titles(
    build_many(RILLE_NODE_AND, build_chain(build_equal("price", 3), like, ilike, list, raw, NULL)));
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->source.name = rille_str_of("p");
  assert_ok(spec_compile(query, &compiled, &fault), &fault);
  assert_int_equal(compiled.param_count, 5);
  assert_int_equal(compiled.params[0].type.kind, RILLE_TYPE_DECIMAL);
  assert_int_equal(compiled.params[0].type.scale, 2);
  assert_int_equal(compiled.params[0].form, RILLE_PARAM_PLAIN);
  assert_text(compiled.params[0].what, "posts.price");
  assert_int_equal(compiled.params[1].type.kind, RILLE_TYPE_TEXT);
  assert_int_equal(compiled.params[1].form, RILLE_PARAM_GLOB);
  assert_int_equal(compiled.params[2].type.kind, RILLE_TYPE_ANY);
  assert_int_equal(compiled.params[2].form, RILLE_PARAM_PLAIN);
  assert_int_equal(compiled.params[3].type.kind, RILLE_TYPE_DATETIME);
  assert_int_equal(compiled.params[3].form, RILLE_PARAM_LIST);
  assert_text(compiled.params[3].what, "posts.created_at");
  assert_int_equal(compiled.params[4].type.kind, RILLE_TYPE_ANY);
  assert_int_equal(compiled.params[4].what.len, 0);
}

static void
refuses_a_pattern_that_is_no_value(void **state)
{
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_UNSUPPORTED,
               spec_compile(build_titles(build_compare(build_column("title"), RILLE_OP_LIKE, build_column("slug"))),
                            &compiled, &fault),
               &fault);
}

static void
refuses_a_statement_that_is_too_long(void **state)
{
  static const size_t lengths[] = { RILLE_SQL_MAX, RILLE_SQL_MAX + 1, RILLE_SQL_MAX + 100000, 2 * RILLE_SQL_MAX };
  char *sql = malloc(2 * RILLE_SQL_MAX);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  memset(sql, '1', 2 * RILLE_SQL_MAX);
  for (size_t i = 0; i < SPEC_COUNT(lengths); i++) {
    rille_node *raw = build_raw("", NULL);

    raw->text = (rille_str){ sql, lengths[i] - strlen(TITLES " where ") };
    if (lengths[i] <= RILLE_SQL_MAX)
      assert_ok(spec_compile(build_titles(raw), &compiled, &fault), &fault);
    else
      assert_fails(RILLE_INVALID_ARGUMENT, spec_compile(build_titles(raw), &compiled, &fault), &fault);
  }
  free(sql);
}

static int allowed;

static int
allow_some(void)
{
  return allowed-- > 0;
}

static void
says_that_memory_ran_out_wherever_it_does(void **state)
{
  rille_query *query = build_titles(
    build_many(RILLE_NODE_AND, build_chain(build_equal("views", 0), build_equal("price", 1), NULL)));
  rille_status status = RILLE_OUT_OF_MEMORY;
  rille_fault fault;
  int n;

  (void)state;
  for (n = 0; status != RILLE_OK && n < 100; n++) {
    rille_arena arena;
    rille_compiled compiled;

    rille_arena_init(&arena);
    allowed = n;
    rille_memory_gate(allow_some);
    assert_ok(rille_resolve(query, &fault), &fault);
    status = rille_compile(query, &rille_dialect_sqlite, &arena, &compiled, &fault);
    rille_memory_gate(NULL);
    if (status != RILLE_OK)
      assert_fails(RILLE_OUT_OF_MEMORY, status, &fault);
    rille_arena_release(&arena);
  }
  assert_in_range(n, 3, 20);
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(selects_all_columns_by_name),
    BUILDS(selects_outputs_with_and_without_names),
    BUILDS(quotes_every_name_whatever_is_in_it),
    BUILDS(names_the_table_of_every_column_in_a_join),
    BUILDS(seals_what_scopes_demand_of_joined_rows),
    BUILDS(says_for_each_value_what_it_becomes_and_where),
    BUILDS(refuses_a_pattern_that_is_no_value),
    BUILDS(refuses_a_statement_that_is_too_long),
    BUILDS(says_that_memory_ran_out_wherever_it_does),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
