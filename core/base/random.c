/* core/base/random.c - getrandom(2). */
#include "core/base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

rille_status
rille_random(void *bytes, size_t count, rille_fault *fault)
{
  char *at = bytes;

  while (count > 0) {
    ssize_t got = getrandom(at, count, 0);

    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return rille_fault_set(fault, RILLE_UNSUPPORTED, "the system gives no random bytes: %s", strerror(errno));
    at += got;
    count -= (size_t)got;
  }
  return RILLE_OK;
}
