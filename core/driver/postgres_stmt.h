/* core/driver/postgres_stmt.h - a statement as the parts of the PostgreSQL driver see it. */
#ifndef RILLE_POSTGRES_STMT_H
#define RILLE_POSTGRES_STMT_H

#include "core/driver/postgres_conn.h"
#include "core/driver/postgres_type.h"
#include "core/driver/spill.h"

/* The rest of a stream whose rows were taken out of the way; see postgres_spill.c. */
typedef struct rille_postgres_spilled {
  rille_spill rows;
  const char *row;     /* the one that step found; NULL: it was not spilled */
  rille_status status; /* how the stream ended, or the rows could not be kept */
  rille_fault *fault;  /* of the stream; NULL: it ended well, or there was no memory for saying how */
} rille_postgres_spilled;

/* The cursor of the server that gives a stream its rows; see postgres_fetch.h. */
typedef struct rille_postgres_fetch {
  bool open;       /* and so is its transaction */
  bool checked;    /* its columns are those expected */
  bool ended;      /* the server was told to end it */
  bool failed;     /* and so did the transaction */
  bool by_row;     /* the rows of the first FETCH that is due come one by one */
  int due;         /* FETCHes whose rows were not read to their end */
  int asked[2];    /* how many rows each of them may give */
  int most, got;   /* rows of the one before: as it might, and did give ... */
  size_t bytes;    /* in so many bytes */
  size_t mean;     /* bytes of a row of the last full one */
  int full;        /* FETCHes so far that gave what they might */
  PGresult *first; /* rows that came with its opening */
  rille_str declare;
  char text[40]; /* of the last FETCH */
} rille_postgres_fetch;

/* So few rows are not worth a cursor, nor to be looked at whether they come in pieces. */
enum { RILLE_POSTGRES_FEW_ROWS = 20 };

struct rille_postgres_stmt {
  rille_stmt base;
  rille_postgres_conn *conn;
  rille_str sql; /* its own copy, with a NUL behind it */
  char name[RILLE_POSTGRES_NAME_BYTES];
  uint64_t number, generation; /* the server knows it by this number, since this connecting */
  bool writes;
  bool queries; /* it can be asked of a cursor */
  bool own;     /* it may set where bare names are looked up, on a connection that says that itself */
  bool changed; /* its columns may be others than when it was first prepared */
  bool stale;   /* the server does not take it any more: it must be prepared again ... */
  bool missing; /* ... for it does not know it */

  rille_arena about; /* holds what follows */
  PGresult *described;
  int param_count, column_count;
  rille_postgres_form *params;
  unsigned *types;              /* of the parameters */
  rille_postgres_value *values; /* of a run, and the same as libpq wants them: */
  const char **bytes;
  int *lengths, *formats;
  rille_postgres_column *columns;
  bool binary; /* the form of its results */
  bool narrow; /* no column of it can be wide */

  rille_cell *cells; /* bound: RILLE_NULL for what is not */
  rille_arena made;  /* values made for a run */
  rille_arena texts; /* made for a row */

  enum { RILLE_PG_READY, RILLE_PG_CAME, RILLE_PG_RUNS, RILLE_PG_ENDED } state; /* _CAME: `result` is to be looked at */
  rille_status ended;                                                          /* how, when it has */
  bool guarded; /* a failure leaves the transaction as it was */
  bool untold;  /* it has not run, for what was to be told before it was forgotten */
  bool walled;  /* it was said whose rows it is to see: tenant and everybody, as libpq wants them */
  const char *wall[2];
  int wall_lengths[2];
  bool one_by_one;  /* rows are wanted one by one, and perhaps not all */
  bool streams;     /* they come one by one */
  bool few;         /* there were few the last time */
  PGresult *result; /* all rows, or the one that step found */
  int rows, at;     /* in `result`; the first is 0 */
  int64_t streamed; /* rows so far, of a run that streams */
  rille_postgres_fetch fetch;
  rille_postgres_spilled spilled;
};

/* -- postgres_prepare.c ------------------------------------------------------------------------------------- */

/* The driver's prepare, free and reset. */
rille_status rille_postgres_prepare(rille_conn *base, rille_str sql, rille_stmt **out, rille_fault *fault);
void rille_postgres_free(rille_stmt *base);
void rille_postgres_reset(rille_stmt *base);

/* Has the server prepare the text (again) and say what it takes and gives: one round trip. */
rille_status rille_postgres_prepare_again(rille_postgres_stmt *stmt, rille_fault *fault);

/* -- postgres_run.c ----------------------------------------------------------------------------------------- */

/* The driver's bind, step and row. */
rille_status rille_postgres_bind(rille_stmt *base, int index, const rille_cell *cell, rille_fault *fault);
rille_status rille_postgres_step(rille_stmt *base, bool *row, rille_fault *fault);
rille_status rille_postgres_row(rille_stmt *base, rille_cell cells[], rille_fault *fault);

/* Makes ready what a run sends: prepared as the server has it, the values encoded. */
rille_status rille_postgres_encode(rille_postgres_stmt *stmt, rille_fault *fault);

/* Adds what goes before a statement: how long to wait for locks, where the server does not know it, and BEGIN. */
enum { RILLE_POSTGRES_BEFORE = 3, RILLE_POSTGRES_TOLD_BYTES = 48 };
size_t rille_postgres_before(rille_postgres_conn *conn, rille_postgres_ask asks[],
                             char told[RILLE_POSTGRES_TOLD_BYTES]);

/* -- postgres_home.c: where bare names are looked up ------------------------------------------------------------ */

enum { RILLE_POSTGRES_HOMES = 2 }; /* asks that put it back */

/* The driver's own. */
void rille_postgres_own(rille_stmt *base);

/* Adds what puts it back where SQL of the caller's own may have set it, right before a statement, with which it fails
** and is undone: at most RILLE_POSTGRES_HOMES asks; returns their number.  `apart`: what follows must stand alone where
** no transaction is open. */
size_t rille_postgres_home(const rille_postgres_conn *conn, bool apart, rille_postgres_ask asks[]);

/* Puts it back now where a transaction is about to begin: what rolls it back must find it as it is to be. */
rille_status rille_postgres_go_home(rille_postgres_conn *conn, rille_fault *fault);

/* -- postgres_run.c, again ------------------------------------------------------------------------------------ */

/* Adds what runs the statement, at most two asks, the last of which gives its result; returns their number. */
size_t rille_postgres_run_asks(const rille_postgres_stmt *stmt, rille_postgres_ask asks[]);

/* Remembers what the result's tag says: rows that were changed, a savepoint that was rolled back. */
void rille_postgres_read_tag(rille_postgres_conn *conn, PGresult *result);

/* -- postgres_together.c ------------------------------------------------------------------------------------ */

/* The driver's together. */
rille_status rille_postgres_together(rille_stmt *const stmts[], size_t count, rille_fault *fault);

/* -- postgres.c --------------------------------------------------------------------------------------------- */

/* The driver's rollback. */
rille_status rille_postgres_rollback(rille_conn *base, rille_fault *fault);

/* -- postgres_stream.c ------------------------------------------------------------------------------------- */

/* The rows of the statement are on their way. */
void rille_postgres_stream_begin(rille_postgres_stmt *stmt);

/* The next row of a streaming statement. */
rille_status rille_postgres_stream_next(rille_postgres_stmt *stmt, bool *row, rille_fault *fault);

/* Ends a stream before its last row, and forgets what was spilled. */
void rille_postgres_stream_end(rille_postgres_stmt *stmt);

/* -- postgres_spill.c -------------------------------------------------------------------------------------- */

/* Puts row `at` of a result behind the others. */
rille_status rille_postgres_spill_row(rille_spill *spill, const PGresult *rows, int at);

/* The bytes of a column of a row that was spilled, and their length; NULL for NULL. */
const char *rille_postgres_spilled_value(const char *row, int column, size_t *length);

#endif
