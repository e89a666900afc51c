/* spec/driver/contract.h - what every driver must keep, as cases that run on any of them.
**
** A driver's test says how its database differs (a contract_subject) and runs them all; it writes no cases of its
** own but for what only that database has. */
#ifndef RILLE_SPEC_CONTRACT_H
#define RILLE_SPEC_CONTRACT_H

#include "core/driver/driver.h"
#include "spec/support/spec.h"

/* A driver, and the words that databases say differently. */
typedef struct contract_subject {
  const rille_driver *driver;
  void (*new_database)(char *name, size_t size);  /* the name of a database that is empty and nobody else's */
  const char *key, *integer, *real, *text, *blob; /* types; `key` is a primary key that the database counts */
  const char *endless;                            /* a query that runs for minutes */
  bool server;                                    /* `new_database` gives a url, and not a path */
  bool numbered;                                  /* parameters are $1, $2 and not ? */
  bool one_writer;                                /* of all transactions that will write, one is open */
  bool fails_whole;                               /* a statement that fails leaves nothing but a rollback to do */
  bool counts_ids;                                /* it knows the key that the last insert made */
  bool copies;                                    /* one database can be made a copy of another */
} contract_subject;

/* Runs all cases; returns how many failed. */
int contract_run(const contract_subject *subject);

/* The areas, each a group of its own. */
int contract_statements(void);
int contract_values(void);
int contract_transactions(void);
int contract_constraints(void);
int contract_streams(void);

/* -- for the cases --------------------------------------------------------------------------------------- */

/* The driver on trial. */
extern const contract_subject *contract;

/* Setup and teardown of a case: `contract_db` is an open connection to a database of its own. */
int contract_open(void **state);
int contract_close(void **state);
extern rille_conn *contract_db;

/* One more connection to the same database. */
rille_conn *contract_connect(int busy_timeout_ms);

/* A connection to a new database, empty and nobody else's. */
rille_conn *contract_connect_new(void);

/* Runs statements without values; the format takes what printf does.  Fails the case when one fails. */
void contract_run_sql(rille_conn *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs one statement, and returns what comes of it. */
rille_status contract_try(rille_conn *db, const char *sql, rille_fault *fault);

/* The one integer that a query gives. */
int64_t contract_integer(rille_conn *db, const char *sql);

/* Prepares or fails the case.  Parameters are written as ? here and in contract_try. */
rille_stmt *contract_prepare(rille_conn *db, const char *sql);

#endif
