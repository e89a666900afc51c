/* host/copy.c - values across the border: onto the Lua stack by value, back as one deep copy.
**
** A result is a chain of blocks that begins with its first value; its texts, items and fields lie behind it, and
** nothing in it is freed alone.
**
**   result.value --items--> [ value | value | ... ] --text--> "bytes\0"
**   result.blocks --> block --> block --> NULL */
#include "host/copy.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "host/error.h"
#include "host/hook.h"
#include "host/library.h"

enum { NESTED_MAX = 100 };

static const size_t BLOCK_BYTES = 4096;
static const size_t BLOCK_BYTES_MAX = 65536;
static const char TOO_NESTED[] = "the value is nested more than %d times, or contains itself";

/* ---- To Lua ------------------------------------------------------------------------------------------------------ */

static void push(lua_State *L, const rille_value *value, int depth);

/* Inside a list or a table nil would leave no trace. */
static void
push_member(lua_State *L, const rille_value *value, int depth)
{
  if (value->kind == RILLE_NULL)
    rille_library_null(L);
  else
    push(L, value, depth);
}

static void
push(lua_State *L, const rille_value *value, int depth)
{
  if (depth > NESTED_MAX)
    rille_host_raise(L, "invalid_argument", NULL, TOO_NESTED, NESTED_MAX);
  luaL_checkstack(L, 8, NULL);
  switch (value->kind) {
  case RILLE_NULL: lua_pushnil(L); break;
  case RILLE_BOOL: lua_pushboolean(L, value->as.boolean); break;
  case RILLE_INT: lua_pushinteger(L, value->as.integer); break;
  case RILLE_REAL: lua_pushnumber(L, value->as.real); break;
  case RILLE_TEXT: lua_pushlstring(L, value->as.text, value->length); break;
  case RILLE_LIST:
    lua_newtable(L);
    for (size_t i = 0; i < value->length; i++) {
      push_member(L, &value->as.items[i], depth + 1);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    break;
  case RILLE_RECORD: rille_hook_push(L, value); break;
  case RILLE_TABLE:
    lua_newtable(L);
    for (size_t i = 0; i < value->length; i++) {
      if (value->as.fields[i].name == NULL)
        rille_host_raise(L, "invalid_argument", NULL, "rille_table: field %zu has no name", i);
      push_member(L, &value->as.fields[i].value, depth + 1);
      lua_setfield(L, -2, value->as.fields[i].name);
    }
    break;
  default:
    rille_host_raise(L, "invalid_argument", "make values with rille_int, rille_text, ...", "there is no value kind %d",
                     (int)value->kind);
  }
}

void
rille_host_push(lua_State *L, const rille_value *value)
{
  push(L, value, 0);
}

/* ---- From Lua ---------------------------------------------------------------------------------------------------- */

struct block {
  struct block *next;
  size_t used;
  size_t room;
  max_align_t bytes[];
};

struct result {
  rille_value value;    /* first: what the caller holds is this struct */
  struct block *blocks; /* the newest first */
  size_t left_bytes;
};

void
rille_free(rille_value *value)
{
  struct result *result = (struct result *)value;
  struct block *block = result ? result->blocks : NULL;

  while (block) {
    struct block *next = block->next;
    free(block);
    block = next;
  }
  free(result);
}

static _Noreturn void
raise_no_room(lua_State *L)
{
  rille_host_raise(L, "out_of_memory", "ask for fewer rows, or give the host more memory_bytes",
                   "memory ran out while a result was copied");
}

/* `bytes` of a result, for good. */
static void *
room_for(lua_State *L, struct result *result, size_t bytes)
{
  struct block *block = result->blocks;
  size_t rounded = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);

  if (rounded < bytes || rounded > result->left_bytes)
    raise_no_room(L);
  if (block == NULL || block->room - block->used < rounded) {
    size_t room = block == NULL ? BLOCK_BYTES : block->room < BLOCK_BYTES_MAX ? block->room * 2 : BLOCK_BYTES_MAX;
    if (room < rounded)
      room = rounded;
    block = (struct block *)malloc(sizeof *block + room);
    if (block == NULL)
      raise_no_room(L);
    *block = (struct block){ .next = result->blocks, .room = room };
    result->blocks = block;
  }
  result->left_bytes -= rounded;
  block->used += rounded;
  return (char *)block->bytes + block->used - rounded;
}

/* The text on top, which may hold NULs, with one more behind it. */
static const char *
copy_text(lua_State *L, struct result *result, size_t *length)
{
  const char *text = lua_tolstring(L, -1, length);
  char *copy = (char *)room_for(L, result, *length + 1);

  memcpy(copy, text, *length + 1);
  return copy;
}

static int
by_name(const void *a, const void *b)
{
  return strcmp(((const rille_field *)a)->name, ((const rille_field *)b)->name);
}

static void take(lua_State *L, struct result *result, rille_value *out, int depth);

/* Is the table on top a list?  Counts its entries. */
static bool
measure(lua_State *L, size_t *entries)
{
  size_t n = lua_rawlen(L, -1);
  bool list = true;

  *entries = 0;
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    lua_Integer index = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
    list = list && index >= 1 && (lua_Unsigned)index <= n;
    ++*entries;
  }
  return list && *entries == n;
}

/* The plain table on top, whose n entries are 1 to n. */
static void
take_list(lua_State *L, struct result *result, rille_value *out, size_t n, int depth)
{
  rille_value *items = (rille_value *)room_for(L, result, n * sizeof *items);

  memset(items, 0, n * sizeof *items);
  *out = rille_list(items, n);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    take(L, result, &items[i], depth + 1);
    lua_pop(L, 1);
  }
}

/* The plain table on top; keys that are numbers become their texts. */
static void
take_table(lua_State *L, struct result *result, rille_value *out, size_t n, int depth)
{
  rille_field *fields = (rille_field *)room_for(L, result, n * sizeof *fields);
  size_t done = 0;
  size_t length = 0;

  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (done == n) /* a to_table of something inside may do anything */
      rille_host_raise(L, "script", NULL, "a table grew while it was copied to C");
    if (lua_type(L, -2) != LUA_TSTRING && lua_type(L, -2) != LUA_TNUMBER)
      rille_host_raise(L, "unsupported", NULL, "a table with a %s as key cannot cross to C", luaL_typename(L, -2));
    lua_pushvalue(L, -2); /* lua_next must not see its key change */
    fields[done].name = copy_text(L, result, &length);
    lua_pop(L, 1);
    take(L, result, &fields[done++].value, depth + 1);
  }
  qsort(fields, done, sizeof *fields, by_name);
  *out = rille_table(fields, done);
}

/* A record, a list of them, a query, rille.null: what has to be asked for its plain tables. */
static bool
is_object(lua_State *L)
{
  bool object = lua_type(L, -1) == LUA_TUSERDATA;

  if (lua_type(L, -1) == LUA_TTABLE && luaL_getmetafield(L, -1, "__index") != LUA_TNIL) {
    lua_pop(L, 1);
    object = true;
  }
  return object;
}

/* Copies the value on top, which stays there or is replaced by its plain form. */
static void
take(lua_State *L, struct result *result, rille_value *out, int depth)
{
  size_t n = 0;

  if (depth > NESTED_MAX)
    rille_host_raise(L, "unsupported", NULL, TOO_NESTED, NESTED_MAX);
  luaL_checkstack(L, 12, NULL);
  if (is_object(L)) {
    rille_library_plain(L);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
  }
  switch (lua_type(L, -1)) {
  case LUA_TNIL: *out = rille_null(); break;
  case LUA_TBOOLEAN: *out = rille_bool(lua_toboolean(L, -1)); break;
  case LUA_TNUMBER:
    *out = lua_isinteger(L, -1) ? rille_int(lua_tointeger(L, -1)) : rille_real(lua_tonumber(L, -1));
    break;
  case LUA_TSTRING: {
    const char *text = copy_text(L, result, &n);
    *out = rille_blob(text, n);
    break;
  }
  case LUA_TTABLE:
    if (measure(L, &n))
      take_list(L, result, out, n, depth);
    else
      take_table(L, result, out, n, depth);
    break;
  default:
    rille_host_raise(L, "unsupported", "return rows, texts, numbers or tables of them", "a %s cannot cross to C",
                     luaL_typename(L, -1));
  }
}

static struct result *
new_result(lua_State *L, size_t most_bytes)
{
  struct result *made = (struct result *)calloc(1, sizeof *made);

  if (made == NULL)
    raise_no_room(L);
  made->left_bytes = most_bytes;
  return made;
}

void
rille_host_take(lua_State *L, int index, size_t most_bytes, rille_value **result)
{
  struct result *made = new_result(L, most_bytes);

  *result = &made->value;
  lua_pushvalue(L, index);
  take(L, made, &made->value, 0);
  lua_pop(L, 1);
}

const rille_value *
rille_host_take_more(lua_State *L, int index, size_t most_bytes, rille_value **result)
{
  if (*result == NULL)
    *result = &new_result(L, most_bytes)->value;
  struct result *made = (struct result *)*result;
  rille_value *out = (rille_value *)room_for(L, made, sizeof *out);

  *out = rille_null();
  lua_pushvalue(L, index);
  take(L, made, out, 0);
  lua_pop(L, 1);
  return out;
}
