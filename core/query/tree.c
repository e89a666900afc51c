/* core/query/tree.c - small builders that more than one caller needs. */
#include "core/query/tree.h"

size_t
rille_node_count(const rille_node *first)
{
  size_t count = 0;

  for (; first != NULL; first = first->next)
    count++;
  return count;
}
