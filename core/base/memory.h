/* core/base/memory.h - the one door to malloc, so that specs can make every allocation fail in turn. */
#ifndef RILLE_MEMORY_H
#define RILLE_MEMORY_H

#include <stddef.h>

/* A zeroed block of `bytes`, the caller's until rille_memory_free; NULL when memory ran out.  0 bytes count as 1. */
void *rille_memory_get(size_t bytes);

/* Resizes a block from rille_memory_get (or NULL); new bytes are not zeroed.  NULL leaves the old block as it was. */
void *rille_memory_resize(void *block, size_t bytes);

/* Gives a block back; NULL is ignored. */
void rille_memory_free(void *block);

/* A copy of `len` bytes with a NUL behind them, the caller's; NULL when memory ran out. */
char *rille_memory_copy(const char *text, size_t len);

/* For specs: asked before each allocation; returning 0 makes that one fail.  NULL (the start) lets all succeed.
** Not thread-safe; set it while nothing else runs. */
void rille_memory_gate(int (*allow)(void));

#endif
