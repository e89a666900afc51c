/* host/blocks.h - the small blocks of one Lua state, kept by size: a state frees and takes them by the million. */
#ifndef RILLE_BLOCKS_H
#define RILLE_BLOCKS_H

#include <stddef.h>

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

/* Resizes a block of `old_bytes` (NULL: 0) to `new_bytes` (0: frees it, NULL comes back), keeping its content.  NULL
** when memory ran out, the block being as it was. */
void *rille_blocks_resize(struct rille_blocks *blocks, void *block, size_t old_bytes, size_t new_bytes);

/* Gives all chunks back.  Blocks that are still out must not be touched any more; large ones must have been freed. */
void rille_blocks_release(struct rille_blocks *blocks);

#endif
