/* core/query/tree.c - small builders that more than one caller needs. */
#include "core/query/tree.h"

rille_node *
rille_node_new(rille_arena *arena, rille_node_kind kind)
{
  rille_node *node = rille_arena_get(arena, sizeof *node);

  if (node != NULL)
    node->kind = kind;
  return node;
}

rille_node *
rille_node_both(rille_arena *arena, rille_node *a, rille_node *b)
{
  rille_node *both;

  if (a == NULL || b == NULL)
    return a != NULL ? a : b;
  both = rille_node_new(arena, RILLE_NODE_AND);
  if (both != NULL) {
    both->items = a;
    a->next = b;
    b->next = NULL;
  }
  return both;
}

size_t
rille_node_count(const rille_node *first)
{
  size_t count = 0;

  for (; first != NULL; first = first->next)
    count++;
  return count;
}
