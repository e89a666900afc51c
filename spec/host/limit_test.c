/* spec/host/limit_test.c - a host that is not trusted: what its scripts cannot do, and how they are stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/rille.h"

enum { FEW_INSTRUCTIONS = 200000 };

static const size_t LITTLE_MEMORY = (size_t)8 << 20;

static int
open_limited(void **state)
{
  *state = rille_open(&(rille_options){ .memory_bytes = LITTLE_MEMORY, .instructions = FEW_INSTRUCTIONS }, NULL);
  return *state ? 0 : -1;
}

static int
close_host(void **state)
{
  rille_close(*state);
  return 0;
}

static rille_error
error_of(rille_host *host, const char *source)
{
  rille_error err = { 0 };
  rille_value *result = rille_do(host, source, "spec", NULL, 0, &err);

  if (result)
    print_error("did not fail: %s\n", source);
  assert_null(result);
  return err;
}

static bool
is_true(rille_host *host, const char *source)
{
  rille_error err = { 0 };
  rille_value *result = rille_do(host, source, "spec", NULL, 0, &err);
  bool yes = rille_as_bool(result);

  if (result == NULL)
    print_error("%s: %s\n%s\n", err.kind, err.message, err.traceback);
  rille_free(result);
  return yes;
}

static void
closes_what_reaches_outside(void **state)
{
  const char *names[] = { "io",
                          "os.execute",
                          "os.exit",
                          "os.getenv",
                          "os.remove",
                          "os.rename",
                          "os.tmpname",
                          "dofile",
                          "loadfile",
                          "debug.getregistry",
                          "debug.sethook",
                          "package.loadlib",
                          "package.loaded",
                          "package.preload",
                          "package.searchers",
                          "string.dump",
                          "collectgarbage" };

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char source[200];
    snprintf(source, sizeof source, "return load 'return %s' () == nil", names[i]);
    if (!is_true(*state, source))
      fail_msg("%s is open", names[i]);
  }
}

/* Every name that a script can see, so that a new one is seen here first. */
static void
opens_only_known_names(void **state)
{
  assert_true(is_true(
    *state,
    "local known = {}\n"
    "for name in ([[_G _VERSION assert coroutine debug error getmetatable ipairs load math next os package pairs\n"
    "  pcall print rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring\n"
    "  type utf8 warn xpcall]]):gmatch '%S+' do known[name] = true end\n"
    "local globals = require '_G'\n"
    "for name in pairs(globals) do assert(known[name], name) end\n"
    "local times = { clock = true, date = true, difftime = true, time = true }\n"
    "for name in pairs(globals.os) do assert(times[name], name) end\n"
    "assert(next(globals.debug) == 'traceback' and next(globals.debug, 'traceback') == nil)\n"
    "return true"));
}

static void
requires_no_library_around_the_limits(void **state)
{
  const char *names[] = { "io", "os", "debug", "package", "string", "_G" };

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char source[300];
    snprintf(source, sizeof source,
             "local ok, found = pcall(require, '%s')\n"
             "return not ok or (not found.popen and not found.execute and not found.sethook and not found.loadlib\n"
             "  and not found.dump and not found.dofile)",
             names[i]);
    assert_true(is_true(*state, source));
  }
  assert_non_null(strstr(error_of(*state, "require 'io'").message, "module 'io' is not open to scripts"));
}

static void
loads_no_bytecode(void **state)
{
  rille_host *trusted = rille_open(&(rille_options){ .trusted = true }, NULL);
  rille_value *code = rille_do(trusted, "return string.dump(function() return 1 end)", NULL, NULL, 0, NULL);
  char path[] = "/tmp/rille-spec-XXXXXX";
  int fd = mkstemp(path);
  rille_error err = { 0 };

  assert_non_null(code);
  assert_true(write(fd, rille_as_text(code), rille_length(code)) > 0);
  close(fd);
  rille_value *result = rille_do(*state, "local f, why = load(..., 'x', 'b') return f == nil and why", NULL, code, 1,
                                 NULL);
  assert_non_null(strstr(rille_as_text(result), "attempt to load a binary chunk"));
  rille_free(result);
  assert_null(rille_run(*state, path, NULL, 0, &err));
  assert_non_null(strstr(err.message, "attempt to load a binary chunk"));
  rille_free(rille_run(trusted, path, NULL, 0, &err));
  unlink(path);
  rille_free(code);
  rille_close(trusted);
}

static void
keeps_the_librarys_functions_from_scripts(void **state)
{
  rille_free(
    rille_do(*state,
             "for _, name in ipairs { 'string', 'table', 'math', 'utf8', 'coroutine' } do\n"
             "  local library = _G[name]\n"
             "  for key in next, library do library[key] = function() error 'reached the library' end end\n"
             "end\n"
             "local globals = _G._G\n"
             "for name in next, globals do if name ~= 'require' and name ~= 'pcall' then globals[name] = nil end end\n"
             "function globals.type() error 'reached the library' end\n"
             "function globals.setmetatable() error 'reached the library' end",
             "spec", NULL, 0, NULL));
  assert_true(is_true(*state, "local e = require 'rille.error'.new('busy', 'm') return e.kind == 'busy'"));
  assert_true(is_true(*state, "return require 'dkjson'.encode { 1, 'a' } == '[1,\"a\"]'"));
  assert_true(is_true(*state, "return ('abc'):upper() == 'ABC'"));
}

static void
hides_the_metatable_of_texts(void **state)
{
  assert_true(is_true(*state, "return getmetatable '' == false"));
}

static void
refuses_finalizers(void **state)
{
  assert_non_null(strstr(error_of(*state, "setmetatable({}, { __gc = function() end })").message, "__gc"));
}

static void
ends_no_process_through_a_module(void **state)
{
  rille_error err = error_of(*state, "require 'argparse'():parse { '--no-such-option' }");

  assert_string_equal(err.kind, "script");
}

static void
stops_a_loop(void **state)
{
  rille_error err = error_of(*state, "while true do end");

  assert_string_equal(err.kind, "timeout");
  assert_non_null(strstr(err.message, "200000 instructions"));
  assert_non_null(strstr(err.traceback, "spec:1"));
}

static void
stops_a_loop_that_catches_its_errors(void **state)
{
  const char *sources[] = {
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(error, function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "local function again() local x <close> = setmetatable({}, { __close = again }) while true do end end again()",
    "error(setmetatable({}, { __tostring = function() while true do end end }))",
  };

  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    assert_string_equal(error_of(*state, sources[i]).kind, "timeout");
}

static void
stops_loops_in_coroutines(void **state)
{
  const char *sources[] = {
    "coroutine.wrap(function() while true do end end)()",
    "local co = coroutine.create(function() while true do end end)\nwhile true do coroutine.resume(co) end",
    "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
    "while true do pcall(coroutine.wrap(function() pcall(function() while true do end end) end)) end",
    "local function deep(n) while true do coroutine.wrap(function() if n > 0 then deep(n - 1) end end)() end end\n"
    "deep(50)",
  };

  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    assert_string_equal(error_of(*state, sources[i]).kind, "timeout");
}

static void
counts_each_call_anew(void **state)
{
  rille_free(rille_do(*state, "_G.kept = coroutine.wrap(function() while true do coroutine.yield(1) end end)", NULL,
                      NULL, 0, NULL));
  for (int i = 0; i < 20; i++)
    assert_true(is_true(*state, "for i = 1, 20000 do end return true"));
  error_of(*state, "while true do end");
  assert_true(is_true(*state, "for i = 1, 20000 do end return true"));
  assert_string_equal(error_of(*state, "while true do kept() end").kind, "timeout");
}

static void
rolls_back_what_a_stopped_call_left_open(void **state)
{
  const char *writes = "rille.transaction(function()\n"
                       "  rille.transaction(function()\n"
                       "    rille.db():execute 'insert into t values (1)'\n"
                       "    while true do end\n"
                       "  end)\n"
                       "end)";

  assert_true(is_true(*state, "rille.connect ':memory:':execute 'create table t (n)' return true"));
  assert_string_equal(error_of(*state, writes).kind, "timeout");
  assert_true(is_true(*state, "return #require 'rille.transaction'.open() == 0"));
  assert_true(is_true(*state, "return rille.db():query('select count(*) as n from t')[1].n == 0"));
}

static void
counts_a_limit_below_one_step(void **state)
{
  (void)state;
  rille_host *host = rille_open(&(rille_options){ .instructions = 100000 }, NULL);
  rille_error err = { 0 };

  assert_non_null(host);
  rille_close(host);
  assert_null(rille_open(&(rille_options){ .instructions = 10 }, &err));
  assert_string_equal(err.kind, "timeout");
}

static void
bounds_memory(void **state)
{
  const char *sources[] = {
    "return #('x'):rep(1 << 30)",
    "local t = {} while true do t[#t + 1] = {} end",
    "local s = 'x' while true do s = s .. s end",
  };

  rille_close(*state);
  *state = rille_open(&(rille_options){ .memory_bytes = LITTLE_MEMORY }, NULL);
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    assert_string_equal(error_of(*state, sources[i]).kind, "out_of_memory");
    assert_true(is_true(*state, "return true"));
  }
}

static void
bounds_a_result_that_is_larger_than_it_looks(void **state)
{
  rille_error err = error_of(*state, "local t = { ('x'):rep(1000) }\n"
                                     "for i = 1, 40 do t = { t, t } end return t");

  assert_string_equal(err.kind, "out_of_memory");
}

static void
opens_with_too_little_memory_as_an_error(void **state)
{
  rille_error err = { 0 };

  (void)state;
  for (size_t bytes = 1; bytes < 400000; bytes += bytes / 8 + 1) {
    rille_host *host = rille_open(&(rille_options){ .memory_bytes = bytes }, &err);
    if (host == NULL)
      assert_string_equal(err.kind, "out_of_memory");
    rille_close(host);
  }
}

static void
lifts_limits_that_are_called_unlimited(void **state)
{
  (void)state;
  rille_host *host = rille_open(
    &(rille_options){ .memory_bytes = RILLE_UNLIMITED_MEMORY, .instructions = RILLE_UNLIMITED_INSTRUCTIONS }, NULL);

  assert_true(is_true(host, "for i = 1, 3000000 do end return _G.io == nil"));
  rille_close(host);
}

static void
trusts_a_host_that_says_so(void **state)
{
  (void)state;
  rille_host *host = rille_open(&(rille_options){ .trusted = true }, NULL);

  assert_true(is_true(host, "return io.popen ~= nil and os.execute ~= nil and debug.sethook ~= nil and "
                            "string.dump ~= nil and package.loadlib ~= nil and #package.searchers == 5"));
  rille_close(host);
}

int
main(void)
{
#define LIMITED(name) cmocka_unit_test_setup_teardown(name, open_limited, close_host)
  const struct CMUnitTest tests[] = {
    LIMITED(closes_what_reaches_outside),
    LIMITED(opens_only_known_names),
    LIMITED(requires_no_library_around_the_limits),
    LIMITED(loads_no_bytecode),
    LIMITED(keeps_the_librarys_functions_from_scripts),
    LIMITED(hides_the_metatable_of_texts),
    LIMITED(refuses_finalizers),
    LIMITED(ends_no_process_through_a_module),
    LIMITED(stops_a_loop),
    LIMITED(stops_a_loop_that_catches_its_errors),
    LIMITED(stops_loops_in_coroutines),
    LIMITED(counts_each_call_anew),
    LIMITED(rolls_back_what_a_stopped_call_left_open),
    cmocka_unit_test(counts_a_limit_below_one_step),
    LIMITED(bounds_memory),
    LIMITED(bounds_a_result_that_is_larger_than_it_looks),
    cmocka_unit_test(opens_with_too_little_memory_as_an_error),
    cmocka_unit_test(lifts_limits_that_are_called_unlimited),
    cmocka_unit_test(trusts_a_host_that_says_so),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
