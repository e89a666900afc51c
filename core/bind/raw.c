/* core/bind/raw.c - SQL text from Lua, and what a database holds. */
#include <lauxlib.h>
#include <stdio.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/rows.h"
#include "core/bind/value.h"
#include "core/query/declared.h"

/* Fills the slots from the list of parameters at `index`: { n =, ... }, or nil for none. */
static void
read_params(lua_State *L, int index, rille_work *work)
{
  lua_Integer count;

  if (lua_isnoneornil(L, index))
    return;
  luaL_checktype(L, index, LUA_TTABLE);
  count = luaL_len(L, index);
  if (lua_getfield(L, index, "n") == LUA_TNUMBER)
    count = lua_tointeger(L, -1);
  lua_pop(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_cell cell;

    (void)lua_rawgeti(L, index, i);
    if (!rille_lua_to_cell(L, -1, &cell)) {
      char what[40];

      (void)snprintf(what, sizeof what, "parameter %lld", (long long)i);
      rille_lua_check_cell(L, -1, what, &cell); /* raises */
    }
    lua_pop(L, 1);
    (void)rille_work_slot(L, work, &cell);
  }
}

/* Starts the statement at 2 with the parameters at 3 on the calling coroutine's connection. */
static rille_work *
start(lua_State *L, rille_connection **connection)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_str sql = rille_lua_check_text(L, 2, "SQL");
  rille_statement *statement = NULL;
  rille_work *work;

  lua_settop(L, 3);
  work = rille_lua_begin_call(L, database);
  read_params(L, 3, work);
  *connection = rille_lua_connection(L, database);
  if (rille_connection_ready(*connection, &work->fault) != RILLE_OK ||
      rille_connection_sql(*connection, sql, &statement, &work->fault) != RILLE_OK)
    (void)rille_lua_fail_sql(L, work, sql);
  rille_statement_own(statement);
  if (statement->effect == RILLE_CHANGES_NOTHING)
    rille_lua_look_at_readers(database);
  if (rille_work_run(work, *connection, statement, &work->arena) != RILLE_OK)
    (void)rille_lua_fail_sql(L, work, sql);
  return work;
}

/* Pushes the rows of the statement that the work runs, as plain tables, and the names of their columns. */
static void
push_rows(lua_State *L, rille_work *work)
{
  rille_lua_rows rows;
  lua_Integer count = 0;
  int result = lua_gettop(L) + 1;

  lua_createtable(L, 0, 0);
  rille_lua_rows_init(L, &rows, NULL, 0, work);
  while (rille_lua_rows_next(L, &rows, work))
    lua_rawseti(L, result, ++count);
  rille_cursor_close(&work->cursor);
  lua_pushvalue(L, rows.names);
  lua_replace(L, result + 1);
  lua_settop(L, result + 1);
}

/* db:query(sql, params) -> rows as plain tables, names of the columns */
static int
raw_query(lua_State *L)
{
  rille_connection *connection;
  rille_work *work = start(L, &connection);
  bool row;

  if (work->cursor.statement->layout != NULL) {
    push_rows(L, work);
    return 2;
  }
  if (rille_cursor_step(&work->cursor, &row, &work->fault) != RILLE_OK)
    return rille_lua_fail(L, work, work->cursor.statement);
  rille_cursor_close(&work->cursor);
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 0);
  return 2;
}

/* Runs the statement to its end; the first column of its last row, where that is an integer, in *id. */
static bool
run_for_id(lua_State *L, rille_work *work, int64_t *id)
{
  const rille_layout *layout = work->cursor.statement->layout;
  rille_cell *cells = layout != NULL ? rille_work_get(L, work, layout->count * sizeof *cells) : NULL;
  bool row = true, found = false;

  while (row) {
    rille_status status = layout != NULL ? rille_cursor_next(&work->cursor, cells, &row, &work->fault)
                                         : rille_cursor_step(&work->cursor, &row, &work->fault);

    if (status != RILLE_OK)
      (void)rille_lua_fail(L, work, work->cursor.statement);
    if (row && layout != NULL && cells[0].kind == RILLE_INT) {
      *id = cells[0].as.integer;
      found = true;
    }
  }
  return found;
}

/* db:execute(sql, params) -> rows changed, id of the last row inserted: nil where the database tells it to nobody who
** does not ask, and the statement returns none */
static int
raw_execute(lua_State *L)
{
  rille_connection *connection;
  rille_work *work = start(L, &connection);
  bool row = true, writes = work->cursor.statement->writes, known = true;
  int64_t id = 0;

  if (connection->dialect->row_ids) {
    while (row)
      if (rille_cursor_step(&work->cursor, &row, &work->fault) != RILLE_OK)
        return rille_lua_fail(L, work, work->cursor.statement);
    id = connection->conn->driver->last_id(connection->conn);
  } else {
    known = run_for_id(L, work, &id);
  }
  rille_cursor_close(&work->cursor);
  lua_pushinteger(L, writes ? (lua_Integer)connection->conn->driver->changes(connection->conn) : 0);
  if (known)
    lua_pushinteger(L, (lua_Integer)id);
  else
    lua_pushnil(L);
  return 2;
}

/* -- what a database holds ------------------------------------------------------------------------------- */

/* Makes the statement that answers the question, about the table called `table` if it has a name, and starts it. */
static rille_work *
ask(lua_State *L, rille_lua_database *database, rille_connection *connection, rille_catalog question, rille_str table)
{
  rille_str sql = rille_str_of(database->driver->catalog[question]);
  rille_statement *statement = NULL;
  rille_work *work = rille_lua_begin_call(L, database);

  if (table.at != NULL)
    (void)rille_work_slot(L, work, &(rille_cell){ .kind = RILLE_TEXT, .as.text = table });
  if (rille_connection_ready(connection, &work->fault) != RILLE_OK ||
      rille_connection_sql(connection, sql, &statement, &work->fault) != RILLE_OK ||
      rille_work_run(work, connection, statement, &work->arena) != RILLE_OK)
    (void)rille_lua_fail_sql(L, work, sql);
  return work;
}

/* Pushes the rows that answer it. */
static void
push_answer(lua_State *L, rille_work *work)
{
  push_rows(L, work);
  lua_pop(L, 1);
}

/* db:tables() -> names of tables and views */
static int
raw_tables(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  push_answer(L, ask(L, database, rille_lua_connection(L, database), RILLE_CATALOG_TABLES, (rille_str){ 0 }));
  for (lua_Integer i = 1, count = luaL_len(L, -1); i <= count; i++) {
    (void)lua_rawgeti(L, -1, i);
    (void)lua_getfield(L, -1, "name");
    lua_rawseti(L, -3, i);
    lua_pop(L, 1);
  }
  return 1;
}

/* Turns the 0 and 1 in `field` of the table at the top into a boolean. */
static void
make_boolean(lua_State *L, const char *field, const char *as)
{
  (void)lua_getfield(L, -1, field);
  lua_pushboolean(L, lua_tointeger(L, -1) != 0);
  lua_setfield(L, -3, as);
  lua_pop(L, 1);
}

static void
describe_columns(lua_State *L, rille_work *columns, int result)
{
  lua_Integer count;

  push_answer(L, columns);
  count = luaL_len(L, -1);
  lua_createtable(L, 1, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_type type;

    (void)lua_rawgeti(L, -2, i);
    make_boolean(L, "not_null", "not_null");
    make_boolean(L, "generated", "generated");
    (void)lua_getfield(L, -1, "declared");
    type = rille_type_from_declared(lua_isnil(L, -1) ? rille_str_of("") : rille_lua_text(L, -1));
    lua_pop(L, 1);
    lua_pushstring(L, rille_type_name(type.kind));
    lua_setfield(L, -2, "type");
    if (type.kind == RILLE_TYPE_DECIMAL) {
      lua_pushinteger(L, type.precision);
      lua_setfield(L, -2, "precision");
      lua_pushinteger(L, type.scale);
      lua_setfield(L, -2, "scale");
    }
    if (lua_getfield(L, -1, "primary") == LUA_TNUMBER && lua_tointeger(L, -1) > 0) {
      (void)lua_getfield(L, -2, "name");
      lua_rawseti(L, -4, lua_tointeger(L, -2));
    }
    lua_pop(L, 2);
  }
  lua_setfield(L, result, "primary");
  lua_setfield(L, result, "columns");
}

/* Puts rows that share `key` into one table, whose list `column` collects their columns. */
static void
describe_grouped(lua_State *L, rille_work *parts, const char *key)
{
  lua_Integer count, groups = 0;

  push_answer(L, parts);
  count = luaL_len(L, -1);
  lua_createtable(L, 0, 0); /* [rows] [groups] */
  for (lua_Integer i = 1; i <= count; i++) {
    bool same = false;

    (void)lua_rawgeti(L, -2, i); /* [rows] [groups] [row] */
    if (groups > 0) {
      (void)lua_rawgeti(L, -2, groups);
      (void)lua_getfield(L, -1, key);
      (void)lua_getfield(L, -3, key);
      same = lua_rawequal(L, -1, -2) != 0;
      lua_pop(L, 3);
    }
    if (!same) {
      lua_pushvalue(L, -1);
      lua_rawseti(L, -3, ++groups);
      lua_createtable(L, 1, 0);
      lua_setfield(L, -2, "columns");
    }
    (void)lua_rawgeti(L, -2, groups); /* ... [row] [group] */
    (void)lua_getfield(L, -1, "columns");
    if (lua_getfield(L, -3, "column") == LUA_TSTRING) {
      lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    } else { /* of an index: it is over more than its columns */
      lua_pop(L, 1);
      lua_pushboolean(L, true);
      lua_setfield(L, -3, "expressions");
    }
    lua_pop(L, 3);
  }
  lua_remove(L, -2);
}

static void
describe_indexes(lua_State *L, rille_work *indexes, int result)
{
  describe_grouped(L, indexes, "name");
  for (lua_Integer i = 1, count = luaL_len(L, -1); i <= count; i++) {
    (void)lua_rawgeti(L, -1, i);
    make_boolean(L, "is_unique", "unique");
    make_boolean(L, "partial", "partial");
    lua_pop(L, 1);
  }
  lua_setfield(L, result, "indexes");
}

/* Pushes the row of the table called `name` among those at the top, in place of them; false: there is none. */
static bool
pick_named(lua_State *L, rille_str name)
{
  int rows = lua_gettop(L);

  for (lua_Integer i = 1, count = luaL_len(L, rows); i <= count; i++) {
    (void)lua_rawgeti(L, rows, i);
    (void)lua_getfield(L, -1, "name");
    if (rille_str_equal(rille_lua_text(L, -1), name)) {
      lua_pop(L, 1);
      lua_replace(L, rows);
      return true;
    }
    lua_settop(L, rows);
  }
  return false;
}

/* db:describe(table) -> what the database knows of a table or view; nil when it has none of that name.  All that is
** asked is one round trip. */
static int
raw_describe(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_str table = rille_lua_check_text(L, 2, "the name of a table");
  rille_work *works[RILLE_CATALOG_COUNT];
  rille_stmt *statements[RILLE_CATALOG_COUNT];
  rille_connection *connection;
  int result;

  lua_settop(L, 2);
  connection = rille_lua_connection(L, database);
  for (int i = 0; i < RILLE_CATALOG_COUNT; i++) {
    works[i] = ask(L, database, connection, (rille_catalog)i, i == RILLE_CATALOG_TABLES ? (rille_str){ 0 } : table);
    statements[i] = works[i]->cursor.statement->stmt;
  }
  if (database->driver->together(statements, RILLE_CATALOG_COUNT, &works[0]->fault) != RILLE_OK)
    return rille_lua_fail(L, works[0], NULL);
  push_answer(L, works[RILLE_CATALOG_TABLES]);
  if (!pick_named(L, table))
    return 0;
  result = lua_gettop(L);
  describe_columns(L, works[RILLE_CATALOG_COLUMNS], result);
  describe_indexes(L, works[RILLE_CATALOG_INDEXES], result);
  describe_grouped(L, works[RILLE_CATALOG_FOREIGN], "id");
  lua_setfield(L, result, "foreign");
  return 1;
}

const luaL_Reg rille_lua_raw_methods[] = {
  { "query", raw_query }, { "execute", raw_execute }, { "tables", raw_tables }, { "describe", raw_describe },
  { NULL, NULL },
};
