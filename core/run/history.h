/* core/run/history.h - where a database is in its history of commits, and whether a place of a token is in it.
**
** Two tables keep it: "rille_history" has one row (who the database is, the secret of its tokens, its position where
** the database itself counts none), "rille_epochs" one for each epoch.  They travel with the rows: to replicas, into
** backups.  A new epoch begins where a writer cannot know that it goes on from what was there last: with the first
** commit of a process, at a failover.  So a backup that was put back is told from what came after it. */
#ifndef RILLE_HISTORY_H
#define RILLE_HISTORY_H

#include "core/run/connection.h"
#include "core/run/token.h"

enum {
  RILLE_HISTORY_NAME_BYTES = 16,
  RILLE_EPOCHS_KEPT = 10000, /* a token of an older one is lost: a process that writes begins one */
  RILLE_EPOCHS_READ = 3
};

typedef struct rille_epoch {
  uint32_t number, nonce;
  bool dated;     /* it is known where it began */
  uint64_t start; /* the last position of what was before it */
} rille_epoch;

typedef struct rille_history {
  rille_place now;
  int64_t era;    /* see era.h; 0 where the database counts by itself */
  uint64_t reach; /* until here all is there: farther than `now` at a primary, which has not written all of it yet */
  bool replica;   /* read at one: what is there is repeated from elsewhere, and nothing can be written */
  bool more;      /* ... and that may show what stands right behind `now` in the log, of which it has not said so yet */
  bool stale; /* the database has begun an epoch that the tables do not know yet: rille_history_create adds it, and a
                ** replica that can say so repeats it some time; or a replica does not say how far it is.  Nobody knows
                ** what `now` is */
  unsigned char secret[RILLE_SECRET_BYTES];
  size_t count; /* of `epochs`, the newest first: that one, and those of the place that was asked about */
  rille_epoch epochs[RILLE_EPOCHS_READ];
} rille_history;

/* How a place stands to a history. */
typedef enum rille_verdict {
  RILLE_PLACE_THERE,  /* what was committed until then is there */
  RILLE_PLACE_AHEAD,  /* of the same epoch, and not there yet (a replica), or no more (the one writer) */
  RILLE_PLACE_LOST,   /* what was committed until then did not all survive */
  RILLE_PLACE_UNSURE, /* of an older epoch, and nobody knows where that ended */
  RILLE_PLACE_FOREIGN /* of another database */
} rille_verdict;

/* Whether what was committed until the place is in the history, which was read about it. */
rille_verdict rille_history_judge(const rille_history *history, const rille_place *place);

/* Reads it, with what there is to judge the place by (NULL: none is to be judged); *found is false when the database
** keeps none yet. */
rille_status rille_history_read(rille_connection *connection, const rille_place *about, rille_history *history,
                                bool *found, rille_fault *fault);

/* What a database that counts by itself says of where it is. */
typedef struct rille_history_own {
  rille_str server; /* of the statement that said so */
  bool replica;
  uint32_t epoch; /* 0: it does not say */
  bool placed;    /* it says the position */
  uint64_t position, reach, bound;
  bool more;
} rille_history_own;

/* Takes it from the statement `place` of the driver, which was started; for history_write.c. */
rille_status rille_history_read_own(rille_connection *connection, rille_statement *statement, rille_history_own *own,
                                    rille_fault *fault);

/* Makes the tables unless they are `there`, and adds an epoch that they do not know.  Inside a transaction that
** writes. */
rille_status rille_history_create(rille_connection *connection, bool there, rille_fault *fault);

/* One position more, in a database that does not count by itself: the last thing in a transaction that wrote, before
** its commit.  What the connection says of changes and ids stays as it is. */
rille_status rille_history_count(rille_connection *connection, rille_fault *fault);

/* That commit has succeeded. */
void rille_history_counted(rille_connection *connection);

#endif
