/* core/run/mirror_ledger.h - what mirror.c and mirror_copy.c share: how far a mirror is, and what the outbox still
** needs. */
#ifndef RILLE_MIRROR_LEDGER_H
#define RILLE_MIRROR_LEDGER_H

#include "core/run/mirror.h"

/* The last transaction that the mirror has; 0 for none. */
typedef struct rille_mirror_place {
  int64_t seq, made_at;
} rille_mirror_place;

/* Begins the mirror's transaction, with its own tables there. */
rille_status rille_mirror_begin(const rille_mirror *mirror, rille_fault *fault);

/* By the mirror's own account; where it has none, by what the source noted when the mirror began. */
rille_status rille_mirror_read_place(const rille_mirror *mirror, rille_mirror_place *out, rille_fault *fault);

/* Inside the mirror's transaction. */
rille_status rille_mirror_write_place(const rille_mirror *mirror, rille_mirror_place place, rille_fault *fault);

/* Tells the source how far the mirror is, and drops what no mirror needs any more.  What fails is done next time. */
void rille_mirror_prune(const rille_mirror *mirror, int64_t seq);

/* True for the name of a table that is to be mirrored. */
bool rille_mirror_wants(const rille_mirror *mirror, rille_str table);

#endif
