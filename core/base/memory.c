/* core/base/memory.c - calls malloc on behalf of everybody in the core. */
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

static int (*gate)(void);

void
rille_memory_gate(int (*allow)(void))
{
  gate = allow;
}

void *
rille_memory_get(size_t bytes)
{
  if (gate != NULL && !gate())
    return NULL;
  return calloc(1, bytes > 0 ? bytes : 1);
}

void *
rille_memory_resize(void *block, size_t bytes)
{
  if (gate != NULL && !gate())
    return NULL;
  return realloc(block, bytes > 0 ? bytes : 1);
}

void
rille_memory_free(void *block)
{
  free(block);
}

char *
rille_memory_copy(const char *text, size_t len)
{
  char *copy = rille_memory_get(len + 1);

  if (copy != NULL && len > 0)
    memcpy(copy, text, len);
  return copy;
}
