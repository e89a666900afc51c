/* core/driver/sqlite_watch.h - the driver's watch and run_aside. */
#ifndef RILLE_SQLITE_WATCH_H
#define RILLE_SQLITE_WATCH_H

#include "core/driver/sqlite_conn.h"

/* See driver.h. */
rille_status rille_sqlite_watch_rows(rille_conn *base, rille_on_change on_change, void *data, rille_fault *fault);

/* See driver.h. */
rille_status rille_sqlite_run_aside(rille_conn *base, rille_stmt *stmt, rille_fault *fault);

/* Frees what a connection that is closed watched with; NULL is ignored. */
void rille_sqlite_watch_free(rille_sqlite_watch *watch);

#endif
