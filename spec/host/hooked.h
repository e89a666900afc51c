/* spec/host/hooked.h - a host with models of posts and authors, to which specs of hooks in C add theirs. */
#ifndef RILLE_SPEC_HOOKED_H
#define RILLE_SPEC_HOOKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/rille.h"

/* A case whose *state is such a host.  A hook in Lua writes "lua " behind the slug of a post that is created. */
#define IN_A_HOST(test) cmocka_unit_test_setup_teardown(test, hooked_open, hooked_close)

int hooked_open(void **state);
int hooked_close(void **state);

/* Runs source text that must succeed; the result is the caller's. */
rille_value *hooked_run(rille_host *host, const char *source);

/* Runs source text that must fail. */
rille_error hooked_error_of(rille_host *host, const char *source);

/* Runs source text that must return this text. */
void hooked_text(rille_host *host, const char *source, const char *wanted);

/* There are so many posts. */
void hooked_count(rille_host *host, int64_t wanted);

/* A hook: runs the Lua text `data` with the record as its argument, and fails as that does. */
int hooked_run_text(rille_host *host, rille_value *record, void *data, rille_error *err);

#endif
