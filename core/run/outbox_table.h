/* core/run/outbox_table.h - what an outbox must know of a table before rows of it can be written down. */
#ifndef RILLE_OUTBOX_TABLE_H
#define RILLE_OUTBOX_TABLE_H

#include "core/base/change.h"
#include "core/run/connection.h"

typedef struct rille_outbox_table {
  rille_str name;
  bool left_out;       /* it is virtual, or the shadow of such a table */
  const char *why_not; /* NULL, or why its rows cannot be mirrored; static text */
  size_t count;        /* of columns, as the driver counts them */
  const char *columns; /* for each: '-' left out (generated), 'k' of the key, 'v' any other */
  bool by_id;          /* its key is the id of the row */
  rille_str layout;    /* see core/base/change.h */
} rille_outbox_table;

/* Fills in all but the name, which is set; what it points to lives in the arena. */
rille_status rille_outbox_table_read(rille_connection *connection, rille_outbox_table *table, rille_arena *arena,
                                     rille_fault *fault);

#endif
