/* core/bind/record_put.c - writing the attributes of a record.
**
** A value is converted to what the column keeps, so that a wrong one is refused where it is assigned, and a change is
** noted only where the value differs from the row's. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "core/bind/record.h"
#include "core/bind/value.h"

/* Raises that the column does not take the value.  The place is written out only here: assigning is hot. */
static void
refuse_value(lua_State *L, const rille_lua_record *record, const rille_column *column, int index)
{
  char place[200];
  rille_arena arena;
  rille_cell given, stored;
  rille_fault fault;

  (void)snprintf(place, sizeof place, "%.*s.%.*s", RILLE_STR_ARG(record->source->table.name),
                 RILLE_STR_ARG(column->name));
  rille_lua_check_cell(L, index, place, &given);
  rille_arena_init(&arena);
  if (rille_type_store(column->type, &given, rille_str_of(place), &arena, &stored, &fault) == RILLE_OK)
    (void)rille_fault_no_memory(&fault); /* it was refused a moment ago: only memory can be the difference */
  rille_arena_release(&arena);
  (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* Pushes the value at `index` as the column would give it back; the sentinel for NULL. */
static void
push_canonical(lua_State *L, const rille_lua_record *record, const rille_column *column, int index)
{
  char room[RILLE_PRESENT_BYTES], space[2 * RILLE_PRESENT_BYTES];
  rille_arena arena;
  rille_cell given, stored, shown = { 0 };
  rille_status status = RILLE_INVALID_ARGUMENT;
  rille_type type = column->type;

  rille_arena_init_on(&arena, space, sizeof space);
  if (rille_lua_to_cell(L, index, &given)) {
    if (given.kind == RILLE_NULL) {
      rille_lua_push_null(L);
      return;
    }
    type.length = 0; /* a text that is too long is for the model's rules to refuse, or for the save */
    status = rille_type_store(type, &given, column->name, &arena, &stored, NULL);
  }
  if (status == RILLE_OK)
    status = rille_type_present(column->type, &stored, column->name, room, &shown, NULL);
  if (status == RILLE_OK && shown.kind == RILLE_TEXT && shown.as.text.at != given.as.text.at &&
      shown.as.text.at != room) {
    memcpy(room, shown.as.text.at, shown.as.text.len); /* made in the arena: short */
    shown.as.text.at = room;
  }
  rille_arena_release(&arena);
  if (status != RILLE_OK)
    refuse_value(L, record, column, index);
  if ((shown.kind == RILLE_TEXT || shown.kind == RILLE_BLOB) && lua_type(L, index) == LUA_TSTRING &&
      shown.as.text.at == given.as.text.at)
    lua_pushvalue(L, index);
  else
    rille_lua_push_cell(L, &shown);
}

/* Forgets what relations gave that the column called by the string at `key` decides. */
static void
forget_relations(lua_State *L, int key, int state)
{
  int top = lua_gettop(L);

  if (lua_rawgeti(L, state, RILLE_STATE_RELATIONS) == LUA_TTABLE) {
    rille_lua_push_record_source(L, 1);
    (void)lua_getiuservalue(L, -1, RILLE_SOURCE_DEPENDS);
    lua_pushvalue(L, key);
    if (lua_istable(L, -2) && lua_rawget(L, -2) == LUA_TTABLE)
      for (lua_Integer i = 1, count = luaL_len(L, -1); i <= count; i++) {
        (void)lua_rawgeti(L, -1, i);
        lua_pushnil(L);
        lua_rawset(L, top + 1);
      }
  }
  lua_settop(L, top);
}

void
rille_lua_record_put(lua_State *L, rille_lua_record *record, const rille_column *column, int key, int value, int state)
{
  int position = record->exists && record->row != NULL ? rille_lua_record_position(record, column->name) : -1;

  lua_pushvalue(L, key);
  push_canonical(L, record, column, value);
  forget_relations(L, key, state);
  if (position >= 0) {
    bool same;

    rille_lua_push_record_column(L, record, position);
    same = lua_isnil(L, -1) ? rille_lua_is_null(L, -2) : lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 1);
    if (same) { /* back to what the row holds: nothing to save */
      lua_pop(L, 1);
      lua_pushnil(L);
    }
  }
  lua_rawset(L, state);
}

/* The column at a position from 1, as the names give it. */
static const rille_column *
column_at(const rille_lua_record *record, lua_Integer position)
{
  return &record->source->table.columns[position - 1];
}

int
rille_lua_record_newindex(lua_State *L)
{
  rille_lua_record *record = lua_touserdata(L, 1);
  lua_Integer position;
  bool plain;

  lua_pushvalue(L, 2);
  plain = lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER;
  position = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (plain && lua_istable(L, lua_upvalueindex(2))) {
    lua_pushvalue(L, 2);
    plain = lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL;
    lua_pop(L, 1);
  }
  if (plain) {
    lua_settop(L, 3);
    rille_lua_push_state(L, 1, record);
    rille_lua_record_put(L, record, column_at(record, position), 2, 3, 4);
    return 0;
  }
  lua_settop(L, 3);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_call(L, 3, 0);
  return 0;
}
