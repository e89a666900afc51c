/* core/bind/json_plan.c - a shape, in the words of the record's row. */
#include "core/bind/json_plan.h"

#include <lauxlib.h>

#include "core/bind/value.h"

/* How the attribute at a position of the row is read; `texts` and `indirect` are stack indices. */
static rille_json_how
how_of(lua_State *L, const rille_layout *layout, int position, rille_str name, int texts, int indirect)
{
  rille_json_how by = RILLE_JSON_BY_ROW;

  if (position < 0)
    return RILLE_JSON_BY_LUA;
  (void)lua_pushlstring(L, name.at, name.len);
  if (layout->own[position] && lua_istable(L, indirect)) {
    lua_pushvalue(L, -1);
    if (lua_rawget(L, indirect) != LUA_TNIL)
      by = RILLE_JSON_BY_LUA;
    lua_pop(L, 1);
  }
  if (by == RILLE_JSON_BY_LUA && lua_istable(L, texts) && lua_rawget(L, texts) == LUA_TSTRING)
    by = rille_str_is(rille_lua_text(L, -1), "array") ? RILLE_JSON_BY_ARRAY : RILLE_JSON_BY_TEXT;
  lua_pop(L, 1);
  return by;
}

static int
output_position(const rille_layout *layout, rille_str name)
{
  for (size_t i = 0; i < layout->count; i++)
    if (rille_str_equal(layout->names[i], name))
      return (int)i;
  return -1;
}

/* Bytes of the names at most, as keys. */
static size_t
key_bytes(lua_State *L, int shape, size_t count)
{
  size_t bytes = 0;

  for (size_t i = 1; i <= count; i++) {
    (void)lua_rawgeti(L, shape, (lua_Integer)i);
    bytes += rille_json_text_room(rille_lua_check_text(L, -1, "an attribute")) + 1;
    lua_pop(L, 1);
  }
  return bytes;
}

/* Pushes the plan that is made of the shape at the top, which it replaces. */
static void
push_plan_of_shape(lua_State *L, rille_json_out *out, const rille_lua_record *record, int index, bool top)
{
  int shape = lua_gettop(L);
  size_t count = (size_t)lua_rawlen(L, shape);
  rille_json_plan *made = lua_newuserdatauv(
    L, sizeof *made + count * sizeof made->attributes[0] + key_bytes(L, shape, count), RILLE_JSON_PLAN_VALUES);
  char *key = (char *)&made->attributes[count];

  *made = (rille_json_plan){ .source = record->source, .layout = record->layout, .top = top, .count = count };
  (void)lua_getfield(L, shape, "texts");
  rille_lua_push_record_source(L, index);
  (void)lua_getiuservalue(L, -1, RILLE_SOURCE_INDIRECT);
  for (size_t i = 0; i < count; i++) {
    rille_json_attribute *a = &made->attributes[i];
    char *end;

    (void)lua_rawgeti(L, shape, (lua_Integer)i + 1);
    a->name = rille_lua_text(L, -1);
    a->position = output_position(record->layout, a->name);
    a->type = a->position < 0 ? RILLE_TYPE_ANY : record->layout->types[a->position].kind;
    a->how = how_of(L, record->layout, a->position, a->name, shape + 2, shape + 4);
    end = rille_json_text(key, a->name);
    if (end == NULL)
      (void)rille_json_refuse(L, out, NULL, "has a column whose name is no UTF-8 text");
    *end++ = ':';
    a->key = (rille_str){ key, (size_t)(end - key) };
    key = end;
    lua_pop(L, 1);
  }
  lua_settop(L, shape + 1);
  lua_pushvalue(L, shape);
  (void)lua_setiuservalue(L, -2, RILLE_JSON_PLAN_SHAPE);
  (void)lua_getiuservalue(L, index, RILLE_RECORD_ORIGIN);
  (void)lua_setiuservalue(L, -2, RILLE_JSON_PLAN_ORIGIN);
  lua_remove(L, shape);
}

const rille_json_plan *
rille_json_push_plan(lua_State *L, rille_json_out *out, const rille_lua_record *record, int index, bool top, bool own)
{
  int kept = out->plan_count < RILLE_JSON_PLANS_KEPT ? out->plan_count : RILLE_JSON_PLANS_KEPT;

  for (int i = 0; !own && i < kept; i++) {
    const rille_json_plan *known = out->plans[i];

    if (known->source == record->source && known->layout == record->layout && known->top == top) {
      (void)lua_rawgeti(L, RILLE_JSON_PLANS, i + 1);
      return known;
    }
  }
  lua_pushvalue(L, RILLE_JSON_SHAPE);
  lua_pushvalue(L, index);
  if (top)
    lua_pushvalue(L, RILLE_JSON_OPTIONS);
  else
    lua_pushnil(L);
  lua_call(L, 2, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  push_plan_of_shape(L, out, record, index, top);
  if (!own) {
    int place = out->plan_count++ % RILLE_JSON_PLANS_KEPT;

    lua_pushvalue(L, -1);
    lua_rawseti(L, RILLE_JSON_PLANS, place + 1);
    out->plans[place] = lua_touserdata(L, -1);
  }
  return lua_touserdata(L, -1);
}
