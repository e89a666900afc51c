/* core/base/change.c - numbers, texts and cells, written and read. */
#include "core/base/change.h"

#include <string.h>

enum { SAME = 'S', IS_NULL = 'N', IS_INT = 'I', IS_REAL = 'R', IS_TEXT = 'T', IS_BLOB = 'B' };

void
rille_change_put_number(rille_buffer *out, uint64_t number)
{
  while (number >= 0x80) {
    rille_buffer_byte(out, (char)(0x80 | (number & 0x7F)));
    number >>= 7;
  }
  rille_buffer_byte(out, (char)number);
}

void
rille_change_put_text(rille_buffer *out, rille_str text)
{
  rille_change_put_number(out, text.len);
  rille_buffer_add(out, text.at, text.len);
}

void
rille_change_put_cell(rille_buffer *out, const rille_cell *cell)
{
  if (cell == NULL) {
    rille_buffer_byte(out, SAME);
    return;
  }
  switch (cell->kind) {
  case RILLE_NULL: rille_buffer_byte(out, IS_NULL); break;
  case RILLE_BOOL:
  case RILLE_INT: /* small ones of either sign are short */
    rille_buffer_byte(out, IS_INT);
    rille_change_put_number(out, ((uint64_t)cell->as.integer << 1) ^ (cell->as.integer < 0 ? UINT64_MAX : 0));
    break;
  case RILLE_REAL:
    rille_buffer_byte(out, IS_REAL);
    rille_buffer_add(out, &cell->as.real, sizeof cell->as.real);
    break;
  case RILLE_TEXT:
  case RILLE_BLOB:
    rille_buffer_byte(out, cell->kind == RILLE_TEXT ? IS_TEXT : IS_BLOB);
    rille_change_put_text(out, cell->as.text);
    break;
  }
}

char
rille_change_byte(rille_change_reader *reader)
{
  return reader->at < reader->end ? *reader->at++ : '\0';
}

uint64_t
rille_change_number(rille_change_reader *reader)
{
  uint64_t number = 0;

  for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
    unsigned char byte = (unsigned char)*reader->at++;

    number |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return number;
  }
  reader->bad = true;
  reader->at = reader->end;
  return 0;
}

/* The next `len` bytes. */
static rille_str
bytes(rille_change_reader *reader, uint64_t len)
{
  rille_str text = { "", 0 };

  if (len > (uint64_t)(reader->end - reader->at)) {
    reader->bad = true;
    reader->at = reader->end;
  } else if (len > 0) {
    text = (rille_str){ reader->at, (size_t)len };
    reader->at += len;
  }
  return text;
}

rille_str
rille_change_text(rille_change_reader *reader)
{
  return bytes(reader, rille_change_number(reader));
}

bool
rille_change_cell(rille_change_reader *reader, rille_cell *cell)
{
  char kind = rille_change_byte(reader);
  uint64_t number;
  rille_str real;

  *cell = (rille_cell){ .kind = RILLE_NULL };
  switch (kind) {
  case SAME: return false;
  case IS_NULL: break;
  case IS_INT:
    number = rille_change_number(reader);
    cell->kind = RILLE_INT;
    cell->as.integer = (int64_t)((number >> 1) ^ ((number & 1) != 0 ? UINT64_MAX : 0));
    break;
  case IS_REAL:
    real = bytes(reader, sizeof cell->as.real);
    if (real.len == sizeof cell->as.real) {
      cell->kind = RILLE_REAL;
      memcpy(&cell->as.real, real.at, real.len);
    }
    break;
  case IS_TEXT:
  case IS_BLOB:
    cell->kind = kind == IS_TEXT ? RILLE_TEXT : RILLE_BLOB;
    cell->as.text = rille_change_text(reader);
    break;
  default: reader->bad = true; break;
  }
  return true;
}
