/* core/driver/sqlite_watch.c - tells of each row that changes, and runs statements that nobody shall notice.
**
** SQLite calls its hook before each row: for what triggers, foreign keys and REPLACE do, too.  Statements that were
** prepared before the hook was there do not call it for all of that. */
#define SQLITE_ENABLE_PREUPDATE_HOOK 1

#include "core/driver/sqlite_watch.h"

#include "core/base/memory.h"

struct rille_sqlite_watch {
  rille_on_change on_change;
  void *data;
  sqlite3 *db;       /* of the change that is told of */
  rille_cell *cells; /* of the row as it will be */
  size_t room;
};

static rille_status
make_room(rille_sqlite_watch *watch, size_t count)
{
  rille_cell *cells;

  if (count <= watch->room)
    return RILLE_OK;
  cells = rille_memory_resize(watch->cells, count * sizeof *cells);
  if (cells == NULL)
    return RILLE_OUT_OF_MEMORY;
  watch->cells = cells;
  watch->room = count;
  return RILLE_OK;
}

/* SQLite says SQLITE_RANGE, and gives nothing, for generated columns that are not stored. */
static bool
read_cell(sqlite3 *db, int (*value_of)(sqlite3 *, int, sqlite3_value **), int column, rille_cell *cell)
{
  sqlite3_value *value = NULL;
  int code = value_of(db, column, &value);

  if (value != NULL)
    return rille_sqlite_cell(value, cell);
  *cell = (rille_cell){ .kind = RILLE_NULL };
  return code != SQLITE_NOMEM;
}

/* SQLite unpacks the whole row for the first column of it that is asked for. */
static bool
read_before(const rille_row_change *change, size_t column, rille_cell *cell)
{
  const rille_sqlite_watch *watch = change->of_driver;

  return read_cell(watch->db, sqlite3_preupdate_old, (int)column, cell);
}

static bool
read_after(rille_row_change *change)
{
  rille_sqlite_watch *watch = change->of_driver;
  bool read;

  if (change->what == RILLE_CHANGE_DELETE)
    return true;
  read = make_room(watch, change->count) == RILLE_OK;
  for (size_t i = 0; i < change->count && read; i++)
    read = read_cell(watch->db, sqlite3_preupdate_new, (int)i, &watch->cells[i]);
  change->after = watch->cells;
  return read;
}

static void
on_preupdate(void *data, sqlite3 *db, int what, const char *schema, const char *table, sqlite3_int64 before,
             sqlite3_int64 after)
{
  rille_sqlite_watch *watch = data;
  rille_row_change change = { .table = rille_str_of(table), .id_before = before, .id_after = after };

  if (schema[0] != 'm') /* "main"; the other ones are "temp" and what is attached */
    return;
  watch->db = db;
  change.count = (size_t)sqlite3_preupdate_count(db);
  change.read_after = read_after;
  change.before = read_before;
  change.of_driver = watch;
  change.what = what == SQLITE_INSERT   ? RILLE_CHANGE_INSERT
                : what == SQLITE_DELETE ? RILLE_CHANGE_DELETE
                                        : RILLE_CHANGE_UPDATE;
  watch->on_change(watch->data, &change);
}

rille_status
rille_sqlite_watch_rows(rille_conn *base, rille_on_change on_change, void *data, rille_fault *fault)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;

  if (conn->watch == NULL)
    conn->watch = rille_memory_get(sizeof *conn->watch);
  if (conn->watch == NULL)
    return rille_fault_no_memory(fault);
  conn->watch->on_change = on_change;
  conn->watch->data = data;
  (void)sqlite3_preupdate_hook(conn->db, on_change != NULL ? on_preupdate : NULL, conn->watch);
  rille_sqlite_space_checkpoints(conn, on_change != NULL);
  return RILLE_OK;
}

void
rille_sqlite_watch_free(rille_sqlite_watch *watch)
{
  if (watch != NULL)
    rille_memory_free(watch->cells);
  rille_memory_free(watch);
}

rille_status
rille_sqlite_run_aside(rille_conn *base, rille_stmt *stmt, rille_fault *fault)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;
  int64_t changes = stmt->driver->changes(base);
  sqlite3_int64 last_id = sqlite3_last_insert_rowid(conn->db);
  bool row = true;
  rille_status status = RILLE_OK;

  while (status == RILLE_OK && row)
    status = stmt->driver->step(stmt, &row, fault);
  conn->aside = true;
  conn->changes_before = changes;
  sqlite3_set_last_insert_rowid(conn->db, last_id);
  return status;
}
