/* core/run/era.h - eras of a database that does not count by itself: while one lasts, no backup was put into it.
**
** A backup that is copied into an open database makes the version of its schema a greater one, and so does a change of
** the schema.  The table "rille_era" has the version that rille itself left last (`schema`), and the one with which the
** era began (`since`): where the database has another one, a backup was put there, or another program has changed the
** schema, and a new era has begun.  What the backup brought of the table tells nothing else: a version never comes
** back. */
#ifndef RILLE_ERA_H
#define RILLE_ERA_H

#include "core/run/connection.h"

/* Says which era it is.  `statement` has just been stepped and is not at its end: what it saw is what is looked at.
** Where the schema is as it saw it last, nothing is read. */
rille_status rille_era_read(rille_connection *connection, rille_statement *statement, int64_t *era, rille_fault *fault);

/* True when the database has a history, and so eras of its own. */
bool rille_era_is_kept(rille_connection *connection);

/* Before something changes the schema inside a transaction, which is counted then: this is no new era.  Nothing happens
** where none are kept. */
rille_status rille_era_before_change(rille_connection *connection, rille_fault *fault);

/* Inside a transaction that writes, where the schema may be another one than when this connection counted last: writes
** its version down, and makes the table where it is missing.  *begun says that a new era had begun before it. */
rille_status rille_era_note(rille_connection *connection, bool *begun, rille_fault *fault);

/* Around a VACUUM, which makes the version one greater: false when there is nothing to be done behind it.  That may
** fail: then a new era has begun. */
bool rille_era_before_vacuum(rille_connection *connection, int64_t *version);
void rille_era_after_vacuum(rille_connection *connection, int64_t version);

#endif
