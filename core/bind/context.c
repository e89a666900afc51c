/* core/bind/context.c - the contexts of coroutines in a table with weak keys, and who was met last.
**
** The coroutine met last is known by its address.  Another one may come to be there once it is no more, so it is also
** in a table with weak values, which forgets it before that.  The main one is as old as the state. */
#include "core/bind/context.h"

#include <lauxlib.h>
#include <stdatomic.h>

#include "core/bind/value.h"

/* Their addresses are the registry's keys of core.tenants, and of a rille_lua_met. */
static const char tenants_key, met_key;

/* User values of a rille_lua_met. */
enum { MET_THREAD = 1, MET_CONTEXT = 2, MET_VALUES = 2 };

static atomic_bool ever_set;

int
rille_lua_push_context(lua_State *L)
{
  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &tenants_key);
  (void)lua_pushthread(L);
  return lua_rawget(L, -2) == LUA_TTABLE ? lua_gettop(L) : 0;
}

bool
rille_lua_read_tenant(lua_State *L, int context, rille_cell *cell)
{
  if (context == 0)
    return false;
  (void)lua_rawgeti(L, context, 1);
  rille_lua_check_cell(L, -1, "a tenant", cell);
  return cell->kind != RILLE_NULL;
}

bool
rille_lua_had_tenants(void)
{
  return atomic_load_explicit(&ever_set, memory_order_relaxed);
}

/* -- who was met last ------------------------------------------------------------------------------------ */

static rille_lua_met *
push_met(lua_State *L)
{
  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &met_key);
  return lua_touserdata(L, -1);
}

rille_lua_met *
rille_lua_know_met(lua_State *L, int index, int value)
{
  rille_lua_met *met = push_met(L);

  (void)lua_getiuservalue(L, -1, MET_THREAD);
  (void)lua_setiuservalue(L, index, value);
  lua_pop(L, 1);
  return met;
}

/* The calling coroutine's context is met->context; the table that knows it weakly is at the top. */
static void
note_thread(lua_State *L, rille_lua_met *met)
{
  met->main = lua_pushthread(L) == 1;
  lua_rawseti(L, -2, 1);
  met->thread = L;
}

/* The context at that index becomes met->context, if it is a tenant's and lifts nothing. */
static bool
take_context(lua_State *L, rille_lua_met *met, int context)
{
  rille_cell tenant;

  if (context == 0 || lua_rawgeti(L, context, 4) != LUA_TNIL || !rille_lua_read_tenant(L, context, &tenant))
    return false;
  met->thread = NULL; /* whoever it was, it is not this one */
  (void)push_met(L);
  lua_pushvalue(L, context);
  (void)lua_setiuservalue(L, -2, MET_CONTEXT);
  met->context = lua_topointer(L, context);
  met->tenant = tenant;
  return true;
}

/* Is it still the coroutine met last that is at its address? */
static bool
is_still_there(lua_State *L, int index, int value)
{
  bool there;

  (void)lua_getiuservalue(L, index, value);
  there = lua_rawgeti(L, -1, 1) == LUA_TTHREAD;
  lua_pop(L, 2);
  return there;
}

bool
rille_lua_meet(lua_State *L, rille_lua_met *met, int index, int value)
{
  int top, context;
  bool plain;

  if (met->thread == L && (met->main || is_still_there(L, index, value)))
    return true;
  top = lua_gettop(L);
  luaL_checkstack(L, 8, "a query is too deep");
  context = rille_lua_push_context(L);
  plain = (context != 0 && lua_topointer(L, context) == met->context) || take_context(L, met, context);
  if (plain) {
    (void)lua_getiuservalue(L, index, value);
    note_thread(L, met);
  }
  lua_settop(L, top);
  return plain;
}

/* -- known tenants --------------------------------------------------------------------------------------- */

/* Has the tenant at 1 an id and a slug, and nothing else?  Pushes both, the slug above. */
static bool
push_tenant(lua_State *L)
{
  int fields = 0;

  for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1))
    fields++;
  lua_pushliteral(L, "id");
  (void)lua_rawget(L, 1);
  lua_pushliteral(L, "slug");
  return lua_rawget(L, 1) != LUA_TNIL && !lua_isnil(L, -2) && fields == 2;
}

/* known_tenant(tenant, fn, contexts) -> what `contexts` has under the slug of the tenant { id =, slug = }, if that is
** of its id; nothing otherwise, nor where fn is no function: Lua looks closer, and says what is wrong. */
static int
known(lua_State *L)
{
  lua_settop(L, 3);
  if (!lua_istable(L, 1) || !lua_isfunction(L, 2) || !push_tenant(L) || lua_rawget(L, 3) != LUA_TTABLE)
    return 0;
  (void)lua_rawgeti(L, -1, 1);
  if (!lua_rawequal(L, -1, -3))
    return 0;
  lua_pop(L, 1);
  return 1;
}

/* -- being somebody -------------------------------------------------------------------------------------- */

/* The value at 1, a context or nil, becomes the calling coroutine's; upvalues as of enter(). */
static void
put(lua_State *L)
{
  rille_lua_met *met = lua_touserdata(L, lua_upvalueindex(2));

  if (!lua_isnil(L, 1))
    atomic_store_explicit(&ever_set, true, memory_order_relaxed);
  (void)lua_pushthread(L);
  lua_pushvalue(L, 1);
  lua_rawset(L, lua_upvalueindex(1));
  if (met->thread == L)
    met->thread = NULL;
  if (met->context != NULL && lua_topointer(L, 1) == met->context) {
    (void)lua_getiuservalue(L, lua_upvalueindex(2), MET_THREAD);
    note_thread(L, met);
  }
}

/* Is the calling coroutine a key of the table at that index? */
static bool
is_among(lua_State *L, int index)
{
  bool found;

  (void)lua_pushthread(L);
  found = lua_rawget(L, index) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

/* enter(context | nil [, held]) -> what was before; upvalues: core.tenants, and the rille_lua_met, which stands for
** nobody */
static int
enter(lua_State *L)
{
  bool asked = lua_istable(L, 2);

  if (!lua_isnoneornil(L, 1))
    luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (asked && (is_among(L, 2) || is_among(L, lua_upvalueindex(1))))
    return 0;
  (void)lua_pushthread(L);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
  }
  put(L);
  lua_settop(L, 3);
  return 1;
}

/* The __close of what enter() gave; upvalues as there */
static int
go_back(lua_State *L)
{
  lua_settop(L, 1);
  if (lua_touserdata(L, 1) != NULL) {
    lua_pushnil(L);
    lua_replace(L, 1);
  }
  put(L);
  return 0;
}

/* Pushes the table with the mode "k" or "v". */
static void
push_weak(lua_State *L, const char *mode)
{
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  (void)lua_setmetatable(L, -2);
}

void
rille_lua_add_contexts(lua_State *L)
{
  int module = lua_gettop(L), tenants = module + 1, met = module + 2;

  luaL_checkstack(L, 8, NULL);
  push_weak(L, "k");
  *(rille_lua_met *)lua_newuserdatauv(L, sizeof(rille_lua_met), MET_VALUES) = (rille_lua_met){ 0 };
  push_weak(L, "v");
  (void)lua_setiuservalue(L, met, MET_THREAD);

  lua_createtable(L, 0, 1);
  lua_pushvalue(L, tenants);
  lua_pushvalue(L, met);
  lua_pushcclosure(L, go_back, 2);
  lua_setfield(L, -2, "__close");
  lua_pushvalue(L, -1);
  (void)lua_setmetatable(L, met);
  lua_setfield(L, module, "context_meta");

  lua_pushvalue(L, tenants);
  lua_pushvalue(L, met);
  lua_pushcclosure(L, enter, 2);
  lua_setfield(L, module, "enter");
  lua_pushcfunction(L, known);
  lua_setfield(L, module, "known_tenant");

  lua_rawsetp(L, LUA_REGISTRYINDEX, &met_key);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &tenants_key);
  lua_setfield(L, module, "tenants");
}
