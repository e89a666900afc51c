/* core/run/mirror_run.c - rows put, updated and deleted in a mirror; those that it lacks are taken from the source. */
#include "core/run/mirror_run.h"

#include "core/run/aside.h"
#include "core/run/mirror_ledger.h"

void
rille_mirror_run_start(rille_mirror_run *a, const rille_mirror *mirror)
{
  *a = (rille_mirror_run){ .mirror = mirror };
  rille_arena_init(&a->arena);
  rille_arena_init(&a->scratch);
}

void
rille_mirror_run_end(rille_mirror_run *a)
{
  rille_arena_release(&a->arena);
  rille_arena_release(&a->scratch);
}

void
rille_mirror_run_undone(rille_mirror_run *a)
{
  for (rille_mirror_table *each = a->known; each != NULL; each = each->next)
    each->there = false;
}

/* -- tables ---------------------------------------------------------------------------------------------- */

/* What fails here fails when the first row is applied; a table whose rows are all deleted needs not be there. */
static rille_status
meet_table(rille_mirror_run *a, rille_change_reader *reader, rille_fault *fault)
{
  rille_mirror_table *table = a->known;
  rille_status status = RILLE_OK;

  while (table != NULL && !((size_t)(reader->end - reader->at) >= table->layout.len &&
                            memcmp(reader->at, table->layout.at, table->layout.len) == 0))
    table = table->next;
  if (table != NULL) {
    reader->at += table->layout.len;
  } else {
    status = rille_mirror_table_read(reader, &a->arena, &table, fault);
    if (status != RILLE_OK)
      return status;
    table->left_out = !rille_mirror_wants(a->mirror, table->name);
    table->next = a->known;
    a->known = table;
  }
  if (!table->there && !table->left_out)
    status = rille_mirror_table_ensure(a->mirror->target, table, &a->arena, fault);
  if (a->count == a->room) {
    size_t room = a->room > 0 ? a->room * 2 : 16;
    rille_mirror_table **numbers = rille_arena_get(&a->scratch, room * sizeof(rille_mirror_table *));

    if (numbers == NULL)
      return rille_fault_no_memory(fault);
    if (a->count > 0)
      memcpy(numbers, a->numbers, a->count * sizeof(rille_mirror_table *));
    a->numbers = numbers;
    a->room = room;
  }
  a->numbers[a->count++] = table;
  return status;
}

/* -- rows ------------------------------------------------------------------------------------------------ */

/* Fills in the key of the row, behind whose it is; returns how many cells these are. */
static size_t
read_key(rille_mirror_table *table)
{
  size_t count = 1;

  table->key[0] = table->cells[0];
  for (size_t i = 0; i < table->count; i++)
    if (table->columns[i].key)
      table->key[count++] = table->cells[i + 1];
  return count;
}

/* The row of that key becomes what it is in the source now. */
static rille_status
heal(rille_mirror_run *a, rille_mirror_table *table, size_t keys, rille_fault *fault)
{
  bool found = false;
  rille_status status = rille_aside_row(a->mirror->source, table->find, table->key + 1, keys - 1, &a->scratch,
                                        table->cells + 1, table->count, &found, fault);

  if (status == RILLE_NO_SUCH_TABLE) /* dropped since, and its rows with it */
    status = RILLE_OK;
  if (status != RILLE_OK)
    return status;
  return found ? rille_aside_run(a->mirror->target, table->put, table->cells, table->count + 1, fault)
               : rille_aside_run(a->mirror->target, table->remove, table->key, keys, fault);
}

/* A row of which some long values are what they were. */
static rille_status
update_partly(rille_mirror_run *a, rille_mirror_table *table, size_t keys, rille_fault *fault)
{
  rille_connection *target = a->mirror->target;
  rille_statement *statement = NULL;
  size_t sets = 0;
  rille_buffer sql;
  bool row, changed = false;
  rille_status status;

  for (size_t i = 0; i < table->count; i++)
    if (table->given[i] && !table->columns[i].key)
      table->values[sets++] = table->cells[i + 1];
  if (sets == 0)
    return heal(a, table, keys, fault);
  memcpy(table->values + sets, table->key, keys * sizeof *table->key);
  rille_buffer_init(&sql, 1 << 20);
  rille_mirror_table_update(table, &sql);
  status = rille_buffer_ok(&sql)
             ? rille_aside_start(target, rille_buffer_str(&sql).at, table->values, sets + keys, &statement, fault)
             : rille_fault_no_memory(fault);
  if (status == RILLE_OK)
    status = target->conn->driver->step(statement->stmt, &row, fault);
  if (status == RILLE_OK)
    changed = target->conn->driver->changes(target->conn) > 0;
  rille_connection_release(statement);
  rille_buffer_release(&sql);
  return status != RILLE_OK || changed ? status : heal(a, table, keys, fault);
}

static rille_status
apply_row(rille_mirror_run *a, rille_mirror_table *table, char what, rille_change_reader *reader, rille_fault *fault)
{
  bool whole = true;
  size_t keys;

  table->cells[0] = rille_cell_text(a->mirror->source_name);
  for (size_t i = 0; i < table->count; i++)
    if (what != RILLE_CHANGE_DELETE || table->columns[i].key) {
      table->given[i] = rille_change_cell(reader, &table->cells[i + 1]);
      whole = whole && table->given[i];
    }
  if (reader->bad)
    return rille_fault_set(fault, RILLE_CORRUPT, "the outbox holds what is no change of a row");
  if (table->left_out)
    return RILLE_OK;
  keys = read_key(table);
  if (a->healing)
    return heal(a, table, keys, fault);
  if (what == RILLE_CHANGE_DELETE)
    return rille_aside_run(a->mirror->target, table->remove, table->key, keys, fault);
  return whole ? rille_aside_run(a->mirror->target, table->put, table->cells, table->count + 1, fault)
               : update_partly(a, table, keys, fault);
}

rille_status
rille_mirror_run_text(rille_mirror_run *a, rille_str changes, rille_fault *fault)
{
  rille_change_reader reader = { changes.at, changes.at + changes.len, false };
  rille_status status = RILLE_OK;

  a->count = a->room = 0;
  rille_arena_reset(&a->scratch);
  while (status == RILLE_OK && reader.at < reader.end) {
    char what = rille_change_byte(&reader);

    if (what == RILLE_CHANGE_TABLE) {
      status = meet_table(a, &reader, fault);
    } else {
      uint64_t number = rille_change_number(&reader);

      if (reader.bad || number >= a->count)
        return rille_fault_set(fault, RILLE_CORRUPT, "the outbox holds what is no change of a row");
      status = apply_row(a, a->numbers[number], what, &reader, fault);
    }
  }
  return status;
}
