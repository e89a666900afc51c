/* core/driver/postgres_library.c - opens libpq, which stays open until the process ends. */
#define RILLE_PQ_PLAIN
#include "core/driver/postgres_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct rille_pq rille_pq;

static pthread_once_t tried = PTHREAD_ONCE_INIT;
static char failure[200]; /* why there is none; empty: there is */

static void
load(void)
{
  static const struct {
    const char *name;
    void *place;
  } calls[] = {
#define X(name) { #name, &rille_pq.name##_ },
    RILLE_PQ_LIST(X)
#undef X
  };
  void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);

  if (library == NULL) {
    (void)snprintf(failure, sizeof failure, "%s", dlerror());
    return;
  }
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    void *call = dlsym(library, calls[i].name);

    if (call == NULL) {
      (void)snprintf(failure, sizeof failure, "libpq.so.5 is too old: it has no %s", calls[i].name);
      return;
    }
    memcpy(calls[i].place, &call, sizeof call);
  }
}

rille_status
rille_pq_load(rille_fault *fault)
{
  (void)pthread_once(&tried, load);
  if (failure[0] == '\0')
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "PostgreSQL's client library cannot be used: %s", failure);
  rille_fault_hint(fault, "install libpq 14 or later (Debian: libpq5)");
  return RILLE_UNSUPPORTED;
}
