/* spec/support/failing.c - counts allocations at three doors and refuses the chosen ones. */
#include "spec/support/failing.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/memory.h"
#include "spec/support/spec.h"

static spec_door watched;
static long at, count;
static bool ever_after, active, failed;
static long alive;
static sqlite3_mem_methods below;

/* True when this allocation may be had. */
static bool
allowed(spec_door door)
{
  bool refused;

  if (!active || door != watched)
    return true;
  count++;
  refused = count == at || (ever_after && count > at);
  failed = failed || refused;
  return !refused;
}

static int
allow_core(void)
{
  return allowed(SPEC_CORE);
}

static void *
sqlite_get(int bytes)
{
  void *block = allowed(SPEC_SQLITE) ? below.xMalloc(bytes) : NULL;

  alive += block != NULL;
  return block;
}

static void *
sqlite_resize(void *block, int bytes)
{
  return allowed(SPEC_SQLITE) ? below.xRealloc(block, bytes) : NULL;
}

static void
sqlite_give_back(void *block)
{
  alive -= block != NULL;
  below.xFree(block);
}

void
spec_failing_install(void)
{
  sqlite3_mem_methods methods;

  (void)sqlite3_shutdown();
  (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &below);
  methods = below;
  methods.xMalloc = sqlite_get;
  methods.xRealloc = sqlite_resize;
  methods.xFree = sqlite_give_back;
  (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
  (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* small requests would pass by */
  (void)sqlite3_initialize();
  rille_memory_gate(allow_core);
  alive = 0;
}

void
spec_failing_start(void)
{
  count = 0;
  failed = false;
  active = true;
}

bool
spec_failing_stop(void)
{
  active = false;
  return failed;
}

long
spec_blocks_alive(void)
{
  return alive;
}

const char *
spec_door_name(spec_door door)
{
  static const char *const names[] = { "core", "sqlite", "lua" };

  return names[door];
}

void *
spec_lua_allocate(void *data, void *block, size_t old_bytes, size_t bytes)
{
  void *resized;

  (void)data;
  if (bytes == 0) {
    alive -= block != NULL;
    free(block);
    return NULL;
  }
  if ((block == NULL || bytes > old_bytes) && !allowed(SPEC_LUA))
    return NULL;
  resized = realloc(block, bytes);
  alive += block == NULL && resized != NULL;
  return resized;
}

/* -- sweeps ---------------------------------------------------------------------------------------------- */

#ifdef __SANITIZE_ADDRESS__
enum { EVERY = 3 };
#else
enum { EVERY = 1 };
#endif

long
spec_every(long *from)
{
  static long step, first;

  if (step == 0) {
    const char *wanted = getenv("RILLE_FAULT_EVERY");
    struct timespec now = { 0 };

    step = wanted != NULL ? strtol(wanted, NULL, 10) : EVERY;
    step = step > 0 ? step : 1;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    first = now.tv_nsec / 1000 % step;
    if (step > 1)
      print_message("-- memory fails at one place in %ld, from number %ld on; RILLE_FAULT_EVERY=1 tries them all\n",
                    step, first + 1);
  }
  *from = first;
  return step;
}

static char sweeping[80]; /* where a sweep is */

long
spec_sweep(spec_door door, bool from_then_on, long runs, void (*once)(void *data), void *data)
{
  long total, from, step = spec_every(&from);

  watched = door;
  ever_after = from_then_on;
  at = LONG_MAX; /* nothing fails: all are counted */
  once(data);
  total = count;
  runs = runs < total ? runs : total;
  for (long i = from; i < runs; i += step) {
    at = 1 + (runs > 1 ? i * (total - 1) / (runs - 1) : 0);
    (void)snprintf(sweeping, sizeof sweeping, "%s allocation %ld of %ld%s", spec_door_name(door), at, total,
                   from_then_on ? " and all behind it" : "");
    once(data);
    (void)spec_failing_stop();
  }
  sweeping[0] = '\0';
  return total;
}

int
spec_sweep_end(void **state)
{
  (void)state;
  (void)spec_failing_stop();
  if (sweeping[0] != '\0')
    print_error("while this failed: %s\n", sweeping);
  sweeping[0] = '\0';
  return 0;
}
