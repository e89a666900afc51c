/* core/bind/write.c - updates and deletes by query, inserts of rows. */
#include <lauxlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/bind/database.h"
#include "core/base/shown.h"
#include "core/bind/ends.h"
#include "core/bind/tenant.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"
#include "core/bind/verb.h"

rille_set **
rille_lua_add_set(lua_State *L, rille_work *work, rille_set **end, rille_str column, const rille_cell *cell)
{
  rille_set *set = rille_work_get(L, work, sizeof *set);

  set->name = column;
  set->value = rille_work_value(L, work, cell);
  *end = set;
  return &set->next;
}

/* column = column + value */
static void
make_increment(lua_State *L, rille_work *work, rille_set *set, const char *sign)
{
  rille_node *sum = rille_work_node(L, work, RILLE_NODE_COMPARE), *column = rille_work_node(L, work, RILLE_NODE_COLUMN);

  column->text = set->name;
  sum->op = sign[0] == '-' ? RILLE_OP_SUBTRACT : RILLE_OP_ADD;
  sum->a = column;
  sum->b = set->value;
  set->value = sum;
}

void
rille_lua_add_update(lua_State *L, rille_work *work, rille_query *query, int index)
{
  rille_set **end = &query->sets;

  luaL_checktype(L, index, LUA_TTABLE);
  query->verb = RILLE_UPDATE;
  for (lua_Integer i = 1, count = luaL_len(L, index); i <= count; i++) {
    rille_set *set;
    rille_cell cell;
    rille_str column;
    char place[100];

    (void)lua_rawgeti(L, index, i);
    (void)lua_rawgeti(L, -1, 1);
    column = rille_lua_check_text(L, -1, "the name of a column");
    (void)snprintf(place, sizeof place, "%.*s", RILLE_STR_ARG(column));
    (void)lua_rawgeti(L, -2, 2);
    rille_lua_check_cell(L, -1, place, &cell);
    (void)lua_rawgeti(L, -3, 3);
    if (query->source.table->tenant != NULL && rille_str_equal(column, query->source.table->tenant->name))
      rille_lua_check_tenant(L, work, &query->source, lua_isstring(L, -1) ? NULL : &cell);
    end = rille_lua_add_set(L, work, end, column, &cell);
    set = (rille_set *)((char *)end - offsetof(rille_set, next));
    if (lua_isstring(L, -1))
      make_increment(L, work, set, lua_tostring(L, -1));
    lua_pop(L, 4);
  }
}

/* Runs a statement without rows; returns the rows it changed. */
static int64_t
run(lua_State *L, rille_lua_database *database, rille_work *work, rille_query *query)
{
  rille_connection *connection = rille_lua_connection(L, database);
  rille_statement *statement = NULL;
  bool row;

  if (rille_connection_ready(connection, &work->fault) != RILLE_OK ||
      rille_connection_statement(connection, query, &statement, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, NULL);
  if (rille_cursor_open(&work->cursor, connection, statement, work->slots, work->slot_count, &work->arena,
                        &work->fault) != RILLE_OK ||
      rille_cursor_step(&work->cursor, &row, &work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, work, work->cursor.statement);
  rille_cursor_close(&work->cursor);
  return connection->conn->driver->changes(connection->conn);
}

/* db:update(query, sealed, sets) -> rows changed */
static int
write_update(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;

  lua_settop(L, 4);
  work = rille_lua_begin_call(L, database);
  query = rille_lua_to_query(L, 2, lua_istable(L, 3) ? 3 : 0, work);
  rille_lua_add_update(L, work, query, 4);
  lua_pushinteger(L, (lua_Integer)run(L, database, work, query));
  return 1;
}

/* db:delete(query, sealed) -> rows deleted */
static int
write_delete(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_work *work;
  rille_query *query;

  lua_settop(L, 3);
  work = rille_lua_begin_call(L, database);
  query = rille_lua_to_query(L, 2, lua_istable(L, 3) ? 3 : 0, work);
  query->verb = RILLE_DELETE;
  lua_pushinteger(L, (lua_Integer)run(L, database, work, query));
  return 1;
}

/* -- rows ------------------------------------------------------------------------------------------------ */

/* An insert of many rows: the statement is made for the columns that a row gives, and kept while the next rows give
** the same. */
struct batch {
  rille_lua_database *database;
  rille_lua_source *source;
  rille_connection *connection;
  rille_work *work;
  int positions;            /* stack index: column name -> position */
  int fill;                 /* stack index: values for columns that a row leaves out, or nil */
  rille_cell *cells;        /* the row, by position */
  bool *given, *last_given; /* which of them it gives; the same for the row before */
  rille_set *sets; /* assignments and their values, for as many columns as there are: used again for each shape */
  rille_node *values;
  rille_query *query;
  size_t first_slot;
  lua_Integer row, count; /* which row of how many */
};

/* Position of the column named by the string at `key`; raises no_such_column. */
static size_t
position_of(lua_State *L, const struct batch *b, int key, lua_Integer row)
{
  lua_Integer position;

  if (lua_type(L, key) != LUA_TSTRING)
    (void)rille_lua_refuse(L, "row %lld of %s: its keys must be names of columns", (long long)row,
                           rille_show(b->source->table.name).text);
  lua_pushvalue(L, key);
  (void)lua_rawget(L, b->positions);
  position = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (position == 0) {
    (void)rille_table_no_column(&b->source->table, rille_lua_text(L, key), &b->work->fault);
    (void)rille_lua_fail(L, b->work, NULL);
  }
  return (size_t)position - 1;
}

/* Reads the table at `index` into the cells; values that are already given stay when `gently`. */
static void
read_row(lua_State *L, struct batch *b, int index, lua_Integer row, bool gently)
{
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    size_t position = position_of(L, b, lua_gettop(L) - 1, row);

    if (gently && b->given[position])
      continue;
    if (!rille_lua_to_cell(L, -1, &b->cells[position])) {
      char what[160];

      (void)snprintf(what, sizeof what, "row %lld: %.*s.%.*s", (long long)row, RILLE_STR_ARG(b->source->table.name),
                     RILLE_STR_ARG(b->source->table.columns[position].name));
      rille_lua_check_cell(L, -1, what, &b->cells[position]);
    }
    b->given[position] = true;
  }
}

/* Raises the fault, saying which of many rows it was. */
static void
fail_row(lua_State *L, struct batch *b)
{
  char message[sizeof b->work->fault.message];

  if (b->count > 1) {
    memcpy(message, b->work->fault.message, sizeof message);
    (void)snprintf(b->work->fault.message, sizeof b->work->fault.message, "row %lld of %lld: %.400s", (long long)b->row,
                   (long long)b->count, message);
  }
  (void)rille_lua_fail(L, b->work, b->work->cursor.statement);
}

/* Assigns the tenant. */
static void
stamp(lua_State *L, struct batch *b)
{
  const rille_table *table = &b->source->table;
  size_t at;

  if (table->tenant == NULL)
    return;
  at = rille_table_position(table, table->tenant);
  b->given[at] = rille_lua_stamp(L, b->work, &b->query->source, &b->cells[at], b->given[at]);
}

/* A row in the way that was not updated is another tenant's. */
static void
check_updated(lua_State *L, struct batch *b, int64_t changes)
{
  const rille_query *query = b->query;

  if (changes > 0 || query->conflict_sets == NULL || query->source.guard != RILLE_GUARD_TENANT)
    return;
  (void)rille_fault_set(&b->work->fault, RILLE_UNIQUE_VIOLATION,
                        "upsert: a row of %s has the same %s, and is not the current tenant's",
                        rille_show(query->source.table->name).text, rille_show(query->conflict_columns->text).text);
  rille_fault_hint(&b->work->fault, "a unique index of %s should include %s", query->source.table->name.at,
                   query->source.table->tenant->name.at);
  fail_row(L, b);
}

/* Makes the statement for the columns that are given, with a slot for each. */
static void
make_statement(lua_State *L, struct batch *b)
{
  const rille_table *table = &b->source->table;
  rille_statement *statement = NULL;
  rille_set **end = &b->query->sets;

  rille_cursor_close(&b->work->cursor);
  rille_arena_reset(&b->work->scratch);
  b->work->slot_count = (uint32_t)b->first_slot;
  b->query->sets = NULL;
  for (size_t i = 0; i < table->column_count; i++)
    if (b->given[i]) {
      b->values[i] = (rille_node){ .kind = RILLE_NODE_VALUE, .slot = rille_work_slot(L, b->work, &b->cells[i]) };
      b->sets[i] = (rille_set){ .name = table->columns[i].name, .value = &b->values[i] };
      *end = &b->sets[i];
      end = &b->sets[i].next;
    }
  if (rille_connection_statement(b->connection, b->query, &statement, &b->work->fault) != RILLE_OK ||
      rille_cursor_open(&b->work->cursor, b->connection, statement, b->work->slots, b->work->slot_count,
                        &b->work->scratch, &b->work->fault) != RILLE_OK)
    fail_row(L, b);
  memcpy(b->last_given, b->given, table->column_count * sizeof *b->given);
}

/* Puts the cells into the slots of the running statement. */
static void
bind_again(lua_State *L, struct batch *b)
{
  rille_statement *statement = b->work->cursor.statement;
  rille_slot *slot = b->work->slots + b->first_slot;

  statement->stmt->driver->reset(statement->stmt);
  rille_arena_reset(&b->work->scratch);
  for (size_t i = 0; i < b->source->table.column_count; i++)
    if (b->given[i])
      (slot++)->cell = b->cells[i];
  if (rille_statement_bind(statement, b->work->slots, b->work->slot_count, &b->work->scratch, &b->work->fault) !=
      RILLE_OK)
    fail_row(L, b);
}

/* The columns of the list at `index` are to be returned. */
static void
read_returning(lua_State *L, int index, rille_work *work, rille_query *query)
{
  rille_node **end = &query->returning;

  for (lua_Integer i = 1, count = luaL_len(L, index); i <= count; i++) {
    rille_node *column = rille_work_node(L, work, RILLE_NODE_COLUMN);

    (void)lua_rawgeti(L, index, i);
    column->text = rille_lua_check_text(L, -1, "the name of a column");
    lua_pop(L, 1);
    *end = column;
    end = &column->next;
  }
}

/* Steps the insert; where it returns columns, their values go into the table `into` of that at `index`. */
static rille_status
step_row(lua_State *L, struct batch *b, int index)
{
  const rille_layout *layout = b->work->cursor.statement->layout;
  rille_cell *cells;
  rille_status status;
  bool more;

  if (layout == NULL)
    return rille_cursor_step(&b->work->cursor, &more, &b->work->fault);
  cells = rille_work_get(L, b->work, layout->count * sizeof *cells);
  status = rille_cursor_next(&b->work->cursor, cells, &more, &b->work->fault);
  if (status != RILLE_OK || !more)
    return status;
  (void)lua_getfield(L, index, "into");
  for (size_t i = 0; i < layout->count; i++) {
    (void)lua_pushlstring(L, layout->names[i].at, layout->names[i].len);
    rille_lua_push_cell(L, &cells[i]);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  return rille_cursor_step(&b->work->cursor, &more, &b->work->fault); /* now it has done its work */
}

/* Reads what happens to rows that are refused: { ignore = true } or { by = { columns }, where = SQL | nil,
** update = { columns }, count = column | nil }, or what is returned of them: { returning = { columns }, into = { } }.
** `count` is the column to which 1 is added when a row is updated.  The
** SQL is the schema's own, and borrowed. */
static void
read_conflict(lua_State *L, int index, rille_work *work, rille_query *query)
{
  rille_node **column_end = &query->conflict_columns;
  rille_set **set_end = &query->conflict_sets;

  if (!lua_istable(L, index))
    return;
  if (lua_getfield(L, index, "ignore") != LUA_TNIL && lua_toboolean(L, -1))
    query->conflict = RILLE_CONFLICT_IGNORED;
  lua_pop(L, 1);
  if (lua_getfield(L, index, "by") == LUA_TTABLE) {
    query->conflict = RILLE_CONFLICT_UPDATES;
    for (lua_Integer i = 1, count = luaL_len(L, -1); i <= count; i++) {
      rille_node *column = rille_work_node(L, work, RILLE_NODE_COLUMN);

      (void)lua_rawgeti(L, -1, i);
      column->text = rille_lua_check_text(L, -1, "the name of a column");
      lua_pop(L, 1);
      *column_end = column;
      column_end = &column->next;
    }
  }
  lua_pop(L, 1);
  if (lua_getfield(L, index, "where") == LUA_TSTRING)
    query->conflict_where = rille_lua_text(L, -1);
  lua_pop(L, 1);
  if (lua_getfield(L, index, "update") == LUA_TTABLE)
    for (lua_Integer i = 1, count = luaL_len(L, -1); i <= count; i++) {
      rille_set *set = rille_work_get(L, work, sizeof *set);

      (void)lua_rawgeti(L, -1, i);
      set->name = rille_lua_check_text(L, -1, "the name of a column");
      lua_pop(L, 1);
      set->value = rille_work_node(L, work, RILLE_NODE_COLUMN);
      set->value->text = set->name;
      *set_end = set;
      set_end = &set->next;
    }
  lua_pop(L, 1);
  if (lua_getfield(L, index, "returning") == LUA_TTABLE)
    read_returning(L, lua_gettop(L), work, query);
  lua_pop(L, 1);
  if (lua_getfield(L, index, "count") == LUA_TSTRING) {
    const rille_cell one = { .kind = RILLE_INT, .as.integer = 1 };

    (void)rille_lua_add_set(L, work, set_end, rille_lua_text(L, -1), &one);
    make_increment(L, work, *set_end, "+");
  }
  lua_pop(L, 1);
}

/* One transaction around the rows, unless the caller has one open. */
static void
begin(lua_State *L, struct batch *b)
{
  if (rille_connection_ready(b->connection, &b->work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, b->work, NULL);
  if (rille_connection_begin(b->connection, RILLE_BEGIN_IMMEDIATE, L, &b->work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, b->work, NULL);
  b->work->began = b->connection;
}

static void
commit(lua_State *L, struct batch *b)
{
  rille_cursor_close(&b->work->cursor);
  if (b->work->began == NULL)
    return;
  if (rille_connection_commit(b->connection, &b->work->fault) != RILLE_OK)
    (void)rille_lua_fail(L, b->work, NULL);
  b->work->began = NULL;
}

/* db:insert(source, rows, fill, conflict) -> rows inserted or updated.  All of them or none. */
static int
write_insert(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  struct batch b = { .database = database, .source = rille_lua_check_source(L, 2), .fill = 4 };
  lua_Integer count, inserted = 0;
  size_t columns = b.source->table.column_count;

  luaL_checktype(L, 3, LUA_TTABLE);
  count = luaL_len(L, 3);
  lua_settop(L, 5);
  (void)lua_getiuservalue(L, 2, RILLE_SOURCE_POSITIONS);
  b.positions = lua_gettop(L);
  b.work = rille_lua_begin_call(L, database);
  b.connection = rille_lua_connection(L, database);
  b.query = rille_work_get(L, b.work, sizeof *b.query);
  b.query->verb = RILLE_INSERT;
  b.query->source = (rille_source){ .table = &b.source->table, .name = b.source->table.name };
  read_conflict(L, 5, b.work, b.query);
  rille_lua_guard(L, b.work, 2, &b.query->source, NULL);
  b.cells = rille_work_get(L, b.work, columns * sizeof *b.cells);
  b.given = rille_work_get(L, b.work, columns * sizeof *b.given);
  b.last_given = rille_work_get(L, b.work, columns * sizeof *b.last_given);
  b.sets = rille_work_get(L, b.work, columns * sizeof *b.sets);
  b.values = rille_work_get(L, b.work, columns * sizeof *b.values);
  b.first_slot = b.work->slot_count;
  b.count = count;
  if (count > 1)
    begin(L, &b);
  for (lua_Integer i = 1; i <= count; i++) {
    int64_t changes;

    b.row = i;
    if (lua_rawgeti(L, 3, i) != LUA_TTABLE)
      return rille_lua_refuse(L, "row %lld must be a table, not a %s", (long long)i, luaL_typename(L, -1));
    memset(b.given, 0, columns * sizeof *b.given);
    read_row(L, &b, lua_gettop(L), i, false);
    if (lua_istable(L, b.fill))
      read_row(L, &b, b.fill, i, true);
    stamp(L, &b);
    if (b.work->cursor.statement == NULL || memcmp(b.given, b.last_given, columns * sizeof *b.given) != 0)
      make_statement(L, &b);
    else
      bind_again(L, &b);
    if (step_row(L, &b, 5) != RILLE_OK)
      fail_row(L, &b);
    changes = b.connection->conn->driver->changes(b.connection->conn);
    check_updated(L, &b, changes);
    inserted += (lua_Integer)changes;
    lua_pop(L, 1);
  }
  commit(L, &b);
  lua_pushinteger(L, inserted);
  return 1;
}

const luaL_Reg rille_lua_write_methods[] = {
  { "update", write_update },
  { "delete", write_delete },
  { "insert", write_insert },
  { NULL, NULL },
};
