/* core/bind/work.h - what one call from Lua needs while it runs, given back whatever happens. */
#ifndef RILLE_BIND_WORK_H
#define RILLE_BIND_WORK_H

#include <lua.h>

#include "core/bind/value.h"
#include "core/run/cursor.h"

struct rille_lua_database;
struct rille_work;

/* The calls that run in a state, each inside the one before it, on whichever database: as on the stack of C. */
typedef struct rille_lua_running {
  const lua_State *main; /* the state's first coroutine: as old as the state */
  struct rille_work *top;
} rille_lua_running;

/* An arena, the statement's values and its cursor.  Made to be closed (lua_toclose) on the stack of the call, so
** that a Lua error gives everything back. */
typedef struct rille_work {
  const void *tag;
  rille_arena arena;
  rille_slot *slots;
  uint32_t slot_count, slot_room;
  rille_cursor cursor;
  rille_arena scratch;     /* for one row of many */
  rille_statement *held;   /* looked at without being run: released with the work */
  rille_connection *began; /* has a transaction of this call's own open: rolled back unless the call commits it */
  rille_fault fault;
  uint32_t tenant;                     /* the slot, from 1, that keeps the tenant; 0: nobody asked for one */
  bool everybody;                      /* a view is read for which all tenants were said to be meant */
  bool lifted;                         /* everybody's rows of a table of tenants are read */
  bool asked;                          /* a view or SQL of the caller's own is read, of which nobody knows whose rows */
  const void *context;                 /* of a cursor: under which it reads, kept alive with it */
  int depth;                           /* queries and groups in each other, while a tree is read */
  struct rille_lua_rows *rows;         /* of a cursor: what its rows become; in the arena */
  struct rille_lua_database *database; /* that it runs on, where it counts ... */
  int call;                            /* ... as the call of this number that runs, from 1; 0: as none */
  bool by_main;                        /* ... which the first coroutine of the state makes, or any other one */
  bool noted;                          /* the registry knows who that is */
  struct rille_work *outer;            /* the call around it */
  bool left;     /* it has ended, and is on the stack of a coroutine that may yet close it: it serves no other call */
  bool stepping; /* ... as a cursor whose next row is being read */
} rille_work;

/* Makes room for more slots; raises when memory runs out. */
void rille_work_more_slots(lua_State *L, rille_work *work);

/* A slot more, for the value `cell`; returns its number.  Raises when memory runs out. */
static inline uint32_t
rille_work_slot(lua_State *L, rille_work *work, const rille_cell *cell)
{
  if (work->slot_count == work->slot_room)
    rille_work_more_slots(L, work);
  work->slots[work->slot_count] = (rille_slot){ .cell = *cell };
  return work->slot_count++;
}

/* A node of the work's arena; raises when memory runs out. */
static inline rille_node *
rille_work_node(lua_State *L, rille_work *work, rille_node_kind kind)
{
  rille_node *node = rille_node_new(&work->arena, kind);

  if (node == NULL)
    (void)rille_lua_no_memory(L);
  return node;
}

/* A VALUE node with a slot of its own. */
rille_node *rille_work_value(lua_State *L, rille_work *work, const rille_cell *cell);

/* `bytes` of the work's arena; raises when memory runs out. */
void *rille_work_get(lua_State *L, rille_work *work, size_t bytes);

/* Pushes a work of a call on the database and marks it to be closed.  `works` is the absolute index of the table that
** keeps the database's works: calls nest like the stack.  What an error of Lua's own, as that of memory, has left of
** calls in coroutines that coroutine.resume does not close ends first, on whichever database. */
rille_work *rille_work_open(lua_State *L, int works, struct rille_lua_database *database);

/* Pushes a work that lives as long as Lua wants (for cursors): it is given back by __close or __gc.  Its user value
** keeps the database alive. */
rille_work *rille_work_new(lua_State *L, struct rille_lua_database *database);

/* Around the reading of one row through a work of rille_work_new: until the end the database is not closed under it.
** An error in between counts as the end once the work is closed or collected. */
void rille_work_step(rille_work *work);
void rille_work_stepped(rille_work *work);

/* Opens the work's cursor, with its values, as rille_cursor_open does. */
rille_status rille_work_run(rille_work *work, rille_connection *connection, rille_statement *statement,
                            rille_arena *arena);

/* The call of the work has failed: it ends now, unless one inside it has to end first. */
void rille_work_failed(rille_work *work);

/* Ends the cursor and empties the arena now. */
void rille_work_reset(rille_work *work);

/* Makes the metatable of works, and what knows the calls that run. */
void rille_lua_add_work(lua_State *L);

/* What knows the calls that run; lives as long as the state. */
rille_lua_running *rille_lua_running_calls(lua_State *L);

#endif
