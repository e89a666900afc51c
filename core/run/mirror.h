/* core/run/mirror.h - the outbox of one database repeated in another one: in order, each transaction once.
**
** How far the mirror is stands in its "rille_mirror_ledger", written in the transaction that applies the changes: so a
** crash at any point leaves both or neither.  The row of the outbox that was applied last stays there: when it is not
** what the ledger says, the source's history is another one (a backup was put back), and only a resync helps.  What
** cannot be applied is set aside, in "rille_mirror_failed" of the mirror.  Rows behind it go on: who retries it takes
** the rows as they are in the source by then, never what they were. */
#ifndef RILLE_MIRROR_H
#define RILLE_MIRROR_H

#include "core/run/connection.h"

/* Both connections have nothing open.  Texts are borrowed. */
typedef struct rille_mirror {
  rille_connection *source, *target;
  rille_str name;          /* of the mirror, among "rille_mirrors" of the source */
  rille_str source_name;   /* what mirrored rows carry */
  const rille_str *tables; /* those that are mirrored; none: all */
  size_t table_count;
  bool untidy; /* what was applied stays in the outbox, for rille_mirror_tidy */
} rille_mirror;

typedef struct rille_mirror_outcome {
  int64_t transactions; /* applied, or copied as rows */
  int64_t seq;          /* where some were: the last of them */
  int64_t set_aside;
  int64_t blocked;  /* the transaction that cannot be applied; 0: none */
  int64_t left_out; /* of a resync: tables that cannot be mirrored */
  bool more;        /* there may be more to apply */
} rille_mirror_outcome;

/* Applies up to `limit` transactions.  `set_aside`: the first of them is set aside when it cannot be applied, which is
** then no failure.  What fails for the mirror as a whole (busy, disk_full, ...) leaves `blocked` 0 and never sets
** aside. */
rille_status rille_mirror_apply(const rille_mirror *mirror, int limit, bool set_aside, rille_mirror_outcome *out,
                                rille_fault *fault);

/* Tells the source that the mirror has all up to `seq`, and drops what no mirror needs any more.  What fails is done
** next time. */
void rille_mirror_tidy(const rille_mirror *mirror, int64_t seq);

/* Tries again what was set aside; what fails again stays, with the new reason. */
rille_status rille_mirror_retry(const rille_mirror *mirror, rille_mirror_outcome *out, rille_fault *fault);

/* Makes the mirror hold what the source holds at one moment: all rows are copied and compared, by number and sum;
** `transactions` is the number of rows.  Nothing is left set aside. */
rille_status rille_mirror_resync(const rille_mirror *mirror, rille_mirror_outcome *out, rille_fault *fault);

/* Compares all rows of both, by number and sum, table for table; nothing is changed.  `transactions` is the number of
** rows; the names of tables that differ are appended to `differing`, each with '\n' behind it.  `more`: the mirror does
** not have all that was committed, so that nothing was compared. */
rille_status rille_mirror_verify(const rille_mirror *mirror, rille_buffer *differing, rille_mirror_outcome *out,
                                 rille_fault *fault);

#endif
