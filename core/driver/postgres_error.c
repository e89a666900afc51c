/* core/driver/postgres_error.c - a table of SQLSTATEs, and names where the server only points at them. */
#include "core/driver/postgres_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole states first: a class (two characters) decides where none of them fits. */
static const struct {
  const char *state;
  rille_status kind;
  const char *hint;
} KINDS[] = {
  { "23505", RILLE_UNIQUE_VIOLATION, "choose another value, or update the row that has it" },
  { "23P01", RILLE_UNIQUE_VIOLATION, "choose another value, or update the row that has it" },
  { "23503", RILLE_FOREIGN_KEY_VIOLATION, "write the row that is referred to first; delete it last" },
  { "23001", RILLE_FOREIGN_KEY_VIOLATION, "write the row that is referred to first; delete it last" },
  { "23502", RILLE_NOT_NULL_VIOLATION, "give it a value, or declare the column nullable" },
  { "23", RILLE_CHECK_VIOLATION, "give a value that fits, or change the check" },
  { "44", RILLE_CHECK_VIOLATION, NULL },
  { "P0001", RILLE_CHECK_VIOLATION, NULL },
  { "40P01", RILLE_DEADLOCK, "try the whole transaction again; let all take their locks in the same order" },
  { "40003", RILLE_IN_DOUBT, NULL },
  { "40", RILLE_SERIALIZATION_FAILURE, "try the whole transaction again" },
  { "55P03", RILLE_BUSY, "another connection holds the lock; try again, or raise busy_timeout_ms" },
  { "55006", RILLE_BUSY, "somebody else uses it; try again" },
  { "53300", RILLE_BUSY, "the server has no connection left: make pool.max smaller, or max_connections greater" },
  { "57014", RILLE_TIMEOUT, "raise statement_timeout_ms, or make the statement do less" },
  { "57P", RILLE_CONNECTION_LOST, "the server ended the connection; the next statement connects anew" },
  { "25P03", RILLE_CONNECTION_LOST, "the transaction stood still for longer than the server allows" },
  { "25P04", RILLE_CONNECTION_LOST, "the transaction took longer than the server allows" },
  { "08", RILLE_CONNECTION_LOST, NULL },
  { "58", RILLE_CONNECTION_LOST, "the server could not read or write its files" },
  { "25006", RILLE_READONLY, "the server is a replica, or this connection or transaction may only read" },
  { "25P02", RILLE_TRANSACTION_ABORTED, "roll the transaction back; nothing that was done in it is kept" },
  { "53100", RILLE_DISK_FULL, "make room on the server's disk; nothing of this statement was kept" },
  { "53200", RILLE_OUT_OF_MEMORY, "the server has no memory left" },
  { "XX001", RILLE_CORRUPT, "restore from a backup; rille does not repair it" },
  { "XX002", RILLE_CORRUPT, "rebuild the index with REINDEX" },
  { "42601", RILLE_SYNTAX, NULL },
  { "42P01", RILLE_NO_SUCH_TABLE, NULL },
  { "42703", RILLE_NO_SUCH_COLUMN, NULL },
  { "42501", RILLE_INVALID_ARGUMENT, "grant the right to the role that connects" },
  { "28", RILLE_INVALID_ARGUMENT, "are user and password right, and does pg_hba.conf let this role in?" },
  { "3D000", RILLE_INVALID_ARGUMENT, "create the database first" },
  { "0A", RILLE_UNSUPPORTED, NULL },
};

static size_t
kind_of(const char *state)
{
  size_t i = 0;

  while (i < sizeof KINDS / sizeof KINDS[0] && strncmp(KINDS[i].state, state, strlen(KINDS[i].state)) != 0)
    i++;
  return i;
}

rille_status
rille_postgres_kind(const char *sqlstate)
{
  size_t i = kind_of(sqlstate);

  return i < sizeof KINDS / sizeof KINDS[0] ? KINDS[i].kind : RILLE_INVALID_ARGUMENT;
}

int
rille_postgres_code(const char *sqlstate)
{
  return (int)strtol(sqlstate, NULL, 36);
}

bool
rille_postgres_is(const PGresult *result, const char *sqlstate)
{
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

  return state != NULL && strcmp(state, sqlstate) == 0;
}

bool
rille_postgres_is_stale(const PGresult *result)
{
  const char *source = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

  return rille_postgres_is(result, "26000") ||
         (rille_postgres_is(result, "0A000") && source != NULL && strcmp(source, "RevalidateCachedQuery") == 0);
}

/* -- names ------------------------------------------------------------------------------------------------- */

enum { NAME_BYTES = 128 };

/* Reads an identifier, quoted or not, and puts it into `name`; returns what stands behind it. */
static const char *
read_name(const char *at, const char *end, char name[NAME_BYTES])
{
  size_t len = 0;
  bool quoted = at < end && *at == '"';

  for (at += quoted; at < end; at++) {
    unsigned char c = (unsigned char)*at;

    if (quoted && c == '"' && (++at == end || *at != '"'))
      break;
    if (!quoted &&
        !(c == '_' || c == '$' || c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')))
      break;
    if (!quoted && c >= 'A' && c <= 'Z')
      c |= 0x20; /* what is not quoted the server reads so */
    if (len < NAME_BYTES - 1)
      name[len++] = (char)c;
  }
  name[len] = '\0';
  return at;
}

/* The identifier that the server's error points at, the last one of "schema.table.column". */
static void
name_at_position(const PGresult *result, rille_str sql, char name[NAME_BYTES])
{
  const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
  long characters = position != NULL ? strtol(position, NULL, 10) : 0;
  const char *at = sql.at, *end = sql.at != NULL ? sql.at + sql.len : NULL;

  name[0] = '\0';
  if (characters <= 0 || at == NULL)
    return;
  for (; at < end && characters > 1; characters--)
    for (at++; at < end && ((unsigned char)*at & 0xC0) == 0x80; at++)
      continue;
  at = read_name(at, end, name);
  while (at < end && *at == '.')
    at = read_name(at + 1, end, name);
}

/* What stands between the first quotes of the message. */
static void
name_in_quotes(const char *message, char name[NAME_BYTES])
{
  const char *quote = strchr(message, '"');

  name[0] = '\0';
  if (quote != NULL)
    (void)read_name(quote, message + strlen(message), name);
}

static void
read_object(const PGresult *result, rille_str sql, const char *message, rille_fault *fault)
{
  char name[NAME_BYTES];

  name_at_position(result, sql, name);
  if (name[0] == '\0')
    name_in_quotes(message, name);
  if (fault->kind == RILLE_NO_SUCH_TABLE)
    rille_fault_place(fault, name, NULL, NULL);
  else if (fault->kind == RILLE_NO_SUCH_COLUMN)
    rille_fault_place(fault, NULL, name, NULL);
}

/* "Key (org, nick)=(1, ann) already exists." in any language: the columns are named nowhere else, and once the
** transaction has failed nobody can be asked for them.  Puts them into the fault and returns how many there are; none
** when an expression is among them. */
static size_t
read_key(const char *detail, rille_fault *fault)
{
  const char *at = detail != NULL ? strchr(detail, '(') : NULL;
  const char *end = at != NULL ? strstr(at, ")=(") : NULL;
  char name[NAME_BYTES];
  size_t count = 0, len = 0;

  if (end == NULL)
    return 0;
  for (at++; at < end; at += 2) {
    at = read_name(at, end, name);
    if (at < end && *at != ',') {
      fault->column[0] = fault->columns[0] = '\0';
      return 0;
    }
    if (count++ == 0)
      rille_fault_place(fault, NULL, name, NULL);
    if (len < sizeof fault->columns)
      len += (size_t)snprintf(fault->columns + len, sizeof fault->columns - len, "%s%s.%s", len > 0 ? ", " : "",
                              fault->table, name);
  }
  return count;
}

/* What the violation of a constraint means, in the words that other databases' violations have, too. */
static void
say_violation(const PGresult *result, rille_fault *fault)
{
  size_t count;

  rille_fault_place(fault, PQresultErrorField(result, PG_DIAG_TABLE_NAME),
                    PQresultErrorField(result, PG_DIAG_COLUMN_NAME),
                    PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
  switch (fault->kind) {
  case RILLE_UNIQUE_VIOLATION:
    count = read_key(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), fault);
    (void)snprintf(fault->message, sizeof fault->message, "%s%s: another row has %s already",
                   count == 0 ? "the unique index " : "", count == 0 ? fault->constraint : fault->columns,
                   count > 1 ? "these values together" : "this value");
    break;
  case RILLE_NOT_NULL_VIOLATION:
    if (fault->column[0] != '\0') {
      (void)snprintf(fault->columns, sizeof fault->columns, "%s.%s", fault->table, fault->column);
      (void)snprintf(fault->message, sizeof fault->message, "%s must have a value: it cannot be NULL", fault->columns);
    }
    break;
  case RILLE_FOREIGN_KEY_VIOLATION:
    (void)snprintf(fault->message, sizeof fault->message,
                   "a row that is referred to is missing, or a row is still referred to (%s, of %s)", fault->constraint,
                   fault->table);
    break;
  case RILLE_CHECK_VIOLATION:
    if (fault->constraint[0] != '\0')
      (void)snprintf(fault->message, sizeof fault->message, "a value is not what the table's check allows: %s",
                     fault->constraint);
    break;
  default: break;
  }
}

/* -- the whole --------------------------------------------------------------------------------------------- */

static bool
is_violation(rille_status kind)
{
  return kind == RILLE_UNIQUE_VIOLATION || kind == RILLE_NOT_NULL_VIOLATION || kind == RILLE_FOREIGN_KEY_VIOLATION ||
         kind == RILLE_CHECK_VIOLATION;
}

rille_status
rille_postgres_fault(const PGresult *result, rille_str sql, bool stopped, rille_fault *fault)
{
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  rille_status kind;
  size_t known;

  if (state == NULL || message == NULL) { /* libpq itself: it has no state for what it says */
    message = PQresultErrorMessage(result);
    if (strstr(message, "out of memory") != NULL)
      return rille_fault_no_memory(fault);
    return rille_fault_set(fault, RILLE_CONNECTION_LOST, "%.*s", (int)strcspn(message, "\n"), message);
  }
  known = kind_of(state);
  kind = rille_postgres_kind(state);
  if (stopped && strcmp(state, "57014") == 0)
    return rille_fault_set(fault, RILLE_INTERRUPTED, "the statement was stopped");
  (void)rille_fault_set(fault, kind, "%s", message);
  if (fault == NULL)
    return kind;
  fault->code = rille_postgres_code(state);
  (void)snprintf(fault->state, sizeof fault->state, "%s", state);
  if (known < sizeof KINDS / sizeof KINDS[0] && KINDS[known].hint != NULL)
    hint = KINDS[known].hint;
  if (hint != NULL)
    rille_fault_hint(fault, "%s", hint);
  if (is_violation(kind))
    say_violation(result, fault);
  else
    read_object(result, sql, message, fault);
  return kind;
}
