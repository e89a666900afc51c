/* core/driver/postgres_place.c - the place is asked for behind a commit, in the same round trip.
**
** Behind, and not beside it: a transaction that nobody began ends only at the SYNC, or at the end of the query string,
** so a position read before that is from before its commit record.
**
** With synchronous_commit off what is committed may not be written yet, so the position of what was inserted counts.
** At the start of a page that stands behind the page's header, where no replica ever gets before there is more: it is
** taken back to the page's start (src/backend/access/transam/xlog.c, XLogBytePosToRecPtr). */
#include "core/driver/postgres_place.h"

#include <stdlib.h>
#include <string.h>

#define PG "pg_catalog."

/* What a replica has repeated it does not say, only which timeline it hears, and that only to roles of pg_monitor; else
** `timeline` is NULL.
**
** A replica shows a commit and then says that it has got so far, and it may show it before the primary does, whose
** backend first writes its commit into the log and then tells the others (xlogrecovery.c, ApplyWalRecord; xact.c,
** CommitTransaction).  So at a replica `bound` is where the numbers of the transactions end that it shows, and `more`
** whether it may be in the middle of a record.  One that repeats what it was not sent, but finds in its own files,
** cannot know that: its position is NULL.  It is done with those when it asks to be sent more
** (WaitForWALToBecomeAvailable), which therefore is looked at first. */
#define WHERE                                                                                          \
  "(select replica, being_sent, case when replica then " PG "pg_last_wal_replay_lsn() "                \
  "when " PG "current_setting('synchronous_commit') = 'off' then " PG "pg_current_wal_insert_lsn() "   \
  "else " PG "pg_current_wal_lsn() end, "                                                              \
  "case when replica then " PG "pg_last_wal_receive_lsn() else " PG "pg_current_wal_insert_lsn() end " \
  "from (select " PG "pg_is_in_recovery(), exists (select from " PG "pg_stat_wal_receiver)) "          \
  "as a (replica, being_sent)) as b (replica, being_sent, lsn, ahead)"
#define HERE                                                                                                    \
  "(select replica, case when replica then (select received_tli from " PG "pg_stat_wal_receiver) "              \
  "else ('x' || " PG "substr(" PG "pg_walfile_name(lsn), 1, 8))::bit(32)::bigint end, "                         \
  "at - case when not replica then case when at % segment = 40 then 40 when at % 8192 = 24 then 24 else 0 end " \
  "when ahead >= lsn or being_sent then 0 end, case when replica then at else (ahead - '0/0')::bigint end, "    \
  "case when replica then " PG "txid_snapshot_xmax(" PG "txid_current_snapshot()) else 0 end, "                 \
  "(replica and ahead > lsn) is true from (select replica, being_sent, lsn, ahead, (lsn - '0/0')::bigint, " PG  \
  "pg_size_bytes(" PG "current_setting('wal_segment_size')) from " WHERE ") "                                   \
  "as c (replica, being_sent, lsn, ahead, at, segment)) "                                                       \
  "as here (replica, timeline, position, reach, bound, more)"

/* The same at a primary, for each commit: calls without a table, a subquery or arithmetic, which would cost as much as
** the commit.  A replica refuses it, which is as good as no look.  The first eight digits of a file's name are its
** timeline. */
#define LOOK                                                                                                    \
  "select " PG "pg_walfile_name(" PG "pg_current_wal_lsn()), case " PG "current_setting('synchronous_commit') " \
  "when 'off' then " PG "pg_current_wal_insert_lsn() else " PG "pg_current_wal_lsn() end"
#define LOOK_NAME "rille_place"
#define LOOK_DEFERRED "select " PG "pg_walfile_name(" PG "pg_current_wal_lsn()), " PG "pg_current_wal_insert_lsn()"
#define LOOK_DEFERRED_NAME "rille_place_deferred"

enum { PAGE_BYTES = 8192, HEADER_BYTES = 24, SEGMENT_HEADER_BYTES = 40 };

const char rille_postgres_place[] = "select (select system_identifier::text from " PG
                                    "pg_control_system()) as server, replica::int as replica, timeline as epoch, "
                                    "position, reach, bound, more::int as more from " HERE;

/* Timeline 1 began with the server.  A server that was promoted began its own where it had replayed everything, and
** remembers that until it is started again; after a crash it remembers where that recovery ended, but no transaction's
** time.  Then a file says it, which not every role may read. */
const char *const rille_postgres_epoch_start[RILLE_EPOCH_STARTS] = {
  "select case when $1::bigint = 1 then 0 when " PG "pg_last_xact_replay_timestamp() is not null then "
  "(" PG "pg_last_wal_replay_lsn() - '0/0')::bigint end as start",
  "select ((" PG "regexp_match(" PG "pg_read_file('pg_wal/' || " PG "lpad(" PG "upper(" PG
  "to_hex($1::bigint)), 8, '0') || '.history', 0, 1000000, true), "
  "'\\t([0-9A-F]+/[0-9A-F]+)\\t[^\\n]*\\n*$'))[1]::pg_lsn - '0/0')::bigint as start",
};

void
rille_postgres_defer(rille_postgres_conn *conn, bool may)
{
  if (!may || conn->defers)
    return;
  conn->defers = true;
  conn->look_generation = conn->generation - 1; /* it is another statement */
}

size_t
rille_postgres_look(rille_postgres_conn *conn, bool sync, rille_postgres_ask asks[])
{
  const char *name = conn->unnamed ? "" : conn->defers ? LOOK_DEFERRED_NAME : LOOK_NAME;
  size_t count = 0;

  conn->tracked = false;
  if (sync)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_SYNC };
  if (conn->unnamed || conn->look_generation != conn->generation)
    asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_PREPARE,
                                          .name = name,
                                          .text = conn->defers ? LOOK_DEFERRED : LOOK };
  conn->look_generation = conn->generation;
  asks[count++] = (rille_postgres_ask){ .what = RILLE_ASK_RUN, .name = name };
  return count;
}

/* Reads "0/1C72018". */
static bool
read_position(const char *text, uint64_t *position)
{
  char *end;
  uint64_t high = strtoull(text, &end, 16);

  if (*end != '/')
    return false;
  *position = high << 32 | strtoull(end + 1, &end, 16);
  return *end == '\0';
}

/* True where the position may be that of a page's header, which only a longer look can tell. */
static bool
is_at_header(uint64_t position)
{
  uint64_t in_page = position % PAGE_BYTES;

  return in_page == HEADER_BYTES || in_page == SEGMENT_HEADER_BYTES;
}

void
rille_postgres_looked(rille_postgres_conn *conn, const rille_postgres_ask *look)
{
  bool answered = PQresultStatus(look->result) == PGRES_TUPLES_OK && PQgetlength(look->result, 0, 0) >= 8;
  char timeline[9] = { 0 };

  conn->tracked = answered && read_position(PQgetvalue(look->result, 0, 1), &conn->position) &&
                  !is_at_header(conn->position);
  if (conn->tracked) {
    memcpy(timeline, PQgetvalue(look->result, 0, 0), 8);
    conn->epoch = (uint32_t)strtoul(timeline, NULL, 16);
  } else if (!answered) {
    conn->look_generation = conn->generation - 1; /* prepare it again: a pooler may have gone to another server */
  }
}

rille_status
rille_postgres_look_now(rille_conn *base, rille_fault *fault)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;
  rille_postgres_ask asks[RILLE_POSTGRES_LOOKS];
  rille_status status = rille_postgres_ready(conn, fault);
  size_t count;

  conn->tracked = false;
  if (status != RILLE_OK || conn->in_transaction || conn->begin != NULL) /* one that fails would fail all of it */
    return status;
  count = rille_postgres_look(conn, false, asks);
  status = rille_postgres_exchange(conn, asks, count, fault);
  if (status == RILLE_OK)
    rille_postgres_looked(conn, &asks[count - 1]);
  rille_postgres_clear(asks, count);
  return status;
}

void
rille_postgres_track(rille_conn *base, bool on)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;

  if (on)
    rille_postgres_look_end(conn);
  conn->tracks = on;
  conn->tracked = conn->tracked && !on;
}

uint64_t
rille_postgres_generation(const rille_conn *base)
{
  return ((const rille_postgres_conn *)base)->generation;
}

bool
rille_postgres_tracked(rille_conn *base, uint32_t *epoch, uint64_t *position)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;

  rille_postgres_look_end(conn);
  *epoch = conn->epoch;
  *position = conn->position;
  return conn->tracked;
}
