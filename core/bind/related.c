/* core/bind/related.c - the records of a relation, and beside them the values that say whose they are. */
#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/record.h"
#include "core/bind/rows.h"
#include "core/bind/together.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"

/* The places, from 0, of the outputs named in the list at `index`. */
static size_t *
places_of(lua_State *L, rille_work *work, const rille_layout *layout, int index, size_t count)
{
  size_t *places = rille_work_get(L, work, count * sizeof *places);

  for (size_t i = 0; i < count; i++) {
    rille_str name;

    (void)lua_rawgeti(L, index, (lua_Integer)i + 1);
    name = rille_lua_check_text(L, -1, "the name of an output");
    while (places[i] < layout->count && !rille_str_equal(layout->names[places[i]], name))
      places[i]++;
    if (places[i] == layout->count)
      (void)rille_lua_refuse(L, "the query has no output \"%.*s\"", RILLE_STR_ARG(name));
    lua_pop(L, 1);
  }
  return places;
}

/* Pushes the value of an output of the row that was read; the sentinel for NULL. */
static void
push_output(lua_State *L, const rille_layout *layout, const rille_cell *cells, size_t at)
{
  if (cells[at].kind == RILLE_NULL)
    rille_lua_push_null(L);
  else
    rille_lua_push_typed(L, layout->types[at], &cells[at], layout->what, layout->names[at]);
}

/* Pushes the record of the row that was read: the one that is there already for the value of its output at `shared`, or
** a new one.  Rows of one record often follow each other: `last` is where the last row's record stands, and its value
** above it. */
static void
push_shared(lua_State *L, const rille_lua_rows *rows, const rille_layout *layout, size_t shared, int seen, int last)
{
  const rille_cell *cell = &rows->cells[shared];

  if (cell->kind == RILLE_INT && lua_isinteger(L, last + 1) && lua_tointeger(L, last + 1) == cell->as.integer) {
    lua_pushvalue(L, last);
    return;
  }
  push_output(L, layout, rows->cells, shared);
  lua_copy(L, -1, last + 1);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, seen) == LUA_TNIL) {
    lua_pop(L, 1);
    rille_lua_push_record(L, rows->source, rows->meta, rows->layout, rows->origin, rows->cells);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, seen);
  }
  lua_copy(L, -1, last);
  lua_remove(L, -2);
}

static int
related_rows(lua_State *L, rille_work *work)
{
  enum { QUERY = 2, NAMES = 4, EXTRA };
  const rille_layout *layout = work->cursor.statement->layout;
  rille_lua_source *source;
  rille_lua_rows rows;
  size_t *places, *shared, count, extra;
  int at, result, seen, last, shared_at;
  lua_Integer number = 1;
  bool row, shares;

  if (!rille_lua_query_source(L, QUERY)->records)
    return rille_lua_refuse(L, "rows that are no records cannot be related");
  (void)lua_getfield(L, NAMES, "shared");
  shared_at = lua_gettop(L);
  count = (size_t)luaL_len(L, NAMES);
  extra = (size_t)luaL_checkinteger(L, EXTRA);
  luaL_checkstack(L, (int)count + 20, "a relation has too many columns");
  source = rille_lua_query_source(L, QUERY);
  (void)lua_rawgeti(L, QUERY, 1);
  (void)lua_rawgeti(L, -1, 1);
  at = lua_gettop(L);
  places = places_of(L, work, layout, NAMES, count);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, shared_at);
  lua_rawseti(L, -2, 1);
  shares = !lua_isnil(L, shared_at);
  shared = places_of(L, work, layout, lua_gettop(L), shares ? 1 : 0);
  lua_createtable(L, 0, 0);
  seen = lua_gettop(L); /* value of the shared output -> record */
  last = seen + 1;
  lua_settop(L, last + 1);
  if (extra > 0 && extra <= layout->count)
    rille_lua_rows_init_cut(L, &rows, source, at, work, layout->count - extra);
  else
    rille_lua_rows_init(L, &rows, source, at, work);
  result = lua_gettop(L) + 1;
  for (size_t i = 0; i <= count; i++)
    lua_createtable(L, 0, 0);
  rille_lua_rows_batch(L, &rows);
  for (;; number++) {
    if (rille_cursor_next(&work->cursor, rows.cells, &row, &work->fault) != RILLE_OK)
      return rille_lua_fail(L, work, work->cursor.statement);
    if (!row)
      break;
    if (shares)
      push_shared(L, &rows, layout, *shared, seen, last);
    else
      rille_lua_push_record(L, rows.source, rows.meta, rows.layout, rows.origin, rows.cells);
    lua_rawseti(L, result, number);
    for (size_t i = 0; i < count; i++) {
      push_output(L, layout, rows.cells, places[i]);
      lua_rawseti(L, result + 1 + (int)i, number);
    }
  }
  rille_cursor_close(&work->cursor);
  rille_lua_rows_batched(L, &rows, result, number - 1);
  return (int)count + 1;
}

const rille_lua_read rille_lua_read_related = { "related", rille_lua_start_read, related_rows };

/* db:related(query, sealed, names, extra) -> the list of records, and for each of the outputs in `names` the list of
** its values, row by row.  The last `extra` outputs belong to the relation, not to the records.  `names.shared` is the
** name of an output: rows alike in it give one and the same record, where it is not nil. */
static int
read_related(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;

  lua_settop(L, 5);
  work = rille_lua_begin_call(L, database);
  rille_lua_start_read(L, work);
  return related_rows(L, work);
}

const luaL_Reg rille_lua_related_methods[] = {
  { "related", read_related },
  { NULL, NULL },
};
