/* core/run/outbox_write.h - the change of a row as an outbox keeps it. */
#ifndef RILLE_OUTBOX_WRITE_H
#define RILLE_OUTBOX_WRITE_H

#include "core/run/outbox_table.h"

/* Appends the change of a row of the table, which has this number in the text (core/base/change.h).  A long value that
** an update leaves as it was is left out.  RILLE_UNSUPPORTED, and nothing appended, when the row's key is NULL;
** RILLE_OUT_OF_MEMORY when the row could not be read.  Whether `out` had room is for the caller to ask. */
rille_status rille_outbox_write(rille_buffer *out, uint64_t number, const rille_outbox_table *table,
                                const rille_row_change *change);

#endif
