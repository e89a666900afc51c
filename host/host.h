/* host/host.h - what the files of host/ share about a host. */
#ifndef RILLE_HOST_H
#define RILLE_HOST_H

#include <lua.h>

#include "host/blocks.h"
#include "host/rille.h"

/* Counts what a state allocates and executes; see limit.c. */
struct rille_limit {
  struct rille_blocks blocks; /* small blocks, used again and again */
  size_t used_bytes;
  size_t most_bytes;
  uint64_t instructions; /* of one call; 0: not counted */
  uint64_t left;         /* of the running call */
};

struct rille_host {
  lua_State *L;       /* its allocator's data is this struct: rille_host_of */
  lua_State *running; /* where a call runs: L, or the coroutine of the hook in C that runs; see hook.c */
  unsigned hooks;     /* how many hooks in C run, one inside the other */
  unsigned entered;   /* how many tenants were entered and not left */
  int last_hook;      /* the number given to the last one that was added */
  struct rille_limit limit;
  rille_error refusal; /* why no call runs any more; its kind is empty while they do */
  bool trusted;
};

/* The host that a state, or a coroutine of it, belongs to. */
struct rille_host *rille_host_of(lua_State *L);

/* Runs `body`, a lua_CFunction, with `data` as its light userdata.  False and *err (may be NULL) if it raised. */
bool rille_host_protect(struct rille_host *host, lua_CFunction body, void *data, rille_error *err);

/* Runs `body`, which puts back what a call had set, for a host that may be NULL.  When it raises, what was set may hold
** still, so no call runs any more. */
void rille_host_leave(struct rille_host *host, lua_CFunction body);

/* Behind each call: the tenant that was entered last holds again, whatever the call has set.  See rille_host_leave. */
void rille_host_restore_tenant(struct rille_host *host);

/* Makes what runs in the host end with an error of kind "interrupted", soon.  Async-signal-safe in its thread. */
void rille_host_interrupt(struct rille_host *host);

/* Takes an interruption back that has not struck yet. */
void rille_host_resume(struct rille_host *host);

/* Opens a module in C, for `require` to find.  False and *err if that raised. */
bool rille_host_provide(struct rille_host *host, const char *name, lua_CFunction open, rille_error *err);

#endif
