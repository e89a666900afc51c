/* core/run/mirror_run.h - changes of rows, as an outbox keeps them, put into a mirror. */
#ifndef RILLE_MIRROR_RUN_H
#define RILLE_MIRROR_RUN_H

#include "core/run/mirror.h"
#include "core/run/mirror_table.h"

/* One run, inside a transaction of the mirror; tables are met once in it. */
typedef struct rille_mirror_run {
  const rille_mirror *mirror;
  rille_arena arena; /* of tables */
  rille_mirror_table *known;
  rille_arena scratch;          /* of one text of changes */
  rille_mirror_table **numbers; /* its tables, by number */
  size_t count, room;
  bool healing; /* rows are put as they are in the source, whatever the text says of them */
} rille_mirror_run;

/* An empty run; `mirror` is borrowed. */
void rille_mirror_run_start(rille_mirror_run *a, const rille_mirror *mirror);

/* Gives its memory back. */
void rille_mirror_run_end(rille_mirror_run *a);

/* Applies a text of changes; what was done of it when it fails is for the caller to undo ... */
rille_status rille_mirror_run_text(rille_mirror_run *a, rille_str changes, rille_fault *fault);

/* ... and to say so, for tables were undone with it. */
void rille_mirror_run_undone(rille_mirror_run *a);

#endif
