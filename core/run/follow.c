/* core/run/follow.c - who is followed, when their turn comes, and the thread that does it.
**
** A follower has nothing to do until it is rung; then it is due, a moment later, so that one batch takes several
** commits.  After a failure it is due later and later, however often it is rung. */
#include "core/run/follow.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/run/follow_ends.h"
#include "core/run/turn.h"

enum {
  BATCH = 1000,      /* transactions at once, before others have their turn */
  LINGER_MS = 10,    /* for more to come */
  TIDY_MS = 100,     /* without more to apply: the outbox is emptied, which takes the source's lock */
  TIDY_AFTER = 2000, /* transactions that were applied: it is emptied all the same */
  IDLE_MS = 1000,    /* after which connections are closed */
  PAUSE_MS = 50,     /* after the first failure, doubled with each more */
  PAUSE_MOST_MS = 30000,
  FINISH_MS = 1000 /* at the end of the process */
};

/* Before a transaction is tried again; then it is set aside. */
static const int again_ms[] = { 10, 40, 160 };
enum { TRIES = sizeof again_ms / sizeof again_ms[0] };

struct rille_follower {
  struct rille_follower *next;
  uint64_t number;   /* no other one had it before */
  rille_arena arena; /* of what it was told */
  rille_opening source, target;
  rille_mirror mirror;
  atomic_bool rung; /* since it was looked at last */
  int64_t due_ms;   /* 0: there is nothing to do */
  bool tidying;     /* that is all there is to do */
  bool stopped;     /* nobody has it any more */
  int tries;        /* of one transaction */
  int64_t untidy, seq;
  rille_follow_look look;
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

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

/* -- one follower ---------------------------------------------------------------------------------------- */

static void
free_follower(rille_follower *follower)
{
  rille_follower **at = &all.first;

  while (*at != follower)
    at = &(*at)->next;
  *at = follower->next;
  rille_arena_release(&follower->arena);
  rille_memory_free(follower);
}

/* Something to do, and reason to think that it can be done: a process that ends waits for that. */
static bool
is_wanted(const rille_follower *follower)
{
  return follower->due_ms > 0 && follower->look.failures == 0;
}

static void
delay(rille_follower *follower, int64_t ms)
{
  follower->due_ms = now_ms() + ms;
  follower->tidying = false;
}

/* One batch, without the lock. */
static rille_status
work(rille_follower *follower, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror mirror = follower->mirror;
  rille_turn turn;
  rille_status status = rille_follow_ends_open(follower->number, &follower->source, &follower->target, &mirror.source,
                                               &mirror.target, fault);

  *out = (rille_mirror_outcome){ 0 };
  if (status != RILLE_OK)
    return status;
  if (follower->tidying) {
    rille_mirror_tidy(&mirror, follower->seq);
    follower->untidy = 0;
  } else {
    rille_turn_take(&turn, follower->target.options.database);
    status = rille_mirror_apply(&mirror, BATCH, follower->tries > TRIES, out, fault);
    rille_turn_leave(&turn);
  }
  rille_follow_ends_rest();
  return status;
}

/* What comes next for it, by how the batch went. */
static void
plan(rille_follower *follower, rille_status status, const rille_mirror_outcome *out, const rille_fault *fault)
{
  bool blocked = status != RILLE_OK && out->blocked > 0;

  if (status != RILLE_OK && !blocked) {
    int doubled = follower->look.failures < 10 ? follower->look.failures : 10;

    follower->look.failures++;
    follower->look.fault = *fault;
    delay(follower, PAUSE_MS << doubled < PAUSE_MOST_MS ? PAUSE_MS << doubled : PAUSE_MOST_MS);
    return;
  }
  follower->look.failures = 0;
  if (blocked) {
    delay(follower, follower->tries < TRIES ? again_ms[follower->tries] : 0);
    follower->tries++;
    return;
  }
  if (out->transactions > 0) {
    follower->untidy += out->transactions;
    follower->seq = out->seq;
  }
  if (out->more || follower->tries > 0)
    delay(follower, 0);
  else if (atomic_load(&follower->rung))
    delay(follower, LINGER_MS);
  else
    follower->due_ms = 0;
  follower->tries = 0;
  if (follower->untidy > 0 && (follower->due_ms == 0 || follower->untidy >= TIDY_AFTER)) {
    delay(follower, follower->due_ms == 0 && !follower->stopped ? TIDY_MS : 0);
    follower->tidying = true;
  }
}

static void
ring(rille_follower *follower)
{
  if (follower->look.failures == 0 && (follower->due_ms == 0 || follower->tidying))
    delay(follower, follower->untidy >= TIDY_AFTER ? 0 : LINGER_MS);
}

/* The mirror of one may be the source of others. */
static void
ring_those_of(rille_str path)
{
  for (rille_follower *each = all.first; each != NULL; each = each->next)
    if (rille_str_equal(each->source.options.database, path)) {
      atomic_store(&each->rung, true);
      ring(each);
    }
}

/* -- the thread ------------------------------------------------------------------------------------------ */

/* Whoever is due for longest; NULL when nobody is, and then *wake_ms says when somebody will be (0: unknown). */
static rille_follower *
next_due(int64_t now, int64_t *wake_ms)
{
  rille_follower *found = NULL;

  for (rille_follower *each = all.first; each != NULL; each = each->next)
    if (each->due_ms > 0 && (!all.ending || is_wanted(each)) && (found == NULL || each->due_ms < found->due_ms))
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
  status = work(follower, &outcome, &fault);
  lock();
  all.busy = NULL;
  plan(follower, status, &outcome, &fault);
  if (status == RILLE_OK && outcome.transactions > 0)
    ring_those_of(follower->target.options.database);
  if (follower->stopped && !is_wanted(follower))
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
    wanted = wanted || is_wanted(each);
  return all.ending && (!wanted || now >= all.end_ms);
}

static void *
run(void *unused)
{
  int64_t used_ms = now_ms();

  lock();
  while (!has_ended(now_ms())) {
    int64_t now = now_ms(), wake_ms;
    rille_follower *follower = next_due(now, &wake_ms);

    if (all.parking > 0) {
      park();
    } else if (follower != NULL) {
      follow(follower);
      used_ms = now_ms();
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
  all.end_ms = now_ms() + FINISH_MS;
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
  rille_follower *follower = rille_memory_get(sizeof *follower);
  rille_arena *arena;
  rille_str *tables;

  if (follower == NULL)
    return rille_fault_no_memory(fault);
  arena = &follower->arena;
  rille_arena_init(arena);
  follower->source = rille_opening_copy(source, arena);
  follower->source.options.existing = true; /* one that was dropped stays so */
  follower->target = rille_opening_copy(target, arena);
  tables = rille_arena_get(arena, mirror->table_count * sizeof *tables);
  for (size_t i = 0; tables != NULL && i < mirror->table_count; i++)
    tables[i] = rille_arena_copy(arena, mirror->tables[i]);
  follower->mirror = (rille_mirror){ .name = rille_arena_copy(arena, mirror->name),
                                     .source_name = rille_arena_copy(arena, mirror->source_name),
                                     .tables = tables,
                                     .table_count = mirror->table_count,
                                     .untidy = true };
  if (!rille_arena_ok(arena)) {
    rille_arena_release(arena);
    rille_memory_free(follower);
    return rille_fault_no_memory(fault);
  }
  lock();
  follower->number = ++all.followers;
  follower->next = all.first;
  all.first = follower;
  unlock();
  *out = follower;
  return RILLE_OK;
}

void
rille_follow_ring(rille_follower *follower)
{
  if (atomic_exchange(&follower->rung, true))
    return;
  lock();
  if (need_thread() && all.busy != follower) {
    ring(follower);
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
    delay(follower, 0);
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
    left = left || (each->stopped && is_wanted(each));
  return all.running && (left || (all.first == NULL && all.holding));
}

void
rille_follow_settle(void)
{
  int64_t end_ms = now_ms() + FINISH_MS;

  lock();
  (void)pthread_cond_signal(&all.changed);
  while (is_unsettled() && now_ms() < end_ms)
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
  if (all.busy != follower && (!all.running || !is_wanted(follower)))
    free_follower(follower);
  else if (all.busy != follower && follower->tidying)
    follower->due_ms = now_ms();
  (void)pthread_cond_signal(&all.changed);
  unlock();
}
