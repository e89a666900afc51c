/* core/driver/spill.h - rows that were taken out of the way of another statement: in memory, then in a file.
**
** They are put one behind the other, sealed, and given back once in that order.  What a row's bytes mean is the
** driver's. */
#ifndef RILLE_DRIVER_SPILL_H
#define RILLE_DRIVER_SPILL_H

#include <stdio.h>

#include "core/base/status.h"

typedef struct rille_spill_block {
  struct rille_spill_block *next;
  size_t len, size;
  char bytes[]; /* of each row how many, and these */
} rille_spill_block;

/* Zeroed, it is empty and holds nothing that must be freed. */
typedef struct rille_spill {
  rille_spill_block *first, *last, *filling;
  size_t blocks; /* that were put into memory */
  FILE *file;    /* NULL: none is needed */
  size_t at;     /* the next row, in the first block */
} rille_spill;

/* *to is room for one more row of `bytes` bytes, until the next call.  out_of_memory, or disk_full: the file cannot be
** written. */
rille_status rille_spill_put(rille_spill *spill, size_t bytes, char **to);

/* The last row was put. */
rille_status rille_spill_seal(rille_spill *spill);

/* The bytes of the next row, until the next call; NULL behind the last, and when *status says that they cannot be
** read: out_of_memory, disk_full. */
const char *rille_spill_next(rille_spill *spill, rille_status *status);

/* Frees what is left; it is as zeroed. */
void rille_spill_clear(rille_spill *spill);

#endif
