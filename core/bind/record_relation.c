/* core/bind/record_relation.c - what relations gave to records: kept with them, found again, and dealt out to all that
** were read together. */
#include <lauxlib.h>

#include "core/bind/record.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"

/* Pushes the table of the relations of the record at `index`; false, with something else pushed, when there is none. */
static bool
push_kept(lua_State *L, int index, const rille_lua_record *record)
{
  if (!record->state && !record->related)
    lua_pushnil(L);
  else
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
  if (record->state) {
    (void)lua_rawgeti(L, -1, RILLE_STATE_RELATIONS);
    lua_remove(L, -2);
  }
  return lua_istable(L, -1);
}

bool
rille_lua_push_relations(lua_State *L, int index, const rille_lua_record *record)
{
  bool found = push_kept(L, index, record) && rille_lua_relations_fit(L, lua_gettop(L));

  if (!found)
    lua_pop(L, 1);
  return found;
}

/* Pushes the same; made where there is none that fits. */
static void
push_room(lua_State *L, int index, rille_lua_record *record)
{
  if (rille_lua_push_relations(L, index, record))
    return;
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -1);
  if (record->state) {
    rille_lua_push_state(L, index, record);
    lua_insert(L, -2);
    lua_rawseti(L, -2, RILLE_STATE_RELATIONS);
    lua_pop(L, 1);
  } else {
    (void)lua_setiuservalue(L, index, RILLE_RECORD_STATE);
    record->related = true;
  }
}

/* Keeps the value at `value` with the record at `index`, under the name at `name`; all absolute.  `mark` is as of
** record_relate. */
static void
relate(lua_State *L, int index, int name, int value, int mark)
{
  push_room(L, index, rille_lua_check_record(L, index));
  if (!lua_isnil(L, mark)) {
    lua_pushvalue(L, mark);
    lua_rawseti(L, -2, RILLE_RELATIONS_MARK);
  }
  lua_pushvalue(L, name);
  lua_pushvalue(L, value);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* record_relate(record, name, value, mark): keeps what a relation gave: a record, a list, a plain table, or false for
** none; nil forgets it.  `mark` tells under which view of the rows, see tenant.h; nil: it is the same for all. */
static int
record_relate(lua_State *L)
{
  (void)rille_lua_check_text(L, 2, "the name of a relation");
  lua_settop(L, 4);
  relate(L, 1, 2, 3, 4);
  return 0;
}

/* record_related(record, name) -> what record_relate kept, or nil */
static int
record_related(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);

  (void)rille_lua_check_text(L, 2, "the name of a relation");
  lua_settop(L, 2);
  if (!rille_lua_push_relations(L, 1, record))
    return 0;
  lua_pushvalue(L, 2);
  (void)lua_rawget(L, 3);
  return 1;
}

/* -- for all that were read together -------------------------------------------------------------------------- */

/* record_keys(records, column) -> the column's value of each record (false: NULL), and each value once */
static int
record_keys(lua_State *L)
{
  enum { RECORDS = 1, COLUMN, KEYS, VALUES, SEEN, RECORD, VALUE };
  lua_Integer count, distinct = 0;

  luaL_checktype(L, RECORDS, LUA_TTABLE);
  lua_settop(L, COLUMN);
  count = (lua_Integer)lua_rawlen(L, RECORDS);
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, (int)count);
  for (lua_Integer i = 1; i <= count; i++) {
    (void)lua_rawgeti(L, RECORDS, i);
    rille_lua_push_record_value(L, RECORD, rille_lua_check_record(L, RECORD), COLUMN);
    if (lua_toboolean(L, VALUE)) {
      lua_pushvalue(L, VALUE);
      if (lua_rawget(L, SEEN) == LUA_TNIL) {
        lua_pushvalue(L, VALUE);
        lua_pushboolean(L, true);
        lua_rawset(L, SEEN);
        lua_pushvalue(L, VALUE);
        lua_rawseti(L, VALUES, ++distinct);
      }
      lua_settop(L, VALUE);
    } else {
      lua_pop(L, 1);
      lua_pushboolean(L, false);
    }
    lua_rawseti(L, KEYS, i);
    lua_settop(L, SEEN);
  }
  lua_settop(L, VALUES);
  return 2;
}

/* Where things stand in record_deal. */
enum { PARENTS = 1, KEYS, ROWS, ROW_KEYS, NAME, META, MARK, GROUPS, NUMBERS, ROOM };

/* Rows with the same key, for the parents that have it.  Groups are counted from 1: 0 is none. */
struct groups {
  size_t parents, rows, count;
  size_t *of_parent, *of_row; /* group of each */
  size_t *sizes;              /* rows of each */
};

/* The number of the group of the key at the top, which goes; 0 for none. */
static size_t
group_of(lua_State *L)
{
  size_t number;

  (void)lua_rawget(L, NUMBERS);
  number = (size_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return number;
}

static void
find_groups(lua_State *L, struct groups *groups)
{
  for (size_t i = 0; i < groups->parents; i++) {
    (void)lua_rawgeti(L, KEYS, (lua_Integer)i + 1);
    if (!lua_toboolean(L, -1)) {
      lua_pop(L, 1);
      continue; /* nothing belongs to NULL */
    }
    lua_pushvalue(L, -1);
    groups->of_parent[i] = group_of(L);
    if (groups->of_parent[i] == 0) {
      groups->of_parent[i] = ++groups->count;
      lua_pushinteger(L, (lua_Integer)groups->count);
      lua_rawset(L, NUMBERS);
    } else {
      lua_pop(L, 1);
    }
  }
  for (size_t i = 0; i < groups->rows; i++) {
    (void)lua_rawgeti(L, ROW_KEYS, (lua_Integer)i + 1);
    groups->of_row[i] = group_of(L);
    groups->sizes[groups->of_row[i]]++;
  }
}

/* Pushes a list with room for that many. */
static void
push_list(lua_State *L, size_t size)
{
  lua_createtable(L, (int)size, 0);
  lua_pushvalue(L, META);
  (void)lua_setmetatable(L, -2);
}

/* Puts into GROUPS what each group gives: the list of its rows, or the first one of them. */
static void
fill_groups(lua_State *L, struct groups *groups)
{
  bool many = lua_istable(L, META);
  size_t *filled = groups->sizes + groups->count + 1;

  for (size_t i = 0; i < groups->rows; i++) {
    size_t group = groups->of_row[i];

    if (group == 0 || (!many && filled[group] > 0))
      continue;
    if (!many)
      (void)lua_rawgeti(L, ROWS, (lua_Integer)i + 1);
    else if (filled[group] == 0)
      push_list(L, groups->sizes[group]);
    else
      (void)lua_rawgeti(L, GROUPS, (lua_Integer)group);
    if (many) {
      (void)lua_rawgeti(L, ROWS, (lua_Integer)i + 1);
      lua_rawseti(L, -2, (lua_Integer)filled[group] + 1);
    }
    if (filled[group]++ == 0)
      lua_rawseti(L, GROUPS, (lua_Integer)group);
    else
      lua_pop(L, 1);
  }
}

/* record_deal(parents, keys, rows, row_keys, name, list, mark): keeps with each parent what a relation gave for its
** key: a list (`list`: the metatable of lists) of the rows that have it, or without `list` the first of these, or
** none */
static int
record_deal(lua_State *L)
{
  struct groups groups = { 0 };
  size_t *room;

  for (int i = PARENTS; i <= ROW_KEYS; i++)
    luaL_checktype(L, i, LUA_TTABLE);
  (void)rille_lua_check_text(L, NAME, "the name of a relation");
  lua_settop(L, MARK);
  groups.parents = lua_rawlen(L, PARENTS);
  groups.rows = lua_rawlen(L, ROWS);
  lua_createtable(L, (int)groups.parents, 0);
  lua_createtable(L, 0, (int)groups.parents);
  room = lua_newuserdatauv(L, (3 * groups.parents + groups.rows + 2) * sizeof *room, 0);
  memset(room, 0, (3 * groups.parents + groups.rows + 2) * sizeof *room);
  groups.of_parent = room;
  groups.of_row = room + groups.parents;
  groups.sizes = groups.of_row + groups.rows;
  find_groups(L, &groups);
  fill_groups(L, &groups);
  for (size_t i = 0; i < groups.parents; i++) {
    size_t group = groups.of_parent[i];

    (void)lua_rawgeti(L, PARENTS, (lua_Integer)i + 1);
    if (group != 0 && groups.sizes[group] > 0)
      (void)lua_rawgeti(L, GROUPS, (lua_Integer)group);
    else if (lua_istable(L, META))
      push_list(L, 0);
    else
      lua_pushboolean(L, false);
    relate(L, ROOM + 1, NAME, ROOM + 2, MARK);
    lua_settop(L, ROOM);
  }
  return 0;
}

const luaL_Reg rille_lua_relation_functions[] = {
  { "record_relate", record_relate },
  { "record_related", record_related },
  { "record_keys", record_keys },
  { "record_deal", record_deal },
  { NULL, NULL },
};
