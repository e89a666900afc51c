/* spec/core/resolve_test.c - names find their columns, or a fault that says where and which was meant. */
#include "spec/support/spec.h"

#include "core/query/resolve.h"
#include "spec/support/build.h"

static rille_query *
posts_with_users(void)
{
  rille_query *query = build_query(&build_posts);

  build_join(query, RILLE_JOIN_LEFT, &build_users, NULL,
             build_compare(build_column("author_id"), RILLE_OP_EQUAL, build_column("users.id")));
  return query;
}

static void
assert_found(const rille_node *node, const rille_source *source, const char *column)
{
  assert_ptr_equal(node->source, source);
  assert_non_null(node->column);
  assert_text(node->column->name, column);
  assert_ptr_equal(node->column, rille_table_column(source->table, node->column->name));
}

/* -- names ----------------------------------------------------------------------------------------------- */

static void
finds_plain_and_qualified_names(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  query->outputs = build_chain(build_column("title"), build_column("posts.views"), NULL);
  query->where = build_equal("views", 0);
  query->groups = build_column("title");
  query->orders = build_chain(build_term(build_column("id"), false), NULL);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(query->outputs, &query->source, "title");
  assert_found(query->outputs->next, &query->source, "views");
  assert_found(query->where->a, &query->source, "views");
  assert_found(query->groups, &query->source, "title");
  assert_found(query->orders->a, &query->source, "id");
}

static void
prefers_the_first_table_and_looks_on_in_the_joined_ones(void **state)
{
  rille_query *query = posts_with_users();
  rille_fault fault;

  (void)state;
  query->outputs = build_chain(build_column("title"), build_column("name"), build_column("users.title"), NULL);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(query->joins->on->a, &query->source, "author_id");
  assert_found(query->joins->on->b, &query->joins->source, "id");
  assert_found(query->outputs, &query->source, "title");
  assert_found(query->outputs->next, &query->joins->source, "name");
  assert_found(query->outputs->next->next, &query->joins->source, "title");
}

static void
knows_a_table_by_its_alias_only(void **state)
{
  rille_query *query = build_query(&build_users);
  rille_fault fault;

  (void)state;
  build_join(query, RILLE_JOIN_INNER, &build_users, "boss", build_constant(true));
  query->outputs = build_chain(build_column("boss.name"), build_column("users.name"), NULL);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(query->outputs, &query->joins->source, "name");
  assert_found(query->outputs->next, &query->source, "name");

  query->source.name = rille_str_of("me");
  assert_fails(RILLE_NO_SUCH_TABLE, rille_resolve(query, &fault), &fault);
}

static void
refuses_a_name_that_two_joined_tables_have(void **state)
{
  rille_query *query = build_query(&build_keyless);
  rille_fault fault;

  (void)state;
  build_join(query, RILLE_JOIN_INNER, &build_posts, NULL, build_constant(true));
  build_join(query, RILLE_JOIN_INNER, &build_users, NULL, build_constant(true));
  query->where = build_equal("title", 0);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.message, "\"title\" is a column of both posts and users: name the table");
  query->where = build_equal("users.title", 0);
  assert_ok(rille_resolve(query, &fault), &fault);
}

static void
looks_in_the_statements_around(void **state)
{
  rille_query *query = build_query(&build_users), *inner = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  inner->where = build_chain(
    build_many(RILLE_NODE_AND,
               build_chain(build_compare(build_column("author_id"), RILLE_OP_EQUAL, build_column("users.id")),
                           build_compare(build_column("title"), RILLE_OP_EQUAL, build_column("name")), NULL)),
    NULL);
  query->where = build_nested(RILLE_NODE_EXISTS, inner);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(inner->where->items->a, &inner->source, "author_id");
  assert_found(inner->where->items->b, &query->source, "id");
  assert_found(inner->where->items->next->a, &inner->source, "title");
  assert_found(inner->where->items->next->b, &query->source, "name");
}

static void
looks_around_from_each_member_of_a_union(void **state)
{
  rille_query *query = build_query(&build_users), *inner = build_query(&build_keyless),
              *member = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  inner->unions = member;
  member->where = build_compare(build_column("author_id"), RILLE_OP_EQUAL, build_column("users.id"));
  query->where = build_nested(RILLE_NODE_EXISTS, inner);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(member->where->b, &query->source, "id");
}

static void
does_not_look_inside_or_beside(void **state)
{
  rille_query *query = build_query(&build_users), *member = build_query(&build_users);
  rille_fault fault;

  (void)state;
  query->where = build_many(RILLE_NODE_AND, build_chain(build_nested(RILLE_NODE_EXISTS, build_query(&build_posts)),
                                                        build_equal("views", 0), NULL));
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_resolve(query, &fault), &fault);

  query = build_query(&build_posts);
  query->unions = member;
  member->where = build_equal("posts.views", 0);
  assert_fails(RILLE_NO_SUCH_TABLE, rille_resolve(query, &fault), &fault);
}

static void
lets_order_and_having_use_the_names_of_outputs(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_node *raw = build_raw("count(*) as n, max(views) as most", NULL);
  rille_fault fault;

  (void)state;
  raw->alias = SPEC_BYTES("n\0most");
  query->outputs = build_chain(build_output("title", "heading"), raw, NULL);
  query->having = build_compare(build_column("most"), RILLE_OP_GREATER, build_value(0));
  query->orders = build_chain(build_term(build_column("heading"), false), build_term(build_column("n"), true), NULL);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_null(query->having->a->source);
  assert_null(query->orders->a->source);
  assert_null(query->orders->a->column);

  static const char *const unknown[] = { "mos", "nmost", "moste", "head" };
  for (size_t i = 0; i < SPEC_COUNT(unknown); i++) {
    query->orders = build_term(build_column(unknown[i]), false);
    assert_fails(RILLE_NO_SUCH_COLUMN, rille_resolve(query, &fault), &fault);
  }
}

static void
prefers_a_column_to_an_output_of_its_name(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  query->outputs = build_output("views", "title");
  query->orders = build_term(build_column("title"), false);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(query->orders->a, &query->source, "title");
}

/* -- what is not there ----------------------------------------------------------------------------------- */

static void
says_which_name_is_unknown_wherever_it_stands(void **state)
{
  rille_fault fault;

  (void)state;
  for (int place = 0; place < 12; place++) {
    rille_query *query = build_query(&build_posts), *inner = build_query(&build_posts);
    rille_node *bad = build_column("titel");

    switch (place) {
    case 0: query->outputs = bad; break;
    case 1: query->where = build_compare(bad, RILLE_OP_EQUAL, build_value(0)); break;
    case 2:
      query->where = build_node(
        RILLE_NODE_NOT,
        build_many(RILLE_NODE_OR,
                   build_chain(build_equal("views", 0), build_node(RILLE_NODE_IS_NULL, bad, NULL, NULL), NULL)),
        NULL, NULL);
      break;
    case 3: query->sealed = build_compare(build_value(0), RILLE_OP_EQUAL, bad); break;
    case 4: query->groups = bad; break;
    case 5: query->having = build_node(RILLE_NODE_BETWEEN, build_column("views"), build_value(0), bad); break;
    case 6: query->orders = build_term(bad, false); break;
    case 7: query->aggregate = build_call(RILLE_FN_MAX, bad); break;
    case 8: query->returning = bad; break;
    case 9: query->conflict_columns = bad; break;
    case 10:
      inner->where = build_equal("titel", 0);
      query->where = build_nested(RILLE_NODE_EXISTS, inner);
      break;
    default:
      build_join(query, RILLE_JOIN_INNER, &build_pairs, NULL, build_compare(bad, RILLE_OP_EQUAL, build_column("a")));
      break;
    }
    if (rille_resolve(query, &fault) != RILLE_NO_SUCH_COLUMN)
      fail_msg("place %d: %s", place, fault.message);
    assert_string_equal(fault.message, "posts has no column \"titel\"");
    assert_string_equal(fault.hint, "did you mean \"title\"?");
    assert_int_equal(rille_resolve(query, NULL), RILLE_NO_SUCH_COLUMN);
  }
}

static void
says_which_table_is_unknown(void **state)
{
  rille_query *query = posts_with_users();
  rille_node *every = build_node(RILLE_NODE_EVERY, NULL, NULL, NULL);
  rille_fault fault;

  (void)state;
  query->where = build_equal("user.name", 0);
  assert_fails(RILLE_NO_SUCH_TABLE, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.message, "\"user.name\": this query reads no table \"user\"");
  assert_string_equal(fault.hint, "did you mean \"users\"?");
  query->where = build_equal("organizations.name", 0);
  assert_fails(RILLE_NO_SUCH_TABLE, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.hint, "join the table first");
  query->where = build_equal("users.naem", 0);
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.message, "users has no column \"naem\"");
  assert_string_equal(fault.hint, "did you mean \"name\"?");

  query->where = NULL;
  every->text = rille_str_of("users");
  query->outputs = every;
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_ptr_equal(every->source, &query->joins->source);
  every->text = rille_str_of("user");
  assert_fails(RILLE_NO_SUCH_TABLE, rille_resolve(query, &fault), &fault);
}

static void
refuses_names_that_are_no_names(void **state)
{
  static const char *const names[] = {
    "",
    ".",
    "posts.",
    ".title",
    "posts..title",
    "posts.title.x",
    "main.posts.title",
    "title as x",
    "\"title\"",
    "title ",
    "TITLE",
    "title; drop table posts",
    "title) or (1",
    "*",
    "posts.*",
    "1",
    "rowid",
    "id\" = 1 or \"id",
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(names); i++) {
    rille_query *query = build_query(&build_posts);
    rille_status status;

    query->where = build_equal(names[i], 0);
    status = rille_resolve(query, &fault);
    if (status != RILLE_NO_SUCH_COLUMN && status != RILLE_NO_SUCH_TABLE)
      fail_msg("\"%s\" was taken for a column", names[i]);
  }
}

/* -- types ----------------------------------------------------------------------------------------------- */

static void
gives_values_the_type_of_the_column_beside_them(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_node *equal = build_equal("views", 0),
             *turned = build_compare(build_value(0), RILLE_OP_LESS, build_column("created_at"));
  rille_node *between = build_node(RILLE_NODE_BETWEEN, build_column("price"), build_value(0), build_value(0));
  rille_node *in = build_node(RILLE_NODE_IN, build_column("title"),
                              build_many(RILLE_NODE_ITEMS, build_chain(build_value(0), build_value(0), NULL)), NULL);
  rille_node *listed = build_node(RILLE_NODE_IN, build_column("id"), build_node(RILLE_NODE_LIST, NULL, NULL, NULL),
                                  NULL);
  rille_node *part = build_compare(build_call(RILLE_FN_YEAR, build_column("created_at")), RILLE_OP_EQUAL,
                                   build_value(0));
  rille_fault fault;

  (void)state;
  query->where = build_many(RILLE_NODE_AND, build_chain(equal, turned, between, in, listed, part, NULL));
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_found(equal->b, &query->source, "views");
  assert_found(turned->a, &query->source, "created_at");
  assert_found(between->b, &query->source, "price");
  assert_found(between->c, &query->source, "price");
  assert_found(in->b->items, &query->source, "title");
  assert_found(in->b->items->next, &query->source, "title");
  assert_found(listed->b, &query->source, "id");
  assert_null(part->b->column);
}

/* -- writing --------------------------------------------------------------------------------------------- */

static void
finds_the_columns_of_assignments(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_node *sum = build_compare(build_column("views"), RILLE_OP_ADD, build_value(0));
  rille_fault fault;

  (void)state;
  query->verb = RILLE_UPDATE;
  query->where = build_equal("id", 0);
  build_set(&query->sets, "title", build_value(0));
  build_set(&query->sets, "views", sum);
  assert_ok(rille_resolve(query, &fault), &fault);
  assert_text(query->sets->column->name, "title");
  assert_found(query->sets->value, &query->source, "title");
  assert_text(query->sets->next->column->name, "views");
  assert_found(sum->b, &query->source, "views");

  build_set(&query->sets, "titel", build_value(0));
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.hint, "did you mean \"title\"?");
}

static void
refuses_to_write_what_the_database_computes(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  query->verb = RILLE_INSERT;
  build_set(&query->sets, "slug", build_value(0));
  assert_fails(RILLE_INVALID_ARGUMENT, rille_resolve(query, &fault), &fault);
  assert_string_equal(fault.message, "posts.slug is computed by the database: it cannot be written");
  query->sets = NULL;
  build_set(&query->conflict_sets, "slug", build_column("slug"));
  assert_fails(RILLE_INVALID_ARGUMENT, rille_resolve(query, &fault), &fault);
}

static void
refuses_a_mutation_of_every_row_that_is_not_meant(void **state)
{
  static const rille_verb verbs[] = { RILLE_UPDATE, RILLE_DELETE };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(verbs); i++) {
    rille_query *query = build_query(&build_posts);

    query->verb = verbs[i];
    build_set(&query->sets, "views", build_value(0));
    assert_fails(RILLE_UNSAFE_MUTATION, rille_resolve(query, &fault), &fault);
    assert_contains(fault.message,
                    i == 0 ? "an update of posts without a condition" : "a delete of posts without a condition");
    assert_contains(fault.hint, "unfiltered()");
    query->sealed = build_equal("author_id", 0); /* what a scope demands is no condition of the caller's */
    assert_fails(RILLE_UNSAFE_MUTATION, rille_resolve(query, &fault), &fault);
    query->orders = build_term(build_column("id"), false);
    query->distinct = true;
    assert_fails(RILLE_UNSAFE_MUTATION, rille_resolve(query, &fault), &fault);
    query->unfiltered = true;
    assert_ok(rille_resolve(query, &fault), &fault);
    query->unfiltered = false;
    query->limit = build_value(0);
    assert_ok(rille_resolve(query, &fault), &fault);
    query->limit = NULL;
    query->where = build_equal("id", 0);
    assert_ok(rille_resolve(query, &fault), &fault);
  }
}

static void
lets_selects_and_inserts_be_without_a_condition(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_fault fault;

  (void)state;
  assert_ok(rille_resolve(query, &fault), &fault);
  query->verb = RILLE_INSERT;
  assert_ok(rille_resolve(query, &fault), &fault);
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(finds_plain_and_qualified_names),
    BUILDS(prefers_the_first_table_and_looks_on_in_the_joined_ones),
    BUILDS(knows_a_table_by_its_alias_only),
    BUILDS(refuses_a_name_that_two_joined_tables_have),
    BUILDS(looks_in_the_statements_around),
    BUILDS(looks_around_from_each_member_of_a_union),
    BUILDS(does_not_look_inside_or_beside),
    BUILDS(lets_order_and_having_use_the_names_of_outputs),
    BUILDS(prefers_a_column_to_an_output_of_its_name),
    BUILDS(says_which_name_is_unknown_wherever_it_stands),
    BUILDS(says_which_table_is_unknown),
    BUILDS(refuses_names_that_are_no_names),
    BUILDS(gives_values_the_type_of_the_column_beside_them),
    BUILDS(finds_the_columns_of_assignments),
    BUILDS(refuses_to_write_what_the_database_computes),
    BUILDS(refuses_a_mutation_of_every_row_that_is_not_meant),
    BUILDS(lets_selects_and_inserts_be_without_a_condition),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
