/* host/limit.h - how much memory and how many instructions the scripts of a host may use. */
#ifndef RILLE_HOST_LIMIT_H
#define RILLE_HOST_LIMIT_H

#include "host/host.h"

/* Sets the limits that the options ask for, with the defaults of rille.h. */
void rille_limit_init(struct rille_host *host, const rille_options *options);

/* A lua_Alloc whose `data` is a struct rille_host. */
void *rille_limit_alloc(void *data, void *block, size_t old_bytes, size_t new_bytes);

/* Begins a call: its instructions are counted from here on.  One that a hook makes is part of the call that runs the
** hook, and begins nothing.  Raises nothing. */
void rille_limit_begin(struct rille_host *host);

/* Sets the hook of a coroutine that counts, or none if nothing is counted.  Raises nothing. */
void rille_limit_watch(lua_State *L);

/* A lua_CFunction without results: charges the running call for a new coroutine, whose first instructions no hook
** would see. */
int rille_limit_charge(lua_State *L);

/* A lua_CFunction: true when the running call has used up its instructions. */
int rille_limit_exhausted(lua_State *L);

#endif
