/* core/driver/postgres_open.c - connects to a PostgreSQL server in time, with the settings that cells rely on. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/base/stop.h"
#include "core/driver/postgres_conn.h"
#include "core/driver/postgres_error.h"

enum {
  OLDEST_SERVER = 120000, /* the catalog is asked for generated columns, which came with 12 */
  STOP_CHECK_MS = 50,
  RETRY_MS = 100 /* while a server starts */
};

/* -- connecting -------------------------------------------------------------------------------------------- */

static void
ignore_notice(void *data, const PGresult *notice)
{
  (void)data;
  (void)notice;
}

/* Goes on with a connection that was started, until it is there, failed, or `until_ms` has come.  False: it is late,
** or was stopped. */
static bool
await(PGconn *pg, int64_t until_ms)
{
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;

  while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
    struct pollfd socket = { .fd = PQsocket(pg), .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT };
    int ready = poll(&socket, 1, STOP_CHECK_MS);

    if (rille_stop_requested() || rille_postgres_now_ms() >= until_ms)
      return false;
    if (ready > 0)
      next = PQconnectPoll(pg);
  }
  return true;
}

/* The SQLSTATE in what libpq says of a connection that failed ("FATAL:  28P01: password ..."): it gives it nowhere
** else.  Takes it out of the text; no text when there is none. */
static void
take_state(char *message, char state[6])
{
  char *at = message;

  state[0] = '\0';
  while ((at = strstr(at, ":  ")) != NULL) {
    at += 3;
    if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && strncmp(at + 5, ": ", 2) == 0) {
      memcpy(state, at, 5);
      state[5] = '\0';
      (void)memmove(at, at + 7, strlen(at + 7) + 1);
      return;
    }
  }
}

/* Why there is no connection.  *starting: the server is there, and will take connections soon. */
static rille_status
refused(PGconn *pg, bool *starting, rille_fault *fault)
{
  char message[1024], state[6];
  rille_status kind = RILLE_CONNECTION_LOST;

  (void)snprintf(message, sizeof message, "%s", PQerrorMessage(pg));
  take_state(message, state);
  message[strcspn(message, "\n")] = '\0';
  *starting = strcmp(state, "57P03") == 0;
  if (PQconnectionNeedsPassword(pg))
    kind = RILLE_INVALID_ARGUMENT;
  else if (state[0] != '\0')
    kind = rille_postgres_kind(state);
  (void)rille_fault_set(fault, kind, "cannot connect to the database: %.400s", message);
  if (fault != NULL && state[0] != '\0') {
    fault->code = rille_postgres_code(state);
    memcpy(fault->state, state, sizeof fault->state);
  }
  rille_fault_hint(fault, "%s",
                   strstr(message, "startup parameter") != NULL
                     ? "a pooler refuses the settings of this connection: connect to the server itself"
                   : kind == RILLE_BUSY             ? "the server has no connection left: make pool.max smaller"
                   : strcmp(state, "3D000") == 0    ? "create the database first"
                   : kind == RILLE_INVALID_ARGUMENT ? "are user and password right, and may this role connect?"
                                                    : "does the server run there, and does it listen?");
  return kind;
}

/* A pooler may refuse the settings in the first packet, or drop them: the server says what holds. */
static bool
is_set(PGconn *pg)
{
  static const char *const wanted[][2] = { { "TimeZone", "UTC" },
                                           { "DateStyle", "ISO, YMD" },
                                           { "standard_conforming_strings", "on" } };

  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    const char *value = PQparameterStatus(pg, wanted[i][0]);

    if (value == NULL || strcmp(value, wanted[i][1]) != 0)
      return false;
  }
  return true;
}

/* Settings in a round trip of their own. */
static rille_status
set_again(rille_postgres_conn *conn, const char *sql, rille_fault *fault)
{
  rille_postgres_ask set = { .what = RILLE_ASK_SQL, .text = sql };
  rille_status status = rille_postgres_exchange(conn, &set, 1, fault);

  if (status == RILLE_OK && PQresultStatus(set.result) == PGRES_FATAL_ERROR)
    status = rille_postgres_fault(set.result, (rille_str){ 0 }, conn->stopped, fault);
  rille_postgres_clear(&set, 1);
  if (status != RILLE_OK && conn->pg != NULL)
    rille_postgres_drop(conn);
  return status;
}

/* Texts are UTF-8 here, and nothing else: a server that keeps others would change them, or keep what is none. */
static rille_status
check_server(PGconn *pg, rille_fault *fault)
{
  const char *encoding = PQparameterStatus(pg, "server_encoding");

  if (PQserverVersion(pg) < OLDEST_SERVER)
    return rille_fault_set(fault, RILLE_UNSUPPORTED, "the server is PostgreSQL %s: rille needs 12 or later",
                           PQparameterStatus(pg, "server_version"));
  if (encoding != NULL && strcmp(encoding, "UTF8") == 0)
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "the database keeps texts in %s: rille needs one in UTF8",
                        encoding != NULL ? encoding : "an unknown encoding");
  rille_fault_hint(fault, "create database ... encoding 'UTF8' template template0");
  return RILLE_UNSUPPORTED;
}

static rille_status
try_to_connect(rille_postgres_conn *conn, int64_t until_ms, bool *starting, rille_fault *fault)
{
  const rille_postgres_info *info = &conn->info;
  PGconn *pg = info->several ? PQconnectdbParams(info->keywords, info->values, 0)
                             : PQconnectStartParams(info->keywords, info->values, 0);
  rille_status status = RILLE_OK;
  bool late = false;

  *starting = false;
  if (pg == NULL)
    return rille_fault_no_memory(fault);
  (void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
  (void)PQsetErrorVerbosity(pg, PQERRORS_VERBOSE); /* it says the SQLSTATE */
  if (!info->several && PQstatus(pg) != CONNECTION_BAD)
    late = !await(pg, until_ms);
  if (rille_stop_requested())
    status = rille_fault_set(fault, RILLE_INTERRUPTED, "the statement was stopped");
  else if (late)
    status = rille_fault_set(fault, RILLE_CONNECTION_LOST, "cannot connect to the database: no answer within %d ms",
                             info->deadline_ms);
  else if (PQstatus(pg) != CONNECTION_OK)
    status = refused(pg, starting, fault);
  else
    status = check_server(pg, fault);
  if (status == RILLE_OK && PQsetnonblocking(pg, 1) != 0)
    status = rille_fault_set(fault, RILLE_CONNECTION_LOST, "cannot connect to the database: %s", PQerrorMessage(pg));
  if (status == RILLE_OK) {
    (void)PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
    conn->pg = pg;
    pg = NULL;
  }
  PQfinish(pg);
  return status;
}

/* Why a connection to a schema is none. */
static rille_status
no_schema(bool settled, bool going, rille_fault *fault)
{
  rille_status status = going ? RILLE_BUSY : settled ? RILLE_NOT_FOUND : RILLE_UNSUPPORTED;

  (void)rille_fault_set(fault, status, "%s",
                        going     ? "the schema of this connection is being dropped"
                        : settled ? "the schema of this connection is not there"
                                  : "a pooler keeps the settings of this connection to itself, its schema among them");
  rille_fault_hint(fault, "%s",
                   going     ? "try again: it is gone then, or stays"
                   : settled ? "is it made, and has this role USAGE on it?"
                             : "connect to the server itself, or have the pooler pass `options` on");
  return status;
}

/* A server takes any name for a search path, so it is asked.  Where a pooler dropped the settings, whatever holds is
** somebody else's. */
static rille_status
check_schema(rille_postgres_conn *conn, rille_fault *fault)
{
  rille_postgres_ask ask = { .what = RILLE_ASK_SQL, .text = conn->info.question };
  bool settled = is_set(conn->pg), there = false, going = false;
  rille_status status = settled ? rille_postgres_exchange(conn, &ask, 1, fault) : RILLE_OK;

  if (settled && status == RILLE_OK && PQresultStatus(ask.result) != PGRES_TUPLES_OK) {
    status = rille_postgres_fault(ask.result, (rille_str){ 0 }, conn->stopped, fault);
  } else if (settled && status == RILLE_OK) {
    there = strcmp(PQgetvalue(ask.result, 0, 0), "held") == 0;
    going = strcmp(PQgetvalue(ask.result, 0, 0), "going") == 0;
  }
  rille_postgres_clear(&ask, 1);
  if (!there && conn->pg != NULL)
    rille_postgres_drop(conn);
  return status != RILLE_OK || there ? status : no_schema(settled, going, fault);
}

rille_status
rille_postgres_connect(rille_postgres_conn *conn, rille_fault *fault)
{
  static atomic_uint_fast64_t connected;
  const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
  int64_t until_ms = rille_postgres_now_ms() + conn->info.deadline_ms;
  bool starting = false, first = conn->generation == 0;
  rille_fault why;
  rille_status status;

  if (fault == NULL)
    fault = &why;
  status = try_to_connect(conn, until_ms, &starting, fault);
  if (status != RILLE_OK && rille_postgres_info_drop_options(&conn->info, fault))
    status = try_to_connect(conn, until_ms, &starting, fault);
  while (starting && rille_postgres_now_ms() < until_ms && !rille_stop_requested()) {
    (void)nanosleep(&pause, NULL);
    status = try_to_connect(conn, until_ms, &starting, fault);
  }
  if (status == RILLE_OK) {
    conn->generation = atomic_fetch_add(&connected, 1) + 1;
    conn->in_transaction = conn->failed = conn->wait_told_inside = conn->astray = false;
    conn->wait_told_ms = first && is_set(conn->pg) ? conn->wait_ms : -1;
    conn->used_ms = rille_postgres_now_ms();
    if (conn->info.question != NULL)
      status = check_schema(conn, fault);
    else if (!is_set(conn->pg))
      status = set_again(conn, conn->info.session, fault);
    if (status == RILLE_OK && conn->info.question == NULL && conn->info.home != NULL)
      status = set_again(conn, conn->info.home, fault);
  }
  return status;
}

void
rille_postgres_close(rille_conn *base)
{
  rille_postgres_conn *conn = (rille_postgres_conn *)base;

  if (conn == NULL)
    return;
  PQfinish(conn->pg);
  rille_postgres_info_release(&conn->info);
  rille_memory_free(conn->unwanted);
  rille_buffer_release(&conn->wall_told);
  rille_memory_free(conn);
}

rille_status
rille_postgres_open(const rille_open_options *options, rille_conn **out, rille_fault *fault)
{
  rille_postgres_conn *conn = NULL;
  rille_status status = rille_pq_load(fault);

  if (status == RILLE_OK) {
    conn = rille_memory_get(sizeof *conn);
    status = conn != NULL ? RILLE_OK : rille_fault_no_memory(fault);
  }
  if (status == RILLE_OK) {
    conn->base.driver = &rille_driver_postgres;
    conn->wait_ms = options->busy_timeout_ms;
    if (getentropy(&conn->nonce, sizeof conn->nonce) != 0)
      conn->nonce = (uint64_t)(uintptr_t)conn ^ (uint64_t)rille_postgres_now_ms() << 20;
    rille_arena_init(&conn->info.arena);
    rille_buffer_init(&conn->wall_told, 1 << 20);
    status = rille_postgres_info_take(&conn->info, options, fault);
  }
  if (status == RILLE_OK)
    status = rille_postgres_connect(conn, fault);
  if (status == RILLE_OK) {
    *out = &conn->base;
    conn = NULL;
  }
  rille_postgres_close((rille_conn *)conn);
  return status;
}
