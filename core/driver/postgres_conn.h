/* core/driver/postgres_conn.h - what the parts of the PostgreSQL driver share: a connection, and talking over it. */
#ifndef RILLE_POSTGRES_CONN_H
#define RILLE_POSTGRES_CONN_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/driver/driver.h"
#include "core/driver/postgres_library.h"

#define RILLE_SCHEMA_LOCK "491394985061" /* what tells advisory locks of schemas from others */

enum {
  RILLE_POSTGRES_NAME_BYTES = 48,  /* room for the name of a prepared statement */
  RILLE_POSTGRES_PARAMS_MAX = 7498 /* the protocol allows 65535, but libpq takes what it says of a statement's
                                   ** parameters for nonsense when it is longer than 30000 bytes */
};

/* What a connection was opened with, kept to open it again: keywords and values as PQconnectStartParams wants them. */
typedef struct rille_postgres_info {
  rille_arena arena; /* holds the texts; wiped before it is given back, for one of them is the password */
  const char *keywords[64], *values[64];
  size_t count;
  int deadline_ms;      /* for one try to connect */
  int statement_ms;     /* the server ends a statement that takes longer; 0: we do not know */
  const char *session;  /* its settings as SQL, for where a pooler keeps those of the first packet to itself */
  const char *home;     /* puts back where bare names are looked up, as SQL; NULL: wherever the server does */
  const char *question; /* where bare names are those of one schema: `held` where they are, `none`, or `going` */
  bool own_options;     /* the url has settings for the session, too */
  bool several;         /* hosts: libpq itself must go from one to the next */
} rille_postgres_info;

typedef struct rille_postgres_stmt rille_postgres_stmt;

typedef struct rille_postgres_conn {
  rille_conn base;
  rille_postgres_info info;
  PGconn *pg;          /* NULL: lost; the next statement that is not in a transaction connects anew */
  uint64_t generation; /* of this connecting, of all of the process: statements of another must be prepared again */
  uint64_t nonce;      /* in the names of its statements: behind a pooler others have theirs at the same server */
  uint64_t names;      /* given to statements so far */
  uint64_t *unwanted;  /* numbers of statements that were freed, but that the server still has */
  size_t unwanted_count, unwanted_room;
  rille_postgres_stmt *streaming; /* whose rows are still on their way; NULL: nobody's */
  bool unnamed;        /* the server does not keep what it prepares: it is prepared in each round trip that runs it */
  bool loading;        /* rows are on their way to the server: it takes nothing else meanwhile */
  const char *begin;   /* a transaction that the server has not been told of yet: goes with its first statement */
  bool in_transaction; /* the server has one open, or had when it was lost */
  bool hidden;         /* the server has one open that is the streaming statement's own: nobody else is in it */
  bool failed;         /* ... in which it refuses everything but a rollback */
  bool wrote;          /* a statement of it can have changed something */
  bool ends;           /* it shall be committed with what runs together next */
  bool committed;      /* ... and is: commit() will ask for it */
  bool commit_behind;  /* ... which stands behind the rows that are on their way */
  bool stopped;        /* what runs was cancelled ... */
  int64_t patient_until_ms; /* ... and must have ended then */
  int64_t used_ms;          /* when it last answered */
  uint64_t round_trips;     /* so far */
  size_t arrived;           /* bytes of the answer to what was asked last, counted as long as they are few */
  int64_t changes;
  int silence_ms;            /* without a word for so long the server is taken to be gone; 0: it may take its time */
  int wait_ms, wait_told_ms; /* for locks: what is wanted, and what the server knows (-1: nobody knows) */
  bool wait_told_inside;     /* the server was told in this transaction, and forgets when that is rolled back */
  bool silent;               /* the connection was lost because nothing was said on it any more */
  bool piped;                /* the rows on their way are those of a pipeline, which is to be left behind them */
  bool was_by_row;           /* what was asked last gave its rows one by one, outside of a pipeline */
  bool wall_knows;           /* wall_told is what the server was told in this transaction */
  bool wall_unnamed;         /* what tells it is not prepared: a pooler's servers forget it */
  bool astray;              /* SQL of the caller's own ran: bare names may be looked up elsewhere than they are to be */
  bool defers;              /* something that ran may have switched off that a commit waits until it is written */
  bool tracks;              /* looks where the history is; see postgres_place.h */
  size_t looking;           /* asks of a look that were sent, and whose answers were not read yet */
  bool tracked;             /* the last look saw something: */
  uint32_t epoch;           /* the timeline */
  uint64_t position;        /* in the WAL */
  uint64_t look_generation; /* the server has the look prepared since this connecting */
  uint64_t wall_generation; /* the server has what tells it whose rows are seen prepared since this connecting */
  rille_buffer wall_told;   /* whose are seen until the transaction ends, where it knows; see postgres_wall.h */
} rille_postgres_conn;

/* -- postgres_info.c --------------------------------------------------------------------------------------- */

/* Takes over what a database is opened with; `info` is zeroed before, and to be released whatever comes of it. */
rille_status rille_postgres_info_take(rille_postgres_info *info, const rille_open_options *options, rille_fault *fault);

/* True when a pooler refused the settings in the first packet (it says so in words only), and they have been taken
** out, so that it is worth trying without: they can be said later. */
bool rille_postgres_info_drop_options(rille_postgres_info *info, const rille_fault *why);

/* Wipes the password, and gives everything back. */
void rille_postgres_info_release(rille_postgres_info *info);

/* -- postgres_open.c ------------------------------------------------------------------------------------- */

/* The driver's open and close. */
rille_status rille_postgres_open(const rille_open_options *options, rille_conn **out, rille_fault *fault);
void rille_postgres_close(rille_conn *base);

/* Connects with what the connection was opened with; conn->pg is NULL before, and after a failure. */
rille_status rille_postgres_connect(rille_postgres_conn *conn, rille_fault *fault);

/* -- postgres_wire.c ------------------------------------------------------------------------------------- */

/* One thing asked of the server; several make one round trip. */
typedef struct rille_postgres_ask {
  const char *text, *name;
  const char *const *values;
  const int *lengths, *formats;
  const unsigned *types; /* of the values; NULL: the server finds out */
  PGresult *result;      /* what came of it, the caller's to clear: an error, too */
  int count;             /* of the values */
  bool aside;            /* it is for what others ask: what it gives is nobody's */
  int result_format;
  enum {
    RILLE_ASK_SQL,      /* run `text` */
    RILLE_ASK_PREPARE,  /* prepare `text` as `name` */
    RILLE_ASK_DESCRIBE, /* what `name` takes and gives */
    RILLE_ASK_RUN,      /* run `name` with the values */
    RILLE_ASK_SYNC      /* what failed before does not keep what follows from being done */
  } what;
} rille_postgres_ask;

/* Asks all at once and waits for the answers.  RILLE_OK: each has its result.  Otherwise the connection is lost.  The
** last one must not be a SYNC; one is put behind it where it needs one. */
rille_status rille_postgres_exchange(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count,
                                     rille_fault *fault);

/* The same, but for the asks from `now` on, which are a look: its answer is read when the connection is used next, or
** the look is asked for (rille_postgres_look_end).  Nobody waits for it then, nor is woken up for it. */
rille_status rille_postgres_exchange_looking(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count,
                                             size_t now, rille_fault *fault);

/* Reads the answer of a look that was left for later, if there is one.  The connection may be lost then. */
void rille_postgres_look_end(rille_postgres_conn *conn);

/* As rille_postgres_exchange, but *come says whether the rows of the ask at `rows`, a RUN, are to be taken one by one,
** with rille_postgres_next: as soon as they come, for they are many or it was to be so `always`.  They are, and what
** stands behind them, not read yet then. */
rille_status rille_postgres_exchange_rows(rille_postgres_conn *conn, rille_postgres_ask asks[], size_t count,
                                          size_t rows, bool always, bool *come, rille_fault *fault);

/* The parts of these.  Hands one ask to libpq, `alone` or into a pipeline, which sends it soon; 0 when it cannot. */
int rille_postgres_send_one(PGconn *pg, const rille_postgres_ask *ask, bool alone);

/* Waits for all results of an ask, and gives it the first that failed, or else the last. */
rille_status rille_postgres_collect(rille_postgres_conn *conn, rille_postgres_ask *ask, rille_fault *fault);

/* For how many milliseconds a server may be silent that was asked for these; 0: for ever. */
int rille_postgres_silence(const rille_postgres_conn *conn, const rille_postgres_ask asks[], size_t count);

/* Clears the results of asks that were made. */
void rille_postgres_clear(rille_postgres_ask asks[], size_t count);

/* Sends all that is still to be sent.  A failure loses the connection. */
rille_status rille_postgres_flush(rille_postgres_conn *conn, rille_fault *fault);

/* The next result of what was sent: *out is NULL behind the last one.  A failure loses the connection. */
rille_status rille_postgres_next(rille_postgres_conn *conn, PGresult **out, rille_fault *fault);

/* Waits until the socket can be read (or written, when that is what it wants).  Looks at the stop flag meanwhile and
** cancels what runs.  False when the connection cannot be waited for any longer. */
bool rille_postgres_wait(rille_postgres_conn *conn, bool to_write);

/* libpq could not send: memory ran out, or the connection is gone.  Drops it and fills the fault. */
rille_status rille_postgres_cannot_send(rille_postgres_conn *conn, rille_fault *fault);

/* Asks the server to end what it is doing.  The connection is to be waited for no longer where it cannot be reached. */
void rille_postgres_cancel(rille_postgres_conn *conn);

/* The connection is gone: fills the fault with what is known about it, and drops it. */
rille_status rille_postgres_lost(rille_postgres_conn *conn, const PGresult *last, rille_fault *fault);

/* Drops a connection that cannot be used any more. */
void rille_postgres_drop(rille_postgres_conn *conn);

/* Takes over what the server says about the transaction, once there is nothing left to read; and that so a round trip
** is complete. */
void rille_postgres_take_over(rille_postgres_conn *conn);
void rille_postgres_settle(rille_postgres_conn *conn);

/* RILLE_OK when something may be sent: connected (anew, if that loses nothing), and nobody's rows on their way. */
rille_status rille_postgres_ready(rille_postgres_conn *conn, rille_fault *fault);

/* Milliseconds by a clock that never goes back. */
int64_t rille_postgres_now_ms(void);

/* -- postgres_pipe.c -------------------------------------------------------------------------------------- */

/* Begins a pipeline that stays open, in which something is asked before the answer to what was asked before it is read;
** and ends it once all answers were.  Each ask is for itself: what fails keeps none that follows from being done. */
rille_status rille_postgres_pipe(rille_postgres_conn *conn, rille_fault *fault);
rille_status rille_postgres_pipe_end(rille_postgres_conn *conn, rille_fault *fault);

/* Asks, and does not wait. */
rille_status rille_postgres_pipe_ask(rille_postgres_conn *conn, const rille_postgres_ask *ask, rille_fault *fault);

/* Waits for the next answer, in the order of the asks. */
rille_status rille_postgres_pipe_answer(rille_postgres_conn *conn, rille_postgres_ask *ask, rille_fault *fault);

/* -- postgres_load.c -------------------------------------------------------------------------------------- */

/* The driver's load. */
rille_status rille_postgres_load(rille_conn *base, rille_str table, const rille_str columns[], size_t count,
                                 rille_load **out, rille_fault *fault);
rille_status rille_postgres_load_row(rille_load *load, const rille_cell cells[], rille_fault *fault);
rille_status rille_postgres_load_end(rille_load *load, bool keep, int64_t *rows, rille_fault *fault);

/* -- postgres_stream.c ------------------------------------------------------------------------------------------ */

/* Takes the rest of the rows of the streaming statement into memory, so that the connection is free.  What fails of
** it, that statement says when it gets there; here fails only what keeps the connection from being used. */
rille_status rille_postgres_spill(rille_postgres_conn *conn, rille_fault *fault);

#endif
