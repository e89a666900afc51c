/* core/bind/value.c - NULL, bytes and error values as Lua sees them. */
#include "core/bind/value.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ERROR_META "rille.error"
#define BLOB_META "rille.blob"

/* Its address is the registry key of the NULL sentinel. */
static const char null_key;

void
rille_lua_push_null(lua_State *L)
{
  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key);
}

bool
rille_lua_is_null(lua_State *L, int index)
{
  bool is_null;

  if (lua_type(L, index) != LUA_TUSERDATA)
    return false;
  index = lua_absindex(L, index);
  rille_lua_push_null(L);
  is_null = lua_rawequal(L, -1, index) != 0;
  lua_pop(L, 1);
  return is_null;
}

void *
rille_lua_tagged(lua_State *L, int index, const void *tag, size_t bytes)
{
  void *data = lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;

  return data != NULL && lua_rawlen(L, index) >= bytes && *(const void *const *)data == tag ? data : NULL;
}

/* An integer field of the table at `index`; `normal` when it is not there. */
static bool
time_field(lua_State *L, int index, const char *name, int normal, int *value)
{
  int is_number = 1;
  lua_Integer given = normal;

  if (lua_getfield(L, index, name) != LUA_TNIL)
    given = lua_tointegerx(L, -1, &is_number);
  lua_pop(L, 1);
  *value = (int)given;
  return is_number != 0 && given > -100000 && given < 100000;
}

/* A table as os.date("*t") makes it: local time, like os.time reads it. */
static bool
to_time(lua_State *L, int index, rille_cell *cell)
{
  struct tm tm = { 0 };
  time_t seconds;

  index = lua_absindex(L, index);
  if (luaL_getmetafield(L, index, "__index") != LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  if (!time_field(L, index, "year", INT32_MIN, &tm.tm_year) || !time_field(L, index, "month", INT32_MIN, &tm.tm_mon) ||
      !time_field(L, index, "day", INT32_MIN, &tm.tm_mday) || !time_field(L, index, "hour", 12, &tm.tm_hour) ||
      !time_field(L, index, "min", 0, &tm.tm_min) || !time_field(L, index, "sec", 0, &tm.tm_sec))
    return false;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  tm.tm_isdst = -1;
  tm.tm_wday = -1; /* mktime fills it in, also for the second before 1970, which looks like its failure */
  seconds = mktime(&tm);
  *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = (int64_t)seconds };
  return tm.tm_wday >= 0;
}

bool
rille_lua_to_cell(lua_State *L, int index, rille_cell *cell)
{
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TNONE: *cell = (rille_cell){ .kind = RILLE_NULL }; return true;
  case LUA_TBOOLEAN: *cell = (rille_cell){ .kind = RILLE_BOOL, .as.integer = lua_toboolean(L, index) }; return true;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = lua_tointeger(L, index) };
    else
      *cell = (rille_cell){ .kind = RILLE_REAL, .as.real = lua_tonumber(L, index) };
    return true;
  case LUA_TSTRING:
    cell->kind = RILLE_TEXT;
    cell->as.text.at = lua_tolstring(L, index, &cell->as.text.len);
    return true;
  case LUA_TTABLE: return to_time(L, index, cell);
  case LUA_TUSERDATA: {
    const rille_str *blob = luaL_testudata(L, index, BLOB_META);

    if (blob != NULL) {
      *cell = (rille_cell){ .kind = RILLE_BLOB, .as.text = *blob };
      return true;
    }
    *cell = (rille_cell){ .kind = RILLE_NULL };
    return rille_lua_is_null(L, index);
  }
  default: return false;
  }
}

void
rille_lua_check_cell(lua_State *L, int index, const char *what, rille_cell *cell)
{
  if (!rille_lua_to_cell(L, index, cell))
    (void)rille_lua_refuse(L, "%s: a %s is not a value that a database can hold", what, luaL_typename(L, index));
}

void
rille_lua_push_cell(lua_State *L, const rille_cell *cell)
{
  switch (cell->kind) {
  case RILLE_NULL: lua_pushnil(L); break;
  case RILLE_INT: lua_pushinteger(L, (lua_Integer)cell->as.integer); break;
  case RILLE_REAL: lua_pushnumber(L, cell->as.real); break;
  case RILLE_BOOL: lua_pushboolean(L, cell->as.integer != 0); break;
  case RILLE_TEXT:
  case RILLE_BLOB: (void)lua_pushlstring(L, cell->as.text.at, cell->as.text.len); break;
  }
}

void
rille_lua_push_presented(lua_State *L, rille_type type, const rille_cell *cell, rille_str what, rille_str name)
{
  char room[RILLE_PRESENT_BYTES], place[200];
  rille_cell presented;

  if (rille_type_present(type, cell, name, room, &presented, NULL) != RILLE_OK) {
    rille_fault fault;

    (void)snprintf(place, sizeof place, "%.*s.%.*s", RILLE_STR_ARG(what), RILLE_STR_ARG(name));
    (void)rille_type_present(type, cell, rille_str_of(place), room, &presented, &fault);
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  rille_lua_push_cell(L, &presented);
}

static void
set_text(lua_State *L, const char *field, const char *text)
{
  if (text[0] != '\0') {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
  }
}

/* Sets `columns`, from "users.org, users.nick" as a unique constraint has it; nothing where its text was cut. */
static void
set_columns(lua_State *L, const rille_fault *fault)
{
  char between[sizeof fault->table + 4];
  const char *at = fault->columns[0] != '\0' ? fault->columns : fault->constraint, *end;
  size_t most = fault->columns[0] != '\0' ? sizeof fault->columns : sizeof fault->constraint;
  size_t skip = strlen(fault->table) + 1;

  if (fault->table[0] == '\0' || strlen(at) + 1 == most ||
      (fault->kind != RILLE_UNIQUE_VIOLATION && fault->kind != RILLE_NOT_NULL_VIOLATION) ||
      strncmp(at, fault->table, skip - 1) != 0)
    return;
  (void)snprintf(between, sizeof between, ", %s.", fault->table);
  lua_createtable(L, 1, 0);
  for (lua_Integer i = 1; at != NULL; at = end != NULL ? end + 2 : NULL, i++) {
    end = strstr(at + skip, between);
    (void)lua_pushlstring(L, at + skip, end != NULL ? (size_t)(end - at) - skip : strlen(at + skip));
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "columns");
}

void
rille_lua_push_error(lua_State *L, const rille_fault *fault, rille_str sql)
{
  lua_createtable(L, 0, 6);
  lua_pushstring(L, rille_status_name(fault->kind));
  lua_setfield(L, -2, "kind");
  set_text(L, "message", fault->message);
  set_text(L, "hint", fault->hint);
  set_text(L, "table", fault->table);
  set_text(L, "column", fault->column);
  set_text(L, "constraint", fault->constraint);
  set_columns(L, fault);
  set_text(L, "code", fault->state);
  if (fault->state[0] == '\0' && fault->code != 0) {
    lua_pushinteger(L, fault->code);
    lua_setfield(L, -2, "code");
  }
  if (sql.at != NULL) {
    (void)lua_pushlstring(L, sql.at, sql.len);
    lua_setfield(L, -2, "sql");
  }
  luaL_setmetatable(L, ERROR_META);
  if (fault->kind == RILLE_NO_SUCH_COLUMN && luaL_getmetafield(L, -1, "__unknown") == LUA_TFUNCTION) {
    lua_pushvalue(L, -2); /* lua/rille/handle.lua looks whether the schema is still the one that was read */
    lua_call(L, 1, 0);
  }
}

int
rille_lua_raise(lua_State *L, const rille_fault *fault, rille_str sql)
{
  rille_lua_push_error(L, fault, sql);
  return lua_error(L);
}

int
rille_lua_no_memory(lua_State *L)
{
  rille_fault fault;

  (void)rille_fault_no_memory(&fault);
  return rille_lua_raise(L, &fault, (rille_str){ 0 });
}

int
rille_lua_refuse(lua_State *L, const char *format, ...)
{
  rille_fault fault;
  va_list args;

  va_start(args, format);
  (void)rille_fault_set_list(&fault, RILLE_INVALID_ARGUMENT, format, args);
  va_end(args);
  return rille_lua_raise(L, &fault, (rille_str){ 0 });
}

rille_str
rille_lua_check_text(lua_State *L, int index, const char *what)
{
  rille_str text = rille_lua_text(L, index);

  if (text.at == NULL)
    (void)rille_lua_refuse(L, "%s must be a string, not %s", what,
                           lua_isnoneornil(L, index) ? "nil" : lua_typename(L, lua_type(L, index)));
  return text;
}

rille_str
rille_lua_text(lua_State *L, int index)
{
  rille_str text = { 0 };

  if (lua_type(L, index) == LUA_TSTRING)
    text.at = lua_tolstring(L, index, &text.len);
  return text;
}

/* blob(bytes): bytes that shall be kept as a BLOB where the column's type is not known, as in raw SQL. */
static int
blob_new(lua_State *L)
{
  rille_str bytes = rille_lua_check_text(L, 1, "rille.blob: bytes");
  rille_str *blob = lua_newuserdatauv(L, sizeof *blob, 1);

  *blob = bytes;
  lua_pushvalue(L, 1);
  (void)lua_setiuservalue(L, -2, 1); /* keeps the bytes alive */
  luaL_setmetatable(L, BLOB_META);
  return 1;
}

static int
null_tostring(lua_State *L)
{
  lua_pushliteral(L, "null");
  return 1;
}

void
rille_lua_add_values(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key) != LUA_TUSERDATA) {
    lua_pop(L, 1);
    (void)lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 4);
    lua_pushcfunction(L, null_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, null_tostring);
    lua_setfield(L, -2, "__tojson");
    lua_pushliteral(L, "rille.null");
    lua_setfield(L, -2, "__name");
    (void)lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &null_key);
  }
  lua_setfield(L, -2, "null");
  (void)luaL_newmetatable(L, BLOB_META);
  lua_pop(L, 1);
  lua_pushcfunction(L, blob_new);
  lua_setfield(L, -2, "blob");
  (void)luaL_newmetatable(L, ERROR_META);
  lua_setfield(L, -2, "error");
}
