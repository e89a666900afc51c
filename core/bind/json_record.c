/* core/bind/json_record.c - records as JSON: what stands in the row is written from there, without a value of Lua.
**
** What a record shows, and in which order, is decided in Lua (lua/rille/record/data.lua), which gives a shape:
**   [1] [2] ...   names: the attributes of the row, columns in the order of the table first
**   appends       list of names: accessors that come after the relations
**   hidden, only  sets of names (`only` may be nil): which of the loaded relations are shown
**   texts         column -> "json" or "array": columns that keep JSON, which is copied when it is JSON
** From it a plan is made once for all records of a model with the same columns, and kept for the call.  A record that
** differs (it hides something, or holds columns that were not selected) has a plan of its own. */
#include <lauxlib.h>

#include "core/base/json_check.h"
#include "core/bind/json_value.h"
#include "core/bind/record.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"

/* How the value of an attribute is come by. */
typedef enum how {
  BY_ROW,   /* from the row, as the column's type reads it */
  BY_TEXT,  /* from the row, which keeps JSON: any value */
  BY_ARRAY, /* the same, an array or an object */
  BY_LUA    /* by record[name] */
} how;

typedef struct attribute {
  rille_str name; /* a string of the shape */
  rille_str key;  /* in quotes, with its colon: behind the plan */
  rille_type_kind type;
  how how;
  int position; /* in the row */
} attribute;

/* User values of a plan. */
enum { PLAN_SHAPE = 1, PLAN_ORIGIN = 2, PLAN_VALUES = 2 };

typedef struct plan {
  const rille_lua_source *source;
  const rille_layout *layout; /* kept by the origin */
  bool top;
  size_t count;
  attribute attributes[];
} plan;

/* A record while it is written, and where on the Lua stack what belongs to it stands. */
typedef struct writing {
  rille_lua_record *record;
  const plan *plan;
  int index, plan_at, shape, state;
  bool changed; /* the state holds values that are not the row's */
  char before;  /* what comes before the next attribute */
} writing;

/* -- plans ----------------------------------------------------------------------------------------------- */

/* How the attribute at a position of the row is read; `texts` and `indirect` are stack indices. */
static how
how_of(lua_State *L, const rille_layout *layout, int position, rille_str name, int texts, int indirect)
{
  how by = BY_ROW;

  if (position < 0)
    return BY_LUA;
  (void)lua_pushlstring(L, name.at, name.len);
  if (layout->own[position] && lua_istable(L, indirect)) {
    lua_pushvalue(L, -1);
    if (lua_rawget(L, indirect) != LUA_TNIL)
      by = BY_LUA;
    lua_pop(L, 1);
  }
  if (by == BY_LUA && lua_istable(L, texts) && lua_rawget(L, texts) == LUA_TSTRING)
    by = rille_str_is(rille_lua_text(L, -1), "array") ? BY_ARRAY : BY_TEXT;
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
  plan *made = lua_newuserdatauv(L, sizeof *made + count * sizeof made->attributes[0] + key_bytes(L, shape, count),
                                 PLAN_VALUES);
  char *key = (char *)&made->attributes[count];

  *made = (plan){ .source = record->source, .layout = record->layout, .top = top, .count = count };
  (void)lua_getfield(L, shape, "texts");
  rille_lua_push_record_source(L, index);
  (void)lua_getiuservalue(L, -1, RILLE_SOURCE_INDIRECT);
  for (size_t i = 0; i < count; i++) {
    attribute *a = &made->attributes[i];
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
  (void)lua_setiuservalue(L, -2, PLAN_SHAPE);
  (void)lua_getiuservalue(L, index, RILLE_RECORD_ORIGIN);
  (void)lua_setiuservalue(L, -2, PLAN_ORIGIN);
  lua_remove(L, shape);
}

/* Pushes the plan for a record.  `own`: it differs from others of its model. */
static void
push_plan(lua_State *L, rille_json_out *out, const rille_lua_record *record, int index, bool top, bool own)
{
  int kept = out->plan_count < RILLE_JSON_PLANS_KEPT ? out->plan_count : RILLE_JSON_PLANS_KEPT;

  for (int i = 0; !own && i < kept; i++) {
    const plan *known = out->plans[i];

    if (known->source == record->source && known->layout == record->layout && known->top == top) {
      (void)lua_rawgeti(L, RILLE_JSON_PLANS, i + 1);
      return;
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
}

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
is_changed(lua_State *L, const writing *w, const attribute *a)
{
  bool changed;

  (void)lua_pushlstring(L, a->name.at, a->name.len);
  changed = lua_rawget(L, w->state) != LUA_TNIL;
  lua_pop(L, 1);
  if (!changed && a->how != BY_ROW) { /* what Lua decoded may have been changed since */
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
write_from_row(lua_State *L, rille_json_out *out, writing *w, const attribute *a)
{
  const rille_lua_record *record = w->record;
  rille_cell cell;

  if (a->how == BY_LUA || record->row == NULL || record->layout != w->plan->layout ||
      (w->changed && is_changed(L, w, a)))
    return false;
  cell = rille_packed_cell(record->row, (size_t)a->position);
  if (a->how == BY_ROW || cell.kind == RILLE_NULL) {
    write_key(L, out, w, a->key);
    write_cell(L, out, record->layout, a->position, &cell);
    return true;
  }
  if (cell.kind != RILLE_TEXT || !rille_json_check(cell.as.text, RILLE_JSON_DEPTH - out->open_count) ||
      (a->how == BY_ARRAY && !begins_with_bracket(cell.as.text)))
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
    const attribute *a = &w->plan->attributes[i];

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
  push_plan(L, out, w.record, index, top, own);
  w.plan_at = lua_gettop(L);
  w.plan = lua_touserdata(L, w.plan_at);
  (void)lua_getiuservalue(L, w.plan_at, PLAN_SHAPE);
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
