/* core/bind/work.c - works are kept and used again: the next statement finds its memory ready. */
#include "core/bind/work.h"

#include <lauxlib.h>

#include "core/bind/database.h"
#include "core/bind/value.h"
#include "core/run/wall.h"

#define WORK_META "rille.work"

/* Its address marks works. */
static const char work_tag;

static rille_work *
check_work(lua_State *L)
{
  rille_work *work = rille_lua_tagged(L, 1, &work_tag, sizeof *work);

  if (work == NULL)
    (void)rille_lua_refuse(L, "a cursor was expected, not a %s", luaL_typename(L, 1));
  return work;
}

static void *
checked(lua_State *L, void *memory)
{
  if (memory == NULL)
    (void)rille_lua_no_memory(L);
  return memory;
}

void *
rille_work_get(lua_State *L, rille_work *work, size_t bytes)
{
  return checked(L, rille_arena_get(&work->arena, bytes));
}

void
rille_work_more_slots(lua_State *L, rille_work *work)
{
  uint32_t room = work->slot_room > 0 ? work->slot_room * 2 : 16;
  rille_slot *slots = rille_work_get(L, work, room * sizeof *slots);

  if (work->slot_count > 0)
    memcpy(slots, work->slots, work->slot_count * sizeof *slots);
  work->slots = slots;
  work->slot_room = room;
}

rille_node *
rille_work_value(lua_State *L, rille_work *work, const rille_cell *cell)
{
  rille_node *node = rille_work_node(L, work, RILLE_NODE_VALUE);

  node->slot = rille_work_slot(L, work, cell);
  return node;
}

rille_status
rille_work_run(rille_work *work, rille_connection *connection, rille_statement *statement, rille_arena *arena)
{
  if (work->everybody && connection->wall != NULL)
    connection->wall->lifted = true;
  return rille_cursor_open(&work->cursor, connection, statement, work->slots, work->slot_count, arena, &work->fault);
}

void
rille_work_step(rille_work *work)
{
  work->database->steps += !work->stepping;
  work->stepping = true;
}

void
rille_work_stepped(rille_work *work)
{
  if (!work->stepping)
    return;
  work->stepping = false;
  work->database->steps--;
  rille_lua_settle(work->database);
}

void
rille_work_reset(rille_work *work)
{
  rille_cursor_close(&work->cursor);
  work->depth = 0;
  rille_connection_release(work->held);
  work->held = NULL;
  if (work->began != NULL)
    (void)rille_connection_rollback(work->began, NULL);
  work->began = NULL;
  rille_arena_reset(&work->arena);
  rille_arena_reset(&work->scratch);
  work->slots = NULL;
  work->slot_count = work->slot_room = 0;
  work->tenant = 0;
  work->everybody = false;
  rille_work_stepped(work);
  rille_lua_settle(work->database);
}

/* -- calls ----------------------------------------------------------------------------------------------- */

/* It is the innermost of the calls that run, unless it is collected after its coroutine died. */
static void
end(rille_work *work)
{
  rille_work **at = &work->database->running->top;

  rille_work_reset(work);
  if (work->call == 0)
    return;
  while (*at != work)
    at = &(*at)->outer;
  *at = work->outer;
  work->call = 0;
  work->database->calls--;
  rille_lua_settle(work->database);
}

/* It ends before its coroutine closes it, if that ever does. */
static void
leave(rille_work *work)
{
  end(work);
  work->left = true;
}

void
rille_work_failed(rille_work *work)
{
  if (work->call > 0 && work->call == work->database->calls && work->database->running->top == work)
    leave(work);
}

/* Is the owner of the call no more, or ended by an error?  Then it is in no call.  The registry has under the address
** of the work a table with weak values, in which note_owner puts the owner: nobody is kept alive by what he called. */
static bool
is_dead(lua_State *L, const rille_work *work)
{
  lua_State *owner;
  bool dead;

  if (work->by_main)
    return false;
  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, work);
  (void)lua_rawgeti(L, -1, 1);
  owner = lua_tothread(L, -1);
  dead = owner == NULL || lua_status(owner) > LUA_YIELD;
  lua_pop(L, 2);
  return dead;
}

/* The call of the work at the top, made by another coroutine than the first, is about to run. */
static void
note_owner(lua_State *L, rille_work *work)
{
  if (lua_getiuservalue(L, -1, 1) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    (void)lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, work);
    lua_pushvalue(L, -1);
    (void)lua_setiuservalue(L, -3, 1);
    work->noted = true;
  }
  (void)lua_pushthread(L);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 1);
}

static int
work_close(lua_State *L)
{
  rille_work *work = check_work(L);
  const rille_lua_running *running = work->database->running;

  while (work->call > 0 && running->top != work)
    leave(running->top); /* what is inside it has died */
  if (!work->left)
    end(work);
  work->left = false;
  return 0;
}

static int
work_gc(lua_State *L)
{
  rille_work *work = check_work(L);

  end(work);
  rille_arena_release(&work->arena);
  rille_arena_release(&work->scratch);
  if (work->noted) {
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, work);
  }
  return 0;
}

rille_work *
rille_work_new(lua_State *L, rille_lua_database *database)
{
  rille_work *work = lua_newuserdatauv(L, sizeof *work, 1);

  *work = (rille_work){ .tag = &work_tag, .database = database };
  rille_arena_init(&work->arena);
  luaL_setmetatable(L, WORK_META);
  return work;
}

rille_work *
rille_work_open(lua_State *L, int works, rille_lua_database *database)
{
  rille_lua_running *running = database->running;
  rille_work *work = NULL;

  luaL_checkstack(L, 20, "too many nested calls");
  while (running->top != NULL && is_dead(L, running->top))
    leave(running->top);
  if (lua_rawgeti(L, works, database->calls + 1) == LUA_TUSERDATA)
    work = lua_touserdata(L, -1);
  if (work == NULL || work->left) {
    lua_pop(L, 1);
    work = rille_work_new(L, database);
    lua_pushvalue(L, -1);
    lua_rawseti(L, works, database->calls + 1);
  }
  lua_toclose(L, -1);
  work->by_main = L == running->main;
  if (!work->by_main)
    note_owner(L, work);
  work->outer = running->top;
  running->top = work;
  work->call = ++database->calls;
  return work;
}

/* Its address is the registry's key of the running calls. */
static const char running_key;

rille_lua_running *
rille_lua_running_calls(lua_State *L)
{
  rille_lua_running *running;

  (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &running_key);
  running = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return running;
}

static void
add_running(lua_State *L)
{
  rille_lua_running *running = lua_newuserdatauv(L, sizeof *running, 0);

  *running = (rille_lua_running){ .top = NULL };
  (void)lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  running->main = lua_tothread(L, -1);
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &running_key);
}

void
rille_lua_add_work(lua_State *L)
{
  add_running(L);
  (void)luaL_newmetatable(L, WORK_META);
  lua_pushcfunction(L, work_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, work_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
