/* host/error.c - one way out for every error: a table of rille in Lua, a rille_error of fixed size in C. */
#include "host/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

/* Gives the table on top the metatable of error values, if the core got as far as being loaded. */
static void
set_error_metatable(lua_State *L)
{
  int top = lua_gettop(L);

  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) == LUA_TTABLE &&
      lua_getfield(L, -1, "rille.core") == LUA_TTABLE && lua_getfield(L, -1, "error") == LUA_TTABLE)
    lua_setmetatable(L, top);
  lua_settop(L, top);
}

void
rille_host_raise(lua_State *L, const char *kind, const char *hint, const char *format, ...)
{
  char message[sizeof((rille_error *)0)->message];
  va_list args;

  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, hint); /* nil for NULL */
  lua_setfield(L, -2, "hint");
  set_error_metatable(L);
  lua_error(L);
  abort(); /* never: for the compiler, which does not know lua_error */
}

/* Is this table one of rille's errors?  They alone carry their kind and message as texts. */
static bool
is_ours(lua_State *L, int index)
{
  bool ours = false;

  if (lua_istable(L, index)) {
    lua_pushvalue(L, index);
    lua_pushliteral(L, "kind");
    lua_rawget(L, -2);
    lua_pushliteral(L, "message");
    lua_rawget(L, -3);
    ours = lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, 3);
  }
  return ours;
}

/* Lua's own error for it is this text, which somebody may have caught and raised again, with a position before it. */
static bool
is_no_memory(lua_State *L, int index)
{
  static const char TEXT[] = "not enough memory";
  size_t bytes = 0;
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &bytes) : NULL;

  return text && bytes >= sizeof TEXT - 1 && strcmp(text + bytes - (sizeof TEXT - 1), TEXT) == 0;
}

/* Pushes the traceback of the value at 1: of the place that raised it first, if the library caught it on its way and
** kept that, else of here. */
static void
push_traceback(lua_State *L)
{
  int top = lua_gettop(L);

  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) == LUA_TTABLE &&
      lua_getfield(L, -1, "rille.error") == LUA_TTABLE && lua_getfield(L, -1, "traceback") == LUA_TFUNCTION) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_replace(L, top + 1);
  }
  if (lua_gettop(L) == top || lua_type(L, top + 1) != LUA_TSTRING) {
    lua_settop(L, top);
    luaL_traceback(L, L, NULL, 1);
  }
  lua_settop(L, top + 1);
}

int
rille_host_handler(lua_State *L)
{
  lua_settop(L, 1);
  luaL_checkstack(L, 12, NULL);
  push_traceback(L);
  if (!is_ours(L, 1)) {
    lua_createtable(L, 0, 3);
    lua_pushstring(L, is_no_memory(L, 1) ? "out_of_memory" : "script");
    lua_setfield(L, -2, "kind");
    luaL_tolstring(L, 1, NULL);
    lua_setfield(L, -2, "message");
    set_error_metatable(L);
    lua_replace(L, 1);
  }
  lua_pushliteral(L, "traceback");
  if (lua_rawget(L, 1) == LUA_TNIL) {
    lua_pushliteral(L, "traceback");
    lua_pushvalue(L, 2);
    lua_rawset(L, 1);
  }
  lua_settop(L, 1);
  return 1;
}

/* Copies text that may be NULL, cut before the character that no longer fits. */
static void
copy_text(char *to, size_t room, const char *text)
{
  size_t len = text ? strlen(text) : 0;

  if (len >= room) {
    len = room - 1;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
      len--;
  }
  if (len > 0)
    memcpy(to, text, len);
  to[len] = '\0';
}

void
rille_host_fail(rille_error *err, const char *kind, const char *message, const char *hint)
{
  if (err) {
    copy_text(err->kind, sizeof err->kind, kind);
    copy_text(err->message, sizeof err->message, message);
    copy_text(err->hint, sizeof err->hint, hint);
    err->traceback[0] = '\0';
  }
}

/* Copies a text field of the table at `index`, read without its metatable. */
static void
copy_field(lua_State *L, int index, const char *name, char *to, size_t room)
{
  lua_pushstring(L, name);
  lua_rawget(L, index);
  copy_text(to, room, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
  lua_pop(L, 1);
}

void
rille_host_describe(lua_State *L, int index, rille_error *err)
{
  if (err == NULL)
    return;
  luaL_checkstack(L, 8, NULL);
  index = lua_absindex(L, index);
  if (is_ours(L, index)) {
    copy_field(L, index, "kind", err->kind, sizeof err->kind);
    copy_field(L, index, "message", err->message, sizeof err->message);
    copy_field(L, index, "hint", err->hint, sizeof err->hint);
    copy_field(L, index, "traceback", err->traceback, sizeof err->traceback);
  } else {
    rille_host_fail(err, "script", luaL_tolstring(L, index, NULL), NULL);
    lua_pop(L, 1);
  }
}

/* (error value, rille_error *) under lua_pcall: __tostring of a foreign value may do anything. */
static int
describe(lua_State *L)
{
  rille_host_describe(L, 1, (rille_error *)lua_touserdata(L, 2));
  return 0;
}

void
rille_host_report(lua_State *L, int status, rille_error *err)
{
  rille_host_fail(err, "script", "an error was raised while another one was being handled", NULL);
  if (status == LUA_ERRMEM) {
    rille_host_fail(err, "out_of_memory", "memory ran out", "the host's memory_bytes may be too small");
    lua_pop(L, 1);
  } else {
    lua_pushcfunction(L, describe);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, err);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
      lua_pop(L, 1); /* what was filled in first stays */
  }
}
