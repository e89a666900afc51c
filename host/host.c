/* host/host.c - one Lua state and the entries into it; nothing jumps out of it.
**
** Every entry runs as a C function under lua_pcall, from opening the state to copying the result, because each of these
** steps may raise.  What such a function gets from its caller is a struct on the caller's stack, so an error that
** passes it by loses nothing. */
#include "host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "host/copy.h"
#include "host/error.h"
#include "host/library.h"
#include "host/limit.h"

bool
rille_host_protect(struct rille_host *host, lua_CFunction body, void *data, rille_error *err)
{
  lua_State *L = host->running;
  int top = lua_gettop(L);
  int status = LUA_ERRMEM;

  if (lua_checkstack(L, 8)) {
    lua_pushcfunction(L, rille_host_handler);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, data);
    status = lua_pcall(L, 1, 0, top + 1);
  } else {
    rille_host_fail(err, "out_of_memory", "the Lua stack cannot grow", NULL);
  }
  if (status != LUA_OK && lua_gettop(L) > top)
    rille_host_report(L, status, err);
  lua_settop(L, top);
  return status == LUA_OK;
}

void
rille_host_leave(struct rille_host *host, lua_CFunction body)
{
  rille_error err = { 0 };

  if (host == NULL)
    return;
  rille_limit_begin(host);
  if (!rille_host_protect(host, body, NULL, &err))
    host->refusal = err;
}

/* ---- Opening and closing ----------------------------------------------------------------------------------------- */

const char *
rille_version(void)
{
  return RILLE_VERSION_TEXT;
}

struct rille_host *
rille_host_of(lua_State *L)
{
  void *host = NULL;

  lua_getallocf(L, &host);
  return (struct rille_host *)host;
}

/* Lua calls this, then aborts, when an error is raised outside lua_pcall: there is no such place. */
static int
panic(lua_State *L)
{
  const char *message = lua_tostring(L, -1);

  fprintf(stderr, "rille: error outside a protected call, a bug of rille: %s\n", message ? message : "(no text)");
  return 0;
}

/* (const char *config or NULL) */
static int
open_state(lua_State *L)
{
  const char *config = (const char *)lua_touserdata(L, 1);

  lua_gc(L, LUA_GCSTOP); /* nothing that is opened here is garbage */
  rille_library_open(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushboolean(L, 1); /* rille.config reads no file here that nobody named */
  lua_setfield(L, -2, "rille.embedded");
  lua_pop(L, 1);
  lua_gc(L, LUA_GCRESTART);
  lua_gc(L, LUA_GCGEN, 0, 0);
  if (config) {
    rille_library_require(L, "rille.config");
    lua_getfield(L, -1, "load_file");
    lua_pushstring(L, config);
    lua_call(L, 1, 0);
  }
  return 0;
}

/* The caller's options as ours.  What a newer program asks for and we do not know is refused, not ignored. */
static bool
read_options(const rille_options *given, size_t size, rille_options *options, rille_error *err)
{
  const unsigned char *bytes = (const unsigned char *)given;
  bool known = true;

  memset(options, 0, sizeof *options);
  if (given)
    memcpy(options, given, size < sizeof *options ? size : sizeof *options);
  for (size_t i = sizeof *options; given && i < size; i++)
    known = known && bytes[i] == 0;
  if (!known)
    rille_host_fail(err, "unsupported", "rille_open: an option is newer than this library",
                    "rille_version() tells its age");
  if (known && options->shared)
    rille_host_fail(err, "unsupported", "rille_open: `shared` is reserved", "leave it NULL");
  return known && options->shared == NULL;
}

rille_host *
rille_open_sized(const rille_options *given, size_t size, rille_error *err)
{
  rille_options options;
  struct rille_host *host = NULL;
  bool ok = read_options(given, size, &options, err);

  if (ok) {
    host = (struct rille_host *)calloc(1, sizeof *host);
    if (host) {
      host->trusted = options.trusted;
      rille_limit_init(host, &options);
      host->L = lua_newstate(rille_limit_alloc, host);
      host->running = host->L;
    }
    ok = host && host->L;
    if (!ok)
      rille_host_fail(err, "out_of_memory", "rille_open: there is no memory for a Lua state", NULL);
  }
  if (ok) {
    lua_atpanic(host->L, panic);
    rille_limit_begin(host);
    ok = rille_host_protect(host, open_state, (void *)(uintptr_t)options.config, err);
  }
  if (!ok) {
    rille_close(host);
    host = NULL;
  }
  return host;
}

void
rille_close(rille_host *host)
{
  if (host && host->L) {
    host->limit.most_bytes = SIZE_MAX; /* finalizers are to run, whatever the scripts used up */
    lua_close(host->L);
    rille_blocks_release(&host->limit.blocks);
  }
  free(host);
}

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

struct call {
  struct rille_host *host;
  void (*find)(lua_State *L, const struct call *call); /* pushes a function, and `self` where it takes one */
  const char *what;                                    /* function, file or source text */
  const char *name;                                    /* of the source text */
  const rille_value *args;
  size_t n;
  rille_value *result; /* ours until the call succeeded */
  rille_error *err;
  bool refused; /* it returned `nil, err`; *err is filled */
};

/* (struct call *) */
static int
perform(lua_State *L)
{
  struct call *call = (struct call *)lua_touserdata(L, 1);

  if (call->n > INT32_MAX - LUA_MINSTACK || !lua_checkstack(L, (int)call->n + LUA_MINSTACK))
    rille_host_raise(L, "invalid_argument", NULL, "a call cannot take %zu arguments", call->n);
  call->find(L, call);
  for (size_t i = 0; i < call->n; i++)
    rille_host_push(L, &call->args[i]);
  lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);          /* [1] call [2] function, then its arguments */
  lua_settop(L, lua_gettop(L) < 3 ? 3 : lua_gettop(L)); /* [1] call [2] first result [3] second */
  call->refused = lua_isnil(L, 2) && !lua_isnil(L, 3);
  if (call->refused)
    rille_host_describe(L, 3, call->err);
  else
    rille_host_take(L, 2, call->host->limit.most_bytes, &call->result);
  return 0;
}

/* Transactions that are still open in the main coroutine are rolled back. */
static int
abandon(lua_State *L)
{
  rille_library_require(L, "rille.transaction");
  lua_getfield(L, -1, "abandon");
  lua_call(L, 0, 0);
  return 0;
}

/* Ends a call that failed.  One that was stopped by its limit could not run what ends a transaction: the next call must
** not find itself inside it. */
static void
clean_up(struct rille_host *host)
{
  if (host->hooks == 0 && host->limit.instructions > 0 && host->limit.left == 0) {
    rille_limit_begin(host);
    (void)rille_host_protect(host, abandon, NULL, NULL);
  }
}

/* Runs a call that a public function has described. */
static rille_value *
run(struct call *call)
{
  bool ok = call->host && call->what && (call->args || call->n == 0);

  if (!ok) {
    rille_host_fail(call->err, "invalid_argument", "a host, what to run and the arguments must not be NULL", NULL);
  } else if (call->host->refusal.kind[0] != '\0') {
    ok = false;
    if (call->err)
      *call->err = call->host->refusal;
  } else {
    rille_limit_begin(call->host);
    ok = rille_host_protect(call->host, perform, call, call->err);
    if (!ok)
      clean_up(call->host);
    rille_host_restore_tenant(call->host);
  }
  if (!ok || call->refused) {
    rille_free(call->result);
    call->result = NULL;
  }
  return call->result;
}

/* Pushes the class that owns a method, then the method, then the class again as `self`. */
static void
find_method(lua_State *L, const char *model, const char *method)
{
  rille_library_require(L, "rille.autoload");
  lua_getfield(L, -1, "model");
  lua_remove(L, -2);
  lua_pushstring(L, model);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, method);
  lua_insert(L, -2);
}

/* "Model:method", "module.function" or "function". */
static void
find_named(lua_State *L, const struct call *call)
{
  const char *colon = strchr(call->what, ':');
  const char *dot = strrchr(call->what, '.');

  if (colon) {
    lua_pushlstring(L, call->what, (size_t)(colon - call->what));
    find_method(L, lua_tostring(L, -1), colon + 1);
    lua_remove(L, 2);
  } else if (dot) {
    lua_pushlstring(L, call->what, (size_t)(dot - call->what));
    rille_library_require(L, lua_tostring(L, -1));
    lua_getfield(L, -1, dot + 1);
    lua_replace(L, 2);
    lua_settop(L, 2);
  } else {
    lua_getglobal(L, call->what);
  }
  if (!lua_isfunction(L, 2))
    rille_host_raise(L, "invalid_argument",
                     "say \"Model:method\", \"module.function\" or the name of a global function",
                     "rille_call: %s is no function, it is %s", call->what, luaL_typename(L, 2));
}

/* Gives the function on top the globals of a script: the models by their names. */
static void
set_script_globals(lua_State *L)
{
  rille_library_require(L, "rille.autoload");
  lua_getfield(L, -1, "environment");
  lua_remove(L, -2);
  lua_call(L, 0, 1);
  lua_setupvalue(L, -2, 1);
}

/* Raises what luaL_load... left on top if its status is a failure. */
static void
check_loaded(lua_State *L, int status)
{
  if (status == LUA_ERRMEM)
    lua_error(L);
  else if (status != LUA_OK)
    rille_host_raise(L, "script", NULL, "%s", lua_tostring(L, -1));
}

static void
find_file(lua_State *L, const struct call *call)
{
  check_loaded(L, luaL_loadfilex(L, call->what, call->host->trusted ? NULL : "t"));
  set_script_globals(L);
}

static void
find_source(lua_State *L, const struct call *call)
{
  const char *source = call->what;

  if (*source == '#') /* "#!/usr/bin/env rille"; the others keep their numbers */
    source += strcspn(source, "\n");
  lua_pushfstring(L, "=%s", call->name ? call->name : "rille_do");
  check_loaded(L, luaL_loadbufferx(L, source, strlen(source), lua_tostring(L, -1), "t"));
  lua_remove(L, -2);
  set_script_globals(L);
}

rille_value *
rille_call(rille_host *host, const char *what, const rille_value *args, size_t n, rille_error *err)
{
  return run(&(struct call){ .host = host, .find = find_named, .what = what, .args = args, .n = n, .err = err });
}

rille_value *
rille_run(rille_host *host, const char *file, const rille_value *args, size_t n, rille_error *err)
{
  return run(&(struct call){ .host = host, .find = find_file, .what = file, .args = args, .n = n, .err = err });
}

rille_value *
rille_do(rille_host *host, const char *source, const char *name, const rille_value *args, size_t n, rille_error *err)
{
  return run(&(struct call){
    .host = host, .find = find_source, .what = source, .name = name, .args = args, .n = n, .err = err });
}

/* ---- For the program --------------------------------------------------------------------------------------------- */

/* A lua_Hook: fires once, in the next instruction or call of the main coroutine. */
static void
stop(lua_State *L, lua_Debug *ar)
{
  (void)ar;
  rille_limit_watch(L);
  rille_host_raise(L, "interrupted", NULL, "interrupted");
}

void
rille_host_interrupt(struct rille_host *host)
{
  lua_sethook(host->L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void
rille_host_resume(struct rille_host *host)
{
  rille_limit_watch(host->L);
}

struct module {
  const char *name;
  lua_CFunction open;
};

/* (struct module *) */
static int
provide(lua_State *L)
{
  const struct module *module = (const struct module *)lua_touserdata(L, 1);

  luaL_requiref(L, module->name, module->open, 0);
  return 0;
}

bool
rille_host_provide(struct rille_host *host, const char *name, lua_CFunction open, rille_error *err)
{
  return rille_host_protect(host, provide, &(struct module){ .name = name, .open = open }, err);
}
