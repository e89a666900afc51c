/* core/bind/carry.c - rows carried from one database into another, and added up, as Lua asks for it. */
#include <lauxlib.h>

#include "core/base/hex.h"
#include "core/base/memory.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"
#include "core/query/declared.h"
#include "core/run/carry.h"

enum { SPEC = 2, SUM_BYTES = 24 };

/* The field of the spec, which must be a text; borrowed. */
static rille_str
text_field(lua_State *L, int index, const char *name)
{
  rille_str text;

  (void)lua_getfield(L, index, name);
  text = rille_lua_check_text(L, -1, name);
  lua_pop(L, 1); /* the spec keeps it */
  return text;
}

static bool
flag_field(lua_State *L, int index, const char *name)
{
  bool flag;

  (void)lua_getfield(L, index, name);
  flag = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return flag;
}

/* How many bits a number has where that is less than its type promises. */
static int
bits_of(rille_type type, rille_str declared)
{
  if (type.kind == RILLE_TYPE_INTEGER)
    return rille_str_is(declared, "integer") ? 32 : rille_str_is(declared, "smallint") ? 16 : 0;
  return type.kind == RILLE_TYPE_REAL && rille_str_is(declared, "real") ? 32 : 0;
}

static void
read_columns(lua_State *L, rille_work *work, rille_carry *carry)
{
  rille_carry_column *columns;
  bool of_server = flag_field(L, SPEC,
                              "exact"); /* a database that keeps every digit, and whose words mean what they say */

  (void)lua_getfield(L, SPEC, "columns");
  luaL_checktype(L, -1, LUA_TTABLE);
  carry->count = (size_t)luaL_len(L, -1);
  columns = rille_work_get(L, work, carry->count * sizeof *columns);
  for (size_t i = 0; i < carry->count; i++) {
    rille_str declared;

    (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    declared = text_field(L, lua_gettop(L), "declared");
    columns[i] = (rille_carry_column){ .name = text_field(L, lua_gettop(L), "name"),
                                       .type = rille_type_of_column(declared, (rille_str){ 0 }, of_server),
                                       .required = flag_field(L, lua_gettop(L), "required"),
                                       .key = flag_field(L, lua_gettop(L), "key") };
    columns[i].bits = of_server ? bits_of(columns[i].type, declared) : 0;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  carry->columns = columns;
}

/* Whom progress is told, and what became of that. */
struct listener {
  lua_State *L;
  int function; /* 0: nobody */
  bool failed;  /* the error is at the top of the stack */
};

static bool
tell_progress(void *data, int64_t rows)
{
  struct listener *listener = data;
  lua_State *L = listener->L;

  if (listener->function == 0)
    return true;
  lua_pushvalue(L, listener->function);
  lua_pushinteger(L, (lua_Integer)rows);
  listener->failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
  return !listener->failed;
}

static void
set_hex(lua_State *L, const char *name, rille_carry_sum sum)
{
  unsigned char bytes[16];
  char hex[2 * sizeof bytes];

  for (int i = 0; i < 8; i++) {
    bytes[i] = (unsigned char)(sum.high >> (56 - 8 * i));
    bytes[8 + i] = (unsigned char)(sum.low >> (56 - 8 * i));
  }
  rille_hex_write(bytes, sizeof bytes, hex);
  (void)lua_pushlstring(L, hex, sizeof hex);
  lua_setfield(L, -2, name);
}

/* Pushes { number =, key = { name = value }, column =, why = } for each row of the list, or with a digest. */
static void
push_rows(lua_State *L, const rille_carry *carry, const rille_carry_row *row, bool picked)
{
  lua_Integer count = 0;

  lua_createtable(L, 8, 0);
  for (; row != NULL; row = row->next) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)row->number);
    lua_setfield(L, -2, "number");
    if (picked) {
      set_hex(L, "digest", row->sum);
    } else {
      (void)lua_pushlstring(L, carry->columns[row->column].name.at, carry->columns[row->column].name.len);
      lua_setfield(L, -2, "column");
      lua_pushstring(L, row->why);
      lua_setfield(L, -2, "why");
    }
    lua_createtable(L, 0, 1);
    for (size_t i = 0; i < carry->count; i++)
      if (carry->columns[i].key) {
        (void)lua_pushlstring(L, carry->columns[i].name.at, carry->columns[i].name.len);
        rille_lua_push_cell(L, &row->key[i]);
        lua_rawset(L, -3);
      }
    lua_setfield(L, -2, "key");
    lua_rawseti(L, -2, ++count);
  }
}

/* Sums as bytes, so that a bucket can be cut out and compared. */
static void
set_buckets(lua_State *L, const rille_carry_sum *buckets)
{
  luaL_Buffer buffer;
  char *at = luaL_buffinitsize(L, &buffer, (size_t)RILLE_CARRY_BUCKETS * SUM_BYTES);

  for (size_t i = 0; i < RILLE_CARRY_BUCKETS; i++) {
    memcpy(at, &buckets[i].rows, 8);
    memcpy(at + 8, &buckets[i].low, 8);
    memcpy(at + 16, &buckets[i].high, 8);
    at += SUM_BYTES;
  }
  luaL_pushresultsize(&buffer, (size_t)RILLE_CARRY_BUCKETS * SUM_BYTES);
  lua_setfield(L, -2, "buckets");
}

/* db:carry { target =, sql =, table =, columns = { { name =, declared =, required =, key = } … }, exact =, most =,
**   progress =, buckets = true, picks = bytes }
** -> { rows =, digest =, misfit_count =, misfits = {…}, buckets =, picked = {…} }: see run/carry.h */
static int
database_carry(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *target = NULL;
  struct listener listener = { L, 0, false };
  rille_carry carry = { .progress = tell_progress, .data = &listener };
  rille_work *work;
  rille_str picks;
  rille_status status;

  luaL_checktype(L, SPEC, LUA_TTABLE);
  lua_settop(L, SPEC);
  if (lua_getfield(L, SPEC, "target") != LUA_TNIL) /* [3] */
    target = rille_lua_check_database(L, 3);
  if (lua_getfield(L, SPEC, "progress") != LUA_TNIL) /* [4] */
    listener.function = 4;
  (void)lua_getfield(L, SPEC, "picks"); /* [5] */
  picks = rille_lua_text(L, 5);
  if (lua_getfield(L, SPEC, "most") == LUA_TNUMBER)
    carry.most = (size_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  work = rille_lua_begin_call(L, database);
  read_columns(L, work, &carry);
  carry.sql = text_field(L, SPEC, "sql");
  carry.table = text_field(L, SPEC, "table");
  if (flag_field(L, SPEC, "buckets"))
    carry.buckets = rille_work_get(L, work, (size_t)RILLE_CARRY_BUCKETS * sizeof *carry.buckets);
  if (picks.len == RILLE_CARRY_BUCKETS)
    carry.picks = (const unsigned char *)picks.at;
  carry.source = rille_lua_connection(L, database);
  if (target != NULL)
    carry.target = rille_lua_connection(L, target);
  status = rille_carry_run(&carry, &work->arena, &work->fault);
  if (listener.failed)
    return lua_error(L);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &work->fault, (rille_str){ 0 });
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, (lua_Integer)carry.sum.rows);
  lua_setfield(L, -2, "rows");
  set_hex(L, "digest", carry.sum);
  lua_pushinteger(L, (lua_Integer)carry.misfit_count);
  lua_setfield(L, -2, "misfit_count");
  push_rows(L, &carry, carry.misfits, false);
  lua_setfield(L, -2, "misfits");
  if (carry.buckets != NULL)
    set_buckets(L, carry.buckets);
  if (carry.picks != NULL) {
    push_rows(L, &carry, carry.picked, true);
    lua_setfield(L, -2, "picked");
  }
  return 1;
}

const luaL_Reg rille_lua_carry_methods[] = {
  { "carry", database_carry },
  { NULL, NULL },
};
