/* core/run/follow_ends.h - the two connections of the thread that follows: to a source, and to its mirror.
**
** They come from the pool, so whoever wants to remove or replace a database can close them while they are not used.
** One thread only. */
#ifndef RILLE_FOLLOW_ENDS_H
#define RILLE_FOLLOW_ENDS_H

#include "core/run/opening.h"

/* Connections as said, kept from the last time where it was for the same `whose`, which is not 0; nobody closes them
** until rille_follow_ends_rest.  RILLE_OK: both are there, else neither is held. */
rille_status rille_follow_ends_open(uint64_t whose, const rille_opening *source, const rille_opening *target,
                                    rille_connection **source_out, rille_connection **target_out, rille_fault *fault);

/* They are not used for now. */
void rille_follow_ends_rest(void);

/* Closes them, be they used or not; where there are none nothing happens. */
void rille_follow_ends_close(void);

#endif
