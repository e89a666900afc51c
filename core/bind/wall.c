/* core/bind/wall.c - the tenant of the calling coroutine, told to a connection of a database that keeps tenants apart.
**
** core.wall is { number, try }: Lua counts the number up when what the database should be like is another thing than
** before, and `try(db, name)` raises where it is not like that.  It is asked inside a tenant, once for each number and
** each connecting. */
#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"
#include "core/run/wall.h"

/* Its address is the registry's key of core.wall. */
static const char wall_key;

static void
try_wall(lua_State *L, const rille_lua_database *database, rille_connection *connection)
{
  rille_wall *wall = connection->wall;
  uint64_t generation = connection->conn->driver->generation(connection->conn);
  int top = lua_gettop(L), failed;
  lua_Integer number;

  luaL_checkstack(L, 6, NULL);
  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &wall_key);
  (void)lua_rawgeti(L, -1, 1);
  number = lua_tointeger(L, -1);
  if (lua_touserdata(L, 1) != database)
    (void)rille_lua_refuse(L, "nothing of a tenant's is done with two databases at once");
  if (!wall->trying && (number != wall->tried || generation != wall->generation)) {
    (void)lua_rawgeti(L, -2, 2);
    lua_pushvalue(L, 1);
    (void)lua_pushlstring(L, database->name.at, database->name.len);
    wall->trying = true; /* what it asks runs here, too */
    failed = lua_pcall(L, 2, 0, 0);
    wall->trying = false;
    if (failed)
      (void)lua_error(L);
    wall->tried = number;
    wall->generation = generation;
  }
  lua_settop(L, top);
}

void
rille_lua_wall(lua_State *L, const rille_lua_database *database, rille_connection *connection)
{
  int top = lua_gettop(L);
  rille_str tenant, everybody;
  rille_fault fault;

  rille_lua_whose(L, &tenant, &everybody);
  if (tenant.len > 0)
    try_wall(L, database, connection);
  if (rille_wall_set(connection->wall, tenant, everybody, &fault) != RILLE_OK)
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  lua_settop(L, top);
}

void
rille_lua_add_wall(lua_State *L)
{
  lua_createtable(L, 2, 0);
  lua_pushinteger(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &wall_key);
  lua_setfield(L, -2, "wall");
}
