/* core/run/sleeper.c - the sleepers of the process in a list, by which forks and its end find them. */
#include "core/run/sleeper.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

static _Atomic(rille_sleeper *) newest;      /* of those that were ever needed */
static _Thread_local rille_sleeper *resting; /* the newest of those that rest for this thread, which forks */

int64_t
rille_sleeper_now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
rille_sleeper_lock(rille_sleeper *sleeper)
{
  (void)pthread_mutex_lock(&sleeper->lock);
}

void
rille_sleeper_unlock(rille_sleeper *sleeper)
{
  (void)pthread_mutex_unlock(&sleeper->lock);
}

void
rille_sleeper_ring(rille_sleeper *sleeper)
{
  if (!sleeper->running)
    return;
  sleeper->rung = true;
  (void)pthread_cond_signal(&sleeper->changed);
}

/* Waits until the time, or (0) for a signal. */
static void
wait_for(pthread_cond_t *condition, rille_sleeper *sleeper, int64_t until_ms)
{
  const struct timespec time = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };

  if (until_ms == 0)
    (void)pthread_cond_wait(condition, &sleeper->lock);
  else
    (void)pthread_cond_timedwait(condition, &sleeper->lock, &time);
}

void
rille_sleeper_wait(rille_sleeper *sleeper, int64_t until_ms)
{
  wait_for(&sleeper->quiet, sleeper, until_ms);
}

/* -- the thread ------------------------------------------------------------------------------------------ */

static void
rest(rille_sleeper *sleeper)
{
  if (sleeper->rest != NULL)
    sleeper->rest();
  sleeper->resting = true;
  (void)pthread_cond_broadcast(&sleeper->quiet);
  while (sleeper->forks > 0)
    wait_for(&sleeper->changed, sleeper, 0);
  sleeper->resting = false;
}

static void *
run(void *argument)
{
  rille_sleeper *sleeper = argument;
  int64_t wake_ms = 0;

  rille_sleeper_lock(sleeper);
  while (wake_ms != RILLE_SLEEPER_END) {
    if (sleeper->forks > 0)
      rest(sleeper);
    sleeper->rung = false;
    wake_ms = sleeper->work();
    (void)pthread_cond_broadcast(&sleeper->quiet);
    if (!sleeper->rung && wake_ms != RILLE_SLEEPER_END)
      wait_for(&sleeper->changed, sleeper, wake_ms);
  }
  sleeper->running = false;
  rille_sleeper_unlock(sleeper);
  return NULL;
}

/* -- the process ----------------------------------------------------------------------------------------- */

/* A process that forks must not copy connections in use.  Where the lock is not kept, other threads may need it to come
** to rest; the child's is made anew. */
static void
before_fork(void)
{
  resting = atomic_load(&newest);
  for (rille_sleeper *each = resting; each != NULL; each = each->older) {
    rille_sleeper_lock(each);
    each->forks++;
    rille_sleeper_ring(each);
    while (each->running && !each->resting)
      rille_sleeper_wait(each, 0);
    if (!each->keeps_lock)
      rille_sleeper_unlock(each);
  }
}

static void
after_fork(void)
{
  for (rille_sleeper *each = resting; each != NULL; each = each->older) {
    if (!each->keeps_lock)
      rille_sleeper_lock(each);
    each->forks--;
    rille_sleeper_ring(each);
    rille_sleeper_unlock(each);
  }
}

static void
make_conditions(rille_sleeper *sleeper)
{
  pthread_condattr_t attributes;

  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&sleeper->changed, &attributes);
  (void)pthread_cond_init(&sleeper->quiet, &attributes);
  (void)pthread_condattr_destroy(&attributes);
}

static void
after_fork_in_child(void)
{
  for (rille_sleeper *each = resting; each != NULL; each = each->older) {
    make_conditions(each);
    each->running = each->resting = false;
    each->forks = 0;
    if (each->keeps_lock)
      rille_sleeper_unlock(each);
    else
      (void)pthread_mutex_init(&each->lock, NULL);
  }
}

static void
end(rille_sleeper *sleeper)
{
  bool running;

  rille_sleeper_lock(sleeper);
  running = sleeper->running;
  sleeper->end_ms = rille_sleeper_now_ms();
  rille_sleeper_ring(sleeper);
  rille_sleeper_unlock(sleeper);
  if (running)
    (void)pthread_join(sleeper->thread, NULL);
}

/* One that ends may need another one for the first time. */
static void
end_all(void)
{
  rille_sleeper *ended = NULL, *first;

  while ((first = atomic_load(&newest)) != ended) {
    for (rille_sleeper *each = first; each != ended; each = each->older)
      end(each);
    ended = first;
  }
}

static void
prepare(void)
{
  (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
  (void)atexit(end_all);
}

static void
make_known(rille_sleeper *sleeper)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  (void)pthread_once(&once, prepare);
  make_conditions(sleeper);
  sleeper->older = atomic_load(&newest);
  while (!atomic_compare_exchange_weak(&newest, &sleeper->older, sleeper))
    ;
  sleeper->known = true;
}

bool
rille_sleeper_need(rille_sleeper *sleeper)
{
  sigset_t every, before;

  if (!sleeper->known)
    make_known(sleeper);
  if (sleeper->running || sleeper->end_ms > 0)
    return sleeper->running;
  (void)sigfillset(&every);
  (void)pthread_sigmask(SIG_SETMASK, &every, &before);
  sleeper->running = pthread_create(&sleeper->thread, NULL, run, sleeper) == 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return sleeper->running;
}
