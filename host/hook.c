/* host/hook.c - hooks in C: called by Lua in the middle of a save, calling the host in their turn.
**
** No error passes the frame of a hook.  What it calls is caught before it comes back to it, and what it reports is
** raised when it has returned:
**
**   rille_call -- lua_pcall -- Lua -- call_hook -- hook -- rille_get, rille_call, ... -- lua_pcall -- Lua
**                     '------ raised ----'                          '---------- caught ------'
**
** The record that a hook is given is a struct in the frame of call_hook.  The address of that is the key of the Lua
** record in the registry, while the hook runs: so the record can be found in whichever coroutine and however deep. */
#include "host/hook.h"

#include <string.h>

#include <lauxlib.h>

#include "host/copy.h"
#include "host/error.h"
#include "host/library.h"
#include "host/limit.h"

/* Key of the registry: the table of all hooks, number -> struct hook. */
static const char HOOKS;

/* A userdata; its user value is the function that ends it. */
struct hook {
  rille_hook *call; /* NULL once it was ended: Lua may still have it in a list that somebody walks */
  void *data;
};

struct rille_record {
  struct rille_host *host;
  rille_value *read; /* what the hook has read of it, or the table that it is given; NULL: nothing yet */
  rille_error err;   /* the hook's own */
  bool failed;       /* a reading did, and is in err */
};

/* ---- The record of a hook ---------------------------------------------------------------------------------------- */

void
rille_hook_push(lua_State *L, const rille_value *value)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, value->as.record) == LUA_TNIL)
    rille_host_raise(L, "invalid_argument", "the record of a hook lives until the hook returns, in its host",
                     "there is no such record in this host");
}

struct access {
  const rille_value *record;
  const char *name;
  const rille_value *value; /* what is read, NULL for nil; or what is assigned */
};

static struct rille_record *
record_of(const rille_value *value)
{
  return (struct rille_record *)(uintptr_t)value->as.record; /* const for callers alone: it lies in call_hook */
}

/* Reads what is on top. */
static void
take_top(lua_State *L, struct access *access)
{
  struct rille_record *record = record_of(access->record);

  if (!lua_isnil(L, -1))
    access->value = rille_host_take_more(L, -1, record->host->limit.most_bytes, &record->read);
}

/* (struct access *) */
static int
read_attribute(lua_State *L)
{
  struct access *access = (struct access *)lua_touserdata(L, 1);

  rille_hook_push(L, access->record);
  lua_getfield(L, -1, access->name);
  take_top(L, access);
  return 0;
}

/* (struct access *) */
static int
read_model(lua_State *L)
{
  struct access *access = (struct access *)lua_touserdata(L, 1);

  rille_library_require(L, "rille.record");
  lua_getfield(L, -1, "type");
  rille_hook_push(L, access->record);
  lua_call(L, 1, 1);
  take_top(L, access);
  return 0;
}

/* Readers have no way to report an error: the hook fails with it. */
static const rille_value *
read_by(lua_CFunction body, const rille_value *value, const char *name)
{
  struct rille_record *record = record_of(value);
  struct access access = { .record = value, .name = name };

  if (!rille_host_protect(record->host, body, &access, &record->err)) {
    record->failed = true;
    access.value = NULL;
  }
  return access.value;
}

const rille_value *
rille_hook_read(const rille_value *value, const char *name)
{
  return read_by(read_attribute, value, name);
}

const char *
rille_model_of(const rille_value *record)
{
  return rille_kind_of(record) == RILLE_RECORD ? rille_as_text(read_by(read_model, record, NULL)) : NULL;
}

/* (struct access *) */
static int
write_attribute(lua_State *L)
{
  const struct access *access = (const struct access *)lua_touserdata(L, 1);

  rille_hook_push(L, access->record);
  rille_host_push(L, access->value);
  lua_setfield(L, -2, access->name);
  return 0;
}

bool
rille_set(rille_value *record, const char *name, rille_value value, rille_error *err)
{
  struct access access = { .record = record, .name = name, .value = &value };
  bool ok = rille_kind_of(record) == RILLE_RECORD && name != NULL;

  if (!ok)
    rille_host_fail(err, "invalid_argument", "rille_set: wants a hook's record and the name of an attribute", NULL);
  return ok && rille_host_protect(record_of(record)->host, write_attribute, &access, err);
}

/* ---- Calling a hook ---------------------------------------------------------------------------------------------- */

/* (struct access *): all of the table that is told of an event which is about no record. */
static int
read_table(lua_State *L)
{
  struct access *access = (struct access *)lua_touserdata(L, 1);
  struct rille_record *record = record_of(access->record);

  rille_hook_push(L, access->record);
  rille_host_take(L, -1, record->host->limit.most_bytes, &record->read);
  return 0;
}

/* A member of the table on top, from text that need not end. */
static void
set_text(lua_State *L, const char *name, const char *text, size_t room)
{
  lua_pushlstring(L, text, strnlen(text, room));
  lua_setfield(L, -2, name);
}

static void
push_error(lua_State *L, const rille_error *err)
{
  lua_createtable(L, 0, 4);
  set_text(L, "kind", err->kind, sizeof err->kind);
  set_text(L, "message", err->message, sizeof err->message);
  set_text(L, "hint", err->hint, sizeof err->hint);
  set_text(L, "traceback", err->traceback, sizeof err->traceback);
}

/* Calls the hook with what is at 1, a record or a table. */
static int
answer_of(const struct hook *hook, struct rille_record *record, bool is_record)
{
  rille_value self = { .kind = RILLE_RECORD, .as.record = record };
  int answer = -1;

  if (!is_record)
    (void)read_by(read_table, &self, NULL);
  if (!record->failed)
    answer = hook->call(record->host, is_record ? &self : record->read, hook->data, &record->err);
  return record->failed ? -1 : answer;
}

/* (record | table) -> what the hook returned, and unless that is 0 its error as a table.  Upvalue 1 is the hook. */
static int
call_hook(lua_State *L)
{
  const struct hook *hook = (const struct hook *)lua_touserdata(L, lua_upvalueindex(1));
  struct rille_record record = { .host = rille_host_of(L) };
  struct rille_host *host = record.host;
  lua_State *outer = host->running;
  int answer = 0;

  lua_settop(L, 1);
  if (hook->call) {
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &record); /* may raise: nothing is held yet */
    host->running = L;
    host->hooks++;
    answer = answer_of(hook, &record, lua_isuserdata(L, 1));
    host->hooks--;
    host->running = outer;
    rille_free(record.read);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &record); /* raises nothing: the key is there */
  }
  lua_pushinteger(L, answer);
  if (answer != 0)
    push_error(L, &record.err);
  return answer != 0 ? 2 : 1;
}

/* ---- Adding and ending ------------------------------------------------------------------------------------------- */

struct addition {
  const char *model;
  const char *event;
  struct hook hook;
  int number;
};

/* (struct addition *).  What was added before something raises is a hook that is not called. */
static int
add(lua_State *L)
{
  const struct addition *addition = (const struct addition *)lua_touserdata(L, 1);
  struct hook *hook = (struct hook *)lua_newuserdatauv(L, sizeof *hook, 1);

  *hook = (struct hook){ 0 };
  rille_library_listen(L); /* [2] hook [3] function */
  lua_pushstring(L, addition->model);
  lua_pushstring(L, addition->event);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, call_hook, 1);
  lua_call(L, 3, 1);
  lua_setiuservalue(L, 2, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &HOOKS) == LUA_TNIL) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &HOOKS);
  }
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, addition->number);
  *hook = addition->hook;
  return 0;
}

int
rille_try_on(rille_host *host, const char *model, const char *event, rille_hook *hook, void *data, rille_error *err)
{
  struct addition addition = { .model = model, .event = event, .hook = { .call = hook, .data = data } };
  bool ok = host && event && hook;

  if (ok) {
    addition.number = ++host->last_hook;
    rille_limit_begin(host);
    ok = rille_host_protect(host, add, &addition, err);
  } else {
    rille_host_fail(err, "invalid_argument", "rille_on: the host, the event and the hook must not be NULL", NULL);
  }
  return ok ? addition.number : 0;
}

int
rille_on(rille_host *host, const char *model, const char *event, rille_hook *hook, void *data)
{
  rille_error err = { 0 };
  int number = rille_try_on(host, model, event, hook, data, &err);

  if (number == 0 && host)
    host->refusal = err;
  return number;
}

/* (int *).  Takes the hook out of the list of those who are told. */
static int
end(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &HOOKS);
  lua_rawgeti(L, -1, *(const int *)lua_touserdata(L, 1));
  lua_getiuservalue(L, -1, 1);
  lua_call(L, 0, 0);
  return 0;
}

/* Whatever happens, memory running out too, the hook is not called again: that needs no memory. */
void
rille_off(rille_host *host, int number)
{
  lua_State *L = host ? host->running : NULL;
  int top = L ? lua_gettop(L) : 0;
  struct hook *hook = NULL;

  if (L && lua_rawgetp(L, LUA_REGISTRYINDEX, &HOOKS) == LUA_TTABLE && lua_rawgeti(L, -1, number) == LUA_TUSERDATA)
    hook = (struct hook *)lua_touserdata(L, -1);
  if (hook) {
    *hook = (struct hook){ 0 };
    (void)rille_host_protect(host, end, &number, NULL);
    lua_pushnil(L);
    lua_rawseti(L, top + 1, number);
  }
  if (L)
    lua_settop(L, top);
}
