/* host/session.c - the session of the calls of a host: lua/rille/session.lua, told from C. */
#include "host/host.h"

#include "host/copy.h"
#include "host/error.h"
#include "host/library.h"
#include "host/limit.h"

/* Pushes the function of that name of the module. */
static void
push_function(lua_State *L, const char *name)
{
  rille_library_require(L, "rille.session");
  lua_getfield(L, -1, name);
}

/* (const char *token) */
static int
enter(lua_State *L)
{
  const char *token = (const char *)lua_touserdata(L, 1);

  push_function(L, "enter");
  lua_createtable(L, 0, 1);
  lua_pushstring(L, token);
  lua_setfield(L, -2, "token");
  lua_call(L, 1, 0);
  return 0;
}

struct look {
  rille_value *token;
  bool lost;
};

/* (struct look *) */
static int
look(lua_State *L)
{
  struct look *look = (struct look *)lua_touserdata(L, 1);

  push_function(L, "state");
  lua_call(L, 0, 2);
  look->lost = lua_toboolean(L, -1) != 0;
  rille_host_take(L, -2, SIZE_MAX, &look->token);
  return 0;
}

static int
leave(lua_State *L)
{
  push_function(L, "leave");
  lua_call(L, 0, 0);
  return 0;
}

bool
rille_session_enter(rille_host *host, const char *token, rille_error *err)
{
  if (host == NULL) {
    rille_host_fail(err, "invalid_argument", "rille_session_enter: the host must not be NULL", NULL);
    return false;
  }
  rille_limit_begin(host);
  return rille_host_protect(host, enter, (void *)(uintptr_t)token, err);
}

rille_value *
rille_session_token(rille_host *host, bool *lost, rille_error *err)
{
  struct look seen = { 0 };

  if (lost != NULL)
    *lost = false;
  if (host == NULL) {
    rille_host_fail(err, "invalid_argument", "rille_session_token: the host must not be NULL", NULL);
    return NULL;
  }
  rille_limit_begin(host);
  if (!rille_host_protect(host, look, &seen, err)) {
    rille_free(seen.token);
    return NULL;
  }
  if (lost != NULL)
    *lost = seen.lost;
  return seen.token;
}

void
rille_session_leave(rille_host *host)
{
  rille_host_leave(host, leave);
}
