/* host/pool.h - the small blocks of one Lua state, kept by size: a state frees and takes them by the million. */
#ifndef RILLE_POOL_H
#define RILLE_POOL_H

#include <stddef.h>

enum {
  RILLE_POOL_STEP = 16,    /* bytes between two sizes */
  RILLE_POOL_LARGEST = 512 /* larger blocks go to malloc */
};

/* Free blocks of each size in a list; new ones are cut from chunks, which go back when the pool is released.  All zero
** is an empty pool.  One thread at a time. */
struct rille_pool {
  void *free_blocks[RILLE_POOL_LARGEST / RILLE_POOL_STEP + 1];
  struct rille_pool_chunk *chunks;
  char *at;
  size_t left;
};

/* Resizes a block of `old_bytes` (NULL: 0) to `new_bytes` (0: frees it, NULL comes back), keeping its content.  NULL
** when memory ran out, the block being as it was. */
void *rille_pool_resize(struct rille_pool *pool, void *block, size_t old_bytes, size_t new_bytes);

/* Gives all chunks back.  Blocks that are still out must not be touched any more; large ones must have been freed. */
void rille_pool_release(struct rille_pool *pool);

#endif
