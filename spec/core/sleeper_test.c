/* spec/core/sleeper_test.c - a thread that works when it is due, rests for a fork, and ends before its process does. */
#include "spec/support/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/run/sleeper.h"

enum { SOON_MS = 5000 }; /* however slow the machine is */

static int64_t work(void);
static void rest(void);
static int64_t work_beside(void);

static rille_sleeper sleeper = { .work = work, .rest = rest, .keeps_lock = true, .lock = PTHREAD_MUTEX_INITIALIZER };
static rille_sleeper beside = { .work = work_beside, .lock = PTHREAD_MUTEX_INITIALIZER };

static int works, rests, works_beside;
static int64_t again_ms; /* what `work` says */
static bool busy;        /* is seen by others only while the thread has given its lock back */
static int out = -1;     /* what the thread does at its end is written there */
static int free_locks = -1;

/* Takes its time without the lock, as what writes to a disk does. */
static int64_t
work(void)
{
  works++;
  busy = true;
  rille_sleeper_unlock(&sleeper);
  (void)usleep(20000);
  rille_sleeper_lock(&sleeper);
  busy = false;
  if (sleeper.end_ms == 0)
    return again_ms;
  (void)!write(out, "end", 3);
  return RILLE_SLEEPER_END;
}

static void
rest(void)
{
  rests++;
}

static int64_t
work_beside(void)
{
  works_beside++;
  return beside.end_ms > 0 ? RILLE_SLEEPER_END : 0;
}

/* Runs when the sleepers rest: it was registered before they were known. */
static void
try_locks(void)
{
  free_locks = 0;
  if (pthread_mutex_trylock(&sleeper.lock) == 0) {
    free_locks += 1;
    (void)pthread_mutex_unlock(&sleeper.lock);
  }
  if (pthread_mutex_trylock(&beside.lock) == 0) {
    free_locks += 2;
    (void)pthread_mutex_unlock(&beside.lock);
  }
}

/* Waits until it has begun so often, and so is most likely at it; with the lock held. */
static bool
begins(int count)
{
  int64_t until_ms = rille_sleeper_now_ms() + SOON_MS;

  while (works < count && rille_sleeper_now_ms() < until_ms) {
    rille_sleeper_unlock(&sleeper);
    (void)usleep(1000);
    rille_sleeper_lock(&sleeper);
  }
  return works >= count;
}

/* Waits until it has worked so often; with the lock held. */
static bool
comes_to(int count)
{
  int64_t until_ms = rille_sleeper_now_ms() + SOON_MS;

  while ((works < count || busy) && rille_sleeper_now_ms() < until_ms)
    rille_sleeper_wait(&sleeper, until_ms);
  return works >= count;
}

/* Needed, and asleep without a time. */
static int
start(void **state)
{
  (void)state;
  rille_sleeper_lock(&sleeper);
  again_ms = 0;
  works = rests = 0;
  assert_true(rille_sleeper_need(&sleeper));
  rille_sleeper_ring(&sleeper);
  assert_true(comes_to(1));
  rille_sleeper_unlock(&sleeper);
  return 0;
}

static void
works_when_it_is_rung_and_not_before(void **state)
{
  (void)state;
  rille_sleeper_lock(&sleeper);
  rille_sleeper_wait(&sleeper, rille_sleeper_now_ms() + 100);
  assert_int_equal(works, 1);
  rille_sleeper_ring(&sleeper);
  assert_true(comes_to(2));
  rille_sleeper_unlock(&sleeper);
}

static void
works_at_the_time_that_it_said(void **state)
{
  int64_t began_ms = rille_sleeper_now_ms();

  (void)state;
  rille_sleeper_lock(&sleeper);
  again_ms = began_ms + 150;
  rille_sleeper_ring(&sleeper);
  assert_true(comes_to(2));
  again_ms = 0;
  assert_true(comes_to(3));
  assert_true(rille_sleeper_now_ms() >= began_ms + 150);
  rille_sleeper_unlock(&sleeper);
}

static void
works_once_more_when_it_is_rung_while_it_works(void **state)
{
  (void)state;
  rille_sleeper_lock(&sleeper);
  rille_sleeper_ring(&sleeper);
  assert_true(begins(2));
  rille_sleeper_ring(&sleeper);
  assert_true(comes_to(3));
  rille_sleeper_unlock(&sleeper);
}

/* The code with which the child exits; `then` runs in it. */
static int
fork_and(int (*then)(void))
{
  int status = -1;
  pid_t child;

  (void)fflush(NULL);
  child = fork();
  if (child == 0)
    exit(then());
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static int
works_anew(void)
{
  bool well = !busy && rests == 1 && works == 2 && !sleeper.running;

  rille_sleeper_lock(&sleeper);
  well = well && rille_sleeper_need(&sleeper) && comes_to(3);
  rille_sleeper_unlock(&sleeper);
  rille_sleeper_lock(&beside);
  well = well && rille_sleeper_need(&beside);
  rille_sleeper_unlock(&beside);
  return well ? 0 : 1;
}

static void
rests_for_a_fork_and_is_made_anew_in_the_child(void **state)
{
  (void)state;
  rille_sleeper_lock(&beside);
  assert_true(rille_sleeper_need(&beside));
  rille_sleeper_unlock(&beside);
  rille_sleeper_lock(&sleeper);
  rille_sleeper_ring(&sleeper);
  assert_true(begins(2));
  rille_sleeper_unlock(&sleeper);
  assert_int_equal(fork_and(works_anew), 0);
  assert_int_equal(free_locks, 2); /* that of the one that keeps it is not */
  rille_sleeper_lock(&sleeper);
  rille_sleeper_ring(&sleeper);
  assert_true(comes_to(3));
  rille_sleeper_unlock(&sleeper);
}

static int
is_rung_once_more(void)
{
  rille_sleeper_lock(&sleeper);
  (void)rille_sleeper_need(&sleeper);
  rille_sleeper_ring(&sleeper);
  rille_sleeper_unlock(&sleeper);
  return 0;
}

static void
ends_before_its_process_does(void **state)
{
  char said[10];
  int ends[2];

  (void)state;
  assert_int_equal(pipe(ends), 0);
  out = ends[1];
  assert_int_equal(fork_and(is_rung_once_more), 0);
  out = -1;
  (void)close(ends[1]);
  assert_int_equal(read(ends[0], said, sizeof said), 3);
  (void)close(ends[0]);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(works_when_it_is_rung_and_not_before, start),
    cmocka_unit_test_setup(works_at_the_time_that_it_said, start),
    cmocka_unit_test_setup(works_once_more_when_it_is_rung_while_it_works, start),
    cmocka_unit_test_setup(rests_for_a_fork_and_is_made_anew_in_the_child, start),
    cmocka_unit_test_setup(ends_before_its_process_does, start),
  };

  (void)pthread_atfork(try_locks, NULL, NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
