/* spec/core/memory_test.c - the one door to malloc: zeroed blocks, and a gate that specs can shut. */
#include "spec/support/spec.h"

#include "core/base/memory.h"

static int asked;

static int
refuse_all(void)
{
  asked++;
  return 0;
}

static int
count_only(void)
{
  asked++;
  return 1;
}

static int
open_the_gate(void **state)
{
  (void)state;
  rille_memory_gate(NULL);
  asked = 0;
  return 0;
}

static void
gives_zeroed_blocks(void **state)
{
  char *block = rille_memory_get(1000), *nothing = rille_memory_get(0);

  (void)state;
  assert_non_null(block);
  assert_non_null(nothing);
  for (size_t i = 0; i < 1000; i++)
    assert_int_equal(block[i], 0);
  rille_memory_free(block);
  rille_memory_free(nothing);
  rille_memory_free(NULL);
}

static void
keeps_what_is_in_a_block_that_grows(void **state)
{
  char *block = rille_memory_resize(NULL, 3);

  (void)state;
  assert_non_null(block);
  memcpy(block, "abc", 3);
  block = rille_memory_resize(block, 100000);
  assert_non_null(block);
  assert_memory_equal(block, "abc", 3);
  rille_memory_free(block);
}

static void
copies_text_with_a_nul_behind_it(void **state)
{
  char *copy = rille_memory_copy("a\0bcd", 3), *empty = rille_memory_copy(NULL, 0);

  (void)state;
  assert_memory_equal(copy, "a\0b", 4);
  assert_string_equal(empty, "");
  rille_memory_free(copy);
  rille_memory_free(empty);
}

static void
asks_the_gate_before_every_allocation(void **state)
{
  char *block;

  (void)state;
  rille_memory_gate(count_only);
  block = rille_memory_get(1);
  block = rille_memory_resize(block, 2);
  rille_memory_free(block);
  rille_memory_free(rille_memory_copy("a", 1));
  assert_int_equal(asked, 3);
}

static void
fails_when_the_gate_says_so_and_leaves_blocks_as_they_were(void **state)
{
  char *block = rille_memory_copy("kept", 4);

  (void)state;
  rille_memory_gate(refuse_all);
  assert_null(rille_memory_get(1));
  assert_null(rille_memory_copy("a", 1));
  assert_null(rille_memory_resize(NULL, 1));
  assert_null(rille_memory_resize(block, 1000000));
  assert_int_equal(asked, 4);
  assert_string_equal(block, "kept");
  rille_memory_free(block);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(gives_zeroed_blocks, open_the_gate),
    cmocka_unit_test_teardown(keeps_what_is_in_a_block_that_grows, open_the_gate),
    cmocka_unit_test_teardown(copies_text_with_a_nul_behind_it, open_the_gate),
    cmocka_unit_test_teardown(asks_the_gate_before_every_allocation, open_the_gate),
    cmocka_unit_test_teardown(fails_when_the_gate_says_so_and_leaves_blocks_as_they_were, open_the_gate),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
