/* core/run/idle.c - asleep until what has been idle for longest may be due; the pool says when that is. */
#include "core/run/idle.h"

#include "core/run/pool.h"
#include "core/run/sleeper.h"

static int64_t work(void);

static rille_sleeper sleeper = { .work = work, .lock = PTHREAD_MUTEX_INITIALIZER };

/* The thread will look again by itself, after whatever became idle before this was read. */
static atomic_bool watching;

/* One look at the pool.  What becomes idle from here on rings, until it is known that there will be another look. */
static int64_t
work(void)
{
  int64_t wake_ms;

  if (sleeper.end_ms > 0)
    return RILLE_SLEEPER_END;
  rille_sleeper_unlock(&sleeper);
  atomic_store(&watching, false);
  wake_ms = rille_pool_close_idle();
  if (wake_ms > 0)
    atomic_store(&watching, true);
  rille_sleeper_lock(&sleeper);
  return wake_ms;
}

void
rille_idle_watch(void)
{
  if (atomic_load(&watching) && sleeper.running)
    return;
  rille_sleeper_lock(&sleeper);
  if (rille_sleeper_need(&sleeper)) {
    atomic_store(&watching, true);
    rille_sleeper_ring(&sleeper);
  }
  rille_sleeper_unlock(&sleeper);
}

void
rille_idle_ring(void)
{
  rille_sleeper_lock(&sleeper);
  rille_sleeper_ring(&sleeper);
  rille_sleeper_unlock(&sleeper);
}
