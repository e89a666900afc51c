/* core/bind/save.c - records found, inserted, updated and deleted by key: trees made straight from the source,
** without Lua. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "core/bind/database.h"
#include "core/base/shown.h"
#include "core/bind/ends.h"
#include "core/bind/record.h"
#include "core/bind/rows.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"
#include "core/bind/verb.h"

/* One call on one record. */
struct save {
  rille_lua_database *database;
  rille_lua_source *source;
  rille_lua_record *record;
  rille_connection *connection;
  rille_work *work;
  rille_query *query;
  rille_cell *cells; /* by position */
  bool *given;
};

/* A statement on the source at `index`. */
static rille_query *
new_query(lua_State *L, rille_work *work, rille_lua_source *source, int index, rille_verb verb)
{
  rille_query *query = rille_work_get(L, work, sizeof *query);

  query->verb = verb;
  query->source = (rille_source){ .table = &source->table, .name = source->table.name };
  if (source->table.guarded)
    rille_lua_guard(L, work, source, index, &query->source);
  return query;
}

/* Adds "column = cell" (or is NULL) to the conditions. */
static void
add_equal(lua_State *L, rille_work *work, rille_query *query, rille_str column, const rille_cell *cell)
{
  rille_node *of = rille_work_node(L, work, RILLE_NODE_COLUMN), *equal;

  of->text = column;
  if (cell->kind == RILLE_NULL) {
    equal = rille_work_node(L, work, RILLE_NODE_IS_NULL);
  } else {
    equal = rille_work_node(L, work, RILLE_NODE_COMPARE);
    equal->op = RILLE_OP_EQUAL;
    equal->b = rille_work_value(L, work, cell);
  }
  equal->a = of;
  if (query->where == NULL)
    query->where = rille_work_node(L, work, RILLE_NODE_AND);
  equal->next = query->where->items;
  query->where->items = equal;
}

static const rille_column *
primary_column(const rille_table *table, int place)
{
  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].primary == place)
      return &table->columns[i];
  return NULL;
}

/* db:find(source, key, ...) -> the row with that primary key, or nil; a value for each column of the key, in its
** order */
static int
save_find(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_lua_source *source = rille_lua_check_source(L, 2);
  int keys = lua_gettop(L) - 2;
  rille_lua_rows rows;
  rille_query *query;
  rille_work *work = rille_lua_begin_call(L, database);

  query = new_query(L, work, source, 2, RILLE_SELECT);
  for (int i = 1; i <= keys; i++) {
    const rille_column *column = primary_column(&source->table, i);
    rille_cell cell;

    if (column == NULL)
      return rille_lua_refuse(L, "%s: the primary key has %d column%s, not %d", rille_show(source->table.name).text,
                              i - 1, i == 2 ? "" : "s", keys);
    rille_lua_check_cell(L, 2 + i, "a key", &cell);
    if (cell.kind == RILLE_NULL)
      return rille_lua_refuse(L, "%s: a key cannot be nil", rille_show(source->table.name).text);
    add_equal(L, work, query, column->name, &cell);
  }
  if (keys == 0 || primary_column(&source->table, keys + 1) != NULL)
    return rille_lua_refuse(L, "%s: find wants a value for each column of the primary key",
                            rille_show(source->table.name).text);
  rille_lua_start(L, rille_lua_connection_to_read(L, database), work, query);
  rille_lua_rows_init(L, &rows, source, 2, work);
  if (!rille_lua_rows_next(L, &rows, work))
    lua_pushnil(L);
  rille_cursor_close(&work->cursor);
  return 1;
}

/* -- saving ---------------------------------------------------------------------------------------------- */

/* Starts a call on the record at 2. */
static struct save
begin(lua_State *L, rille_verb verb)
{
  struct save s = { .database = rille_lua_check_database(L, 1), .record = rille_lua_check_record(L, 2) };
  size_t columns;

  s.source = s.record->source;
  columns = s.source->table.column_count;
  s.work = rille_lua_begin_call(L, s.database);
  s.connection = rille_lua_connection(L, s.database);
  rille_lua_push_record_source(L, 2);
  s.query = new_query(L, s.work, s.source, lua_gettop(L), verb);
  lua_pop(L, 1);
  s.cells = rille_work_get(L, s.work, columns * sizeof *s.cells);
  s.given = rille_work_get(L, s.work, columns * sizeof *s.given);
  return s;
}

/* Reads the changed columns from the record's state, whose values stay anchored there. */
static void
read_state(lua_State *L, struct save *s)
{
  if (!s->record->state)
    return;
  (void)lua_getiuservalue(L, 2, RILLE_RECORD_STATE);
  rille_lua_push_record_source(L, 2);
  (void)lua_getiuservalue(L, -1, RILLE_SOURCE_POSITIONS);
  lua_remove(L, -2); /* [state] [positions] */
  for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
    lua_Integer position;

    if (lua_type(L, -2) != LUA_TSTRING)
      continue;
    lua_pushvalue(L, -2);
    (void)lua_rawget(L, -4);
    position = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (position > 0) {
      rille_lua_check_cell(L, -1, "a value", &s->cells[position - 1]);
      s->given[position - 1] = true;
    }
  }
  lua_pop(L, 2);
}

/* Raises that the column does not take its cell; the place is written out only here. */
static void
refuse(lua_State *L, struct save *s, const rille_column *column, const rille_cell *cell)
{
  char place[200];
  rille_cell kept;

  (void)snprintf(place, sizeof place, "%.*s.%.*s", RILLE_STR_ARG(s->source->table.name), RILLE_STR_ARG(column->name));
  (void)rille_type_store(column->type, cell, rille_str_of(place), &s->work->arena, &kept, &s->work->fault);
  (void)rille_lua_fail(L, s->work, NULL);
}

/* What is inserted gets its tenant, what is updated keeps it. */
static void
stamp(lua_State *L, struct save *s)
{
  const rille_table *table = &s->source->table;
  size_t at;

  if (table->tenant == NULL)
    return;
  at = rille_table_position(table, table->tenant);
  if (s->query->verb == RILLE_INSERT)
    s->given[at] = rille_lua_stamp(L, s->work, &s->query->source, &s->cells[at], s->given[at]);
  else if (s->given[at])
    rille_lua_check_tenant(L, s->work, &s->query->source, &s->cells[at]);
}

/* Sets each given column.  Its cell becomes what the column keeps, which is bound as it is and goes into the
** record's row. */
static void
add_sets(lua_State *L, struct save *s)
{
  const rille_table *table = &s->source->table;
  rille_set **end = &s->query->sets;

  for (size_t i = 0; i < table->column_count; i++)
    if (s->given[i]) {
      rille_cell kept;

      if (rille_type_store(table->columns[i].type, &s->cells[i], table->columns[i].name, &s->work->arena, &kept,
                           &s->work->fault) != RILLE_OK)
        refuse(L, s, &table->columns[i], &s->cells[i]);
      s->cells[i] = kept;
      end = rille_lua_add_set(L, s->work, end, table->columns[i].name, &kept);
      s->work->slots[s->work->slot_count - 1].kept = true;
    }
}

/* Asks for the columns that the database fills in: `fills` says which. */
static void
add_returning(lua_State *L, struct save *s, bool inserting)
{
  const rille_table *table = &s->source->table;
  rille_node **end = &s->query->returning;

  for (size_t i = 0; i < table->column_count; i++) {
    const rille_column *column = &table->columns[i];
    bool filled = column->generated ||
                  (inserting && column->has_default && !s->given[i] && (int)i + 1 != s->source->rowid);

    if (filled) {
      rille_node *node = rille_work_node(L, s->work, RILLE_NODE_COLUMN);

      node->text = column->name;
      *end = node;
      end = &node->next;
    }
  }
}

/* Runs the statement; what it returns goes into the cells (and stays in the arena).  Returns the rows changed. */
static int64_t
execute(lua_State *L, struct save *s)
{
  const rille_layout *layout;
  rille_cell *returned;
  bool row;
  int64_t changes;

  rille_lua_start(L, s->connection, s->work, s->query);
  if (s->connection->guards)
    s->connection->conn->driver->guard(s->work->cursor.statement->stmt, true);
  layout = s->work->cursor.statement->layout;
  if (layout == NULL) {
    if (rille_cursor_step(&s->work->cursor, &row, &s->work->fault) != RILLE_OK)
      (void)rille_lua_fail(L, s->work, s->work->cursor.statement);
    changes = s->connection->conn->driver->changes(s->connection->conn);
    rille_cursor_close(&s->work->cursor);
    return changes;
  }
  returned = rille_work_get(L, s->work, layout->count * sizeof *returned);
  for (changes = 0, row = true; row;) {
    if (rille_cursor_next(&s->work->cursor, returned, &row, &s->work->fault) != RILLE_OK)
      (void)rille_lua_fail(L, s->work, s->work->cursor.statement);
    for (size_t i = 0; row && i < layout->count; i++) {
      const rille_column *column = rille_table_column(&s->source->table, layout->names[i]);
      rille_cell *cell = &s->cells[rille_table_position(&s->source->table, column)];

      *cell = returned[i];
      if (cell->kind == RILLE_TEXT || cell->kind == RILLE_BLOB)
        cell->as.text = rille_arena_copy(&s->work->arena, cell->as.text);
    }
    changes += row;
  }
  rille_cursor_close(&s->work->cursor);
  if (!rille_arena_ok(&s->work->arena))
    (void)rille_lua_no_memory(L);
  return changes;
}

/* db:insert_record(record): inserts what is set; the record then holds the row, with all that the database filled in */
static int
save_insert(lua_State *L)
{
  struct save s = begin(L, RILLE_INSERT);
  int previous;

  read_state(L, &s);
  stamp(L, &s);
  add_sets(L, &s);
  add_returning(L, &s, true);
  (void)execute(L, &s);
  if (s.source->rowid > 0 && !s.given[s.source->rowid - 1])
    s.cells[s.source->rowid - 1] = (rille_cell){
      .kind = RILLE_INT, .as.integer = s.connection->conn->driver->last_id(s.connection->conn)
    };
  if (s.record->state)
    (void)lua_getiuservalue(L, 2, RILLE_RECORD_STATE);
  else
    lua_pushnil(L);
  previous = lua_gettop(L);
  rille_lua_record_saved(L, 2, s.record, s.source->layout, s.cells, previous);
  return 0;
}

/* The primary key as the row has it. */
static void
add_key(lua_State *L, struct save *s)
{
  const rille_table *table = &s->source->table;
  const rille_layout *layout = s->record->layout;
  bool any = false;

  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].primary > 0) {
      size_t at = 0;
      rille_cell cell;

      while (at < layout->count && !(layout->own[at] && rille_str_equal(layout->names[at], table->columns[i].name)))
        at++;
      if (at == layout->count || s->record->row == NULL)
        (void)rille_lua_refuse(L, "this %s was read without its key \"%s\": it cannot be saved or deleted",
                               rille_show(table->name).text, rille_show(table->columns[i].name).text);
      cell = rille_packed_cell(s->record->row, at);
      add_equal(L, s->work, s->query, table->columns[i].name, &cell);
      any = true;
    }
  if (!any)
    (void)rille_lua_refuse(L, "%s has no primary key: its rows are updated and deleted by query",
                           rille_show(table->name).text);
}

/* A row that was read as another tenant's is neither saved nor deleted. */
static void
check_own(lua_State *L, struct save *s)
{
  const rille_table *table = &s->source->table;
  const rille_layout *layout = s->record->layout;

  for (size_t i = 0; table->tenant != NULL && i < layout->count && s->record->row != NULL; i++)
    if (layout->own[i] && rille_str_equal(layout->names[i], table->tenant->name)) {
      rille_cell cell = rille_packed_cell(s->record->row, i);

      rille_lua_check_tenant(L, s->work, &s->query->source, &cell);
    }
}

/* Adds conditions from the list of { column, value } at `index`: for optimistic locks and the like. */
static void
add_guards(lua_State *L, struct save *s, int index)
{
  if (!lua_istable(L, index))
    return;
  for (lua_Integer i = 1, count = luaL_len(L, index); i <= count; i++) {
    rille_cell cell;

    (void)lua_rawgeti(L, index, i);
    (void)lua_rawgeti(L, -1, 1);
    (void)lua_rawgeti(L, -2, 2);
    rille_lua_check_cell(L, -1, "a value", &cell);
    add_equal(L, s->work, s->query, rille_lua_check_text(L, -2, "the name of a column"), &cell);
    lua_pop(L, 3);
  }
}

/* db:update_record(record, guards, previous) -> rows changed, whether the record holds the new row.  Writes what is
** set; `previous` is kept as what the last save changed.  A record that was read in part has to be read again by the
** caller. */
static int
save_update(lua_State *L)
{
  struct save s;
  rille_cell *merged;
  int64_t changes;
  bool whole = false;

  lua_settop(L, 4);
  s = begin(L, RILLE_UPDATE);
  read_state(L, &s);
  stamp(L, &s);
  add_sets(L, &s);
  check_own(L, &s);
  add_key(L, &s);
  add_guards(L, &s, 3);
  add_returning(L, &s, false);
  changes = execute(L, &s);
  merged = rille_work_get(L, s.work, s.record->layout->count * sizeof *merged);
  if (changes == 1 && rille_lua_record_merge(s.record, s.cells, s.given, merged)) {
    rille_lua_record_saved(L, 2, s.record, s.record->layout, merged, 4);
    whole = true;
  }
  lua_pushinteger(L, (lua_Integer)changes);
  lua_pushboolean(L, whole);
  return 2;
}

/* db:delete_record(record, guards) -> rows deleted */
static int
save_delete(lua_State *L)
{
  struct save s;
  int64_t changes;

  lua_settop(L, 3);
  s = begin(L, RILLE_DELETE);
  check_own(L, &s);
  add_key(L, &s);
  add_guards(L, &s, 3);
  changes = execute(L, &s);
  if (changes == 1)
    s.record->exists = false;
  lua_pushinteger(L, (lua_Integer)changes);
  return 1;
}

/* db:guard_saves(on): while it is on, a record that cannot be written leaves the open transaction as it was, also where
** the database would do nothing more in it */
static int
save_guard(lua_State *L)
{
  rille_lua_connection(L, rille_lua_check_database(L, 1))->guards = lua_toboolean(L, 2) != 0;
  return 0;
}

const luaL_Reg rille_lua_save_methods[] = {
  { "find", save_find },
  { "insert_record", save_insert },
  { "update_record", save_update },
  { "delete_record", save_delete },
  { "guard_saves", save_guard },
  { NULL, NULL },
};
