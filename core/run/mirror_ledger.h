/* core/run/mirror_ledger.h - what mirror.c and mirror_copy.c share: how far a mirror is, and what the outbox still
** needs. */
#ifndef RILLE_MIRROR_LEDGER_H
#define RILLE_MIRROR_LEDGER_H

#include "core/run/mirror.h"
#include "core/run/mirror_table.h"

/* The last transaction that the mirror has; 0 for none. */
typedef struct rille_mirror_place {
  int64_t seq, made_at;
  int64_t generation; /* of the source: another one for another database of the same name */
} rille_mirror_place;

/* Begins the mirror's transaction, with its own tables there. */
rille_status rille_mirror_begin(const rille_mirror *mirror, rille_fault *fault);

/* By the mirror's own account; where it has none, by what the source noted when the mirror began.  An account of a
** database that had this name before is retired.  Inside the mirror's transaction. */
rille_status rille_mirror_read_place(const rille_mirror *mirror, rille_mirror_place *out, rille_fault *fault);

/* Inside the mirror's transaction. */
rille_status rille_mirror_write_place(const rille_mirror *mirror, rille_mirror_place place, rille_fault *fault);

/* What the mirror has of a database that had the source's name before gets another name, "name~1" or "name~2" or ...:
** nothing of it is lost, nor mixed with what comes now. */
rille_status rille_mirror_retire(const rille_mirror *mirror, rille_fault *fault);

/* Calls `each`, until it fails, for each table that rows were mirrored into: its name and which column says whose they
** are. */
typedef rille_status (*rille_mirror_each)(const rille_mirror *mirror, const rille_mirror_table *table,
                                          rille_arena *arena, const rille_cell *data, rille_fault *fault);
rille_status rille_mirror_each_table(const rille_mirror *mirror, rille_mirror_each each, const rille_cell *data,
                                     rille_fault *fault);

/* True for the name of a table that is to be mirrored. */
bool rille_mirror_wants(const rille_mirror *mirror, rille_str table);

#endif
