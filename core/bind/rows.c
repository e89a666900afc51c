/* core/bind/rows.c - the loop body of every result. */
#include "core/bind/rows.h"

#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/record.h"
#include "core/bind/value.h"

#define LAYOUT_META "rille.layout"

static int
layout_gc(lua_State *L)
{
  rille_layout **layout = lua_touserdata(L, 1);

  rille_layout_drop(*layout);
  *layout = NULL;
  return 0;
}

/* Pushes a value that keeps the layout alive. */
static void
push_layout(lua_State *L, rille_layout *layout)
{
  rille_layout **kept = lua_newuserdatauv(L, sizeof(rille_layout *), 0);

  *kept = NULL;
  if (luaL_newmetatable(L, LAYOUT_META)) {
    lua_pushcfunction(L, layout_gc);
    lua_setfield(L, -2, "__gc");
  }
  (void)lua_setmetatable(L, -2);
  *kept = rille_layout_hold(layout);
}

/* Pushes the origin of records whose layout is not their source's: names -> positions, and the layout. */
static void
push_origin(lua_State *L, int at, rille_layout *layout)
{
  lua_createtable(L, 2, 0);
  lua_createtable(L, 0, (int)layout->count);
  (void)lua_getiuservalue(L, at, RILLE_SOURCE_INDIRECT);
  for (size_t i = 0; i < layout->count; i++) {
    bool helped = false;

    (void)lua_pushlstring(L, layout->names[i].at, layout->names[i].len);
    if (layout->own[i] && lua_istable(L, -2)) {
      lua_pushvalue(L, -1);
      helped = lua_rawget(L, -3) != LUA_TNIL;
      lua_pop(L, 1);
    }
    if (helped) {
      lua_pop(L, 1);
    } else {
      lua_pushinteger(L, (lua_Integer)i + 1);
      lua_rawset(L, -4);
    }
  }
  lua_pop(L, 1);
  lua_rawseti(L, -2, RILLE_ORIGIN_NAMES);
  push_layout(L, layout);
  lua_rawseti(L, -2, RILLE_ORIGIN_LAYOUT);
}

static void
push_names(lua_State *L, const rille_layout *layout)
{
  lua_createtable(L, (int)layout->count, 0);
  for (size_t i = 0; i < layout->count; i++) {
    (void)lua_pushlstring(L, layout->names[i].at, layout->names[i].len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

void
rille_lua_rows_init(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work)
{
  rille_layout *layout = work->cursor.statement->layout;
  bool whole = source != NULL && layout->table_id == source->table.id;

  *rows = (rille_lua_rows){ .source = source, .layout = whole ? source->layout : layout };
  rows->cells = rille_work_get(L, work, layout->count * sizeof *rows->cells);
  if (source != NULL && source->records) {
    (void)lua_getiuservalue(L, at, RILLE_SOURCE_META);
    rows->meta = lua_gettop(L);
    if (whole) {
      lua_pushnil(L);
    } else {
      push_origin(L, at, layout);
      rows->origin = lua_gettop(L);
    }
    lua_pushnil(L);
  } else {
    lua_pushnil(L);
    lua_pushnil(L);
    push_names(L, layout);
    rows->names = lua_gettop(L);
  }
}

static void
push_plain(lua_State *L, const rille_lua_rows *rows)
{
  const rille_layout *layout = rows->layout;

  lua_createtable(L, 0, (int)layout->count);
  for (size_t i = 0; i < layout->count; i++)
    if (rows->cells[i].kind != RILLE_NULL) {
      (void)lua_rawgeti(L, rows->names, (lua_Integer)i + 1);
      if (rows->source != NULL)
        rille_lua_push_typed(L, layout->types[i], &rows->cells[i], layout->what, layout->names[i]);
      else
        rille_lua_push_cell(L, &rows->cells[i]);
      lua_rawset(L, -3);
    }
}

bool
rille_lua_rows_next(lua_State *L, rille_lua_rows *rows, rille_work *work)
{
  bool row;

  if (rille_cursor_next(&work->cursor, rows->cells, &row, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, work->cursor.statement);
  if (!row)
    return false;
  if (rows->meta != 0)
    rille_lua_push_record(L, rows->source, rows->meta, rows->layout, rows->origin, rows->cells);
  else
    push_plain(L, rows);
  return true;
}
