/* core/bind/record_api.c - the functions on records that lua/rille/record.lua is made of. */
#include <lauxlib.h>

#include "core/bind/record.h"
#include "core/bind/value.h"

/* record_new(source) -> a record that is not in the database */
static int
record_new(lua_State *L)
{
  rille_lua_push_new_record(L, 1);
  return 1;
}

/* record_put(record, name, value): writes a column, past mutators */
static int
record_put(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);
  const rille_column *column = rille_table_column(&record->source->table,
                                                  rille_lua_check_text(L, 2, "the name of a column"));

  lua_settop(L, 3);
  if (column == NULL) {
    rille_fault fault;

    (void)rille_table_no_column(&record->source->table, rille_lua_text(L, 2), &fault);
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  rille_lua_push_state(L, 1, record);
  rille_lua_record_put(L, record, column, 2, 3, 4);
  return 0;
}

/* record_fill(record, attributes, assignable, positions) -> the first name that is not assignable, or nothing when
** all were assigned.  `assignable` holds true for names that may be; `positions` the place, from 1, of columns that
** are written directly: others go through record[name] = value.  Nothing is assigned unless all may be. */
static int
record_fill(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  lua_settop(L, 4);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, 3) != LUA_TBOOLEAN || !lua_toboolean(L, -1)) {
      lua_pushvalue(L, -3);
      return 1;
    }
    lua_pop(L, 1);
  }
  rille_lua_push_state(L, 1, record); /* [5], and in the loop the name [6] and the value [7] */
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_Integer position;

    lua_pushvalue(L, -2);
    (void)lua_rawget(L, 4);
    position = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (position > 0) {
      rille_lua_record_put(L, record, &record->source->table.columns[position - 1], 6, 7, 5);
    } else {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_settable(L, 1);
      rille_lua_push_state(L, 1, record); /* what was called may have replaced it */
      lua_replace(L, 5);
    }
  }
  return 0;
}

/* record_state(record) -> its state table, made when there is none */
static int
record_state(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  rille_lua_push_state(L, 1, record);
  return 1;
}

/* record_peek(record) -> its state table, or nil */
static int
record_peek(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  if (record->state || record->related)
    rille_lua_push_state(L, 1, record);
  else
    lua_pushnil(L);
  return 1;
}

/* record_original(record, name [, raw]) -> the row's value (as kept, with raw), and whether the row has that column */
static int
record_original(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);
  rille_str name = rille_lua_check_text(L, 2, "the name of a column");
  int position = record->row != NULL ? rille_lua_record_position(record, name) : -1;

  if (position < 0) {
    lua_pushnil(L);
  } else if (lua_toboolean(L, 3)) {
    rille_cell cell = rille_packed_cell(record->row, (size_t)position);

    rille_lua_push_cell(L, &cell);
  } else {
    rille_lua_push_record_column(L, record, position);
  }
  lua_pushboolean(L, position >= 0);
  return 2;
}

void
rille_lua_push_record_value(lua_State *L, int index, const rille_lua_record *record, int key)
{
  rille_str name = rille_lua_check_text(L, key, "the name of a column");
  rille_fault fault;
  int position;

  if (record->state) {
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
    lua_pushvalue(L, key);
    if (lua_rawget(L, -2) != LUA_TNIL) {
      lua_remove(L, -2);
      if (rille_lua_is_null(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
      }
      return;
    }
    lua_pop(L, 2);
  }
  if (record->row == NULL) {
    lua_pushnil(L);
    return;
  }
  position = rille_lua_record_position(record, name);
  if (position >= 0) {
    rille_lua_push_record_column(L, record, position);
    return;
  }
  (void)rille_fault_set(&fault, RILLE_MISSING_ATTRIBUTE,
                        "%.*s.%.*s was not selected by the query that read this record",
                        RILLE_STR_ARG(record->source->table.name), RILLE_STR_ARG(name));
  rille_fault_hint(&fault, "add_select(\"%.*s\")", RILLE_STR_ARG(name));
  (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* record_value(record, name) -> the value of a column as it stands, changes included, past all that Lua decodes; nil
** for NULL.  Raises missing_attribute when the record was read without it. */
static int
record_value(lua_State *L)
{
  rille_lua_push_record_value(L, 1, rille_lua_check_record(L, 1), 2);
  return 1;
}

/* record_output(record, name) -> the value, as kept, of any output of the query that has that name, and whether one
** has */
static int
record_output(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);
  rille_str name = rille_lua_check_text(L, 2, "the name of an output");
  size_t at = 0;

  while (at < record->layout->count && !rille_str_equal(record->layout->names[at], name))
    at++;
  if (record->row == NULL || at == record->layout->count)
    return 0;
  {
    rille_cell cell = rille_packed_cell(record->row, at);

    rille_lua_push_cell(L, &cell);
  }
  lua_pushboolean(L, true);
  return 2;
}

/* record_names(record) -> the names of the columns that its row has, in order */
static int
record_names(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);

  lua_createtable(L, (int)record->layout->count, 0);
  for (size_t i = 0; i < record->layout->count; i++) {
    (void)lua_pushlstring(L, record->layout->names[i].at, record->layout->names[i].len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* record_exists(record [, value]) -> whether it is in the database; a value says so */
static int
record_exists(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  if (lua_gettop(L) > 1)
    record->exists = lua_toboolean(L, 2) != 0;
  lua_pushboolean(L, record->exists);
  return 1;
}

/* record_origin(record) -> the table of the result that it came in, see RILLE_ORIGIN_BATCH; nil for a record that came
** alone */
static int
record_origin(lua_State *L)
{
  (void)rille_lua_check_record(L, 1);
  (void)lua_getiuservalue(L, 1, RILLE_RECORD_ORIGIN);
  return 1;
}

/* Takes the columns of a fresh record into the row of the record at 1, whose other outputs stay.  False where the row
** was read in part: its whole row is taken then. */
static bool
take_columns(lua_State *L, rille_lua_record *record, const rille_lua_record *fresh)
{
  size_t columns = fresh->layout->count, count = record->layout->count;
  rille_cell *cells = lua_newuserdatauv(L, (columns + count) * sizeof *cells, 0);

  for (size_t i = 0; i < columns; i++)
    cells[i] = rille_packed_cell(fresh->row, i);
  if (!rille_lua_record_merge(record, cells, NULL, cells + columns))
    return false;
  rille_lua_record_saved(L, 1, record, record->layout, cells + columns, 0);
  return true;
}

/* record_take(record, fresh, keep): takes the row of another record of the same source and forgets its own changes;
** what a query computed beside the columns stays when it says `keep` */
static int
record_take(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1), *fresh = rille_lua_check_record(L, 2);

  if (record->source != fresh->source || fresh->row == NULL || fresh->layout != fresh->source->layout)
    return rille_lua_refuse(L, "a record can take only a whole, saved record of its own model");
  if (lua_toboolean(L, 3) && record->row != NULL && record->layout != record->source->layout &&
      take_columns(L, record, fresh))
    return 0;
  lua_createtable(L, 1, 0);
  if (fresh->state) { /* anchors the row, which lives in that record's state ... */
    (void)lua_getiuservalue(L, 2, RILLE_RECORD_STATE);
    (void)lua_rawgeti(L, -1, RILLE_STATE_ROW);
    lua_remove(L, -2);
  } else {
    lua_pushnil(L);
  }
  if (lua_isnil(L, -1)) { /* ... or in the record itself */
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
  }
  lua_rawseti(L, -2, RILLE_STATE_ROW);
  (void)lua_setiuservalue(L, 1, RILLE_RECORD_STATE);
  record->row = fresh->row;
  record->layout = fresh->layout;
  record->exists = true;
  record->state = true;
  record->related = false;
  return 0;
}

/* -- what a record was --------------------------------------------------------------------------------------- */

/* Its user value anchors the row where the record's state holds it.  The origin of a record stays. */
struct snapshot {
  const rille_lua_record *record;
  const rille_layout *layout;
  const rille_packed *row;
  bool exists;
};

#define SNAPSHOT_META "rille.snapshot"

/* record_snapshot(record) -> its row as it is, for record_restore; of no use longer than the record lives */
static int
record_snapshot(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);
  struct snapshot *snapshot = lua_newuserdatauv(L, sizeof *snapshot, 1);

  *snapshot = (struct snapshot){ record, record->layout, record->row, record->exists };
  if (record->state) {
    (void)lua_getiuservalue(L, 1, RILLE_RECORD_STATE);
    (void)lua_rawgeti(L, -1, RILLE_STATE_ROW);
    (void)lua_setiuservalue(L, 2, 1);
    lua_pop(L, 1);
  }
  luaL_setmetatable(L, SNAPSHOT_META);
  return 1;
}

/* record_restore(record [, snapshot]): gives it the row of a snapshot of its own, or none, as if it had never been
** saved; its changes are forgotten, but not what Lua decoded and loaded */
static int
record_restore(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);
  struct snapshot was = { record, record->source->layout, NULL, false };

  lua_settop(L, 2);
  lua_createtable(L, RILLE_STATE_RELATIONS, 0); /* [3] */
  if (!lua_isnil(L, 2)) {
    was = *(const struct snapshot *)luaL_checkudata(L, 2, SNAPSHOT_META);
    if (was.record != record)
      return rille_lua_refuse(L, "the snapshot is of another record");
    (void)lua_getiuservalue(L, 2, 1);
    lua_rawseti(L, 3, RILLE_STATE_ROW);
  }
  rille_lua_replace_state(L, 1, record);
  record->row = was.row;
  record->layout = was.layout;
  record->exists = was.exists;
  return 0;
}

/* is_record(value) -> whether it is one, and its source */
static int
is_record(lua_State *L)
{
  bool yes = rille_lua_is_record(L, 1);

  lua_pushboolean(L, yes);
  if (!yes)
    return 1;
  rille_lua_push_record_source(L, 1);
  return 2;
}

void
rille_lua_add_record(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "record_new", record_new },         { "record_put", record_put },
    { "record_fill", record_fill },       { "record_state", record_state },
    { "record_peek", record_peek },       { "record_original", record_original },
    { "record_output", record_output },   { "record_names", record_names },
    { "record_exists", record_exists },   { "record_origin", record_origin },
    { "record_value", record_value },     { "record_take", record_take },
    { "is_record", is_record },           { "record_snapshot", record_snapshot },
    { "record_restore", record_restore }, { NULL, NULL },
  };

  (void)luaL_newmetatable(L, SNAPSHOT_META);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, rille_lua_relation_functions, 0);
}
