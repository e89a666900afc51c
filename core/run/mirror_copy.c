/* core/run/mirror_copy.c - all rows of a source copied into its mirror, and compared. */
#include <string.h>

#include "core/base/shown.h"
#include "core/run/aside.h"
#include "core/run/mirror_ledger.h"
#include "core/run/mirror_table.h"
#include "core/run/outbox_table.h"

/* What can be compared of the rows of a table: in whichever order they come. */
struct sum {
  int64_t rows;
  uint64_t total;
};

/* Adds a row: FNV-1a of its cells as an outbox would have them. */
static void
add_row(struct sum *sum, const rille_cell cells[], size_t count, rille_buffer *scratch)
{
  uint64_t hash = 14695981039346656037u;

  rille_buffer_clear(scratch);
  for (size_t i = 0; i < count; i++)
    rille_change_put_cell(scratch, &cells[i]);
  for (size_t i = 0; i < scratch->len; i++)
    hash = (hash ^ (unsigned char)scratch->at[i]) * 1099511628211u;
  sum->rows++;
  sum->total += hash;
}

/* Adds up the rows that the source has, and copies them where `copy` says so. */
static rille_status
read_rows(const rille_mirror *mirror, rille_mirror_table *table, bool copy, struct sum *sum, rille_buffer *scratch,
          rille_fault *fault)
{
  rille_statement *statement = NULL;
  bool row = true;
  rille_status status = rille_aside_start(mirror->source, table->read, NULL, 0, &statement, fault);

  table->cells[0] = rille_cell_text(mirror->source_name);
  while (status == RILLE_OK && row) {
    status = rille_aside_next(mirror->source, statement, table->cells + 1, &row, fault);
    if (status != RILLE_OK || !row)
      break;
    add_row(sum, table->cells + 1, table->count, scratch);
    if (copy)
      status = rille_aside_run(mirror->target, table->put, table->cells, table->count + 1, fault);
  }
  rille_connection_release(statement);
  return status;
}

/* Adds up the rows that the mirror now has. */
static rille_status
sum_up(const rille_mirror *mirror, rille_mirror_table *table, struct sum *sum, rille_buffer *scratch,
       rille_fault *fault)
{
  const rille_cell source = rille_cell_text(mirror->source_name);
  rille_statement *statement = NULL;
  bool row = true;
  rille_status status = rille_aside_start(mirror->target, table->read_one, &source, 1, &statement, fault);

  while (status == RILLE_OK && row) {
    status = rille_aside_next(mirror->target, statement, table->cells, &row, fault);
    if (status == RILLE_OK && row)
      add_row(sum, table->cells, table->count, scratch);
  }
  rille_connection_release(statement);
  return status;
}

static rille_status
copy_table(const rille_mirror *mirror, rille_str layout, rille_arena *arena, rille_buffer *differing,
           rille_mirror_outcome *out, rille_fault *fault)
{
  const rille_cell source = rille_cell_text(mirror->source_name);
  rille_change_reader reader = { layout.at, layout.at + layout.len, false };
  rille_mirror_table *table = NULL;
  struct sum here = { 0 }, there = { 0 };
  rille_buffer scratch;
  rille_status status = rille_mirror_table_read(&reader, arena, &table, fault);

  (void)differing;
  rille_buffer_init(&scratch, SIZE_MAX / 4);
  if (status == RILLE_OK)
    status = rille_mirror_table_ensure(mirror->target, table, arena, fault);
  if (status == RILLE_OK)
    status = rille_mirror_table_clear(mirror->target, table, arena, &source, fault);
  if (status == RILLE_OK)
    status = read_rows(mirror, table, true, &here, &scratch, fault);
  if (status == RILLE_OK)
    status = sum_up(mirror, table, &there, &scratch, fault);
  if (status == RILLE_OK && !rille_buffer_ok(&scratch))
    status = rille_fault_no_memory(fault);
  if (status == RILLE_OK && (here.rows != there.rows || here.total != there.total)) {
    status = rille_fault_set(fault, RILLE_CHECKSUM_MISMATCH,
                             "the mirror keeps other rows of %s than it was given: %lld "
                             "of %lld, or other values",
                             rille_show(table->name).text, (long long)there.rows, (long long)here.rows);
    rille_fault_hint(fault, "its columns want the types of the source; triggers must not change mirrored rows");
  }
  out->transactions += here.rows;
  rille_buffer_release(&scratch);
  return status;
}

/* Adds the name of the table to `differing` where the mirror holds other rows of it, or does not have it. */
static rille_status
compare_table(const rille_mirror *mirror, rille_str layout, rille_arena *arena, rille_buffer *differing,
              rille_mirror_outcome *out, rille_fault *fault)
{
  rille_change_reader reader = { layout.at, layout.at + layout.len, false };
  rille_mirror_table *table = NULL;
  struct sum here = { 0 }, there = { 0 };
  rille_buffer scratch;
  rille_status status = rille_mirror_table_read(&reader, arena, &table, fault);

  rille_buffer_init(&scratch, SIZE_MAX / 4);
  if (status == RILLE_OK)
    status = read_rows(mirror, table, false, &here, &scratch, fault);
  if (status == RILLE_OK) {
    status = sum_up(mirror, table, &there, &scratch, fault);
    if (status == RILLE_NO_SUCH_TABLE && here.rows == 0)
      status = RILLE_OK; /* made with the first row */
    if (status == RILLE_NO_SUCH_TABLE || status == RILLE_NO_SUCH_COLUMN) {
      there.rows = -1;
      status = RILLE_OK;
    }
  }
  if (status == RILLE_OK && !rille_buffer_ok(&scratch))
    status = rille_fault_no_memory(fault);
  if (status == RILLE_OK && (here.rows != there.rows || here.total != there.total)) {
    rille_buffer_add(differing, table->name.at, table->name.len);
    rille_buffer_byte(differing, '\n');
  }
  out->transactions += here.rows;
  rille_buffer_release(&scratch);
  return status;
}

/* data: the name of the source, of which all rows go: some tables may not be in the source any more */
static rille_status
clear_table(const rille_mirror *mirror, const rille_mirror_table *table, rille_arena *arena, const rille_cell *data,
            rille_fault *fault)
{
  return rille_mirror_table_clear(mirror->target, table, arena, data, fault);
}

/* What is done with a table that is mirrored. */
typedef rille_status (*take_table)(const rille_mirror *mirror, rille_str layout, rille_arena *arena,
                                   rille_buffer *differing, rille_mirror_outcome *out, rille_fault *fault);

/* Takes one table after the other, in the order of their names. */
static rille_status
each_source_table(const rille_mirror *mirror, take_table take, rille_buffer *differing, rille_mirror_outcome *out,
                  rille_fault *fault)
{
  static const char sql[] = "select name from pragma_table_list where schema = 'main' and type = 'table' and name > ? "
                            "and name not like 'sqlite\\_%' escape '\\' and name not like 'rille\\_%' escape '\\' "
                            "order by name limit 1";
  rille_arena arena;
  rille_cell name = rille_cell_text(rille_str_of(""));
  bool found = true;
  rille_status status = RILLE_OK;

  rille_arena_init(&arena);
  while (status == RILLE_OK && found) {
    rille_outbox_table table = { 0 };

    status = rille_aside_row(mirror->source, sql, &name, 1, &arena, &name, 1, &found, fault);
    if (status != RILLE_OK || !found)
      break;
    table.name = name.as.text;
    if (!rille_mirror_wants(mirror, table.name))
      continue;
    status = rille_outbox_table_read(mirror->source, &table, &arena, fault);
    if (status == RILLE_OK && table.why_not != NULL)
      out->left_out++;
    else if (status == RILLE_OK && !table.left_out)
      status = take(mirror, table.layout, &arena, differing, out, fault);
  }
  rille_arena_release(&arena);
  return status;
}

/* Of the outbox, and what the mirror says of itself. */
static rille_status
last_place(const rille_mirror *mirror, rille_mirror_place *before, rille_mirror_place *out, rille_fault *fault)
{
  rille_cell cells[2];
  rille_arena none;
  bool found = false;
  rille_status status;

  rille_arena_init(&none);
  status = rille_mirror_read_place(mirror, before, fault); /* retires what another database left */
  *out = (rille_mirror_place){ .generation = before->generation };
  if (status == RILLE_OK)
    status = rille_aside_row(mirror->source,
                             "select \"seq\", \"made_at\" from \"rille_outbox\" order by \"seq\" desc limit 1", NULL, 0,
                             &none, cells, 2, &found, fault);
  if (status == RILLE_OK && found)
    *out = (rille_mirror_place){ cells[0].as.integer, cells[1].as.integer, before->generation };
  return status;
}

/* In the transactions of both. */
static rille_status
copy_all(const rille_mirror *mirror, rille_mirror_place *place, rille_mirror_outcome *out, rille_fault *fault)
{
  const rille_cell source = rille_cell_text(mirror->source_name);
  rille_mirror_place before;
  rille_status status = last_place(mirror, &before, place,
                                   fault); /* the first read: from here on the source stands still */

  if (status == RILLE_OK)
    status = rille_mirror_each_table(mirror, clear_table, &source, fault);
  if (status == RILLE_OK)
    status = each_source_table(mirror, copy_table, NULL, out, fault);
  if (status == RILLE_OK)
    status = rille_aside_run(mirror->target, "delete from \"rille_mirror_failed\" where \"source\" = ?", &source, 1,
                             fault);
  if (status == RILLE_OK)
    status = rille_mirror_write_place(mirror, *place, fault);
  return status;
}

rille_status
rille_mirror_resync(const rille_mirror *mirror, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror_place place;
  rille_status status = rille_mirror_begin(mirror, fault);

  *out = (rille_mirror_outcome){ 0 };
  if (status != RILLE_OK)
    return status;
  status = rille_connection_begin(mirror->source, RILLE_BEGIN_DEFERRED, NULL, fault);
  if (status == RILLE_OK) {
    status = copy_all(mirror, &place, out, fault);
    (void)rille_connection_rollback(mirror->source, NULL); /* it only read */
  }
  if (status == RILLE_OK)
    status = rille_connection_commit(mirror->target, fault);
  if (status != RILLE_OK) {
    (void)rille_connection_rollback(mirror->target, NULL);
    return status;
  }
  (void)rille_aside_run(mirror->source, "delete from \"rille_mirror_skips\"", NULL, 0, NULL);
  rille_mirror_tidy(mirror, place.seq);
  return RILLE_OK;
}

rille_status
rille_mirror_verify(const rille_mirror *mirror, rille_buffer *differing, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror_place has, last;
  rille_status status = rille_mirror_begin(mirror, fault);

  *out = (rille_mirror_outcome){ 0 };
  if (status != RILLE_OK)
    return status;
  status = rille_connection_begin(mirror->source, RILLE_BEGIN_DEFERRED, NULL, fault);
  if (status == RILLE_OK) {
    status = last_place(mirror, &has, &last, fault);
    out->more = status == RILLE_OK && has.seq != last.seq;
    if (status == RILLE_OK && !out->more)
      status = each_source_table(mirror, compare_table, differing, out, fault);
    (void)rille_connection_rollback(mirror->source, NULL);
  }
  (void)rille_connection_rollback(mirror->target, NULL);
  return status == RILLE_OK && !rille_buffer_ok(differing) ? rille_fault_no_memory(fault) : status;
}
