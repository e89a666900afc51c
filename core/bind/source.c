/* core/bind/source.c - core.source{ table =, columns =, indirect =, record =, tenant =, guard =, ask =, exact = }.
**
** columns: a list of { name =, declared =, cast =, primary =, not_null =, default =, generated = }, as
** db:describe gives them; `cast` is the name of a type that stands in for the declared one.
** record: nil for plain rows, or { methods =, get =, set = }: a table of functions found by name, and functions that
** read and write what is no plain column.
** tenant: the column that says which tenant a row belongs to, or nil; guard: with it, the table by which a coroutine
** says that everybody's rows are meant, see tenant.h.
** ask: of a view and the like, which has no tenant: called inside a tenant before each statement on it, to raise.
** exact: the database keeps every digit of a decimal. */
#include "core/bind/source.h"

#include <lauxlib.h>
#include <strings.h>

#include "core/bind/record.h"
#include "core/bind/value.h"
#include "core/query/declared.h"

#define SOURCE_META "rille.source"

/* Its address marks sources. */
static const char source_tag;

rille_lua_source *
rille_lua_check_source(lua_State *L, int index)
{
  rille_lua_source *source = rille_lua_tagged(L, index, &source_tag, sizeof *source);

  if (source == NULL)
    (void)rille_lua_refuse(L, "a source was expected, not a %s", luaL_typename(L, index));
  return source;
}

static int
source_gc(lua_State *L)
{
  rille_lua_source *source = luaL_checkudata(L, 1, SOURCE_META);

  rille_layout_drop(source->layout);
  source->layout = NULL;
  rille_arena_release(&source->arena);
  return 0;
}

static bool
flag(lua_State *L, const char *field)
{
  bool set = lua_getfield(L, -1, field) != LUA_TNIL && lua_toboolean(L, -1);

  lua_pop(L, 1);
  return set;
}

static rille_str
keep_field(lua_State *L, rille_lua_source *source, const char *field)
{
  rille_str kept = { 0 };

  if (lua_getfield(L, -1, field) == LUA_TSTRING)
    kept = rille_arena_copy(&source->arena, rille_lua_text(L, -1));
  lua_pop(L, 1);
  if (!rille_arena_ok(&source->arena))
    (void)rille_lua_no_memory(L);
  return kept;
}

/* The description of one column is at the top. */
static void
read_column(lua_State *L, rille_lua_source *source, rille_column *column, int position, bool exact)
{
  rille_str declared = keep_field(L, source, "declared"), cast = keep_field(L, source, "cast");

  column->name = keep_field(L, source, "name");
  column->type = rille_type_of_column(declared, cast, exact);
  column->not_null = flag(L, "not_null");
  column->has_default = flag(L, "default");
  column->generated = flag(L, "generated");
  if (lua_getfield(L, -1, "primary") == LUA_TNUMBER)
    column->primary = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (column->type.kind == RILLE_TYPE_COUNT)
    (void)rille_lua_refuse(L, "%s.%s: there is no cast \"%s\"", source->table.name.at, column->name.at, cast.at);
  if (column->primary == 1 && declared.len == 7 && strncasecmp(declared.at, "INTEGER", 7) == 0) {
    source->rowid = position + 1;
    column->has_default = true;
  }
}

static void
read_columns(lua_State *L, rille_lua_source *source)
{
  size_t count;
  int primaries = 0;
  rille_column *columns;
  bool exact = lua_getfield(L, 1, "exact") != LUA_TNIL && lua_toboolean(L, -1) != 0;

  lua_pop(L, 1);
  if (lua_getfield(L, 1, "columns") != LUA_TTABLE)
    (void)rille_lua_refuse(L, "a source wants a list of columns");
  count = (size_t)lua_rawlen(L, -1);
  columns = rille_arena_get(&source->arena, count * sizeof *columns);
  for (size_t i = 0; i < count && columns != NULL; i++) {
    (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
    read_column(L, source, &columns[i], (int)i, exact);
    primaries += columns[i].primary > 0;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (primaries > 1)
    source->rowid = 0;
  if (source->rowid > 0 && columns != NULL)
    columns[source->rowid - 1].not_null = true;
  source->table.columns = columns;
  source->table.column_count = count;
}

/* Leaves the table name -> position at the top: of columns that are not in the set at `indirect` (0: of all). */
static void
push_names(lua_State *L, const rille_lua_source *source, int indirect)
{
  lua_createtable(L, 0, (int)source->table.column_count);
  for (size_t i = 0; i < source->table.column_count; i++) {
    rille_str name = source->table.columns[i].name;
    bool helped = false;

    (void)lua_pushlstring(L, name.at, name.len);
    if (indirect != 0 && lua_istable(L, indirect)) {
      lua_pushvalue(L, -1);
      helped = lua_rawget(L, indirect) != LUA_TNIL;
      lua_pop(L, 1);
    }
    if (helped) {
      lua_pop(L, 1);
    } else {
      lua_pushinteger(L, (lua_Integer)i + 1);
      lua_rawset(L, -3);
    }
  }
}

/* The column that says whose a row is, or who is asked whether rows may be seen. */
static void
read_guard(lua_State *L, rille_lua_source *source, int self)
{
  if (lua_getfield(L, 1, "tenant") == LUA_TSTRING) {
    rille_str name = rille_lua_text(L, -1);

    source->table.tenant = rille_table_column(&source->table, name);
    if (source->table.tenant == NULL || lua_getfield(L, 1, "guard") != LUA_TTABLE)
      (void)rille_lua_refuse(L, "%s: tenant wants the name of a column, and a table beside it", source->table.name.at);
    (void)lua_setiuservalue(L, self, RILLE_SOURCE_GUARD);
    source->met = rille_lua_know_met(L, self, RILLE_SOURCE_MET);
    source->table.guarded = true;
  } else if (lua_getfield(L, 1, "ask") == LUA_TFUNCTION) {
    (void)lua_setiuservalue(L, self, RILLE_SOURCE_GUARD);
    source->table.guarded = true;
  } else {
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static int
source_new(lua_State *L)
{
  rille_lua_source *source;
  int self, indirect;

  luaL_checktype(L, 1, LUA_TTABLE);
  source = lua_newuserdatauv(L, sizeof *source, RILLE_SOURCE_VALUES);
  *source = (rille_lua_source){ .tag = &source_tag };
  luaL_setmetatable(L, SOURCE_META);
  self = lua_gettop(L);

  lua_pushvalue(L, 1);
  source->table.name = keep_field(L, source, "table");
  lua_pop(L, 1);
  if (source->table.name.len == 0)
    return rille_lua_refuse(L, "a source wants the name of a table");
  read_columns(L, source);
  read_guard(L, source, self);
  source->table.id = rille_table_next_id();
  if (rille_arena_ok(&source->arena))
    source->layout = rille_layout_of_table(&source->table);
  if (source->layout == NULL)
    return rille_lua_no_memory(L);

  (void)lua_getfield(L, 1, "indirect");
  indirect = lua_gettop(L);
  push_names(L, source, indirect);
  (void)lua_setiuservalue(L, self, RILLE_SOURCE_NAMES);
  (void)lua_setiuservalue(L, self, RILLE_SOURCE_INDIRECT);
  push_names(L, source, 0);
  (void)lua_setiuservalue(L, self, RILLE_SOURCE_POSITIONS);
  if (lua_getfield(L, 1, "record") == LUA_TTABLE) {
    rille_lua_push_record_meta(L, self, lua_gettop(L));
    (void)lua_setiuservalue(L, self, RILLE_SOURCE_META);
    source->records = true;
    source->relations = lua_getfield(L, -1, "relations") == LUA_TTABLE;
    (void)lua_setiuservalue(L, self, RILLE_SOURCE_DEPENDS);
  }
  lua_settop(L, self);
  return 1;
}

/* source:names() -> the names of its columns, in order */
static int
source_names(lua_State *L)
{
  const rille_lua_source *source = rille_lua_check_source(L, 1);

  lua_createtable(L, (int)source->table.column_count, 0);
  for (size_t i = 0; i < source->table.column_count; i++) {
    (void)lua_pushlstring(L, source->table.columns[i].name.at, source->table.columns[i].name.len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* source:name() -> the name of its table */
static int
source_name(lua_State *L)
{
  const rille_lua_source *source = rille_lua_check_source(L, 1);

  (void)lua_pushlstring(L, source->table.name.at, source->table.name.len);
  return 1;
}

/* source:type(name) -> the name of the column's type, or nil */
static int
source_type(lua_State *L)
{
  const rille_lua_source *source = rille_lua_check_source(L, 1);
  const rille_column *column = rille_table_column(&source->table, rille_lua_text(L, 2));

  if (column == NULL)
    lua_pushnil(L);
  else
    lua_pushstring(L, rille_type_name(column->type.kind));
  return 1;
}

void
rille_lua_add_source(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "name", source_name }, { "names", source_names }, { "type", source_type }, { NULL, NULL }
  };

  (void)luaL_newmetatable(L, SOURCE_META);
  lua_pushcfunction(L, source_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, source_new);
  lua_setfield(L, -2, "source");
}
