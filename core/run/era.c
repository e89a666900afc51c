/* core/run/era.c - the version of the schema, compared with the one that was written down. */
#include "core/run/era.h"

#include "core/run/aside.h"

/* What the table says, and what is. */
typedef struct versions {
  bool kept; /* the table says something */
  int64_t schema, since;
  int64_t now;
} versions;

static rille_status
make_table(rille_connection *connection, rille_fault *fault)
{
  static const char sql[] = "create table if not exists rille_era (id integer primary key check (id = 1), "
                            "schema bigint not null, since bigint not null)";

  return rille_aside_run(connection, sql, NULL, 0, fault);
}

static rille_status
read_now(rille_connection *connection, int64_t *version, rille_fault *fault)
{
  rille_cell cell = { .kind = RILLE_NULL };
  rille_arena none = { 0 }; /* the answer is no text */
  bool found = false;
  rille_status status = rille_aside_row(connection, "pragma schema_version", NULL, 0, &none, &cell, 1, &found, fault);

  *version = cell.kind == RILLE_INT ? cell.as.integer : 0;
  return status;
}

static rille_status
read_versions(rille_connection *connection, versions *out, rille_fault *fault)
{
  static const char sql[] = "select schema, since from rille_era where id = 1";
  rille_cell cells[2] = { { .kind = RILLE_NULL }, { .kind = RILLE_NULL } };
  rille_arena none = { 0 };
  bool found = false;
  rille_status status = read_now(connection, &out->now, fault);

  if (status == RILLE_OK)
    status = rille_aside_row(connection, sql, NULL, 0, &none, cells, 2, &found, fault);
  if (status == RILLE_NO_SUCH_TABLE)
    status = RILLE_OK; /* of a database that was counted before there were eras */
  out->kept = found && cells[0].kind == RILLE_INT && cells[1].kind == RILLE_INT;
  out->schema = out->kept ? cells[0].as.integer : 0;
  out->since = out->kept ? cells[1].as.integer : 0;
  return status;
}

rille_status
rille_era_read(rille_connection *connection, rille_statement *statement, int64_t *era, rille_fault *fault)
{
  int changes = connection->conn->driver->changed(statement->stmt);
  versions found;
  rille_status status;

  if (connection->era_known && changes == statement->changes_seen) {
    *era = connection->era;
    return RILLE_OK;
  }
  status = read_versions(connection, &found, fault);
  if (status != RILLE_OK)
    return status;
  *era = found.kept && found.schema == found.now ? found.since : found.now;
  statement->changes_seen = changes;
  connection->era = *era;
  connection->era_known = connection->depth == 0; /* or a change of the schema may be undone, or is not noted yet */
  return RILLE_OK;
}

bool
rille_era_is_kept(rille_connection *connection)
{
  const rille_driver *driver = connection->conn->driver;
  bool there = false;

  return driver->place == NULL && driver->has_table(connection->conn, "rille_history", &there, NULL) == RILLE_OK &&
         there;
}

rille_status
rille_era_before_change(rille_connection *connection, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  if (!connection->reshapes && rille_era_is_kept(connection)) {
    status = read_now(connection, &connection->shape_before, fault);
    connection->reshapes = status == RILLE_OK;
    connection->wrote = connection->wrote || connection->reshapes;
  }
  return status;
}

rille_status
rille_era_note(rille_connection *connection, bool *begun, rille_fault *fault)
{
  static const char sql[] = "insert into rille_era (id, schema, since) values (1, $1, $2) "
                            "on conflict (id) do update set schema = excluded.schema, since = excluded.since";
  rille_cell values[2];
  versions found;
  bool own;
  rille_status status = read_versions(connection, &found, fault);

  *begun = false;
  if (status != RILLE_OK || (found.kept && found.schema == found.now))
    return status;
  own = found.kept && connection->reshapes && connection->shape_before == found.schema;
  *begun = !own;
  if (!found.kept)
    status = make_table(connection, fault);
  if (status == RILLE_OK && !found.kept)
    status = read_now(connection, &found.now, fault);
  if (status != RILLE_OK)
    return status;
  values[0] = rille_cell_int(found.now);
  values[1] = rille_cell_int(own ? found.since : connection->reshapes ? connection->shape_before : found.now);
  return rille_aside_run(connection, sql, values, 2, fault);
}

bool
rille_era_before_vacuum(rille_connection *connection, int64_t *version)
{
  versions found;

  if (connection->depth > 0 || !rille_era_is_kept(connection) || read_versions(connection, &found, NULL) != RILLE_OK)
    return false;
  *version = found.now;
  return found.kept && found.schema == found.now;
}

void
rille_era_after_vacuum(rille_connection *connection, int64_t version)
{
  static const char sql[] = "update rille_era set schema = $1 where id = 1 and schema = $1 - 1";
  const rille_cell value = rille_cell_int(version + 1);
  int64_t now = 0;
  rille_status status = rille_connection_begin(connection, RILLE_BEGIN_IMMEDIATE, NULL, NULL);

  if (status != RILLE_OK)
    return;
  status = read_now(connection, &now, NULL);
  if (status == RILLE_OK && now == version + 1)
    status = rille_aside_run(connection, sql, &value, 1, NULL);
  if (status != RILLE_OK || rille_connection_commit(connection, NULL) != RILLE_OK)
    (void)rille_connection_rollback(connection, NULL);
}
