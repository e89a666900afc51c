/* core/run/sleeper.h - a thread of the process that does what is due, and sleeps until a time or a ring.
**
** It starts when it is first needed; signals are for other threads.  It rests while the process forks, and a child has
** none until it needs one.  When the process ends, or the library goes away, that waits until the thread has ended. */
#ifndef RILLE_SLEEPER_H
#define RILLE_SLEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { RILLE_SLEEPER_END = -1 };

/* Static.  The first four are its owner's to set (`lock` by PTHREAD_MUTEX_INITIALIZER); all others are for it to read
** under the lock, `running` without it, too. */
typedef struct rille_sleeper {
  /* Does one thing, if one is due; called with the lock, which it may give back meanwhile.  Says at what time it wants
  ** to be called again if nobody rings before (0: at none), or RILLE_SLEEPER_END once `end_ms` is set. */
  int64_t (*work)(void);
  /* Gives back what no child may copy; called as `work` is.  NULL: between two calls of `work` it holds nothing. */
  void (*rest)(void);
  bool keeps_lock; /* while the process forks: what it guards must be whole in the child */
  pthread_mutex_t lock;
  pthread_cond_t changed; /* for the thread: it was rung for */
  pthread_cond_t quiet;   /* for others: it has done a thing, or rests */
  atomic_bool running;    /* the thread */
  int64_t end_ms;         /* when it was told to end; 0: it was not */
  bool known, rung, resting;
  int forks; /* that it rests for */
  pthread_t thread;
  struct rille_sleeper *older;
} rille_sleeper;

/* A clock that nobody sets. */
int64_t rille_sleeper_now_ms(void);

/* The lock, for what its owner shares with the thread, too: held for a moment only, since forks wait for it. */
void rille_sleeper_lock(rille_sleeper *sleeper);

/* Gives it back. */
void rille_sleeper_unlock(rille_sleeper *sleeper);

/* -- with the lock held ---------------------------------------------------------------------------------- */

/* Starts the thread, unless it is there; false: there is none, for it could not be made or has been told to end. */
bool rille_sleeper_need(rille_sleeper *sleeper);

/* What `work` looks at has changed; without a thread nothing happens. */
void rille_sleeper_ring(rille_sleeper *sleeper);

/* Waits until the thread has done a thing, until the time at most. */
void rille_sleeper_wait(rille_sleeper *sleeper, int64_t until_ms);

#endif
