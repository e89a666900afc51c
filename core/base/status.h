/* core/base/status.h - outcomes: a code for every kind of failure, and a fault that says what, where and what to do. */
#ifndef RILLE_STATUS_H
#define RILLE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

/* Every kind of failure, with the name that users see as `err.kind`. */
#define RILLE_STATUS_LIST(X)                        \
  X(NOT_FOUND, "not_found")                         \
  X(NOT_UNIQUE, "not_unique")                       \
  X(ABORTED, "aborted")                             \
  X(VALIDATION, "validation")                       \
  X(MASS_ASSIGNMENT, "mass_assignment")             \
  X(UNIQUE_VIOLATION, "unique_violation")           \
  X(FOREIGN_KEY_VIOLATION, "foreign_key_violation") \
  X(NOT_NULL_VIOLATION, "not_null_violation")       \
  X(CHECK_VIOLATION, "check_violation")             \
  X(STALE_OBJECT, "stale_object")                   \
  X(BUSY, "busy")                                   \
  X(TIMEOUT, "timeout")                             \
  X(DEADLOCK, "deadlock")                           \
  X(SERIALIZATION_FAILURE, "serialization_failure") \
  X(CONNECTION_LOST, "connection_lost")             \
  X(READONLY, "readonly")                           \
  X(DISK_FULL, "disk_full")                         \
  X(CORRUPT, "corrupt")                             \
  X(SYNTAX, "syntax")                               \
  X(NO_SUCH_TABLE, "no_such_table")                 \
  X(NO_SUCH_COLUMN, "no_such_column")               \
  X(NO_SUCH_RELATION, "no_such_relation")           \
  X(NO_SUCH_MODEL, "no_such_model")                 \
  X(INVALID_ARGUMENT, "invalid_argument")           \
  X(UNSUPPORTED, "unsupported")                     \
  X(TENANT_REQUIRED, "tenant_required")             \
  X(TENANT_UNKNOWN, "tenant_unknown")               \
  X(TENANT_MISMATCH, "tenant_mismatch")             \
  X(REPLICA_LAG, "replica_lag")                     \
  X(UNSAFE_MUTATION, "unsafe_mutation")             \
  X(MISSING_ATTRIBUTE, "missing_attribute")         \
  X(TRANSACTION_ABORTED, "transaction_aborted")     \
  X(IN_DOUBT, "in_doubt")                           \
  X(INVALID_TOKEN, "invalid_token")                 \
  X(CHECKSUM_MISMATCH, "checksum_mismatch")         \
  X(LOCKED, "locked")                               \
  X(MIGRATION, "migration")                         \
  X(SCRIPT, "script")                               \
  X(OUT_OF_MEMORY, "out_of_memory")                 \
  X(INTERRUPTED, "interrupted")

typedef enum rille_status {
  RILLE_OK = 0,
#define X(code, name) RILLE_##code,
  RILLE_STATUS_LIST(X)
#undef X
    RILLE_STATUS_COUNT
} rille_status;

/* The name of a kind as users see it ("busy"); "ok" for RILLE_OK.  Static text. */
const char *rille_status_name(rille_status status);

/* Why something failed.  Fixed size and owns nothing, so that it can be filled when memory has run out.
** Whoever first sees a failure fills it; others pass it on.  Empty texts mean "does not apply". */
typedef struct rille_fault {
  rille_status kind;
  int code;          /* the driver's own code, 0 when the failure is ours */
  char state[6];     /* ... where it is a text: SQLSTATE */
  char message[512]; /* what happened, where, with what was given */
  char hint[320];    /* what to do about it */
  char table[128];
  char column[128];
  char constraint[128];
  char columns[256]; /* "users.org, users.nick": all columns, where the constraint has a name of its own */
} rille_fault;

/* Fills `fault` (may be NULL) and returns `kind`, so that a caller can write `return rille_fault_set(...)`. Clears
** every other field.  Here and below, texts that are too long are cut, on a UTF-8 boundary, and control characters and
** bytes that are not UTF-8 are shown as ?: what a fault says can be shown anywhere.  Names and values that come from
** outside go through rille_show(), which keeps them readable. */
rille_status rille_fault_set(rille_fault *fault, rille_status kind, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/* The same with the arguments as a list. */
rille_status rille_fault_set_list(rille_fault *fault, rille_status kind, const char *format, va_list args)
  __attribute__((format(printf, 3, 0)));

/* Adds advice to a fault that was set; NULL is ignored. */
void rille_fault_hint(rille_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says where: copies the names into the fault.  NULL leaves a field as it is. */
void rille_fault_place(rille_fault *fault, const char *table, const char *column, const char *constraint);

/* Memory ran out: sets the fault without allocating and returns RILLE_OUT_OF_MEMORY. */
rille_status rille_fault_no_memory(rille_fault *fault);

#endif
