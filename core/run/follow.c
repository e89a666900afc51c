/* core/run/follow.c - the thread that does the work of all followers, whoever is due for longest first. */
#include "core/run/follow.h"

#include "core/run/follow_ends.h"
#include "core/run/follower.h"
#include "core/run/sleeper.h"

enum {
  IDLE_MS = 1000,  /* after which connections are closed */
  FINISH_MS = 1000 /* at the end of the process */
};

static int64_t work(void);
static void close_ends(void);

static rille_sleeper sleeper = {
  .work = work, .rest = close_ends, .keeps_lock = true, .lock = PTHREAD_MUTEX_INITIALIZER
};

static struct {
  rille_follower *first, *busy;
  uint64_t followers; /* so far */
  bool holding;       /* connections */
  int64_t used_ms;    /* when it was done with them */
} all;

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
  bool ending = sleeper.end_ms > 0;
  rille_follower *found = NULL;

  for (rille_follower *each = all.first; each != NULL; each = each->next)
    if (each->due_ms > 0 && (!ending || rille_follower_is_wanted(each)) &&
        (found == NULL || each->due_ms < found->due_ms))
      found = each;
  *wake_ms = found != NULL ? found->due_ms : 0;
  return found != NULL && (found->due_ms <= now || ending) ? found : NULL;
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
  rille_sleeper_unlock(&sleeper);
  status = rille_follower_work(follower, &outcome, &fault);
  rille_sleeper_lock(&sleeper);
  all.busy = NULL;
  all.used_ms = rille_sleeper_now_ms();
  rille_follower_plan(follower, status, &outcome, &fault);
  if (status == RILLE_OK && outcome.transactions > 0)
    ring_those_of(follower->target.options.database);
  if (follower->stopped && !rille_follower_is_wanted(follower))
    free_follower(follower);
}

/* Closes the connections; whose they were may be gone next. */
static void
close_ends(void)
{
  rille_sleeper_unlock(&sleeper);
  rille_follow_ends_close();
  rille_sleeper_lock(&sleeper);
  all.holding = false;
}

static void
finish(void)
{
  close_ends();
  for (rille_follower *each = all.first, *next; each != NULL; each = next) {
    next = each->next;
    if (each->stopped)
      free_follower(each);
  }
}

static int64_t
work(void)
{
  int64_t now = rille_sleeper_now_ms(), wake_ms;
  rille_follower *follower = next_due(now, &wake_ms);

  if (sleeper.end_ms > 0 && (follower == NULL || now >= sleeper.end_ms + FINISH_MS)) {
    finish();
    return RILLE_SLEEPER_END;
  }
  if (follower != NULL) {
    follow(follower);
    return now; /* there may be more */
  }
  if (all.holding && (now - all.used_ms >= IDLE_MS || all.first == NULL))
    close_ends();
  else if (all.holding && (wake_ms == 0 || wake_ms > all.used_ms + IDLE_MS))
    wake_ms = all.used_ms + IDLE_MS;
  return wake_ms;
}

/* -- for whoever writes ---------------------------------------------------------------------------------- */

rille_status
rille_follow_start(const rille_opening *source, const rille_opening *target, const rille_mirror *mirror,
                   rille_follower **out, rille_fault *fault)
{
  rille_status status = rille_follower_new(source, target, mirror, out, fault);

  if (status == RILLE_OK) {
    rille_sleeper_lock(&sleeper);
    add_follower(*out);
    rille_sleeper_unlock(&sleeper);
  }
  return status;
}

void
rille_follow_ring(rille_follower *follower)
{
  if (atomic_exchange(&follower->rung, true))
    return;
  rille_sleeper_lock(&sleeper);
  if (rille_sleeper_need(&sleeper) && all.busy != follower) {
    rille_follower_ring(follower);
    rille_sleeper_ring(&sleeper);
  }
  rille_sleeper_unlock(&sleeper);
}

void
rille_follow_hurry(rille_follower *follower)
{
  rille_sleeper_lock(&sleeper);
  follower->look.failures = 0;
  if (all.busy != follower && follower->due_ms > 0)
    rille_follower_delay(follower, 0);
  rille_sleeper_ring(&sleeper);
  rille_sleeper_unlock(&sleeper);
}

void
rille_follow_see(rille_follower *follower, rille_follow_look *out)
{
  rille_sleeper_lock(&sleeper);
  *out = follower->look;
  rille_sleeper_unlock(&sleeper);
}

/* True while the thread has something to do for those that are stopped, or a connection to what may go now. */
static bool
is_unsettled(void)
{
  bool left = false;

  for (const rille_follower *each = all.first; each != NULL; each = each->next)
    left = left || (each->stopped && rille_follower_is_wanted(each));
  return sleeper.running && (left || (all.first == NULL && all.holding));
}

void
rille_follow_settle(void)
{
  int64_t end_ms = rille_sleeper_now_ms() + FINISH_MS;

  rille_sleeper_lock(&sleeper);
  rille_sleeper_ring(&sleeper);
  while (is_unsettled() && rille_sleeper_now_ms() < end_ms)
    rille_sleeper_wait(&sleeper, end_ms);
  rille_sleeper_unlock(&sleeper);
}

void
rille_follow_stop(rille_follower *follower)
{
  if (follower == NULL)
    return;
  rille_sleeper_lock(&sleeper);
  follower->stopped = true;
  if (all.busy != follower && (!sleeper.running || !rille_follower_is_wanted(follower)))
    free_follower(follower);
  else if (all.busy != follower && follower->tidying)
    follower->due_ms = rille_sleeper_now_ms();
  rille_sleeper_ring(&sleeper);
  rille_sleeper_unlock(&sleeper);
}
