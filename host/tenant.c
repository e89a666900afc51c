/* host/tenant.c - the tenant of the calls of a host: lua/rille/tenant.lua, told from C. */
#include "host/host.h"

#include "host/copy.h"
#include "host/error.h"
#include "host/library.h"
#include "host/limit.h"

struct entry {
  const rille_value *id; /* NULL: the slug alone says who it is */
  const char *slug;
};

/* (struct entry *) */
static int
enter(lua_State *L)
{
  const struct entry *entry = (const struct entry *)lua_touserdata(L, 1);

  rille_library_require(L, "rille.tenant");
  lua_getfield(L, -1, "enter");
  if (entry->id == NULL) {
    lua_pushstring(L, entry->slug);
  } else {
    lua_createtable(L, 0, 2);
    rille_host_push(L, entry->id);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, entry->slug);
    lua_setfield(L, -2, "slug");
  }
  lua_call(L, 1, 0);
  return 0;
}

/* Calls a word of rille.tenant. */
static int
call(lua_State *L, const char *word)
{
  rille_library_require(L, "rille.tenant");
  lua_getfield(L, -1, word);
  lua_call(L, 0, 0);
  return 0;
}

static int
leave(lua_State *L)
{
  return call(L, "leave");
}

static int
restore(lua_State *L)
{
  return call(L, "restore");
}

void
rille_host_restore_tenant(struct rille_host *host)
{
  if (host->entered > 0)
    rille_host_leave(host, restore);
}

static bool
begin(rille_host *host, const struct entry *entry, rille_error *err)
{
  bool ok;

  rille_limit_begin(host);
  ok = rille_host_protect(host, enter, (void *)(uintptr_t)entry, err);
  host->entered += ok;
  return ok;
}

bool
rille_tenant_enter(rille_host *host, const char *slug, rille_error *err)
{
  if (host == NULL || slug == NULL) {
    rille_host_fail(err, "invalid_argument", "rille_tenant_enter: the host and the slug must not be NULL", NULL);
    return false;
  }
  return begin(host, &(struct entry){ .slug = slug }, err);
}

bool
rille_tenant_enter_id(rille_host *host, rille_value id, const char *slug, rille_error *err)
{
  if (host == NULL) {
    rille_host_fail(err, "invalid_argument", "rille_tenant_enter_id: the host must not be NULL", NULL);
    return false;
  }
  return begin(host, &(struct entry){ .id = &id, .slug = slug }, err);
}

void
rille_tenant_leave(rille_host *host)
{
  rille_host_leave(host, leave);
  if (host && host->entered > 0)
    host->entered--;
}
