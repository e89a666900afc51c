/* core/driver/sqlite_bind.h - the values that a statement's parameters have, each for one run.
**
** SQLite keeps what is bound until something else is.  Integers stay there over a reset, for the tenant or the limit of
** a kept statement is mostly the one that it had before; until they are bound again they are nobody's, and a run first
** takes away what is left of them.  Texts are borrowed, and let go by the reset. */
#ifndef RILLE_DRIVER_SQLITE_BIND_H
#define RILLE_DRIVER_SQLITE_BIND_H

#include <sqlite3.h>

#include "core/base/cell.h"

enum { RILLE_SQLITE_KEPT = 8 }; /* parameters, from the first, whose integers stay */

typedef struct rille_sqlite_bound {
  sqlite3_stmt *handle;
  bool clears;    /* something is bound that the next reset takes away */
  unsigned kept;  /* parameters for which SQLite holds one of `integers`: bit 0 for the first */
  unsigned stale; /* ... and those among them that were not bound for this run */
  int64_t integers[RILLE_SQLITE_KEPT];
} rille_sqlite_bound;

/* Binds whatever is held; SQLite's code. */
int rille_sqlite_bind_anew(rille_sqlite_bound *bound, int index, const rille_cell *cell);

/* Before the first step of a run. */
void rille_sqlite_drop_stale(rille_sqlite_bound *bound);

/* Behind the end of a run. */
void rille_sqlite_unbind(rille_sqlite_bound *bound);

/* Binds parameter `index`, from 1; SQLite's code. */
static inline int
rille_sqlite_bind(rille_sqlite_bound *bound, int index, const rille_cell *cell)
{
  unsigned at = (unsigned)index - 1;

  if (at >= RILLE_SQLITE_KEPT || (bound->kept >> at & 1) == 0 || cell->kind != RILLE_INT ||
      bound->integers[at] != cell->as.integer)
    return rille_sqlite_bind_anew(bound, index, cell);
  bound->stale &= ~(1U << at);
  return SQLITE_OK;
}

#endif
