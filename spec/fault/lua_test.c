/* spec/fault/lua_test.c - every allocation fails in turn under programs in Lua (scenarios.lua).
**
** Each trial has a Lua state of its own, in which the library is loaded before memory begins to fail.  Afterwards
** the same state must be able to go on, the file must hold all of the work (without an error) or none, and no
** memory may be lost.
**
** lua_test [NAME]: one scenario, as ctest runs them, or all. */
#include "spec/support/spec.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "core/bind/open.h"
#include "spec/fault/trial.h"
#include "spec/support/failing.h"

int luaopen_lpeg(lua_State *L);

enum { RUNS = 40 }; /* of one sweep */

/* What scenarios.lua says of one. */
typedef struct trial {
  lua_Integer index;
  char state[400];
  int64_t before, after;
  long runs; /* of a sweep of Lua's memory */
} trial;

static lua_State *running; /* of the trial that runs: a failed check leaves it to the teardown */

static void
must(lua_State *L, int code)
{
  if (code != LUA_OK) {
    print_error("%s\n", luaL_tolstring(L, -1, NULL));
    fail();
  }
}

/* -- states ---------------------------------------------------------------------------------------------- */

/* What a state holds before memory begins to fail, one state at a time: nothing of it is asked of malloc, and nothing
** is given back, since thousands of states are made. */
static struct {
  _Alignas(max_align_t) char bytes[16 << 20];
  size_t used;
  long alive; /* blocks */
  bool open;  /* the state is being made */
} ground;

static bool
on_ground(const void *block)
{
  return (uintptr_t)block >= (uintptr_t)ground.bytes &&
         (uintptr_t)block < (uintptr_t)ground.bytes + sizeof ground.bytes;
}

static void *
from_ground(size_t bytes)
{
  void *block = ground.bytes + ground.used;
  size_t step = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);

  if (!ground.open || step > sizeof ground.bytes - ground.used)
    return NULL;
  ground.used += step;
  ground.alive++;
  return block;
}

/* For lua_newstate. */
static void *
allocate(void *data, void *block, size_t old_bytes, size_t bytes)
{
  void *moved;

  if (block == NULL) {
    moved = bytes > 0 ? from_ground(bytes) : NULL;
    return moved != NULL ? moved : spec_lua_allocate(data, NULL, 0, bytes);
  }
  if (!on_ground(block))
    return spec_lua_allocate(data, block, old_bytes, bytes);
  if (bytes > 0 && bytes <= old_bytes)
    return block;
  moved = bytes > 0 ? allocate(data, NULL, 0, bytes) : NULL;
  if (moved != NULL)
    memcpy(moved, block, old_bytes);
  ground.alive -= moved != NULL || bytes == 0;
  return moved;
}

/* Modules that were compiled, for the states to come: a state for each trial costs little then. */
static struct {
  char name[80];
  char *bytes;
  size_t count;
} modules[200];

static int
add_bytes(lua_State *L, const void *bytes, size_t count, void *module)
{
  size_t at = module != NULL ? (size_t)((char *)module - (char *)modules) / sizeof modules[0] : 0;
  char *grown = realloc(modules[at].bytes, modules[at].count + count);

  (void)L;
  assert_non_null(grown);
  memcpy(grown + modules[at].count, bytes, count);
  modules[at].bytes = grown;
  modules[at].count += count;
  return 0;
}

/* A searcher for require: finds rille's modules in lua/, and compiles each but once. */
static int
search(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  size_t at = 0, most = sizeof modules / sizeof modules[0];

  while (at < most && modules[at].bytes != NULL && strcmp(modules[at].name, name) != 0)
    at++;
  if (strncmp(name, "rille", 5) != 0 || strlen(name) >= sizeof modules[0].name || at == most)
    return 0;
  if (modules[at].bytes == NULL) {
    const char *path = luaL_gsub(L, name, ".", "/");

    path = lua_pushfstring(L, "lua/%s.lua", path);
    if (luaL_loadfile(L, path) != LUA_OK)
      return lua_error(L);
    (void)strcpy(modules[at].name, name);
    (void)lua_dump(L, add_bytes, &modules[at], 0);
  } else if (luaL_loadbuffer(L, modules[at].bytes, modules[at].count, name) != LUA_OK) {
    return lua_error(L);
  }
  return 1;
}

/* A state with the table of scenarios.lua at 1. */
static lua_State *
new_state(void)
{
  lua_State *L;

  assert_int_equal(ground.alive, 0);
  ground.used = 0;
  ground.open = true;
  L = lua_newstate(allocate, NULL);
  assert_non_null(L);
  (void)lua_gc(L, LUA_GCSTOP); /* all that is loaded stays */
  luaL_openlibs(L);
  (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_rille_core);
  lua_setfield(L, -2, "rille.core");
  lua_pushcfunction(L, luaopen_lpeg);
  lua_setfield(L, -2, "lpeg");
  lua_settop(L, 0);
  lua_pushcfunction(L, search);
  lua_setglobal(L, "search");
  must(L, luaL_dostring(L, "table.insert(package.searchers, 2, search) search = nil"));
  must(L, luaL_loadfile(L, "spec/fault/scenarios.lua"));
  must(L, lua_pcall(L, 0, 1, 0));
  (void)lua_gc(L, LUA_GCRESTART);
  ground.open = false;
  return L;
}

/* Calls the field of the table at 1 with what was pushed. */
static int
call(lua_State *L, const char *field, int arguments)
{
  (void)lua_getfield(L, 1, field);
  lua_insert(L, -1 - arguments);
  return lua_pcall(L, arguments, LUA_MULTRET, 0);
}

/* scenarios[index].run(path), after open(path) */
static int
run(lua_State *L)
{
  lua_Integer index = lua_tointeger(L, 2);

  (void)lua_getfield(L, 1, "open");
  lua_pushvalue(L, 3);
  lua_call(L, 1, 0);
  (void)lua_getfield(L, 1, "scenarios");
  (void)lua_rawgeti(L, -1, index);
  (void)lua_getfield(L, -1, "run");
  lua_pushvalue(L, 3);
  lua_call(L, 1, 0);
  return 0;
}

static void
once(void *data)
{
  const trial *t = data;
  long before = spec_blocks_alive();
  lua_State *L = running = new_state();
  int64_t found;
  int code;

  trial_fresh();
  lua_pushcfunction(L, run);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, t->index);
  lua_pushstring(L, trial_path);
  spec_failing_start();
  code = lua_pcall(L, 3, 0, 0);
  if (!spec_failing_stop())
    must(L, code);
  if (code != LUA_OK) {
    lua_pushvalue(L, -1);
    must(L, call(L, "is_memory_error", 1));
    if (!lua_toboolean(L, -1))
      must(L, (lua_settop(L, 2), code));
  }
  lua_settop(L, 1);
  lua_pushstring(L, trial_path);
  must(L, call(L, "go_on", 1));
  running = NULL;
  lua_close(L);
  assert_int_equal(spec_blocks_alive(), before);
  assert_int_equal(ground.alive, 0);
  trial_assert_intact();
  found = trial_found(t->state);
  if (found != t->after && (code == LUA_OK || found != t->before))
    fail_msg("%s left %lld", code == LUA_OK ? "success" : "failure", (long long)found);
}

static int
make_base(void **state)
{
  lua_State *L;
  const char *statements[20] = { NULL };

  (void)state;
  spec_failing_install();
  L = new_state();
  (void)lua_getfield(L, 1, "base");
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TSTRING; i++)
    statements[i - 1] = lua_tostring(L, -1);
  trial_make_base(statements);
  lua_close(L);
  return 0;
}

static int
end_trial(void **state)
{
  (void)spec_sweep_end(state);
  if (running != NULL)
    lua_close(running);
  running = NULL;
  return 0;
}

/* Sweeps the scenario of that name. */
static void
sweep(const char *name)
{
  lua_State *L = new_state();
  trial t = { .index = 1 };

  (void)lua_getfield(L, 1, "scenarios");
  for (bool found = false; !found; t.index += !found) {
    assert_int_equal(lua_rawgeti(L, 2, t.index), LUA_TTABLE);
    (void)lua_getfield(L, -1, "name");
    found = strcmp(lua_tostring(L, -1), name) == 0;
    lua_pop(L, found ? 1 : 2);
  }
  (void)lua_getfield(L, -1, "state");
  assert_true(strlen(lua_tostring(L, -1)) < sizeof t.state);
  (void)strcpy(t.state, lua_tostring(L, -1));
  (void)lua_getfield(L, -2, "before");
  t.before = lua_tointeger(L, -1);
  (void)lua_getfield(L, -3, "after");
  t.after = lua_tointeger(L, -1);
  (void)lua_getfield(L, -4, "runs");
  t.runs = (long)luaL_optinteger(L, -1, RUNS);
  lua_close(L);
  for (int door = SPEC_CORE; door < SPEC_DOORS; door++)
    for (int from_then_on = 0; from_then_on < 2; from_then_on++)
      assert_true(spec_sweep((spec_door)door, from_then_on, door == SPEC_LUA ? t.runs : RUNS, once, &t) > 2);
}

#define SCENARIO(function, name)     \
  static void function(void **state) \
  {                                  \
    (void)state;                     \
    sweep(name);                     \
  }

/* CMakeLists.txt makes a test of each of these lines; the first ones take the longest. */
SCENARIO(loads_relations_whole_or_not_at_all, "loads relations")
SCENARIO(reads_texts_by_grammars, "reads texts by grammars")
SCENARIO(makes_tenants_whole_or_not_at_all, "has tenants with databases of their own")
SCENARIO(is_mirrored_or_not_written, "is mirrored")
SCENARIO(reads_and_writes_sql_text, "reads and writes SQL text")
SCENARIO(takes_a_transaction_of_sql_text_back, "takes a transaction of SQL text back")
SCENARIO(refuses_what_is_wrong, "refuses what is wrong")
SCENARIO(holds_nothing_in_a_coroutine_that_died, "works in a coroutine that is only resumed")
SCENARIO(creates_a_record_or_does_not, "creates a record")
SCENARIO(adds_rows_up_or_does_not, "adds rows up")
SCENARIO(saves_a_record_or_does_not, "saves a record")
SCENARIO(queries_right_or_not_at_all, "queries")
SCENARIO(writes_json_whole_or_not_at_all, "writes JSON")
SCENARIO(inserts_all_rows_or_none, "inserts rows")
SCENARIO(commits_all_of_a_transaction_or_nothing, "transfers")
SCENARIO(takes_back_what_was_done_to_records, "takes back what a transaction did to records")

int
main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(loads_relations_whole_or_not_at_all, end_trial),
    cmocka_unit_test_teardown(reads_texts_by_grammars, end_trial),
    cmocka_unit_test_teardown(makes_tenants_whole_or_not_at_all, end_trial),
    cmocka_unit_test_teardown(is_mirrored_or_not_written, end_trial),
    cmocka_unit_test_teardown(reads_and_writes_sql_text, end_trial),
    cmocka_unit_test_teardown(takes_a_transaction_of_sql_text_back, end_trial),
    cmocka_unit_test_teardown(refuses_what_is_wrong, end_trial),
    cmocka_unit_test_teardown(holds_nothing_in_a_coroutine_that_died, end_trial),
    cmocka_unit_test_teardown(creates_a_record_or_does_not, end_trial),
    cmocka_unit_test_teardown(adds_rows_up_or_does_not, end_trial),
    cmocka_unit_test_teardown(saves_a_record_or_does_not, end_trial),
    cmocka_unit_test_teardown(queries_right_or_not_at_all, end_trial),
    cmocka_unit_test_teardown(writes_json_whole_or_not_at_all, end_trial),
    cmocka_unit_test_teardown(inserts_all_rows_or_none, end_trial),
    cmocka_unit_test_teardown(commits_all_of_a_transaction_or_nothing, end_trial),
    cmocka_unit_test_teardown(takes_back_what_was_done_to_records, end_trial),
  };
  bool known = argc < 2;

  for (size_t i = 0; i < SPEC_COUNT(tests) && !known; i++)
    known = strcmp(tests[i].name, argv[1]) == 0;
  if (!known) {
    print_error("there is no scenario \"%s\"\n", argv[1]);
    return 1;
  }
  cmocka_set_test_filter(argc < 2 ? NULL : argv[1]);
  return cmocka_run_group_tests(tests, make_base, NULL);
}
