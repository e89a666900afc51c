/* spec/host/pool_test.c - hosts in threads of their own share one pool: each closes what another one left idle. */
#include "spec/support/spec.h"

#include <pthread.h>
#include <stdio.h>

#include "host/rille.h"
#include "spec/support/temporary.h"

enum { HOSTS = 4 };

/* Twelve databases, all hosts the same ones, of which four may be open; each turn adds a row to one. */
static const char SCRIPT[] =
  "local root, turns = ...\n"
  "local rille = require 'rille'\n"
  "rille.configure { connections = { main = { database = ':memory:' } }, databases = root,\n"
  "  tenancy = { pool = { max = 4, wait_ms = 60000 } } }\n"
  "local made = 'create table t (id integer primary key, n integer)'\n"
  "local held, failed = {}, 0\n"
  "for i = 1, 12 do held[i] = rille.open('d' .. i, { statements = made }) end\n"
  "for turn = 1, turns do\n"
  "  local db = held[turn * 7 % 12 + 1]\n"
  "  db:transaction(function() db:execute('insert into t (n) values (?)', turn) end)\n"
  "  for row in db:table('t'):limit(3):cursor() do failed = failed + (row.n and 0 or 1) end\n"
  "  if turn % 20 == 0 then collectgarbage() end\n"
  "end\n"
  "return failed";

enum { TURNS = 60 };

static void *
work(void *failure)
{
  rille_error err = { 0 };
  rille_host *host = rille_open(&(rille_options){ .trusted = true }, &err);
  rille_value args[] = { rille_text(spec_directory()), rille_int(TURNS) };
  rille_value *failed = host != NULL ? rille_do(host, SCRIPT, "script", args, 2, &err) : NULL;

  if (failed == NULL || rille_as_int(failed) != 0)
    (void)snprintf(failure, sizeof err.message, "%s", failed == NULL ? err.message : "rows were wrong");
  rille_free(failed);
  rille_close(host);
  return NULL;
}

static void
many_hosts_share_the_pool(void **state)
{
  static char failures[HOSTS][sizeof((rille_error *)0)->message];
  pthread_t threads[HOSTS];
  rille_error err = { 0 };
  rille_value root = rille_text(spec_directory()), *sum;
  rille_host *host;

  (void)state;
  for (int i = 0; i < HOSTS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, work, failures[i]), 0);
  for (int i = 0; i < HOSTS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_string_equal(failures[i], "");
  }
  host = rille_open(&(rille_options){ .trusted = true }, &err);
  assert_non_null(host);
  sum = rille_do(host,
                 "local rille = require 'rille'\n"
                 "rille.configure { connections = { main = { database = ':memory:' } }, databases = ... }\n"
                 "local n = 0\n"
                 "for i = 1, 12 do n = n + rille.open('d' .. i):query 'select count(*) as n from t'[1].n end\n"
                 "return n + 1000 * require 'rille.core'.pool_stats().pinned",
                 "sum", &root, 1, &err);
  assert_int_equal(rille_as_int(sum), HOSTS * TURNS);
  rille_free(sum);
  rille_close(host);
}

int
main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(many_hosts_share_the_pool) };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
