/* core/driver/postgres_together.c - several statements in one round trip. */
#include "core/driver/postgres_error.h"
#include "core/driver/postgres_place.h"
#include "core/driver/postgres_stmt.h"
#include "core/driver/postgres_wall.h"

/* Asks for all of them.  Outside of a transaction a SYNC stands behind each, so that it ends for itself. */
static size_t
ask_for_all(rille_postgres_conn *conn, rille_stmt *const stmts[], size_t count, bool ends, rille_postgres_ask asks[],
            char told[RILLE_POSTGRES_TOLD_BYTES])
{
  bool inside = conn->in_transaction || conn->begin != NULL;
  size_t asked = rille_postgres_before(conn, asks, told);

  for (size_t i = 0; i < count; i++) {
    if (i > 0 && !inside)
      asks[asked++] = (rille_postgres_ask){ .what = RILLE_ASK_SYNC };
    asked += rille_postgres_home(conn, false, asks + asked);
    conn->astray = conn->astray || ((const rille_postgres_stmt *)stmts[i])->own;
    asked += rille_postgres_wall((rille_postgres_stmt *)stmts[i], asks + asked);
    asked += rille_postgres_run_asks((const rille_postgres_stmt *)stmts[i], asks + asked);
  }
  if (ends)
    asks[asked++] = (rille_postgres_ask){ .what = RILLE_ASK_SQL, .text = "commit" };
  if (conn->tracks && (ends || !inside))
    asked += rille_postgres_look(conn, !inside, asks + asked);
  return asked;
}

/* Makes the round trip.  *come: the rows of the last statement, behind which stands nothing but perhaps COMMIT, come
** one by one. */
static rille_status
make(rille_postgres_conn *conn, bool reads, bool looks, bool ends, rille_postgres_ask asks[], size_t asked, bool *come,
     rille_fault *fault)
{
  rille_status status;

  *come = false;
  if (looks || !reads)
    return rille_postgres_exchange(conn, asks, asked, fault);
  status = rille_postgres_exchange_rows(conn, asks, asked, asked - 1 - ends, false, come, fault);
  conn->commit_behind = *come && ends;
  return status;
}

/* Gives each statement what came of it. */
static void
hand_out(rille_stmt *const stmts[], size_t count, rille_postgres_ask asks[])
{
  size_t next = 0;
  bool untold = false;

  for (size_t i = 0; next < count; i++)
    if (asks[i].aside) {
      untold = untold || PQresultStatus(asks[i].result) == PGRES_FATAL_ERROR;
    } else if (asks[i].what == RILLE_ASK_RUN) {
      rille_postgres_stmt *stmt = (rille_postgres_stmt *)stmts[next++];

      stmt->untold = untold;
      untold = false;
      stmt->result = asks[i].result;
      stmt->state = RILLE_PG_CAME;
      asks[i].result = NULL;
      if (stmt->result != NULL)
        rille_postgres_read_tag(stmt->conn, stmt->result);
    }
}

rille_status
rille_postgres_together(rille_stmt *const stmts[], size_t count, rille_fault *fault)
{
  rille_postgres_stmt *first = count > 0 ? (rille_postgres_stmt *)stmts[0] : NULL;
  rille_postgres_conn *conn = first != NULL ? first->conn : NULL;
  char told[RILLE_POSTGRES_TOLD_BYTES];
  rille_postgres_ask *asks;
  size_t asked;
  rille_status status;
  bool ends = conn != NULL && conn->ends, looks, reads = true, come, stale = false;

  if (conn != NULL)
    conn->ends = false;
  if (count < (ends ? 1 : 2))
    return RILLE_OK; /* its step does it */
  status = rille_postgres_ready(conn, fault);
  if (status == RILLE_OK)
    status = rille_postgres_go_home(conn, fault);
  for (size_t i = 0; i < count && status == RILLE_OK; i++) {
    reads = reads && !((rille_postgres_stmt *)stmts[i])->writes;
    status = rille_postgres_encode((rille_postgres_stmt *)stmts[i], fault);
  }
  if (status != RILLE_OK)
    return status;
  conn->wrote = conn->wrote || !reads;
  asks = rille_arena_get(&first->made, ((3 + RILLE_POSTGRES_HOMES + RILLE_POSTGRES_WALLS) * count +
                                        RILLE_POSTGRES_BEFORE + RILLE_POSTGRES_LOOKS + 1) *
                                         sizeof *asks);
  if (asks == NULL)
    return rille_fault_no_memory(fault);
  looks = conn->tracks && (ends || (!conn->in_transaction && conn->begin == NULL));
  asked = ask_for_all(conn, stmts, count, ends, asks, told);
  if (conn->begin != NULL) {
    conn->begin = NULL;
    conn->in_transaction = true;
  }
  status = make(conn, reads, looks, ends, asks, asked, &come, fault);
  if (come)
    rille_postgres_stream_begin((rille_postgres_stmt *)stmts[count - 1]);
  if (status == RILLE_OK)
    status = rille_postgres_walled(conn, asks, asked, &stale, fault);
  if (stale)
    status = RILLE_OK; /* the one that was not told runs again when it is looked at */
  for (size_t i = 0; i < asked && status == RILLE_OK; i++)
    if (asks[i].what == RILLE_ASK_SQL && asks[i].result != NULL && PQresultStatus(asks[i].result) == PGRES_FATAL_ERROR)
      status = rille_postgres_fault(asks[i].result, (rille_str){ 0 }, conn->stopped, fault);
  conn->committed = ends && !come && status == RILLE_OK && !conn->in_transaction;
  if (status == RILLE_OK)
    hand_out(stmts, count, asks);
  if (status == RILLE_OK && looks)
    rille_postgres_looked(conn, &asks[asked - 1]);
  if (come && status != RILLE_OK)
    rille_postgres_stream_end((rille_postgres_stmt *)stmts[count - 1]);
  rille_postgres_clear(asks, asked);
  return status;
}
