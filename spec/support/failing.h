/* spec/support/failing.h - every door to memory, and a way to shut one of them at the n-th allocation.
**
** Recipe: install once, before SQLite is first used; then sweep with a function that runs something, stops the failures,
** and looks at what is left. */
#ifndef RILLE_SPEC_FAILING_H
#define RILLE_SPEC_FAILING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum spec_door {
  SPEC_CORE,       /* rille_memory_* */
  SPEC_SQLITE,     /* sqlite3_malloc and all that SQLite does itself */
  SPEC_LUA,        /* states made with spec_lua_allocate */
  SPEC_DOORS
} spec_door;

/* Puts itself in front of the three. */
void spec_failing_install(void);

/* From now on the `nth` allocation (from 1) through the door fails and, if so wanted, all that follow. */
void spec_failing_start(spec_door door, long nth, bool from_then_on);

/* All succeed again.  True when any was made to fail. */
bool spec_failing_stop(void);

/* Allocations through the door since the last start. */
long spec_failing_count(spec_door door);

/* Blocks of SQLite and Lua that were not given back. */
long spec_blocks_alive(void);

/* "core", "sqlite", "lua" */
const char *spec_door_name(spec_door door);

/* For lua_newstate; never fails to shrink a block, as Lua demands. */
void *spec_lua_allocate(void *data, void *block, size_t old_bytes, size_t bytes);

/* Runs `once`, which has to call spec_failing_stop when it is through, with each allocation through the door failing in turn.
** Where there are more than `runs`, takes as many of them, spread from the first to the last.  Returns how many there are. */
long spec_sweep(spec_door door, bool from_then_on, long runs, void (*once)(void *data), void *data);

/* Teardown of a test that sweeps: says at which allocation it was left, if it was. */
int spec_sweep_end(void **state);

#endif
