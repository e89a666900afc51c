/* core/driver/sqlite_conn.h - what the parts of the SQLite driver share: a connection, opened and ended. */
#ifndef RILLE_SQLITE_CONN_H
#define RILLE_SQLITE_CONN_H

#include <sqlite3.h>

#include "core/driver/driver.h"

enum { SQL_BEGIN_DEFERRED, SQL_BEGIN_IMMEDIATE, SQL_BEGIN_EXCLUSIVE, SQL_COMMIT, SQL_ROLLBACK, SQL_COUNT };

typedef struct rille_sqlite_conn {
  rille_conn base;
  sqlite3 *db;
  int busy_timeout_ms;
  int64_t busy_since_ms;
  int64_t max_bytes;             /* 0: as much as there is */
  sqlite3_stmt *kept[SQL_COUNT]; /* begin, commit ...: prepared at first use */
} rille_sqlite_conn;

/* Fills the fault for a result code that the connection has just given, with its extended code and message. */
rille_status rille_sqlite_fail(rille_sqlite_conn *conn, int code, rille_fault *fault);

/* The driver's open and close. */
rille_status rille_sqlite_open(const rille_open_options *options, rille_conn **out, rille_fault *fault);
void rille_sqlite_close(rille_conn *base);

#endif
