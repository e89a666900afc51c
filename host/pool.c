/* host/pool.c - blocks in steps of 16 bytes, each size with a list of free ones.
**
** Under the address sanitizer every block comes from malloc, so that a use after free is seen. */
#include "host/pool.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 << 10 };

struct rille_pool_chunk {
  struct rille_pool_chunk *next;
  size_t unused; /* keeps what follows aligned to 16 bytes */
};

#ifdef __SANITIZE_ADDRESS__
#define IS_SMALL(bytes) ((void)(bytes), 0)
#else
#define IS_SMALL(bytes) ((bytes) <= RILLE_POOL_LARGEST)
#endif

static size_t
size_class(size_t bytes)
{
  return (bytes + RILLE_POOL_STEP - 1) / RILLE_POOL_STEP;
}

static void *
cut(struct rille_pool *pool, size_t bytes)
{
  void *block;

  if (pool->left < bytes) {
    struct rille_pool_chunk *chunk = malloc(CHUNK_BYTES);

    if (chunk == NULL)
      return NULL;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->at = (char *)(chunk + 1);
    pool->left = CHUNK_BYTES - sizeof *chunk;
  }
  block = pool->at;
  pool->at += bytes;
  pool->left -= bytes;
  return block;
}

static void *
take(struct rille_pool *pool, size_t bytes)
{
  size_t class = size_class(bytes);
  void **block = pool->free_blocks[class];

  if (block == NULL)
    return cut(pool, class * RILLE_POOL_STEP);
  pool->free_blocks[class] = *block;
  return block;
}

static void
give(struct rille_pool *pool, void *block, size_t bytes)
{
  void **given = block;
  size_t class = size_class(bytes);

  *given = pool->free_blocks[class];
  pool->free_blocks[class] = given;
}

void *
rille_pool_resize(struct rille_pool *pool, void *block, size_t old_bytes, size_t new_bytes)
{
  void *result;

  if (block == NULL)
    return new_bytes == 0 ? NULL : IS_SMALL(new_bytes) ? take(pool, new_bytes) : malloc(new_bytes);
  if (new_bytes == 0) {
    if (IS_SMALL(old_bytes))
      give(pool, block, old_bytes);
    else
      free(block);
    return NULL;
  }
  if (!IS_SMALL(old_bytes) && !IS_SMALL(new_bytes))
    return realloc(block, new_bytes);
  if (IS_SMALL(old_bytes) && IS_SMALL(new_bytes) && size_class(old_bytes) == size_class(new_bytes))
    return block;
  result = IS_SMALL(new_bytes) ? take(pool, new_bytes) : malloc(new_bytes);
  if (result == NULL)
    return NULL;
  memcpy(result, block, old_bytes < new_bytes ? old_bytes : new_bytes);
  if (IS_SMALL(old_bytes))
    give(pool, block, old_bytes);
  else
    free(block);
  return result;
}

void
rille_pool_release(struct rille_pool *pool)
{
  while (pool->chunks != NULL) {
    struct rille_pool_chunk *next = pool->chunks->next;

    free(pool->chunks);
    pool->chunks = next;
  }
  *pool = (struct rille_pool){ .left = 0 };
}
