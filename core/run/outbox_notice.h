/* core/run/outbox_notice.h - notices that a database is mirrored since the connection was opened.
**
** Who says first that it is makes the outbox's tables, so the schema changes: SQLite then makes a statement anew in the
** middle of its step.  That is seen behind the step, at the cost of reading a number; nobody asks before it. */
#ifndef RILLE_OUTBOX_NOTICE_H
#define RILLE_OUTBOX_NOTICE_H

#include "core/run/connection.h"

/* Behind a step, which gave `status`, of a statement that changes rows on a connection without an outbox.  The same
** status; or, inside a transaction of a database that is mirrored by now, RILLE_SERIALIZATION_FAILURE, and the
** transaction cannot be committed.  What was not in one is counted as rows that were skipped. */
rille_status rille_outbox_notice(rille_connection *connection, rille_statement *statement, rille_status status,
                                 rille_fault *fault);

/* The connection fills the outbox from now on, where that was noticed.  Nothing happens while something is open. */
void rille_outbox_catch_up(rille_connection *connection);

#endif
