/* core/run/idle.h - a thread of the process that closes what has been idle in the pool for too long.
**
** It starts when something first becomes idle, sleeps until that may be due, and without end where nothing is idle.
** It touches no Lua state: what it closes it closes as the thread of another host (core/run/pool.h).  A child of fork()
** has one of its own when it needs one; with the process it ends at once. */
#ifndef RILLE_IDLE_H
#define RILLE_IDLE_H

/* Something is idle.  Costs a look at a number while the thread knows that it will look again. */
void rille_idle_watch(void);

/* What is too long has changed: a thread that is there looks again. */
void rille_idle_ring(void);

#endif
