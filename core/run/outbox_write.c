/* core/run/outbox_write.c - reads of the row as it was only what it must: SQLite unpacks it for the first cell. */
#include "core/run/outbox_write.h"

enum { SHORT = 256 }; /* bytes: a value that did not change is written all the same up to here */

struct writer {
  rille_buffer *out;
  uint64_t number;
  const rille_outbox_table *table;
  const rille_row_change *change;
  bool failed; /* for want of memory */
};

static bool
is_same(struct writer *w, size_t column)
{
  rille_cell before;
  bool read = w->change->before(w->change, column, &before);

  w->failed = w->failed || !read;
  return read && rille_cell_equal(&before, &w->change->after[column]);
}

static bool
is_long(const rille_cell *cell)
{
  return cell->kind >= RILLE_TEXT && cell->kind <= RILLE_BLOB && cell->as.text.len > SHORT;
}

/* The row of the key that was goes. */
static void
put_key(struct writer *w)
{
  rille_cell cell = { .kind = RILLE_INT, .as.integer = w->change->id_before };

  rille_buffer_byte(w->out, RILLE_CHANGE_DELETE);
  rille_change_put_number(w->out, w->number);
  for (size_t i = 0; i < w->table->count; i++)
    if (w->table->columns[i] == 'k') {
      w->failed = w->failed || (!w->table->by_id && !w->change->before(w->change, i, &cell));
      rille_change_put_cell(w->out, &cell);
    }
}

/* `partly`: of the row that was there, what did not change is left out where it is long. */
static void
put_row(struct writer *w, bool partly)
{
  const rille_cell *after = w->change->after;

  rille_buffer_byte(w->out, partly ? RILLE_CHANGE_UPDATE : RILLE_CHANGE_INSERT);
  rille_change_put_number(w->out, w->number);
  for (size_t i = 0; i < w->table->count; i++)
    if (w->table->columns[i] != '-') {
      bool left_out = partly && w->table->columns[i] == 'v' && is_long(&after[i]) && is_same(w, i);

      rille_change_put_cell(w->out, left_out ? NULL : &after[i]);
    }
}

static bool
has_no_key(const struct writer *w)
{
  bool none = false;

  for (size_t i = 0; i < w->table->count && w->change->after != NULL; i++)
    none = none || (w->table->columns[i] == 'k' && w->change->after[i].kind == RILLE_NULL);
  return none;
}

static bool
keeps_key(struct writer *w)
{
  bool same = true;

  if (w->table->by_id)
    return w->change->id_before == w->change->id_after;
  for (size_t i = 0; i < w->table->count && same; i++)
    same = w->table->columns[i] != 'k' || is_same(w, i);
  return same;
}

rille_status
rille_outbox_write(rille_buffer *out, uint64_t number, const rille_outbox_table *table, const rille_row_change *change)
{
  struct writer w = { .out = out, .number = number, .table = table, .change = change };
  bool partly;

  if (has_no_key(&w))
    return RILLE_UNSUPPORTED;
  partly = change->what == RILLE_CHANGE_UPDATE && keeps_key(&w);
  if (change->what != RILLE_CHANGE_INSERT && !partly)
    put_key(&w);
  if (change->what != RILLE_CHANGE_DELETE)
    put_row(&w, partly);
  return w.failed ? RILLE_OUT_OF_MEMORY : RILLE_OK;
}
