/* core/base/random.h - bytes that nobody can guess. */
#ifndef RILLE_RANDOM_H
#define RILLE_RANDOM_H

#include "core/base/status.h"

/* Fills `bytes` from the system's generator, which is right for keys. */
rille_status rille_random(void *bytes, size_t count, rille_fault *fault);

#endif
