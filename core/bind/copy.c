/* core/bind/copy.c - one database made a copy of another. */
#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"

/* db:copy(other): from now on db holds what the other database holds, and nothing else */
static int
database_copy(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *other = rille_lua_check_database(L, 2);
  rille_connection *to, *from;
  rille_fault fault;
  rille_status status;

  if (database->driver != other->driver || database == other)
    return rille_lua_refuse(L, "copy: wants another database of the same driver");
  to = rille_lua_connection_idle(L, database, "copy");
  from = rille_lua_connection_idle(L, other, "copy");
  status = database->driver->copy(to->conn, from->conn, &fault);
  for (int i = 0; i < database->count && status == RILLE_OK; i++)
    rille_connection_forget(database->connections[i]);
  rille_lua_settle(database);
  rille_lua_settle(other);
  return status == RILLE_OK ? 0 : rille_lua_raise(L, &fault, (rille_str){ 0 });
}

const luaL_Reg rille_lua_copy_methods[] = {
  { "copy", database_copy },
  { NULL, NULL },
};
