/* host/blocks.c - blocks in steps of 16 bytes, each size with a list of free ones.
**
** Under the address sanitizer every block comes from malloc, so that a use after free is seen. */
#include "host/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 << 10 };

struct rille_blocks_chunk {
  struct rille_blocks_chunk *next;
  size_t unused; /* keeps what follows aligned to 16 bytes */
};

#ifdef __SANITIZE_ADDRESS__
#define IS_SMALL(bytes) ((void)(bytes), 0)
#else
#define IS_SMALL(bytes) ((bytes) <= RILLE_BLOCKS_LARGEST)
#endif

static size_t
size_class(size_t bytes)
{
  return (bytes + RILLE_BLOCKS_STEP - 1) / RILLE_BLOCKS_STEP;
}

static void *
cut(struct rille_blocks *blocks, size_t bytes)
{
  void *block;

  if (blocks->left < bytes) {
    struct rille_blocks_chunk *chunk = malloc(CHUNK_BYTES);

    if (chunk == NULL)
      return NULL;
    chunk->next = blocks->chunks;
    blocks->chunks = chunk;
    blocks->at = (char *)(chunk + 1);
    blocks->left = CHUNK_BYTES - sizeof *chunk;
  }
  block = blocks->at;
  blocks->at += bytes;
  blocks->left -= bytes;
  return block;
}

static void *
take(struct rille_blocks *blocks, size_t bytes)
{
  size_t class = size_class(bytes);
  void **block = blocks->free_blocks[class];

  if (block == NULL)
    return cut(blocks, class * RILLE_BLOCKS_STEP);
  blocks->free_blocks[class] = *block;
  return block;
}

static void
give(struct rille_blocks *blocks, void *block, size_t bytes)
{
  void **given = block;
  size_t class = size_class(bytes);

  *given = blocks->free_blocks[class];
  blocks->free_blocks[class] = given;
}

void *
rille_blocks_resize(struct rille_blocks *blocks, void *block, size_t old_bytes, size_t new_bytes)
{
  void *result;

  if (block == NULL)
    return new_bytes == 0 ? NULL : IS_SMALL(new_bytes) ? take(blocks, new_bytes) : malloc(new_bytes);
  if (new_bytes == 0) {
    if (IS_SMALL(old_bytes))
      give(blocks, block, old_bytes);
    else
      free(block);
    return NULL;
  }
  if (!IS_SMALL(old_bytes) && !IS_SMALL(new_bytes))
    return realloc(block, new_bytes);
  if (IS_SMALL(old_bytes) && IS_SMALL(new_bytes) && size_class(old_bytes) == size_class(new_bytes))
    return block;
  result = IS_SMALL(new_bytes) ? take(blocks, new_bytes) : malloc(new_bytes);
  if (result == NULL)
    return NULL;
  memcpy(result, block, old_bytes < new_bytes ? old_bytes : new_bytes);
  if (IS_SMALL(old_bytes))
    give(blocks, block, old_bytes);
  else
    free(block);
  return result;
}

void
rille_blocks_release(struct rille_blocks *blocks)
{
  while (blocks->chunks != NULL) {
    struct rille_blocks_chunk *next = blocks->chunks->next;

    free(blocks->chunks);
    blocks->chunks = next;
  }
  *blocks = (struct rille_blocks){ .left = 0 };
}
