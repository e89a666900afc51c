/* core/base/stop.c - one flag for the process. */
#include "core/base/stop.h"

#include <signal.h>

static volatile sig_atomic_t requested;

void
rille_stop_request(void)
{
  requested = 1;
}

void
rille_stop_clear(void)
{
  requested = 0;
}

bool
rille_stop_requested(void)
{
  return requested != 0;
}
