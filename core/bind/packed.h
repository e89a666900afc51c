/* core/bind/packed.h - a row in one block: slots, kinds, and the bytes of its texts. */
#ifndef RILLE_BIND_PACKED_H
#define RILLE_BIND_PACKED_H

#include <stddef.h>

#include <stdbool.h>

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

/* Do the bytes of such a cell stand behind the slots? */
static inline bool
rille_packed_has_bytes(rille_cell_kind kind)
{
  return kind == RILLE_TEXT || kind == RILLE_BLOB;
}

/* The cell at `position` (from 0); its text lives as long as the row. */
static inline rille_cell
rille_packed_cell(const rille_packed *row, size_t position)
{
  const unsigned char *kinds = (const unsigned char *)(row->slots + row->count);
  const rille_packed_slot *slot = &row->slots[position];
  rille_cell cell = { .kind = (rille_cell_kind)kinds[position] };

  if (rille_packed_has_bytes(cell.kind))
    cell.as.text = (rille_str){ (const char *)row + row->bytes_at + slot->text.at, slot->text.len };
  else if (cell.kind == RILLE_REAL)
    cell.as.real = slot->real;
  else
    cell.as.integer = slot->integer;
  return cell;
}

#endif
