/* spec/host/memory_test.c - every allocation of a host made to fail in turn: an error value, nothing lost, no crash.
**
** Linked with --wrap for malloc, calloc and realloc, so that the libraries' allocations fail too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host/rille.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);

static long until_failure = -1; /* allocations that still succeed; below zero: all */
static bool from_then_on;       /* whether those after the failed one fail too */

static bool
fails(void)
{
  bool now = until_failure == 0;

  if (until_failure > 0 || (now && !from_then_on))
    until_failure--;
  return now;
}

void *
__wrap_malloc(size_t bytes)
{
  return fails() ? NULL : __real_malloc(bytes);
}

void *
__wrap_calloc(size_t n, size_t bytes)
{
  return fails() ? NULL : __real_calloc(n, bytes);
}

void *
__wrap_realloc(void *block, size_t bytes)
{
  return fails() ? NULL : __real_realloc(block, bytes);
}

/* What one host does in its life; false and *err if anything failed. */
static bool
live(rille_error *err)
{
  const rille_value list[] = { rille_int(1), rille_text("two") };
  const rille_value args[] = { rille_list(list, 2), rille_text("a text of more than forty bytes is not shared") };
  rille_host *host = rille_open(&(rille_options){ 0 }, err);
  rille_value *result = NULL;

  if (host)
    result = rille_do(host,
                      "local list, text = ...\nlocal t = {}\n"
                      "for i = 1, 50 do t[i] = { n = i, text = text .. i, list = list } end\nreturn t",
                      "spec", args, 2, err);
  bool ok = result != NULL;
  if (ok)
    assert_string_equal(rille_as_text(rille_at(rille_get(rille_at(result, 49), "list"), 1)), "two");
  rille_free(result);
  rille_close(host);
  return ok;
}

/* Fails the n-th allocation for n = 0, 1, 2, ... until a life is long enough not to meet it. */
static void
sweep(bool all_after)
{
  long n = 0;
  bool met = true;

  for (; met; n++) {
    rille_error err = { 0 };
    from_then_on = all_after;
    until_failure = n;
    bool ok = live(&err);
    met = all_after ? until_failure == 0 : until_failure < 0;
    until_failure = -1;
    if (!ok) {
      assert_true(met);
      assert_string_equal(err.kind, "out_of_memory");
      assert_string_not_equal(err.message, "");
    }
  }
  assert_true(n > 10); /* thousands where the pool of small blocks is off: with sanitizers */
}

static void
survives_one_failed_allocation(void **state)
{
  (void)state;
  sweep(false);
}

static void
survives_the_end_of_memory(void **state)
{
  (void)state;
  sweep(true);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(survives_one_failed_allocation),
    cmocka_unit_test(survives_the_end_of_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
