/* core/base/arena.c - cuts pieces from blocks that double in size. */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "core/base/memory.h"

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 1 << 20 };

struct rille_arena_block {
  struct rille_arena_block *next;
  size_t bytes; /* of `space` */
  alignas(max_align_t) char space[];
};

void
rille_arena_init(rille_arena *arena)
{
  *arena = (rille_arena){ 0 };
}

void
rille_arena_init_on(rille_arena *arena, void *room, size_t bytes)
{
  size_t waste = (alignof(max_align_t) - (uintptr_t)room % alignof(max_align_t)) % alignof(max_align_t);

  rille_arena_init(arena);
  if (bytes > waste) {
    arena->at = (char *)room + waste;
    arena->left = bytes - waste;
  }
}

static void
free_from(struct rille_arena_block *block)
{
  while (block != NULL) {
    struct rille_arena_block *next = block->next;

    rille_memory_free(block);
    block = next;
  }
}

void
rille_arena_reset(rille_arena *arena)
{
  struct rille_arena_block *kept = arena->blocks;

  if (kept == NULL || kept->bytes > LARGEST_BLOCK_BYTES) {
    rille_arena_release(arena);
    return;
  }
  free_from(kept->next);
  kept->next = NULL;
  arena->at = kept->space;
  arena->left = kept->bytes;
  arena->failed = false;
}

void
rille_arena_release(rille_arena *arena)
{
  free_from(arena->blocks);
  rille_arena_init(arena);
}

static bool
add_block(rille_arena *arena, size_t wanted)
{
  size_t bytes = arena->blocks != NULL ? arena->blocks->bytes * 2 : FIRST_BLOCK_BYTES;
  struct rille_arena_block *block;

  if (bytes > LARGEST_BLOCK_BYTES)
    bytes = LARGEST_BLOCK_BYTES;
  if (bytes < wanted)
    bytes = wanted;
  block = rille_memory_resize(NULL, sizeof *block + bytes); /* not zeroed: the pieces are */
  if (block == NULL)
    return false;
  block->bytes = bytes;
  block->next = arena->blocks;
  arena->blocks = block;
  arena->at = block->space;
  arena->left = bytes;
  return true;
}

void *
rille_arena_get_more(rille_arena *arena, size_t bytes)
{
  if (bytes > SIZE_MAX / 2 || !add_block(arena, bytes + alignof(max_align_t))) { /* it is rounded up */
    arena->failed = true;
    return NULL;
  }
  return rille_arena_get(arena, bytes);
}

rille_str
rille_arena_copy(rille_arena *arena, rille_str text)
{
  char *copy = rille_arena_get(arena, text.len + 1);

  if (copy == NULL)
    return (rille_str){ 0 };
  if (text.len > 0)
    memcpy(copy, text.at, text.len);
  return (rille_str){ copy, text.len };
}

bool
rille_arena_ok(const rille_arena *arena)
{
  return !arena->failed;
}
