/* spec/core/compile_write_test.c - the exact SQL of inserts, updates and deletes. */
#include "spec/support/spec.h"

#include "spec/support/build.h"
#include "spec/support/sql.h"

static rille_query *
writing(rille_verb verb, const rille_table *table)
{
  rille_query *query = build_query(table);

  query->verb = verb;
  return query;
}

/* -- insert ---------------------------------------------------------------------------------------------- */

static void
inserts_a_row(void **state)
{
  rille_query *query = writing(RILLE_INSERT, &build_posts);

  (void)state;
  assert_sql(query, "insert into \"posts\" default values", "");
  build_set(&query->sets, "views", build_value(1));
  build_set(&query->sets, "title", build_value(0));
  assert_sql(query, "insert into \"posts\" (\"views\", \"title\") values (?, ?)", "1 0");
  query->returning = build_chain(build_column("id"), build_column("slug"), NULL);
  assert_sql(query, "insert into \"posts\" (\"views\", \"title\") values (?, ?) returning \"id\", \"slug\"", "1 0");
}

static void
inserts_many_rows_whose_values_stand_one_behind_the_other(void **state)
{
  rille_query *query = writing(RILLE_INSERT, &build_posts);

  (void)state;
  build_set(&query->sets, "title", build_value(1));
  build_set(&query->sets, "views", build_value(2));
  query->rows = 3;
  assert_sql(query, "insert into \"posts\" (\"title\", \"views\") values (?, ?), (?, ?), (?, ?)", "1 2 3 4 5 6");
  query->conflict = RILLE_CONFLICT_IGNORED;
  query->rows = 2;
  assert_postgres(
    query, "insert into \"posts\" (\"title\", \"views\") values ($1, $2), ($3, $4) on conflict do nothing", "1 2 3 4");
}

static void
inserts_or_does_something_else(void **state)
{
  rille_query *query = writing(RILLE_INSERT, &build_posts);

  (void)state;
  build_set(&query->sets, "title", build_value(0));
  query->conflict = RILLE_CONFLICT_IGNORED;
  assert_sql(query, "insert into \"posts\" (\"title\") values (?) on conflict do nothing", "0");
  query->conflict_columns = build_column("title");
  assert_sql(query, "insert into \"posts\" (\"title\") values (?) on conflict (\"title\") do nothing", "0");
  query->conflict = RILLE_CONFLICT_UPDATES;
  assert_sql(query, "insert into \"posts\" (\"title\") values (?) on conflict (\"title\") do nothing", "0");
  build_set(&query->conflict_sets, "views", build_column("views"));
  build_set(&query->conflict_sets, "price", build_value(1));
  query->returning = build_column("id");
  assert_sql(query,
             "insert into \"posts\" (\"title\") values (?) on conflict (\"title\") do update set \"views\" = "
             "excluded.\"views\", \"price\" = ? returning \"id\"",
             "0 1");
}

static void
refuses_an_alternative_to_an_insert_of_nothing(void **state)
{
  rille_query *query = writing(RILLE_INSERT, &build_posts);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->conflict = RILLE_CONFLICT_IGNORED;
  assert_fails(RILLE_UNSUPPORTED, spec_compile(query, &compiled, &fault), &fault);
}

/* -- update ---------------------------------------------------------------------------------------------- */

static void
updates_rows(void **state)
{
  rille_query *query = writing(RILLE_UPDATE, &build_posts);

  (void)state;
  build_set(&query->sets, "title", build_value(1));
  build_set(&query->sets, "views", build_compare(build_column("views"), RILLE_OP_ADD, build_value(2)));
  query->where = build_equal("id", 0);
  assert_sql(query, "update \"posts\" set \"title\" = ?, \"views\" = rille_add(\"views\", ?) where \"id\" = ?",
             "1 2 0");
  query->where = NULL;
  query->unfiltered = true;
  query->returning = build_column("views");
  assert_sql(query, "update \"posts\" set \"title\" = ?, \"views\" = rille_add(\"views\", ?) returning \"views\"",
             "1 2");
}

static void
refuses_an_update_that_sets_nothing(void **state)
{
  rille_query *query = writing(RILLE_UPDATE, &build_posts);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->where = build_equal("id", 0);
  assert_fails(RILLE_INVALID_ARGUMENT, spec_compile(query, &compiled, &fault), &fault);
}

static void
quotes_names_that_are_written(void **state)
{
  rille_query *query = writing(RILLE_UPDATE, &build_odd);

  (void)state;
  build_set(&query->sets, "say \"hi\"", build_value(0));
  query->where = build_equal("'; --", 1);
  assert_sql(query, "update \"odd \"\"table\"\"\" set \"say \"\"hi\"\"\" = ? where \"'; --\" = ?", "0 1");
  query->verb = RILLE_INSERT;
  query->where = NULL;
  query->conflict = RILLE_CONFLICT_UPDATES;
  query->conflict_columns = build_column("id");
  build_set(&query->conflict_sets, "say \"hi\"", build_column("say \"hi\""));
  assert_sql(query,
             "insert into \"odd \"\"table\"\"\" (\"say \"\"hi\"\"\") values (?) on conflict (\"id\") do update set "
             "\"say \"\"hi\"\"\" = excluded.\"say \"\"hi\"\"\"",
             "0");
}

/* -- delete ---------------------------------------------------------------------------------------------- */

static void
deletes_rows(void **state)
{
  rille_query *query = writing(RILLE_DELETE, &build_posts), *inner = build_query(&build_users);

  (void)state;
  inner->where = build_compare(build_column("users.id"), RILLE_OP_EQUAL, build_column("posts.author_id"));
  inner->outputs = build_column("id");
  query->where = build_many(RILLE_NODE_AND,
                            build_chain(build_equal("views", 0), build_nested(RILLE_NODE_EXISTS, inner), NULL));
  assert_sql(query,
             "delete from \"posts\" where \"views\" = ? and exists (select \"users\".\"id\" from \"users\" where "
             "\"users\".\"id\" = \"posts\".\"author_id\")",
             "0");
  query->where = NULL;
  query->unfiltered = true;
  assert_sql(query, "delete from \"posts\"", "");
}

/* -- what SQL has no word for ---------------------------------------------------------------------------- */

static void
finds_rows_by_key_where_a_limit_or_join_chooses_them(void **state)
{
  rille_query *query = writing(RILLE_DELETE, &build_posts);

  (void)state;
  query->where = build_equal("views", 0);
  query->sealed = build_equal("author_id", 1);
  query->orders = build_term(build_column("created_at"), true);
  query->limit = build_value(2);
  assert_sql(
    query,
    "delete from \"posts\" where \"id\" in (select \"posts\".\"id\" from \"posts\" where \"posts\".\"author_id\" = ? "
    "and \"posts\".\"views\" = ? order by \"posts\".\"created_at\" desc limit ?)",
    "1 0 2");
  query = writing(RILLE_UPDATE, &build_posts);
  build_set(&query->sets, "views", build_value(0));
  build_join(query, RILLE_JOIN_INNER, &build_users, NULL,
             build_compare(build_column("users.id"), RILLE_OP_EQUAL, build_column("author_id")));
  query->where = build_equal("users.name", 1);
  assert_sql(
    query,
    "update \"posts\" set \"views\" = ? where \"id\" in (select \"posts\".\"id\" from \"posts\" join \"users\" on "
    "\"users\".\"id\" = \"posts\".\"author_id\" where \"users\".\"name\" = ?)",
    "0 1");
}

static void
finds_rows_by_all_columns_of_a_composite_key(void **state)
{
  rille_query *query = writing(RILLE_DELETE, &build_pairs);

  (void)state;
  query->where = build_equal("note", 0);
  query->limit = build_value(1);
  assert_sql(
    query,
    "delete from \"pairs\" where (\"a\", \"b\") in (select \"pairs\".\"a\", \"pairs\".\"b\" from \"pairs\" where "
    "\"pairs\".\"note\" = ? limit ?)",
    "0 1");
}

static void
refuses_to_choose_rows_by_a_part_of_their_key(void **state)
{
  rille_column columns[17];
  rille_table table = { .id = 99, .name = rille_str_of("wide"), .column_count = 17, .columns = columns };
  rille_query *query = writing(RILLE_DELETE, &table);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  for (int i = 0; i < 17; i++)
    columns[i] = (rille_column){ .name = { &"abcdefghijklmnopq"[i], 1 }, .primary = i + 1 };
  query->limit = build_value(0);
  assert_fails(RILLE_UNSUPPORTED, spec_compile(query, &compiled, &fault), &fault);
  columns[16].primary = 0;
  assert_ok(spec_compile(query, &compiled, &fault), &fault);
  assert_contains(compiled.sql.at, "where (\"a\", \"b\", \"c\"");
  assert_contains(compiled.sql.at, "\"o\", \"p\") in (select \"wide\".\"a\"");
}

static void
refuses_an_update_or_delete_of_a_union(void **state)
{
  rille_query *query = writing(RILLE_DELETE, &build_posts);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->where = build_equal("id", 0);
  query->unions = build_query(&build_posts);
  assert_fails(RILLE_UNSUPPORTED, spec_compile(query, &compiled, &fault), &fault);
}

static void
refuses_to_choose_rows_that_have_no_key(void **state)
{
  rille_query *query = writing(RILLE_DELETE, &build_keyless);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->limit = build_value(0);
  assert_fails(RILLE_UNSUPPORTED, spec_compile(query, &compiled, &fault), &fault);
  assert_contains(fault.message, "primary key");
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(inserts_a_row),
    BUILDS(inserts_many_rows_whose_values_stand_one_behind_the_other),
    BUILDS(inserts_or_does_something_else),
    BUILDS(refuses_an_alternative_to_an_insert_of_nothing),
    BUILDS(updates_rows),
    BUILDS(refuses_an_update_that_sets_nothing),
    BUILDS(quotes_names_that_are_written),
    BUILDS(deletes_rows),
    BUILDS(finds_rows_by_key_where_a_limit_or_join_chooses_them),
    BUILDS(finds_rows_by_all_columns_of_a_composite_key),
    BUILDS(refuses_to_choose_rows_by_a_part_of_their_key),
    BUILDS(refuses_an_update_or_delete_of_a_union),
    BUILDS(refuses_to_choose_rows_that_have_no_key),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
