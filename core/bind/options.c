/* core/bind/options.c - what core.open is told: texts, numbers, flags and pragmas of one table. */
#include <lauxlib.h>
#include <stdio.h>

#include "core/base/shown.h"
#include "core/bind/database.h"
#include "core/bind/value.h"

enum { BUSY_TIMEOUT_MS = 5000, MMAP_BYTES = 128 << 20, CACHE_KIB = 8 << 10 };

static rille_str
text_option(lua_State *L, rille_lua_database *database, const char *name)
{
  rille_str text = { 0 };

  if (lua_getfield(L, 1, name) != LUA_TNIL)
    text = rille_arena_copy(&database->arena, rille_lua_check_text(L, -1, name));
  lua_pop(L, 1);
  return text;
}

static int64_t
number_option(lua_State *L, const char *name, int64_t normal)
{
  int is_integer = 1;
  int64_t value = normal;

  if (lua_getfield(L, 1, name) != LUA_TNIL)
    value = (int64_t)lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (!is_integer || value < 0)
    (void)rille_lua_refuse(L, "%s must be an integer, at least 0", name);
  return value;
}

static bool
flag_option(lua_State *L, const char *name, bool normal)
{
  bool value = lua_getfield(L, 1, name) == LUA_TNIL ? normal : lua_toboolean(L, -1) != 0;

  lua_pop(L, 1);
  return value;
}

static bool
is_word(rille_str text)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.at[i];

    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  }
  return text.len > 0 && text.len < 64;
}

/* pragmas = { name = value }: words and numbers only. */
static void
read_pragmas(lua_State *L, rille_lua_database *database)
{
  size_t count = 0;

  if (lua_getfield(L, 1, "pragmas") == LUA_TTABLE) {
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
      count++;
    database->pragmas = rille_arena_get(&database->arena, count * sizeof *database->pragmas);
    for (lua_pushnil(L); database->pragmas != NULL && lua_next(L, -2); lua_pop(L, 1)) {
      char sql[160];
      rille_str name = rille_lua_text(L, -2), value;

      if (lua_type(L, -1) == LUA_TBOOLEAN)
        value = rille_str_of(lua_toboolean(L, -1) ? "on" : "off");
      else
        value = (rille_str){ lua_tolstring(L, -1, &value.len), value.len };
      if (!is_word(name) || value.at == NULL || !is_word(value))
        (void)rille_lua_refuse(L, "pragmas: names and values must be words or numbers");
      (void)snprintf(sql, sizeof sql, "pragma %.*s = %.*s", RILLE_STR_ARG(name), RILLE_STR_ARG(value));
      database->pragmas[database->pragma_count++] = rille_arena_copy(&database->arena, rille_str_of(sql));
    }
  }
  lua_pop(L, 1);
}

void
rille_lua_read_options(lua_State *L, rille_lua_database *database)
{
  rille_str name = text_option(L, database, "driver");

  database->driver = rille_driver_named(name.len > 0 ? name : rille_str_of("sqlite"));
  if (database->driver == NULL)
    (void)rille_lua_refuse(L, "there is no driver \"%s\"", rille_show(name).text);
  database->options = (rille_open_options){
    .database = text_option(L, database, "database"),
    .url = text_option(L, database, "url"),
    .host = text_option(L, database, "host"),
    .user = text_option(L, database, "user"),
    .password = text_option(L, database, "password"),
    .schema = text_option(L, database, "schema"),
    .no_role_schema = flag_option(L, "no_role_schema", false),
    .port = (int)number_option(L, "port", 0),
    .connect_timeout_ms = (int)number_option(L, "connect_timeout_ms", 0),
    .statement_timeout_ms = (int)number_option(L, "statement_timeout_ms", 0),
    .journal_mode = text_option(L, database, "journal_mode"),
    .synchronous = text_option(L, database, "synchronous"),
    .readonly = flag_option(L, "readonly", false),
    .existing = !flag_option(L, "create", true),
    .no_foreign_keys = !flag_option(L, "foreign_keys", true),
    .busy_timeout_ms = (int)number_option(L, "busy_timeout_ms", BUSY_TIMEOUT_MS),
    .mmap_bytes = number_option(L, "mmap_bytes", MMAP_BYTES),
    .cache_kib = number_option(L, "cache_kib", CACHE_KIB),
    .max_bytes = number_option(L, "max_bytes", 0),
  };
  database->name = text_option(L, database, "name");
  database->most = (int)number_option(L, "max_connections", RILLE_CONNECTIONS_MAX);
  if (database->most < 1 || database->most > RILLE_CONNECTIONS_MAX)
    (void)rille_lua_refuse(L, "a database has at least 1 and at most %d connections", RILLE_CONNECTIONS_MAX);
  database->memory = rille_str_is(database->options.database, ":memory:");
  database->tenant = text_option(L, database, "tenant");
  database->place = text_option(L, database, "place");
  database->walled = flag_option(L, "walled", false);
  if (database->walled && database->driver->whose == NULL)
    (void)rille_lua_refuse(L, "a database of %s does not keep tenants apart by itself", database->driver->name);
  read_pragmas(L, database);
  if (!rille_arena_ok(&database->arena))
    (void)rille_lua_no_memory(L);
  if (flag_option(L, "pooled", false) && !database->memory)
    rille_lua_join_pool(L, database);
}
