/* spec/core/tree_test.c - the small builders, with children and without memory. */
#include "spec/support/spec.h"

#include "core/base/memory.h"
#include "core/query/tree.h"

static int
refuse(void)
{
  return 0;
}

static void
makes_an_empty_node_of_the_kind(void **state)
{
  rille_arena arena;
  rille_node *node;

  (void)state;
  rille_arena_init(&arena);
  node = rille_node_new(&arena, RILLE_NODE_COMPARE);
  assert_int_equal(node->kind, RILLE_NODE_COMPARE);
  assert_null(node->a);
  assert_null(node->items);
  assert_null(node->next);
  assert_int_equal(node->text.len, 0);
  rille_arena_release(&arena);
}

static void
counts_linked_nodes(void **state)
{
  rille_node nodes[3] = { { .next = &nodes[1] }, { .next = &nodes[2] }, { .next = NULL } };

  (void)state;
  assert_int_equal(rille_node_count(NULL), 0);
  assert_int_equal(rille_node_count(&nodes[2]), 1);
  assert_int_equal(rille_node_count(&nodes[0]), 3);
}

static void
gives_nothing_without_memory(void **state)
{
  rille_arena arena;

  (void)state;
  rille_memory_gate(refuse);
  rille_arena_init(&arena);
  assert_null(rille_node_new(&arena, RILLE_NODE_COLUMN));
  assert_false(rille_arena_ok(&arena));
  rille_arena_release(&arena);
  rille_memory_gate(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(makes_an_empty_node_of_the_kind),
    cmocka_unit_test(counts_linked_nodes),
    cmocka_unit_test(gives_nothing_without_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
