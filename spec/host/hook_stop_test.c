/* spec/host/hook_stop_test.c - hooks in C that stop things, fail, or call what fails. */
#include "spec/host/hooked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers with *data. */
static int
answer(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  (void)host;
  (void)record;
  (void)err;
  return *(const int *)data;
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

/* ---- What they stop ---------------------------------------------------------------------------------------------- */

static void
stops_what_it_vetoes_and_says_why(void **state)
{
  int veto = 1;
  int number = rille_on(*state, "Post", "creating", answer, &veto);
  rille_error err = hooked_error_of(*state, "return make 'a'");

  assert_string_equal(err.kind, "aborted");
  assert_string_equal(err.message, "Post: a hook of \"creating\" said no");
  rille_off(*state, number);
  rille_on(*state, "*", "saving", veto_with, "not today");
  err = hooked_error_of(*state, "return make 'a'");
  assert_string_equal(err.kind, "aborted");
  assert_string_equal(err.message, "not today");
  hooked_count(*state, 0);
}

static void
stops_nothing_that_has_happened(void **state)
{
  int veto = 1;

  rille_on(*state, "Post", "created", answer, &veto);
  rille_free(hooked_run(*state, "assert(make 'a')"));
  hooked_count(*state, 1);
}

static void
raises_its_own_error(void **state)
{
  rille_error given = { .kind = "busy", .message = "the queue is full", .hint = "wait" };

  rille_on(*state, "Post", "created", fail_with, &given);
  rille_error err = hooked_error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "busy");
  assert_string_equal(err.message, "the queue is full");
  assert_string_equal(err.hint, "wait");
  assert_non_null(strstr(err.traceback, "spec:1:"));
  hooked_count(*state, 0);
  rille_free(hooked_run(*state, "local ok, e = pcall(make, 'a')\n"
                                "assert(not ok and rille.is_error(e, 'busy') and e.model == 'Post')"));
}

static void
raises_something_whatever_it_left_in_its_error(void **state)
{
  rille_error given = { 0 };
  int seven = 7;

  int number = rille_on(*state, "Post", "creating", fail_with, &given);
  rille_error err = hooked_error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "a hook in C of \"creating\" failed and did not say why");
  assert_string_equal(err.hint, "it may fill err->message before it returns -1");

  snprintf(given.kind, sizeof given.kind, "my_own");
  snprintf(given.message, sizeof given.message, "\x1b[2J\xff");
  err = hooked_error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_null(strchr(err.message, '\x1b'));

  memset(&given, 'x', sizeof given); /* no text in it ends */
  err = hooked_error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_int_equal(err.message[0], 'x');

  rille_off(*state, number);
  rille_on(*state, "Post", "creating", answer, &seven);
  err = hooked_error_of(*state, "make 'a'");
  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "a hook in C of \"creating\" returned 7");
  hooked_count(*state, 0);
}

/* ---- What they call ---------------------------------------------------------------------------------------------- */

static void
passes_on_the_error_of_what_it_calls(void **state)
{
  rille_on(*state, "Post", "created", hooked_run_text, "local function deep() error 'boom' end\ndeep()");
  rille_error err = hooked_error_of(*state, "make 'a'");

  assert_string_equal(err.kind, "script");
  assert_string_equal(err.message, "inner:1: boom");
  assert_non_null(strstr(err.traceback, "inner:1: in local 'deep'"));
  hooked_count(*state, 0);
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
  rille_free(hooked_run(*state, "make 'a'"));
  rille_free(hooked_run(*state, "assert(Post:count() == 1 and Author:count() == 3)"));
}

static void
may_be_called_while_it_runs(void **state)
{
  rille_on(*state, "Post", "created", hooked_run_text,
           "local post = ... if #post.title < 5 then make(post.title .. 'x') end");
  rille_free(hooked_run(*state, "make 'a'"));
  hooked_count(*state, 5);
  rille_on(*state, "Author", "created", hooked_run_text, "Author:create {}");
  assert_non_null(strstr(hooked_error_of(*state, "Author:create {}").message, "stack overflow"));
  rille_free(hooked_run(*state, "assert(Author:count() == 0)"));
}

static void
is_counted_in_the_limits_of_the_call_around_it(void **state)
{
  rille_on(*state, "Post", "created", swallow, "while true do end");
  assert_string_equal(hooked_error_of(*state, "make 'a'").kind, "timeout");
  hooked_count(*state, 0);
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
  assert_string_equal(hooked_error_of(*state, "make 'a'").kind, "invalid_argument");
  assert_null(rille_call(*state, "type", kept_value, 1, &err));
  assert_string_equal(err.kind, "invalid_argument");
  assert_string_equal(err.message, "there is no such record in this host");
  free(kept_value);
  rille_close(other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    IN_A_HOST(stops_what_it_vetoes_and_says_why),
    IN_A_HOST(stops_nothing_that_has_happened),
    IN_A_HOST(raises_its_own_error),
    IN_A_HOST(raises_something_whatever_it_left_in_its_error),
    IN_A_HOST(passes_on_the_error_of_what_it_calls),
    IN_A_HOST(may_go_on_after_an_error_of_what_it_calls),
    IN_A_HOST(may_be_called_while_it_runs),
    IN_A_HOST(is_counted_in_the_limits_of_the_call_around_it),
    IN_A_HOST(is_no_record_elsewhere),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
