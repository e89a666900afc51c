/* core/bind/open.c - all that Lua can call; each line below names the file that holds it.
**
**   core.open(options) -> database        database.c: close begin commit rollback depth forget trace last path stats
**                                         copy.c:     copy
**                                         carry.c:    carry
**                                         session.c:  count token look judge track seen generation look_again
**                                         transaction.c: exclusive, and the levels
**                                         raw.c:      query execute tables describe
**                                         read.c:     all first cursor pluck aggregate exists sql
**                                         together.c: together
**                                         write.c:    update delete
**                                         insert.c:   insert
**                                         save.c:     find insert_record update_record delete_record
**   core.pool_*                           pooled.c: bounds on open databases, deleting one
**   core.source(description) -> source    source.c
**   core.record_*, core.is_record         record_api.c, record_relation.c
**   core.json                             json.c: a value, a record or a list as JSON text
**   core.null, core.blob, core.error      value.c
**   core.op                               tree.c: the numbers that stand in query nodes
**   core.tenants, core.enter              context.c: whose rows a coroutine may see
**   core.wall                             wall.c: databases that keep tenants apart by themselves
**   core.copy_file, core.file_size, ...   file.c: whole files
**   core.now, core.checksum, ...          system.c */
#include "core/bind/open.h"

#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/json.h"
#include "core/bind/record.h"
#include "core/bind/source.h"
#include "core/bind/system.h"
#include "core/bind/context.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"

int
luaopen_rille_core(lua_State *L)
{
  luaL_checkversion(L);
  lua_createtable(L, 0, 32);
  rille_lua_add_values(L);
  rille_lua_add_work(L);
  rille_lua_add_source(L);
  rille_lua_add_record(L);
  rille_lua_add_json(L);
  rille_lua_add_database(L);
  rille_lua_add_pool(L);
  rille_lua_add_mirror(L);
  rille_lua_add_ops(L);
  rille_lua_add_system(L);
  rille_lua_add_contexts(L);
  rille_lua_add_wall(L);
  rille_lua_add_file(L);
  return 1;
}
