/* spec/core/compile_postgres_test.c - the exact SQL that PostgreSQL gets, where it is another than SQLite's. */
#include <stdio.h>

#include "spec/support/spec.h"

#include "spec/support/build.h"
#include "spec/support/sql.h"

#define TITLES "select \"title\" from \"posts\""
#define JSON_AT(column, path) \
  "jsonb_path_query_first(cast(\"" column "\" as jsonb), cast('strict ' || " path " as jsonpath), '{}', true)"

static const rille_column event_columns[] = {
  { .name = { "id", 2 }, .type = { .kind = RILLE_TYPE_UUID }, .primary = 1, .not_null = true },
  { .name = { "on", 2 }, .type = { .kind = RILLE_TYPE_BOOLEAN }, .not_null = true },
  { .name = { "meta", 4 }, .type = { .kind = RILLE_TYPE_JSON } },
  { .name = { "price", 5 }, .type = { .kind = RILLE_TYPE_DECIMAL, .kept = RILLE_KEPT_TEXT, .scale = 2 } },
  { .name = { "at", 2 }, .type = { .kind = RILLE_TYPE_DATETIME, .kept = RILLE_KEPT_SECONDS } },
  { .name = { "score", 5 }, .type = { .kind = RILLE_TYPE_REAL } },
};
static const rille_table events = { .id = 90, .name = { "events", 6 }, .column_count = 6, .columns = event_columns };

static rille_query *
of_events(rille_node *where)
{
  rille_query *query = build_query(&events);

  query->outputs = build_column("id");
  query->where = where;
  return query;
}

#define EVENTS "select \"id\" from \"events\" where "

static void
numbers_parameters(void **state)
{
  (void)state;
  assert_postgres(
    build_titles(build_many(RILLE_NODE_AND, build_chain(build_equal("views", 0), build_equal("id", 1), NULL))),
    TITLES " where \"views\" = $1 and \"id\" = $2", "0 1");
  assert_postgres(
    build_titles(build_raw("a = ? and b \1 'c\1' = ?", build_chain(build_value(0), build_value(1), NULL))),
    TITLES " where a = $1 and b ? 'c?' = $2", "0 1");
}

static void
says_conditions_as_booleans(void **state)
{
  (void)state;
  assert_postgres(build_titles(build_constant(false)), TITLES " where false", "");
  assert_postgres(build_titles(build_many(RILLE_NODE_AND, NULL)), TITLES " where true", "");
}

/* posts of some authors, the newest two of each */
static rille_query *
newest_of_each(rille_node *list, bool lateral)
{
  rille_query *query = build_query(&build_posts);

  query->outputs = build_chain(build_column("title"), build_column("author_id"), NULL);
  query->sealed = build_node(RILLE_NODE_IN, build_column("author_id"), list, NULL);
  query->per = build_column("author_id");
  query->orders = build_term(build_column("views"), true);
  query->limit = build_value(1);
  query->lateral = lateral;
  return query;
}

static void
reads_the_rows_of_each_record_along_an_index(void **state)
{
#define NAMES "select \"title\", \"author_id\" from "
#define CORE "(select \"title\", \"author_id\", row_number() over ("
#define OF_EACH " order by \"views\" desc nulls last) as \"rille#number\" from \"posts\" where \"author_id\""
  rille_node *list = build_node(RILLE_NODE_LIST, NULL, NULL, NULL);
  rille_node *items = build_many(RILLE_NODE_ITEMS, build_chain(build_value(2), build_value(3), NULL));
  rille_query *joined = newest_of_each(list, true);

  (void)state;
  assert_postgres(newest_of_each(list, true),
                  NAMES "(select distinct unnest(cast($1 as bigint[])) as \"rille#key\") as \"rille#each\" "
                        "cross join lateral (select \"title\", \"author_id\", row_number() over (order by \"views\" "
                        "desc nulls last) as \"rille#number\" from \"posts\" where \"author_id\" = "
                        "\"rille#each\".\"rille#key\" order by \"views\" desc nulls last limit $2) as "
                        "\"rille#rows\" order by \"rille#number\"",
                  "0a 1");
  assert_postgres(newest_of_each(items, true),
                  NAMES "(select distinct unnest(cast(array[$1, $2] as bigint[])) as \"rille#key\") as "
                        "\"rille#each\" cross join lateral (select \"title\", \"author_id\", row_number() over (order "
                        "by \"views\" desc nulls last) as \"rille#number\" from \"posts\" where \"author_id\" = "
                        "\"rille#each\".\"rille#key\" order by \"views\" desc nulls last limit $3) as "
                        "\"rille#rows\" order by \"rille#number\"",
                  "2 3 1");
  assert_postgres(newest_of_each(list, false),
                  NAMES CORE "partition by \"author_id\"" OF_EACH " = any($1)) as \"rille#rows\" where "
                             "\"rille#number\" <= $2 order by \"rille#number\"",
                  "0a 1");
  joined->sealed = build_node(RILLE_NODE_NOT, joined->sealed, NULL, NULL); /* no list of keys */
  assert_postgres(joined,
                  NAMES CORE "partition by \"author_id\" order by \"views\" desc nulls last) as \"rille#number\" "
                             "from \"posts\" where not (\"author_id\" = any($1))) as \"rille#rows\" where "
                             "\"rille#number\" <= $2 order by \"rille#number\"",
                  "0a 1");
#undef NAMES
#undef CORE
#undef OF_EACH
}

static void
takes_long_lists_as_arrays(void **state)
{
  rille_node *list = build_node(RILLE_NODE_LIST, NULL, NULL, NULL);

  (void)state;
  list->slot = 3;
  assert_postgres(build_titles(build_node(RILLE_NODE_IN, build_column("views"), list, NULL)),
                  TITLES " where \"views\" = any($1)", "3a");
  assert_postgres(
    build_titles(build_node(RILLE_NODE_NOT, build_node(RILLE_NODE_IN, build_column("views"), list, NULL), NULL, NULL)),
    TITLES " where not (\"views\" = any($1))", "3a");
}

static void
not_in_a_query_ignores_its_nulls(void **state)
{
  rille_query *users = build_query(&build_users);
  rille_node *in = build_node(RILLE_NODE_IN, build_column("title"), build_nested(RILLE_NODE_QUERY, users), NULL);

  (void)state;
  users->outputs = build_column("name");
  assert_postgres(build_titles(build_node(RILLE_NODE_NOT, in, NULL, NULL)),
                  TITLES " where not (coalesce(\"title\" in (select \"users\".\"name\" from \"users\"), "
                         "case when \"title\" is not null then false end))",
                  "");
}

static void
null_is_the_smallest_value(void **state)
{
  rille_query *query = build_titles(NULL);

  (void)state;
  query->orders = build_chain(build_term(build_column("title"), true), build_term(build_column("views"), false),
                              build_term(build_column("id"), false),
                              build_term(build_call(RILLE_FN_RANDOM, NULL), false), NULL);
  assert_postgres(query, TITLES " order by \"title\" desc nulls last, \"views\" nulls first, \"id\", random()", "");
  query = build_titles(NULL);
  build_join(query, RILLE_JOIN_LEFT, &build_posts, "other", build_constant(true));
  query->orders = build_chain(build_term(build_column("posts.id"), true), build_term(build_column("other.id"), true),
                              NULL);
  assert_postgres(query,
                  "select \"posts\".\"title\" from \"posts\" left join \"posts\" as \"other\" on true "
                  "order by \"posts\".\"id\" desc, \"other\".\"id\" desc nulls last",
                  "");
}

static void
limits_and_unions_read_queries_like_tables(void **state)
{
  rille_query *query = build_titles(NULL), *member = build_titles(NULL);

  (void)state;
  query->offset = build_value(0);
  assert_postgres(query, TITLES " limit all offset $1", "0");
  member->limit = build_value(1);
  query = build_titles(NULL);
  query->unions = member;
  query->orders = build_term(build_column("title"), false);
  assert_postgres(
    query, TITLES " union select * from (" TITLES " limit $1) as \"rille#rows\" order by \"title\" nulls first", "1");
  query = build_titles(NULL);
  query->per = build_column("author_id");
  query->limit = build_value(0);
  query->offset = build_value(1);
  assert_postgres(query,
                  "select \"title\" from (select \"title\", row_number() over (partition by \"author_id\") as "
                  "\"rille#number\" from \"posts\") as \"rille#rows\" where \"rille#number\" > $1 and "
                  "\"rille#number\" - $2 <= $3 order by \"rille#number\"",
                  "1 1 0");
  query = build_titles(NULL);
  query->distinct = true;
  query->aggregate = build_call(RILLE_FN_COUNT, build_node(RILLE_NODE_STAR, NULL, NULL, NULL));
  assert_postgres(query, "select count(*) from (select distinct \"title\" from \"posts\") as \"rille#rows\"", "");
}

static void
conditions_about_outputs_say_what_they_stand_for(void **state)
{
  rille_query *query = build_titles(NULL);
  rille_node *counted = build_raw("count(*) as \"n\"", NULL);

  (void)state;
  counted->alias = rille_str_of("n");
  query->outputs = build_chain(build_output("title", "heading"), counted, NULL);
  query->groups = build_column("title");
  query->having = build_many(
    RILLE_NODE_AND,
    build_chain(build_compare(build_column("n"), RILLE_OP_GREATER, build_value(0)), build_equal("heading", 1), NULL));
  query->orders = build_term(build_column("n"), true);
  assert_postgres(query,
                  "select \"title\" as \"heading\", count(*) as \"n\" from \"posts\" group by \"title\" having "
                  "(count(*) ) > $1 and (\"title\") = $2 order by \"n\" desc nulls last",
                  "0 1");
}

static void
raw_sql_may_make_several_outputs(void **state)
{
  rille_query *query = build_titles(NULL);
  rille_node *made = build_raw("max(? + views, 1) as least, ',' || sum(?) As \"n\" , 2 as m",
                               build_chain(build_value(7), build_value(8), NULL));

  (void)state;
  made->alias = rille_str_of("least\0n\0m");
  made->alias.len = 9;
  query->outputs = made;
  query->groups = build_column("title");
  query->having = build_equal("n", 0);
  assert_postgres(query,
                  "select max($1 + views, 1) as least, ',' || sum($2) As \"n\" , 2 as m from \"posts\" group by "
                  "\"title\" having ( ',' || sum($3) ) = $4",
                  "7 8 8 0");
}

static void
what_an_output_stands_for_must_be_known(void **state)
{
  static const char *const texts[] = { "count(*) as nn", "n", "basn", "(1 as n, 2)" };
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    rille_query *query = build_titles(NULL);
    rille_node *counted = build_raw(texts[i], NULL);

    counted->alias = rille_str_of("n");
    query->outputs = counted;
    query->having = build_equal("n", 0);
    assert_fails(RILLE_UNSUPPORTED, spec_compile_for(&rille_dialect_postgres, query, &compiled, &fault), &fault);
  }
}

static void
patterns_are_like(void **state)
{
  (void)state;
  assert_postgres(build_titles(build_compare(build_column("title"), RILLE_OP_LIKE, build_value(0))),
                  TITLES " where \"title\" like $1", "0l");
  assert_postgres(build_titles(build_compare(build_column("title"), RILLE_OP_ILIKE, build_value(0))),
                  TITLES " where \"title\" collate \"C\" ilike $1", "0l");
  assert_postgres(build_titles(build_compare(build_column("views"), RILLE_OP_LIKE, build_value(0))),
                  TITLES " where cast(\"views\" as text) like $1", "0l");
  assert_postgres(build_titles(build_compare(build_column("created_at"), RILLE_OP_ILIKE, build_value(0))),
                  TITLES " where to_char(cast(\"created_at\" as timestamptz) at time zone 'UTC', "
                         "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') collate \"C\" ilike $1",
                  "0l");
}

static void
patterns_for_texts_that_differ_are_refused(void **state)
{
  static const char *const columns[] = { "meta", "score" };
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < 2; i++)
    assert_fails(RILLE_UNSUPPORTED,
                 spec_compile_for(&rille_dialect_postgres,
                                  of_events(build_compare(build_column(columns[i]), RILLE_OP_LIKE, build_value(0))),
                                  &compiled, &fault),
                 &fault);
}

static void
parts_of_moments_are_those_of_utc(void **state)
{
  (void)state;
  assert_postgres(
    build_titles(build_compare(build_call(RILLE_FN_DATE, build_column("created_at")), RILLE_OP_EQUAL, build_value(0))),
    TITLES " where cast(cast(\"created_at\" as timestamptz) at time zone 'UTC' as date) = $1", "0");
  assert_postgres(
    build_titles(build_compare(build_call(RILLE_FN_YEAR, build_column("created_at")), RILLE_OP_EQUAL, build_value(0))),
    TITLES " where cast(extract(year from cast(\"created_at\" as timestamptz) at time zone 'UTC') as "
           "bigint) = $1",
    "0");
  assert_postgres(of_events(build_compare(build_column("at"), RILLE_OP_LESS, build_value(0))),
                  EVENTS "\"at\" < cast($1 as double precision)", "0");
}

static void
scalars_of_json_compare_as_they_do_in_sqlite(void **state)
{
  rille_node *get = build_call(RILLE_FN_JSON_GET, build_chain(build_column("meta"), build_value(0), NULL));
  rille_query *query = of_events(build_compare(get, RILLE_OP_EQUAL, build_value(1)));

  (void)state;
  assert_postgres(query,
                  EVENTS
                  "(select case x when 'true' then '1' when 'false' then '0' else x end = cast($1 as jsonb) from "
                  "(select nullif(" JSON_AT("meta", "$2") ", 'null') as x) as x)",
                  "1j 0");
}

static void
an_array_contains_a_scalar(void **state)
{
  rille_node *contains = build_call(RILLE_FN_JSON_CONTAINS,
                                    build_chain(build_column("meta"), build_value(0), build_value(1), NULL));

  (void)state;
  assert_postgres(
    of_events(contains),
    EVENTS "exists (select 1 from (select " JSON_AT(
      "meta", "$1") " as x) as x, jsonb_array_elements("
                    "case jsonb_typeof(x) when 'array' then x when 'object' then jsonb_path_query_array(x, '$.*') "
                    "else jsonb_build_array(x) end) as e where case e.value when 'true' then '1' when 'false' "
                    "then '0' else e.value end = cast($2 as jsonb))",
    "0 1j");
}

static void
numbers_kept_as_text_compare_by_value(void **state)
{
  rille_query *query = of_events(build_compare(build_column("price"), RILLE_OP_LESS, build_value(0)));

  (void)state;
  query->orders = build_term(build_column("price"), false);
  assert_postgres(query, EVENTS "cast(\"price\" as numeric) < $1 order by cast(\"price\" as numeric) nulls first", "0");
  query = of_events(NULL);
  query->aggregate = build_call(RILLE_FN_MAX, build_column("price"));
  assert_postgres(query, "select max(cast(\"price\" as numeric)) from \"events\"", "");
}

static void
aggregates_are_of_the_types_that_sqlite_gives(void **state)
{
  static const struct {
    rille_function function;
    const char *column, *sql;
  } cases[] = {
    { RILLE_FN_SUM, "at", "coalesce(sum(\"at\"), 0)" },
    { RILLE_FN_SUM, "score", "coalesce(sum(\"score\"), 0)" },
    { RILLE_FN_SUM, "on", "coalesce(sum(cast(\"on\" as integer)), 0)" },
    { RILLE_FN_AVG, "score", "cast(avg(\"score\") as double precision)" },
    { RILLE_FN_MIN, "on", "bool_and(\"on\")" },
    { RILLE_FN_MAX, "on", "bool_or(\"on\")" },
    { RILLE_FN_MIN, "id", "cast(min(cast(\"id\" as text) collate \"C\") as uuid)" },
    { RILLE_FN_SUM, "price", "coalesce(sum(cast(\"price\" as numeric)), '0.00')" },
    { RILLE_FN_AVG, "price", "round(cast(sum(cast(\"price\" as numeric)) as numeric(1000, 8)) / count(\"price\"), 8)" },
  };

  (void)state;
  for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++) {
    rille_query *query = of_events(NULL);
    char sql[200];

    query->outputs = NULL;
    query->aggregate = build_call(cases[i].function, build_column(cases[i].column));
    (void)snprintf(sql, sizeof sql, "select %s from \"events\"", cases[i].sql);
    assert_postgres(query, sql, "");
  }
}

static void
upserts_name_the_row_that_is_there(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_node *sum = build_compare(build_column("views"), RILLE_OP_ADD, build_value(1));

  (void)state;
  query->verb = RILLE_INSERT;
  build_set(&query->sets, "id", build_value(0));
  query->conflict = RILLE_CONFLICT_UPDATES;
  query->conflict_columns = build_column("id");
  build_set(&query->conflict_sets, "title", build_column("title"));
  build_set(&query->conflict_sets, "views", sum);
  query->returning = build_column("id");
  assert_postgres(query,
                  "insert into \"posts\" (\"id\") values ($1) on conflict (\"id\") do update set \"title\" = "
                  "excluded.\"title\", \"views\" = \"posts\".\"views\" + $2 returning \"id\"",
                  "0 1");
}

static void
adds_in_the_columns_own_arithmetic(void **state)
{
  rille_query *query = build_query(&build_posts);

  (void)state;
  query->verb = RILLE_UPDATE;
  build_set(&query->sets, "views", build_compare(build_column("views"), RILLE_OP_SUBTRACT, build_value(0)));
  build_set(&query->sets, "price", build_compare(build_column("price"), RILLE_OP_ADD, build_value(1)));
  query->unfiltered = true;
  assert_postgres(query, "update \"posts\" set \"views\" = \"views\" - $1, \"price\" = \"price\" + $2", "0 1");
}

static void
locks_rows_of_its_own_table(void **state)
{
  rille_query *query = build_titles(build_equal("id", 0));
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  query->lock = RILLE_LOCK_UPDATE;
  query->lock_wait = RILLE_LOCK_SKIPS;
  query->limit = build_value(1);
  assert_postgres(query, TITLES " where \"id\" = $1 limit $2 for update skip locked", "0 1");
  assert_fails(RILLE_UNSUPPORTED, spec_compile(query, &compiled, &fault), &fault);
  query = build_titles(NULL);
  query->lock = RILLE_LOCK_SHARE;
  query->lock_wait = RILLE_LOCK_FAILS;
  build_join(query, RILLE_JOIN_LEFT, &build_users, NULL, build_constant(true));
  query->outputs = build_column("posts.title");
  assert_postgres(
    query, "select \"posts\".\"title\" from \"posts\" left join \"users\" on true for share of \"posts\" nowait", "");
}

static void
names_that_would_be_cut_are_refused(void **state)
{
  char name[65];
  rille_query *query = build_titles(NULL);
  rille_compiled compiled;
  rille_fault fault;

  (void)state;
  memset(name, 'n', 64);
  name[64] = '\0';
  query->outputs = build_output("title", name);
  assert_fails(RILLE_UNSUPPORTED, spec_compile_for(&rille_dialect_postgres, query, &compiled, &fault), &fault);
  assert_ok(spec_compile(query, &compiled, &fault), &fault);
  name[63] = '\0';
  query->outputs = build_output("title", name);
  assert_ok(spec_compile_for(&rille_dialect_postgres, query, &compiled, &fault), &fault);
}

#define BUILDS(test) cmocka_unit_test_setup_teardown(test, build_start, build_end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    BUILDS(numbers_parameters),
    BUILDS(says_conditions_as_booleans),
    BUILDS(reads_the_rows_of_each_record_along_an_index),
    BUILDS(takes_long_lists_as_arrays),
    BUILDS(not_in_a_query_ignores_its_nulls),
    BUILDS(null_is_the_smallest_value),
    BUILDS(limits_and_unions_read_queries_like_tables),
    BUILDS(conditions_about_outputs_say_what_they_stand_for),
    BUILDS(raw_sql_may_make_several_outputs),
    BUILDS(what_an_output_stands_for_must_be_known),
    BUILDS(patterns_are_like),
    BUILDS(patterns_for_texts_that_differ_are_refused),
    BUILDS(parts_of_moments_are_those_of_utc),
    BUILDS(scalars_of_json_compare_as_they_do_in_sqlite),
    BUILDS(an_array_contains_a_scalar),
    BUILDS(numbers_kept_as_text_compare_by_value),
    BUILDS(aggregates_are_of_the_types_that_sqlite_gives),
    BUILDS(upserts_name_the_row_that_is_there),
    BUILDS(adds_in_the_columns_own_arithmetic),
    BUILDS(locks_rows_of_its_own_table),
    BUILDS(names_that_would_be_cut_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
