/* spec/core/statement_test.c - the cache of statements, and values on their way to the database. */
#include "spec/support/spec.h"

#include <stdio.h>

#include "core/base/memory.h"
#include "core/query/shape.h"
#include "spec/support/build.h"
#include "spec/support/driver.h"

/* -- keeping --------------------------------------------------------------------------------------------- */

/* A statement without a database behind it. */
static rille_statement *
statement_named(const char *key, uint64_t hash)
{
  rille_statement *statement = rille_memory_get(sizeof *statement);

  statement->key = rille_arena_copy(&statement->arena, rille_str_of(key));
  statement->hash = hash;
  return statement;
}

static rille_statement *
find(rille_statements *kept, const char *key, uint64_t hash)
{
  return rille_statements_find(kept, rille_str_of(key), hash);
}

static void
finds_what_it_keeps(void **state)
{
  rille_statements kept = { 0 };
  rille_statement *a = statement_named("a", 1), *b = statement_named("b", 2);

  (void)state;
  assert_null(find(&kept, "a", 1));
  rille_statements_keep(&kept, a);
  rille_statements_keep(&kept, b);
  assert_ptr_equal(find(&kept, "a", 1), a);
  assert_ptr_equal(find(&kept, "b", 2), b);
  assert_null(find(&kept, "a", 2));
  assert_null(find(&kept, "c", 1));
  assert_int_equal(kept.hits, 2);
  assert_int_equal(kept.misses, 3);
  rille_statements_clear(&kept);
  assert_int_equal(kept.count, 0);
  assert_null(kept.newest);
  assert_null(kept.oldest);
}

/* Were keys compared by their hashes alone, one statement would run in place of another. */
static void
never_shares_a_statement_between_keys_of_one_hash(void **state)
{
  rille_statements kept = { 0 };
  const char *const keys[] = { "a", "b", "ab", "a\1", "" };
  rille_statement *statements[SPEC_COUNT(keys)];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(keys); i++) {
    assert_null(find(&kept, keys[i], 7));
    statements[i] = statement_named(keys[i], 7);
    rille_statements_keep(&kept, statements[i]);
  }
  for (size_t i = 0; i < SPEC_COUNT(keys); i++)
    assert_ptr_equal(find(&kept, keys[i], 7), statements[i]);
  assert_null(find(&kept, "c", 7));
  rille_statements_clear(&kept);
}

static void
tells_keys_in_one_bucket_apart(void **state)
{
  rille_statements kept = { 0 };
  rille_statement *a = statement_named("a", 3), *b = statement_named("a", 3 + RILLE_STATEMENT_BUCKETS);

  (void)state;
  rille_statements_keep(&kept, a);
  rille_statements_keep(&kept, b);
  assert_ptr_equal(find(&kept, "a", 3), a);
  assert_ptr_equal(find(&kept, "a", 3 + RILLE_STATEMENT_BUCKETS), b);
  assert_null(find(&kept, "a", 3 + 2 * RILLE_STATEMENT_BUCKETS));
  rille_statements_clear(&kept);
}

static rille_statement *
numbered(rille_statements *kept, int n, bool keep)
{
  char key[20];

  (void)snprintf(key, sizeof key, "%d", n);
  if (keep)
    rille_statements_keep(kept, statement_named(key, (uint64_t)n * 31));
  return find(kept, key, (uint64_t)n * 31);
}

static void
lets_the_least_recently_used_one_go(void **state)
{
  rille_statements kept = { 0 };

  (void)state;
  for (int n = 0; n < RILLE_STATEMENTS_KEPT; n++)
    assert_non_null(numbered(&kept, n, true));
  assert_non_null(numbered(&kept, 0, false)); /* used again: 1 is the oldest now */
  assert_non_null(numbered(&kept, 2, false));
  assert_non_null(numbered(&kept, 1000, true));
  assert_int_equal(kept.count, RILLE_STATEMENTS_KEPT);
  assert_null(numbered(&kept, 1, false));
  assert_non_null(numbered(&kept, 0, false));
  assert_non_null(numbered(&kept, 1001, true));
  assert_null(numbered(&kept, 3, false));
  assert_non_null(numbered(&kept, 2, false));
  for (int n = 2000; n < 2000 + RILLE_STATEMENTS_KEPT; n++)
    assert_non_null(numbered(&kept, n, true));
  for (int n = 0; n < 1500; n++)
    assert_null(numbered(&kept, n, false));
  assert_int_equal(kept.count, RILLE_STATEMENTS_KEPT);
  rille_statements_clear(&kept);
}

static void
does_not_free_what_is_in_use(void **state)
{
  rille_statements kept = { 0 };
  rille_statement *running = numbered(&kept, 0, true);

  (void)state;
  running->in_use = true;
  for (int n = 1; n <= RILLE_STATEMENTS_KEPT; n++)
    (void)numbered(&kept, n, true);
  assert_null(numbered(&kept, 0, false));
  assert_true(running->in_use);
  assert_int_equal(running->key.len, 0); /* whoever releases it frees it */
  rille_statement_free(running);
  running = numbered(&kept, 1, false);
  running->in_use = true;
  rille_statements_clear(&kept);
  assert_int_equal(kept.count, 0);
  assert_int_equal(running->key.len, 0);
  rille_statement_free(running);
  rille_statement_free(NULL);
}

/* -- values ---------------------------------------------------------------------------------------------- */

static int
open_db(void **state)
{
  rille_fault fault;
  int opened = spec_db_tables(state);

  assert_ok(
    spec_run(spec_db,
             "insert into posts (id, title, views, price, created_at) values (1, 'a*b', 5, 12.5, "
             "'2026-11-20T12:00:00.000000Z'), "
             "(2, 'A_c', 6, 100, null), (3, '100%', 7, null, null), (4, '[x]\\', 8, null, null), (5, 'a\"\\\nz', "
             "9, null, null)",
             &fault),
    &fault);
  return opened;
}

/* How many rows of posts the condition finds with these values. */
static int64_t
found(rille_node *where, const rille_slot *slots, size_t count)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = NULL;
  rille_cell cell;
  rille_fault fault;
  bool row;

  query->where = where;
  query->aggregate = build_call(RILLE_FN_COUNT, build_node(RILLE_NODE_STAR, NULL, NULL, NULL));
  assert_ok(rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_ok(rille_statement_bind(statement, slots, count, build_arena(), &fault), &fault);
  assert_ok(statement->stmt->driver->step(statement->stmt, &row, &fault), &fault);
  assert_ok(statement->stmt->driver->row(statement->stmt, &cell, &fault), &fault);
  rille_connection_release(statement);
  return cell.as.integer;
}

static rille_slot
text(const char *value)
{
  return (rille_slot){ .cell = { .kind = RILLE_TEXT, .as.text = rille_str_of(value) } };
}

static void
turns_values_into_what_their_columns_keep(void **state)
{
  rille_slot slot = text("12.50");

  (void)state;
  assert_int_equal(found(build_equal("price", 0), &slot, 1), 1);
  slot = text("2026-11-20 14:00:00+02:00");
  assert_int_equal(found(build_equal("created_at", 0), &slot, 1), 1);
  slot = (rille_slot){ .cell = { .kind = RILLE_REAL, .as.real = 5.0 } };
  assert_int_equal(found(build_equal("views", 0), &slot, 1), 1);
  slot = (rille_slot){ .cell = { .kind = RILLE_TEXT, .as.text = rille_str_of("not a moment, but kept so") },
                       .kept = true };
  assert_int_equal(found(build_equal("created_at", 0), &slot, 1), 0);
}

static void
refuses_values_that_their_columns_do_not_take(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = NULL;
  rille_slot slot = text("five");
  rille_fault fault;

  (void)state;
  query->where = build_equal("views", 0);
  assert_ok(rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_statement_bind(statement, &slot, 1, build_arena(), &fault), &fault);
  assert_string_equal(fault.message, "posts.views wants an integer, not the text \"five\"");
  rille_connection_release(statement);
}

static void
finds_by_patterns_with_wildcards_and_without(void **state)
{
  static const struct {
    const char *pattern;
    int64_t like, ilike;
  } cases[] = {
    { "a*b", 1, 1 },     { "a_b", 1, 1 },   { "A*B", 0, 1 },       { "a%", 2, 3 },    { "%", 5, 5 },
    { "", 0, 0 },        { "%*%", 1, 1 },   { "_*_", 1, 1 },       { "?*?", 0, 0 },   { "A\\_c", 1, 1 },
    { "A_c", 1, 1 },     { "a\\_c", 0, 1 }, { "100\\%", 1, 1 },    { "100%", 1, 1 },  { "100\\%%", 1, 1 },
    { "[x]\\\\", 1, 1 }, { "[%", 1, 1 },    { "%]%", 1, 1 },       { "[a]*b", 0, 0 }, { "a\"\\\\\nz", 1, 1 },
    { "%\n%", 1, 1 },    { "a\\*b", 1, 1 }, { "\\a\\*\\b", 1, 1 }, { "^*", 0, 0 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_slot slot = text(cases[i].pattern);
    int64_t like = found(build_compare(build_column("title"), RILLE_OP_LIKE, build_value(0)), &slot, 1);
    int64_t ilike = found(build_compare(build_column("title"), RILLE_OP_ILIKE, build_value(0)), &slot, 1);

    if (like != cases[i].like || ilike != cases[i].ilike)
      fail_msg("\"%s\" finds %d by like and %d by ilike", cases[i].pattern, (int)like, (int)ilike);
  }
}

/* One value that holds a list finds what the same values one by one would. */
static void
finds_by_long_lists_what_it_finds_by_short_ones(void **state)
{
  static const rille_cell views[] = { { .kind = RILLE_INT, .as.integer = 5 },
                                      { .kind = RILLE_REAL, .as.real = 9.0 },
                                      { .kind = RILLE_INT, .as.integer = INT64_MIN } };
  static const rille_cell titles[] = { { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("a\"\\\nz") },
                                       { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("[x]\\") },
                                       { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("\xC3\xA9\x01") } };
  static const rille_cell prices[] = { { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("12.5") },
                                       { .kind = RILLE_INT, .as.integer = 100 } };
  static const struct {
    const char *column;
    const rille_cell *list;
    size_t len;
    int64_t count;
  } cases[] = {
    { "views", views, 3, 2 },
    { "title", titles, 3, 2 },
    { "price", prices, 2, 2 },
    { "views", views, 0, 0 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_slot slot = { .list = cases[i].list, .list_len = cases[i].len };
    rille_node *list = build_node(RILLE_NODE_LIST, NULL, NULL, NULL);

    assert_int_equal(found(build_node(RILLE_NODE_IN, build_column(cases[i].column), list, NULL), &slot, 1),
                     cases[i].count);
  }
}

static void
refuses_what_does_not_fit_into_a_list(void **state)
{
  const rille_cell bad[] = { { .kind = RILLE_INT, .as.integer = 5 },
                             { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("six") } };
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = NULL;
  rille_slot slot = { .list = bad, .list_len = 2 };
  rille_fault fault;

  (void)state;
  query->where = build_node(RILLE_NODE_IN, build_column("views"), build_node(RILLE_NODE_LIST, NULL, NULL, NULL), NULL);
  assert_ok(rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_statement_bind(statement, &slot, 1, build_arena(), &fault), &fault);
  assert_contains(fault.message, "posts.views wants an integer");
  rille_connection_release(statement);
}

static void
binds_values_of_sql_text_in_their_order(void **state)
{
  rille_slot slots[2] = { { .cell = { .kind = RILLE_INT, .as.integer = 40 } },
                          { .cell = { .kind = RILLE_BOOL, .as.integer = 1 } } };
  rille_statement *statement = NULL;
  rille_cell cell;
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(rille_connection_sql(spec_db, rille_str_of("select ? * 2 + ?"), &statement, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_statement_bind(statement, slots, 1, build_arena(), &fault), &fault);
  assert_string_equal(fault.message, "the SQL has 2 parameters but 1 value was given");
  assert_fails(RILLE_INVALID_ARGUMENT, rille_statement_bind(statement, NULL, 0, build_arena(), &fault), &fault);
  assert_ok(rille_statement_bind(statement, slots, 2, build_arena(), &fault), &fault);
  assert_ok(statement->stmt->driver->step(statement->stmt, &row, &fault), &fault);
  assert_ok(statement->stmt->driver->row(statement->stmt, &cell, &fault), &fault);
  assert_int_equal(cell.as.integer, 81);
  statement->stmt->driver->reset(statement->stmt);
  slots[1] = text("\xFF");
  assert_fails(RILLE_INVALID_ARGUMENT, rille_statement_bind(statement, slots, 2, build_arena(), &fault), &fault);
  assert_contains(fault.message, "parameter 2");
  rille_connection_release(statement);
}

static void
refuses_raw_sql_that_wants_other_values_than_it_gets(void **state)
{
  rille_query *query = build_query(&build_posts);
  rille_statement *statement = NULL;
  rille_fault fault;

  (void)state;
  query->where = build_raw("views = ? or views = ?", build_value(0));
  assert_fails(RILLE_INVALID_ARGUMENT, rille_connection_statement(spec_db, query, &statement, &fault), &fault);
  assert_contains(fault.message, "more or fewer ? than values");
}

#define ON_DB(test) cmocka_unit_test_setup_teardown(test, open_db, spec_db_close)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(finds_what_it_keeps),
    cmocka_unit_test(never_shares_a_statement_between_keys_of_one_hash),
    cmocka_unit_test(tells_keys_in_one_bucket_apart),
    cmocka_unit_test(lets_the_least_recently_used_one_go),
    cmocka_unit_test(does_not_free_what_is_in_use),
    ON_DB(turns_values_into_what_their_columns_keep),
    ON_DB(refuses_values_that_their_columns_do_not_take),
    ON_DB(finds_by_patterns_with_wildcards_and_without),
    ON_DB(finds_by_long_lists_what_it_finds_by_short_ones),
    ON_DB(refuses_what_does_not_fit_into_a_list),
    ON_DB(binds_values_of_sql_text_in_their_order),
    ON_DB(refuses_raw_sql_that_wants_other_values_than_it_gets),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
