/* core/bind/packed.c - a row in one block, so that a record is one allocation and reading a column one look. */
#include "core/bind/packed.h"

static bool
has_bytes(rille_cell_kind kind)
{
  return kind == RILLE_TEXT || kind == RILLE_BLOB;
}

size_t
rille_packed_size(const rille_cell *cells, size_t count)
{
  size_t size = sizeof(rille_packed) + count * (sizeof(rille_packed_slot) + 1);

  for (size_t i = 0; i < count; i++)
    if (has_bytes(cells[i].kind))
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
    if (has_bytes(cell->kind)) {
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

rille_cell
rille_packed_cell(const rille_packed *row, size_t position)
{
  const unsigned char *kinds = (const unsigned char *)(row->slots + row->count);
  const rille_packed_slot *slot = &row->slots[position];
  rille_cell cell = { .kind = (rille_cell_kind)kinds[position] };

  if (has_bytes(cell.kind))
    cell.as.text = (rille_str){ (const char *)row + row->bytes_at + slot->text.at, slot->text.len };
  else if (cell.kind == RILLE_REAL)
    cell.as.real = slot->real;
  else
    cell.as.integer = slot->integer;
  return cell;
}
