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

size_t
rille_node_count(const rille_node *first)
{
  size_t count = 0;

  for (; first != NULL; first = first->next)
    count++;
  return count;
}
