/* core/run/outbox.c - changes of rows written down as the driver tells of them, and kept with the commit.
**
** What is known of a table holds while the schema's version is the same: that is looked at once in a transaction, and
** again behind each statement that may define something.  In one that began with the lock of the writer it is what it
** was behind the commit before, where nobody has written since. */
#include "core/run/outbox.h"

#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/run/aside.h"
#include "core/run/era.h"
#include "core/run/outbox_write.h"

enum { CHANGES_MAX = 512 << 20 }; /* bytes of one transaction */

/* A table whose rows changed. */
struct watched {
  struct watched *next;
  rille_outbox_table is;
  uint64_t number; /* in this text of changes, from 1; 0: not in it yet */
  int64_t skipped; /* rows, in this transaction */
};

struct rille_outbox {
  rille_connection *connection;
  rille_outbox_mode mode;
  rille_buffer changes;
  uint64_t tables; /* in `changes` */
  bool any_skipped;
  bool written; /* there is something of this transaction in the table */
  rille_on_commit on_commit;
  void *on_commit_data;
  rille_status status; /* of the first row that could not be written down ... */
  size_t failed_at;    /* ... and where that was */
  rille_fault fault;
  bool looked; /* at the schema's version, in this transaction */
  int64_t schema;
  bool committed;        /* the transaction that is ending is */
  bool sure;             /* the schema is that one while data_version is the same */
  uint32_t data_version; /* behind the last commit */
  rille_arena arena;     /* of what is known of tables */
  struct watched *known;
  rille_arena names_arena;
  rille_str *names;
  size_t name_count;
  rille_stmt *insert, *version; /* its own, made when first needed */
  rille_outbox_mark levels[RILLE_LEVELS_MAX];
};

rille_status
rille_outbox_create(rille_connection *connection, rille_fault *fault)
{
  static const char *const statements[] = {
    "create table if not exists \"rille_outbox\" (\"seq\" INTEGER primary key, \"made_at\" INTEGER not null, "
    "\"changes\" BLOB not null)",
    "create table if not exists \"rille_mirrors\" (\"name\" TEXT primary key, \"source\" TEXT not null, "
    "\"tables\" TEXT, \"since\" INTEGER not null, \"since_made_at\" INTEGER not null, \"applied\" INTEGER not null)",
    "create table if not exists \"rille_mirror_origin\" (\"generation\" INTEGER not null)",
    "insert into \"rille_mirror_origin\" select random() where not exists (select 1 from \"rille_mirror_origin\")",
    "create table if not exists \"rille_mirror_skips\" (\"name\" TEXT primary key, \"rows\" INTEGER not null, "
    "\"first_at\" INTEGER not null, \"last_at\" INTEGER not null)",
  };
  rille_status status = connection->depth > 0 ? rille_era_before_change(connection, fault) : RILLE_OK;

  for (size_t i = 0; i < sizeof statements / sizeof statements[0] && status == RILLE_OK; i++)
    status = rille_aside_run(connection, statements[i], NULL, 0, fault);
  connection->founding = connection->depth > 0;
  return status;
}

/* -- what is known of tables ----------------------------------------------------------------------------- */

static void
forget(rille_outbox *outbox)
{
  rille_arena_reset(&outbox->arena);
  outbox->known = NULL;
}

static bool
is_wanted(const rille_outbox *outbox, rille_str name)
{
  bool wanted = outbox->name_count == 0;

  if ((name.len >= 6 && memcmp(name.at, "rille_", 6) == 0) || (name.len >= 7 && memcmp(name.at, "sqlite_", 7) == 0))
    return false;
  for (size_t i = 0; i < outbox->name_count && !wanted; i++)
    wanted = rille_str_equal(outbox->names[i], name);
  return wanted;
}

/* What is known of the table; NULL when that cannot be found out. */
static struct watched *
table_of(rille_outbox *outbox, rille_str name, rille_fault *fault)
{
  struct watched *table = outbox->known;

  while (table != NULL && !rille_str_equal(table->is.name, name))
    table = table->next;
  if (table != NULL)
    return table;
  table = rille_arena_get(&outbox->arena, sizeof *table);
  if (table != NULL)
    table->is.name = rille_arena_copy(&outbox->arena, name);
  if (!rille_arena_ok(&outbox->arena)) {
    (void)rille_fault_no_memory(fault);
    return NULL;
  }
  table->is.left_out = !is_wanted(outbox, name);
  if (!table->is.left_out && rille_outbox_table_read(outbox->connection, &table->is, &outbox->arena, fault) != RILLE_OK)
    return NULL;
  table->next = outbox->known;
  outbox->known = table;
  return table;
}

/* -- a row changes --------------------------------------------------------------------------------------- */

static void
fail(rille_outbox *outbox, rille_status status)
{
  if (outbox->status == RILLE_OK) {
    outbox->status = status;
    outbox->failed_at = outbox->changes.len;
  }
}

static void
refuse(rille_outbox *outbox, const struct watched *table, const char *why)
{
  rille_status status = rille_fault_set(outbox->status == RILLE_OK ? &outbox->fault : NULL, RILLE_UNSUPPORTED,
                                        "rows of %s cannot be mirrored: %s", rille_show(table->is.name).text, why);

  if (outbox->status == RILLE_OK) {
    rille_fault_hint(&outbox->fault, "give it a primary key, name the tables that are to be mirrored, or write it with "
                                     "skip_mirror");
    rille_fault_place(&outbox->fault, table->is.name.at, NULL, NULL);
  }
  fail(outbox, status);
}

static void
write_down(rille_outbox *outbox, struct watched *table, rille_row_change *change)
{
  rille_status status;

  if (table->number == 0) {
    table->number = ++outbox->tables;
    rille_buffer_byte(&outbox->changes, RILLE_CHANGE_TABLE);
    rille_buffer_add(&outbox->changes, table->is.layout.at, table->is.layout.len);
  }
  status = change->read_after(change) ? rille_outbox_write(&outbox->changes, table->number - 1, &table->is, change)
                                      : RILLE_OUT_OF_MEMORY;
  if (status == RILLE_UNSUPPORTED)
    refuse(outbox, table, "its key is NULL");
  else if (status != RILLE_OK)
    fail(outbox, rille_fault_no_memory(&outbox->fault));
}

static void
on_change(void *data, rille_row_change *change)
{
  rille_outbox *outbox = data;
  struct watched *table;

  if (outbox->mode == RILLE_OUTBOX_QUIET)
    return;
  table = table_of(outbox, change->table, outbox->status == RILLE_OK ? &outbox->fault : NULL);
  if (table == NULL)
    fail(outbox, outbox->fault.kind);
  else if (table->is.left_out)
    return;
  else if (outbox->mode == RILLE_OUTBOX_SKIP)
    outbox->any_skipped = table->skipped++ >= 0;
  else if (table->is.why_not != NULL)
    refuse(outbox, table, table->is.why_not);
  else if (table->is.count != change->count)
    refuse(outbox, table, "its columns are not those that were read");
  else
    write_down(outbox, table, change);
}

/* -- beginning and end ----------------------------------------------------------------------------------- */

static rille_status
set_names(rille_outbox *outbox, const rille_str tables[], size_t count, rille_fault *fault)
{
  rille_arena_reset(&outbox->names_arena);
  outbox->names = rille_arena_get(&outbox->names_arena, count * sizeof *outbox->names);
  outbox->name_count = 0;
  for (size_t i = 0; i < count && outbox->names != NULL; i++)
    outbox->names[outbox->name_count++] = rille_arena_copy(&outbox->names_arena, tables[i]);
  forget(outbox);
  return rille_arena_ok(&outbox->names_arena) ? RILLE_OK : rille_fault_no_memory(fault);
}

rille_status
rille_outbox_start(rille_connection *connection, const rille_str tables[], size_t count, rille_fault *fault)
{
  rille_outbox *outbox = connection->outbox;
  rille_status status;

  if (outbox == NULL) {
    outbox = rille_memory_get(sizeof *outbox);
    if (outbox == NULL)
      return rille_fault_no_memory(fault);
    outbox->connection = connection;
    rille_buffer_init(&outbox->changes, CHANGES_MAX);
    rille_connection_forget(connection); /* what was prepared before does not tell of all rows */
    connection->outbox = outbox;
  }
  status = set_names(outbox, tables, count, fault);
  if (status == RILLE_OK)
    status = connection->conn->driver->watch(connection->conn, on_change, outbox, fault);
  if (status != RILLE_OK)
    rille_outbox_stop(connection);
  return status;
}

void
rille_outbox_stop(rille_connection *connection)
{
  rille_outbox *outbox = connection->outbox;

  if (outbox == NULL)
    return;
  connection->outbox = NULL;
  if (connection->conn != NULL) {
    connection->conn->driver->free(outbox->insert);
    connection->conn->driver->free(outbox->version);
    (void)connection->conn->driver->watch(connection->conn, NULL, NULL, NULL);
  }
  rille_buffer_release(&outbox->changes);
  rille_arena_release(&outbox->arena);
  rille_arena_release(&outbox->names_arena);
  rille_memory_free(outbox);
}

void
rille_outbox_on_commit(rille_connection *connection, rille_on_commit on_commit, void *data)
{
  if (connection->outbox == NULL)
    return;
  connection->outbox->on_commit = on_commit;
  connection->outbox->on_commit_data = data;
}

void
rille_outbox_set_mode(rille_connection *connection, rille_outbox_mode mode)
{
  if (connection->outbox != NULL)
    connection->outbox->mode = mode;
}

/* One of its own statements; every transaction needs them, so they are not looked up. */
static rille_status
need(rille_outbox *outbox, rille_stmt **stmt, const char *sql, rille_fault *fault)
{
  rille_conn *conn = outbox->connection->conn;

  return *stmt != NULL ? RILLE_OK : conn->driver->prepare(conn, rille_str_of(sql), stmt, fault);
}

/* Reads the schema's version. */
static rille_status
look(rille_outbox *outbox, rille_fault *fault)
{
  rille_cell version = { .kind = RILLE_NULL };
  bool row = false;
  rille_status status = need(outbox, &outbox->version, "pragma main.schema_version", fault);

  if (status != RILLE_OK)
    return status;
  status = outbox->version->driver->step(outbox->version, &row, fault);
  if (status == RILLE_OK && row)
    status = outbox->version->driver->row(outbox->version, &version, fault);
  outbox->version->driver->reset(outbox->version);
  if (status != RILLE_OK)
    return status;
  if (version.as.integer != outbox->schema)
    forget(outbox); /* a table that is met again is named again: a later layout holds from there on */
  outbox->schema = version.as.integer;
  return RILLE_OK;
}

rille_status
rille_outbox_ready(rille_outbox *outbox, bool locked, rille_fault *fault)
{
  rille_conn *conn = outbox->connection->conn;
  rille_status status = RILLE_OK;

  if (outbox->looked)
    return RILLE_OK;
  if (!locked || !outbox->sure || conn->driver->data_version(conn) != outbox->data_version)
    status = look(outbox, fault);
  outbox->looked = status == RILLE_OK;
  return status;
}

rille_outbox_mark
rille_outbox_at(const rille_outbox *outbox)
{
  return (rille_outbox_mark){ outbox->changes.len, outbox->tables };
}

void
rille_outbox_back(rille_outbox *outbox, rille_outbox_mark mark)
{
  if (outbox->changes.len > mark.bytes)
    outbox->changes.len = mark.bytes;
  outbox->tables = mark.tables;
  for (struct watched *each = outbox->known; each != NULL; each = each->next)
    if (each->number > mark.tables)
      each->number = 0;
  if (outbox->status != RILLE_OK && outbox->failed_at >= mark.bytes)
    outbox->status = RILLE_OK;
}

void
rille_outbox_begin_level(rille_outbox *outbox, int level)
{
  outbox->levels[level] = rille_outbox_at(outbox);
}

void
rille_outbox_undo_level(rille_outbox *outbox, int level)
{
  rille_outbox_back(outbox, outbox->levels[level]);
  outbox->looked = false; /* the schema, too, is what it was */
}

void
rille_outbox_doubt(rille_outbox *outbox)
{
  outbox->looked = false;
}

rille_status
rille_outbox_check(const rille_outbox *outbox, rille_fault *fault)
{
  if (outbox->status != RILLE_OK && fault != NULL)
    *fault = outbox->fault;
  if (outbox->status != RILLE_OK)
    return outbox->status;
  if (rille_buffer_ok(&outbox->changes))
    return RILLE_OK;
  if (!outbox->changes.full)
    return rille_fault_no_memory(fault);
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "this transaction changes more than %d MiB, too much for a mirror",
                        CHANGES_MAX >> 20);
  rille_fault_hint(fault, "commit more often; or write with skip_mirror, and resync the mirror");
  return RILLE_UNSUPPORTED;
}

/* How many rows of which tables were written without being mirrored. */
static rille_status
record_skips(rille_outbox *outbox, rille_connection *connection, int64_t now, rille_fault *fault)
{
  static const char sql[] =
    "insert into \"rille_mirror_skips\" (\"name\", \"rows\", \"first_at\", \"last_at\") values (?1, ?2, ?3, ?3) "
    "on conflict (\"name\") do update set \"rows\" = \"rows\" + ?2, \"last_at\" = ?3";
  rille_status status = RILLE_OK;

  for (struct watched *each = outbox->known; each != NULL && status == RILLE_OK; each = each->next)
    if (each->skipped > 0) {
      const rille_cell values[] = { rille_cell_text(each->is.name), rille_cell_int(each->skipped),
                                    rille_cell_int(now) };

      status = rille_aside_run(connection, sql, values, 3, fault);
      each->skipped = 0;
    }
  outbox->any_skipped = false;
  return status;
}

static rille_status
insert(rille_outbox *outbox, int64_t now, rille_fault *fault)
{
  static const char sql[] = "insert into \"rille_outbox\" (\"made_at\", \"changes\") values (?, ?)";
  const rille_cell made_at = rille_cell_int(now),
                   changes = { .kind = RILLE_BLOB, .as.text = rille_buffer_str(&outbox->changes) };
  rille_conn *conn = outbox->connection->conn;
  rille_status status = need(outbox, &outbox->insert, sql, fault);

  if (status != RILLE_OK)
    return status;
  status = conn->driver->bind(outbox->insert, 1, &made_at, fault);
  if (status == RILLE_OK)
    status = conn->driver->bind(outbox->insert, 2, &changes, fault);
  if (status == RILLE_OK)
    status = conn->driver->run_aside(conn, outbox->insert, fault);
  conn->driver->reset(outbox->insert);
  return status;
}

rille_status
rille_outbox_flush(rille_outbox *outbox, rille_connection *connection, rille_fault *fault)
{
  rille_status status = rille_outbox_check(outbox, fault);
  int64_t now;

  if (status != RILLE_OK || (outbox->changes.len == 0 && !outbox->any_skipped))
    return status;
  now = rille_aside_now_us();
  if (outbox->any_skipped)
    status = record_skips(outbox, connection, now, fault);
  if (status == RILLE_OK && outbox->changes.len > 0) {
    status = insert(outbox, now, fault);
    outbox->written = status == RILLE_OK;
  }
  if (status == RILLE_OK)
    rille_outbox_back(outbox, (rille_outbox_mark){ 0 }); /* a commit that fails now does not write it twice */
  return status;
}

void
rille_outbox_committed(rille_outbox *outbox)
{
  outbox->committed = true;
  if (outbox->written && outbox->on_commit != NULL)
    outbox->on_commit(outbox->on_commit_data);
}

void
rille_outbox_ended(rille_outbox *outbox)
{
  enum { KEEP = 1 << 20 }; /* bytes, for the next transaction */
  rille_conn *conn = outbox->connection->conn;

  rille_outbox_back(outbox, (rille_outbox_mark){ 0 });
  if (outbox->changes.size > KEEP)
    rille_buffer_release(&outbox->changes);
  rille_buffer_clear(&outbox->changes);
  outbox->status = RILLE_OK;
  outbox->sure = outbox->committed && outbox->looked;
  if (outbox->sure)
    outbox->data_version = conn->driver->data_version(conn);
  outbox->looked = false;
  outbox->committed = false;
  outbox->written = false;
  for (struct watched *each = outbox->known; each != NULL && outbox->any_skipped; each = each->next)
    each->skipped = 0;
  outbox->any_skipped = false;
}
