/* core/driver/sqlite_error.c - a table of codes, and the few messages that must be read. */
#include "core/driver/sqlite_error.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>

/* Extended codes first: the primary code (the low byte) decides where none of them fits. */
static const struct {
  int code;
  rille_status kind;
  const char *hint;
} KINDS[] = {
  { SQLITE_CONSTRAINT_UNIQUE, RILLE_UNIQUE_VIOLATION, NULL },
  { SQLITE_CONSTRAINT_PRIMARYKEY, RILLE_UNIQUE_VIOLATION, NULL },
  { SQLITE_CONSTRAINT_ROWID, RILLE_UNIQUE_VIOLATION, NULL },
  { SQLITE_CONSTRAINT_FOREIGNKEY, RILLE_FOREIGN_KEY_VIOLATION, NULL },
  { SQLITE_CONSTRAINT_NOTNULL, RILLE_NOT_NULL_VIOLATION, NULL },
  { SQLITE_CONSTRAINT_DATATYPE, RILLE_INVALID_ARGUMENT, NULL },
  { SQLITE_CONSTRAINT, RILLE_CHECK_VIOLATION, NULL },
  { SQLITE_BUSY_SNAPSHOT, RILLE_SERIALIZATION_FAILURE,
    "begin the transaction with rille.transaction, which may write at once" },
  { SQLITE_BUSY, RILLE_BUSY, "another connection holds the lock; try again, or raise busy_timeout_ms" },
  { SQLITE_LOCKED, RILLE_BUSY, "another statement of this connection is still running" },
  { SQLITE_READONLY, RILLE_READONLY, "the database, its directory or this connection may only be read" },
  { SQLITE_FULL, RILLE_DISK_FULL, "make room on the disk; nothing of this statement was kept" },
  { SQLITE_CORRUPT, RILLE_CORRUPT, "restore the file from a backup; rille does not repair it" },
  { SQLITE_NOTADB, RILLE_CORRUPT, "is the path right?" },
  { SQLITE_CANTOPEN, RILLE_CONNECTION_LOST, "does the directory exist, and may it be written?" },
  { SQLITE_IOERR_NOMEM, RILLE_OUT_OF_MEMORY, NULL },
  { SQLITE_IOERR, RILLE_CONNECTION_LOST, "the database file could not be read or written" },
  { SQLITE_NOMEM, RILLE_OUT_OF_MEMORY, NULL },
  { SQLITE_INTERRUPT, RILLE_INTERRUPTED, NULL },
  { SQLITE_ABORT, RILLE_TRANSACTION_ABORTED, NULL },
  { SQLITE_PERM, RILLE_READONLY, NULL },
  { SQLITE_AUTH, RILLE_UNSUPPORTED, NULL },
  { SQLITE_TOOBIG, RILLE_INVALID_ARGUMENT, NULL },
  { SQLITE_PROTOCOL, RILLE_BUSY, NULL },
};

/* SQLITE_ERROR says everything from a typo to an overflow; only its message tells them apart. */
static const struct {
  const char *start;
  rille_status kind;
  const char *message, *hint; /* in other words than SQLite's, where those say little */
} MESSAGES[] = {
  { "no such table: ", RILLE_NO_SUCH_TABLE, NULL, NULL },
  { "no such view: ", RILLE_NO_SUCH_TABLE, NULL, NULL },
  { "no such column: ", RILLE_NO_SUCH_COLUMN, NULL, NULL },
  { "near ", RILLE_SYNTAX, NULL, NULL },
  { "incomplete input", RILLE_SYNTAX, NULL, NULL },
  { "unrecognized token", RILLE_SYNTAX, NULL, NULL },
  { "integer overflow", RILLE_INVALID_ARGUMENT,
    "integer overflow: the result lies outside of -9223372036854775808 to 9223372036854775807",
    "nothing of this statement was kept; a decimal column holds greater numbers" },
  { "number overflow", RILLE_INVALID_ARGUMENT, "number overflow: the result is greater than any number",
    "nothing of this statement was kept" },
  { "decimal overflow", RILLE_INVALID_ARGUMENT, "decimal overflow: the result has more digits than the column keeps",
    "nothing of this statement was kept; declare the column with more digits" },
  { "not a number", RILLE_INVALID_ARGUMENT, "a row holds what is no number: nothing can be added to it",
    "nothing of this statement was kept" },
  { "malformed JSON", RILLE_INVALID_ARGUMENT, "a row holds a text that is no JSON, where JSON was asked about",
    "the rows of which json_valid(column) is 0 are the ones" },
  { "HAVING clause on a non-aggregate query", RILLE_INVALID_ARGUMENT,
    "having asks about groups, and the query makes none", "group_by(column, ...) makes groups" },
  { "not a decimal", RILLE_CORRUPT, "a row holds what is no decimal number",
    "the column should hold digits and a point" },
};

/* ON DELETE RESTRICT is kept by a trigger of SQLite's own, whose code is that of any trigger. */
static const char RESTRICTED[] = "FOREIGN KEY constraint failed";

/* "table posts has no column named titel" */
static const char NO_COLUMN[] = " has no column named ";

static bool
starts_with(const char *text, const char *start)
{
  return strncmp(text, start, strlen(start)) == 0;
}

/* Copies bytes up to (not including) `end`, as far as they fit. */
static void
copy_until(char *to, size_t size, const char *from, const char *end)
{
  size_t len = (size_t)(end - from);

  if (len >= size)
    len = size - 1;
  memcpy(to, from, len);
  to[len] = '\0';
}

/* "UNIQUE constraint failed: users.email, users.org_id" names the table and its columns. */
static void
read_names(rille_fault *fault, const char *message)
{
  const char *names = strstr(message, "failed: ");
  const char *dot;

  if (names == NULL)
    return;
  names += strlen("failed: ");
  if (starts_with(names, "index '")) { /* an index on expressions: only its name is said */
    names += strlen("index '");
    copy_until(fault->constraint, sizeof fault->constraint, names, names + strcspn(names, "'"));
    return;
  }
  (void)snprintf(fault->constraint, sizeof fault->constraint, "%s", names);
  dot = strchr(names, '.');
  if (dot != NULL && fault->kind != RILLE_CHECK_VIOLATION) {
    const char *end = strchr(dot, ',');

    copy_until(fault->table, sizeof fault->table, names, dot);
    copy_until(fault->column, sizeof fault->column, dot + 1, end != NULL ? end : dot + strlen(dot));
  }
}

/* What the violation of a constraint means, where SQLite says no more than its name. */
static void
say_violation(rille_fault *fault)
{
  bool several = strstr(fault->constraint, ", ") != NULL;

  switch (fault->kind) {
  case RILLE_UNIQUE_VIOLATION:
    if (fault->constraint[0] != '\0')
      (void)snprintf(fault->message, sizeof fault->message, "%s%s: another row has %s already",
                     fault->table[0] == '\0' ? "the unique index " : "", fault->constraint,
                     several ? "these values together" : "this value");
    rille_fault_hint(fault, "%s", "choose another value, or update the row that has it");
    break;
  case RILLE_NOT_NULL_VIOLATION:
    if (fault->constraint[0] != '\0')
      (void)snprintf(fault->message, sizeof fault->message, "%s must have a value: it cannot be NULL",
                     fault->constraint);
    rille_fault_hint(fault, "%s", "give it a value, or declare the column nullable");
    break;
  case RILLE_FOREIGN_KEY_VIOLATION:
    (void)snprintf(fault->message, sizeof fault->message,
                   "a row that is referred to is missing, or a row is still referred to");
    rille_fault_hint(fault, "%s", "write the row that is referred to first; delete it last");
    break;
  case RILLE_CHECK_VIOLATION:
    if (fault->constraint[0] != '\0') {
      (void)snprintf(fault->message, sizeof fault->message, "a value is not what the table's check allows: %s",
                     fault->constraint);
      rille_fault_hint(fault, "%s", "give a value that fits, or change the check");
    }
    break;
  default: break;
  }
}

static void
read_object(rille_fault *fault, const char *message)
{
  const char *name = strstr(message, ": "), *column = strstr(message, NO_COLUMN);

  if (fault->kind == RILLE_NO_SUCH_COLUMN && starts_with(message, "table ") && column != NULL) {
    copy_until(fault->table, sizeof fault->table, message + strlen("table "), column);
    rille_fault_place(fault, NULL, column + strlen(NO_COLUMN), NULL);
  }
  if (name == NULL)
    return;
  if (fault->kind == RILLE_NO_SUCH_TABLE)
    rille_fault_place(fault, name + 2, NULL, NULL);
  else if (fault->kind == RILLE_NO_SUCH_COLUMN)
    rille_fault_place(fault, NULL, name + 2, NULL);
}

rille_status
rille_sqlite_fault(int code, const char *message, rille_fault *fault)
{
  rille_status kind = RILLE_INVALID_ARGUMENT;
  const char *hint = NULL, *words = message;
  size_t i;

  for (i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
    if (KINDS[i].code == code || KINDS[i].code == (code & 0xFF)) {
      kind = KINDS[i].kind;
      hint = KINDS[i].hint;
      break;
    }
  if ((code & 0xFF) == SQLITE_ERROR)
    for (i = 0; i < sizeof MESSAGES / sizeof MESSAGES[0]; i++)
      if (starts_with(message, MESSAGES[i].start)) {
        kind = MESSAGES[i].kind;
        hint = MESSAGES[i].hint;
        words = MESSAGES[i].message != NULL ? MESSAGES[i].message : message;
      }
  if ((code & 0xFF) == SQLITE_ERROR && starts_with(message, "table ") && strstr(message, NO_COLUMN) != NULL)
    kind = RILLE_NO_SUCH_COLUMN;
  if (code == SQLITE_CONSTRAINT_TRIGGER && strcmp(message, RESTRICTED) == 0)
    kind = RILLE_FOREIGN_KEY_VIOLATION;
  (void)rille_fault_set(fault, kind, "%s", code == SQLITE_INTERRUPT ? "the statement was stopped" : words);
  if (fault != NULL) {
    fault->code = code;
    if (hint != NULL)
      rille_fault_hint(fault, "%s", hint);
    if ((code & 0xFF) == SQLITE_CONSTRAINT) {
      read_names(fault, message);
      if (strstr(message, " constraint failed") != NULL)
        say_violation(fault);
    } else {
      read_object(fault, message);
    }
  }
  return kind;
}
