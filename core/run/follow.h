/* core/run/follow.h - mirrors brought up to their sources by one thread of the process, when something is committed.
**
** The thread starts when it is first needed and has connections of its own: one to a source and one to a mirror at a
** time, both from the pool.  It touches no Lua state.  A mirror that is down is tried again after longer and longer
** pauses; what cannot be applied is tried three times more and then set aside.  At the end of the process it has a
** second to finish; what is not done by then is in the outbox, for whoever opens the source next. */
#ifndef RILLE_FOLLOW_H
#define RILLE_FOLLOW_H

#include "core/run/mirror.h"
#include "core/run/opening.h"

typedef struct rille_follower rille_follower;

typedef struct rille_follow_look {
  int failures;      /* in a row; 0: all is well */
  rille_fault fault; /* the last of them */
} rille_follow_look;

/* Follows `mirror`, whose connections are not looked at; all is copied.  RILLE_OK: *out is the caller's, who ends it
** with rille_follow_stop.  Nothing is done before it is rung. */
rille_status rille_follow_start(const rille_opening *source, const rille_opening *target, const rille_mirror *mirror,
                                rille_follower **out, rille_fault *fault);

/* There may be something to apply.  Costs an atomic exchange, and a signal when the thread may be asleep. */
void rille_follow_ring(rille_follower *follower);

/* The mirror was mended: what failed is tried again now. */
void rille_follow_hurry(rille_follower *follower);

/* How it goes. */
void rille_follow_see(rille_follower *follower, rille_follow_look *out);

/* Waits, a second at most, until what was rung for by those that are stopped is done, and, where nobody is followed any
** more, until nothing is open: for who says that all ends. */
void rille_follow_settle(void);

/* Nobody rings any more.  What was rung for is still done, unless the mirror is down.  NULL is ignored. */
void rille_follow_stop(rille_follower *follower);

#endif
