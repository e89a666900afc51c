/* host/blocks.h - the small blocks of one Lua state, kept by size: a state frees and takes them by the million. */
#ifndef RILLE_BLOCKS_H
#define RILLE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

enum {
  RILLE_BLOCKS_STEP = 16,    /* bytes between two sizes */
  RILLE_BLOCKS_LARGEST = 512 /* larger blocks go to malloc */
};

/* Free blocks of each size in a list; new ones are cut from chunks, which go back when they are released.  All zero
** has none.  One thread at a time. */
struct rille_blocks {
  void *free_blocks[RILLE_BLOCKS_LARGEST / RILLE_BLOCKS_STEP + 1];
  struct rille_blocks_chunk *chunks;
  char *at;
  size_t left;
};

/* Does a block of that size come from the lists?  Under the address sanitizer every one comes from malloc, so that a
** use after free is seen. */
static inline bool
rille_blocks_is_small(size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
  (void)bytes;
  return false;
#else
  return bytes <= RILLE_BLOCKS_LARGEST;
#endif
}

/* In which of the lists blocks of that size are. */
static inline size_t
rille_blocks_class(size_t bytes)
{
  return (bytes + RILLE_BLOCKS_STEP - 1) / RILLE_BLOCKS_STEP;
}

/* A small block where no free one is left. */
void *rille_blocks_cut(struct rille_blocks *blocks, size_t bytes);

/* A block of at least one byte; NULL when memory ran out. */
static inline void *
rille_blocks_take(struct rille_blocks *blocks, size_t bytes)
{
  void **block;

  if (!rille_blocks_is_small(bytes))
    return malloc(bytes);
  block = blocks->free_blocks[rille_blocks_class(bytes)];
  if (block == NULL)
    return rille_blocks_cut(blocks, bytes);
  blocks->free_blocks[rille_blocks_class(bytes)] = *block;
  return block;
}

/* Gives back a block of `bytes`; nothing to do for NULL. */
static inline void
rille_blocks_give(struct rille_blocks *blocks, void *block, size_t bytes)
{
  void **given = block;

  if (block == NULL)
    return;
  if (!rille_blocks_is_small(bytes)) {
    free(block);
    return;
  }
  *given = blocks->free_blocks[rille_blocks_class(bytes)];
  blocks->free_blocks[rille_blocks_class(bytes)] = given;
}

/* Resizes a block of `old_bytes` to `new_bytes`, neither of them 0, keeping its content.  NULL when memory ran out, the
** block being as it was. */
void *rille_blocks_resize(struct rille_blocks *blocks, void *block, size_t old_bytes, size_t new_bytes);

/* Gives all chunks back.  Blocks that are still out must not be touched any more; large ones must have been freed. */
void rille_blocks_release(struct rille_blocks *blocks);

#endif
