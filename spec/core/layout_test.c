/* spec/core/layout_test.c - names and types of a result's columns, of a table or of a statement. */
#include "spec/support/spec.h"

#include "core/base/memory.h"
#include "spec/support/build.h"
#include "spec/support/driver.h"

static int
refuse(void)
{
  return 0;
}

/* The statement of a tree, or of SQL text; its layout lives until it is released. */
static rille_statement *
statement_for(rille_query *query, const char *sql)
{
  rille_statement *statement = NULL;
  rille_fault fault;

  if (query != NULL)
    assert_ok(rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  else
    assert_ok(rille_connection_sql(spec_db, rille_str_of(sql), &statement, &fault), &fault);
  return statement;
}

static void
tells_all_columns_of_a_table(void **state)
{
  rille_layout *layout = rille_layout_of_table(&build_posts);

  (void)state;
  assert_int_equal(layout->count, build_posts.column_count);
  assert_int_equal(layout->table_id, build_posts.id);
  assert_text(layout->what, "posts");
  for (size_t i = 0; i < layout->count; i++) {
    assert_true(rille_str_equal(layout->names[i], build_posts.columns[i].name));
    assert_ptr_not_equal(layout->names[i].at, build_posts.columns[i].name.at);
    assert_int_equal(layout->types[i].kind, build_posts.columns[i].type.kind);
  }
  rille_layout_drop(layout);
}

static void
lives_until_its_last_holder_drops_it(void **state)
{
  rille_layout *layout = rille_layout_of_table(&build_users);

  (void)state;
  assert_ptr_equal(rille_layout_hold(layout), layout);
  rille_layout_drop(layout);
  assert_text(layout->names[1], "name");
  rille_layout_drop(layout);
  rille_layout_drop(NULL);
}

static void
is_that_of_the_table_when_all_its_columns_are_read(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = statement_for(query, NULL);

  (void)state;
  assert_int_equal(statement->layout->table_id, build_posts.id);
  assert_int_equal(statement->layout->count, build_posts.column_count);
  rille_connection_release(statement);
  query->outputs = build_column("title");
  statement = statement_for(query, NULL);
  assert_int_equal(statement->layout->table_id, 0);
  rille_connection_release(statement);
}

static void
takes_types_from_the_table_or_from_what_was_declared(void **state)
{
  static const struct {
    const char *name;
    rille_type_kind kind;
  } wanted[] = {
    { "views", RILLE_TYPE_DECIMAL }, { "created_at", RILLE_TYPE_DATETIME }, { "sum", RILLE_TYPE_ANY },
    { "price", RILLE_TYPE_TEXT },    { "when", RILLE_TYPE_DATETIME },       { "id", RILLE_TYPE_INTEGER },
    { "name", RILLE_TYPE_TEXT },     { "title", RILLE_TYPE_TEXT },          { "other", RILLE_TYPE_BOOLEAN },
  };
  rille_query *query = build_query(&build_posts);
  rille_node *raw = build_raw("1 + 1 as sum, posts.title as price", NULL),
             *every = build_node(RILLE_NODE_EVERY, NULL, NULL, NULL);
  rille_column flag = { .name = rille_str_of("b"),
                        .type = { .kind = RILLE_TYPE_BOOLEAN } }; /* a cast: declared INTEGER */
  rille_table cast = { .id = 77, .name = rille_str_of("pairs"), .column_count = 1, .columns = &flag };
  rille_statement *statement;

  (void)state;
  every->text = rille_str_of("users");
  build_join(query, RILLE_JOIN_INNER, &build_users, NULL, build_constant(true));
  build_join(query, RILLE_JOIN_INNER, &cast, NULL, build_constant(true));
  query->outputs = build_chain(build_output("price", "views"), build_column("created_at"), raw,
                               build_output("created_at", "when"), every, build_output("pairs.b", "other"), NULL);
  statement = statement_for(query, NULL);
  assert_int_equal(statement->layout->count, SPEC_COUNT(wanted));
  for (size_t i = 0; i < SPEC_COUNT(wanted); i++) {
    assert_text(statement->layout->names[i], wanted[i].name);
    assert_int_equal(statement->layout->types[i].kind, wanted[i].kind);
  }
  assert_text(statement->layout->what, "posts");
  rille_connection_release(statement);
}

/* Where SQL text stands between, nobody knows which output is which: what was declared decides. */
static void
takes_declared_types_between_pieces_of_sql(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement;

  (void)state;
  query->outputs = build_chain(build_raw("1 as one, 2 as two", NULL), build_output("price", "between"),
                               build_raw("3 as three", NULL), build_output("created_at", "behind"), NULL);
  statement = statement_for(query, NULL);
  assert_int_equal(statement->layout->count, 5);
  assert_int_equal(statement->layout->types[0].kind, RILLE_TYPE_ANY);
  assert_int_equal(statement->layout->types[2].kind, RILLE_TYPE_DECIMAL);
  assert_int_equal(statement->layout->types[3].kind, RILLE_TYPE_ANY);
  assert_int_equal(statement->layout->types[4].kind, RILLE_TYPE_DATETIME);
  rille_connection_release(statement);
}

static void
takes_the_types_of_what_is_returned(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement;

  (void)state;
  query->verb = RILLE_INSERT;
  query->returning = build_chain(build_column("price"), build_column("id"), NULL);
  statement = statement_for(query, NULL);
  assert_int_equal(statement->layout->types[0].kind, RILLE_TYPE_DECIMAL);
  assert_int_equal(statement->layout->types[1].kind, RILLE_TYPE_INTEGER);
  rille_connection_release(statement);
}

static void
gives_aggregates_their_types(void **state)
{
  static const struct {
    rille_function function;
    const char *column;
    rille_type_kind kind;
  } cases[] = {
    { RILLE_FN_MAX, "created_at", RILLE_TYPE_DATETIME }, { RILLE_FN_MIN, "price", RILLE_TYPE_DECIMAL },
    { RILLE_FN_SUM, "price", RILLE_TYPE_DECIMAL },       { RILLE_FN_SUM, "views", RILLE_TYPE_ANY },
    { RILLE_FN_AVG, "price", RILLE_TYPE_ANY },           { RILLE_FN_COUNT, "created_at", RILLE_TYPE_ANY },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_query *query = build_query(&build_posts);
    rille_statement *statement;

    query->aggregate = build_call(cases[i].function, build_column(cases[i].column));
    statement = statement_for(query, NULL);
    assert_int_equal(statement->layout->count, 1);
    assert_int_equal(statement->layout->types[0].kind, cases[i].kind);
    rille_connection_release(statement);
  }
}

static void
is_missing_for_statements_without_rows(void **state)
{
  rille_statement *statement = statement_for(NULL, "delete from posts");

  (void)state;
  assert_null(statement->layout);
  assert_true(statement->writes);
  rille_connection_release(statement);
  statement = statement_for(NULL, "insert into posts (title) values ('a') returning id, price");
  assert_int_equal(statement->layout->count, 2);
  assert_int_equal(statement->layout->types[1].kind, RILLE_TYPE_DECIMAL);
  assert_int_equal(statement->layout->what.len, 0);
  rille_connection_release(statement);
}

static void
refuses_two_columns_of_one_name(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = NULL;
  rille_fault fault;

  (void)state;
  build_join(query, RILLE_JOIN_INNER, &build_users, NULL, build_constant(true));
  query->outputs = build_chain(build_column("posts.title"), build_column("users.title"), NULL);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_string_equal(fault.message, "two columns of the result are called \"title\"");
  assert_contains(fault.hint, "as");
  assert_fails(RILLE_INVALID_ARGUMENT,
               rille_connection_sql(spec_db, rille_str_of("select 1 as a, 2 as b, 3 as a"), &statement, &fault),
               &fault);
  assert_ok(rille_connection_sql(spec_db, rille_str_of("select 1 as a, 2 as b, 3 as A"), &statement, &fault), &fault);
  rille_connection_release(statement);
}

static void
says_that_memory_ran_out(void **state)
{
  rille_statement *statement = statement_for(build_query(&build_posts), NULL);
  rille_layout *layout = NULL;
  rille_fault fault;

  (void)state;
  rille_memory_gate(refuse);
  assert_null(rille_layout_of_table(&build_posts));
  assert_fails(RILLE_OUT_OF_MEMORY,
               rille_layout_of_statement(NULL, &rille_dialect_sqlite, statement->stmt, &layout, &fault), &fault);
  rille_memory_gate(NULL);
  assert_null(layout);
  rille_connection_release(statement);
}

#define ON_DB(test) cmocka_unit_test_setup_teardown(test, spec_db_tables, spec_db_close)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(tells_all_columns_of_a_table),
    cmocka_unit_test(lives_until_its_last_holder_drops_it),
    ON_DB(is_that_of_the_table_when_all_its_columns_are_read),
    ON_DB(takes_types_from_the_table_or_from_what_was_declared),
    ON_DB(takes_declared_types_between_pieces_of_sql),
    ON_DB(takes_the_types_of_what_is_returned),
    ON_DB(gives_aggregates_their_types),
    ON_DB(is_missing_for_statements_without_rows),
    ON_DB(refuses_two_columns_of_one_name),
    ON_DB(says_that_memory_ran_out),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
