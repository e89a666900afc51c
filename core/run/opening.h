/* core/run/opening.h - all that is said of how a database is opened, so that all its connections are the same. */
#ifndef RILLE_OPENING_H
#define RILLE_OPENING_H

#include "core/run/connection.h"

typedef struct rille_opening {
  const rille_driver *driver;
  rille_open_options options;
  const rille_str *pragmas; /* statements, each run once on the connection */
  size_t pragma_count;
} rille_opening;

/* A new connection, which is the caller's.  Where the file says that it is mirrored (its table "rille_mirrors"), the
** connection fills its outbox, whoever opens it. */
rille_status rille_opening_connect(const rille_opening *opening, rille_connection **out, rille_fault *fault);

/* A copy whose texts and lists are in the arena; ask rille_arena_ok() once, at the end. */
rille_opening rille_opening_copy(const rille_opening *opening, rille_arena *arena);

#endif
