/* core/driver/spill.c - a block is filled, and put behind the others; what is more than MEMORY_BLOCKS goes to a file
** that has no name, and is read again when the blocks before it have been given. */
#include "core/driver/spill.h"

#include <string.h>

#include "core/base/memory.h"

enum { BLOCK_BYTES = 1 << 20, MEMORY_BLOCKS = 64 };

static rille_spill_block *
new_block(size_t bytes)
{
  rille_spill_block *block = rille_memory_resize(NULL, sizeof *block + bytes);

  if (block != NULL)
    *block = (rille_spill_block){ .size = bytes };
  return block;
}

static rille_status
write_block(rille_spill *spill, const rille_spill_block *block)
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
put_away(rille_spill *spill)
{
  rille_spill_block *block = spill->filling;
  rille_status status;

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

/* Room for so many bytes in the block that is being filled. */
static rille_status
make_room(rille_spill *spill, size_t bytes)
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
rille_spill_put(rille_spill *spill, size_t bytes, char **to)
{
  rille_status status = make_room(spill, sizeof bytes + bytes);

  if (status != RILLE_OK)
    return status;
  *to = spill->filling->bytes + spill->filling->len;
  memcpy(*to, &bytes, sizeof bytes);
  *to += sizeof bytes;
  spill->filling->len += sizeof bytes + bytes;
  return RILLE_OK;
}

rille_status
rille_spill_seal(rille_spill *spill)
{
  rille_status status = spill->filling != NULL ? put_away(spill) : RILLE_OK;

  if (status == RILLE_OK && spill->file != NULL && fseek(spill->file, 0, SEEK_SET) != 0)
    status = RILLE_DISK_FULL;
  return status;
}

/* The next block of the file, when those in memory have all been given; NULL behind the last. */
static rille_spill_block *
read_block(rille_spill *spill, rille_status *status)
{
  rille_spill_block *block;
  size_t len;

  if (spill->file == NULL)
    return NULL;
  if (fread(&len, sizeof len, 1, spill->file) != 1) {
    *status = ferror(spill->file) ? RILLE_DISK_FULL : RILLE_OK;
    return NULL;
  }
  block = new_block(len);
  if (block != NULL && fread(block->bytes, 1, len, spill->file) == len) {
    block->len = len;
    return block;
  }
  *status = block == NULL ? RILLE_OUT_OF_MEMORY : RILLE_DISK_FULL;
  rille_memory_free(block);
  return NULL;
}

const char *
rille_spill_next(rille_spill *spill, rille_status *status)
{
  const char *row;
  size_t bytes;

  *status = RILLE_OK;
  while (spill->first == NULL || spill->at >= spill->first->len) {
    rille_spill_block *next = spill->first != NULL ? spill->first->next : NULL;

    rille_memory_free(spill->first);
    spill->first = next != NULL ? next : read_block(spill, status);
    spill->at = 0;
    if (spill->first == NULL) {
      spill->last = NULL;
      return NULL;
    }
  }
  row = spill->first->bytes + spill->at;
  memcpy(&bytes, row, sizeof bytes);
  spill->at += sizeof bytes + bytes;
  return row + sizeof bytes;
}

void
rille_spill_clear(rille_spill *spill)
{
  while (spill->first != NULL) {
    rille_spill_block *next = spill->first->next;

    rille_memory_free(spill->first);
    spill->first = next;
  }
  rille_memory_free(spill->filling);
  if (spill->file != NULL)
    (void)fclose(spill->file);
  *spill = (rille_spill){ 0 };
}
