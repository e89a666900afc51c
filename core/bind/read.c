/* core/bind/read.c - queries that give rows, values or their own text. */
#include <lauxlib.h>
#include <string.h>

#include "core/bind/context.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/rows.h"
#include "core/bind/tenant.h"
#include "core/bind/together.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"
#include "core/bind/verb.h"

/* Where the arguments of most methods stand. */
enum { QUERY = 2, SEALED = 3 };

/* What a cursor keeps alive behind its arguments: the owner's address, and the context under which it reads. */
enum { OWNER = SEALED + 1, VIEW };

static rille_query *
to_query(lua_State *L, rille_work *work)
{
  return rille_lua_to_query(L, QUERY, lua_istable(L, SEALED) ? SEALED : 0, work);
}

/* Pushes the source of the query, which has been read; returns it. */
static rille_lua_source *
push_source(lua_State *L)
{
  if (lua_rawgeti(L, QUERY, 1) == LUA_TTABLE)
    (void)lua_rawgeti(L, -1, 1);
  else
    lua_pushnil(L);
  lua_replace(L, -2);
  return rille_lua_check_source(L, -1);
}

/* Makes the statement and starts it. */
static void
start(lua_State *L, rille_lua_database *database, rille_work *work, rille_query *query)
{
  rille_lua_start(L, rille_lua_connection_to_read(L, database), work, query);
}

void
rille_lua_start_read(lua_State *L, rille_work *work)
{
  start(L, work->database, work, to_query(L, work));
}

/* Adds a limit where the query has none. */
static void
limit_to(lua_State *L, rille_work *work, rille_query *query, int64_t rows)
{
  if (query->limit == NULL)
    query->limit = rille_work_value(L, work, &(rille_cell){ .kind = RILLE_INT, .as.integer = rows });
}

/* Pushes a list of all rows.  Most are short: the first rows wait on the stack, so that the list of these has its size
** from the beginning. */
static lua_Integer
push_list(lua_State *L, rille_lua_rows *rows, rille_work *work)
{
  enum { WAITING = 32 };
  lua_Integer count = 0;
  int list = lua_gettop(L) + 1;
  bool more = true;

  luaL_checkstack(L, WAITING + 10, "too many rows");
  while (count < WAITING && (more = rille_lua_rows_next(L, rows, work)))
    count++;
  lua_createtable(L, more ? 2 * WAITING : (int)count, 0);
  lua_insert(L, list);
  for (lua_Integer i = count; i > 0; i--)
    lua_rawseti(L, list, i);
  while (more && (more = rille_lua_rows_next(L, rows, work)))
    lua_rawseti(L, list, ++count);
  return count;
}

static int
all_rows(lua_State *L, rille_work *work)
{
  rille_lua_source *source;
  rille_lua_rows rows;
  lua_Integer count;
  int at;

  source = push_source(L);
  at = lua_gettop(L);
  rille_lua_rows_init(L, &rows, source, at, work);
  rille_lua_rows_batch(L, &rows);
  count = push_list(L, &rows, work);
  rille_cursor_close(&work->cursor);
  rille_lua_rows_batched(L, &rows, lua_gettop(L), count);
  return 1;
}

const rille_lua_read rille_lua_read_all = { "all", rille_lua_start_read, all_rows };

/* db:all(query, sealed) -> rows */
static int
read_all(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;

  lua_settop(L, SEALED);
  work = rille_lua_begin_call(L, database);
  start(L, database, work, to_query(L, work));
  return all_rows(L, work);
}

/* db:first(query, sealed) -> the first row, or nil */
static int
read_first(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_lua_source *source;
  rille_lua_rows rows;
  rille_work *work;
  rille_query *query;
  int at;

  lua_settop(L, SEALED);
  work = rille_lua_begin_call(L, database);
  query = to_query(L, work);
  limit_to(L, work, query, 1);
  start(L, database, work, query);
  source = push_source(L);
  at = lua_gettop(L);
  rille_lua_rows_init(L, &rows, source, at, work);
  if (!rille_lua_rows_next(L, &rows, work))
    lua_pushnil(L);
  rille_cursor_close(&work->cursor);
  return 1;
}

/* -- cursors --------------------------------------------------------------------------------------------- */

/* db, query, sealed: raises unless the statement may be made now. */
static int
may_read(lua_State *L)
{
  (void)to_query(L, rille_lua_begin_call(L, rille_lua_check_database(L, 1)));
  return 0;
}

/* The coroutine sees other rows than before; upvalues as of the iterator. */
static void
ask_again(lua_State *L, rille_work *work)
{
  int kept;

  luaL_checkstack(L, 5, NULL);
  (void)lua_getiuservalue(L, lua_upvalueindex(1), 1);
  kept = lua_gettop(L);
  lua_pushcfunction(L, may_read);
  for (int i = 1; i <= SEALED; i++)
    (void)lua_rawgeti(L, kept, i);
  lua_call(L, SEALED, 0);
  rille_lua_keep_view(L, work, kept, VIEW);
  lua_pop(L, 1);
}

/* The iterator; upvalues: work, metatable, origin, names */
static int
cursor_next(lua_State *L)
{
  rille_work *work = lua_touserdata(L, lua_upvalueindex(1));

  if (work->cursor.statement == NULL)
    return rille_lua_refuse(L, "the cursor is closed");
  if (rille_lua_has_view(work) && rille_lua_had_tenants() && !rille_lua_same_view(L, work, lua_upvalueindex(1), VIEW))
    ask_again(L, work);
  rille_work_step(work);
  if (!rille_lua_rows_next(L, work->rows, work)) {
    rille_cursor_close(&work->cursor);
    lua_pushnil(L);
  }
  rille_work_stepped(work);
  return 1;
}

/* Copies the texts of the slots: they live in Lua strings that may be gone before the cursor is. */
static void
keep_texts(lua_State *L, rille_work *work)
{
  for (uint32_t i = 0; i < work->slot_count; i++) {
    rille_cell *cell = &work->slots[i].cell;

    if (cell->kind == RILLE_TEXT || cell->kind == RILLE_BLOB)
      cell->as.text = rille_arena_copy(&work->arena, cell->as.text);
  }
  if (!rille_arena_ok(&work->arena))
    (void)rille_lua_no_memory(L);
}

/* db:cursor(query, sealed) -> the four values of a generic for: iterator, nil, nil, what closes it */
static int
read_cursor(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;
  rille_lua_rows *rows;
  rille_lua_source *source;
  int at, closes, kept;

  lua_settop(L, SEALED);
  (void)rille_lua_begin_call(L, database); /* the database is not closed while the cursor is made */
  work = rille_work_new(L, database);
  closes = lua_gettop(L);
  kept = closes + 1;
  lua_createtable(L, VIEW, 0); /* keeps alive: the database, the query whose texts are bound, and more */
  for (int i = 1; i <= SEALED; i++) {
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, i);
  }
  (void)lua_pushthread(L);
  lua_rawseti(L, -2, OWNER);
  lua_pushvalue(L, -1);
  (void)lua_setiuservalue(L, closes, 1);
  query = to_query(L, work);
  if (rille_lua_has_view(work))
    rille_lua_keep_view(L, work, kept, VIEW);
  keep_texts(L, work);
  rille_lua_start(L, rille_lua_connection_to_walk(L, database), work, query);
  work->cursor.statement->stmt->driver->stream(work->cursor.statement->stmt, true);
  work->cursor.owner = L;
  source = push_source(L);
  at = lua_gettop(L);
  rows = rille_work_get(L, work, sizeof *rows);
  lua_pushvalue(L, closes);
  rille_lua_rows_init(L, rows, source, at, work);
  if (rows->meta != 0)
    rows->meta = lua_upvalueindex(2);
  if (rows->origin != 0)
    rows->origin = lua_upvalueindex(3);
  rows->names = lua_upvalueindex(4);
  work->rows = rows;
  lua_pushcclosure(L, cursor_next, 4);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, closes);
  return 4;
}

/* -- values ---------------------------------------------------------------------------------------------- */

/* db:pluck(query, sealed) -> a list for the first column, and one for the second if there is one; NULL is rille.null */
static int
read_pluck(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  const rille_layout *layout;
  rille_cell *cells;
  bool row = true;
  lua_Integer count = 0;
  size_t columns;
  int lists;

  lua_settop(L, SEALED);
  work = rille_lua_begin_call(L, database);
  start(L, database, work, to_query(L, work));
  layout = work->cursor.statement->layout;
  cells = rille_work_get(L, work, layout->count * sizeof *cells);
  columns = layout->count < 2 ? layout->count : 2;
  lists = lua_gettop(L);
  for (size_t i = 0; i < columns; i++)
    lua_createtable(L, 0, 0);
  for (;;) {
    if (rille_cursor_next(&work->cursor, cells, &row, &work->fault) != RILLE_OK)
      return rille_lua_fail(L, work, work->cursor.statement);
    if (!row)
      break;
    count++;
    for (size_t i = 0; i < columns; i++) {
      if (cells[i].kind == RILLE_NULL)
        rille_lua_push_null(L);
      else
        rille_lua_push_typed(L, layout->types[i], &cells[i], layout->what, layout->names[i]);
      lua_rawseti(L, lists + 1 + (int)i, count);
    }
  }
  rille_cursor_close(&work->cursor);
  return (int)columns;
}

/* Adds the call that the aggregate named at `index` means, over the column named at index + 1 (nil: all rows). */
static void
add_aggregate(lua_State *L, rille_work *work, rille_query *query, int index)
{
  static const char *const names[] = { "count", "sum", "avg", "min", "max", NULL };
  int function = luaL_checkoption(L, index, NULL, names);
  bool star = lua_isnoneornil(L, index + 1);
  rille_node *of = rille_work_node(L, work, star ? RILLE_NODE_STAR : RILLE_NODE_COLUMN);

  if (!star)
    of->text = rille_lua_check_text(L, index + 1, "the name of a column");
  query->aggregate = rille_work_node(L, work, RILLE_NODE_CALL);
  query->aggregate->op = (int)RILLE_FN_COUNT + function;
  query->aggregate->items = of;
}

/* Pushes the one value of the statement; nil for NULL. */
static void
push_value(lua_State *L, rille_work *work)
{
  const rille_layout *layout = work->cursor.statement->layout;
  rille_cell *cells = rille_work_get(L, work, layout->count * sizeof *cells);
  bool row;

  if (rille_cursor_next(&work->cursor, cells, &row, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, work->cursor.statement);
  if (row)
    rille_lua_push_typed(L, layout->types[0], &cells[0], layout->what, layout->names[0]);
  else
    lua_pushnil(L);
  rille_cursor_close(&work->cursor);
}

static void
aggregate_start(lua_State *L, rille_work *work)
{
  rille_query *query = to_query(L, work);

  add_aggregate(L, work, query, 4);
  start(L, work->database, work, query);
}

static int
aggregate_rows(lua_State *L, rille_work *work)
{
  push_value(L, work);
  return 1;
}

const rille_lua_read rille_lua_read_aggregate = { "aggregate", aggregate_start, aggregate_rows };

/* db:aggregate(query, sealed, "count" | "sum" | ..., column | nil) -> the value */
static int
read_aggregate(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;

  lua_settop(L, 5);
  work = rille_lua_begin_call(L, database);
  aggregate_start(L, work);
  return aggregate_rows(L, work);
}

/* db:exists(query, sealed) -> whether there is a row */
static int
read_exists(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;
  bool row;

  lua_settop(L, SEALED);
  work = rille_lua_begin_call(L, database);
  query = to_query(L, work);
  if (query->outputs == NULL && query->unions == NULL) {
    query->outputs = rille_work_node(L, work, RILLE_NODE_CONSTANT);
    query->outputs->op = 1;
  }
  limit_to(L, work, query, 1);
  start(L, database, work, query);
  if (rille_cursor_step(&work->cursor, &row, &work->fault) != RILLE_OK)
    return rille_lua_fail(L, work, work->cursor.statement);
  rille_cursor_close(&work->cursor);
  lua_pushboolean(L, row);
  return 1;
}

/* -- text ------------------------------------------------------------------------------------------------ */

/* db:sql(query, sealed, verb, argument) -> the text of the statement, and its parameters as a list.  Verbs:
** "select", "delete", "update" (argument: what to set), and the aggregates (argument: a column). */
static int
read_sql(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;
  rille_statement *statement = NULL;
  rille_connection *connection;
  const char *verb;

  lua_settop(L, 5);
  work = rille_lua_begin_call(L, database);
  connection = rille_lua_connection(L, database);
  query = to_query(L, work);
  verb = luaL_optstring(L, 4, "select");
  if (strcmp(verb, "update") == 0)
    rille_lua_add_update(L, work, query, 5);
  else if (strcmp(verb, "delete") == 0)
    query->verb = RILLE_DELETE;
  else if (strcmp(verb, "select") != 0)
    add_aggregate(L, work, query, 4);
  if (rille_connection_statement(connection, query, &statement, &work->fault) != RILLE_OK)
    return rille_lua_fail(L, work, NULL);
  work->held = statement;
  (void)lua_pushlstring(L, statement->compiled.sql.at, statement->compiled.sql.len);
  lua_createtable(L, (int)statement->compiled.param_count, 0);
  for (size_t i = 0; i < statement->compiled.param_count; i++) {
    rille_cell cell = { 0 };

    if (rille_statement_cell(statement, i, work->slots, &work->arena, &cell, &work->fault) != RILLE_OK)
      return rille_lua_fail(L, work, NULL);
    if (cell.kind == RILLE_NULL)
      rille_lua_push_null(L);
    else
      rille_lua_push_cell(L, &cell);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 2;
}

const luaL_Reg rille_lua_read_methods[] = {
  { "all", read_all }, { "first", read_first },         { "cursor", read_cursor }, { "pluck", read_pluck },
  { "sql", read_sql }, { "aggregate", read_aggregate }, { "exists", read_exists }, { NULL, NULL },
};
