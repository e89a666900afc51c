/* core/driver/sqlite_checkpoint.c - copies the write-ahead log into the database while nobody writes.
**
** After a commit that leaves many pages in the log SQLite copies what it can, and lets others commit meanwhile.  Up to
** 3.51.2 one of them may begin the log anew at a moment at which whoever copies does not notice: he then marks pages as
** copied that are not, and they are lost once the log is begun anew again (https://sqlite.org/wal.html#walresetbug).
** So with these versions only a connection that holds the lock of the writer copies, whichever process it is in.  It
** does not wait for that lock: whoever has it will commit, and then try the same.  The last connection to be closed
** copies too, and is alone then. */
#include <limits.h>

#include "core/driver/sqlite_conn.h"

enum {
  PAGES = 1000,  /* as SQLite does, unless it is told otherwise */
  WRITE_LOCK = 0 /* its place among the locks of the log: part of the format of the file */
};

/* 3.44.6 and 3.50.7 have the fix as well. */
static bool
is_safe_without(int version)
{
  return version >= 3051003 || (version >= 3050007 && version < 3051000) || (version >= 3044006 && version < 3045000);
}

/* After each commit; SQLite calls it at the end of the statement. */
static int
on_commit(void *data, sqlite3 *db, const char *name, int pages)
{
  const rille_sqlite_conn *conn = data;
  sqlite3_file *file = NULL;
  int code;

  if (pages < conn->checkpoint_pages)
    return SQLITE_OK;
  if (is_safe_without(sqlite3_libversion_number())) {
    (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
  }
  if (sqlite3_file_control(db, name, SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file->pMethods == NULL)
    return SQLITE_OK;
  code = file->pMethods->xShmLock(file, WRITE_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
  if (code == SQLITE_BUSY)
    return SQLITE_OK;
  (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  if (code == SQLITE_OK) /* otherwise there are no locks: the file is this connection's alone */
    (void)file->pMethods->xShmLock(file, WRITE_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  return SQLITE_OK;
}

void
rille_sqlite_begin_checkpoints(rille_sqlite_conn *conn)
{
  conn->checkpoint_pages = PAGES;
  (void)sqlite3_wal_hook(conn->db, on_commit, conn);
}

/* SQLite has one hook for both ways; with its own comes the number of pages, or none where nothing is to be copied. */
bool
rille_sqlite_guard_checkpoints(rille_sqlite_conn *conn)
{
  void *before = sqlite3_wal_hook(conn->db, on_commit, conn);

  if (before == conn)
    return false;
  conn->checkpoint_pages = before != NULL ? (int)(intptr_t)before : INT_MAX;
  conn->checkpoint_said = true;
  return true;
}

void
rille_sqlite_space_checkpoints(rille_sqlite_conn *conn, bool spaced)
{
  if (!conn->checkpoint_said)
    conn->checkpoint_pages = spaced ? 2 * PAGES : PAGES;
}
