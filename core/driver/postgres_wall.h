/* core/driver/postgres_wall.h - whose rows a statement sees, where row-level security keeps those of tenants apart. */
#ifndef RILLE_POSTGRES_WALL_H
#define RILLE_POSTGRES_WALL_H

#include "core/driver/postgres_stmt.h"

enum { RILLE_POSTGRES_WALLS = 2 }; /* asks that tell the server */

/* The driver's whose. */
void rille_postgres_whose(rille_stmt *base, rille_str tenant, rille_str everybody);

/* Adds what tells the server whose rows the statement sees, right before it: at most RILLE_POSTGRES_WALLS asks, none
** where that was not said, or where the server knows it; returns their number. */
size_t rille_postgres_wall(rille_postgres_stmt *stmt, rille_postgres_ask asks[]);

/* Takes over what came of such asks among others.  *stale: one failed for the server had forgotten it, and is asked in
** another way the next time. */
rille_status rille_postgres_walled(rille_postgres_conn *conn, const rille_postgres_ask asks[], size_t count,
                                   bool *stale, rille_fault *fault);

/* The fault of a statement of which it was said whose rows it sees, in the words that the core has for another
** tenant's rows; returns its kind, which may be another one. */
rille_status rille_postgres_wall_fault(const PGresult *result, rille_status status, rille_fault *fault);

#endif
