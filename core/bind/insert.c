/* core/bind/insert.c - rows put in: one by one, or many with a statement where the database takes them so faster.
**
** Rows that give the same columns wait until there are enough of them.  Many at once are refused as a whole: then they
** go in one by one, and the one that is refused is named. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "core/base/shown.h"
#include "core/bind/conflict.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"

enum {
  ROWS_MAX = 256,             /* of one statement, a power of two: more of them make it no faster, only larger */
  BYTES_MAX = 4 * 1024 * 1024 /* of the texts in rows that wait; more do not wait for others */
};

/* The statement is made for the columns that a row gives, and kept while the next rows give the same. */
struct batch {
  rille_lua_database *database;
  rille_lua_source *source;
  rille_connection *connection;
  rille_work *work;
  int positions;            /* stack index: column name -> position */
  int fill;                 /* stack index: values for columns that a row leaves out, or nil */
  int conflict;             /* stack index: see conflict.h */
  rille_cell *cells;        /* the row that was read, by position */
  bool *given, *last_given; /* which of them it gives; the same for the row before */
  rille_set *sets; /* assignments and their values, for as many columns as there are: used again for each shape */
  rille_node *values;
  rille_query *query;
  size_t first_slot, made_rows; /* of the statement: where the rows' values begin, and how many rows it has */
  lua_Integer row, count;       /* which row of how many */
  lua_Integer inserted;
  rille_cell *waiting; /* rows, each as long as `cells` */
  size_t rows, room;   /* that wait, and may; no room: each goes in by itself, */
  bool gives;          /* ... and so does one that gives no column */
  size_t bytes;        /* of their texts */
};

/* -- one row from Lua ---------------------------------------------------------------------------------------- */

/* Position of the column named by the string at `key`; raises no_such_column. */
static size_t
position_of(lua_State *L, const struct batch *b, int key)
{
  lua_Integer position;

  if (lua_type(L, key) != LUA_TSTRING)
    (void)rille_lua_refuse(L, "row %lld of %s: its keys must be names of columns", (long long)b->row,
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
read_row(lua_State *L, struct batch *b, int index, bool gently)
{
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    size_t position = position_of(L, b, lua_gettop(L) - 1);

    if (gently && b->given[position])
      continue;
    if (!rille_lua_to_cell(L, -1, &b->cells[position])) {
      char what[160];

      (void)snprintf(what, sizeof what, "row %lld: %.*s.%.*s", (long long)b->row, RILLE_STR_ARG(b->source->table.name),
                     RILLE_STR_ARG(b->source->table.columns[position].name));
      rille_lua_check_cell(L, -1, what, &b->cells[position]);
    }
    b->given[position] = true;
  }
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

/* -- statements ---------------------------------------------------------------------------------------------- */

/* Raises the fault, saying which of many rows it was. */
static void
fail_row(lua_State *L, struct batch *b, lua_Integer row)
{
  char message[sizeof b->work->fault.message];

  if (b->count > 1) {
    memcpy(message, b->work->fault.message, sizeof message);
    (void)snprintf(b->work->fault.message, sizeof b->work->fault.message, "row %lld of %lld: %.400s", (long long)row,
                   (long long)b->count, message);
  }
  (void)rille_lua_fail(L, b->work, b->work->cursor.statement);
}

/* Makes the statement for so many rows of the columns that are given in `last_given`, with a slot for each value. */
static rille_status
make_statement(lua_State *L, struct batch *b, const rille_cell *cells, size_t rows)
{
  const rille_table *table = &b->source->table;
  rille_statement *statement = NULL;
  rille_set **end = &b->query->sets;
  rille_status status;

  rille_cursor_close(&b->work->cursor);
  rille_arena_reset(&b->work->scratch);
  b->work->slot_count = (uint32_t)b->first_slot;
  b->query->sets = NULL;
  b->query->rows = rows > 1 ? (uint32_t)rows : 0;
  b->made_rows = rows;
  for (size_t i = 0; i < rows * table->column_count; i++) {
    size_t at = i % table->column_count;

    if (!b->last_given[at])
      continue;
    uint32_t slot = rille_work_slot(L, b->work, &cells[i]);

    if (i >= table->column_count)
      continue;
    b->values[at] = (rille_node){ .kind = RILLE_NODE_VALUE, .slot = slot };
    b->sets[at] = (rille_set){ .name = table->columns[at].name, .value = &b->values[at] };
    *end = &b->sets[at];
    end = &b->sets[at].next;
  }
  status = rille_connection_statement(b->connection, b->query, &statement, &b->work->fault);
  if (status == RILLE_OK)
    status = rille_work_run(b->work, b->connection, statement, &b->work->scratch);
  return status;
}

/* Puts the cells into the slots of the running statement. */
static rille_status
bind_again(struct batch *b, const rille_cell *cells)
{
  rille_slot *slot = b->work->slots + b->first_slot;

  for (size_t row = 0; row < b->made_rows; row++, cells += b->source->table.column_count)
    for (size_t i = 0; i < b->source->table.column_count; i++)
      if (b->last_given[i])
        (slot++)->cell = cells[i];
  return rille_cursor_again(&b->work->cursor, b->work->slots, b->work->slot_count, &b->work->scratch, &b->work->fault);
}

static rille_status
bind_rows(lua_State *L, struct batch *b, const rille_cell *cells, size_t rows)
{
  if (b->work->cursor.statement == NULL || b->made_rows != rows)
    return make_statement(L, b, cells, rows);
  return bind_again(b, cells);
}

/* Steps the insert; where it returns columns, their values go into the table `into` of what is said of conflicts. */
static rille_status
step(lua_State *L, struct batch *b)
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
  (void)lua_getfield(L, b->conflict, "into");
  for (size_t i = 0; i < layout->count; i++) {
    (void)lua_pushlstring(L, layout->names[i].at, layout->names[i].len);
    rille_lua_push_cell(L, &cells[i]);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  return rille_cursor_step(&b->work->cursor, &more, &b->work->fault); /* now it has done its work */
}

/* True when a row in the way that is another tenant's is not updated: it must be said then that nothing was. */
static bool
spares_others(const struct batch *b)
{
  return b->query->conflict_sets != NULL && b->query->source.guard == RILLE_GUARD_TENANT;
}

/* A row in the way that was not updated is another tenant's. */
static void
refuse_spared(lua_State *L, struct batch *b, lua_Integer row)
{
  const rille_query *query = b->query;

  (void)rille_fault_set(&b->work->fault, RILLE_UNIQUE_VIOLATION,
                        "upsert: a row of %s has the same %s, and is not the current tenant's",
                        rille_show(query->source.table->name).text, rille_show(query->conflict_columns->text).text);
  rille_fault_hint(&b->work->fault, "a unique index of %s should include %s", query->source.table->name.at,
                   query->source.table->tenant->name.at);
  fail_row(L, b, row);
}

/* Puts one row in; raises what refuses it. */
static void
insert_one(lua_State *L, struct batch *b, const rille_cell *cells, lua_Integer row)
{
  int64_t changes;

  if (bind_rows(L, b, cells, 1) != RILLE_OK || step(L, b) != RILLE_OK)
    fail_row(L, b, row);
  changes = b->connection->conn->driver->changes(b->connection->conn);
  if (changes == 0 && spares_others(b))
    refuse_spared(L, b, row);
  b->inserted += (lua_Integer)changes;
}

/* -- many at once -------------------------------------------------------------------------------------------- */

/* False for failures that are not those of one row, and would only come again. */
static bool
one_row_failed(const struct batch *b, rille_status status)
{
  const rille_connection *connection = b->connection;

  switch (status) {
  case RILLE_BUSY:
  case RILLE_TIMEOUT:
  case RILLE_DEADLOCK:
  case RILLE_SERIALIZATION_FAILURE:
  case RILLE_CONNECTION_LOST:
  case RILLE_READONLY:
  case RILLE_DISK_FULL:
  case RILLE_OUT_OF_MEMORY:
  case RILLE_INTERRUPTED: return false;
  default: return !connection->broken;
  }
}

/* Puts so many rows in with one statement, from the row `first` on. */
static void
insert_many(lua_State *L, struct batch *b, const rille_cell *cells, size_t rows, lua_Integer first)
{
  rille_status status = bind_rows(L, b, cells, rows);
  int64_t changes;

  if (status == RILLE_OK) {
    rille_stmt *stmt = b->work->cursor.statement->stmt;

    stmt->driver->guard(stmt, true);
    status = step(L, b);
  }
  changes = b->connection->conn->driver->changes(b->connection->conn);
  if (status == RILLE_OK && (changes == (int64_t)rows || !spares_others(b))) {
    b->inserted += (lua_Integer)changes;
    return;
  }
  if (status != RILLE_OK && !one_row_failed(b, status))
    (void)rille_lua_fail(L, b->work, b->work->cursor.statement);
  for (size_t i = 0; i < rows; i++)
    insert_one(L, b, cells + i * b->source->table.column_count, first + (lua_Integer)i);
  if (status == RILLE_OK) /* the row in the way went between the two: what was done twice cannot be kept */
    refuse_spared(L, b, first);
}

/* Puts the rows in that wait, up to `last`: in powers of two, so that a table has few statements. */
static void
put_waiting(lua_State *L, struct batch *b, lua_Integer last)
{
  const rille_cell *cells = b->waiting;

  for (size_t left = b->rows, rows = b->room; left > 0;) {
    lua_Integer first = last - (lua_Integer)left + 1;

    while (rows > left)
      rows /= 2;
    if (rows == 1)
      insert_one(L, b, cells, first);
    else
      insert_many(L, b, cells, rows, first);
    cells += rows * b->source->table.column_count;
    left -= rows;
  }
  b->rows = b->bytes = 0;
}

/* Lets the row that was read wait for others. */
static void
let_wait(lua_State *L, struct batch *b)
{
  size_t columns = b->source->table.column_count;

  memcpy(b->waiting + b->rows * columns, b->cells, columns * sizeof *b->cells);
  b->rows++;
  for (size_t i = 0; i < columns; i++)
    if (b->given[i] && (b->cells[i].kind == RILLE_TEXT || b->cells[i].kind == RILLE_BLOB))
      b->bytes += b->cells[i].as.text.len;
  if (b->rows == b->room || b->bytes > BYTES_MAX)
    put_waiting(L, b, b->row);
}

/* Other columns are given than before: another statement. */
static void
change_columns(lua_State *L, struct batch *b)
{
  put_waiting(L, b, b->row - 1);
  rille_cursor_close(&b->work->cursor);
  memcpy(b->last_given, b->given, b->source->table.column_count * sizeof *b->given);
  b->gives = memchr(b->given, true, b->source->table.column_count) != NULL;
}

/* -- all of them ---------------------------------------------------------------------------------------------- */

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

/* Makes room for rows that wait, where many go in at once. */
static void
make_room(lua_State *L, struct batch *b)
{
  size_t columns = b->source->table.column_count, values = (size_t)b->connection->dialect->insert_values;

  if (values == 0 || b->query->returning != NULL)
    return;
  for (b->room = ROWS_MAX; b->room > 1 && (b->room * columns > values || b->room / 2 >= (size_t)b->count);)
    b->room /= 2;
  b->waiting = rille_work_get(L, b->work, b->room * columns * sizeof *b->waiting);
}

/* db:insert(source, rows, fill, conflict) -> rows inserted or updated.  All of them or none. */
static int
insert_rows(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  struct batch b = { .database = database, .source = rille_lua_check_source(L, 2), .fill = 4, .conflict = 5 };
  size_t columns = b.source->table.column_count;

  luaL_checktype(L, 3, LUA_TTABLE);
  b.count = luaL_len(L, 3);
  lua_settop(L, 5);
  (void)lua_getiuservalue(L, 2, RILLE_SOURCE_POSITIONS);
  b.positions = lua_gettop(L);
  b.work = rille_lua_begin_call(L, database);
  b.connection = rille_lua_connection(L, database);
  b.query = rille_work_get(L, b.work, sizeof *b.query);
  b.query->verb = RILLE_INSERT;
  b.query->source = (rille_source){ .table = &b.source->table, .name = b.source->table.name };
  rille_lua_read_conflict(L, b.conflict, b.work, b.query);
  rille_lua_guard(L, b.work, b.source, 2, &b.query->source);
  b.cells = rille_work_get(L, b.work, columns * sizeof *b.cells);
  b.given = rille_work_get(L, b.work, columns * sizeof *b.given);
  b.last_given = rille_work_get(L, b.work, columns * sizeof *b.last_given);
  b.sets = rille_work_get(L, b.work, columns * sizeof *b.sets);
  b.values = rille_work_get(L, b.work, columns * sizeof *b.values);
  b.first_slot = b.work->slot_count;
  if (b.count > 1) {
    begin(L, &b);
    make_room(L, &b);
  }
  for (b.row = 1; b.row <= b.count; b.row++) {
    if (lua_rawgeti(L, 3, b.row) != LUA_TTABLE)
      return rille_lua_refuse(L, "row %lld must be a table, not a %s", (long long)b.row, luaL_typename(L, -1));
    memset(b.given, 0, columns * sizeof *b.given);
    read_row(L, &b, lua_gettop(L), false);
    if (lua_istable(L, b.fill))
      read_row(L, &b, b.fill, true);
    stamp(L, &b);
    if (memcmp(b.given, b.last_given, columns * sizeof *b.given) != 0)
      change_columns(L, &b);
    if (b.room > 1 && b.gives)
      let_wait(L, &b);
    else
      insert_one(L, &b, b.cells, b.row);
    lua_pop(L, 1);
  }
  put_waiting(L, &b, b.count);
  commit(L, &b);
  lua_pushinteger(L, b.inserted);
  return 1;
}

const luaL_Reg rille_lua_insert_methods[] = {
  { "insert", insert_rows },
  { NULL, NULL },
};
