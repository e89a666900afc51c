/* spec/support/failing.h - every door to memory, and a way to shut one of them at the n-th allocation.
**
** Recipe: install once, before SQLite is first used; then sweep. */
#ifndef RILLE_SPEC_FAILING_H
#define RILLE_SPEC_FAILING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum spec_door {
  SPEC_CORE,   /* rille_memory_* */
  SPEC_SQLITE, /* sqlite3_malloc and all that SQLite does itself */
  SPEC_LUA,    /* states made with spec_lua_allocate */
  SPEC_DOORS
} spec_door;

/* Puts itself in front of the three. */
void spec_failing_install(void);

/* From now on allocations are counted, and the one that the sweep has come to fails. */
void spec_failing_start(void);

/* All succeed again.  True when any was made to fail. */
bool spec_failing_stop(void);

/* Blocks of SQLite and Lua that were not given back. */
long spec_blocks_alive(void);

/* "core", "sqlite", "lua" */
const char *spec_door_name(spec_door door);

/* For lua_newstate; never fails to shrink a block, as Lua demands. */
void *spec_lua_allocate(void *data, void *block, size_t old_bytes, size_t bytes);

/* One place in how many is tried, and from which one on, counted from 0.  It is each of them, or what RILLE_FAULT_EVERY
** says, or, under the sanitizers, where all of them take minutes, one in three.  Where it begins is drawn once for a
** process, and a line on stdout says so. */
long spec_every(long *from);

/* Runs `once` again and again, each time with the next allocation through the door failing and, if so wanted, all
** behind it. `once` calls start and stop around what is tried, and looks at what is left.  Where there are more
** allocations than `runs`, takes as many of them, spread from the first to the last.  Returns how many there are.
** Of these spec_every() may leave some out. */
long spec_sweep(spec_door door, bool from_then_on, long runs, void (*once)(void *data), void *data);

/* Teardown of a test that sweeps: says at which allocation it was left, if it was. */
int spec_sweep_end(void **state);

#endif
