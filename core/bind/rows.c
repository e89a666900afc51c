/* core/bind/rows.c - the loop body of every result. */
#include "core/bind/rows.h"

#include <lauxlib.h>
#include <limits.h>

#include "core/bind/database.h"
#include "core/bind/record.h"
#include "core/bind/value.h"

#define LAYOUT_META "rille.layout"
#define BATCH_META "rille.batch"

void
rille_lua_start(lua_State *L, rille_connection *connection, rille_work *work, rille_query *query)
{
  rille_statement *statement = NULL;

  if (rille_connection_ready(connection, &work->fault) != RILLE_OK ||
      rille_connection_statement(connection, query, &statement, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, NULL);
  if (rille_work_run(work, connection, statement, &work->arena) != RILLE_OK)
    (void)rille_lua_fail(L, work, NULL);
}

static int
layout_gc(lua_State *L)
{
  rille_layout **layout = lua_touserdata(L, 1);

  rille_layout_drop(*layout);
  *layout = NULL;
  return 0;
}

/* Pushes a value that holds a layout until it is collected: the one that the caller puts there. */
static rille_layout **
push_layout(lua_State *L)
{
  rille_layout **kept = lua_newuserdatauv(L, sizeof(rille_layout *), 0);

  *kept = NULL;
  if (luaL_newmetatable(L, LAYOUT_META)) {
    lua_pushcfunction(L, layout_gc);
    lua_setfield(L, -2, "__gc");
  }
  (void)lua_setmetatable(L, -2);
  return kept;
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
  *push_layout(L) = rille_layout_hold(layout);
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

/* Rows whose records have the given layout, which the origin keeps alive if it is not the source's. */
static void
init(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_layout *layout)
{
  bool whole = source != NULL && layout->table_id == source->table.id;

  rows->source = source;
  rows->layout = whole ? source->layout : layout;
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

void
rille_lua_rows_init(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work)
{
  rille_layout *layout = work->cursor.statement->layout;

  *rows = (rille_lua_rows){ .cells = rille_work_get(L, work, layout->count * sizeof *rows->cells),
                            .booleans = work->cursor.connection->dialect->booleans };
  init(L, rows, source, at, layout);
}

void
rille_lua_rows_init_cut(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work,
                        size_t count)
{
  rille_layout *layout = work->cursor.statement->layout, **kept = push_layout(L);

  *kept = rille_layout_cut(layout, count, &source->table);
  if (*kept == NULL)
    (void)rille_lua_no_memory(L);
  *rows = (rille_lua_rows){ .cells = rille_work_get(L, work, layout->count * sizeof *rows->cells) };
  init(L, rows, source, at, *kept);
}

void
rille_lua_rows_batch(lua_State *L, rille_lua_rows *rows)
{
  if (rows->meta == 0 || !rows->source->relations)
    return;
  if (rows->origin == 0) {
    rows->origin = rows->meta + 1;
    lua_createtable(L, RILLE_ORIGIN_BATCH, 0);
    lua_replace(L, rows->origin);
  }
  rows->batched = true;
}

void
rille_lua_rows_batched(lua_State *L, const rille_lua_rows *rows, int list, lua_Integer count)
{
  if (!rows->batched)
    return;
  lua_createtable(L, count < INT_MAX ? (int)count : 0, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    (void)lua_rawgeti(L, list, i);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
  if (luaL_newmetatable(L, BATCH_META)) {
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
  }
  (void)lua_setmetatable(L, -2);
  lua_rawseti(L, rows->origin, RILLE_ORIGIN_BATCH);
}

static void
push_plain(lua_State *L, const rille_lua_rows *rows)
{
  const rille_layout *layout = rows->layout;

  lua_createtable(L, 0, (int)layout->count);
  for (size_t i = 0; i < layout->count; i++)
    if (rows->cells[i].kind != RILLE_NULL) {
      (void)lua_rawgeti(L, rows->names, (lua_Integer)i + 1);
      if (rows->source != NULL || (rows->booleans && layout->types[i].kind == RILLE_TYPE_BOOLEAN))
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
