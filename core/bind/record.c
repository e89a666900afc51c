/* core/bind/record.c - reading and writing the attributes of a record.
**
** A record is one userdata: the struct, and behind it the packed row it came with.  Reading `post.title` looks at
**   1. the state table, when there is one: a changed value (the NULL sentinel for one that was set to nil);
**   2. the names of the layout: a column, decoded from the packed row;
**   3. the model's methods;
**   4. the function `get` of the model: accessors, relations, columns that Lua decodes, and the error for all else.
** Writing converts to what the column keeps, so that a wrong value is refused where it is assigned, and notes a change only
** where the value differs from the row's. */
#include "core/bind/record.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/bind/value.h"

/* Its address marks records. */
static const char record_tag;

/* -- packed rows ------------------------------------------------------------------------------------------------------ */

static bool
has_bytes(rille_cell_kind kind)
{
  return kind == RILLE_TEXT || kind == RILLE_BLOB;
}

size_t
rille_packed_size(const rille_cell *cells, size_t count)
{
  size_t size = sizeof(rille_packed) + count * (sizeof(rille_packed_slot) + 1);

  for (size_t i = 0; i < count; i++)
    if (has_bytes(cells[i].kind))
      size += cells[i].as.text.len;
  return size;
}

void
rille_packed_fill(rille_packed *to, const rille_cell *cells, size_t count)
{
  unsigned char *kinds = (unsigned char *)(to->slots + count);
  char *bytes = (char *)kinds + count;
  uint32_t at = 0;

  to->count = (uint32_t)count;
  to->bytes_at = (uint32_t)(bytes - (char *)to);
  for (size_t i = 0; i < count; i++) {
    const rille_cell *cell = &cells[i];

    kinds[i] = (unsigned char)cell->kind;
    if (has_bytes(cell->kind)) {
      to->slots[i].text.at = at;
      to->slots[i].text.len = (uint32_t)cell->as.text.len;
      if (cell->as.text.len > 0)
        memcpy(bytes + at, cell->as.text.at, cell->as.text.len);
      at += (uint32_t)cell->as.text.len;
    } else if (cell->kind == RILLE_REAL) {
      to->slots[i].real = cell->as.real;
    } else {
      to->slots[i].integer = cell->kind == RILLE_NULL ? 0 : cell->as.integer;
    }
  }
}

rille_cell
rille_packed_cell(const rille_packed *row, size_t position)
{
  const unsigned char *kinds = (const unsigned char *)(row->slots + row->count);
  const rille_packed_slot *slot = &row->slots[position];
  rille_cell cell = { .kind = (rille_cell_kind)kinds[position] };

  if (has_bytes(cell.kind))
    cell.as.text = (rille_str){ (const char *)row + row->bytes_at + slot->text.at, slot->text.len };
  else if (cell.kind == RILLE_REAL)
    cell.as.real = slot->real;
  else
    cell.as.integer = slot->integer;
  return cell;
}

/* -- records ---------------------------------------------------------------------------------------------------------- */

rille_lua_record *
rille_lua_check_record(lua_State *L, int index)
{
  rille_lua_record *record = rille_lua_tagged(L, index, &record_tag, sizeof *record);

  if (record == NULL)
    (void)rille_lua_refuse(L, "a record was expected, not a %s (methods are called with a colon)", luaL_typename(L, index));
  return record;
}

void
rille_lua_push_record(lua_State *L, rille_lua_source *source, int meta, const rille_layout *layout, int origin,
                      const rille_cell *cells)
{
  rille_lua_record *record;
  rille_packed *row;

  /* A record of a whole row needs no origin: one value less for the collector to look at, a million times over. */
  record = lua_newuserdatauv(L, sizeof *record + rille_packed_size(cells, layout->count),
                             origin != 0 ? RILLE_RECORD_VALUES : RILLE_RECORD_STATE);
  row = (rille_packed *)(record + 1);
  rille_packed_fill(row, cells, layout->count);
  *record = (rille_lua_record){ .tag = &record_tag, .source = source, .layout = layout, .row = row, .exists = true };
  if (origin != 0) {
    lua_pushvalue(L, origin);
    (void)lua_setiuservalue(L, -2, RILLE_RECORD_ORIGIN);
  }
  lua_pushvalue(L, meta);
  (void)lua_setmetatable(L, -2);
}

void
rille_lua_push_record_source(lua_State *L, int index)
{
  const rille_lua_record *record = rille_lua_check_record(L, index);

  (void)lua_getmetatable(L, index);
  (void)lua_rawgetp(L, -1, record->source);
  lua_remove(L, -2);
}

/* Pushes the state table of the record at `index`, made when there is none yet. */
static void
push_state(lua_State *L, int index, rille_lua_record *record, int columns)
{
  index = lua_absindex(L, index);
  if (record->state) {
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
    return;
  }
  lua_createtable(L, 0, columns);
  lua_pushvalue(L, -1);
  (void)lua_setiuservalue(L, index, RILLE_RECORD_STATE);
  record->state = true;
}

void
rille_lua_record_saved(lua_State *L, int index, rille_lua_record *record, const rille_cell *cells, int previous)
{
  const rille_layout *layout = record->source->layout;
  rille_packed *row;

  index = lua_absindex(L, index);
  lua_createtable(L, RILLE_STATE_DECODED, 0);
  row = lua_newuserdatauv(L, rille_packed_size(cells, layout->count), 0);
  rille_packed_fill(row, cells, layout->count);
  lua_rawseti(L, -2, RILLE_STATE_ROW);
  if (previous != 0) {
    lua_pushvalue(L, previous);
    lua_rawseti(L, -2, RILLE_STATE_PREVIOUS);
  }
  if (record->state) {                     /* decoded values and relations stay */
    (void)lua_getiuservalue(L, index, RILLE_RECORD_STATE);
    for (int i = RILLE_STATE_DECODED; i <= RILLE_STATE_EXTRA; i++) {
      (void)lua_rawgeti(L, -1, i);
      lua_rawseti(L, -3, i);
    }
    lua_pop(L, 1);
  }
  (void)lua_setiuservalue(L, index, RILLE_RECORD_STATE);
  lua_pushnil(L);
  (void)lua_setiuservalue(L, index, RILLE_RECORD_ORIGIN);
  record->row = row;
  record->layout = layout;
  record->state = true;
  record->exists = true;
}

/* Position, from 0, of the column called by the string at `key` in the record's layout; -1 when it has none.  Columns that Lua
** reads are found only with `all`. */
static int
find_column(lua_State *L, rille_lua_record *record, int index, int key, int names, bool all)
{
  int position = -1;

  key = lua_absindex(L, key);
  index = lua_absindex(L, index);
  if (record->layout == record->source->layout && !all) {
    lua_pushvalue(L, key);
    if (lua_rawget(L, names) == LUA_TNUMBER)
      position = (int)lua_tointeger(L, -1) - 1;
    lua_pop(L, 1);
  } else if (all) {
    rille_str name = rille_lua_text(L, key);

    for (size_t i = 0; i < record->layout->count && position < 0; i++)
      if (rille_str_equal(record->layout->names[i], name))
        position = (int)i;
  } else if (lua_getiuservalue(L, index, RILLE_RECORD_ORIGIN) == LUA_TTABLE) {
    (void)lua_rawgeti(L, -1, RILLE_ORIGIN_NAMES);
    lua_pushvalue(L, key);
    if (lua_rawget(L, -2) == LUA_TNUMBER)
      position = (int)lua_tointeger(L, -1) - 1;
    lua_pop(L, 3);
  } else {
    lua_pop(L, 1);
  }
  return position;
}

static void
push_column(lua_State *L, const rille_lua_record *record, int position)
{
  rille_cell cell;

  if (record->row == NULL) {
    lua_pushnil(L);
    return;
  }
  cell = rille_packed_cell(record->row, (size_t)position);
  rille_lua_push_typed(L, record->layout->types[position], &cell, record->layout->what, record->layout->names[position]);
}

/* __index(record, key); upvalues: names, methods, get */
static int
record_index(lua_State *L)
{
  rille_lua_record *record = lua_touserdata(L, 1);
  int position;

  if (!record->state && record->layout == record->source->layout) {     /* the common case: nothing changed, whole rows */
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER) {
      push_column(L, record, (int)lua_tointeger(L, -1) - 1);
      return 1;
    }
    lua_pop(L, 1);
  }
  if (lua_type(L, 2) == LUA_TSTRING) {
    if (record->state) {
      (void)lua_getiuservalue(L, 1, RILLE_RECORD_STATE);
      lua_pushvalue(L, 2);
      if (lua_rawget(L, -2) != LUA_TNIL) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {   /* a column that Lua does not have to decode */
          lua_pop(L, 1);
          if (rille_lua_is_null(L, -1))
            lua_pushnil(L);
          return 1;
        }
        lua_pop(L, 1);
      }
      lua_pop(L, 2);
    }
    position = find_column(L, record, 1, 2, lua_upvalueindex(1), false);
    if (position >= 0) {
      push_column(L, record, position);
      return 1;
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
      return 1;
  }
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

/* -- writing ---------------------------------------------------------------------------------------------------------- */

/* Raises that the column does not take the value.  The place is written out only here: assigning is hot. */
static void
refuse_value(lua_State *L, const rille_lua_record *record, const rille_column *column, int index)
{
  char place[200];
  rille_arena arena;
  rille_cell given, stored;
  rille_fault fault;

  (void)snprintf(place, sizeof place, "%.*s.%.*s", RILLE_STR_ARG(record->source->table.name), RILLE_STR_ARG(column->name));
  rille_lua_check_cell(L, index, place, &given);
  rille_arena_init(&arena);
  if (rille_type_store(column->type, &given, rille_str_of(place), &arena, &stored, &fault) == RILLE_OK)
    (void)rille_fault_no_memory(&fault);        /* it was refused a moment ago: only memory can be the difference */
  rille_arena_release(&arena);
  (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* Pushes the value at `index` as the column would give it back; the sentinel for NULL. */
static void
push_canonical(lua_State *L, const rille_lua_record *record, const rille_column *column, int index)
{
  char room[RILLE_PRESENT_BYTES], space[2 * RILLE_PRESENT_BYTES];
  rille_arena arena;
  rille_cell given, stored, shown;
  rille_status status = RILLE_INVALID_ARGUMENT;

  rille_arena_init_on(&arena, space, sizeof space);
  if (rille_lua_to_cell(L, index, &given)) {
    if (given.kind == RILLE_NULL) {
      rille_lua_push_null(L);
      return;
    }
    status = rille_type_store(column->type, &given, column->name, &arena, &stored, NULL);
  }
  if (status == RILLE_OK)
    status = rille_type_present(column->type, &stored, column->name, room, &shown, NULL);
  if (status == RILLE_OK && shown.kind == RILLE_TEXT && shown.as.text.at != given.as.text.at && shown.as.text.at != room) {
    memcpy(room, shown.as.text.at, shown.as.text.len);      /* made in the arena: short */
    shown.as.text.at = room;
  }
  rille_arena_release(&arena);
  if (status != RILLE_OK)
    refuse_value(L, record, column, index);
  if ((shown.kind == RILLE_TEXT || shown.kind == RILLE_BLOB) && lua_type(L, index) == LUA_TSTRING &&
      shown.as.text.at == given.as.text.at)
    lua_pushvalue(L, index);
  else
    rille_lua_push_cell(L, &shown);
}

/* Writes the value at `value` into the column, whose name is at `key` (both absolute), of the record at 1. */
static void
put(lua_State *L, rille_lua_record *record, const rille_column *column, int key, int value)
{
  int position, made;

  push_canonical(L, record, column, value);
  made = lua_gettop(L);
  push_state(L, 1, record, (int)record->source->table.column_count);
  position = record->exists && record->row != NULL ? find_column(L, record, 1, key, 0, true) : -1;
  if (position >= 0) {
    bool same;

    push_column(L, record, position);
    same = lua_isnil(L, -1) ? rille_lua_is_null(L, made) : lua_rawequal(L, -1, made) != 0;
    lua_pop(L, 1);
    if (same) {                              /* back to what the row holds: nothing to save */
      lua_pushvalue(L, key);
      lua_pushnil(L);
      lua_rawset(L, -3);
      lua_settop(L, made - 1);
      return;
    }
  }
  lua_pushvalue(L, key);
  lua_pushvalue(L, made);
  lua_rawset(L, -3);
  lua_settop(L, made - 1);
}

/* The column at a position from 1, as the names give it. */
static const rille_column *
column_at(const rille_lua_record *record, lua_Integer position)
{
  return &record->source->table.columns[position - 1];
}

/* __newindex(record, key, value); upvalues: names, mutated, set */
static int
record_newindex(lua_State *L)
{
  rille_lua_record *record = lua_touserdata(L, 1);
  lua_Integer position;
  bool plain;

  lua_pushvalue(L, 2);
  plain = lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER;
  position = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (plain && lua_istable(L, lua_upvalueindex(2))) {
    lua_pushvalue(L, 2);
    plain = lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL;
    lua_pop(L, 1);
  }
  if (plain) {
    put(L, record, column_at(record, position), 2, 3);
    return 0;
  }
  lua_settop(L, 3);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_call(L, 3, 0);
  return 0;
}

/* Pushes a closure over the source's names, the field `second` and the field `third` of the table at `record`. */
static void
push_accessor(lua_State *L, int source, int record, const char *second, const char *third, lua_CFunction function)
{
  (void)lua_getiuservalue(L, source, RILLE_SOURCE_NAMES);
  (void)lua_getfield(L, record, second);
  (void)lua_getfield(L, record, third);
  lua_pushcclosure(L, function, 3);
}

void
rille_lua_push_record_meta(lua_State *L, int source, int record)
{
  static const char *const passed[][2] = { { "name", "__name" }, { "pairs", "__pairs" }, { "tostring", "__tostring" } };

  lua_createtable(L, 0, 8);
  push_accessor(L, source, record, "methods", "get", record_index);
  lua_setfield(L, -2, "__index");
  push_accessor(L, source, record, "mutated", "set", record_newindex);
  lua_setfield(L, -2, "__newindex");
  for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
    (void)lua_getfield(L, record, passed[i][0]);
    lua_setfield(L, -2, passed[i][1]);
  }
  lua_pushvalue(L, source);                  /* keeps the source alive as long as one of its records */
  lua_rawsetp(L, -2, rille_lua_check_source(L, source));
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
}

/* -- functions for record.lua ----------------------------------------------------------------------------------------- */

/* record_new(source) -> a record that is not in the database */
static int
record_new(lua_State *L)
{
  rille_lua_source *source = rille_lua_check_source(L, 1);
  rille_lua_record *record = lua_newuserdatauv(L, sizeof *record, RILLE_RECORD_STATE);

  *record = (rille_lua_record){ .tag = &record_tag, .source = source, .layout = source->layout };
  if (lua_getiuservalue(L, 1, RILLE_SOURCE_META) != LUA_TTABLE)
    return rille_lua_refuse(L, "rows of %.*s are no records", RILLE_STR_ARG(source->table.name));
  (void)lua_setmetatable(L, -2);
  return 1;
}

/* record_put(record, name, value): writes a column, past mutators */
static int
record_put(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  const rille_column *column = rille_table_column(&record->source->table, rille_lua_check_text(L, 2, "the name of a column"));

  lua_settop(L, 3);
  if (column == NULL) {
    rille_fault fault;

    (void)rille_table_no_column(&record->source->table, rille_lua_text(L, 2), &fault);
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  put(L, record, column, 2, 3);
  return 0;
}

/* record_fill(record, attributes, assignable, positions) -> the first name that is not assignable, or nothing when all were
** assigned.  `assignable` holds true for names that may be; `positions` the place, from 1, of columns that are written
** directly: others go through record[name] = value.  Nothing is assigned unless all may be. */
static int
record_fill(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  lua_settop(L, 4);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, 3) != LUA_TBOOLEAN || !lua_toboolean(L, -1)) {
      lua_pushvalue(L, -3);
      return 1;
    }
    lua_pop(L, 1);
  }
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_Integer position;

    lua_pushvalue(L, -2);
    (void)lua_rawget(L, 4);
    position = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (position > 0) {
      put(L, record, column_at(record, position), lua_gettop(L) - 1, lua_gettop(L));
    } else {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_settable(L, 1);
    }
  }
  return 0;
}

/* record_state(record) -> its state table, made when there is none */
static int
record_state(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  push_state(L, 1, record, (int)record->source->table.column_count);
  return 1;
}

/* record_peek(record) -> its state table, or nil */
static int
record_peek(lua_State *L)
{
  if (rille_lua_check_record(L, 1)->state)
    (void)lua_getiuservalue(L, 1, RILLE_RECORD_STATE);
  else
    lua_pushnil(L);
  return 1;
}

/* record_original(record, name [, raw]) -> the row's value (as kept, with raw), and whether the row has that column */
static int
record_original(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);
  int position;

  (void)rille_lua_check_text(L, 2, "the name of a column");
  position = record->row != NULL ? find_column(L, record, 1, 2, 0, true) : -1;
  if (position < 0) {
    lua_pushnil(L);
  } else if (lua_toboolean(L, 3)) {
    rille_cell cell = rille_packed_cell(record->row, (size_t)position);

    rille_lua_push_cell(L, &cell);
  } else {
    push_column(L, record, position);
  }
  lua_pushboolean(L, position >= 0);
  return 2;
}

/* record_names(record) -> the names of the columns that its row has, in order */
static int
record_names(lua_State *L)
{
  const rille_lua_record *record = rille_lua_check_record(L, 1);

  lua_createtable(L, (int)record->layout->count, 0);
  for (size_t i = 0; i < record->layout->count; i++) {
    (void)lua_pushlstring(L, record->layout->names[i].at, record->layout->names[i].len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* record_exists(record [, value]) -> whether it is in the database; a value says so */
static int
record_exists(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1);

  if (lua_gettop(L) > 1)
    record->exists = lua_toboolean(L, 2) != 0;
  lua_pushboolean(L, record->exists);
  return 1;
}

/* record_take(record, fresh): takes the row of another record of the same source and forgets its own changes */
static int
record_take(lua_State *L)
{
  rille_lua_record *record = rille_lua_check_record(L, 1), *fresh = rille_lua_check_record(L, 2);

  if (record->source != fresh->source || fresh->row == NULL || fresh->layout != fresh->source->layout)
    return rille_lua_refuse(L, "a record can take only a whole, saved record of its own model");
  lua_createtable(L, 1, 0);
  if (fresh->state) {                        /* anchors the row, which lives in that record's state ... */
    (void)lua_getiuservalue(L, 2, RILLE_RECORD_STATE);
    (void)lua_rawgeti(L, -1, RILLE_STATE_ROW);
    lua_remove(L, -2);
  } else {
    lua_pushnil(L);
  }
  if (lua_isnil(L, -1)) {                    /* ... or in the record itself */
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
  }
  lua_rawseti(L, -2, RILLE_STATE_ROW);
  (void)lua_setiuservalue(L, 1, RILLE_RECORD_STATE);
  lua_pushnil(L);
  (void)lua_setiuservalue(L, 1, RILLE_RECORD_ORIGIN);
  record->row = fresh->row;
  record->layout = fresh->layout;
  record->exists = true;
  record->state = true;
  return 0;
}

/* is_record(value) -> whether it is one, and its source */
static int
is_record(lua_State *L)
{
  bool yes = rille_lua_tagged(L, 1, &record_tag, sizeof(rille_lua_record)) != NULL;

  lua_pushboolean(L, yes);
  if (!yes)
    return 1;
  rille_lua_push_record_source(L, 1);
  return 2;
}

void
rille_lua_add_record(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "record_new", record_new },           { "record_put", record_put },       { "record_fill", record_fill },
    { "record_state", record_state },
    { "record_peek", record_peek },         { "record_original", record_original },
    { "record_names", record_names },       { "record_exists", record_exists }, { "record_take", record_take },
    { "is_record", is_record },             { NULL, NULL },
  };

  luaL_setfuncs(L, functions, 0);
}
