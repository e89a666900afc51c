/* host/library.c - the modules of a state: Lua's own, LPeg, the core, and the Lua files compiled into this library. */
#include "host/library.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua-lpeg.h>
#include <lualib.h>

#include "core/bind/open.h"
#include "host/limit.h"
#include "host/modules.h"

/* Keys of the registry. */
static const char REQUIRE; /* the function `require`, as Lua made it */
static const char GLOBALS; /* what the library's modules see as globals; nil: what all see */
static const char PLAIN;   /* the function that plain.lua returns, once it was needed */
static const char LISTEN;  /* that of listen.lua */

static int
by_name(const void *name, const void *module)
{
  return strcmp((const char *)name, ((const struct rille_module *)module)->name);
}

static const struct rille_module *
find_module(const char *name)
{
  return (const struct rille_module *)bsearch(name, rille_modules, rille_modules_count, sizeof *rille_modules, by_name);
}

/* Pushes the function of an embedded module; bytecode that we wrote ourselves. */
static void
load_module(lua_State *L, const struct rille_module *module)
{
  if (luaL_loadbufferx(L, (const char *)module->code, module->bytes, module->name, "b") != LUA_OK)
    lua_error(L);
}

/* Gives the function on top the globals of the library, in a host where they differ from those of scripts. */
static void
set_globals(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &GLOBALS) != LUA_TNIL)
    lua_setupvalue(L, -2, 1);
  else
    lua_pop(L, 1);
}

/* Pushes the file that RILLE_LUA_PATH gives for the name at 1, if it does.  Upvalue 1 is package.searchpath. */
static bool
find_override(lua_State *L)
{
  const char *path = getenv("RILLE_LUA_PATH");

  if (path == NULL)
    return false;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_pushstring(L, path);
  lua_call(L, 2, 1);
  return !lua_isnil(L, -1);
}

/* A searcher as package.searchers wants it: before files, so that an installation cannot be mixed with another. */
static int
search(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  const struct rille_module *module = *name == '=' ? NULL : find_module(name);

  if (find_override(L)) {
    if (luaL_loadfilex(L, lua_tostring(L, -1), "t") != LUA_OK)
      return lua_error(L);
    set_globals(L);
    lua_insert(L, -2);
    return 2;
  }
  if (module == NULL) {
    lua_pushfstring(L, "no module '%s' in librille", name);
    return 1;
  }
  load_module(L, module);
  set_globals(L);
  lua_pushliteral(L, ":librille:");
  return 2;
}

/* package.searchers: ours behind package.preload. */
static void
add_searcher(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_getfield(L, -2, "searchpath");
  lua_pushcclosure(L, search, 1);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

/* limited.lua takes away what scripts shall not have and returns the globals of the library. */
static void
limit_scripts(lua_State *L)
{
  load_module(L, find_module("=limited"));
  lua_pushcfunction(L, rille_limit_charge);
  lua_pushcfunction(L, rille_limit_exhausted);
  lua_call(L, 2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &GLOBALS);
}

void
rille_library_open(lua_State *L)
{
  luaL_checkversion(L);
  luaL_openlibs(L);
  luaL_requiref(L, "rille.core", luaopen_rille_core, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_lpeg);
  lua_setfield(L, -2, "lpeg");
  lua_getglobal(L, "require");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &REQUIRE);
  lua_pop(L, 2);
  add_searcher(L);
  if (!rille_host_of(L)->trusted)
    limit_scripts(L);
}

void
rille_library_require(lua_State *L, const char *name)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &REQUIRE);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

void
rille_library_null(lua_State *L)
{
  rille_library_require(L, "rille.core");
  lua_getfield(L, -1, "null");
  lua_remove(L, -2);
}

/* Pushes what a module that no script can name returns, and keeps it under `key`. */
static void
push_private(lua_State *L, const char *name, const char *key)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
    lua_pop(L, 1);
    load_module(L, find_module(name));
    set_globals(L);
    lua_call(L, 0, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  }
}

void
rille_library_plain(lua_State *L)
{
  push_private(L, "=plain", &PLAIN);
}

void
rille_library_listen(lua_State *L)
{
  push_private(L, "=listen", &LISTEN);
}
