/* core/run/history.c - the two tables, and what this process knows of who it counted for. */
#include "core/run/history.h"

#include <pthread.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/base/sha256.h"
#include "core/run/aside.h"

enum { NAME_BYTES = 16, COUNTED_MAX = 1024 };

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
    return place->position <= history->now.position ? RILLE_PLACE_THERE : RILLE_PLACE_AHEAD;
  if (!after->dated)
    return RILLE_PLACE_UNSURE;
  return place->position <= after->start ? RILLE_PLACE_THERE : RILLE_PLACE_LOST;
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* A database is its name and the server that counts for it: a copy on another server is another one. */
static uint64_t
cluster_of(const unsigned char name[NAME_BYTES], rille_str server)
{
  unsigned char digest[RILLE_SHA256_BYTES];
  uint64_t cluster = 0;

  rille_hmac_sha256((rille_str){ (const char *)name, NAME_BYTES }, server, digest);
  for (int i = 0; i < 8; i++)
    cluster = cluster << 8 | digest[i];
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

/* The newest epoch; and that of the place, with the one that came after it. */
static rille_status
read_epochs(rille_connection *connection, rille_history *history, const rille_place *about, rille_fault *fault)
{
  static const char sql[] =
    "select number, nonce, start from (select number, nonce, start from rille_epochs order by number desc limit 1) "
    "as a union select number, nonce, start from (select number, nonce, start from rille_epochs where number >= $1 "
    "order by number limit 2) as b order by 1 desc";
  const rille_cell from = rille_cell_int(about != NULL ? (int64_t)about->epoch : INT64_MAX);
  rille_statement *statement = NULL;
  rille_status status = rille_aside_start(connection, sql, &from, 1, &statement, fault);
  rille_cell cells[3];
  bool row = true;

  history->count = 0;
  while (status == RILLE_OK && history->count < RILLE_EPOCHS_READ) {
    rille_epoch *epoch = &history->epochs[history->count];

    status = rille_aside_next(connection, statement, cells, &row, fault);
    if (status != RILLE_OK || !row)
      break;
    if (cells[0].kind != RILLE_INT || cells[1].kind != RILLE_INT) {
      status = corrupt(fault, "rille_epochs");
      break;
    }
    *epoch = (rille_epoch){ .number = (uint32_t)cells[0].as.integer, .nonce = (uint32_t)cells[1].as.integer };
    epoch->dated = cells[2].kind == RILLE_INT;
    epoch->start = epoch->dated ? (uint64_t)cells[2].as.integer : 0;
    history->count++;
  }
  rille_connection_release(statement);
  if (status == RILLE_OK && history->count == 0)
    status = corrupt(fault, "rille_epochs");
  return status;
}

/* What a database that counts by itself says of where it is. */
struct count {
  rille_str server; /* in the arena */
  bool replica;
  uint32_t epoch;
  uint64_t position;
};

static rille_status
read_count(rille_connection *connection, rille_arena *arena, struct count *count, rille_fault *fault)
{
  rille_cell cells[4]; /* server, replica, epoch, position */
  bool found = false;
  rille_status status = rille_aside_row(connection, connection->conn->driver->place, NULL, 0, arena, cells, 4, &found,
                                        fault);

  if (status != RILLE_OK)
    return status;
  if (!found || cells[0].kind != RILLE_TEXT || cells[1].kind != RILLE_INT || cells[3].kind != RILLE_INT)
    return rille_fault_set(fault, RILLE_UNSUPPORTED, "the database does not say where its history is");
  *count = (struct count){ .server = cells[0].as.text,
                           .replica = cells[1].as.integer != 0,
                           .epoch = cells[2].kind == RILLE_INT ? (uint32_t)cells[2].as.integer : 0,
                           .position = (uint64_t)cells[3].as.integer };
  return RILLE_OK;
}

/* Fills what follows from the tables and, where the database counts by itself, from that. */
static rille_status
complete(rille_connection *connection, rille_history *history, const unsigned char name[NAME_BYTES], rille_arena *arena,
         rille_fault *fault)
{
  struct count count = { .position = history->now.position };
  bool counts = connection->conn->driver->place != NULL;
  rille_status status = counts ? read_count(connection, arena, &count, fault) : RILLE_OK;

  history->now.cluster = cluster_of(name, count.server);
  history->now.epoch = history->epochs[0].number;
  history->now.nonce = history->epochs[0].nonce;
  history->now.position = count.position;
  history->replica = count.replica;
  history->stale = counts && !count.replica && count.epoch != history->now.epoch;
  return status;
}

rille_status
rille_history_read(rille_connection *connection, const rille_place *about, rille_history *history, bool *found,
                   rille_fault *fault)
{
  static const char sql[] = "select name, secret, position from rille_history where id = 1";
  unsigned char name[NAME_BYTES];
  char room[512];
  rille_arena arena;
  rille_cell cells[3];
  rille_status status;

  *history = (rille_history){ .count = 0 };
  rille_arena_init_on(&arena, room, sizeof room);
  status = rille_aside_row(connection, sql, NULL, 0, &arena, cells, 3, found, fault);
  if (status == RILLE_NO_SUCH_TABLE)
    status = RILLE_OK; /* and *found is false */
  else if (status == RILLE_OK && *found &&
           (!is_hex(&cells[0], name, sizeof name) || !is_hex(&cells[1], history->secret, RILLE_SECRET_BYTES) ||
            cells[2].kind != RILLE_INT))
    status = corrupt(fault, "rille_history");
  if (status == RILLE_OK && *found)
    status = read_epochs(connection, history, about, fault);
  if (status == RILLE_OK && *found) {
    history->now.position = (uint64_t)cells[2].as.integer;
    status = complete(connection, history, name, &arena, fault);
  }
  rille_arena_release(&arena);
  return status;
}

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
  char room[256];
  rille_arena arena;
  struct count count = { 0 };
  uint64_t start = 0;
  bool dated = false;
  rille_status status;

  rille_arena_init_on(&arena, room, sizeof room);
  status = read_count(connection, &arena, &count, fault);
  for (int i = 0; i < RILLE_EPOCH_STARTS && status == RILLE_OK && !dated; i++)
    dated = ask_start(connection, connection->conn->driver->epoch_start[i], count.epoch, &start);
  if (status == RILLE_OK)
    status = add_epoch(connection, count.epoch, dated, start, fault);
  rille_arena_release(&arena);
  return status;
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
  unsigned char bytes[NAME_BYTES + RILLE_SECRET_BYTES];
  char hex[2 * sizeof bytes];
  rille_cell values[] = { rille_cell_text((rille_str){ hex, (size_t)2 * NAME_BYTES }),
                          rille_cell_text((rille_str){ hex + 2 * NAME_BYTES, (size_t)2 * RILLE_SECRET_BYTES }) };
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
  bool made;
  rille_status status = there ? RILLE_OK : make_tables(connection, fault);

  return status == RILLE_OK ? fill(connection, &history, &made, fault) : status;
}

/* -- counting -------------------------------------------------------------------------------------------- */

/* Where this process left the databases it counted for.  One that another took the slot of begins a new epoch, which
** harms nothing. */
static struct {
  pthread_mutex_t lock;
  pid_t process;
  struct left {
    uint64_t cluster;
    uint32_t epoch;
    uint64_t position;
  } left[COUNTED_MAX];
} counted = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct left *
left_of(uint64_t cluster)
{
  (void)pthread_mutex_lock(&counted.lock);
  if (counted.process != getpid()) { /* what the parent of a fork counted is not ours */
    memset(counted.left, 0, sizeof counted.left);
    counted.process = getpid();
  }
  return &counted.left[cluster % COUNTED_MAX];
}

static void
done_with_left(void)
{
  (void)pthread_mutex_unlock(&counted.lock);
}

/* True when what is there is what this process left, or follows from it. */
static bool
goes_on(const rille_place *now)
{
  const struct left *left = left_of(now->cluster);
  bool same = left->cluster == now->cluster && left->epoch == now->epoch && left->position <= now->position;

  done_with_left();
  return same;
}

static void
note(const rille_place *place)
{
  struct left *left = left_of(place->cluster);

  *left = (struct left){ place->cluster, place->epoch, place->position };
  done_with_left();
}

/* The first time on a connection: a new epoch, unless this process goes on with its own. */
static rille_status
begin_counting(rille_connection *connection, rille_fault *fault)
{
  rille_history history = { .count = 0 };
  bool made = false;
  rille_status status = make_tables(connection, fault);
  rille_cell oldest;

  if (status == RILLE_OK)
    status = fill(connection, &history, &made, fault);
  if (status == RILLE_OK && !made && !goes_on(&history.now)) {
    status = add_epoch(connection, history.now.epoch + 1, true, history.now.position, fault);
    oldest = rille_cell_int((int64_t)history.now.epoch + 1 - RILLE_EPOCHS_KEPT);
    if (status == RILLE_OK)
      status = rille_aside_run(connection, "delete from rille_epochs where number <= $1", &oldest, 1, fault);
    history.now.epoch++;
  }
  connection->counted = history.now;
  return status;
}

rille_status
rille_history_count(rille_connection *connection, rille_fault *fault)
{
  static const char sql[] = "update rille_history set position = position + 1 where id = 1";
  rille_status status = connection->counting ? rille_aside_run(connection, sql, NULL, 0, fault) : RILLE_NO_SUCH_TABLE;

  if (status != RILLE_NO_SUCH_TABLE)
    return status;
  status = begin_counting(connection, fault); /* the first time; or somebody dropped the tables */
  return status == RILLE_OK ? rille_aside_run(connection, sql, NULL, 0, fault) : status;
}

void
rille_history_counted(rille_connection *connection)
{
  connection->counting = true;
  connection->counted.position++;
  note(&connection->counted);
}
