/* spec/core/pool_test.c - who is closed when there are too many, who waits, and who is told that there is no more. */
#include "spec/support/spec.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/run/pool.h"

enum { SEATS = 8 };

static rille_seat seats[SEATS];
static int closed[SEATS], closed_foreign[SEATS];
static int host_a, host_b;

static void
note_close(rille_seat *seat, bool foreign)
{
  closed[seat - seats]++;
  closed_foreign[seat - seats] += foreign;
}

static int
start(void **state)
{
  static const char *const paths[SEATS] = { "0", "1", "2", "3", "4", "5", "6", "7" };

  (void)state;
  for (int i = 0; i < SEATS; i++) {
    seats[i] = (rille_seat){ .path = rille_str_of(paths[i]), .host = &host_a, .close = note_close };
    closed[i] = closed_foreign[i] = 0;
  }
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 50, .idle_ms = 60000 });
  return 0;
}

static int
end(void **state)
{
  (void)state;
  for (int i = 0; i < SEATS; i++)
    rille_seat_leave(&seats[i]);
  assert_int_equal(rille_pool_look().open, 0);
  return 0;
}

/* Pins the seat and opens a connection in it. */
static rille_status
take(rille_seat *seat, rille_fault *fault)
{
  rille_status status;

  rille_seat_pin(seat);
  status = rille_seat_open(seat, fault);
  if (status == RILLE_OK)
    rille_seat_opened(seat, true);
  return status;
}

static void
use(rille_seat *seat)
{
  rille_fault fault;

  assert_ok(take(seat, &fault), &fault);
  rille_seat_unpin(seat);
}

static void
closes_what_was_used_longest_ago(void **state)
{
  (void)state;
  use(&seats[0]);
  use(&seats[1]);
  use(&seats[2]);
  rille_seat_pin(&seats[0]);
  rille_seat_unpin(&seats[0]);
  use(&seats[3]);
  assert_int_equal(closed[0], 0);
  assert_int_equal(closed[1], 1);
  assert_int_equal(closed[2], 0);
  assert_int_equal(rille_pool_look().open, 3);
  use(&seats[4]);
  assert_int_equal(closed[2], 1);
  assert_int_equal(closed_foreign[2], 0);
}

static void
never_closes_what_is_pinned(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(take(&seats[0], &fault), &fault);
  for (int i = 1; i < SEATS; i++)
    use(&seats[i]);
  assert_int_equal(closed[0], 0);
}

static void
says_at_once_that_one_host_holds_them_all(void **state)
{
  rille_fault fault;

  (void)state;
  for (int i = 0; i < 3; i++)
    assert_ok(take(&seats[i], &fault), &fault);
  assert_fails(RILLE_BUSY, take(&seats[3], &fault), &fault);
  assert_contains(fault.message, "tenant pool exhausted");
  rille_seat_unpin(&seats[1]);
  assert_ok(take(&seats[3], &fault), &fault);
  assert_int_equal(closed[1], 1);
}

static void
waits_for_another_host_until_the_deadline(void **state)
{
  struct timespec before, after;
  rille_fault fault;
  long ms;

  (void)state;
  for (int i = 0; i < 3; i++)
    assert_ok(take(&seats[i], &fault), &fault);
  seats[3].host = &host_b;
  (void)clock_gettime(CLOCK_MONOTONIC, &before);
  assert_fails(RILLE_TIMEOUT, take(&seats[3], &fault), &fault);
  (void)clock_gettime(CLOCK_MONOTONIC, &after);
  ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  assert_in_range(ms, 40, 2000);
  assert_contains(fault.message, "50 ms");
}

static void *
unpin_soon(void *seat)
{
  (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
  rille_seat_unpin(seat);
  return NULL;
}

static void
gets_what_another_host_gives_back(void **state)
{
  rille_fault fault;
  pthread_t thread;

  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 5000, .idle_ms = 60000 });
  for (int i = 0; i < 3; i++)
    assert_ok(take(&seats[i], &fault), &fault);
  seats[3].host = &host_b;
  assert_int_equal(pthread_create(&thread, NULL, unpin_soon, &seats[1]), 0);
  assert_ok(take(&seats[3], &fault), &fault);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(closed[1], 1);
  assert_int_equal(closed_foreign[1], 1);
}

static void *
configure_and_unpin_soon(void *seat)
{
  (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 5000, .idle_ms = 60000 });
  return unpin_soon(seat);
}

static void
who_waits_keeps_to_the_newest_settings(void **state)
{
  rille_fault fault;
  pthread_t thread;

  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = 2, .wait_ms = 1000, .idle_ms = 60000 });
  for (int i = 0; i < 2; i++)
    assert_ok(take(&seats[i], &fault), &fault);
  seats[3].host = &host_b;
  assert_int_equal(pthread_create(&thread, NULL, configure_and_unpin_soon, &seats[1]), 0);
  assert_ok(take(&seats[3], &fault), &fault);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(closed[1], 0); /* there is room for three now */
}

/* Waits, two seconds at most, until so many connections are open. */
static bool
comes_to(int open)
{
  for (int i = 0; i < 400 && rille_pool_look().open != open; i++)
    (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
  return rille_pool_look().open == open;
}

static void
closes_what_nobody_uses(void **state)
{
  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 50, .idle_ms = 20 });
  for (int turn = 1; turn <= 3; turn++) {
    use(&seats[0]);
    use(&seats[1]);
    rille_seat_pin(&seats[1]);
    assert_true(comes_to(1));
    assert_int_equal(closed[0], turn);
    assert_int_equal(closed_foreign[0], turn);
    assert_int_equal(closed[1], turn - 1);
    rille_seat_unpin(&seats[1]);
    assert_true(comes_to(0));
    assert_int_equal(closed[1], turn);
  }
}

static void
closes_nothing_too_early(void **state)
{
  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 50, .idle_ms = 400 });
  use(&seats[0]);
  for (int i = 0; i < 30; i++) {
    rille_seat_pin(&seats[1]);
    if (seats[1].open == 0)
      use(&seats[1]);
    rille_seat_unpin(&seats[1]);
    (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
  }
  assert_true(comes_to(1));
  assert_int_equal(closed[0], 1);
  assert_int_equal(closed[1], 0);
}

static void
closes_sooner_when_that_is_said_later(void **state)
{
  (void)state;
  use(&seats[0]);
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 50, .idle_ms = 10 });
  assert_true(comes_to(0));
}

static void
closes_in_a_child_of_its_own(void **state)
{
  int status = 1;
  pid_t child;

  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = 3, .wait_ms = 50, .idle_ms = 20 });
  use(&seats[0]);
  child = fork();
  if (child == 0) {
    bool closed_all = comes_to(1); /* what the parent had open nobody closes before the child has something idle */

    use(&seats[1]);
    _exit(closed_all && comes_to(0) ? 0 : 1);
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_true(comes_to(0));
}

static void
one_opens_a_path_and_another_waits(void **state)
{
  rille_fault fault;

  (void)state;
  seats[1].path = seats[0].path;
  seats[1].host = &host_b;
  rille_seat_pin(&seats[0]);
  assert_ok(rille_seat_open(&seats[0], &fault), &fault);
  assert_fails(RILLE_TIMEOUT, take(&seats[1], &fault), &fault);
  rille_seat_opened(&seats[0], true);
  assert_ok(take(&seats[1], &fault), &fault);
}

static void
one_that_could_not_be_opened_takes_no_room(void **state)
{
  rille_fault fault;

  (void)state;
  for (int i = 0; i < 5; i++) {
    rille_seat_pin(&seats[i]);
    assert_ok(rille_seat_open(&seats[i], &fault), &fault);
    rille_seat_opened(&seats[i], false);
  }
  assert_int_equal(rille_pool_look().open, 0);
}

static void
a_claim_closes_what_others_have_open(void **state)
{
  rille_fault fault;

  (void)state;
  use(&seats[0]);
  use(&seats[1]);
  seats[7].path = seats[0].path;
  seats[7].host = &host_b;
  rille_seat_pin(&seats[7]);
  assert_ok(rille_seat_claim(&seats[7], &fault), &fault);
  assert_int_equal(closed_foreign[0], 1);
  assert_int_equal(closed[1], 0);
  assert_fails(RILLE_TIMEOUT, take(&seats[0], &fault), &fault);
  rille_seat_opened(&seats[7], false);
  assert_ok(take(&seats[0], &fault), &fault);
  assert_fails(RILLE_TIMEOUT, rille_seat_claim(&seats[7], &fault), &fault);
  seats[0].host = &host_b;
  assert_fails(RILLE_BUSY, rille_seat_claim(&seats[7], &fault), &fault);
}

static void
a_claim_does_not_wait_for_who_has_nothing_open(void **state)
{
  rille_fault fault;

  (void)state;
  seats[1].path = seats[7].path = seats[0].path;
  seats[1].host = &host_b;
  use(&seats[0]);
  rille_seat_pin(&seats[1]); /* and would open it now, but for the claim */
  rille_seat_pin(&seats[7]);
  assert_ok(rille_seat_claim(&seats[7], &fault), &fault);
  assert_int_equal(closed[0], 1);
  assert_fails(RILLE_TIMEOUT, take(&seats[1], &fault), &fault);
  rille_seat_opened(&seats[7], false);
  assert_ok(take(&seats[1], &fault), &fault);
}

static void
unpin_while_closed(rille_seat *seat, bool foreign)
{
  note_close(seat, foreign);
  rille_seat_unpin(seat);
  assert_int_equal(seat->state, RILLE_SEAT_CLOSING); /* so that its owner, who pins it next, waits */
}

static void
what_is_not_pinned_is_not_unpinned(void **state)
{
  (void)state;
  seats[0].close = unpin_while_closed;
  for (int i = 0; i < 4; i++)
    use(&seats[i]);
  assert_int_equal(closed[0], 1);
  assert_int_equal(rille_pool_look().idle, 3);
}

/* -- open files ------------------------------------------------------------------------------------------ */

static void
takes_its_share_of_the_open_files(void **state)
{
  struct rlimit before, few;

  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = (struct rlimit){ .rlim_cur = 64, .rlim_max = before.rlim_max };
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  rille_pool_configure(&(rille_pool_settings){ .max = 100, .wait_ms = 50, .idle_ms = 60000 });
  assert_in_range(rille_pool_look().limit, 9, 100);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &few), 0);
  assert_true(few.rlim_cur > 64);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void
tries_again_only_where_files_ran_out(void **state)
{
  struct rlimit before, few;
  int first, last, at;
  rille_fault fault;

  (void)state;
  use(&seats[0]);
  use(&seats[1]);
  assert_false(rille_seat_may_retry(&seats[2]));
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = (struct rlimit){ .rlim_cur = 64, .rlim_max = before.rlim_max };
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  first = last = open("/dev/null", O_RDONLY);
  while ((at = open("/dev/null", O_RDONLY)) >= 0)
    last = at;
  assert_true(rille_seat_may_retry(&seats[2]));
  for (at = first; at <= last; at++)
    (void)close(at);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(closed[0], 1);
  assert_int_equal(closed[1], 0);
  assert_ok(take(&seats[2], &fault), &fault);
}

/* -- many threads ---------------------------------------------------------------------------------------- */

enum { THREADS = 6, TURNS = 40000, OWN = 20 };

static void
count_close(rille_seat *seat, bool foreign)
{
  (void)seat;
  (void)foreign;
}

static void *
take_turns(void *own)
{
  static _Thread_local unsigned turn;
  rille_seat *mine = own;
  rille_fault fault;

  for (int i = 0; i < TURNS; i++) {
    rille_seat *seat = &mine[(turn = turn * 1103515245u + 12345u) / 65536 % OWN];

    rille_seat_pin(seat);
    if (seat->open == 0) {
      if (rille_seat_open(seat, &fault) != RILLE_OK)
        return mine;
      rille_seat_opened(seat, true);
    }
    rille_seat_unpin(seat);
  }
  for (int i = 0; i < OWN; i++)
    rille_seat_leave(&mine[i]);
  return NULL;
}

static void
bears_many_hosts(void **state)
{
  static rille_seat all[THREADS][OWN];
  static char names[OWN][4];
  pthread_t threads[THREADS];

  (void)state;
  rille_pool_configure(&(rille_pool_settings){ .max = THREADS + 2, .wait_ms = 10000, .idle_ms = 1 });
  for (int t = 0; t < THREADS; t++)
    for (int i = 0; i < OWN; i++) {
      (void)snprintf(names[i], sizeof names[i], "%d", i);
      all[t][i] = (rille_seat){ .path = rille_str_of(names[i]), .host = all[t], .close = count_close };
    }
  for (int t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&threads[t], NULL, take_turns, all[t]), 0);
  for (int t = 0; t < THREADS; t++) {
    void *failed;

    assert_int_equal(pthread_join(threads[t], &failed), 0);
    assert_null(failed);
  }
  assert_int_equal(rille_pool_look().open, 0);
  assert_int_equal(rille_pool_look().idle + rille_pool_look().pinned, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(closes_what_was_used_longest_ago, start, end),
    cmocka_unit_test_setup_teardown(never_closes_what_is_pinned, start, end),
    cmocka_unit_test_setup_teardown(says_at_once_that_one_host_holds_them_all, start, end),
    cmocka_unit_test_setup_teardown(waits_for_another_host_until_the_deadline, start, end),
    cmocka_unit_test_setup_teardown(gets_what_another_host_gives_back, start, end),
    cmocka_unit_test_setup_teardown(who_waits_keeps_to_the_newest_settings, start, end),
    cmocka_unit_test_setup_teardown(closes_what_nobody_uses, start, end),
    cmocka_unit_test_setup_teardown(closes_nothing_too_early, start, end),
    cmocka_unit_test_setup_teardown(closes_sooner_when_that_is_said_later, start, end),
    cmocka_unit_test_setup_teardown(closes_in_a_child_of_its_own, start, end),
    cmocka_unit_test_setup_teardown(one_opens_a_path_and_another_waits, start, end),
    cmocka_unit_test_setup_teardown(one_that_could_not_be_opened_takes_no_room, start, end),
    cmocka_unit_test_setup_teardown(a_claim_closes_what_others_have_open, start, end),
    cmocka_unit_test_setup_teardown(a_claim_does_not_wait_for_who_has_nothing_open, start, end),
    cmocka_unit_test_setup_teardown(what_is_not_pinned_is_not_unpinned, start, end),
    cmocka_unit_test_setup_teardown(takes_its_share_of_the_open_files, start, end),
    cmocka_unit_test_setup_teardown(tries_again_only_where_files_ran_out, start, end),
    cmocka_unit_test_setup_teardown(bears_many_hosts, start, end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
