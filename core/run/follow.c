/* core/run/follow.c - the thread that does the work of all followers, and its life in the process. */
#include "core/run/follow.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "core/run/follow_ends.h"
#include "core/run/follower.h"

enum {
  IDLE_MS = 1000,  /* after which connections are closed */
  FINISH_MS = 1000 /* at the end of the process */
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed; /* for the thread: somebody is due, or it shall stop or park */
  pthread_cond_t quiet;   /* for others: it has ended a batch, or parked */
  bool prepared;          /* what a process needs once is done */
  bool running;           /* the thread */
  pthread_t thread;
  rille_follower *first, *busy;
  uint64_t followers; /* so far */
  int parking;        /* forks that wait for it to hold nothing */
  bool parked;
  bool holding; /* connections */
  bool ending;
  int64_t end_ms;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
lock(void)
{
  (void)pthread_mutex_lock(&all.lock);
}

static void
unlock(void)
{
  (void)pthread_mutex_unlock(&all.lock);
}

/* -- the followers --------------------------------------------------------------------------------------- */

static void
add_follower(rille_follower *follower)
{
  follower->number = ++all.followers;
  follower->next = all.first;
  all.first = follower;
}

static void
free_follower(rille_follower *follower)
{
  rille_follower **at = &all.first;

  while (*at != follower)
    at = &(*at)->next;
  *at = follower->next;
  rille_follower_free(follower);
}

/* The mirror of one may be the source of others. */
static void
ring_those_of(rille_str path)
{
  for (rille_follower *each = all.first; each != NULL; each = each->next)
    if (rille_str_equal(each->source.options.database, path)) {
      atomic_store(&each->rung, true);
      rille_follower_ring(each);
    }
}

/* -- the thread ------------------------------------------------------------------------------------------ */

/* Whoever is due for longest; NULL when nobody is, and then *wake_ms says when somebody will be (0: unknown). */
static rille_follower *
next_due(int64_t now, int64_t *wake_ms)
{
  rille_follower *found = NULL;

  for (rille_follower *each = all.first; each != NULL; each = each->next)
    if (each->due_ms > 0 && (!all.ending || rille_follower_is_wanted(each)) &&
        (found == NULL || each->due_ms < found->due_ms))
      found = each;
  *wake_ms = found != NULL ? found->due_ms : 0;
  return found != NULL && (found->due_ms <= now || all.ending) ? found : NULL;
}

static void
follow(rille_follower *follower)
{
  rille_mirror_outcome outcome;
  rille_fault fault;
  rille_status status;

  if (!follower->tidying)
    atomic_store(&follower->rung, false);
  all.busy = follower;
  all.holding = true;
  unlock();
  status = rille_follower_work(follower, &outcome, &fault);
  lock();
  all.busy = NULL;
  rille_follower_plan(follower, status, &outcome, &fault);
  if (status == RILLE_OK && outcome.transactions > 0)
    ring_those_of(follower->target.options.database);
  if (follower->stopped && !rille_follower_is_wanted(follower))
    free_follower(follower);
  (void)pthread_cond_broadcast(&all.quiet);
}

/* Closes the connections; whose they were may be gone next. */
static void
close_ends(void)
{
  unlock();
  rille_follow_ends_close();
  lock();
  all.holding = false;
  (void)pthread_cond_broadcast(&all.quiet);
}

/* Waits until the time, or (0) for a signal. */
static void
wait_until(pthread_cond_t *condition, int64_t ms)
{
  const struct timespec time = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

  if (ms == 0)
    (void)pthread_cond_wait(condition, &all.lock);
  else
    (void)pthread_cond_timedwait(condition, &all.lock, &time);
}

static void
park(void)
{
  close_ends();
  all.parked = true;
  (void)pthread_cond_broadcast(&all.quiet);
  while (all.parking > 0)
    wait_until(&all.changed, 0);
  all.parked = false;
}

static bool
has_ended(int64_t now)
{
  bool wanted = false;

  for (const rille_follower *each = all.first; each != NULL; each = each->next)
    wanted = wanted || rille_follower_is_wanted(each);
  return all.ending && (!wanted || now >= all.end_ms);
}

static void *
run(void *unused)
{
  int64_t used_ms = rille_follower_now_ms();

  lock();
  while (!has_ended(rille_follower_now_ms())) {
    int64_t now = rille_follower_now_ms(), wake_ms;
    rille_follower *follower = next_due(now, &wake_ms);

    if (all.parking > 0) {
      park();
    } else if (follower != NULL) {
      follow(follower);
      used_ms = rille_follower_now_ms();
    } else if (all.holding && (now - used_ms >= IDLE_MS || all.first == NULL)) {
      close_ends();
    } else {
      if (all.holding && (wake_ms == 0 || wake_ms > used_ms + IDLE_MS))
        wake_ms = used_ms + IDLE_MS;
      wait_until(&all.changed, wake_ms);
    }
  }
  close_ends();
  all.parked = true; /* for good */
  (void)pthread_cond_broadcast(&all.quiet);
  unlock();
  return unused;
}

/* -- the process ----------------------------------------------------------------------------------------- */

/* The library goes away, or the process does. */
static void
finish(void)
{
  bool running;

  lock();
  running = all.running;
  all.ending = true;
  all.end_ms = rille_follower_now_ms() + FINISH_MS;
  (void)pthread_cond_signal(&all.changed);
  unlock();
  if (running)
    (void)pthread_join(all.thread, NULL);
  lock();
  all.running = false;
  for (rille_follower *each = all.first, *next; each != NULL; each = next) {
    next = each->next;
    if (each->stopped)
      free_follower(each);
  }
  unlock();
}

/* A process that forks must not copy connections in use, nor locks that a thread holds which the child lacks. */
static void
before_fork(void)
{
  lock();
  all.parking++;
  (void)pthread_cond_signal(&all.changed);
  while (all.running && !all.parked)
    (void)pthread_cond_wait(&all.quiet, &all.lock);
}

static void
after_fork(void)
{
  all.parking--;
  (void)pthread_cond_signal(&all.changed);
  unlock();
}

static void
make_conditions(void)
{
  pthread_condattr_t attributes;

  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&all.changed, &attributes);
  (void)pthread_cond_init(&all.quiet, &attributes);
  (void)pthread_condattr_destroy(&attributes);
}

static void
after_fork_in_child(void)
{
  make_conditions();
  all.running = all.parked = false;
  all.parking = 0;
  unlock();
}

/* The thread is there; signals are for others. */
static bool
need_thread(void)
{
  sigset_t every, before;

  if (!all.prepared) {
    make_conditions();
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    (void)atexit(finish);
    all.prepared = true;
  }
  if (all.running || all.ending)
    return all.running;
  (void)sigfillset(&every);
  (void)pthread_sigmask(SIG_SETMASK, &every, &before);
  all.running = pthread_create(&all.thread, NULL, run, NULL) == 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return all.running;
}

/* -- for whoever writes ---------------------------------------------------------------------------------- */

rille_status
rille_follow_start(const rille_opening *source, const rille_opening *target, const rille_mirror *mirror,
                   rille_follower **out, rille_fault *fault)
{
  rille_status status = rille_follower_new(source, target, mirror, out, fault);

  if (status == RILLE_OK) {
    lock();
    add_follower(*out);
    unlock();
  }
  return status;
}

void
rille_follow_ring(rille_follower *follower)
{
  if (atomic_exchange(&follower->rung, true))
    return;
  lock();
  if (need_thread() && all.busy != follower) {
    rille_follower_ring(follower);
    (void)pthread_cond_signal(&all.changed);
  }
  unlock();
}

void
rille_follow_hurry(rille_follower *follower)
{
  lock();
  follower->look.failures = 0;
  if (all.busy != follower && follower->due_ms > 0)
    rille_follower_delay(follower, 0);
  (void)pthread_cond_signal(&all.changed);
  unlock();
}

void
rille_follow_see(rille_follower *follower, rille_follow_look *out)
{
  lock();
  *out = follower->look;
  unlock();
}

/* True while the thread has something to do for those that are stopped, or a connection to what may go now. */
static bool
is_unsettled(void)
{
  bool left = false;

  for (const rille_follower *each = all.first; each != NULL; each = each->next)
    left = left || (each->stopped && rille_follower_is_wanted(each));
  return all.running && (left || (all.first == NULL && all.holding));
}

void
rille_follow_settle(void)
{
  int64_t end_ms = rille_follower_now_ms() + FINISH_MS;

  lock();
  (void)pthread_cond_signal(&all.changed);
  while (is_unsettled() && rille_follower_now_ms() < end_ms)
    wait_until(&all.quiet, end_ms);
  unlock();
}

void
rille_follow_stop(rille_follower *follower)
{
  if (follower == NULL)
    return;
  lock();
  follower->stopped = true;
  if (all.busy != follower && (!all.running || !rille_follower_is_wanted(follower)))
    free_follower(follower);
  else if (all.busy != follower && follower->tidying)
    follower->due_ms = rille_follower_now_ms();
  (void)pthread_cond_signal(&all.changed);
  unlock();
}
