/* core/driver/postgres_info.c - what a database is opened with, as libpq's keywords and values. */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/driver/postgres_conn.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

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

/* The only schema in which bare names are looked up.  In options blanks and backslashes stand behind a backslash. */
static void
set_schema(rille_buffer *text, rille_str schema)
{
  rille_buffer_text(text, " -c search_path=\"");
  for (size_t i = 0; i < schema.len; i++) {
    char c = schema.at[i];

    if (c == '\\' || c == ' ' || (c >= '\t' && c <= '\r'))
      rille_buffer_byte(text, '\\');
    if (c == '"')
      rille_buffer_byte(text, c);
    rille_buffer_byte(text, c);
  }
  rille_buffer_byte(text, '"');
}

/* Where bare names are looked up is the server's business, but for the schema that is called as the role: somebody's
** who happens to be called so.  What is set for one transaction stays so, unless it names that schema. */
#define WITHOUT_ROLE                                                                              \
  "select pg_catalog.set_config('search_path', pg_catalog.ltrim(pg_catalog.regexp_replace(path, " \
  "'(^|,)\\s*\"?\\$user\"?\\s*(?=,|$)', '', 'g'), ', '), false) "                                 \
  "from pg_catalog.current_setting('search_path') as path where path ~ '\\$user'"

static void
put_text(rille_buffer *text, rille_str given)
{
  rille_buffer_byte(text, '\'');
  for (size_t i = 0; i < given.len; i++) {
    if (given.at[i] == '\'')
      rille_buffer_byte(text, '\'');
    rille_buffer_byte(text, given.at[i]);
  }
  rille_buffer_byte(text, '\'');
}

/* Each connection to a schema holds a lock of that name, which whoever drops it wants for itself: lua/rille/tenant/
** schemas.lua.  It goes with the session. */
static void
set_question(rille_postgres_info *info, rille_str schema)
{
  rille_buffer text;

  if (schema.len == 0)
    return;
  rille_buffer_init(&text, 1 << 16);
  rille_buffer_text(&text, "select case when pg_catalog.current_schema() is distinct from ");
  put_text(&text, schema);
  rille_buffer_text(&text, " then 'none' when pg_catalog.pg_try_advisory_lock_shared(pg_catalog.hashtextextended(");
  put_text(&text, schema);
  rille_buffer_text(&text, ", " RILLE_SCHEMA_LOCK ")) then 'held' else 'going' end");
  info->question = rille_arena_copy(&info->arena, rille_buffer_str(&text)).at;
  if (!rille_buffer_ok(&text))
    info->arena.failed = true;
  rille_buffer_release(&text);
}

/* The settings below as SQL, but for the wait for locks, which each connection says itself, and for the schema: a
** pooler whose sessions are for many would give it to others. */
static void
say_session(rille_postgres_info *info, const rille_open_options *options)
{
  char text[400];

  (void)snprintf(text, sizeof text,
                 "set TimeZone = 'UTC'; set DateStyle = 'ISO, YMD'; set IntervalStyle = 'iso_8601'; "
                 "set bytea_output = 'hex'; set standard_conforming_strings = on; set extra_float_digits = 3");
  if (options->statement_timeout_ms > 0)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "; set statement_timeout = %d",
                   options->statement_timeout_ms);
  if (options->readonly)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "; set default_transaction_read_only = on");
  info->session = rille_arena_copy(&info->arena, rille_str_of(text)).at;
}

/* Settings of the session, sent with the first packet: they cost no round trip.  What the url says stands between
** what it may change and what cells rely on. */
static void
set_session(rille_postgres_info *info, const rille_open_options *options)
{
  const char *theirs = get(info, "options");
  rille_buffer text;

  info->own_options = theirs != NULL && theirs[0] != '\0';
  rille_buffer_init(&text, 1 << 16);
  rille_buffer_text(&text, "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
                           " -c tcp_user_timeout=30000 "); /* so does the server find out about us: it keeps locks */
  rille_buffer_text(&text, "-c cursor_tuple_fraction=1 "); /* all rows of a cursor are wanted, not the first soon */
  rille_buffer_format(&text, "-c lock_timeout=%d", options->busy_timeout_ms > 0 ? options->busy_timeout_ms : 1);
  if (options->statement_timeout_ms > 0)
    rille_buffer_format(&text, " -c statement_timeout=%d", options->statement_timeout_ms);
  if (theirs != NULL) {
    rille_buffer_byte(&text, ' ');
    rille_buffer_text(&text, theirs);
  }
  rille_buffer_text(&text, " -c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=iso_8601 -c bytea_output=hex"
                           " -c standard_conforming_strings=on -c extra_float_digits=3");
  if (options->schema.len > 0)
    set_schema(&text, options->schema);
  if (options->readonly)
    rille_buffer_text(&text, " -c default_transaction_read_only=on");
  set(info, "options", rille_buffer_str(&text));
  if (!rille_buffer_ok(&text))
    info->arena.failed = true;
  rille_buffer_release(&text);
  say_session(info, options);
}

rille_status
rille_postgres_info_take(rille_postgres_info *info, const rille_open_options *options, rille_fault *fault)
{
  const rille_str given[] = { options->url,      options->host,     options->user,
                              options->password, options->database, options->schema };
  rille_status status = RILLE_OK;
  char port[16];

  for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
    if (given[i].len > 0 && memchr(given[i].at, '\0', given[i].len) != NULL)
      return rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                             "url, host, user, password, database and schema must be texts without NUL");
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
  set_default(info, "keepalives_idle", "30"); /* seconds: a server that is gone without a word is found out */
  set_default(info, "keepalives_interval", "10");
  set_default(info, "keepalives_count", "3");
  set_default(info, "tcp_user_timeout", "30000"); /* milliseconds */
  set_session(info, options);
  set_question(info, options->schema);
  if (info->question != NULL)
    info->home = "reset search_path"; /* to what the first packet said */
  else if (options->no_role_schema)
    info->home = WITHOUT_ROLE;
  info->statement_ms = options->statement_timeout_ms;
  info->deadline_ms = options->connect_timeout_ms > 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
  info->several = (get(info, "host") != NULL && strchr(get(info, "host"), ',') != NULL) ||
                  (get(info, "hostaddr") != NULL && strchr(get(info, "hostaddr"), ',') != NULL);
  if (info->several) {
    (void)snprintf(port, sizeof port, "%d", (info->deadline_ms + 999) / 1000);
    set(info, "connect_timeout", rille_str_of(port)); /* for each host */
  }
  return rille_arena_ok(&info->arena) ? RILLE_OK : rille_fault_no_memory(fault);
}

bool
rille_postgres_info_drop_options(rille_postgres_info *info, const rille_fault *why)
{
  size_t i = 0;

  if (info->own_options || info->question != NULL || strstr(why->message, "startup parameter") == NULL)
    return false;
  while (i < info->count && strcmp(info->keywords[i], "options") != 0)
    i++;
  if (i == info->count)
    return false;
  info->values[i] = "";
  return true;
}

void
rille_postgres_info_release(rille_postgres_info *info)
{
  for (size_t i = 0; i < info->count; i++)
    if (strcmp(info->keywords[i], "password") == 0)
      explicit_bzero((char *)(uintptr_t)info->values[i], strlen(info->values[i]));
  rille_arena_release(&info->arena);
}
