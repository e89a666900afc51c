/* core/run/follower.h - one who is followed: what it has to do next, and when.
**
** A follower has nothing to do until it is rung; then it is due, a moment later, so that one batch takes several
** commits.  After a failure it is due later and later, however often it is rung.  When nothing more came for a while it
** is due once more, to empty the outbox.
**
** follow.c holds a lock for all followers around all but rille_follower_work; only `rung` may be set without it. */
#ifndef RILLE_FOLLOWER_H
#define RILLE_FOLLOWER_H

#include <stdatomic.h>

#include "core/run/follow.h"

struct rille_follower {
  struct rille_follower *next; /* follow.c's */
  uint64_t number;             /* no other one had it before */
  rille_arena arena;           /* of what it was told */
  rille_opening source, target;
  rille_mirror mirror;
  atomic_bool rung; /* since it was looked at last */
  int64_t due_ms;   /* by rille_sleeper_now_ms; 0: there is nothing to do */
  bool tidying;     /* that is all there is to do */
  bool stopped;     /* nobody has it any more */
  int tries;        /* of one transaction */
  int64_t untidy, seq;
  rille_follow_look look;
};

/* Copies all that it is told; RILLE_OK: *out is the caller's, and of no list. */
rille_status rille_follower_new(const rille_opening *source, const rille_opening *target, const rille_mirror *mirror,
                                rille_follower **out, rille_fault *fault);
void rille_follower_free(rille_follower *follower);

/* It has something to do, and reason to think that it can be done: a process that ends waits for that. */
bool rille_follower_is_wanted(const rille_follower *follower);

/* Its mirror or what it comes from has changed: it is due soon, unless it waits after a failure. */
void rille_follower_ring(rille_follower *follower);

/* It is due in so many milliseconds, to apply what there is. */
void rille_follower_delay(rille_follower *follower, int64_t ms);

/* Does one batch, and takes its time; its connections stay open (core/run/follow_ends.h). */
rille_status rille_follower_work(rille_follower *follower, rille_mirror_outcome *out, rille_fault *fault);

/* Decides what comes next, by how the batch went. */
void rille_follower_plan(rille_follower *follower, rille_status status, const rille_mirror_outcome *out,
                         const rille_fault *fault);

#endif
