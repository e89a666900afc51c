/* core/bind/record.c - records, and reading their attributes.
**
** A record is one userdata: the struct, and behind it the packed row it came with.  Reading `post.title` looks at
**   1. the state table, when there is one: a changed value (the NULL sentinel for one that was set to nil);
**   2. the names of the layout: a column, decoded from the packed row;
**   3. the model's methods;
**   4. the relations that have been loaded;
**   5. the function `get` of the model: accessors, relations, columns that Lua decodes, and the error for all else. */
#include "core/bind/record.h"

#include <lauxlib.h>

#include "core/base/shown.h"
#include "core/bind/value.h"

/* Its address marks records. */
static const char record_tag;

/* -- records --------------------------------------------------------------------------------------------- */

rille_lua_record *
rille_lua_check_record(lua_State *L, int index)
{
  rille_lua_record *record = rille_lua_tagged(L, index, &record_tag, sizeof *record);

  if (record == NULL)
    (void)rille_lua_refuse(L, "a record was expected, not a %s (methods are called with a colon)",
                           luaL_typename(L, index));
  return record;
}

bool
rille_lua_is_record(lua_State *L, int index)
{
  return rille_lua_tagged(L, index, &record_tag, sizeof(rille_lua_record)) != NULL;
}

void
rille_lua_push_new_record(lua_State *L, int at)
{
  rille_lua_source *source = rille_lua_check_source(L, at);
  rille_lua_record *record = lua_newuserdatauv(L, sizeof *record, RILLE_RECORD_STATE);

  *record = (rille_lua_record){ .tag = &record_tag, .source = source, .layout = source->layout };
  if (lua_getiuservalue(L, at, RILLE_SOURCE_META) != LUA_TTABLE)
    (void)rille_lua_refuse(L, "rows of %s are no records", rille_show(source->table.name).text);
  (void)lua_setmetatable(L, -2);
}

void
rille_lua_push_record(lua_State *L, rille_lua_source *source, int meta, const rille_layout *layout, int origin,
                      const rille_cell *cells)
{
  rille_lua_record *record;
  rille_packed *row;

  /* A record of a whole row needs no origin: one value less for the collector to look at, a million times over. */
  record = lua_newuserdatauv(L, sizeof *record + rille_packed_size(cells, layout->count),
                             origin != 0 ? RILLE_RECORD_VALUES : RILLE_RECORD_STATE);
  row = (rille_packed *)(record + 1);
  rille_packed_fill(row, cells, layout->count);
  *record = (rille_lua_record){ .tag = &record_tag, .source = source, .layout = layout, .row = row, .exists = true };
  if (origin != 0) {
    lua_pushvalue(L, origin);
    (void)lua_setiuservalue(L, -2, RILLE_RECORD_ORIGIN);
  }
  lua_pushvalue(L, meta);
  (void)lua_setmetatable(L, -2);
}

void
rille_lua_push_record_source(lua_State *L, int index)
{
  const rille_lua_record *record = rille_lua_check_record(L, index);

  (void)lua_getmetatable(L, index);
  (void)lua_rawgetp(L, -1, record->source);
  lua_remove(L, -2);
}

void
rille_lua_push_state(lua_State *L, int index, rille_lua_record *record)
{
  index = lua_absindex(L, index);
  if (record->state) {
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
    return;
  }
  lua_createtable(L, 0, (int)record->source->table.column_count);
  if (record->related) {
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
    lua_rawseti(L, -2, RILLE_STATE_RELATIONS);
  }
  lua_pushvalue(L, -1);
  (void)lua_setiuservalue(L, index, RILLE_RECORD_STATE);
  record->state = true;
  record->related = false;
}

void
rille_lua_replace_state(lua_State *L, int index, rille_lua_record *record)
{
  if (record->state || record->related) { /* decoded values and relations stay */
    rille_lua_push_state(L, index, record);
    for (int i = RILLE_STATE_DECODED; i <= RILLE_STATE_RELATIONS; i++) {
      (void)lua_rawgeti(L, -1, i);
      lua_rawseti(L, -3, i);
    }
    lua_pop(L, 1);
  }
  (void)lua_setiuservalue(L, index, RILLE_RECORD_STATE);
  record->state = true;
}

void
rille_lua_record_saved(lua_State *L, int index, rille_lua_record *record, const rille_layout *layout,
                       const rille_cell *cells, int previous)
{
  rille_packed *row;

  index = lua_absindex(L, index);
  lua_createtable(L, RILLE_STATE_DECODED, 0);
  row = lua_newuserdatauv(L, rille_packed_size(cells, layout->count), 0);
  rille_packed_fill(row, cells, layout->count);
  lua_rawseti(L, -2, RILLE_STATE_ROW);
  if (previous != 0) {
    lua_pushvalue(L, previous);
    lua_rawseti(L, -2, RILLE_STATE_PREVIOUS);
  }
  rille_lua_replace_state(L, index, record);
  record->row = row;
  record->layout = layout;
  record->exists = true;
}

bool
rille_lua_record_merge(const rille_lua_record *record, const rille_cell *columns, const bool *given, rille_cell *merged)
{
  const rille_table *table = &record->source->table;
  const rille_layout *layout = record->layout;
  bool whole = layout == record->source->layout;
  size_t found = 0, wanted = 0, of_table = 0;

  for (size_t i = 0; given != NULL && i < table->column_count; i++)
    wanted += given[i];
  for (size_t i = 0; i < layout->count; i++) {
    const rille_column *column = whole            ? &table->columns[i]
                                 : layout->own[i] ? rille_table_column(table, layout->names[i])
                                                  : NULL;
    size_t at = column != NULL ? (size_t)(column - table->columns) : 0;

    of_table += column != NULL;
    found += column != NULL && given != NULL && given[at];
    merged[i] = column != NULL && (given == NULL || given[at] || column->generated) ? columns[at]
                                                                                    : rille_packed_cell(record->row, i);
  }
  return found == wanted && (of_table == table->column_count || of_table < layout->count);
}

int
rille_lua_record_position(const rille_lua_record *record, rille_str name)
{
  for (size_t i = 0; i < record->layout->count; i++)
    if (record->layout->own[i] && rille_str_equal(record->layout->names[i], name))
      return (int)i;
  return -1;
}

/* Position, from 0, of the column called by the string at 2 in the layout of the record at 1, among those that Lua
** does not have to decode; -1 when there is none.  `names` is the index of the source's names. */
static int
find_column(lua_State *L, const rille_lua_record *record, int names)
{
  int position = -1, top = lua_gettop(L);

  if (record->layout != record->source->layout) {
    if (lua_getiuservalue(L, 1, RILLE_RECORD_ORIGIN) != LUA_TTABLE) {
      lua_settop(L, top);
      return -1;
    }
    (void)lua_rawgeti(L, -1, RILLE_ORIGIN_NAMES);
    names = lua_gettop(L);
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, names) == LUA_TNUMBER)
    position = (int)lua_tointeger(L, -1) - 1;
  lua_settop(L, top);
  return position;
}

void
rille_lua_push_record_column(lua_State *L, const rille_lua_record *record, int position)
{
  rille_cell cell;

  if (record->row == NULL) {
    lua_pushnil(L);
    return;
  }
  cell = rille_packed_cell(record->row, (size_t)position);
  rille_lua_push_typed(L, record->layout->types[position], &cell, record->layout->what,
                       record->layout->names[position]);
}

/* Pushes what the relation called by the string at 2 gave to the record at 1, nil for none; false, with nothing of
** use pushed, when it has not been loaded. */
static bool
push_relation(lua_State *L, const rille_lua_record *record)
{
  if (!rille_lua_push_relations(L, 1, record))
    return false;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) == LUA_TNIL)
    return false;
  if (lua_isboolean(L, -1))
    lua_pushnil(L);
  return true;
}

/* __index(record, key); upvalues: names, methods, get */
static int
record_index(lua_State *L)
{
  rille_lua_record *record = lua_touserdata(L, 1);
  bool plain = !record->state && record->layout == record->source->layout;
  int position;

  if (plain) { /* the common case: nothing changed, whole rows */
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER) {
      rille_lua_push_record_column(L, record, (int)lua_tointeger(L, -1) - 1);
      return 1;
    }
    lua_pop(L, 1);
  }
  if (lua_type(L, 2) == LUA_TSTRING) {
    if (record->state) {
      (void)lua_getiuservalue(L, 1, RILLE_RECORD_STATE);
      lua_pushvalue(L, 2);
      if (lua_rawget(L, -2) != LUA_TNIL) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) { /* a column that Lua does not have to decode */
          lua_pop(L, 1);
          if (rille_lua_is_null(L, -1))
            lua_pushnil(L);
          return 1;
        }
        lua_pop(L, 1);
      }
      lua_pop(L, 2);
    }
    position = plain ? -1 : find_column(L, record, lua_upvalueindex(1));
    if (position >= 0) {
      rille_lua_push_record_column(L, record, position);
      return 1;
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
      return 1;
    if (push_relation(L, record))
      return 1;
  }
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

/* Pushes a closure over the source's names, the field `second` and the field `third` of the table at `record`. */
static void
push_accessor(lua_State *L, int source, int record, const char *second, const char *third, lua_CFunction function)
{
  (void)lua_getiuservalue(L, source, RILLE_SOURCE_NAMES);
  (void)lua_getfield(L, record, second);
  (void)lua_getfield(L, record, third);
  lua_pushcclosure(L, function, 3);
}

void
rille_lua_push_record_meta(lua_State *L, int source, int record)
{
  static const char *const passed[][2] = { { "name", "__name" }, { "pairs", "__pairs" }, { "tostring", "__tostring" } };

  lua_createtable(L, 0, 8);
  push_accessor(L, source, record, "methods", "get", record_index);
  lua_setfield(L, -2, "__index");
  push_accessor(L, source, record, "mutated", "set", rille_lua_record_newindex);
  lua_setfield(L, -2, "__newindex");
  for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
    (void)lua_getfield(L, record, passed[i][0]);
    lua_setfield(L, -2, passed[i][1]);
  }
  lua_pushvalue(L, source); /* keeps the source alive as long as one of its records */
  lua_rawsetp(L, -2, rille_lua_check_source(L, source));
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
}
