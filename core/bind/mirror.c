/* core/bind/mirror.c - the outbox of a database, and mirrors brought up to it. */
#include <lauxlib.h>

#include "core/base/memory.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"
#include "core/run/mirror.h"
#include "core/run/turn.h"

enum { NAMES_MAX = 1 << 20 }; /* bytes of names of tables */

static void
ring_all(void *data)
{
  const rille_lua_database *database = data;

  for (int i = 0; i < database->follower_count; i++)
    rille_follow_ring(database->followers[i]);
}

void
rille_lua_mirror_connection(rille_lua_database *database, rille_connection *connection)
{
  rille_outbox_set_mode(connection, database->mirror_mode);
  rille_outbox_on_commit(connection, ring_all, database);
}

void
rille_lua_mirror_unfollow(rille_lua_database *database)
{
  while (database->follower_count > 0)
    rille_follow_stop(database->followers[--database->follower_count]);
  rille_memory_free(database->followers);
  database->followers = NULL;
}

/* The list of names at `index` in the arena; raises what is wrong with it. */
static rille_str *
read_names(lua_State *L, int index, rille_arena *arena, size_t *count)
{
  rille_str *names;

  *count = 0;
  if (lua_isnoneornil(L, index))
    return NULL;
  luaL_checktype(L, index, LUA_TTABLE);
  names = rille_arena_get(arena, (size_t)luaL_len(L, index) * sizeof *names);
  for (lua_Integer i = 1, all = luaL_len(L, index); i <= all && names != NULL; i++) {
    (void)lua_rawgeti(L, index, i);
    names[(*count)++] = rille_arena_copy(arena, rille_lua_check_text(L, -1, "the name of a table"));
    lua_pop(L, 1);
  }
  if (!rille_arena_ok(arena))
    (void)rille_lua_no_memory(L);
  return names;
}

/* db:mirror_create(): makes the tables of the outbox */
static int
mirror_create(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_connection *connection = rille_lua_connection(L, database);
  rille_fault fault;
  rille_status status = rille_outbox_create(connection, &fault);

  rille_lua_settle(database);
  return status == RILLE_OK ? 0 : rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* db:mirror_look(): all its connections fill the outbox, or no longer do, as the file says; nobody follows */
static int
mirror_look(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_fault fault;
  rille_status status = RILLE_OK;

  rille_lua_mirror_unfollow(database);
  rille_lua_hold(database);
  for (int i = 0; i < database->count && status == RILLE_OK; i++) {
    if (database->connections[i]->reads)
      continue;
    status = rille_outbox_remember(database->connections[i], &fault);
    rille_lua_mirror_connection(database, database->connections[i]);
  }
  rille_lua_settle(database);
  return status == RILLE_OK ? 0 : rille_lua_raise(L, &fault, (rille_str){ 0 });
}

/* db:mirrored() -> whether its connections fill an outbox */
static int
mirrored(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  lua_pushboolean(L, rille_lua_connection(L, database)->outbox != NULL);
  rille_lua_settle(database);
  return 1;
}

/* db:mirror_mode("keep" | "skip" | "quiet") -> the mode before: what becomes of changes that are made now */
static int
mirror_mode(lua_State *L)
{
  static const char *const words[] = { "keep", "skip", "quiet", NULL };
  rille_lua_database *database = rille_lua_check_database(L, 1);

  lua_pushstring(L, words[database->mirror_mode]);
  database->mirror_mode = (rille_outbox_mode)luaL_checkoption(L, 2, NULL, words);
  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++)
    rille_outbox_set_mode(database->connections[i], database->mirror_mode);
  rille_lua_settle(database);
  return 1;
}

/* -- bringing mirrors up to it --------------------------------------------------------------------------- */

/* What the arguments say of a mirror: [1] database [2] its mirror [3] { name =, source =, tables = | nil }.  Texts live
** in a work of the call. */
static rille_mirror
read_words(lua_State *L, rille_lua_database *database, const rille_lua_database *target)
{
  rille_mirror mirror = { 0 };
  rille_work *work;

  luaL_checktype(L, 3, LUA_TTABLE);
  work = rille_lua_begin_call(L, database);
  (void)lua_getfield(L, 3, "name");
  mirror.name = rille_arena_copy(&work->arena, rille_lua_check_text(L, -1, "the name of a mirror"));
  (void)lua_getfield(L, 3, "source");
  mirror.source_name = rille_arena_copy(&work->arena, rille_lua_check_text(L, -1, "the name of a source"));
  (void)lua_getfield(L, 3, "tables");
  mirror.tables = read_names(L, lua_gettop(L), &work->arena, &mirror.table_count);
  if (database == target || target->driver != database->driver)
    (void)rille_lua_refuse(L, "mirror: wants another database of the same driver");
  if (!rille_arena_ok(&work->arena))
    (void)rille_lua_no_memory(L);
  return mirror;
}

/* The same with connections. */
static rille_mirror
read_mirror(lua_State *L, rille_lua_database *database, rille_lua_database *target)
{
  rille_mirror mirror = read_words(L, database, target);

  mirror.source = rille_lua_connection_idle(L, database, "mirror");
  mirror.target = rille_lua_connection_idle(L, target, "mirror");
  return mirror;
}

static void
settle(rille_lua_database *database, rille_lua_database *target)
{
  rille_lua_settle(database);
  rille_lua_settle(target);
}

/* db:mirror_apply(mirror, which, limit, set_aside) -> transactions, set aside, whether there are more; and where one
** cannot be applied its number, kind and message */
static int
mirror_apply(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *target = rille_lua_check_database(L, 2);
  lua_Integer limit = luaL_checkinteger(L, 4);
  bool set_aside = lua_toboolean(L, 5) != 0;
  rille_mirror mirror = read_mirror(L, database, target);
  rille_mirror_outcome outcome;
  rille_turn turn;
  rille_fault fault;
  rille_status status;

  luaL_argcheck(L, limit > 0 && limit <= INT32_MAX, 4, "a number of transactions");
  rille_turn_take(&turn, target->options.database);
  status = rille_mirror_apply(&mirror, (int)limit, set_aside, &outcome, &fault);
  rille_turn_leave(&turn);
  settle(database, target);
  if (status != RILLE_OK && outcome.blocked == 0)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  lua_pushinteger(L, (lua_Integer)outcome.transactions);
  lua_pushinteger(L, (lua_Integer)outcome.set_aside);
  lua_pushboolean(L, outcome.more);
  if (status == RILLE_OK)
    return 3;
  lua_pushinteger(L, (lua_Integer)outcome.blocked);
  lua_pushstring(L, rille_status_name(status));
  lua_pushstring(L, fault.message);
  return 6;
}

/* Does something to the mirror that the arguments mean, in its turn; raises what went wrong. */
static rille_mirror_outcome
in_turn(lua_State *L, rille_status (*what)(const rille_mirror *, rille_mirror_outcome *, rille_fault *))
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *target = rille_lua_check_database(L, 2);
  rille_mirror mirror = read_mirror(L, database, target);
  rille_mirror_outcome outcome;
  rille_turn turn;
  rille_fault fault;
  rille_status status;

  rille_turn_take(&turn, target->options.database);
  status = what(&mirror, &outcome, &fault);
  rille_turn_leave(&turn);
  settle(database, target);
  if (status != RILLE_OK)
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  return outcome;
}

/* db:mirror_retry(mirror, which) -> transactions that are applied now, those that failed again */
static int
mirror_retry(lua_State *L)
{
  rille_mirror_outcome outcome = in_turn(L, rille_mirror_retry);

  lua_pushinteger(L, (lua_Integer)outcome.transactions);
  lua_pushinteger(L, (lua_Integer)outcome.set_aside);
  return 2;
}

/* db:mirror_resync(mirror, which) -> rows copied, tables that cannot be mirrored */
static int
mirror_resync(lua_State *L)
{
  rille_mirror_outcome outcome = in_turn(L, rille_mirror_resync);

  lua_pushinteger(L, (lua_Integer)outcome.transactions);
  lua_pushinteger(L, (lua_Integer)outcome.left_out);
  return 2;
}

/* db:mirror_verify(mirror, which) -> rows compared, names of tables that differ with "\n" behind each; nothing when the
** mirror does not have all that was committed */
static int
mirror_verify(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *target = rille_lua_check_database(L, 2);
  rille_mirror mirror = read_mirror(L, database, target);
  rille_work *work = rille_lua_begin_call(L, database);
  rille_buffer differing;
  rille_str names;
  rille_mirror_outcome outcome;
  rille_turn turn;
  rille_fault fault;
  rille_status status;

  rille_buffer_init(&differing, NAMES_MAX);
  rille_turn_take(&turn, target->options.database);
  status = rille_mirror_verify(&mirror, &differing, &outcome, &fault);
  rille_turn_leave(&turn);
  settle(database, target);
  names = rille_arena_copy(&work->arena, rille_buffer_str(&differing));
  rille_buffer_release(&differing);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  if (!rille_arena_ok(&work->arena))
    return rille_lua_no_memory(L);
  if (outcome.more)
    return 0;
  lua_pushinteger(L, (lua_Integer)outcome.transactions);
  (void)lua_pushlstring(L, names.at, names.len);
  return 2;
}

/* -- followed in the background -------------------------------------------------------------------------- */

/* db:mirror_follow(mirror, which) -> how many are followed with this one: from now on a commit has a thread bring the
** mirror up to the database; `mirror` is only asked how it is opened */
static int
mirror_follow(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1), *target = rille_lua_check_database(L, 2);
  rille_mirror mirror = read_words(L, database, target);
  rille_opening from = rille_lua_opening(database), to = rille_lua_opening(target);
  rille_follower **followers;
  rille_fault fault;

  if (database->memory || target->memory)
    return rille_lua_refuse(L, "mirror: another thread cannot reach a database in memory");
  followers = rille_memory_resize(database->followers,
                                  (size_t)(database->follower_count + 1) * sizeof(rille_follower *));
  if (followers == NULL)
    return rille_lua_no_memory(L);
  database->followers = followers;
  if (rille_follow_start(&from, &to, &mirror, &followers[database->follower_count], &fault) != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  lua_pushinteger(L, ++database->follower_count);
  return 1;
}

/* db:mirror_fails(n) -> kind and message where the n-th that is followed fails; else nothing */
static int
mirror_fails(lua_State *L)
{
  const rille_lua_database *database = rille_lua_check_database(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  rille_follow_look look;

  if (n < 1 || n > database->follower_count)
    return 0;
  rille_follow_see(database->followers[n - 1], &look);
  if (look.failures == 0)
    return 0;
  lua_pushstring(L, rille_status_name(look.fault.kind));
  lua_pushstring(L, look.fault.message);
  return 2;
}

/* db:mirror_ring(): there may be something to apply, and what failed is tried again at once */
static int
mirror_ring(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  for (int i = 0; i < database->follower_count; i++)
    rille_follow_hurry(database->followers[i]);
  ring_all(database);
  return 0;
}

/* mirror_settle(): waits, a second at most, until what was written to databases that are closed is mirrored */
static int
mirror_settle(lua_State *L)
{
  (void)L;
  rille_follow_settle();
  return 0;
}

void
rille_lua_add_mirror(lua_State *L)
{
  lua_pushcfunction(L, mirror_settle);
  lua_setfield(L, -2, "mirror_settle");
}

const luaL_Reg rille_lua_mirror_methods[] = {
  { "mirror_create", mirror_create }, { "mirrored", mirrored },           { "mirror_look", mirror_look },
  { "mirror_mode", mirror_mode },     { "mirror_apply", mirror_apply },   { "mirror_retry", mirror_retry },
  { "mirror_resync", mirror_resync }, { "mirror_verify", mirror_verify }, { "mirror_follow", mirror_follow },
  { "mirror_fails", mirror_fails },   { "mirror_ring", mirror_ring },     { NULL, NULL },
};
