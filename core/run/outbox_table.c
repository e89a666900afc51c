/* core/run/outbox_table.c - reads the columns of a table and writes its layout. */
#include "core/run/outbox_table.h"

#include <strings.h>

#include "core/run/aside.h"

enum { LAYOUT_MAX = 1 << 20 }; /* bytes */

/* A single key of exactly this type is the id of the row. */
static bool
is_integer(rille_str declared)
{
  return declared.len == 7 && strncasecmp(declared.at, "integer", 7) == 0;
}

/* Reads the columns of a table into its layout.  `text` collects that, `kinds` a letter for each column. */
static rille_status
read_columns(rille_connection *connection, rille_outbox_table *table, rille_buffer *text, rille_buffer *kinds,
             rille_fault *fault)
{
  static const char sql[] =
    "select c.name, c.type, c.pk, c.hidden, t.type as what, t.wr from pragma_table_xinfo(?1) as c, "
    "pragma_table_list as t where t.schema = 'main' and t.name = ?1 order by c.cid";
  const rille_cell name = rille_cell_text(table->name);
  rille_statement *statement = NULL;
  rille_status status = rille_aside_start(connection, sql, &name, 1, &statement, fault);
  bool row = true, unstored = false;
  uint64_t kept = 0;
  int keys = 0;

  while (status == RILLE_OK) {
    rille_cell cells[6];
    bool hidden;

    status = rille_aside_next(connection, statement, cells, &row, fault);
    if (status != RILLE_OK || !row)
      break;
    hidden = cells[3].as.integer != 0;
    table->left_out = table->left_out || !rille_str_is(cells[4].as.text, "table");
    if (unstored && cells[3].as.integer != 2)
      table->why_not = "a generated column that is not stored stands before others";
    unstored = unstored || cells[3].as.integer == 2;
    keys += cells[2].as.integer > 0;
    if (cells[2].as.integer > 0)
      table->by_id = keys == 1 && cells[5].as.integer == 0 && is_integer(cells[1].as.text);
    rille_buffer_byte(kinds, hidden ? '-' : cells[2].as.integer > 0 ? 'k' : 'v');
    if (hidden)
      continue;
    kept++;
    rille_change_put_text(text, cells[0].as.text);
    rille_change_put_text(text, cells[1].as.text);
    rille_change_put_number(text, cells[2].as.integer > 0);
  }
  rille_connection_release(statement);
  table->count = kinds->len;
  if (keys == 0)
    table->why_not = "it has no primary key";
  return status == RILLE_OK && kept == 0 ? rille_fault_set(fault, RILLE_NO_SUCH_TABLE, "there is no such table")
                                         : status;
}

rille_status
rille_outbox_table_read(rille_connection *connection, rille_outbox_table *table, rille_arena *arena, rille_fault *fault)
{
  rille_buffer columns, kinds, layout;
  uint64_t kept = 0;
  rille_status status;

  rille_buffer_init(&columns, LAYOUT_MAX);
  rille_buffer_init(&kinds, LAYOUT_MAX);
  rille_buffer_init(&layout, LAYOUT_MAX);
  status = read_columns(connection, table, &columns, &kinds, fault);
  for (size_t i = 0; i < kinds.len; i++)
    kept += kinds.at[i] != '-';
  rille_change_put_text(&layout, table->name);
  rille_change_put_number(&layout, kept);
  rille_buffer_add(&layout, columns.at, columns.len);
  if (status == RILLE_OK) {
    table->layout = rille_arena_copy(arena, rille_buffer_str(&layout));
    table->columns = rille_arena_copy(arena, rille_buffer_str(&kinds)).at;
    if (!rille_buffer_ok(&columns) || !rille_buffer_ok(&kinds) || !rille_buffer_ok(&layout) || !rille_arena_ok(arena))
      status = rille_fault_no_memory(fault);
  }
  rille_buffer_release(&layout);
  rille_buffer_release(&kinds);
  rille_buffer_release(&columns);
  return status;
}
