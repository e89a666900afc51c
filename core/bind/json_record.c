/* core/bind/json_record.c - records as JSON: what stands in the row is written from there, without a value of Lua.
** A plan (json_plan.h) says which attributes, and how each is come by. */
#include <lauxlib.h>
#include <string.h>

#include "core/base/json_check.h"
#include "core/bind/json_plan.h"
#include "core/bind/json_value.h"
#include "core/bind/record.h"
#include "core/bind/value.h"

/* A record while it is written, and where on the Lua stack what belongs to it stands. */
typedef struct writing {
  rille_lua_record *record;
  const rille_json_plan *plan;
  int index, shape, state;
  bool changed; /* the state holds values that are not the row's */
  char before;  /* what comes before the next attribute */
} writing;

/* -- attributes ------------------------------------------------------------------------------------------ */

/* Writes a cell as a person reads a value of the column, but with bytes in base64. */
static void
write_cell(lua_State *L, rille_json_out *out, const rille_layout *layout, int position, const rille_cell *kept)
{
  rille_type type = layout->types[position];
  char room[RILLE_PRESENT_BYTES];
  rille_cell cell = *kept;

  if (type.kind >= RILLE_TYPE_BOOLEAN &&
      rille_type_present(type, kept, rille_str_of(""), room, &cell, NULL) != RILLE_OK)
    rille_lua_push_typed(L, type, kept, layout->what, layout->names[position]); /* raises, with the place */
  switch (cell.kind) {
  case RILLE_NULL: rille_json_plain(L, out, rille_str_of("null")); return;
  case RILLE_BOOL: rille_json_plain(L, out, rille_str_of(cell.as.integer != 0 ? "true" : "false")); return;
  case RILLE_INT: rille_json_whole(L, out, cell.as.integer); return;
  case RILLE_REAL: rille_json_number(L, out, cell.as.real); return;
  case RILLE_TEXT:
    if (type.kind != RILLE_TYPE_BLOB) {
      rille_json_quoted(L, out, cell.as.text);
      return;
    }
    break;
  case RILLE_BLOB: break;
  }
  rille_json_bytes(L, out, cell.as.text);
}

static void
write_key(lua_State *L, rille_json_out *out, writing *w, rille_str key)
{
  rille_json_byte(L, out, w->before);
  rille_json_plain(L, out, key);
  w->before = ',';
}

/* Writes a key that has to be put in quotes. */
static void
write_name(lua_State *L, rille_json_out *out, writing *w, rille_str name)
{
  rille_json_byte(L, out, w->before);
  rille_json_quoted(L, out, name);
  rille_json_byte(L, out, ':');
  w->before = ',';
}

/* Puts the state of the record (nil when it has none) and what anchors its row where they stand, and finds out what the
** state says.  True when the record needs a plan of its own. */
static bool
look_at_state(lua_State *L, writing *w)
{
  bool extra;

  w->changed = false;
  if (!w->record->state)
    return false;
  (void)lua_getiuservalue(L, w->index, RILLE_RECORD_STATE);
  lua_replace(L, w->state);
  (void)lua_rawgeti(L, w->state, RILLE_STATE_ROW);
  lua_replace(L, w->state + 1);
  for (lua_pushnil(L); lua_next(L, w->state); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING || lua_tointeger(L, -2) == RILLE_STATE_DECODED)
      w->changed = true;
  extra = lua_rawgeti(L, w->state, RILLE_STATE_EXTRA) != LUA_TNIL;
  lua_pop(L, 1);
  return extra || (w->changed && w->record->layout != w->record->source->layout);
}

/* Does the state hold another value for the attribute than the row? */
static bool
is_changed(lua_State *L, const writing *w, const rille_json_attribute *a)
{
  bool changed;

  (void)lua_pushlstring(L, a->name.at, a->name.len);
  changed = lua_rawget(L, w->state) != LUA_TNIL;
  lua_pop(L, 1);
  if (!changed && a->how != RILLE_JSON_BY_ROW) { /* what Lua decoded may have been changed since */
    changed = lua_rawgeti(L, w->state, RILLE_STATE_DECODED) != LUA_TNIL;
    lua_pop(L, 1);
  }
  return changed;
}

/* Is the JSON an array or an object? */
static bool
begins_with_bracket(rille_str json)
{
  size_t at = 0;

  while (at < json.len && strchr(" \t\r\n", json.at[at]) != NULL)
    at++;
  return at < json.len && (json.at[at] == '[' || json.at[at] == '{');
}

/* Writes the attribute from the row; false when that is not possible, as after an accessor that read the record again
** with other columns. */
static bool
write_from_row(lua_State *L, rille_json_out *out, writing *w, const rille_json_attribute *a)
{
  const rille_lua_record *record = w->record;
  rille_cell cell;

  if (a->how == RILLE_JSON_BY_LUA || record->row == NULL || record->layout != w->plan->layout ||
      (w->changed && is_changed(L, w, a)))
    return false;
  cell = rille_packed_cell(record->row, (size_t)a->position);
  if (a->how == RILLE_JSON_BY_ROW || cell.kind == RILLE_NULL) {
    write_key(L, out, w, a->key);
    write_cell(L, out, record->layout, a->position, &cell);
    return true;
  }
  if (cell.kind != RILLE_TEXT || !rille_json_check(cell.as.text, RILLE_JSON_DEPTH - out->open_count) ||
      (a->how == RILLE_JSON_BY_ARRAY && !begins_with_bracket(cell.as.text)))
    return false;
  write_key(L, out, w, a->key);
  rille_json_plain(L, out, cell.as.text);
  return true;
}

/* Writes the value at the top, which is popped, under a key or a name. */
static void
write_value(lua_State *L, rille_json_out *out, writing *w, rille_str name, bool bytes)
{
  if (!rille_json_is_left_out(L, out, -1)) {
    write_name(L, out, w, name);
    if (lua_isnil(L, -1))
      rille_json_plain(L, out, rille_str_of("null"));
    else if (bytes && lua_type(L, -1) == LUA_TSTRING)
      rille_json_bytes(L, out, rille_lua_text(L, -1));
    else
      rille_json_value(L, out, lua_gettop(L));
  }
  lua_pop(L, 1);
}

static void
write_attributes(lua_State *L, rille_json_out *out, writing *w)
{
  for (size_t i = 0; i < w->plan->count; i++) {
    const rille_json_attribute *a = &w->plan->attributes[i];

    rille_json_into_name(L, out, a->name);
    if (!write_from_row(L, out, w, a)) {
      (void)lua_pushlstring(L, a->name.at, a->name.len);
      (void)lua_gettable(L, w->index);
      write_value(L, out, w, a->name, a->type == RILLE_TYPE_BLOB);
      (void)look_at_state(L, w); /* an accessor may have done anything */
    }
    out->depth--;
  }
}

/* -- relations and accessors ----------------------------------------------------------------------------- */

/* True when the set in that field of the shape has the name; `without` when there is no set. */
static bool
in_set(lua_State *L, const writing *w, const char *set, rille_str name, bool without)
{
  bool found = without;

  if (lua_getfield(L, w->shape, set) == LUA_TTABLE) {
    (void)lua_pushlstring(L, name.at, name.len);
    found = lua_rawget(L, -2) != LUA_TNIL && lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

/* Pushes the least name of the relations that comes after `last`, and returns it; pushes nothing when there is none. */
static rille_str
push_next_relation(lua_State *L, int relations, rille_str last)
{
  rille_str least = { 0 };
  int place = lua_gettop(L) + 1;

  lua_pushnil(L); /* the name is kept here */
  for (lua_pushnil(L); lua_next(L, relations); lua_pop(L, 1)) {
    rille_str name = rille_lua_text(L, -2);

    if (name.at != NULL && (last.at == NULL || rille_str_compare(name, last) > 0) &&
        (least.at == NULL || rille_str_compare(name, least) < 0)) {
      least = name;
      lua_pushvalue(L, -2);
      lua_replace(L, place);
    }
  }
  if (least.at == NULL)
    lua_pop(L, 1);
  return least;
}

static void
write_relations(lua_State *L, rille_json_out *out, writing *w)
{
  rille_str name = { 0 };
  int relations = lua_gettop(L) + 1;

  if (!rille_lua_push_relations(L, w->index, w->record))
    return;
  for (name = push_next_relation(L, relations, name); name.at != NULL; name = push_next_relation(L, relations, name)) {
    if (lua_gettop(L) > relations + 1) /* the one before is needed no more */
      lua_remove(L, relations + 1);
    if (in_set(L, w, "hidden", name, false) || !in_set(L, w, "only", name, true))
      continue;
    lua_pushvalue(L, -1);
    (void)lua_rawget(L, relations);
    if (lua_isboolean(L, -1)) { /* loaded, and there is none */
      lua_pop(L, 1);
      lua_pushnil(L);
    }
    rille_json_into_name(L, out, name);
    write_value(L, out, w, name, false);
    out->depth--;
  }
  lua_settop(L, relations - 1);
}

static void
write_appends(lua_State *L, rille_json_out *out, writing *w)
{
  int appends = lua_gettop(L) + 1;

  if (lua_getfield(L, w->shape, "appends") == LUA_TTABLE) {
    for (lua_Integer i = 1; lua_rawgeti(L, appends, i) == LUA_TSTRING; i++) {
      rille_str name = rille_lua_text(L, -1);

      lua_pushvalue(L, -1);
      (void)lua_gettable(L, w->index);
      rille_json_into_name(L, out, name);
      write_value(L, out, w, name, false);
      out->depth--;
      lua_pop(L, 1);
    }
  }
  lua_settop(L, appends - 1);
}

/* -- records --------------------------------------------------------------------------------------------- */

void
rille_json_record(lua_State *L, rille_json_out *out, int index, bool top)
{
  writing w = { .record = rille_lua_check_record(L, index), .index = index, .before = '{' };
  int before = lua_gettop(L), tables_from = out->tables_from;
  bool outermost = out->record == 0, own;

  luaL_checkstack(L, RILLE_JSON_STACK, "JSON is nested too deep");
  if (outermost) {
    out->record = index;
    out->record_depth = out->depth;
  }
  rille_json_open(out, w.record);
  out->tables_from = out->open_count;
  w.state = before + 1;
  lua_settop(L, before + 2); /* the state, and what anchors the row */
  own = look_at_state(L, &w);
  w.plan = rille_json_push_plan(L, out, w.record, index, top, own);
  (void)lua_getiuservalue(L, -1, RILLE_JSON_PLAN_SHAPE);
  w.shape = lua_gettop(L);
  write_attributes(L, out, &w);
  write_relations(L, out, &w);
  write_appends(L, out, &w);
  if (w.before == '{')
    rille_json_byte(L, out, '{');
  rille_json_byte(L, out, '}');
  rille_json_close(out);
  out->tables_from = tables_from;
  if (outermost)
    out->record = 0;
  lua_settop(L, before);
}
