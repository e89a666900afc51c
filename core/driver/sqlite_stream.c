/* core/driver/sqlite_stream.c - a row that was read before its time: of each column its kind, and its value or how many
** bytes follow, and these. */
#include "core/driver/sqlite_stream.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/driver/sqlite_conn.h"

enum { HEAD_BYTES = 1 + sizeof(int64_t) };

void
rille_sqlite_stream_begin(rille_sqlite_stream *stream, rille_sqlite_stream **first)
{
  stream->at = first;
  stream->next = *first;
  if (stream->next != NULL)
    stream->next->at = &stream->next;
  *first = stream;
}

static void
leave(rille_sqlite_stream *stream)
{
  if (stream->at == NULL)
    return;
  *stream->at = stream->next;
  if (stream->next != NULL)
    stream->next->at = stream->at;
  stream->at = NULL;
}

void
rille_sqlite_stream_end(rille_sqlite_stream *stream)
{
  leave(stream);
  rille_spill_clear(&stream->rows);
  stream->row = NULL;
  stream->wanted = false;
}

/* -- a row and its bytes ------------------------------------------------------------------------------------- */

static bool
has_bytes(const rille_cell *cell)
{
  return cell->kind == RILLE_TEXT || cell->kind == RILLE_BLOB;
}

static size_t
size_of(const rille_cell *cell)
{
  return HEAD_BYTES + (has_bytes(cell) ? cell->as.text.len : 0);
}

static char *
put_cell(char *to, const rille_cell *cell)
{
  int64_t head = 0;

  if (cell->kind == RILLE_INT)
    head = cell->as.integer;
  else if (cell->kind == RILLE_REAL)
    memcpy(&head, &cell->as.real, sizeof head);
  else if (has_bytes(cell))
    head = (int64_t)cell->as.text.len;
  *to = (char)cell->kind;
  memcpy(to + 1, &head, sizeof head);
  if (has_bytes(cell))
    memcpy(to + HEAD_BYTES, cell->as.text.at, cell->as.text.len);
  return to + size_of(cell);
}

static const char *
take_cell(const char *from, rille_cell *cell)
{
  int64_t head;

  cell->kind = (rille_cell_kind)*from;
  memcpy(&head, from + 1, sizeof head);
  if (cell->kind == RILLE_INT)
    cell->as.integer = head;
  else if (cell->kind == RILLE_REAL)
    memcpy(&cell->as.real, &head, sizeof head);
  else if (has_bytes(cell))
    cell->as.text = (rille_str){ from + HEAD_BYTES, (size_t)head };
  return from + size_of(cell);
}

/* Keeps the row that the statement stands on; SQLite's code. */
static int
keep_row(rille_sqlite_stream *stream)
{
  int columns = sqlite3_data_count(stream->handle);
  size_t bytes = 0;
  rille_status status;
  rille_cell cell = { 0 };
  char *to;

  for (int i = 0; i < columns; i++) {
    if (!rille_sqlite_cell(sqlite3_column_value(stream->handle, i), &cell))
      return SQLITE_NOMEM;
    bytes += size_of(&cell);
  }
  status = rille_spill_put(&stream->rows, bytes, &to);
  for (int i = 0; i < columns && status == RILLE_OK; i++) {
    (void)rille_sqlite_cell(sqlite3_column_value(stream->handle, i), &cell);
    to = put_cell(to, &cell);
  }
  return status == RILLE_OK ? SQLITE_OK : status == RILLE_DISK_FULL ? SQLITE_FULL : SQLITE_NOMEM;
}

bool
rille_sqlite_hold_row(rille_sqlite_stream *stream, rille_cell cells[], int count)
{
  size_t bytes = 0;
  char *to;

  for (int i = 0; i < count; i++)
    bytes += has_bytes(&cells[i]) ? cells[i].as.text.len : 0;
  if (bytes > stream->held_room) {
    to = rille_memory_resize(stream->held, bytes);
    if (to == NULL)
      return false;
    stream->held = to;
    stream->held_room = bytes;
  }
  to = stream->held;
  for (int i = 0; i < count; i++)
    if (has_bytes(&cells[i]) && cells[i].as.text.len > 0) {
      memcpy(to, cells[i].as.text.at, cells[i].as.text.len);
      cells[i].as.text.at = to;
      to += cells[i].as.text.len;
    }
  return true;
}

/* -- all rows -------------------------------------------------------------------------------------------------- */

static void
spill(rille_sqlite_stream *stream)
{
  int code;

  leave(stream);
  while ((code = sqlite3_step(stream->handle)) == SQLITE_ROW)
    if ((code = keep_row(stream)) != SQLITE_OK)
      break;
  if (rille_spill_seal(&stream->rows) != RILLE_OK && code == SQLITE_DONE)
    code = SQLITE_FULL;
  (void)sqlite3_reset(stream->handle);
  stream->code = code;
  *stream->ended = RILLE_SQLITE_SPILLED;
}

void
rille_sqlite_spill(rille_sqlite_stream **first)
{
  while (*first != NULL)
    spill(*first);
}

int
rille_sqlite_spilled_next(rille_sqlite_stream *stream)
{
  rille_status status;

  stream->row = rille_spill_next(&stream->rows, &status);
  if (stream->row != NULL)
    return SQLITE_ROW;
  if (status != RILLE_OK)
    return status == RILLE_DISK_FULL ? SQLITE_FULL : SQLITE_NOMEM;
  return stream->code;
}

void
rille_sqlite_spilled_row(const rille_sqlite_stream *stream, rille_cell cells[])
{
  const char *at = stream->row;

  for (int i = 0; i < sqlite3_column_count(stream->handle); i++)
    at = take_cell(at, &cells[i]);
}
