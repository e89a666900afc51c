/* core/driver/postgres_open.c - connects to a PostgreSQL server in time, with the settings that cells rely on. */
#include <poll.h>
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
  CONNECT_TIMEOUT_MS = 10000,
  OLDEST_SERVER = 120000, /* the catalog is asked for generated columns, which came with 12 */
  STOP_CHECK_MS = 50,
  RETRY_MS = 100 /* while a server starts */
};

/* -- what to connect with ---------------------------------------------------------------------------------- */

static void
set(rille_postgres_info *info, const char *keyword, rille_str value)
{
  const char *kept_keyword, *kept_value;
  size_t i = 0;

  if (value.len == 0)
    return;
  while (i < info->count && strcmp(info->keywords[i], keyword) != 0)
    i++;
  if (i + 1 >= sizeof info->keywords / sizeof info->keywords[0])
    return; /* libpq knows far fewer */
  kept_keyword = rille_arena_copy(&info->arena, rille_str_of(keyword)).at;
  kept_value = rille_arena_copy(&info->arena, value).at;
  if (kept_keyword == NULL || kept_value == NULL)
    return;            /* the arena says so at the end */
  if (i < info->count) /* it may be a password */
    explicit_bzero((char *)(uintptr_t)info->values[i], strlen(info->values[i]));
  info->keywords[i] = kept_keyword;
  info->values[i] = kept_value;
  info->count += i == info->count;
}

static const char *
get(const rille_postgres_info *info, const char *keyword)
{
  for (size_t i = 0; i < info->count; i++)
    if (strcmp(info->keywords[i], keyword) == 0)
      return info->values[i];
  return NULL;
}

static void
set_default(rille_postgres_info *info, const char *keyword, const char *value)
{
  if (get(info, keyword) == NULL)
    set(info, keyword, rille_str_of(value));
}

/* Never shows the url itself: there may be a password in it. */
static rille_status
take_url(rille_postgres_info *info, rille_str url, rille_fault *fault)
{
  static const char unknown[] = "invalid URI query parameter: ";
  char *why = NULL, *text = rille_memory_copy(url.at, url.len);
  PQconninfoOption *options = text != NULL ? PQconninfoParse(text, &why) : NULL;
  rille_status status = RILLE_OK;

  if (options != NULL) {
    for (const PQconninfoOption *each = options; each->keyword != NULL; each++)
      set(info, each->keyword, rille_str_of(each->val));
  } else if (text == NULL || why == NULL) {
    status = rille_fault_no_memory(fault);
  } else {
    bool named = strncmp(why, unknown, sizeof unknown - 1) == 0;

    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the url of the database cannot be read%s%.*s",
                             named ? ": there is no parameter " : "",
                             named ? (int)strcspn(why + sizeof unknown - 1, "\n") : 0,
                             named ? why + sizeof unknown - 1 : "");
    rille_fault_hint(fault,
                     "it looks like postgresql://user:password@host:5432/name?sslmode=require; what is no letter "
                     "or digit in a password is written as %%40");
  }
  PQconninfoFree(options);
  PQfreemem(why);
  if (text != NULL)
    explicit_bzero(text, url.len);
  rille_memory_free(text);
  return status;
}

/* Settings of the session, sent with the first packet: they cost no round trip.  What the url says stands between
** what it may change and what cells rely on. */
static void
set_session(rille_postgres_info *info, const rille_open_options *options)
{
  const char *theirs = get(info, "options");
  rille_buffer text;

  rille_buffer_init(&text, 1 << 16);
  rille_buffer_format(&text, "-c lock_timeout=%d", options->busy_timeout_ms > 0 ? options->busy_timeout_ms : 1);
  if (options->statement_timeout_ms > 0)
    rille_buffer_format(&text, " -c statement_timeout=%d", options->statement_timeout_ms);
  if (theirs != NULL) {
    rille_buffer_byte(&text, ' ');
    rille_buffer_text(&text, theirs);
  }
  rille_buffer_text(&text, " -c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=iso_8601 -c bytea_output=hex"
                           " -c standard_conforming_strings=on -c extra_float_digits=3");
  if (options->readonly)
    rille_buffer_text(&text, " -c default_transaction_read_only=on");
  set(info, "options", rille_buffer_str(&text));
  if (!rille_buffer_ok(&text))
    info->arena.failed = true;
  rille_buffer_release(&text);
}

static rille_status
set_info(rille_postgres_info *info, const rille_open_options *options, rille_fault *fault)
{
  const rille_str given[] = { options->url, options->host, options->user, options->password, options->database };
  rille_status status = RILLE_OK;
  char port[16];

  for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
    if (given[i].len > 0 && memchr(given[i].at, '\0', given[i].len) != NULL)
      return rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                             "url, host, user, password and database must be texts without NUL");
  if (options->url.len > 0)
    status = take_url(info, options->url, fault);
  if (status != RILLE_OK)
    return status;
  (void)snprintf(port, sizeof port, "%d", options->port);
  set(info, "host", options->host);
  set(info, "port", options->port > 0 ? rille_str_of(port) : (rille_str){ 0 });
  set(info, "user", options->user);
  set(info, "password", options->password);
  set(info, "dbname", options->database);
  set(info, "client_encoding", rille_str_of("UTF8"));
  set_default(info, "application_name", "rille");
  set_default(info, "keepalives_idle", "30");     /* seconds: a server that is gone without a word is found out */
  set_default(info, "tcp_user_timeout", "30000"); /* milliseconds */
  set_session(info, options);
  info->deadline_ms = options->connect_timeout_ms > 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
  info->several = (get(info, "host") != NULL && strchr(get(info, "host"), ',') != NULL) ||
                  (get(info, "hostaddr") != NULL && strchr(get(info, "hostaddr"), ',') != NULL);
  if (info->several) {
    (void)snprintf(port, sizeof port, "%d", (info->deadline_ms + 999) / 1000);
    set(info, "connect_timeout", rille_str_of(port)); /* for each host */
  }
  return rille_arena_ok(&info->arena) ? RILLE_OK : rille_fault_no_memory(fault);
}

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
                   kind == RILLE_BUSY               ? "the server has no connection left: make pool.max smaller"
                   : strcmp(state, "3D000") == 0    ? "create the database first"
                   : kind == RILLE_INVALID_ARGUMENT ? "are user and password right, and may this role connect?"
                                                    : "does the server run there, and does it listen?");
  return kind;
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

rille_status
rille_postgres_connect(rille_postgres_conn *conn, rille_fault *fault)
{
  const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
  int64_t until_ms = rille_postgres_now_ms() + conn->info.deadline_ms;
  bool starting = false;
  rille_status status = try_to_connect(conn, until_ms, &starting, fault);

  while (starting && rille_postgres_now_ms() < until_ms && !rille_stop_requested()) {
    (void)nanosleep(&pause, NULL);
    status = try_to_connect(conn, until_ms, &starting, fault);
  }
  if (status == RILLE_OK) {
    conn->generation++;
    conn->in_transaction = conn->failed = conn->wait_told_inside = false;
    conn->wait_told_ms = conn->generation == 1 ? conn->wait_ms : -1;
    conn->used_ms = rille_postgres_now_ms();
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
  for (size_t i = 0; i < conn->info.count; i++)
    if (strcmp(conn->info.keywords[i], "password") == 0)
      explicit_bzero((char *)(uintptr_t)conn->info.values[i], strlen(conn->info.values[i]));
  rille_arena_release(&conn->info.arena);
  rille_memory_free(conn->unwanted);
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
    status = set_info(&conn->info, options, fault);
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
