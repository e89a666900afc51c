/* core/driver/postgres_wall.c - the server is told whose rows a statement sees, in the round trip that runs it.
**
** Policies (lua/rille/schema/postgres/policy.lua) compare a table's tenant with the setting rille.tenant, and let every
** row of a table through that rille.everybody names.  Both are set until the transaction ends: a statement outside of
** transactions and what is sent with it are one up to the SYNC.  So no connection keeps them, nor does a server that a
** pooler gives to somebody else, and who says nothing sees nothing. */
#include "core/driver/postgres_wall.h"

#include <stdio.h>
#include <string.h>

#include "core/driver/postgres_error.h"

#define SET                                                  \
  "select pg_catalog.set_config('rille.tenant', $1, true), " \
  "pg_catalog.set_config('rille.everybody', $2, true)"
#define SET_NAME "rille_whose_1" /* another text has another number: behind a pooler it may be another client's */

static const int BINARY[2] = { 1, 1 }; /* texts by their length */

void
rille_postgres_whose(rille_stmt *base, rille_str tenant, rille_str everybody)
{
  rille_postgres_stmt *stmt = (rille_postgres_stmt *)base;

  stmt->walled = true;
  stmt->wall[0] = tenant.len > 0 ? tenant.at : "";
  stmt->wall[1] = everybody.len > 0 ? everybody.at : "";
  stmt->wall_lengths[0] = (int)tenant.len;
  stmt->wall_lengths[1] = (int)everybody.len;
}

/* Is it what the server was told in this transaction? */
static bool
is_told(const rille_postgres_conn *conn, const rille_postgres_stmt *stmt)
{
  const char *told = conn->wall_told.at;
  size_t first = (size_t)stmt->wall_lengths[0], second = (size_t)stmt->wall_lengths[1];

  return conn->in_transaction && conn->wall_knows && conn->wall_told.len == first + second + 1 &&
         memcmp(told, stmt->wall[0], first) == 0 && told[first] == '\0' &&
         memcmp(told + first + 1, stmt->wall[1], second) == 0;
}

/* Once the round trip is over the server knows it, if the transaction is open then. */
static void
remember(rille_postgres_conn *conn, const rille_postgres_stmt *stmt)
{
  rille_buffer_clear(&conn->wall_told);
  rille_buffer_add(&conn->wall_told, stmt->wall[0], (size_t)stmt->wall_lengths[0]);
  rille_buffer_byte(&conn->wall_told, '\0');
  rille_buffer_add(&conn->wall_told, stmt->wall[1], (size_t)stmt->wall_lengths[1]);
  conn->wall_knows = rille_buffer_ok(&conn->wall_told);
}

size_t
rille_postgres_wall(rille_postgres_stmt *stmt, rille_postgres_ask asks[])
{
  rille_postgres_conn *conn = stmt->conn;
  rille_postgres_ask set = {
    .count = 2, .values = stmt->wall, .lengths = stmt->wall_lengths, .formats = BINARY, .aside = true
  };
  size_t count = 0;

  if (!stmt->walled || conn->failed || is_told(conn, stmt))
    return 0;
  remember(conn, stmt);
  if (conn->unnamed || conn->wall_unnamed) {
    set.what = RILLE_ASK_SQL;
    set.text = SET;
  } else {
    set.what = RILLE_ASK_RUN;
    set.name = SET_NAME;
    if (conn->wall_generation != conn->generation)
      asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_PREPARE, .name = SET_NAME, .text = SET, .aside = true };
    conn->wall_generation = conn->generation;
  }
  asks[count++] = set;
  return count;
}

rille_status
rille_postgres_walled(rille_postgres_conn *conn, const rille_postgres_ask asks[], size_t count, bool *stale,
                      rille_fault *fault)
{
  rille_status status = RILLE_OK;

  for (size_t i = 0; i < count && status == RILLE_OK; i++) {
    const PGresult *result = asks[i].result;

    if (!asks[i].aside)
      continue;
    if (asks[i].what == RILLE_ASK_PREPARE && PQresultStatus(result) != PGRES_COMMAND_OK)
      conn->wall_generation = conn->generation - 1;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
      *stale = rille_postgres_is(result, "26000") || rille_postgres_is(result, "42P05");
      conn->wall_unnamed = conn->wall_unnamed || *stale;
      status = rille_postgres_fault(result, (rille_str){ 0 }, conn->stopped, fault);
    }
  }
  return status;
}

/* The last name in quotes is the table's: it stands nowhere else. */
static void
place(const char *message, rille_fault *fault)
{
  const char *end = strrchr(message, '"'), *at = end;
  char name[128];

  while (at != NULL && at > message && at[-1] != '"')
    at--;
  if (at == NULL || at == message || (size_t)(end - at) >= sizeof name)
    return;
  memcpy(name, at, (size_t)(end - at));
  name[end - at] = '\0';
  rille_fault_place(fault, name, NULL, NULL);
}

rille_status
rille_postgres_wall_fault(const PGresult *result, rille_status status, rille_fault *fault)
{
  const char *from = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

  /* A missing right has the same SQLSTATE, so it is told by where it comes from. */
  if (!rille_postgres_is(result, "42501") || from == NULL || strcmp(from, "ExecWithCheckOptions") != 0 ||
      message == NULL)
    return status;
  if (fault != NULL) {
    fault->kind = RILLE_TENANT_MISMATCH;
    (void)snprintf(fault->message, sizeof fault->message, "the database takes no row of another tenant: %.400s",
                   message);
    place(message, fault);
  }
  rille_fault_hint(fault,
                   "a row is the current tenant's, or Model:without_tenant_scope(fn) says that others' are meant");
  return RILLE_TENANT_MISMATCH;
}
