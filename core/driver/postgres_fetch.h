/* core/driver/postgres_fetch.h - a cursor of the server, which gives a stream its rows. */
#ifndef RILLE_POSTGRES_FETCH_H
#define RILLE_POSTGRES_FETCH_H

#include "core/driver/postgres_stmt.h"

/* True when the rows of the next run are to be asked of a cursor: it is a query whose rows are wanted one by one, and
** there were not few of them the last time. */
bool rille_postgres_fetches(const rille_postgres_stmt *stmt);

/* Makes ready what opens the cursor. */
rille_status rille_postgres_fetch_write(rille_postgres_stmt *stmt, rille_fault *fault);

/* Adds what opens it and asks for its first rows: two asks.  A transaction is open before them. */
size_t rille_postgres_fetch_asks(const rille_postgres_stmt *stmt, rille_postgres_ask asks[]);

/* It is open.  Takes over the first rows; NULL: they come one by one. */
void rille_postgres_fetch_begin(rille_postgres_stmt *stmt, PGresult *first);

/* The next rows, at least one, which are the caller's to clear; *rows is NULL behind the last one, where the cursor has
** ended.  So it has after a failure. */
rille_status rille_postgres_fetch_more(rille_postgres_stmt *stmt, PGresult **rows, rille_fault *fault);

/* Ends the cursor before its last row. */
void rille_postgres_fetch_end(rille_postgres_stmt *stmt);

/* Rolls the transaction back that was there for a cursor alone, if there is one. */
void rille_postgres_fetch_undo(rille_postgres_conn *conn);

#endif
