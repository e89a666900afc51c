/* spec/host/hook_test.c - hooks in C: where they are heard, what they see, change and stop, and how they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/rille.h"

enum { INSTRUCTIONS = 2000000 };

static const char MODELS[] =
  "rille.connect ':memory:'\n"
  "rille.db():execute([[create table posts (id integer primary key, title text, slug text, meta text,\n"
  "  author_id integer)]])\n"
  "rille.db():execute 'create table authors (id integer primary key, name text)'\n"
  "rille.model 'Author' {}\n"
  "rille.model 'Post' {\n"
  "  hooks = { creating = function(post) post.slug = (post.slug or '') .. 'lua ' end },\n"
  "  relations = { author = rille.belongs_to 'Author' },\n"
  "  casts = { meta = 'json' },\n"
  "  accessors = { loud = function(post) return post.title:upper() end },\n"
  "  mutators = { title = function(_, title) return title:gsub('^%s+', '') end },\n"
  "}\n"
  "function _G.count() return Post:count() end\n"
  "function _G.make(title) return Post:create { title = title } end\n";

/* Runs source text that must succeed. */
static rille_value *
run(rille_host *host, const char *source)
{
  rille_error err = { 0 };
  rille_value *result = rille_do(host, source, "spec", NULL, 0, &err);

  if (result == NULL)
    print_error("%s: %s\n%s\n", err.kind, err.message, err.traceback);
  assert_non_null(result);
  return result;
}

/* Runs source text that must fail. */
static rille_error
error_of(rille_host *host, const char *source)
{
  rille_error err = { 0 };

  assert_null(rille_do(host, source, "spec", NULL, 0, &err));
  assert_string_not_equal(err.message, "");
  return err;
}

static void
assert_text(rille_host *host, const char *source, const char *wanted)
{
  rille_value *result = run(host, source);

  assert_string_equal(rille_as_text(result), wanted);
  rille_free(result);
}

static void
assert_count(rille_host *host, int64_t wanted)
{
  rille_value *result = run(host, "return count()");

  assert_int_equal(rille_as_int(result), wanted);
  rille_free(result);
}

static int
open_host(void **state)
{
  *state = rille_open(&(rille_options){ .instructions = INSTRUCTIONS }, NULL);
  assert_non_null(*state);
  rille_free(run(*state, MODELS));
  return 0;
}

static int
close_host(void **state)
{
  rille_close(*state);
  return 0;
}

/* ---- Hooks ------------------------------------------------------------------------------------------------------- */

/* Answers with *data. */
static int
answer(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)record;
  (void)err;
  return *(const int *)data;
}

static int
count_calls(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)record;
  (void)err;
  ++*(int *)data;
  return 0;
}

/* Appends the text `data` to the slug. */
static int
append(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  const char *slug = rille_as_text(rille_get(record, "slug"));
  char text[100];

  (void)host;
  snprintf(text, sizeof text, "%s%s", slug ? slug : "", (const char *)data);
  return rille_set(record, "slug", rille_text(text), err) ? 0 : -1;
}

/* Fails with what `data`, an error, holds. */
static int
fail_with(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)record;
  *err = *(const rille_error *)data;
  return -1;
}

static int
veto_with(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)record;
  snprintf(err->message, sizeof err->message, "%s", (const char *)data);
  return 1;
}

/* Runs the Lua text `data`, and fails as that does. */
static int
run_text(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  rille_value *result = rille_do(host, (const char *)data, "inner", record, 1, err);
  int outcome = result ? 0 : -1;

  rille_free(result);
  return outcome;
}

/* Reads the attribute that `data` names, and does not look whether that went well. */
static int
read_one(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)err;
  (void)rille_get(record, (const char *)data);
  return 0;
}

/* ---- Where they are heard ---------------------------------------------------------------------------------------- */

static void
stores_what_a_hook_changes(void **state)
{
  assert_int_not_equal(rille_on(*state, "Post", "creating", append, "c"), 0);
  assert_text(*state, "Post:create { title = 'a' } return Post:first().slug", "lua c");
}

static void
hears_in_the_order_in_which_hooks_were_added(void **state)
{
  rille_on(*state, "*", "creating", append, "all ");
  rille_on(*state, "Post", "creating", append, "c ");
  rille_free(run(*state, "Post:on('creating', function(post) post.slug = post.slug .. 'later ' end)"));
  rille_on(*state, "Post", "saving", append, "saving ");
  assert_text(*state, "return Post:create({ title = 'a' }).slug", "saving lua c later all ");
}

static int
tell_model(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)err;
  strcat((char *)data, rille_model_of(record));
  return 0;
}

static void
hears_all_models_by_either_name_of_an_event(void **state)
{
  char heard[100] = "";

  assert_int_not_equal(rille_on(*state, NULL, "created", tell_model, heard), 0);
  assert_int_not_equal(rille_on(*state, "*", "model:updated", tell_model, heard), 0);
  rille_free(run(*state, "Author:create { name = 'a' } Post:create({ title = 'a' }):update { title = 'b' }"));
  assert_string_equal(heard, "AuthorPostPost");
}

static void
hears_nothing_where_events_are_silenced(void **state)
{
  int calls = 0;

  rille_on(*state, "Post", "creating", count_calls, &calls);
  rille_free(run(*state, "Post:without_events(function() Post:create { title = 'a' } end)"));
  assert_int_equal(calls, 0);
}

static int
take_sql(rille_host *host, rille_value *table, void *data, rille_error *err)
{
  (void)host;
  snprintf((char *)data, 100, "%s", rille_as_text(rille_get(table, "sql")));
  assert_int_equal(rille_kind_of(table), RILLE_TABLE);
  assert_null(rille_model_of(table));
  assert_false(rille_set(table, "sql", rille_null(), err));
  assert_string_equal(err->kind, "invalid_argument");
  return 0;
}

static void
gets_the_table_of_an_event_that_is_about_no_record(void **state)
{
  char sql[100] = "";

  assert_int_not_equal(rille_on(*state, NULL, "query", take_sql, sql), 0);
  rille_free(run(*state, "return rille.db():query 'select 42 as n'"));
  assert_string_equal(sql, "select 42 as n");
}

static void
is_heard_in_a_coroutine_and_in_its_transaction(void **state)
{
  rille_on(*state, "Post", "created", run_text, "local post = ... Author:create { name = post.title }");
  rille_free(run(*state, "local ok = coroutine.wrap(function()\n"
                         "  return pcall(rille.transaction, function() Post:create { title = 'a' } error 'no' end)\n"
                         "end)()\n"
                         "assert(not ok and Post:count() == 0 and Author:count() == 0)\n"
                         "coroutine.wrap(function() Post:create { title = 'a' } end)()\n"
                         "assert(Author:first().name == 'a')"));
}

/* ---- What they see ----------------------------------------------------------------------------------------------- */

static int
look(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)err;
  const rille_value *title = rille_get(record, "title");

  assert_int_equal(rille_kind_of(record), RILLE_RECORD);
  assert_string_equal(rille_as_text(title), "schön");
  assert_null(rille_get(record, "id"));
  assert_string_equal(rille_as_text(rille_get(record, "loud")), "SCHöN");
  assert_int_equal(rille_as_int(rille_at(rille_get(rille_get(record, "meta"), "list"), 1)), 2);
  assert_string_equal(rille_as_text(rille_get(rille_get(record, "author"), "name")), "Ada");
  assert_string_equal(rille_model_of(record), "Post");
  assert_string_equal(rille_as_text(title), "schön");
  assert_int_equal(rille_length(record), 0);
  assert_null(rille_at(record, 0));
  assert_null(rille_key_at(record, 0));
  assert_null(rille_as_text(record));
  *(bool *)data = true;
  return 0;
}

static void
reads_what_lua_would_read(void **state)
{
  bool called = false;

  rille_on(*state, "Post", "creating", look, &called);
  rille_free(run(*state, "Author:create { name = 'Ada' }\n"
                         "Post:create { title = 'schön', author_id = 1, meta = { list = { 1, 2 } } }"));
  assert_true(called);
}

static int
set_all(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  const rille_value items[] = { rille_int(1), rille_null() };
  const rille_field fields[] = { { "list", rille_list(items, 2) } };

  (void)host;
  (void)data;
  assert_true(rille_set(record, "title", rille_text("  trimmed"), err));
  assert_true(rille_set(record, "slug", rille_null(), err));
  assert_true(rille_set(record, "author_id", rille_int(7), err));
  assert_true(rille_set(record, "meta", rille_table(fields, 1), err));
  assert_string_equal(rille_as_text(rille_get(record, "title")), "trimmed");
  assert_null(rille_get(record, "slug"));
  return 0;
}

static void
writes_as_lua_would_write(void **state)
{
  rille_on(*state, "Post", "creating", set_all, NULL);
  rille_free(run(*state, "Post:create { title = 'a' }\n"
                         "local post = Post:first()\n"
                         "assert(post.title == 'trimmed' and post.slug == nil and post.author_id == 7)\n"
                         "assert(#post.meta.list == 2 and post.meta.list[2] == rille.null)"));
}

static void
is_passed_on_to_lua_as_the_record_itself(void **state)
{
  rille_on(*state, "Post", "creating", run_text, "local post = ... post.slug = 'from Lua'");
  assert_text(*state, "return Post:create({ title = 'a' }).slug", "from Lua");
}

static int
set_unknown(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)data;
  return rille_set(record, "titel", rille_text("a"), err) ? 0 : -1;
}

static void
fails_with_what_it_cannot_write(void **state)
{
  rille_on(*state, "Post", "creating", set_unknown, NULL);
  rille_error err = error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "no_such_column");
  assert_string_equal(err.message, "Post has no attribute \"titel\"");
  assert_string_equal(err.hint, "did you mean \"title\"?");
  assert_count(*state, 0);
}

static void
fails_with_what_it_cannot_read(void **state)
{
  int number = rille_on(*state, "Post", "created", read_one, "titel");
  rille_error err = error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "no_such_column");
  assert_string_equal(err.hint, "did you mean \"title\"?");
  assert_count(*state, 0);
  rille_off(*state, number);
  number = rille_on(*state, "Post", "retrieved", read_one, "title");
  rille_free(run(*state, "make 'a'"));
  assert_string_equal(error_of(*state, "return Post:select('id'):first()").kind, "missing_attribute");
  rille_off(*state, number);
  rille_on(*state, "Post", "retrieved", read_one, "save");
  assert_string_equal(error_of(*state, "return Post:first()").kind, "unsupported");
}

/* ---- What they stop ---------------------------------------------------------------------------------------------- */

static void
stops_what_it_vetoes_and_says_why(void **state)
{
  int veto = 1;
  int number = rille_on(*state, "Post", "creating", answer, &veto);
  rille_error err = error_of(*state, "return make 'a'");

  assert_string_equal(err.kind, "aborted");
  assert_string_equal(err.message, "Post: a hook of \"creating\" said no");
  rille_off(*state, number);
  rille_on(*state, "*", "saving", veto_with, "not today");
  err = error_of(*state, "return make 'a'");
  assert_string_equal(err.kind, "aborted");
  assert_string_equal(err.message, "not today");
  assert_count(*state, 0);
}

static void
stops_nothing_that_has_happened(void **state)
{
  int veto = 1;

  rille_on(*state, "Post", "created", answer, &veto);
  rille_free(run(*state, "assert(make 'a')"));
  assert_count(*state, 1);
}

static void
raises_its_own_error(void **state)
{
  rille_error given = { .kind = "busy", .message = "the queue is full", .hint = "wait" };

  rille_on(*state, "Post", "created", fail_with, &given);
  rille_error err = error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "busy");
  assert_string_equal(err.message, "the queue is full");
  assert_string_equal(err.hint, "wait");
  assert_non_null(strstr(err.traceback, "spec:1:"));
  assert_count(*state, 0);
  rille_free(run(*state, "local ok, e = pcall(make, 'a')\n"
                         "assert(not ok and rille.is_error(e, 'busy') and e.model == 'Post')"));
}

static void
raises_something_whatever_it_left_in_its_error(void **state)
{
  rille_error given = { 0 };
  int seven = 7;

  int number = rille_on(*state, "Post", "creating", fail_with, &given);
  rille_error err = error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "a hook in C of \"creating\" failed and did not say why");
  assert_string_equal(err.hint, "it may fill err->message before it returns -1");

  snprintf(given.kind, sizeof given.kind, "my_own");
  snprintf(given.message, sizeof given.message, "\x1b[2J\xff");
  err = error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_null(strchr(err.message, '\x1b'));

  memset(&given, 'x', sizeof given); /* no text in it ends */
  err = error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_int_equal(err.message[0], 'x');

  rille_off(*state, number);
  rille_on(*state, "Post", "creating", answer, &seven);
  err = error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "a hook in C of \"creating\" returned 7");
  assert_count(*state, 0);
}

/* ---- What they call ---------------------------------------------------------------------------------------------- */

static void
passes_on_the_error_of_what_it_calls(void **state)
{
  rille_on(*state, "Post", "created", run_text, "local function deep() error 'boom' end\ndeep()");
  rille_error err = error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "inner:1: boom");
  assert_non_null(strstr(err.traceback, "inner:1: in local 'deep'"));
  assert_count(*state, 0);
}

static int
swallow(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)record;
  (void)err;
  for (int i = 0; i < 3; i++)
    assert_null(rille_do(host, (const char *)data, "inner", NULL, 0, NULL));
  return 0;
}

static void
may_go_on_after_an_error_of_what_it_calls(void **state)
{
  rille_on(*state, "Post", "created", swallow, "Author:create { name = 'a' } error 'boom'");
  rille_free(run(*state, "make 'a'"));
  rille_free(run(*state, "assert(Post:count() == 1 and Author:count() == 3)"));
}

static void
may_be_called_while_it_runs(void **state)
{
  rille_on(*state, "Post", "created", run_text, "local post = ... if #post.title < 5 then make(post.title .. 'x') end");
  rille_free(run(*state, "make 'a'"));
  assert_count(*state, 5);
  rille_on(*state, "Author", "created", run_text, "Author:create {}");
  assert_non_null(strstr(error_of(*state, "Author:create {}").message, "stack overflow"));
  rille_free(run(*state, "assert(Author:count() == 0)"));
}

static void
is_counted_in_the_limits_of_the_call_around_it(void **state)
{
  rille_on(*state, "Post", "created", swallow, "while true do end");
  assert_string_equal(error_of(*state, "make 'a'").kind, "timeout");
  assert_count(*state, 0);
}

static rille_value *kept_value; /* a value of the wrong host, or of a hook that returned */

static int
call_other_host(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  rille_value *result = rille_call((rille_host *)data, "type", record, 1, err);

  (void)host;
  assert_null(result);
  kept_value = malloc(sizeof *kept_value);
  *kept_value = *record;
  return -1;
}

static void
is_no_record_elsewhere(void **state)
{
  rille_host *other = rille_open(NULL, NULL);
  rille_error err = { 0 };

  rille_on(*state, "Post", "creating", call_other_host, other);
  assert_string_equal(error_of(*state, "make 'a'").kind, "invalid_argument");
  assert_null(rille_call(*state, "type", kept_value, 1, &err));
  assert_string_equal(err.kind, "invalid_argument");
  assert_string_equal(err.message, "there is no such record in this host");
  free(kept_value);
  rille_close(other);
}

/* ---- Adding and ending ------------------------------------------------------------------------------------------- */

static void
ends_when_it_is_told_to(void **state)
{
  int calls = 0;
  int first = rille_on(*state, "Post", "creating", count_calls, &calls);
  int second = rille_on(*state, "*", "creating", count_calls, &calls);

  assert_int_not_equal(first, second);
  rille_off(*state, first);
  rille_off(*state, first);
  rille_off(*state, 0);
  rille_off(*state, 999);
  rille_off(NULL, 1);
  rille_free(run(*state, "make 'a'"));
  assert_int_equal(calls, 1);
  rille_off(*state, second);
  rille_free(run(*state, "make 'a' assert(next(require 'rille.hook'.listening) == nil)"));
  assert_int_equal(calls, 1);
}

static int
end_itself(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  int *number = data;

  (void)record;
  (void)err;
  rille_off(host, *number);
  free(number);
  return 0;
}

static void
may_end_itself(void **state)
{
  int *number = malloc(sizeof *number);
  int calls = 0;

  *number = rille_on(*state, "Post", "creating", end_itself, number);
  rille_on(*state, "Post", "creating", count_calls, &calls);
  rille_free(run(*state, "make 'a' make 'b' for i = 1, 100000 do local t = { i } end make 'c'"));
  assert_int_equal(calls, 3);
}

static void
names_the_nearest_of_what_is_not_there(void **state)
{
  const struct {
    const char *model, *event, *kind, *message, *hint;
  } cases[] = {
    { "Pots", "creating", "no_such_model", "there is no model \"Pots\"", "did you mean \"Post\"?" },
    { "Post", "createing", "invalid_argument", "model Post: hooks has no event \"createing\"",
      "did you mean \"creating\"?" },
    { "*", "createing", "invalid_argument", "rille_on has no event \"createing\"", "did you mean \"creating\"?" },
    { NULL, "querry", "invalid_argument", "rille_on has no event \"querry\"", "did you mean \"query\"?" },
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rille_error err = { 0 };
    assert_int_equal(rille_try_on(*state, cases[i].model, cases[i].event, count_calls, NULL, &err), 0);
    assert_string_equal(err.kind, cases[i].kind);
    assert_string_equal(err.message, cases[i].message);
    assert_string_equal(err.hint, cases[i].hint);
  }
  assert_int_equal(rille_try_on(*state, "Post", NULL, count_calls, NULL, NULL), 0);
  assert_int_equal(rille_try_on(*state, "Post", "creating", NULL, NULL, NULL), 0);
  assert_int_equal(rille_try_on(NULL, "Post", "creating", count_calls, NULL, NULL), 0);
  assert_int_equal(rille_on(NULL, "Post", "creating", count_calls, NULL), 0);
  assert_count(*state, 0);
}

static void
lets_no_call_run_without_a_hook_that_could_not_be_added(void **state)
{
  assert_int_equal(rille_on(*state, "Post", "createing", count_calls, NULL), 0);
  for (int i = 0; i < 2; i++) {
    rille_error err = error_of(*state, "make 'a'");
    assert_string_equal(err.kind, "invalid_argument");
    assert_string_equal(err.message, "model Post: hooks has no event \"createing\"");
    assert_null(rille_call(*state, "make", NULL, 0, NULL));
  }
}

int
main(void)
{
#define IN_A_HOST(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)
  const struct CMUnitTest tests[] = {
    IN_A_HOST(stores_what_a_hook_changes),
    IN_A_HOST(hears_in_the_order_in_which_hooks_were_added),
    IN_A_HOST(hears_all_models_by_either_name_of_an_event),
    IN_A_HOST(hears_nothing_where_events_are_silenced),
    IN_A_HOST(gets_the_table_of_an_event_that_is_about_no_record),
    IN_A_HOST(is_heard_in_a_coroutine_and_in_its_transaction),
    IN_A_HOST(reads_what_lua_would_read),
    IN_A_HOST(writes_as_lua_would_write),
    IN_A_HOST(is_passed_on_to_lua_as_the_record_itself),
    IN_A_HOST(fails_with_what_it_cannot_write),
    IN_A_HOST(fails_with_what_it_cannot_read),
    IN_A_HOST(stops_what_it_vetoes_and_says_why),
    IN_A_HOST(stops_nothing_that_has_happened),
    IN_A_HOST(raises_its_own_error),
    IN_A_HOST(raises_something_whatever_it_left_in_its_error),
    IN_A_HOST(passes_on_the_error_of_what_it_calls),
    IN_A_HOST(may_go_on_after_an_error_of_what_it_calls),
    IN_A_HOST(may_be_called_while_it_runs),
    IN_A_HOST(is_counted_in_the_limits_of_the_call_around_it),
    IN_A_HOST(is_no_record_elsewhere),
    IN_A_HOST(ends_when_it_is_told_to),
    IN_A_HOST(may_end_itself),
    IN_A_HOST(names_the_nearest_of_what_is_not_there),
    IN_A_HOST(lets_no_call_run_without_a_hook_that_could_not_be_added),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
