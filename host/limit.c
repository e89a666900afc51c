/* host/limit.c - memory through the allocator of a state, instructions through its count hook. */
#include "host/limit.h"

#include <lauxlib.h>

#include "host/error.h"

enum { INSTRUCTIONS_PER_HOOK = 1000 };

static const size_t DEFAULT_BYTES = (size_t)256 << 20;
static const uint64_t DEFAULT_INSTRUCTIONS = 1000000000;

void
rille_limit_init(struct rille_host *host, const rille_options *options)
{
  struct rille_limit *limit = &host->limit;

  limit->most_bytes = options->memory_bytes;
  limit->instructions = options->instructions;
  if (limit->most_bytes == 0)
    limit->most_bytes = options->trusted ? SIZE_MAX : DEFAULT_BYTES;
  if (limit->instructions == 0 && !options->trusted)
    limit->instructions = DEFAULT_INSTRUCTIONS;
  if (limit->instructions == RILLE_UNLIMITED_INSTRUCTIONS)
    limit->instructions = 0;
}

void *
rille_limit_alloc(void *data, void *block, size_t old_bytes, size_t new_bytes)
{
  struct rille_limit *limit = &((struct rille_host *)data)->limit;
  void *result;

  if (block == NULL)
    old_bytes = 0; /* Lua passes the kind of object instead */
  if (new_bytes == 0) {
    rille_blocks_give(&limit->blocks, block, old_bytes);
    limit->used_bytes -= old_bytes;
    return NULL;
  }
  if (new_bytes > old_bytes && new_bytes - old_bytes > limit->most_bytes - limit->used_bytes)
    return NULL;
  if (block == NULL)
    result = rille_blocks_take(&limit->blocks, new_bytes);
  else
    result = rille_blocks_resize(&limit->blocks, block, old_bytes, new_bytes);
  if (result == NULL && new_bytes <= old_bytes)
    result = block; /* Lua relies on it that shrinking never fails */
  if (result != NULL)
    limit->used_bytes += new_bytes - old_bytes;
  return result;
}

static _Noreturn void
raise_exhausted(lua_State *L, const struct rille_limit *limit)
{
  rille_host_raise(L, "timeout", "the host's `instructions` may be too few",
                   "the call took more than %llu instructions", (unsigned long long)limit->instructions);
}

/* Once a call has used up its instructions, every further one of it raises: a script that catches the error gets no
** further.  A coroutine left in that state is put back by the next call that resumes it. */
static void
count(lua_State *L, lua_Debug *ar)
{
  struct rille_limit *limit = &rille_host_of(L)->limit;
  uint64_t used = (uint64_t)lua_gethookcount(L);

  (void)ar;
  limit->left -= used < limit->left ? used : limit->left;
  if (limit->left == 0) {
    lua_sethook(L, count, LUA_MASKCOUNT, 1);
    raise_exhausted(L, limit);
  }
  if (used != INSTRUCTIONS_PER_HOOK)
    lua_sethook(L, count, LUA_MASKCOUNT, INSTRUCTIONS_PER_HOOK);
}

void
rille_limit_watch(lua_State *L)
{
  const struct rille_limit *limit = &rille_host_of(L)->limit;
  int every = limit->left < INSTRUCTIONS_PER_HOOK ? (int)limit->left : INSTRUCTIONS_PER_HOOK;

  if (limit->instructions > 0) /* coroutines inherit the hook */
    lua_sethook(L, count, LUA_MASKCOUNT, every > 0 ? every : 1);
  else
    lua_sethook(L, NULL, 0, 0);
}

void
rille_limit_begin(struct rille_host *host)
{
  if (host->hooks == 0) {
    host->limit.left = host->limit.instructions;
    rille_limit_watch(host->L);
  }
}

int
rille_limit_charge(lua_State *L)
{
  struct rille_limit *limit = &rille_host_of(L)->limit;

  if (limit->instructions > 0) {
    limit->left -= limit->left < INSTRUCTIONS_PER_HOOK ? limit->left : INSTRUCTIONS_PER_HOOK;
    if (limit->left == 0)
      raise_exhausted(L, limit);
  }
  return 0;
}

int
rille_limit_exhausted(lua_State *L)
{
  const struct rille_limit *limit = &rille_host_of(L)->limit;

  lua_pushboolean(L, limit->instructions > 0 && limit->left == 0);
  return 1;
}
