/* core/bind/system.c - clock, digest, directories, nearest names. */
#include "core/bind/system.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/name.h"
#include "core/base/sha256.h"
#include "core/base/shown.h"
#include "core/bind/folder.h"
#include "core/bind/value.h"
#include "core/query/moment.h"
#include "core/query/type.h"
#include "core/run/cursor.h"

static const double MOVE_SECONDS_MAX = 1e12; /* more than all years there are, and far from the end of 64 bits */

/* now() -> this moment in UTC, "2026-11-20T12:00:00.000000Z" */
static int
system_now(lua_State *L)
{
  char text[RILLE_MOMENT_BYTES + 1];

  if (!rille_moment_format(rille_moment_now(), text))
    return rille_lua_refuse(L, "the system's clock is outside the years 0 to 9999");
  (void)lua_pushlstring(L, text, RILLE_MOMENT_BYTES);
  return 1;
}

/* moment(value [, seconds]) -> what a datetime column keeps for the value, moved by so many seconds; and the same as
** microseconds since 1970 */
static int
system_moment(lua_State *L)
{
  static const rille_type datetime = { .kind = RILLE_TYPE_DATETIME };
  lua_Number seconds = luaL_optnumber(L, 2, 0);
  char text[RILLE_MOMENT_BYTES + 1], room[256];
  rille_arena arena;
  rille_cell given, kept;
  rille_fault fault;
  rille_status status;
  int64_t micros = 0;

  rille_lua_check_cell(L, 1, "a moment", &given);
  rille_arena_init_on(&arena, room, sizeof room);
  status = rille_type_store(datetime, &given, rille_str_of("a moment"), &arena, &kept, &fault);
  if (status == RILLE_OK && (kept.kind != RILLE_TEXT || !rille_moment_parse(kept.as.text, &micros)))
    status = rille_fault_set(&fault, RILLE_INVALID_ARGUMENT, "a moment: NULL is none");
  rille_arena_release(&arena);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  if (!(fabs(seconds) <= MOVE_SECONDS_MAX) || !rille_moment_format(micros + llround(seconds * 1e6), text))
    return rille_lua_refuse(L, "a moment: %g seconds from there are outside the years 0 to 9999", seconds);
  (void)lua_pushlstring(L, text, RILLE_MOMENT_BYTES);
  lua_pushinteger(L, (lua_Integer)(micros + llround(seconds * 1e6)));
  return 2;
}

/* monotonic_ms() -> milliseconds by a clock that never goes back */
static int
system_monotonic_ms(lua_State *L)
{
  lua_pushnumber(L, rille_clock_ms());
  return 1;
}

/* pause(ms): waits, a second at most; a stop ends it */
static int
system_pause(lua_State *L)
{
  lua_Number ms = luaL_checknumber(L, 1);
  struct timespec pause = { 0 };

  if (ms > 0) {
    pause.tv_sec = ms >= 1000;
    pause.tv_nsec = ms >= 1000 ? 0 : (long)(ms * 1e6);
    (void)nanosleep(&pause, NULL);
  }
  return 0;
}

/* checksum(text) -> its SHA-256 in hex digits */
static int
system_checksum(lua_State *L)
{
  char hex[RILLE_SHA256_HEX + 1];

  rille_sha256_hex(rille_lua_check_text(L, 1, "the text of a checksum"), hex);
  (void)lua_pushlstring(L, hex, RILLE_SHA256_HEX);
  return 1;
}

/* nearest(name, list) -> the element most like the name, or nil when none is near */
static int
system_nearest(lua_State *L)
{
  rille_nearest nearest;
  lua_Integer best = 0;

  rille_nearest_init(&nearest, rille_lua_check_text(L, 1, "a name"));
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_Integer i = 1, count = luaL_len(L, 2); i <= count; i++) {
    int before = nearest.distance;

    if (lua_rawgeti(L, 2, i) == LUA_TSTRING) {
      rille_nearest_offer(&nearest, rille_lua_text(L, -1));
      if (nearest.distance < before)
        best = i;
    }
    lua_pop(L, 1);
  }
  if (best > 0)
    (void)lua_rawgeti(L, 2, best);
  else
    lua_pushnil(L);
  return 1;
}

/* shown(text [, bytes]) -> the text as a message shows it: see core/base/shown.h */
static int
system_shown(lua_State *L)
{
  rille_str text = rille_lua_check_text(L, 1, "shown: what is to be shown");
  lua_Integer bytes = luaL_optinteger(L, 2, RILLE_SHOWN_BYTES);
  luaL_Buffer buffer;
  size_t size = (size_t)(bytes < 1 ? 1 : bytes > 65536 ? 65536 : bytes) + sizeof "\xE2\x80\xA6";
  char *to = luaL_buffinitsize(L, &buffer, size);

  rille_show_into(text, to, size);
  luaL_pushresultsize(&buffer, strlen(to));
  return 1;
}

static int
push_errno(lua_State *L, const char *path)
{
  int code = errno;

  lua_pushnil(L);
  (void)lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_pushboolean(L, code == ENOENT || code == ENOTDIR);
  return 3;
}

/* (rille_buffer *) -> its bytes */
static int
push_buffer(lua_State *L)
{
  const rille_buffer *buffer = lua_touserdata(L, 1);

  (void)lua_pushlstring(L, buffer->at != NULL ? buffer->at : "", buffer->len);
  return 1;
}

/* list_directory(path) -> names in byte order, without "." and ".."; nil and a message when it cannot be read, and true
** behind them when there is none */
static int
system_list_directory(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, NULL, alphasort);
  int kept = 0;

  if (count < 0)
    return push_errno(L, path);
  /* Names are put into one buffer first: a Lua error must not lose the entries. */
  {
    rille_buffer names;
    int status;

    rille_buffer_init(&names, (size_t)1 << 28);
    for (int i = 0; i < count; i++) {
      if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
        rille_buffer_add(&names, entries[i]->d_name, strlen(entries[i]->d_name) + 1);
        kept++;
      }
      free(entries[i]);
    }
    free(entries);
    if (names.failed || names.full) {
      rille_buffer_release(&names);
      return rille_lua_no_memory(L);
    }
    lua_pushcfunction(L, push_buffer);
    lua_pushlightuserdata(L, &names);
    status = lua_pcall(L, 1, 1, 0); /* an error shall not lose the names */
    rille_buffer_release(&names);
    if (status != LUA_OK)
      return lua_error(L);
  }
  {
    const char *at = lua_tostring(L, -1);

    lua_createtable(L, kept, 0);
    for (int i = 1; i <= kept; i++) {
      lua_pushstring(L, at);
      lua_rawseti(L, -2, i);
      at += strlen(at) + 1;
    }
  }
  return 1;
}

/* make_directory(path) -> true, also when it is there already; nil and a message when it cannot be made.  One that was
** made is on the disk. */
static int
system_make_directory(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  struct stat info;
  int code = mkdir(path, 0777) == 0 ? rille_folder_sync(path) : errno;

  if (code != 0 && !(code == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode))) {
    errno = code;
    return push_errno(L, path);
  }
  lua_pushboolean(L, 1);
  return 1;
}

void
rille_lua_add_system(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "now", system_now },
    { "moment", system_moment },
    { "monotonic_ms", system_monotonic_ms },
    { "checksum", system_checksum },
    { "pause", system_pause },
    { "nearest", system_nearest },
    { "shown", system_shown },
    { "list_directory", system_list_directory },
    { "make_directory", system_make_directory },
    { NULL, NULL },
  };

  luaL_setfuncs(L, functions, 0);
}
