/* core/bind/tenant.c - the tenant of the calling coroutine becomes a value of the statement, once; each table whose
** rows belong to tenants is told which value that is. */
#include "core/bind/tenant.h"

#include <lauxlib.h>

#include "core/base/shown.h"
#include "core/bind/context.h"
#include "core/bind/record.h"
#include "core/bind/value.h"

static bool
current(lua_State *L, rille_cell *cell)
{
  int top = lua_gettop(L);
  bool found = rille_lua_read_tenant(L, rille_lua_push_context(L), cell);

  lua_settop(L, top);
  return found;
}

/* Does the context at that index lift the guard of the source?  Pushes up to two values. */
static bool
is_lifted(lua_State *L, int context, int source)
{
  if (context == 0 || lua_rawgeti(L, context, 4) != LUA_TTABLE)
    return false;
  (void)lua_getiuservalue(L, source, RILLE_SOURCE_GUARD);
  return lua_rawget(L, -2) != LUA_TNIL;
}

static int
required(lua_State *L, rille_work *work, const rille_source *source)
{
  (void)rille_fault_set(&work->fault, RILLE_TENANT_REQUIRED,
                        "the rows of %s belong to tenants, and no tenant is set in this coroutine",
                        rille_show(source->table->name).text);
  rille_fault_hint(&work->fault,
                   "rille.tenant.run(tenant, fn) sets one; Model:without_tenant_scope(fn) means everybody's rows");
  return rille_lua_raise(L, &work->fault, (rille_str){ 0 });
}

/* The value of the work that is the tenant of the context, made when it is first asked for. */
static uint32_t
tenant_slot(lua_State *L, int context, rille_work *work, const rille_source *source)
{
  rille_cell cell;

  if (work->tenant == 0) {
    if (!rille_lua_read_tenant(L, context, &cell))
      (void)required(L, work, source);
    work->tenant = rille_work_slot(L, work, &cell) + 1;
  }
  return work->tenant - 1;
}

/* Says whose rows are meant where something is lifted, or there is no tenant; raises tenant_required. */
static void
take_context(lua_State *L, rille_work *work, int index, rille_source *source)
{
  int top = lua_gettop(L), context;

  luaL_checkstack(L, 8, "a query is too deep");
  context = rille_lua_push_context(L);
  source->guard = is_lifted(L, context, index) ? RILLE_GUARD_LIFTED : RILLE_GUARD_TENANT;
  work->lifted = work->lifted || source->guard == RILLE_GUARD_LIFTED;
  if (source->guard == RILLE_GUARD_TENANT)
    source->tenant = tenant_slot(L, context, work, source);
  lua_settop(L, top);
}

/* A view or the like reads and writes other tables by itself: inside a tenant Lua says whether that may be.  True when
** everybody's rows are meant. */
static bool
ask(lua_State *L, int source)
{
  int top = lua_gettop(L), context;
  bool everybody = false;

  luaL_checkstack(L, 5, "a query is too deep");
  context = rille_lua_push_context(L);
  if (context != 0 && lua_rawgeti(L, context, 1) != LUA_TNIL) {
    (void)lua_getiuservalue(L, source, RILLE_SOURCE_GUARD);
    lua_call(L, 0, 1);
    everybody = lua_toboolean(L, -1) != 0;
  }
  lua_settop(L, top);
  return everybody;
}

void
rille_lua_guard(lua_State *L, rille_work *work, const rille_lua_source *of, int index, rille_source *source)
{
  if (!source->table->guarded)
    return;
  if (source->table->tenant == NULL) {
    source->guard = RILLE_GUARD_LIFTED;
    work->asked = true;
    if (rille_lua_had_tenants() && ask(L, index))
      work->everybody = true;
  } else if (rille_lua_meet(L, of->met, index, RILLE_SOURCE_MET)) {
    if (work->tenant == 0)
      work->tenant = rille_work_slot(L, work, &of->met->tenant) + 1;
    source->guard = RILLE_GUARD_TENANT;
    source->tenant = work->tenant - 1;
  } else {
    take_context(L, work, index, source);
  }
}

void
rille_lua_whose(lua_State *L, rille_str *tenant, rille_str *everybody)
{
  rille_str none = { 0 };

  int context;

  luaL_checkstack(L, 5, NULL);
  *tenant = none;
  *everybody = rille_str_of("*");
  context = rille_lua_push_context(L);
  if (context == 0 || lua_rawgeti(L, context, 1) == LUA_TNIL)
    return;
  *tenant = (rille_str){ lua_tolstring(L, -1, &tenant->len), tenant->len };
  *everybody = lua_rawgeti(L, context, 5) == LUA_TSTRING ? rille_lua_text(L, -1) : none;
}

/* -- what is written ------------------------------------------------------------------------------------- */

/* Are both the same once the column keeps them? */
static bool
same(lua_State *L, rille_work *work, const rille_source *source, const rille_cell *a, const rille_cell *b)
{
  const rille_column *column = source->table->tenant;
  rille_cell kept_a, kept_b;

  if (rille_type_store(column->type, a, column->name, &work->arena, &kept_a, &work->fault) != RILLE_OK ||
      rille_type_store(column->type, b, column->name, &work->arena, &kept_b, &work->fault) != RILLE_OK)
    (void)rille_lua_raise(L, &work->fault, (rille_str){ 0 });
  return rille_cell_equal(&kept_a, &kept_b);
}

static void
mismatch(lua_State *L, rille_work *work, const rille_source *source)
{
  (void)rille_fault_set(&work->fault, RILLE_TENANT_MISMATCH, "%s.%s: the value is not the current tenant's",
                        rille_show(source->table->name).text, rille_show(source->table->tenant->name).text);
  rille_fault_hint(&work->fault, "leave the column out: it is filled in; rows are not moved between tenants");
  (void)rille_lua_raise(L, &work->fault, (rille_str){ 0 });
}

void
rille_lua_check_tenant(lua_State *L, rille_work *work, const rille_source *source, const rille_cell *cell)
{
  rille_cell tenant;

  if (source->guard == RILLE_GUARD_TENANT) {
    tenant = work->slots[work->tenant - 1].cell;
    if (cell == NULL || !same(L, work, source, cell, &tenant))
      mismatch(L, work, source);
  }
}

bool
rille_lua_stamp(lua_State *L, rille_work *work, const rille_source *source, rille_cell *cell, bool given)
{
  bool guarded = source->guard == RILLE_GUARD_TENANT;

  if (guarded && given)
    rille_lua_check_tenant(L, work, source, cell);
  else if (guarded)
    *cell = work->slots[work->tenant - 1].cell;
  return guarded || given || (source->guard == RILLE_GUARD_LIFTED && current(L, cell));
}

bool
rille_lua_has_view(const rille_work *work)
{
  return work->tenant > 0 || work->lifted || work->asked;
}

void
rille_lua_keep_view(lua_State *L, rille_work *work, int index, int key)
{
  int top = lua_gettop(L);

  luaL_checkstack(L, 5, NULL);
  (void)rille_lua_push_context(L);
  work->context = lua_topointer(L, -1);
  lua_rawseti(L, index, key);
  lua_settop(L, top);
}

/* Pushes the mark of the context at that index, which may be nil. */
static void
push_mark(lua_State *L, int context)
{
  if (lua_istable(L, context))
    (void)lua_rawgeti(L, context, 2);
  else
    lua_pushnil(L);
}

/* Most rows are read under the very context; another one may say the same. */
bool
rille_lua_same_view(lua_State *L, const rille_work *work, int index, int key)
{
  int top = lua_gettop(L), now = top + 2;
  bool same;

  luaL_checkstack(L, 8, NULL);
  (void)rille_lua_push_context(L);
  same = lua_topointer(L, now) == work->context;
  if (!same) {
    (void)lua_getiuservalue(L, index, 1);
    (void)lua_rawgeti(L, -1, key);
    push_mark(L, lua_gettop(L));
    push_mark(L, now);
    same = lua_rawequal(L, -1, -2) != 0;
  }
  lua_settop(L, top);
  if (!same && (work->tenant > 0 || work->lifted)) {
    rille_fault fault;

    (void)rille_fault_set(&fault, RILLE_TENANT_MISMATCH,
                          "cursor: the rows are of a tenant that is no longer the current one");
    rille_fault_hint(&fault, "end the walk before another tenant is set, or a bypass begins or ends");
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  return same;
}

void
rille_lua_check_raw(lua_State *L)
{
  rille_fault fault;
  int top = lua_gettop(L), context;

  luaL_checkstack(L, 5, NULL);
  context = rille_lua_push_context(L);
  if (context != 0 && lua_rawgeti(L, context, 1) != LUA_TNIL &&
      !(lua_rawgeti(L, context, 3) == LUA_TBOOLEAN && lua_toboolean(L, -1))) {
    (void)rille_fault_set(&fault, RILLE_TENANT_REQUIRED,
                          "SQL of your own that reads tables is not limited to the current tenant");
    rille_fault_hint(&fault, "where_exists(query) and where_in(column, query) are");
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  lua_settop(L, top);
}

bool
rille_lua_relations_fit(lua_State *L, int index)
{
  int top = lua_gettop(L);
  bool fit = true;

  if (lua_rawgeti(L, index, RILLE_RELATIONS_MARK) != LUA_TNIL) {
    luaL_checkstack(L, 5, NULL);
    if (rille_lua_push_context(L) != 0)
      (void)lua_rawgeti(L, -1, 2);
    fit = lua_rawequal(L, top + 1, -1) != 0;
  }
  lua_settop(L, top);
  return fit;
}
