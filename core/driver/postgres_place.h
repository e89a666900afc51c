/* core/driver/postgres_place.h - where the server is in its history of commits: timeline and position in the WAL. */
#ifndef RILLE_POSTGRES_PLACE_H
#define RILLE_POSTGRES_PLACE_H

#include "core/driver/postgres_conn.h"

enum { RILLE_POSTGRES_LOOKS = 3 }; /* asks of one look */

/* The queries of rille_driver: place and epoch_start. */
extern const char rille_postgres_place[];
extern const char *const rille_postgres_epoch_start[RILLE_EPOCH_STARTS];

/* Adds what looks where the history is, behind what is done: at most RILLE_POSTGRES_LOOKS asks; returns their number.
** `sync`: the statement before it ends a transaction of its own only with a SYNC, and a position read before that
** would not have its commit. */
size_t rille_postgres_look(rille_postgres_conn *conn, bool sync, rille_postgres_ask asks[]);

/* Takes over what such a look saw. */
void rille_postgres_looked(rille_postgres_conn *conn, const rille_postgres_ask *look);

/* A statement is prepared that may let commits of the connection come before they are written: looks then say what was
** inserted into the log.  That may be so for one transaction alone, behind which nobody can tell. */
void rille_postgres_defer(rille_postgres_conn *conn, bool may);

/* The driver's look, track, generation and tracked. */
rille_status rille_postgres_look_now(rille_conn *base, rille_fault *fault);
uint64_t rille_postgres_generation(const rille_conn *base);
void rille_postgres_track(rille_conn *base, bool on);
bool rille_postgres_tracked(rille_conn *base, uint32_t *epoch, uint64_t *position);

#endif
