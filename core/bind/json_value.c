/* core/bind/json_value.c - scalars, tables and what says itself. */
#include "core/bind/json_value.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "core/bind/record.h"
#include "core/bind/value.h"

/* What a table is marked to be. */
typedef enum declared { DECLARED_NOTHING, DECLARED_ARRAY, DECLARED_OBJECT } declared;

/* A name of a table, and where its string stands in the list of names. */
struct name {
  rille_str text;
  lua_Integer place;
};

bool
rille_json_is_left_out(lua_State *L, const rille_json_out *out, int index)
{
  return rille_lua_is_record(L, index) && rille_json_record_is_open(out, lua_touserdata(L, index));
}

/* Writes a text or a name of a table. */
static void
write_text(lua_State *L, rille_json_out *out, rille_str text)
{
  if (lua_isnil(L, RILLE_JSON_SHAPE) && memchr(text.at, 0, text.len) != NULL)
    (void)rille_json_refuse(L, out, NULL, "holds a NUL byte"); /* SQLite's JSON functions would end there */
  rille_json_quoted(L, out, text);
}

/* -- tables ---------------------------------------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
  return rille_str_compare(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* Pushes the names of the table, a list of strings and a block that says their order, and returns that. */
static const struct name *
push_names(lua_State *L, int index, size_t count)
{
  struct name *names;
  size_t found = 0;

  lua_createtable(L, (int)count, 0);
  names = lua_newuserdatauv(L, count * sizeof *names, 0);
  for (lua_pushnil(L); lua_next(L, index) && found < count; lua_pop(L, 1)) {
    names[found] = (struct name){ rille_lua_text(L, -2), (lua_Integer)found + 1 };
    lua_pushvalue(L, -2);
    lua_rawseti(L, -5, names[found++].place);
  }
  qsort(names, count, sizeof *names, by_text);
  return names;
}

static void
write_object(lua_State *L, rille_json_out *out, int index, size_t count)
{
  const struct name *names = push_names(L, index, count);
  int list = lua_gettop(L) - 1;
  char before = '{';

  for (size_t i = 0; i < count; i++) {
    (void)lua_rawgeti(L, list, names[i].place);
    (void)lua_rawget(L, index);
    if (!rille_json_is_left_out(L, out, -1)) {
      rille_json_byte(L, out, before);
      write_text(L, out, names[i].text);
      rille_json_byte(L, out, ':');
      rille_json_into_name(L, out, names[i].text);
      rille_json_value(L, out, lua_gettop(L));
      out->depth--;
      before = ',';
    }
    lua_pop(L, 1);
  }
  if (before == '{')
    rille_json_byte(L, out, '{');
  rille_json_byte(L, out, '}');
  lua_settop(L, list - 1);
}

static void
write_array(lua_State *L, rille_json_out *out, int index, size_t count)
{
  bool top = index == RILLE_JSON_VALUE;
  char before = '[';

  for (size_t i = 0; i < count; i++) {
    (void)lua_rawgeti(L, index, (lua_Integer)i + 1);
    if (!rille_json_is_left_out(L, out, -1)) {
      rille_json_byte(L, out, before);
      rille_json_into_index(L, out, (lua_Integer)i + 1);
      if (top && out->depth == 1 && !lua_isnil(L, RILLE_JSON_SHAPE) && rille_lua_is_record(L, -1))
        rille_json_record(L, out, lua_gettop(L), true);
      else
        rille_json_value(L, out, lua_gettop(L));
      out->depth--;
      before = ',';
    }
    lua_pop(L, 1);
  }
  if (before == '[')
    rille_json_byte(L, out, '[');
  rille_json_byte(L, out, ']');
}

/* Refuses the key at the top. */
static void
refuse_key(lua_State *L, rille_json_out *out)
{
  const char *kind = lua_type(L, -1) == LUA_TNUMBER ? "float" : luaL_typename(L, -1);

  if (lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TBOOLEAN)
    (void)rille_json_refuse(L, out, NULL, "has a key that is %.40s (%s); JSON has texts", luaL_tolstring(L, -1, NULL),
                            kind);
  (void)rille_json_refuse(L, out, NULL, "has a key that is a %s; JSON has texts", kind);
}

/* Does the table become an array?  Its elements or names, as many as `*count`; what is neither is refused. */
static bool
is_array(lua_State *L, rille_json_out *out, int index, declared is, size_t *count)
{
  size_t elements = 0, names = 0;

  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_isinteger(L, -2)) {
      elements++;
    } else if (lua_type(L, -2) == LUA_TSTRING) {
      names++;
    } else {
      lua_pop(L, 1);
      refuse_key(L, out);
    }
  }
  if (is == DECLARED_OBJECT || names > 0) {
    if (elements > 0)
      (void)rille_json_refuse(L, out, "tostring(key) makes one of a number",
                              "has keys that are numbers; an object has texts");
    if (is == DECLARED_ARRAY)
      (void)rille_json_refuse(L, out, NULL, "is marked as an array but has names");
    *count = names;
    return false;
  }
  for (size_t i = 1; i <= elements; i++) {
    if (lua_rawgeti(L, index, (lua_Integer)i) == LUA_TNIL)
      (void)rille_json_refuse(L, out, "rille.null fills a hole", "has no element %zu but later ones", i);
    lua_pop(L, 1);
  }
  *count = elements;
  return true;
}

static void
write_table(lua_State *L, rille_json_out *out, int index)
{
  const void *self = lua_topointer(L, index);
  declared is = DECLARED_NOTHING;
  size_t count;

  if (rille_json_table_is_open(out, self))
    (void)rille_json_refuse(L, out, NULL, "contains itself");
  if (luaL_getmetafield(L, index, "__jsontype") != LUA_TNIL) {
    rille_str type = rille_lua_text(L, -1);

    is = rille_str_is(type, "array") ? DECLARED_ARRAY : rille_str_is(type, "object") ? DECLARED_OBJECT : is;
    lua_pop(L, 1);
  }
  rille_json_open(out, self);
  if (is_array(L, out, index, is, &count))
    write_array(L, out, index, count);
  else
    write_object(L, out, index, count);
  rille_json_close(out);
}

/* -- everything ------------------------------------------------------------------------------------------ */

/* Writes what the value says of itself by __tojson; false when it says nothing. */
static bool
write_own(lua_State *L, rille_json_out *out, int index)
{
  if (luaL_getmetafield(L, index, "__tojson") == LUA_TNIL)
    return false;
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TSTRING)
    (void)rille_json_refuse(L, out, NULL, "has a __tojson that returns no text");
  rille_json_plain(L, out, rille_lua_text(L, -1));
  lua_pop(L, 1);
  return true;
}

static void
refuse_kind(lua_State *L, rille_json_out *out, int index)
{
  (void)rille_json_refuse(L, out, NULL, "is a %s, which JSON cannot say", luaL_typename(L, index));
}

static void
write_userdata(lua_State *L, rille_json_out *out, int index)
{
  if (!write_own(L, out, index))
    refuse_kind(L, out, index);
}

void
rille_json_value(lua_State *L, rille_json_out *out, int index)
{
  luaL_checkstack(L, RILLE_JSON_STACK, "JSON is nested too deep");
  switch (lua_type(L, index)) {
  case LUA_TSTRING: write_text(L, out, rille_lua_text(L, index)); return;
  case LUA_TBOOLEAN: rille_json_plain(L, out, rille_str_of(lua_toboolean(L, index) ? "true" : "false")); return;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      rille_json_whole(L, out, lua_tointeger(L, index));
    else
      rille_json_number(L, out, lua_tonumber(L, index));
    return;
  case LUA_TTABLE:
    if (!write_own(L, out, index))
      write_table(L, out, index);
    return;
  case LUA_TUSERDATA:
    if (rille_lua_is_null(L, index))
      rille_json_plain(L, out, rille_str_of("null"));
    else if (!rille_lua_is_record(L, index))
      write_userdata(L, out, index);
    else if (lua_isnil(L, RILLE_JSON_SHAPE))
      (void)rille_json_refuse(L, out, "record:to_table() makes data of it", "is a record, which is no data");
    else
      rille_json_record(L, out, index, index == RILLE_JSON_VALUE);
    return;
  case LUA_TNIL: (void)rille_json_refuse(L, out, "rille.null is null", "is nil, which JSON cannot say"); return;
  default: refuse_kind(L, out, index); return;
  }
}
