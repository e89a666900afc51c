/* core/driver/postgres_spill.c - rows that were taken out of the way of another statement: in memory, then in a file.
**
** A block is filled, and put behind the others; what is more than MEMORY_BLOCKS goes to a file that has no name, and is
** read again when the blocks before it have been given. */
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/postgres_stmt.h"

enum { BLOCK_BYTES = 1 << 20, MEMORY_BLOCKS = 64 };

static size_t
row_bytes(const PGresult *rows, int at, int columns)
{
  size_t bytes = 0;

  for (int i = 0; i < columns; i++)
    bytes += sizeof(int) + (PQgetisnull(rows, at, i) ? 0 : (size_t)PQgetlength(rows, at, i) + 1);
  return bytes;
}

static rille_postgres_block *
new_block(size_t bytes)
{
  rille_postgres_block *block = rille_memory_resize(NULL, sizeof *block + bytes);

  if (block != NULL)
    *block = (rille_postgres_block){ .size = bytes };
  return block;
}

static rille_status
write_block(rille_postgres_spill_state *spill, const rille_postgres_block *block)
{
  if (spill->file == NULL)
    spill->file = tmpfile();
  if (spill->file == NULL || fwrite(&block->len, sizeof block->len, 1, spill->file) != 1 ||
      fwrite(block->bytes, 1, block->len, spill->file) != block->len)
    return RILLE_DISK_FULL;
  return RILLE_OK;
}

/* The block that was filled goes behind the others. */
static rille_status
put_away(rille_postgres_spill_state *spill)
{
  rille_postgres_block *block = spill->filling;
  rille_status status = RILLE_OK;

  spill->filling = NULL;
  if (spill->file == NULL && spill->blocks < MEMORY_BLOCKS) {
    *(spill->last != NULL ? &spill->last->next : &spill->first) = block;
    spill->last = block;
    spill->blocks++;
    return RILLE_OK;
  }
  status = write_block(spill, block);
  rille_memory_free(block);
  return status;
}

/* Room for one more row in the block that is being filled. */
static rille_status
make_room(rille_postgres_spill_state *spill, size_t bytes)
{
  rille_status status = RILLE_OK;

  if (spill->filling != NULL && spill->filling->size - spill->filling->len >= bytes)
    return RILLE_OK;
  if (spill->filling != NULL)
    status = put_away(spill);
  if (status == RILLE_OK) {
    spill->filling = new_block(bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES);
    status = spill->filling != NULL ? RILLE_OK : RILLE_OUT_OF_MEMORY;
  }
  return status;
}

rille_status
rille_postgres_spill_row(rille_postgres_spill_state *spill, const PGresult *rows, int at)
{
  int columns = PQnfields(rows);
  rille_status status = make_room(spill, row_bytes(rows, at, columns));

  for (int i = 0; i < columns && status == RILLE_OK; i++) {
    int length = PQgetisnull(rows, at, i) ? -1 : PQgetlength(rows, at, i);
    char *to = spill->filling->bytes + spill->filling->len;

    memcpy(to, &length, sizeof length);
    if (length >= 0)
      memcpy(to + sizeof length, PQgetvalue(rows, at, i), (size_t)length + 1); /* libpq puts a NUL behind each */
    spill->filling->len += sizeof length + (length >= 0 ? (size_t)length + 1 : 0);
  }
  return status;
}

rille_status
rille_postgres_spill_seal(rille_postgres_spill_state *spill)
{
  rille_status status = spill->filling != NULL ? put_away(spill) : RILLE_OK;

  if (status == RILLE_OK && spill->file != NULL && fseek(spill->file, 0, SEEK_SET) != 0)
    status = RILLE_DISK_FULL;
  return status;
}

/* -- reading ----------------------------------------------------------------------------------------------- */

/* The next block of the file, when those in memory have all been given; NULL behind the last. */
static rille_postgres_block *
read_block(rille_postgres_spill_state *spill, rille_status *status)
{
  rille_postgres_block *block;
  size_t len;

  if (spill->file == NULL || fread(&len, sizeof len, 1, spill->file) != 1)
    return NULL;
  block = new_block(len);
  if (block != NULL && fread(block->bytes, 1, len, spill->file) == len) {
    block->len = len;
    return block;
  }
  *status = block == NULL ? RILLE_OUT_OF_MEMORY : RILLE_DISK_FULL;
  rille_memory_free(block);
  return NULL;
}

/* Where the next row of the first block begins, behind the one at `at`. */
static size_t
past_row(const rille_postgres_block *block, size_t at, int columns)
{
  for (int i = 0; i < columns; i++) {
    int length;

    memcpy(&length, block->bytes + at, sizeof length);
    at += sizeof length + (length >= 0 ? (size_t)length + 1 : 0);
  }
  return at;
}

bool
rille_postgres_spill_next(rille_postgres_spill_state *spill, int columns, rille_status *status)
{
  *status = RILLE_OK;
  spill->row = NULL;
  while (spill->first == NULL || spill->at >= spill->first->len) {
    rille_postgres_block *next = spill->first != NULL ? spill->first->next : NULL;

    rille_memory_free(spill->first);
    spill->first = next != NULL ? next : read_block(spill, status);
    spill->at = 0;
    if (spill->first == NULL) {
      spill->last = NULL;
      return false;
    }
  }
  spill->row = spill->first->bytes + spill->at;
  spill->at = past_row(spill->first, spill->at, columns);
  return true;
}

const char *
rille_postgres_spilled_value(const rille_postgres_spill_state *spill, int column, size_t *length)
{
  const char *at = spill->row;

  for (int i = 0;; i++) {
    int bytes;

    memcpy(&bytes, at, sizeof bytes);
    at += sizeof bytes;
    if (i == column) {
      *length = bytes >= 0 ? (size_t)bytes : 0;
      return bytes >= 0 ? at : NULL;
    }
    at += bytes >= 0 ? (size_t)bytes + 1 : 0;
  }
}

void
rille_postgres_spill_clear(rille_postgres_spill_state *spill)
{
  while (spill->first != NULL) {
    rille_postgres_block *next = spill->first->next;

    rille_memory_free(spill->first);
    spill->first = next;
  }
  rille_memory_free(spill->filling);
  rille_memory_free(spill->fault);
  if (spill->file != NULL)
    (void)fclose(spill->file);
  *spill = (rille_postgres_spill_state){ 0 };
}
