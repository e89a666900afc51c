/* spec/host/call_test.c - calls into a host: what runs, what comes back, and that every failure is an error value. */
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

static int
open_host(void **state)
{
  *state = rille_open(&(rille_options){ .trusted = true }, NULL);
  return *state ? 0 : -1;
}

static int
close_host(void **state)
{
  rille_close(*state);
  return 0;
}

/* Runs source text that must succeed. */
static rille_value *
run(rille_host *host, const char *source)
{
  rille_error err = { 0 };
  rille_value *result = rille_do(host, source, "spec", NULL, 0, &err);

  if (result == NULL)
    print_error("%s: %s\n%s\n", err.kind, err.message, err.traceback);
  assert_non_null(result);
  assert_string_equal(err.kind, "");
  return result;
}

/* Runs source text that must fail. */
static rille_error
error_of(rille_host *host, const char *source)
{
  rille_error err = { 0 };

  assert_null(rille_do(host, source, "spec", NULL, 0, &err));
  assert_string_not_equal(err.kind, "");
  assert_string_not_equal(err.message, "");
  return err;
}

static void
returns_the_first_result(void **state)
{
  rille_value *result = run(*state, "return 7, 8");

  assert_int_equal(rille_as_int(result), 7);
  rille_free(result);
}

static void
returns_null_for_nil_and_for_nothing(void **state)
{
  const char *sources[] = { "return nil", "return", "return nil, nil" };

  for (size_t i = 0; i < 3; i++) {
    rille_value *result = run(*state, sources[i]);
    assert_true(rille_is_null(result));
    rille_free(result);
  }
}

static void
passes_values_of_all_kinds_unchanged(void **state)
{
  const rille_value numbers[] = { rille_int(INT64_MIN), rille_int(INT64_MAX), rille_real(0.5) };
  const rille_field fields[] = { { "list", rille_list(numbers, 3) }, { "yes", rille_bool(true) } };
  const rille_value args[] = { rille_null(),          rille_bool(false),   rille_int(-1),
                               rille_blob("a\0b", 3), rille_text("schön"), rille_table(fields, 2) };
  rille_value *result = rille_do(*state,
                                 "local n, b, i, blob, text, t = ...\n"
                                 "assert(select('#', ...) == 6 and n == nil and b == false and i == -1)\n"
                                 "assert(math.type(i) == 'integer' and blob == 'a\\0b' and text == 'schön')\n"
                                 "return { t = t, blob = blob, none = require 'rille.core'.null }",
                                 "spec", args, 6, NULL);
  assert_non_null(result);
  const rille_value *list = rille_get(rille_get(result, "t"), "list");

  assert_int_equal(rille_kind_of(list), RILLE_LIST);
  assert_int_equal(rille_length(list), 3);
  assert_true(rille_as_int(rille_at(list, 0)) == INT64_MIN);
  assert_true(rille_as_int(rille_at(list, 1)) == INT64_MAX);
  assert_true(rille_as_real(rille_at(list, 2)) == 0.5);
  assert_true(rille_as_bool(rille_get(rille_get(result, "t"), "yes")));
  assert_int_equal(rille_length(rille_get(result, "blob")), 3);
  assert_memory_equal(rille_as_text(rille_get(result, "blob")), "a\0b", 4);
  assert_true(rille_is_null(rille_get(result, "none")));
  rille_free(result);
}

static void
keeps_null_inside_lists_and_tables(void **state)
{
  const rille_value items[] = { rille_null(), rille_int(2) };
  const rille_field fields[] = { { "none", rille_null() } };
  const rille_value args[] = { rille_list(items, 2), rille_table(fields, 1) };
  rille_value *result = rille_do(*state,
                                 "local null = require 'rille.core'.null\n"
                                 "local list, table = ...\n"
                                 "return #list == 2 and list[1] == null and table.none == null",
                                 NULL, args, 2, NULL);

  assert_true(rille_as_bool(result));
  rille_free(result);
}

static void
gives_the_fields_of_a_table_in_the_order_of_their_names(void **state)
{
  rille_value *result = run(*state, "return { zulu = 1, alpha = 2, mike = { 3 }, [10] = 'ten' }");
  const char *names[] = { "10", "alpha", "mike", "zulu" };

  assert_int_equal(rille_kind_of(result), RILLE_TABLE);
  assert_int_equal(rille_length(result), 4);
  for (size_t i = 0; i < 4; i++)
    assert_string_equal(rille_key_at(result, i), names[i]);
  assert_null(rille_key_at(result, 4));
  assert_int_equal(rille_as_int(rille_at(result, 1)), 2);
  rille_free(result);
}

static void
outlives_its_host(void **state)
{
  (void)state;
  rille_host *host = rille_open(&(rille_options){ .trusted = true }, NULL);
  rille_value *result = run(host, "local t = {} for i = 1, 2000 do t[i] = { text = ('x'):rep(i) } end return t");

  rille_close(host);
  assert_int_equal(rille_length(result), 2000);
  for (size_t i = 0; i < 2000; i++)
    assert_int_equal(strlen(rille_as_text(rille_get(rille_at(result, i), "text"))), i + 1);
  rille_free(result);
}

static void
refuses_what_has_no_form_in_c(void **state)
{
  const char *sources[] = { "return print", "return { { coroutine.create(print) } }", "return { [true] = 1 }",
                            "local t = {} t.t = t return t" };

  for (size_t i = 0; i < 4; i++)
    assert_string_equal(error_of(*state, sources[i]).kind, "unsupported");
}

static void
turns_nil_err_into_an_error(void **state)
{
  rille_error err = error_of(*state, "return nil, { kind = 'validation', message = 'no title', hint = 'give one' }");

  assert_string_equal(err.kind, "validation");
  assert_string_equal(err.message, "no title");
  assert_string_equal(err.hint, "give one");
  assert_string_equal(err.traceback, "");
  assert_string_equal(error_of(*state, "return nil, 'as io does'").message, "as io does");
}

static void
keeps_the_kind_of_a_raised_error_and_says_where(void **state)
{
  rille_error err = error_of(*state, "local function f()\n"
                                     "  require 'rille.error'.raise('busy', 'too many', { hint = 'wait' })\n"
                                     "end\n"
                                     "f()");

  assert_string_equal(err.kind, "busy");
  assert_string_equal(err.message, "too many");
  assert_string_equal(err.hint, "wait");
  assert_non_null(strstr(err.traceback, "spec:2: in local 'f'"));
}

static void
adds_a_traceback_only_once(void **state)
{
  rille_error err = error_of(*state, "error { kind = 'busy', message = 'm', traceback = 'of the first time' }");

  assert_string_equal(err.traceback, "of the first time");
}

static void
tells_where_an_error_was_raised_first(void **state)
{
  rille_error err = error_of(*state, "local function deep() error 'boom' end\n"
                                     "require 'rille.error'.try(deep)");

  assert_non_null(strstr(err.traceback, "spec:1: in function <spec:1>"));
}

static void
takes_errors_of_every_type(void **state)
{
  const struct {
    const char *source;
    const char *message;
  } cases[] = {
    { "error('boom', 0)", "boom" },
    { "error()", "nil" },
    { "error(42)", "42" },
    { "error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine" },
    { "local x = nil; x()", "spec:1: attempt to call a nil value (local 'x')" },
    { "local function f() return f() + 1 end f()", "stack overflow" },
    { "error(setmetatable({}, { __tostring = function() error 'again' end }))", "again" },
    { "local = 1", "spec:1: <name> expected near '='" },
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rille_error err = error_of(*state, cases[i].source);
    assert_string_equal(err.kind, "script");
    assert_non_null(strstr(err.message, cases[i].message));
  }
  rille_free(run(*state, "return 'still alive'"));
}

static void
needs_nothing_of_the_scripts_to_report(void **state)
{
  rille_free(run(*state, "_G.debug, _G.error, _G.tostring, _G.string, _G.pcall = nil"));
  assert_non_null(strstr(error_of(*state, "local x = nil; x()").traceback, "spec:1"));
}

static void
cuts_long_messages_between_characters(void **state)
{
  rille_error err = error_of(*state, "error('a' .. ('ü'):rep(1000), 0)");
  size_t bytes = strlen(err.message);

  assert_int_equal(bytes, sizeof err.message - 1);
  assert_memory_equal(err.message + bytes - 2, "ü", 2);
  err = error_of(*state, "error(('ü'):rep(1000), 0)");
  assert_int_equal(strlen(err.message), sizeof err.message - 2);
}

static void
calls_globals_and_functions_of_modules(void **state)
{
  rille_error err = { 0 };
  const rille_value arg = rille_text("abc");

  rille_free(run(*state, "package.loaded['app.reports'] = { twice = function(n) return n * 2 end }\n"
                         "function _G.thrice(n) return n * 3 end"));
  const rille_value number = rille_int(21);
  rille_value *result = rille_call(*state, "app.reports.twice", &number, 1, &err);
  assert_int_equal(rille_as_int(result), 42);
  rille_free(result);
  result = rille_call(*state, "thrice", &number, 1, &err);
  assert_int_equal(rille_as_int(result), 63);
  rille_free(result);
  result = rille_call(*state, "string.upper", &arg, 1, &err);
  assert_string_equal(rille_as_text(result), "ABC");
  rille_free(result);
  assert_string_equal(err.kind, "");
}

static void
says_what_cannot_be_called(void **state)
{
  const struct {
    const char *what;
    const char *kind;
    const char *message;
  } cases[] = {
    { "no_such", "invalid_argument", "no_such is no function, it is nil" },
    { "string.no_such", "invalid_argument", "string.no_such is no function, it is nil" },
    { "no.such.module", "script", "module 'no.such' not found" },
    { "Nobody:recent", "no_such_model", "Nobody" },
    { "", "invalid_argument", "is no function" },
    { ":", NULL, "" },
    { ".", NULL, "" },
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rille_error err = { 0 };
    assert_null(rille_call(*state, cases[i].what, NULL, 0, &err));
    if (cases[i].kind)
      assert_string_equal(err.kind, cases[i].kind);
    assert_string_not_equal(err.kind, "");
    assert_non_null(strstr(err.message, cases[i].message));
  }
}

static void
takes_no_null_pointers_but_says_so(void **state)
{
  rille_error err = { 0 };

  assert_null(rille_call(NULL, "print", NULL, 0, &err));
  assert_string_equal(err.kind, "invalid_argument");
  assert_null(rille_call(*state, NULL, NULL, 0, NULL));
  assert_null(rille_call(*state, "print", NULL, 1, NULL));
  assert_null(rille_run(*state, NULL, NULL, 0, NULL));
  assert_null(rille_do(NULL, "", NULL, NULL, 0, NULL));
}

static void
refuses_bad_arguments(void **state)
{
  const rille_field nameless = { NULL, rille_int(1) };
  const rille_value bad[] = { rille_table(&nameless, 1), { .kind = (rille_kind)99 } };
  rille_value endless = { .kind = RILLE_LIST, .length = 1 };
  rille_error err = { 0 };

  endless.as.items = &endless;
  for (size_t i = 0; i < 2; i++) {
    assert_null(rille_call(*state, "type", &bad[i], 1, &err));
    assert_string_equal(err.kind, "invalid_argument");
  }
  assert_null(rille_call(*state, "type", &endless, 1, &err));
  assert_string_equal(err.kind, "invalid_argument");
  rille_value one = rille_int(1);
  assert_null(rille_call(*state, "type", &one, SIZE_MAX / 2, &err));
  assert_string_equal(err.kind, "invalid_argument");
}

static void
runs_a_file_with_its_arguments(void **state)
{
  char path[] = "/tmp/rille-spec-XXXXXX";
  const char text[] = "#!/usr/bin/env rille\nlocal a, b = ...\nif a then return a .. b end\nerror 'no arguments'\n";
  int fd = mkstemp(path);
  const rille_value args[] = { rille_text("one"), rille_int(2) };
  rille_error err = { 0 };

  assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
  close(fd);
  rille_value *result = rille_run(*state, path, args, 2, &err);
  assert_string_equal(rille_as_text(result), "one2");
  rille_free(result);
  assert_null(rille_run(*state, path, NULL, 0, &err));
  assert_non_null(strstr(err.message, ":4: no arguments"));
  unlink(path);
}

static void
says_which_file_is_missing(void **state)
{
  rille_error err = { 0 };

  assert_null(rille_run(*state, "/nowhere/app.lua", NULL, 0, &err));
  assert_string_equal(err.kind, "script");
  assert_non_null(strstr(err.message, "/nowhere/app.lua"));
  assert_null(rille_open(&(rille_options){ .config = "/nowhere/rille.config.lua" }, &err));
  assert_non_null(strstr(err.message, "/nowhere/rille.config.lua"));
}

/* What lies in the current directory is not the embedding program's word. */
static void
reads_no_config_file_that_nobody_named(void **state)
{
  char directory[] = "/tmp/rille-spec-XXXXXX", before[4096];
  const char text[] = "return { connections = { main = 'found.db' } }";
  FILE *file = NULL;

  assert_non_null(mkdtemp(directory));
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(directory), 0);
  file = fopen("rille.config.lua", "wb");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  rille_free(run(*state, "assert(next(require 'rille.config'.current().connections) == nil)"));
  unlink("rille.config.lua");
  assert_int_equal(chdir(before), 0);
  rmdir(directory);
}

static void
skips_a_first_line_with_a_hash_in_source_text(void **state)
{
  rille_error err = error_of(*state, "#!/usr/bin/env rille\nerror 'second line'");

  assert_string_equal(err.message, "spec:2: second line");
}

static void
finds_its_own_modules_and_lpeg(void **state)
{
  rille_free(run(*state, "assert(require 'rille')\n"
                         "assert(require 'lpeg'.match(require 'lpeg'.P 'a', 'a') == 2)\n"
                         "assert(require 'dkjson'.encode { 1 } == '[1]')\n"
                         "assert(debug.getinfo(require 'dkjson'.encode, 'S').short_src == 'dkjson.lua')\n"
                         "assert(select(2, require 'argparse') == ':librille:')"));
  assert_non_null(strstr(error_of(*state, "require '=limited'").message, "module '=limited' not found"));
}

static void
prefers_the_files_of_rille_lua_path(void **state)
{
  char folder[] = "/tmp/rille-spec-XXXXXX";
  char file[64], path[64];

  (void)state;
  assert_non_null(mkdtemp(folder));
  snprintf(file, sizeof file, "%s/dkjson.lua", folder);
  snprintf(path, sizeof path, "%s/?.lua", folder);
  FILE *out = fopen(file, "w");
  fputs("return { mine = true }", out);
  fclose(out);
  setenv("RILLE_LUA_PATH", path, 1);
  rille_host *host = rille_open(&(rille_options){ .trusted = true }, NULL);
  rille_value *result = run(host, "return require 'dkjson'.mine and require 'argparse' ~= nil");
  assert_true(rille_as_bool(result));
  rille_free(result);
  rille_close(host);
  unsetenv("RILLE_LUA_PATH");
  unlink(file);
  rmdir(folder);
}

static void
opens_with_options_of_other_sizes(void **state)
{
  struct {
    rille_options options;
    char newer[16];
  } larger = { 0 };
  rille_error err = { 0 };
  rille_host *host = rille_open_sized(&larger.options, sizeof larger, &err);

  (void)state;
  assert_non_null(host);
  rille_close(host);
  larger.newer[8] = 1;
  assert_null(rille_open_sized(&larger.options, sizeof larger, &err));
  assert_string_equal(err.kind, "unsupported");
  host = rille_open_sized(&larger.options, sizeof(const char *), NULL);
  assert_non_null(host);
  rille_close(host);
  host = rille_open(NULL, NULL);
  assert_non_null(host);
  rille_close(host);
  assert_null(rille_open(&(rille_options){ .shared = &larger }, &err));
  assert_string_equal(err.kind, "unsupported");
}

static void
tells_its_version(void **state)
{
  (void)state;
  assert_string_equal(rille_version(), RILLE_VERSION);
  rille_close(NULL);
}

int
main(void)
{
#define IN_A_HOST(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)
  const struct CMUnitTest tests[] = {
    IN_A_HOST(returns_the_first_result),
    IN_A_HOST(returns_null_for_nil_and_for_nothing),
    IN_A_HOST(passes_values_of_all_kinds_unchanged),
    IN_A_HOST(keeps_null_inside_lists_and_tables),
    IN_A_HOST(gives_the_fields_of_a_table_in_the_order_of_their_names),
    cmocka_unit_test(outlives_its_host),
    IN_A_HOST(refuses_what_has_no_form_in_c),
    IN_A_HOST(turns_nil_err_into_an_error),
    IN_A_HOST(keeps_the_kind_of_a_raised_error_and_says_where),
    IN_A_HOST(adds_a_traceback_only_once),
    IN_A_HOST(tells_where_an_error_was_raised_first),
    IN_A_HOST(takes_errors_of_every_type),
    IN_A_HOST(needs_nothing_of_the_scripts_to_report),
    IN_A_HOST(cuts_long_messages_between_characters),
    IN_A_HOST(calls_globals_and_functions_of_modules),
    IN_A_HOST(says_what_cannot_be_called),
    IN_A_HOST(takes_no_null_pointers_but_says_so),
    IN_A_HOST(refuses_bad_arguments),
    IN_A_HOST(runs_a_file_with_its_arguments),
    IN_A_HOST(says_which_file_is_missing),
    IN_A_HOST(reads_no_config_file_that_nobody_named),
    IN_A_HOST(skips_a_first_line_with_a_hash_in_source_text),
    IN_A_HOST(finds_its_own_modules_and_lpeg),
    cmocka_unit_test(prefers_the_files_of_rille_lua_path),
    cmocka_unit_test(opens_with_options_of_other_sizes),
    cmocka_unit_test(tells_its_version),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
