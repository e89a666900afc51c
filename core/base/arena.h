/* core/base/arena.h - all memory of one statement: taken piece by piece, given back at once. */
#ifndef RILLE_ARENA_H
#define RILLE_ARENA_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/base/text.h"

/* Blocks hang in a list; pieces are cut from the first.  A failed piece marks the arena, so that builders may go on
** with NULL and ask rille_arena_ok() once, at the end. */
typedef struct rille_arena {
  struct rille_arena_block *blocks;
  char *at;    /* free space in the first block */
  size_t left; /* bytes of it */
  bool failed;
} rille_arena;

/* An arena without memory of its own yet.  Cannot fail. */
void rille_arena_init(rille_arena *arena);

/* An arena that cuts its first pieces from `room`, which is the caller's and must outlive them.  Cannot fail. */
void rille_arena_init_on(rille_arena *arena, void *room, size_t bytes);

/* Gives back all pieces but keeps one block for the next statement, and forgets a failure. */
void rille_arena_reset(rille_arena *arena);

/* Gives back everything; the arena may be used again as after init. */
void rille_arena_release(rille_arena *arena);

/* What rille_arena_get does where the block at hand has no room for the piece. */
void *rille_arena_get_more(rille_arena *arena, size_t bytes);

/* `bytes` of zeroed memory (0 count as 1), aligned for any object, that live until reset or release; NULL when
** memory ran out.  Inline, for a tree is many small pieces. */
static inline void *
rille_arena_get(rille_arena *arena, size_t bytes)
{
  const size_t align = alignof(max_align_t);
  size_t rounded = bytes > 0 ? (bytes + align - 1) / align * align : align;
  char *piece = arena->at;

  if (rounded < bytes || rounded > arena->left)
    return rille_arena_get_more(arena, bytes);
  arena->at += rounded;
  arena->left -= rounded;
  return memset(piece, 0, rounded);
}

/* A copy of `text` in the arena, with a NUL behind it; a NULL text when memory ran out. */
rille_str rille_arena_copy(rille_arena *arena, rille_str text);

/* False once any piece could not be had. */
bool rille_arena_ok(const rille_arena *arena);

#endif
