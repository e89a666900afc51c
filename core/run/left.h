/* core/run/left.h - where this process left the databases that it counted for, so that it goes on there.
**
** A process goes on with its epoch when it opens a file again that nobody has touched: the time of the last change of
** its inode says so, which no copying sets back.  What it cannot see is a whole file system that was rolled back to the
** moment at which the process left the file, while others have written since. */
#ifndef RILLE_LEFT_H
#define RILLE_LEFT_H

#include "core/run/connection.h"

/* True when the database is where this process left it.  What others counted since could have been counted twice, with
** a backup put back in between: be it one of that very place. */
bool rille_left_goes_on(rille_connection *connection, const rille_place *now);

/* A commit was counted. */
void rille_left_note(const rille_connection *connection);

/* Around the closing of a connection, for connection.c. */
typedef struct rille_leaving {
  const rille_driver *driver;
  uint64_t cluster; /* 0: it counted nothing */
  char *path;
  rille_file_mark before;
} rille_leaving;
rille_leaving rille_left_begin(const rille_connection *connection);
void rille_left_end(rille_leaving *leaving);

#endif
