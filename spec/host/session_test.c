/* spec/host/session_test.c - a session over the calls of a host, and its token. */
#include "spec/host/hosted.h"

#include <string.h>

static const char *const TABLES =
  "local rille = require 'rille' rille.connect ':memory:' "
  "rille.schema():create('posts', function(t) t:id() t:string 'title' end) rille.model 'Post' {} return true";

static int
open_host(void **state)
{
  return hosted_open(state, TABLES);
}

/* A copy of the token; the caller frees it. */
static rille_value *
token_of(rille_host *host)
{
  rille_error err = { 0 };
  bool lost = true;
  rille_value *token = rille_session_token(host, &lost, &err);

  assert_string_equal(err.kind, "");
  assert_non_null(token);
  assert_false(lost);
  return token;
}

static void
gives_a_token_that_goes_on(void **state)
{
  rille_host *host = *state;
  rille_error err = { 0 };
  rille_value *none, *first, *second;

  assert_true(rille_session_enter(host, NULL, &err));
  none = token_of(host);
  assert_true(rille_is_null(none));
  hosted_add(host, "one");
  first = token_of(host);
  assert_true(rille_length(first) > 0);
  rille_session_leave(host);

  assert_true(rille_session_enter(host, rille_as_text(first), &err));
  hosted_add(host, "two");
  second = token_of(host);
  assert_true(strcmp(rille_as_text(first), rille_as_text(second)) < 0);
  rille_session_leave(host);
  rille_free(none);
  rille_free(first);
  rille_free(second);
}

static void
nests(void **state)
{
  rille_host *host = *state;
  rille_error err = { 0 };
  rille_value *inner, *outer;

  assert_true(rille_session_enter(host, NULL, &err));
  assert_true(rille_session_enter(host, NULL, &err));
  hosted_add(host, "one");
  inner = token_of(host);
  rille_session_leave(host);
  outer = token_of(host);
  assert_false(rille_is_null(inner));
  assert_true(rille_is_null(outer));
  rille_session_leave(host);
  rille_session_leave(host);
  rille_free(inner);
  rille_free(outer);
}

static void
refuses_what_is_no_token(void **state)
{
  rille_error err = { 0 };

  assert_false(rille_session_enter(*state, "", &err));
  assert_string_equal(err.kind, "invalid_token");
  err = (rille_error){ 0 };
  assert_false(rille_session_enter(*state, "r2.0", &err));
  assert_string_equal(err.kind, "invalid_token");
  err = (rille_error){ 0 };
  assert_null(rille_session_token(*state, NULL, &err));
  assert_string_equal(err.kind, "invalid_argument");
}

static void
takes_null(void **state)
{
  rille_error err = { 0 };

  (void)state;
  assert_false(rille_session_enter(NULL, NULL, &err));
  assert_null(rille_session_token(NULL, NULL, &err));
  rille_session_leave(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(gives_a_token_that_goes_on, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(nests, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(refuses_what_is_no_token, open_host, hosted_close),
    cmocka_unit_test(takes_null),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
