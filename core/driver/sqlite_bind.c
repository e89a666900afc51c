/* core/driver/sqlite_bind.c - values given to SQLite, and taken away from it. */
#include "core/driver/sqlite_bind.h"

/* The bit of a parameter whose integers stay; 0: it has none. */
static unsigned
bit_of(int index)
{
  return index >= 1 && index <= RILLE_SQLITE_KEPT ? 1U << (index - 1) : 0;
}

static int
bind_integer(rille_sqlite_bound *bound, int index, int64_t integer)
{
  unsigned bit = bit_of(index);
  int code = sqlite3_bind_int64(bound->handle, index, integer);

  if (code != SQLITE_OK)
    return code;
  if (bit == 0) {
    bound->clears = true;
  } else {
    bound->integers[index - 1] = integer;
    bound->kept |= bit;
    bound->stale &= ~bit;
  }
  return SQLITE_OK;
}

int
rille_sqlite_bind_anew(rille_sqlite_bound *bound, int index, const rille_cell *cell)
{
  const char *bytes = cell->as.text.at;

  if (cell->kind == RILLE_INT || cell->kind == RILLE_BOOL)
    return bind_integer(bound, index, cell->as.integer);
  bound->kept &= ~bit_of(index);
  bound->stale &= ~bit_of(index);
  bound->clears = true;
  switch (cell->kind) {
  case RILLE_REAL: return sqlite3_bind_double(bound->handle, index, cell->as.real);
  case RILLE_TEXT:
    return sqlite3_bind_text64(bound->handle, index, bytes != NULL ? bytes : "", cell->as.text.len, SQLITE_STATIC,
                               SQLITE_UTF8);
  case RILLE_BLOB:
    return sqlite3_bind_blob64(bound->handle, index, bytes != NULL ? bytes : "", cell->as.text.len, SQLITE_STATIC);
  default: return sqlite3_bind_null(bound->handle, index);
  }
}

void
rille_sqlite_drop_stale(rille_sqlite_bound *bound)
{
  for (int index = 1; index <= RILLE_SQLITE_KEPT; index++)
    if ((bound->stale & bit_of(index)) != 0)
      (void)sqlite3_bind_null(bound->handle, index);
  bound->kept &= ~bound->stale;
  bound->stale = 0;
}

void
rille_sqlite_unbind(rille_sqlite_bound *bound)
{
  if (bound->clears) {
    (void)sqlite3_clear_bindings(bound->handle);
    bound->clears = false;
    bound->kept = 0;
  }
  bound->stale = bound->kept;
}
