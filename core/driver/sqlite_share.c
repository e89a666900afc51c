/* core/driver/sqlite_share.c - is one connection to a file as good as another? */
#include <stdio.h>
#include <string.h>

#include "core/driver/sqlite_conn.h"

/* What a setting of them changes for whoever reads: what rows there are and how they look, or whether others may. */
static const char *const pragmas[] = { "case_sensitive_like", "full_column_names", "journal_mode",
                                       "locking_mode",        "read_uncommitted",  "reverse_unordered_selects",
                                       "short_column_names",  "trusted_schema",    "writable_schema" };

/* Those two that shares() asks for as well are here for the readers that must be gone before they are set.  Where the
** words stand in the text does not matter: cursors of an odd connection only take more memory. */
void
rille_sqlite_look_for_pragma(rille_sqlite_conn *conn, const char *sql)
{
  if (sqlite3_strlike("%pragma%", sql, 0) != 0 || strpbrk(sql, "=(") == NULL)
    return;
  for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
    char pattern[40];

    (void)snprintf(pattern, sizeof pattern, "%%%s%%", pragmas[i]);
    conn->odd = conn->odd || sqlite3_strlike(pattern, sql, 0) == 0;
  }
}

/* Does the statement, which is kept, give that text? */
static bool
gives(rille_sqlite_conn *conn, int which, const char *sql, const char *text)
{
  const char *given = NULL;
  bool found;

  if (conn->kept[which] == NULL)
    (void)sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &conn->kept[which], NULL);
  if (sqlite3_step(conn->kept[which]) == SQLITE_ROW)
    given = (const char *)sqlite3_column_text(conn->kept[which], 0);
  found = given != NULL && strcmp(given, text) == 0;
  return sqlite3_reset(conn->kept[which]) == SQLITE_OK && found;
}

/* Without a log whoever reads keeps others from writing, and who has a file to himself keeps them from reading; nobody
** else sees temporary tables, or what is attached. */
bool
rille_sqlite_shares(rille_conn *base)
{
  rille_sqlite_conn *conn = (rille_sqlite_conn *)base;

  return !conn->odd && gives(conn, SQL_LOG, "pragma main.journal_mode", "wal") &&
         gives(conn, SQL_LOCK, "pragma main.locking_mode", "normal") &&
         gives(conn, SQL_ALIKE,
               "select not exists (select 1 from pragma_database_list where seq > 1 "
               "union all select 1 from temp.sqlite_schema)",
               "1");
}
