/* spec/driver/sqlite_error_test.c - every result code of SQLite has a kind, and messages are read only where they
** must be. */
#include "spec/support/spec.h"

#include <sqlite3.h>

#include "core/driver/sqlite_error.h"

static void
knows_the_kind_of_a_code(void **state)
{
  static const struct {
    int code;
    rille_status kind;
  } cases[] = {
    { SQLITE_BUSY, RILLE_BUSY },
    { SQLITE_BUSY_RECOVERY, RILLE_BUSY },
    { SQLITE_BUSY_TIMEOUT, RILLE_BUSY },
    { SQLITE_BUSY_SNAPSHOT, RILLE_SERIALIZATION_FAILURE },
    { SQLITE_LOCKED, RILLE_BUSY },
    { SQLITE_LOCKED_SHAREDCACHE, RILLE_BUSY },
    { SQLITE_PROTOCOL, RILLE_BUSY },
    { SQLITE_READONLY, RILLE_READONLY },
    { SQLITE_READONLY_DBMOVED, RILLE_READONLY },
    { SQLITE_PERM, RILLE_READONLY },
    { SQLITE_FULL, RILLE_DISK_FULL },
    { SQLITE_CORRUPT, RILLE_CORRUPT },
    { SQLITE_CORRUPT_VTAB, RILLE_CORRUPT },
    { SQLITE_NOTADB, RILLE_CORRUPT },
    { SQLITE_CANTOPEN, RILLE_CONNECTION_LOST },
    { SQLITE_CANTOPEN_ISDIR, RILLE_CONNECTION_LOST },
    { SQLITE_IOERR, RILLE_CONNECTION_LOST },
    { SQLITE_IOERR_FSYNC, RILLE_CONNECTION_LOST },
    { SQLITE_IOERR_NOMEM, RILLE_OUT_OF_MEMORY },
    { SQLITE_NOMEM, RILLE_OUT_OF_MEMORY },
    { SQLITE_INTERRUPT, RILLE_INTERRUPTED },
    { SQLITE_ABORT, RILLE_TRANSACTION_ABORTED },
    { SQLITE_ABORT_ROLLBACK, RILLE_TRANSACTION_ABORTED },
    { SQLITE_AUTH, RILLE_UNSUPPORTED },
    { SQLITE_TOOBIG, RILLE_INVALID_ARGUMENT },
    { SQLITE_MISMATCH, RILLE_INVALID_ARGUMENT },
    { SQLITE_RANGE, RILLE_INVALID_ARGUMENT },
    { SQLITE_ERROR, RILLE_INVALID_ARGUMENT },
    { SQLITE_CONSTRAINT_UNIQUE, RILLE_UNIQUE_VIOLATION },
    { SQLITE_CONSTRAINT_PRIMARYKEY, RILLE_UNIQUE_VIOLATION },
    { SQLITE_CONSTRAINT_ROWID, RILLE_UNIQUE_VIOLATION },
    { SQLITE_CONSTRAINT_NOTNULL, RILLE_NOT_NULL_VIOLATION },
    { SQLITE_CONSTRAINT_CHECK, RILLE_CHECK_VIOLATION },
    { SQLITE_CONSTRAINT_TRIGGER, RILLE_CHECK_VIOLATION },
    { SQLITE_CONSTRAINT_FOREIGNKEY, RILLE_FOREIGN_KEY_VIOLATION },
    { SQLITE_CONSTRAINT_DATATYPE, RILLE_INVALID_ARGUMENT },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault;

    assert_fails(cases[i].kind, rille_sqlite_fault(cases[i].code, "what SQLite says", &fault), &fault);
    assert_int_equal(fault.code, cases[i].code);
    assert_string_equal(fault.message,
                        cases[i].code == SQLITE_INTERRUPT ? "the statement was stopped" : "what SQLite says");
    assert_int_equal(rille_sqlite_fault(cases[i].code, "what SQLite says", NULL), cases[i].kind);
  }
}

static void
tells_the_failures_that_share_a_code_by_their_message(void **state)
{
  static const struct {
    const char *message;
    rille_status kind;
    const char *table, *column;
  } cases[] = {
    { "no such table: posts", RILLE_NO_SUCH_TABLE, "posts", "" },
    { "no such view: latest", RILLE_NO_SUCH_TABLE, "latest", "" },
    { "no such column: titel", RILLE_NO_SUCH_COLUMN, "", "titel" },
    { "table posts has no column named titel", RILLE_NO_SUCH_COLUMN, "posts", "titel" },
    { "near \"selec\": syntax error", RILLE_SYNTAX, "", "" },
    { "incomplete input", RILLE_SYNTAX, "", "" },
    { "unrecognized token: \"'open\"", RILLE_SYNTAX, "", "" },
    { "no such function: f", RILLE_INVALID_ARGUMENT, "", "" },
    { "a check said: no such table: posts", RILLE_INVALID_ARGUMENT, "", "" },
    { "integer overflow", RILLE_INVALID_ARGUMENT, "", "" },
    { "not a decimal", RILLE_CORRUPT, "", "" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault;

    assert_fails(cases[i].kind, rille_sqlite_fault(SQLITE_ERROR, cases[i].message, &fault), &fault);
    assert_string_equal(fault.table, cases[i].table);
    assert_string_equal(fault.column, cases[i].column);
    if (cases[i].kind != RILLE_INVALID_ARGUMENT)
      assert_int_not_equal(rille_sqlite_fault(SQLITE_FULL, cases[i].message, NULL), cases[i].kind);
  }
  assert_int_equal(rille_sqlite_fault(SQLITE_CONSTRAINT_TRIGGER, "FOREIGN KEY constraint failed", NULL),
                   RILLE_FOREIGN_KEY_VIOLATION);
}

static void
reads_names_from_the_messages_of_constraints(void **state)
{
  static const struct {
    int code;
    const char *message, *table, *column, *constraint;
  } cases[] = {
    { SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: users.email", "users", "email", "users.email" },
    { SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: users.org, users.nick", "users", "org",
      "users.org, users.nick" },
    { SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: index 'users_lower'", "", "", "users_lower" },
    { SQLITE_CONSTRAINT_NOTNULL, "NOT NULL constraint failed: users.email", "users", "email", "users.email" },
    { SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: grown_up", "", "", "grown_up" },
    { SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: length(a.b) > 0", "", "", "length(a.b) > 0" },
    { SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed", "", "", "" },
    { SQLITE_CONSTRAINT_TRIGGER, "too late", "", "", "" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault;

    (void)rille_sqlite_fault(cases[i].code, cases[i].message, &fault);
    assert_string_equal(fault.table, cases[i].table);
    assert_string_equal(fault.column, cases[i].column);
    assert_string_equal(fault.constraint, cases[i].constraint);
  }
}

static void
cuts_names_that_are_too_long(void **state)
{
  char message[700] = "UNIQUE constraint failed: ";
  rille_fault fault;

  (void)state;
  memset(message + strlen(message), 'a', 300);
  (void)strcat(message, ".");
  memset(message + strlen(message), 'b', 300);
  (void)rille_sqlite_fault(SQLITE_CONSTRAINT_UNIQUE, message, &fault);
  assert_int_equal(strlen(fault.table), sizeof fault.table - 1);
  assert_int_equal(strlen(fault.column), sizeof fault.column - 1);
  assert_int_equal(strlen(fault.constraint), sizeof fault.constraint - 1);
  assert_int_equal(fault.column[0], 'b');
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(knows_the_kind_of_a_code),
    cmocka_unit_test(tells_the_failures_that_share_a_code_by_their_message),
    cmocka_unit_test(reads_names_from_the_messages_of_constraints),
    cmocka_unit_test(cuts_names_that_are_too_long),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
