/* spec/host/memory_test.c - every allocation of a host made to fail in turn: an error value, nothing lost, no crash.
**
** Linked with --wrap for malloc, calloc and realloc, so that the libraries' allocations fail too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/rille.h"
#include "spec/support/failing.h"

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

static const char TABLES[] = "local list, text = ...\n"
                             "local t = {}\n"
                             "for i = 1, 50 do t[i] = { n = i, text = text .. i, list = list } end\n"
                             "return t\n";

static const char DATABASE[] = "local list = ...\n"
                               "local db = require 'rille'.connect ':memory:'\n"
                               "db:execute 'create table t (id integer primary key, n text)'\n"
                               "db:transaction(function()\n"
                               "  for i = 1, 50 do db:execute('insert into t (n) values (?)', tostring(i)) end\n"
                               "end)\n"
                               "local rows = db:query 'select n from t order by id'\n"
                               "for i = 1, 50 do rows[i].list = list end\n"
                               "return rows\n";

static const char MODEL[] = "rille.connect ':memory:':execute 'create table posts (id integer primary key, n text)'\n"
                            "rille.model 'Post' {}\n"
                            "return true";

static const char HOOKED[] = "local list = ...\n"
                             "local rows = {}\n"
                             "for i = 1, 50 do rows[i] = { n = Post:create({ n = 'n' .. i }).n, list = list } end\n"
                             "assert(rows[50].n == 'n50, from C')\n"
                             "return rows\n";

/* A hook of "creating": reads, writes and calls. */
static int
extend(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  const char *n = rille_as_text(rille_get(record, "n"));
  char text[100];

  ++*(int *)data;
  snprintf(text, sizeof text, "%s, from C", n ? n : "");
  rille_value *result = rille_do(host, "local post = ... return post.n", "hook", record, 1, err);
  bool ok = result && rille_set(record, "n", rille_text(text), err);

  rille_free(result);
  return ok ? 0 : -1;
}

/* Gives a host a model with hooks; one of them is ended again. */
static bool
prepare(rille_host *host, int *calls, rille_error *err)
{
  rille_value *made = rille_do(host, MODEL, "model", NULL, 0, err);
  int ended = made ? rille_try_on(host, NULL, "creating", extend, calls, err) : 0;
  bool ok = ended != 0 && rille_try_on(host, "Post", "creating", extend, calls, err) != 0;

  rille_off(host, ended);
  rille_free(made);
  return ok;
}

/* What one host does in its life: runs a script that returns 50 tables.  False and *err if anything failed. */
static bool
live(const char *script, rille_error *err)
{
  int calls = 0;
  const rille_value list[] = { rille_int(1), rille_text("two") };
  const rille_value args[] = { rille_list(list, 2), rille_text("a text of more than forty bytes is not shared") };
  rille_host *host = rille_open(&(rille_options){ 0 }, err);
  bool ready = host && (script != HOOKED || prepare(host, &calls, err));
  rille_value *result = ready ? rille_do(host, script, "spec", args, 2, err) : NULL;
  bool ok = result != NULL;

  if (ok && script == HOOKED)
    assert_int_equal(calls, 50);
  if (ok)
    assert_string_equal(rille_as_text(rille_at(rille_get(rille_at(result, 49), "list"), 1)), "two");
  rille_free(result);
  rille_close(host);
  return ok;
}

/* Fails the n-th allocation for growing n, until a life is over before it meets the failure.  The larger `every`, the
** more of the later allocations are tried: all up to that one, then each n-th part of the way.  Of these spec_every()
** may leave some out. */
static void
sweep(const char *script, bool all_after, long every)
{
  bool met = true;
  long from, step = spec_every(&from);

  for (long n = from; met; n += step * (1 + n / every)) {
    rille_error err = { 0 };
    from_then_on = all_after;
    until_failure = n;
    bool ok = live(script, &err);
    met = all_after ? until_failure == 0 : until_failure < 0;
    until_failure = -1;
    assert_true(met || n > 10); /* thousands, where sanitizers turn the pool of small blocks off */
    if (!ok) {
      assert_true(met);
      if (strcmp(err.kind, "out_of_memory") != 0)
        fail_msg("allocation %ld: %s: %s\n%s", n, err.kind, err.message, err.traceback);
      assert_string_not_equal(err.message, "");
    }
  }
}

static void
survives_one_failed_allocation(void **state)
{
  (void)state;
  sweep(TABLES, false, 1000);
  sweep(DATABASE, false, 200);
  sweep(HOOKED, false, 200);
}

static void
survives_the_end_of_memory(void **state)
{
  (void)state;
  sweep(TABLES, true, 1000);
  sweep(DATABASE, true, 200);
  sweep(HOOKED, true, 200);
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
