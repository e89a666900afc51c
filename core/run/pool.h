/* core/run/pool.h - how many connections to any number of databases may be open; what was used longest ago goes first.
**
** One pool for the whole process, because it counts what the process has: open files.  A seat is one database of one
** host.  It is pinned while something goes on in it and idle otherwise; the connections of an idle seat may be closed
** at any time, by the thread of another host or one that is nobody's, too.  A seat that was closed is opened again when
** it is used again.
**
**   out  --pin-->  pinned  --unpin, with connections-->  idle  --pin-->  pinned
**                                                        idle  --room is needed, or a minute has passed-->  out */
#ifndef RILLE_POOL_H
#define RILLE_POOL_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/base/text.h"

typedef struct rille_pool_settings {
  int max;     /* connections, at least 1 */
  int wait_ms; /* for one to become free */
  int idle_ms; /* after which one that is not used is closed */
} rille_pool_settings;

enum { RILLE_POOL_MAX = 500, RILLE_POOL_WAIT_MS = 5000, RILLE_POOL_IDLE_MS = 60000 };

typedef enum rille_seat_state {
  RILLE_SEAT_OUT,
  RILLE_SEAT_IDLE,
  RILLE_SEAT_PINNED,
  RILLE_SEAT_CLOSING
} rille_seat_state;

/* `path`, `host` and `close` are the caller's to set, the rest is the pool's; zeroed else.  A seat has one thread at a
** time and stays where it is from its first pin to rille_seat_leave. */
typedef struct rille_seat {
  rille_str path;   /* tells databases apart */
  const void *host; /* whose it is: a host has one thread at a time */
  /* Ends the connections.  `foreign`: on the thread of another host, when all else of them stays as it is. */
  void (*close)(struct rille_seat *seat, bool foreign);
  rille_seat_state state;
  bool held;                        /* pinned, as its owner knows without asking */
  bool opening;                     /* its path is being opened, or removed: nobody else does either */
  int open;                         /* connections */
  int64_t pinned_ms, idle_since_ms; /* by a clock that is a few milliseconds late */
  struct rille_seat *newer, *older;
} rille_seat;

typedef struct rille_pool_stats {
  int open, limit;         /* connections */
  int idle, pinned;        /* seats */
  int64_t opened, evicted; /* connections opened and seats closed to make room or for being idle, so far */
} rille_pool_stats;

/* What holds from now on. */
void rille_pool_configure(const rille_pool_settings *settings);

/* Closes what has been idle for longest, if that is too long, as the thread of another host.  Says by the monotonic
** clock, in ms, when there may be more to close; 0: nothing is idle. */
int64_t rille_pool_close_idle(void);

/* How the pool stands. */
rille_pool_stats rille_pool_look(void);

/* Nobody closes the connections of the seat until it is unpinned.  Pinning a pinned seat does nothing. */
void rille_seat_pin(rille_seat *seat);

/* Nothing goes on in the seat any more; for one that is not pinned nothing happens.  What is idle for too long is
** closed by a thread (core/run/idle.h). */
void rille_seat_unpin(rille_seat *seat);

/* Leave to open one more connection of a pinned seat, to be followed by rille_seat_opened.  Closes what was used
** longest ago when there are too many, and waits while another one opens the same path.  `busy` when this host has
** pinned all connections, for it cannot go on while it waits; `timeout` when others held them for the whole time. */
rille_status rille_seat_open(rille_seat *seat, rille_fault *fault);

/* The connection is open, or (`ok` false) it could not be opened. */
void rille_seat_opened(rille_seat *seat, bool ok);

/* To be asked when opening failed: true when the process has run out of open files and some have been closed since, so
** that a second try may succeed. */
bool rille_seat_may_retry(rille_seat *seat);

/* The owner has ended all connections of the pinned seat. */
void rille_seat_closed(rille_seat *seat);

/* The path is this (pinned) seat's alone until rille_seat_opened(seat, false): what others have open at it is closed.
** `busy` when this host has something going on in it, `timeout` when another one had for the whole time. */
rille_status rille_seat_claim(rille_seat *seat, rille_fault *fault);

/* The seat is no more, and its owner has ended all its connections. */
void rille_seat_leave(rille_seat *seat);

#endif
