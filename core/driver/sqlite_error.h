/* core/driver/sqlite_error.h - SQLite's result codes -> kinds. */
#ifndef RILLE_SQLITE_ERROR_H
#define RILLE_SQLITE_ERROR_H

#include "core/base/status.h"

/* Turns an extended result code and SQLite's message for it into a fault.  `code` must be a failure.  Names (of tables,
** columns, constraints) are read from the message, for SQLite puts them nowhere else. */
rille_status rille_sqlite_fault(int code, const char *message, rille_fault *fault);

#endif
