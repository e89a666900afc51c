/* core/bind/packed.c - a row in one block, so that a record is one allocation and reading a column one look. */
#include "core/bind/packed.h"

size_t
rille_packed_size(const rille_cell *cells, size_t count)
{
  size_t size = sizeof(rille_packed) + count * (sizeof(rille_packed_slot) + 1);

  for (size_t i = 0; i < count; i++)
    if (rille_packed_has_bytes(cells[i].kind))
      size += cells[i].as.text.len;
  return size;
}

void
rille_packed_fill(rille_packed *to, const rille_cell *cells, size_t count)
{
  unsigned char *kinds = (unsigned char *)(to->slots + count);
  char *bytes = (char *)kinds + count;
  uint32_t at = 0;

  to->count = (uint32_t)count;
  to->bytes_at = (uint32_t)(bytes - (char *)to);
  for (size_t i = 0; i < count; i++) {
    const rille_cell *cell = &cells[i];

    kinds[i] = (unsigned char)cell->kind;
    if (rille_packed_has_bytes(cell->kind)) {
      to->slots[i].text.at = at;
      to->slots[i].text.len = (uint32_t)cell->as.text.len;
      if (cell->as.text.len > 0)
        memcpy(bytes + at, cell->as.text.at, cell->as.text.len);
      at += (uint32_t)cell->as.text.len;
    } else if (cell->kind == RILLE_REAL) {
      to->slots[i].real = cell->as.real;
    } else {
      to->slots[i].integer = cell->kind == RILLE_NULL ? 0 : cell->as.integer;
    }
  }
}
