/* spec/core/schema_test.c - columns are found by their exact names; each table value has an id of its own. */
#include "spec/support/spec.h"

#include <pthread.h>

#include "spec/support/build.h"

static void
finds_columns_by_their_exact_names(void **state)
{
  (void)state;
  for (size_t i = 0; i < build_posts.column_count; i++) {
    const rille_column *column = rille_table_column(&build_posts, build_posts.columns[i].name);

    assert_ptr_equal(column, &build_posts.columns[i]);
    assert_int_equal(rille_table_position(&build_posts, column), i);
  }
  static const char *const unknown[] = { "", "Title", "titl", "titles", "posts.title", "\"title\"", "title " };
  for (size_t i = 0; i < SPEC_COUNT(unknown); i++)
    assert_null(rille_table_column(&build_posts, rille_str_of(unknown[i])));
  assert_null(rille_table_column(&(rille_table){ .id = 1 }, rille_str_of("title")));
}

static void
says_which_column_is_missing_and_which_was_meant(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_table_no_column(&build_posts, rille_str_of("titel"), &fault), &fault);
  assert_string_equal(fault.message, "posts has no column \"titel\"");
  assert_string_equal(fault.hint, "did you mean \"title\"?");
  assert_string_equal(fault.table, "posts");
  assert_string_equal(fault.column, "titel");
  assert_fails(RILLE_NO_SUCH_COLUMN, rille_table_no_column(&build_posts, rille_str_of("colour"), &fault), &fault);
  assert_string_equal(fault.hint, "");
  assert_int_equal(rille_table_no_column(&build_posts, rille_str_of("titel"), NULL), RILLE_NO_SUCH_COLUMN);
}

enum { THREADS = 4, IDS = 20000 };

static void *
take_ids(void *taken)
{
  for (size_t i = 0; i < IDS; i++)
    ((uint64_t *)taken)[i] = rille_table_next_id();
  return NULL;
}

static void
gives_no_id_twice(void **state)
{
  static uint64_t taken[THREADS][IDS];
  static bool seen[THREADS * IDS + 1];
  uint64_t before = rille_table_next_id();
  pthread_t threads[THREADS];

  (void)state;
  for (size_t t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&threads[t], NULL, take_ids, taken[t]), 0);
  for (size_t t = 0; t < THREADS; t++)
    assert_int_equal(pthread_join(threads[t], NULL), 0);
  for (size_t t = 0; t < THREADS; t++)
    for (size_t i = 0; i < IDS; i++) {
      uint64_t offset = taken[t][i] - before;

      assert_in_range(offset, 1, THREADS * IDS);
      assert_false(seen[offset]);
      seen[offset] = true;
    }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(finds_columns_by_their_exact_names),
    cmocka_unit_test(says_which_column_is_missing_and_which_was_meant),
    cmocka_unit_test(gives_no_id_twice),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
