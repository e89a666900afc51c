/* core/run/connection.h - one connection: statements kept, transactions and savepoints. */
#ifndef RILLE_CONNECTION_H
#define RILLE_CONNECTION_H

#include "core/run/statement.h"
#include "core/run/token.h"

struct rille_cursor;
typedef struct rille_outbox rille_outbox;
typedef struct rille_wall rille_wall;

enum { RILLE_LEVELS_MAX = 100 };

/* What the last statement was, kept while somebody listens; of one that could not be prepared, its text alone. */
typedef struct rille_trace {
  bool on;
  rille_buffer sql;
  rille_arena arena; /* holds `params` */
  size_t param_count;
  rille_cell *params;
  double ms;
  int64_t rows; /* rows read, or changed */
} rille_trace;

/* How a database looked at a moment; see history.h and era.h. */
typedef struct rille_sight {
  rille_place place;
  int64_t era;
} rille_sight;

/* One thread at a time.  `owner` is whoever opened the transaction (a coroutine); the connection only keeps it. */
typedef struct rille_connection {
  rille_conn *conn;
  const rille_dialect *dialect;
  rille_statements statements;
  rille_buffer shape;                /* of the statement being looked up */
  int depth;                         /* open levels: 1 is the transaction, more are savepoints */
  uint64_t begun;                    /* levels begun so far */
  uint64_t levels[RILLE_LEVELS_MAX]; /* the open ones, each by its number among those begun */
  const void *owner;
  bool broken;                  /* the transaction was ended by the database, or does nothing more: only a rollback
                                ** helps, of its innermost level where it is still there */
  char broke[200];              /* why */
  bool in_doubt;                /* it was lost while it was committed */
  bool guards;                  /* a record that cannot be written leaves the transaction as it was */
  struct rille_cursor *cursors; /* open ones */
  rille_trace trace;
  rille_outbox *outbox; /* NULL: nothing is mirrored */
  bool founding;        /* this transaction makes the outbox */
  bool stale;           /* it is mirrored since the connection was opened */
  int64_t missed;       /* rows that were written before that was noticed */
  rille_wall *wall;     /* whose rows the database itself lets statements see; NULL: it keeps no tenants apart */
  bool reads;           /* it may not write */
  bool counts;          /* each commit of a transaction that wrote is a position in the history */
  bool wrote;           /* the transaction that is open */
  bool counting;        /* the history knows of this connection; `counted` is where it left it, or earlier */
  bool reshapes;        /* the transaction that is open changes the schema, whose version was `shape_before`, of a
                        ** database that has a history: it is counted in any case */
  bool era_known;       /* see era.h */
  rille_place counted;
  uint64_t file; /* which file that was, see rille_file_mark */
  int64_t shape_before, era;
  rille_sight seen; /* how it, or one before it, last showed the database to a session; all 0: to none */
} rille_connection;

/* Opens a database.  RILLE_OK: *out is the caller's, who ends it with rille_connection_close. */
rille_status rille_connection_open(const rille_driver *driver, const rille_open_options *options,
                                   rille_connection **out, rille_fault *fault);

/* Rolls back what is open, ends open cursors (their next read says so), frees everything.  NULL is ignored. */
void rille_connection_close(rille_connection *connection);

/* Ends only what the database has of it, and leaves the rest to rille_connection_close: for a thread that may not touch
** layouts, which rows of another one hold.  Nothing may be open on it; nothing but closing may follow. */
void rille_connection_detach(rille_connection *connection);

/* The statement for a tree, kept from an earlier one of the same shape if there is one.  It is marked as in use until
** rille_connection_release.  The tree's names are resolved here when they have to be. */
rille_status rille_connection_statement(rille_connection *connection, rille_query *query, rille_statement **out,
                                        rille_fault *fault);

/* The same for SQL text. */
rille_status rille_connection_sql(rille_connection *connection, rille_str sql, rille_statement **out,
                                  rille_fault *fault);

/* Ends a run: the statement may serve again.  NULL is ignored. */
void rille_connection_release(rille_statement *statement);

/* Drops kept statements: the schema changed. */
void rille_connection_forget(rille_connection *connection);

/* One level more: a transaction, or inside one a savepoint (the mode counts only for the first). */
rille_status rille_connection_begin(rille_connection *connection, rille_begin_mode mode, const void *owner,
                                    rille_fault *fault);

/* Ends the innermost level.  A commit that fails leaves the level open: the caller rolls it back.
** `transaction_aborted` when the database has ended the transaction by itself, or does nothing more in it. */
rille_status rille_connection_commit(rille_connection *connection, rille_fault *fault);

/* Undoes the innermost level and ends it, whatever happens: after it the level is gone. */
rille_status rille_connection_rollback(rille_connection *connection, rille_fault *fault);

/* RILLE_OK when a statement may run: not in a transaction that is broken.  What a failed rollback left is undone
** first. */
rille_status rille_connection_ready(rille_connection *connection, rille_fault *fault);

/* Nothing of the open transaction may be kept, for the reason that the fault gives. */
void rille_connection_spoil(rille_connection *connection, const rille_fault *fault);

/* To be told of each failed statement: finds out whether the transaction is still there. */
void rille_connection_failed(rille_connection *connection, const rille_fault *fault);

#endif
