/* core/run/outbox.h - what a connection writes, kept in the same transaction for its mirrors.
**
** The driver tells of each row; they are written down (core/base/change.h) and become one row of the table
** "rille_outbox" when the outermost transaction commits: what is committed is in the outbox, and nothing else is. */
#ifndef RILLE_OUTBOX_H
#define RILLE_OUTBOX_H

#include "core/run/connection.h"

/* What becomes of the changes that are made now. */
typedef enum rille_outbox_mode {
  RILLE_OUTBOX_KEEP,
  RILLE_OUTBOX_SKIP, /* only counted, by table, in "rille_mirror_skips" */
  RILLE_OUTBOX_QUIET /* not even that */
} rille_outbox_mode;

/* Makes the tables of an outbox where they are not there, and a number by which mirrors tell this database from another
** one that has its name later. */
rille_status rille_outbox_create(rille_connection *connection, rille_fault *fault);

/* From now on the connection, on which nothing is open, fills the outbox: with changes of the `count` tables named, of
** all of them when that is 0.  Left out are tables whose names begin with "rille_" or "sqlite_", and virtual ones with
** their shadows.  Called again it takes other names.  Its tables must be there. */
rille_status rille_outbox_start(rille_connection *connection, const rille_str tables[], size_t count,
                                rille_fault *fault);

/* The same as the file says itself, in its table "rille_mirrors"; where it has none, or none is listed, nothing is
** mirrored. */
rille_status rille_outbox_remember(rille_connection *connection, rille_fault *fault);

/* To be called, on the thread of the connection, each time that something came into the outbox and is committed.
** Nothing happens where the connection has none. */
typedef void (*rille_on_commit)(void *data);
void rille_outbox_on_commit(rille_connection *connection, rille_on_commit on_commit, void *data);

/* Ends it; what was committed stays in the outbox. */
void rille_outbox_stop(rille_connection *connection);

/* Nothing happens where the connection has no outbox. */
void rille_outbox_set_mode(rille_connection *connection, rille_outbox_mode mode);

/* -- for connection.c and cursor.c, where the connection has one ------------------------------------------- */

/* Before a statement that writes: the changes of a table are written as it is now.  `locked`: its transaction has the
** lock of the writer already, so that what it reads is the newest there is. */
rille_status rille_outbox_ready(rille_outbox *outbox, bool locked, rille_fault *fault);

/* How far it is; and back there, since what came behind was undone. */
typedef struct rille_outbox_mark {
  size_t bytes;
  uint64_t tables;
} rille_outbox_mark;
rille_outbox_mark rille_outbox_at(const rille_outbox *outbox);
void rille_outbox_back(rille_outbox *outbox, rille_outbox_mark mark);

/* The mark of a level (from 0), set when it begins. */
void rille_outbox_begin_level(rille_outbox *outbox, int level);
void rille_outbox_undo_level(rille_outbox *outbox, int level);

/* After a statement that may have changed a table. */
void rille_outbox_doubt(rille_outbox *outbox);

/* RILLE_OK, or why a row that was changed cannot be mirrored: nothing of its transaction may be kept. */
rille_status rille_outbox_check(const rille_outbox *outbox, rille_fault *fault);

/* Writes what there is into the outbox; before the commit. */
rille_status rille_outbox_flush(rille_outbox *outbox, rille_connection *connection, rille_fault *fault);

/* The transaction was committed ... */
void rille_outbox_committed(rille_outbox *outbox);

/* ... or, in any case, has ended. */
void rille_outbox_ended(rille_outbox *outbox);

#endif
