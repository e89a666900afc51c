/* core/run/idle.c - asleep until what has been idle for longest may be due; the pool says when that is. */
#include "core/run/idle.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "core/run/pool.h"

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed; /* for the thread: it was rung for, or shall stop or rest */
  pthread_cond_t quiet;   /* for others: it closes nothing */
  bool prepared;          /* what a process needs once is done */
  bool running;           /* the thread */
  bool rung, busy, ending;
  int parking; /* forks that wait for it to close nothing */
  pthread_t thread;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The thread will look again by itself, after whatever became idle before this was read. */
static atomic_bool watching;

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

/* -- the thread ------------------------------------------------------------------------------------------ */

static bool
is_due(int64_t wake_ms)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return all.rung || (wake_ms > 0 && (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= wake_ms);
}

/* Waits until the time, or (0) for a signal. */
static void
wait_until(int64_t ms)
{
  const struct timespec time = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

  if (ms == 0)
    (void)pthread_cond_wait(&all.changed, &all.lock);
  else
    (void)pthread_cond_timedwait(&all.changed, &all.lock, &time);
}

/* One look at the pool.  What becomes idle from here on rings, until it is known that there will be another look. */
static int64_t
look(void)
{
  int64_t wake_ms;

  all.rung = false;
  all.busy = true;
  unlock();
  atomic_store(&watching, false);
  wake_ms = rille_pool_close_idle();
  if (wake_ms > 0)
    atomic_store(&watching, true);
  lock();
  all.busy = false;
  (void)pthread_cond_broadcast(&all.quiet);
  return wake_ms;
}

static void *
run(void *unused)
{
  int64_t wake_ms = 0;

  lock();
  while (!all.ending) {
    if (all.parking > 0)
      wait_until(0);
    else if (is_due(wake_ms))
      wake_ms = look();
    else
      wait_until(wake_ms);
  }
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
  (void)pthread_cond_signal(&all.changed);
  unlock();
  if (running)
    (void)pthread_join(all.thread, NULL);
}

/* A process that forks must not copy connections that are half closed.  The lock is not kept until it has forked, for
** other threads may need it to come to rest; the child's is made anew. */
static void
before_fork(void)
{
  lock();
  all.parking++;
  while (all.busy)
    (void)pthread_cond_wait(&all.quiet, &all.lock);
  unlock();
}

static void
after_fork(void)
{
  lock();
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
  (void)pthread_mutex_init(&all.lock, NULL);
  make_conditions();
  all.running = all.rung = all.busy = false;
  all.parking = 0;
  atomic_store(&watching, false);
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

/* -- for the pool ---------------------------------------------------------------------------------------- */

void
rille_idle_watch(void)
{
  if (atomic_load(&watching))
    return;
  lock();
  if (need_thread()) {
    atomic_store(&watching, true);
    all.rung = true;
    (void)pthread_cond_signal(&all.changed);
  }
  unlock();
}

void
rille_idle_ring(void)
{
  lock();
  all.rung = all.running;
  if (all.running)
    (void)pthread_cond_signal(&all.changed);
  unlock();
}
