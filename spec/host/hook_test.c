/* spec/host/hook_test.c - hooks in C: where they are heard, what they see and change, and how they end. */
#include "spec/host/hooked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  hooked_text(*state, "Post:create { title = 'a' } return Post:first().slug", "lua c");
}

static void
hears_in_the_order_in_which_hooks_were_added(void **state)
{
  rille_on(*state, "*", "creating", append, "all ");
  rille_on(*state, "Post", "creating", append, "c ");
  rille_free(hooked_run(*state, "Post:on('creating', function(post) post.slug = post.slug .. 'later ' end)"));
  rille_on(*state, "Post", "saving", append, "saving ");
  hooked_text(*state, "return Post:create({ title = 'a' }).slug", "saving lua c later all ");
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
  rille_free(hooked_run(*state, "Author:create { name = 'a' } Post:create({ title = 'a' }):update { title = 'b' }"));
  assert_string_equal(heard, "AuthorPostPost");
}

static void
hears_nothing_where_events_are_silenced(void **state)
{
  int calls = 0;

  rille_on(*state, "Post", "creating", count_calls, &calls);
  rille_free(hooked_run(*state, "Post:without_events(function() Post:create { title = 'a' } end)"));
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
  rille_free(hooked_run(*state, "return rille.db():query 'select 42 as n'"));
  assert_string_equal(sql, "select 42 as n");
}

static void
is_heard_in_a_coroutine_and_in_its_transaction(void **state)
{
  rille_on(*state, "Post", "created", hooked_run_text, "local post = ... Author:create { name = post.title }");
  rille_free(hooked_run(*state,
                        "local ok = coroutine.wrap(function()\n"
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
  rille_free(hooked_run(*state, "Author:create { name = 'Ada' }\n"
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
  rille_free(hooked_run(*state, "Post:create { title = 'a' }\n"
                                "local post = Post:first()\n"
                                "assert(post.title == 'trimmed' and post.slug == nil and post.author_id == 7)\n"
                                "assert(#post.meta.list == 2 and post.meta.list[2] == rille.null)"));
}

static void
is_passed_on_to_lua_as_the_record_itself(void **state)
{
  rille_on(*state, "Post", "creating", hooked_run_text, "local post = ... post.slug = 'from Lua'");
  hooked_text(*state, "return Post:create({ title = 'a' }).slug", "from Lua");
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
  rille_error err = hooked_error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "no_such_column");
  assert_string_equal(err.message, "Post has no attribute \"titel\"");
  assert_string_equal(err.hint, "did you mean \"title\"?");
  hooked_count(*state, 0);
}

static void
fails_with_what_it_cannot_read(void **state)
{
  int number = rille_on(*state, "Post", "created", read_one, "titel");
  rille_error err = hooked_error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "no_such_column");
  assert_string_equal(err.hint, "did you mean \"title\"?");
  hooked_count(*state, 0);
  rille_off(*state, number);
  number = rille_on(*state, "Post", "retrieved", read_one, "title");
  rille_free(hooked_run(*state, "make 'a'"));
  assert_string_equal(hooked_error_of(*state, "return Post:select('id'):first()").kind, "missing_attribute");
  rille_off(*state, number);
  rille_on(*state, "Post", "retrieved", read_one, "save");
  assert_string_equal(hooked_error_of(*state, "return Post:first()").kind, "unsupported");
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
  rille_free(hooked_run(*state, "make 'a'"));
  assert_int_equal(calls, 1);
  rille_off(*state, second);
  rille_free(hooked_run(*state, "make 'a' assert(next(require 'rille.hook'.listening) == nil)"));
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
  rille_free(hooked_run(*state, "make 'a' make 'b' for i = 1, 100000 do local t = { i } end make 'c'"));
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
  hooked_count(*state, 0);
}

static void
lets_no_call_run_without_a_hook_that_could_not_be_added(void **state)
{
  assert_int_equal(rille_on(*state, "Post", "createing", count_calls, NULL), 0);
  for (int i = 0; i < 2; i++) {
    rille_error err = hooked_error_of(*state, "make 'a'");
    assert_string_equal(err.kind, "invalid_argument");
    assert_string_equal(err.message, "model Post: hooks has no event \"createing\"");
    assert_null(rille_call(*state, "make", NULL, 0, NULL));
  }
}

int
main(void)
{
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
    IN_A_HOST(ends_when_it_is_told_to),
    IN_A_HOST(may_end_itself),
    IN_A_HOST(names_the_nearest_of_what_is_not_there),
    IN_A_HOST(lets_no_call_run_without_a_hook_that_could_not_be_added),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
