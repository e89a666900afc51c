/* core/bind/ends.h - the methods of a database, by the file that holds them. */
#ifndef RILLE_BIND_ENDS_H
#define RILLE_BIND_ENDS_H

#include <lauxlib.h>

extern const luaL_Reg rille_lua_raw_methods[];          /* raw.c: SQL text, catalog */
extern const luaL_Reg rille_lua_read_methods[];         /* read.c: queries that give rows */
extern const luaL_Reg rille_lua_write_methods[];        /* write.c: update, delete by query */
extern const luaL_Reg rille_lua_insert_methods[];       /* insert.c: rows put in */
extern const luaL_Reg rille_lua_save_methods[];         /* save.c: records found, inserted, updated, deleted by key */
extern const luaL_Reg rille_lua_mirror_methods[];       /* mirror.c: the outbox, applied to mirrors */
extern const luaL_Reg rille_lua_related_methods[];      /* related.c: records of a relation */
extern const luaL_Reg rille_lua_together_methods[];     /* together.c: several reads in one round trip */
extern const luaL_Reg rille_lua_transaction_methods[];  /* transaction.c: levels */
extern const luaL_Reg rille_lua_session_methods[];      /* session.c: places in the history, as tokens */
extern const luaL_Reg rille_lua_session_look_methods[]; /* session_look.c: places that were seen */
extern const luaL_Reg rille_lua_copy_methods[];         /* copy.c: all that another database holds */
extern const luaL_Reg rille_lua_carry_methods[];        /* carry.c: rows carried into a table of another database */

/* Makes the metatable of guards, which transaction.c gives out. */
void rille_lua_add_guard(lua_State *L);

#endif
