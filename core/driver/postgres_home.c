/* core/driver/postgres_home.c - where bare names are looked up stays as the connection was opened, whatever SQL of the
** caller's own has set: `set schema`, set_config() in a condition, a DO block that puts its text together.  So it is on
** one to one schema; on others the schema that is called as the role stays out, where that was said.
**
** What such SQL sets nobody can read off it.  So after it the connection is astray, and with each statement that
** follows goes what puts the search path back, until one of them was done: then it holds.  A failure undoes both.
** Each savepoint, and each transaction, begins with the path as it is to be, and so does whatever is rolled back to. */
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_stmt.h"

void
rille_postgres_own(rille_stmt *base)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;

  stmt->own = stmt->conn->info.home != NULL;
}

size_t
rille_postgres_home(const rille_postgres_conn *conn, bool apart, rille_postgres_ask asks[])
{
  size_t count = 0;

  if (!conn->astray || conn->failed)
    return 0;
  asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = conn->info.home };
  if (apart && !conn->in_transaction)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SYNC };
  return count;
}

rille_status
rille_postgres_go_home(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_ask ask;
  rille_status status;

  if (conn->begin == NULL || rille_postgres_home(conn, false, &ask) == 0)
    return RILLE_OK;
  status = rille_postgres_exchange(conn, &ask, 1, fault);
  if (status == RILLE_OK && PQresultStatus(ask.result) == PGRES_FATAL_ERROR)
    status = rille_postgres_fault(ask.result, (rille_str){ 0 }, conn->stopped, fault);
  conn->astray = status != RILLE_OK;
  rille_postgres_clear(&ask, 1);
  return status;
}
