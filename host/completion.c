/* host/completion.c - Tab: asks a Lua function for what fits before the cursor; puts it there, or lists it.
**
** The function is fn(word, line, first, last) -> list of texts to put in the place of `word`, which is
** line:sub(first, last) and ends at the cursor. */
#include "host/completion.h"

#include <stdbool.h>
#include <stdio.h>

#include <lauxlib.h>

#include "host/columns.h"

static const char COMPLETER; /* key in the registry */

/* One Tab: what is before the cursor, and what to do about it. */
struct completion {
  EditLine *edit;
  const char *line;
  size_t length;        /* bytes before the cursor */
  size_t start;         /* of the word that ends there */
  unsigned char action; /* a CC_ code for libedit */
};

static bool
is_word(char c)
{
  unsigned char byte = (unsigned char)c;

  return byte >= 0x80 || byte == '_' || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static int
characters(const char *text, size_t bytes)
{
  int n = 0;

  for (size_t i = 0; i < bytes; i++)
    n += ((unsigned char)text[i] & 0xC0) != 0x80;
  return n;
}

/* Pushes the longest text that all `n` texts of the table on top begin with. */
static void
push_common(lua_State *L, lua_Integer n)
{
  size_t common = 0;

  lua_rawgeti(L, -1, 1);
  const char *first = luaL_checklstring(L, -1, &common);
  for (lua_Integer i = 2; i <= n; i++) {
    size_t bytes = 0, same = 0;
    lua_rawgeti(L, -2, i);
    const char *other = luaL_checklstring(L, -1, &bytes);
    while (same < common && same < bytes && first[same] == other[same])
      same++;
    common = same;
    lua_pop(L, 1);
  }
  while (common > 0 && ((unsigned char)first[common] & 0xC0) == 0x80)
    common--; /* not into the middle of a character */
  lua_pushlstring(L, first, common);
  lua_remove(L, -2);
}

/* Prints the table on top in columns, under the line. */
static void
list_candidates(lua_State *L, lua_Integer n)
{
  int widest = 1;

  for (lua_Integer i = 1; i <= n; i++) {
    size_t bytes = 0;
    lua_rawgeti(L, -1, i);
    const char *text = luaL_checklstring(L, -1, &bytes);
    int columns = rille_columns_of_text(text, bytes);
    widest = columns > widest ? columns : widest;
    lua_pop(L, 1);
  }
  int per_row = rille_columns_of_terminal() / (widest + 2);
  for (lua_Integer i = 1; i <= n; i++) {
    size_t bytes = 0;
    lua_rawgeti(L, -1, i);
    const char *text = lua_tolstring(L, -1, &bytes);
    bool ends_row = per_row <= 1 || i == n || i % per_row == 0;
    printf("%s%s%*s%s", i == 1 ? "\n" : "", text, ends_row ? 0 : widest + 2 - rille_columns_of_text(text, bytes), "",
           ends_row ? "\n" : "");
    lua_pop(L, 1);
  }
  fflush(stdout);
}

/* (struct completion *) under lua_pcall. */
static int
complete(lua_State *L)
{
  struct completion *c = (struct completion *)lua_touserdata(L, 1);
  size_t bytes = 0;

  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &COMPLETER) != LUA_TFUNCTION)
    return 0;
  lua_pushlstring(L, c->line + c->start, c->length - c->start);
  lua_pushlstring(L, c->line, c->length);
  lua_pushinteger(L, (lua_Integer)c->start + 1);
  lua_pushinteger(L, (lua_Integer)c->length);
  lua_call(L, 4, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_Integer n = luaL_len(L, -1);
  if (n == 0)
    return 0;
  push_common(L, n);
  const char *common = lua_tolstring(L, -1, &bytes);
  bool longer = bytes > c->length - c->start || n == 1;
  if (longer) {
    el_deletestr(c->edit, characters(c->line + c->start, c->length - c->start));
    c->action = el_insertstr(c->edit, common) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
  } else {
    lua_pop(L, 1);
    list_candidates(L, n);
    c->action = CC_REDISPLAY;
  }
  return 0;
}

unsigned char
rille_completion_tab(EditLine *edit, lua_State *L)
{
  const LineInfo *info = el_line(edit);
  struct completion c = { .edit = edit, .line = info->buffer, .action = CC_REFRESH_BEEP };

  c.length = c.start = (size_t)(info->cursor - info->buffer);
  while (c.start > 0 && is_word(c.line[c.start - 1]))
    c.start--;
  if (lua_checkstack(L, 4)) {
    lua_pushcfunction(L, complete);
    lua_pushlightuserdata(L, &c);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
      lua_pop(L, 1);
  }
  return c.action;
}

void
rille_completion_set(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &COMPLETER);
}
