/* core/run/history_write.c - the two tables made, and commits counted in them. */
#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/run/aside.h"
#include "core/run/era.h"
#include "core/run/history.h"
#include "core/run/left.h"

/* -- writing --------------------------------------------------------------------------------------------- */

/* An epoch more; when somebody else was faster, theirs stands. */
static rille_status
add_epoch(rille_connection *connection, uint32_t number, bool dated, uint64_t start, rille_fault *fault)
{
  static const char sql[] =
    "insert into rille_epochs (number, nonce, start) values ($1, $2, $3) on conflict do nothing";
  uint32_t nonce = 0;
  rille_status status = rille_random(&nonce, sizeof nonce, fault);
  rille_cell values[] = { rille_cell_int(number), rille_cell_int(nonce), { .kind = RILLE_NULL } };

  if (dated)
    values[2] = rille_cell_int((int64_t)start);
  return status == RILLE_OK ? rille_aside_run(connection, sql, values, 3, fault) : status;
}

/* Asks where an epoch of the database's own began, in a savepoint: the question may be refused. */
static bool
ask_start(rille_connection *connection, const char *sql, uint32_t epoch, uint64_t *start)
{
  const rille_cell number = rille_cell_int(epoch);
  rille_cell cell = { .kind = RILLE_NULL };
  rille_arena none = { 0 }; /* the answer is no text */
  bool found = false;
  rille_status status = rille_connection_begin(connection, RILLE_BEGIN_DEFERRED, NULL, NULL);

  if (status != RILLE_OK)
    return false;
  status = rille_aside_row(connection, sql, &number, 1, &none, &cell, 1, &found, NULL);
  if (status == RILLE_OK)
    (void)rille_connection_commit(connection, NULL);
  else
    (void)rille_connection_rollback(connection, NULL);
  *start = cell.kind == RILLE_INT ? (uint64_t)cell.as.integer : 0;
  return status == RILLE_OK && found && cell.kind == RILLE_INT;
}

/* The epoch that the database itself has begun. */
static rille_status
add_own_epoch(rille_connection *connection, rille_fault *fault)
{
  const rille_driver *driver = connection->conn->driver;
  rille_statement *statement = NULL;
  rille_history_own own = { .epoch = 0 };
  uint64_t start = 0;
  bool dated = false;
  rille_status status = rille_aside_start(connection, driver->place, NULL, 0, &statement, fault);

  if (status == RILLE_OK)
    status = rille_history_read_own(connection, statement, &own, fault);
  rille_connection_release(statement);
  for (int i = 0; i < RILLE_EPOCH_STARTS && status == RILLE_OK && !dated; i++)
    dated = ask_start(connection, driver->epoch_start[i], own.epoch, &start);
  return status == RILLE_OK ? add_epoch(connection, own.epoch, dated, start, fault) : status;
}

static rille_status
make_tables(rille_connection *connection, rille_fault *fault)
{
  static const char *const sql[] = {
    "create table if not exists rille_history (id integer primary key check (id = 1), name text not null, "
    "secret text not null, position bigint not null)",
    "create table if not exists rille_epochs (number bigint primary key, nonce bigint not null, start bigint)",
  };
  rille_status status = RILLE_OK;

  for (size_t i = 0; i < sizeof sql / sizeof sql[0] && status == RILLE_OK; i++)
    status = rille_aside_run(connection, sql[i], NULL, 0, fault);
  return status;
}

/* Who the database is: a name and a secret that it is given once. */
static rille_status
name_it(rille_connection *connection, rille_fault *fault)
{
  static const char sql[] = "insert into rille_history (id, name, secret, position) values (1, $1, $2, 0) "
                            "on conflict do nothing";
  unsigned char bytes[RILLE_HISTORY_NAME_BYTES + RILLE_SECRET_BYTES];
  char hex[2 * sizeof bytes];
  rille_cell values[] = { rille_cell_text((rille_str){ hex, (size_t)2 * RILLE_HISTORY_NAME_BYTES }),
                          rille_cell_text(
                            (rille_str){ hex + 2 * RILLE_HISTORY_NAME_BYTES, (size_t)2 * RILLE_SECRET_BYTES }) };
  rille_status status = rille_random(bytes, sizeof bytes, fault);

  rille_hex_write(bytes, sizeof bytes, hex);
  return status == RILLE_OK ? rille_aside_run(connection, sql, values, 2, fault) : status;
}

/* Fills tables that are there and may be empty; *made says that they were. */
static rille_status
fill(rille_connection *connection, rille_history *history, bool *made, rille_fault *fault)
{
  bool counts = connection->conn->driver->place != NULL, found = false;
  rille_status status = rille_history_read(connection, NULL, history, &found, fault);

  *made = status == RILLE_OK && !found;
  if (status != RILLE_OK || (found && !history->stale))
    return status;
  if (!found)
    status = name_it(connection, fault);
  if (status == RILLE_OK)
    status = counts ? add_own_epoch(connection, fault) : add_epoch(connection, 1, true, 0, fault);
  if (status == RILLE_OK)
    status = rille_history_read(connection, NULL, history, &found, fault);
  return status;
}

rille_status
rille_history_create(rille_connection *connection, bool there, rille_fault *fault)
{
  rille_history history;
  bool made, begun;
  rille_status status = there ? RILLE_OK : make_tables(connection, fault);

  if (status == RILLE_OK)
    status = fill(connection, &history, &made, fault);
  if (status == RILLE_OK && connection->conn->driver->place == NULL)
    status = rille_era_note(connection, &begun, fault);
  return status;
}

/* -- counting -------------------------------------------------------------------------------------------- */

/* A new epoch behind `now`; old ones go. */
static rille_status
begin_epoch(rille_connection *connection, rille_place *now, rille_fault *fault)
{
  rille_cell oldest = rille_cell_int((int64_t)now->epoch + 1 - RILLE_EPOCHS_KEPT);
  rille_status status = add_epoch(connection, ++now->epoch, true, now->position, fault);

  return status == RILLE_OK
           ? rille_aside_run(connection, "delete from rille_epochs where number <= $1", &oldest, 1, fault)
           : status;
}

/* The first time on a connection: a new epoch, unless this process goes on with its own. */
static rille_status
begin_counting(rille_connection *connection, rille_fault *fault)
{
  rille_history history = { .count = 0 };
  bool made = false, begun = false;
  rille_status status = make_tables(connection, fault);

  if (status == RILLE_OK)
    status = fill(connection, &history, &made, fault);
  if (status == RILLE_OK)
    status = rille_era_note(connection, &begun, fault);
  if (status == RILLE_OK && !rille_left_goes_on(connection, &history.now) && !made)
    begun = true;
  if (status == RILLE_OK && !made && begun)
    status = begin_epoch(connection, &history.now, fault);
  connection->counted = history.now;
  return status;
}

/* The schema may be another one than when this connection counted last: where a backup was put into the open database,
** nobody knows whether this position was not counted before. */
static rille_status
count_anew(rille_connection *connection, rille_fault *fault)
{
  rille_history history;
  bool found = false, begun = false;
  rille_status status = rille_era_note(connection, &begun, fault);

  if (status == RILLE_OK && begun)
    status = rille_history_read(connection, NULL, &history, &found, fault);
  if (status != RILLE_OK || !found)
    return status;
  history.now.position--; /* which was counted just now */
  status = begin_epoch(connection, &history.now, fault);
  connection->counted = history.now;
  return status;
}

/* *anew: it was prepared anew, as behind a change of the schema. */
static rille_status
count_one(rille_connection *connection, bool *anew, rille_fault *fault)
{
  static const char sql[] = "update rille_history set position = position + 1 where id = 1";
  const rille_driver *driver = connection->conn->driver;
  rille_statement *statement = NULL;
  rille_status status = rille_aside_start(connection, sql, NULL, 0, &statement, fault);

  if (status == RILLE_OK)
    status = driver->run_aside(connection->conn, statement->stmt, fault);
  if (status == RILLE_OK) {
    *anew = statement->changes_seen != driver->changed(statement->stmt);
    statement->changes_seen = driver->changed(statement->stmt);
  }
  rille_connection_release(statement);
  return status;
}

rille_status
rille_history_count(rille_connection *connection, rille_fault *fault)
{
  const rille_driver *driver = connection->conn->driver;
  bool anew = false;
  rille_status status;

  if (driver->moved != NULL && driver->moved(connection->conn)) {
    (void)rille_fault_set(fault, RILLE_CONNECTION_LOST,
                          "the file of the database is no more at its path: this would be written into the old one");
    rille_fault_hint(fault, "nothing of it was kept; once there is a database again, do it again");
    return RILLE_CONNECTION_LOST;
  }
  status = connection->counting ? count_one(connection, &anew, fault) : RILLE_NO_SUCH_TABLE;

  if (status == RILLE_OK && anew)
    return count_anew(connection, fault);
  if (status != RILLE_NO_SUCH_TABLE)
    return status;
  status = begin_counting(connection, fault); /* the first time; or somebody dropped the tables */
  return status == RILLE_OK ? count_one(connection, &anew, fault) : status;
}

void
rille_history_counted(rille_connection *connection)
{
  connection->counting = true;
  connection->counted.position++;
  rille_left_note(connection);
}
