/* core/run/carry_put.h - where carried rows go: into a load of the database or, where it has none because an insert
** that is kept is as fast, through one insert that is run for each. */
#ifndef RILLE_CARRY_PUT_H
#define RILLE_CARRY_PUT_H

#include "core/run/carry.h"
#include "core/run/cursor.h"

/* Zeroed, it is one that has not begun. */
typedef struct rille_carry_put {
  const rille_carry *carry;
  bool open; /* rille_carry_put_end() is owed */
  rille_load *load;
  rille_statement *statement; /* the insert, until the first row runs it */
  rille_cursor cursor;
  rille_slot *slots;  /* one a column */
  rille_arena values; /* of the row that is being put */
  int64_t rows;       /* put by the insert */
} rille_carry_put;

/* Begins to put rows into the carry's table; the target is in a transaction.  What it needs lives in `arena`. */
rille_status rille_carry_put_begin(rille_carry_put *put, const rille_carry *carry, rille_arena *arena,
                                   rille_fault *fault);

/* Puts a row: a cell a column, borrowed for the time of the call. */
rille_status rille_carry_put_row(rille_carry_put *put, const rille_cell cells[], rille_fault *fault);

/* Ends what was begun.  `status` is how the reading of the rows ended, and `fault` says why where it failed: that comes
** back then.  The rows stay in the transaction where all went well; else it keeps nothing more. */
rille_status rille_carry_put_end(rille_carry_put *put, rille_status status, rille_fault *fault);

#endif
