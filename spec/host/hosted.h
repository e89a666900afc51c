/* spec/host/hosted.h - a host with tables and models of a spec's own. */
#ifndef RILLE_SPEC_HOSTED_H
#define RILLE_SPEC_HOSTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/rille.h"

/* Opens a host, *state, and runs `source` in it, which connects, makes tables and models and returns something. */
int hosted_open(void **state, const char *source);
int hosted_close(void **state);

/* Creates a post; fails the test where that fails. */
void hosted_add(rille_host *host, const char *title);

#endif
