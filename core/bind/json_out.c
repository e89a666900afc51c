/* core/bind/json_out.c - memory from the allocator of the Lua state, so that a script's limit counts it. */
#include "core/bind/json_out.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/base/shown.h"
#include "core/bind/value.h"

#define BOX_META "rille.json"

/* What has to be given back. */
struct rille_json_box {
  char *at;
  size_t size;
};

static int
box_close(lua_State *L)
{
  struct rille_json_box *box = lua_touserdata(L, 1);
  void *data;
  lua_Alloc allocate = lua_getallocf(L, &data);

  if (box->at != NULL)
    (void)allocate(data, box->at, box->size, 0);
  *box = (struct rille_json_box){ 0 };
  return 0;
}

void
rille_json_add_box(lua_State *L)
{
  (void)luaL_newmetatable(L, BOX_META);
  lua_pushcfunction(L, box_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, box_close);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void
rille_json_begin(lua_State *L, rille_json_out *out)
{
  struct rille_json_box *box = lua_newuserdatauv(L, sizeof *box, 0);

  *box = (struct rille_json_box){ 0 };
  luaL_setmetatable(L, BOX_META);
  lua_toclose(L, -1);
  out->at = out->first;
  out->len = 0;
  out->size = sizeof out->first;
  out->depth = out->open_count = out->record = out->record_depth = out->plan_count = out->tables_from = 0;
  out->box = box;
}

void
rille_json_grow(lua_State *L, rille_json_out *out, size_t more)
{
  struct rille_json_box *box = out->box;
  void *data;
  lua_Alloc allocate = lua_getallocf(L, &data);
  size_t least = out->len + more, size = least > 2 * out->size ? least : 2 * out->size;
  char *at = NULL;

  if (more < SIZE_MAX / 4 && out->len < SIZE_MAX / 4)
    at = allocate(data, box->at, box->size, size);
  if (at == NULL) { /* as Lua does: once more, when all garbage is gone */
    (void)lua_gc(L, LUA_GCCOLLECT);
    size = least;
    at = more < SIZE_MAX / 4 ? allocate(data, box->at, box->size, size) : NULL;
  }
  if (at == NULL) {
    (void)rille_lua_no_memory(L);
    return;
  }
  if (box->at == NULL)
    memcpy(at, out->first, out->len);
  box->at = out->at = at;
  box->size = out->size = size;
}

void
rille_json_plain(lua_State *L, rille_json_out *out, rille_str text)
{
  memcpy(rille_json_room(L, out, text.len), text.at, text.len);
  out->len += text.len;
}

void
rille_json_quoted(lua_State *L, rille_json_out *out, rille_str text)
{
  char *end = rille_json_text(rille_json_room(L, out, rille_json_text_room(text)), text);

  if (end == NULL)
    (void)rille_json_refuse(L, out, "base64 carries bytes", "is no UTF-8 text, which JSON cannot say");
  rille_json_end(out, end);
}

void
rille_json_bytes(lua_State *L, rille_json_out *out, rille_str bytes)
{
  rille_json_end(out, rille_json_base64(rille_json_room(L, out, rille_json_base64_room(bytes.len)), bytes));
}

void
rille_json_whole(lua_State *L, rille_json_out *out, int64_t integer)
{
  rille_json_end(out, rille_json_integer(rille_json_room(L, out, RILLE_JSON_NUMBER_BYTES), integer));
}

void
rille_json_number(lua_State *L, rille_json_out *out, double real)
{
  char *end = rille_json_real(rille_json_room(L, out, RILLE_JSON_NUMBER_BYTES), real);

  if (end == NULL)
    (void)rille_json_refuse(L, out, NULL, "is %s, which JSON cannot say", real != real ? "NaN" : "infinite");
  rille_json_end(out, end);
}

/* -- where the writing is -------------------------------------------------------------------------------- */

/* Is it among those that are open, from that one on? */
static bool
is_open(const rille_json_out *out, const void *object, int from)
{
  for (int i = out->open_count; i > from; i--)
    if (out->open[i - 1] == object)
      return true;
  return false;
}

bool
rille_json_record_is_open(const rille_json_out *out, const void *record)
{
  return is_open(out, record, 0);
}

bool
rille_json_table_is_open(const rille_json_out *out, const void *table)
{
  return is_open(out, table, out->tables_from);
}

static void
into(lua_State *L, rille_json_out *out, rille_json_step step)
{
  if (out->depth == RILLE_JSON_DEPTH)
    (void)rille_json_refuse(L, out, NULL, "is nested more than %d deep", RILLE_JSON_DEPTH);
  out->steps[out->depth++] = step;
}

void
rille_json_into_name(lua_State *L, rille_json_out *out, rille_str name)
{
  into(L, out, (rille_json_step){ .name = name });
}

void
rille_json_into_index(lua_State *L, rille_json_out *out, lua_Integer index)
{
  into(L, out, (rille_json_step){ .index = index });
}

/* Pushes what the message begins with and returns how many steps it stands for: the name of the model where there is a
** record, for a list the element, and otherwise what the caller said. */
static int
push_start(lua_State *L, const rille_json_out *out)
{
  int depth = 0;

  if (out->record != 0) {
    (void)lua_getfield(L, out->record, "_class");
    (void)lua_getfield(L, -1, "_def");
    (void)lua_getfield(L, -1, "name");
    return out->record_depth;
  }
  lua_pushvalue(L, RILLE_JSON_WHERE);
  while (depth < out->depth && out->steps[depth].name.at == NULL) {
    lua_pushfstring(L, "[%I]", (LUAI_UACINT)out->steps[depth++].index);
    lua_concat(L, 2);
  }
  return depth;
}

/* Pushes the place: "Post: author.name", "list[3]: a[1]", "meta". */
static void
push_place(lua_State *L, const rille_json_out *out)
{
  const char *before = ": ";
  luaL_Buffer buffer;
  rille_str start;
  int depth;

  luaL_checkstack(L, RILLE_JSON_STACK, NULL);
  depth = push_start(L, out);
  start = rille_lua_text(L, -1);
  luaL_buffinit(L, &buffer);
  luaL_addlstring(&buffer, start.at, start.len);
  for (; depth < out->depth; depth++) {
    const rille_json_step *step = &out->steps[depth];
    char index[32];

    if (step->name.at != NULL) {
      luaL_addstring(&buffer, before);
      luaL_addstring(&buffer, rille_show(step->name).text);
    } else {
      (void)snprintf(index, sizeof index, "[%lld]", (long long)step->index);
      luaL_addstring(&buffer, index);
    }
    before = ".";
  }
  luaL_pushresult(&buffer);
}

int
rille_json_refuse(lua_State *L, rille_json_out *out, const char *hint, const char *problem, ...)
{
  rille_fault fault;
  char text[128];
  va_list args;

  va_start(args, problem);
  (void)vsnprintf(text, sizeof text, problem, args);
  va_end(args);
  push_place(L, out);
  (void)rille_fault_set(&fault, RILLE_INVALID_ARGUMENT, "%.*s %s", RILLE_STR_ARG(rille_lua_text(L, -1)), text);
  if (hint != NULL)
    rille_fault_hint(&fault, "%s", hint);
  return rille_lua_raise(L, &fault, (rille_str){ 0 });
}
