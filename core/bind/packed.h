/* core/bind/packed.h - a row in one block: slots, kinds, and the bytes of its texts. */
#ifndef RILLE_BIND_PACKED_H
#define RILLE_BIND_PACKED_H

#include <stddef.h>

#include "core/base/cell.h"

typedef union rille_packed_slot {
  int64_t integer;
  double real;
  struct {
    uint32_t at, len;
  } text; /* from the start of the bytes */
} rille_packed_slot;

/* A row in one block: slots, then one kind a column, then the bytes of all texts. */
typedef struct rille_packed {
  uint32_t count;
  uint32_t bytes_at; /* from the start of the block */
  rille_packed_slot slots[];
} rille_packed;

/* Bytes that a packed row of these cells takes. */
size_t rille_packed_size(const rille_cell *cells, size_t count);

/* Packs the cells into `to`, which has rille_packed_size bytes and is aligned for any object. */
void rille_packed_fill(rille_packed *to, const rille_cell *cells, size_t count);

/* The cell at `position` (from 0); its text lives as long as the row. */
rille_cell rille_packed_cell(const rille_packed *row, size_t position);

#endif
