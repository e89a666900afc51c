/* core/run/history.c - the two tables read, and a place judged by them. */
#include "core/run/history.h"

#include "core/base/hex.h"
#include "core/run/aside.h"
#include "core/run/era.h"

/* -- judging --------------------------------------------------------------------------------------------- */

rille_verdict
rille_history_judge(const rille_history *history, const rille_place *place)
{
  const rille_epoch *epoch = history->epochs, *after = NULL;

  if (place->cluster != history->now.cluster)
    return RILLE_PLACE_FOREIGN;
  for (size_t i = 0; i < history->count && epoch->number != place->epoch; i++)
    after = epoch++;
  if (epoch == history->epochs + history->count || epoch->nonce != place->nonce)
    return RILLE_PLACE_LOST;
  if (after == NULL)
    return place->position <= history->reach ? RILLE_PLACE_THERE : RILLE_PLACE_AHEAD;
  if (!after->dated)
    return RILLE_PLACE_UNSURE;
  if (place->position == after->start + 1 && place->bound > 0)
    return RILLE_PLACE_UNSURE; /* seen at a replica in the middle of a record, if it was in one */
  return place->position <= after->start ? RILLE_PLACE_THERE : RILLE_PLACE_LOST;
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* A database is its name and the server that counts for it: a copy on another server is another one. */
static uint64_t
cluster_of(const unsigned char name[RILLE_HISTORY_NAME_BYTES], rille_str server)
{
  uint64_t cluster = 0xcbf29ce484222325; /* FNV-1a */

  for (size_t i = 0; i < server.len; i++)
    cluster = (cluster ^ (unsigned char)server.at[i]) * 0x100000001b3;
  for (int i = 0; i < RILLE_HISTORY_NAME_BYTES; i++)
    cluster ^= (uint64_t)name[i] << (8 * (i % 8));
  return cluster;
}

static bool
is_hex(const rille_cell *cell, unsigned char *bytes, size_t count)
{
  return cell->kind == RILLE_TEXT && rille_hex_read(cell->as.text, bytes, count);
}

static rille_status
corrupt(rille_fault *fault, const char *table)
{
  (void)rille_fault_set(fault, RILLE_CORRUPT, "the table \"%s\" holds what rille did not write", table);
  rille_fault_hint(fault, "drop \"rille_history\" and \"rille_epochs\": tokens given out so far become invalid");
  return RILLE_CORRUPT;
}

/* What is read, each by a statement; where the database counts by itself, all in one round trip.
**
** In this order: what a replica has repeated until it was asked for its position shows in the rows that are read then.
** Were the rows read first, the position could be one of an epoch that they do not know yet. */
enum { PLACE, NAME, EPOCHS, STATEMENTS };

typedef struct reading {
  rille_statement *statements[STATEMENTS]; /* PLACE is NULL where the database does not count */
  rille_cell from;
} reading;

/* *found: the tables are there. */
static rille_status
start_reading(rille_connection *connection, const rille_place *about, reading *r, bool *found, rille_fault *fault)
{
  static const char name[] = "select name, secret, position from rille_history where id = 1";
  static const char newest[] = "select number, nonce, start from rille_epochs order by number desc limit 1";
  /* and that of the place, with the one that came after it */
  static const char epochs[] =
    "select number, nonce, start from (select number, nonce, start from rille_epochs order by number desc limit 1) "
    "as a union select number, nonce, start from (select number, nonce, start from rille_epochs where number >= $1 "
    "order by number limit 2) as b order by 1 desc";
  const char *place = connection->conn->driver->place;
  rille_stmt *stmts[STATEMENTS];
  rille_status status;

  status = rille_aside_start(connection, name, NULL, 0, &r->statements[NAME], fault);
  if (status == RILLE_OK && about != NULL) {
    r->from = rille_cell_int(about->epoch);
    status = rille_aside_start(connection, epochs, &r->from, 1, &r->statements[EPOCHS], fault);
  } else if (status == RILLE_OK) {
    status = rille_aside_start(connection, newest, NULL, 0, &r->statements[EPOCHS], fault);
  }
  *found = status == RILLE_OK;
  if (status == RILLE_NO_SUCH_TABLE)
    return RILLE_OK;
  if (status != RILLE_OK || place == NULL)
    return status;
  status = rille_aside_start(connection, place, NULL, 0, &r->statements[PLACE], fault);
  if (status != RILLE_OK)
    return status;
  for (int i = 0; i < STATEMENTS; i++)
    stmts[i] = r->statements[i]->stmt;
  return connection->conn->driver->together(stmts, STATEMENTS, fault);
}

static rille_status
read_epochs(rille_connection *connection, rille_statement *statement, rille_history *history, rille_fault *fault)
{
  rille_cell cells[3];
  bool row = true;

  history->count = 0;
  while (history->count < RILLE_EPOCHS_READ) {
    rille_epoch *epoch = &history->epochs[history->count];
    rille_status status = rille_aside_next(connection, statement, cells, &row, fault);

    if (status != RILLE_OK)
      return status;
    if (!row)
      break;
    if (cells[0].kind != RILLE_INT || cells[1].kind != RILLE_INT)
      return corrupt(fault, "rille_epochs");
    *epoch = (rille_epoch){ .number = (uint32_t)cells[0].as.integer, .nonce = (uint32_t)cells[1].as.integer };
    epoch->dated = cells[2].kind == RILLE_INT;
    epoch->start = epoch->dated ? (uint64_t)cells[2].as.integer : 0;
    history->count++;
  }
  return history->count > 0 ? RILLE_OK : corrupt(fault, "rille_epochs");
}

rille_status
rille_history_read_own(rille_connection *connection, rille_statement *statement, rille_history_own *own,
                       rille_fault *fault)
{
  rille_cell cells[7]; /* server, replica, epoch, position, reach, bound, more */
  bool found = false;
  rille_status status = rille_aside_next(connection, statement, cells, &found, fault);

  if (status != RILLE_OK)
    return status;
  if (!found || cells[0].kind != RILLE_TEXT || cells[1].kind != RILLE_INT || cells[5].kind != RILLE_INT ||
      cells[6].kind != RILLE_INT)
    return rille_fault_set(fault, RILLE_UNSUPPORTED, "the database does not say where its history is");
  *own = (rille_history_own){ .server = cells[0].as.text,
                              .replica = cells[1].as.integer != 0,
                              .epoch = cells[2].kind == RILLE_INT ? (uint32_t)cells[2].as.integer : 0,
                              .placed = cells[3].kind == RILLE_INT,
                              .position = cells[3].kind == RILLE_INT ? (uint64_t)cells[3].as.integer : 0,
                              .reach = cells[4].kind == RILLE_INT ? (uint64_t)cells[4].as.integer : 0,
                              .bound = (uint64_t)cells[5].as.integer,
                              .more = cells[6].as.integer != 0 };
  return RILLE_OK;
}

/* Reads what was started. */
static rille_status
finish_reading(rille_connection *connection, const reading *r, rille_history *history, bool *found, rille_fault *fault)
{
  unsigned char name[RILLE_HISTORY_NAME_BYTES];
  rille_history_own own = { .placed = true };
  rille_status status = RILLE_OK;
  rille_cell cells[3];

  if (r->statements[PLACE] != NULL)
    status = rille_history_read_own(connection, r->statements[PLACE], &own, fault);
  if (status == RILLE_OK)
    status = rille_aside_next(connection, r->statements[NAME], cells, found, fault);
  if (status != RILLE_OK || !*found)
    return status;
  if (!is_hex(&cells[0], name, sizeof name) || !is_hex(&cells[1], history->secret, RILLE_SECRET_BYTES) ||
      cells[2].kind != RILLE_INT)
    return corrupt(fault, "rille_history");
  history->now.position = r->statements[PLACE] != NULL ? own.position : (uint64_t)cells[2].as.integer;
  history->now.cluster = cluster_of(name, own.server);
  history->reach = r->statements[PLACE] != NULL ? own.reach : history->now.position;
  history->now.bound = own.bound;
  history->replica = own.replica;
  history->more = own.more;
  if (r->statements[PLACE] == NULL)
    status = rille_era_read(connection, r->statements[NAME], &history->era, fault);
  if (status == RILLE_OK)
    status = read_epochs(connection, r->statements[EPOCHS], history, fault);
  history->now.epoch = history->epochs[0].number;
  history->now.nonce = history->epochs[0].nonce;
  history->stale = !own.placed || (own.epoch != 0 && own.epoch != history->now.epoch);
  return status;
}

rille_status
rille_history_read(rille_connection *connection, const rille_place *about, rille_history *history, bool *found,
                   rille_fault *fault)
{
  reading r = { .from = { .kind = RILLE_NULL } };
  rille_status status = start_reading(connection, about, &r, found, fault);

  *history = (rille_history){ .count = 0 };
  if (status == RILLE_OK && *found)
    status = finish_reading(connection, &r, history, found, fault);
  for (int i = 0; i < STATEMENTS; i++)
    rille_connection_release(r.statements[i]);
  return status;
}
