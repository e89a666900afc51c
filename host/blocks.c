/* host/blocks.c - blocks in steps of 16 bytes, each size with a list of free ones. */
#include "host/blocks.h"

#include <string.h>

enum { CHUNK_BYTES = 64 << 10 };

struct rille_blocks_chunk {
  struct rille_blocks_chunk *next;
  size_t unused; /* keeps what follows aligned to 16 bytes */
};

void *
rille_blocks_cut(struct rille_blocks *blocks, size_t bytes)
{
  void *block;

  bytes = rille_blocks_class(bytes) * RILLE_BLOCKS_STEP;
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

void *
rille_blocks_resize(struct rille_blocks *blocks, void *block, size_t old_bytes, size_t new_bytes)
{
  bool was_small = rille_blocks_is_small(old_bytes), is_small = rille_blocks_is_small(new_bytes);
  void *result;

  if (!was_small && !is_small)
    return realloc(block, new_bytes);
  if (was_small && is_small && rille_blocks_class(old_bytes) == rille_blocks_class(new_bytes))
    return block;
  result = rille_blocks_take(blocks, new_bytes);
  if (result == NULL)
    return NULL;
  memcpy(result, block, old_bytes < new_bytes ? old_bytes : new_bytes);
  rille_blocks_give(blocks, block, old_bytes);
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
