/* core/driver/postgres_error.h - SQLSTATE -> kinds. */
#ifndef RILLE_POSTGRES_ERROR_H
#define RILLE_POSTGRES_ERROR_H

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/driver/postgres_library.h"

/* Fills the fault from a result that failed.  `sql` is the text it came of, for names that the server only points at
** (no text: none); `stopped` says that somebody asked for it to end. */
rille_status rille_postgres_fault(const PGresult *result, rille_str sql, bool stopped, rille_fault *fault);

/* The kind that a SQLSTATE of five characters means. */
rille_status rille_postgres_kind(const char *sqlstate);

/* SQLSTATE as a number: its five characters are digits to the base of 36. */
int rille_postgres_code(const char *sqlstate);

/* True when the result failed with this SQLSTATE. */
bool rille_postgres_is(const PGresult *result, const char *sqlstate);

/* True when the result failed because the prepared statement is not what it was, or is not there: prepared again, it
** works. */
bool rille_postgres_is_stale(const PGresult *result);

#endif
