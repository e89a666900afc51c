/* spec/support/driver.h - a driver that hands everything on to SQLite, writes it down, and fails when it is told to. */
#ifndef RILLE_SPEC_DRIVER_H
#define RILLE_SPEC_DRIVER_H

#include "core/run/connection.h"

/* Opens SQLite databases. */
extern const rille_driver spec_driver;

/* The `nth` call (from 1) of "begin", "commit", "rollback", "prepare" or "step" from now on fails with `kind`, and does
** nothing.  Forgets what was told before, and what was written down. */
void spec_driver_fail(const char *call, int nth, rille_status kind);

/* The same, and the database ends its transaction by itself. */
void spec_driver_lose(const char *call, int nth, rille_status kind);

/* The same, and in its transaction the database does nothing more but go back: to a savepoint, or of everything. */
void spec_driver_halt(const char *call, int nth, rille_status kind);

/* Nothing fails; nothing is written down yet. */
void spec_driver_reset(void);

/* What was called since: "begin; prepare select 1; step; commit". */
const char *spec_driver_log(void);

/* A connection to an empty database in memory, or at `path`; fails the test when it cannot be had. */
rille_connection *spec_connect(const char *path);

/* A connection of a case whose setup opens it: to a database in memory with the tables of build_ddl, or with
** posts (id integer primary key, views integer unique).  Nothing is written down yet, and trees can be built. */
extern rille_connection *spec_db;
int spec_db_tables(void **state);
int spec_db_posts(void **state);
int spec_db_close(void **state);

/* Runs SQL text on the connection as bind does, and forgets its rows. */
rille_status spec_run(rille_connection *connection, const char *sql, rille_fault *fault);

/* The one integer that a query gives; fails the test when it gives none. */
int64_t spec_integer(rille_connection *connection, const char *sql);

#endif
