/* core/bind/database.h - a database as Lua sees it: its connections, and which of them a coroutine uses. */
#ifndef RILLE_BIND_DATABASE_H
#define RILLE_BIND_DATABASE_H

#include "core/bind/work.h"
#include "core/run/follow.h"
#include "core/run/history.h"
#include "core/run/outbox.h"
#include "core/run/pool.h"

enum { RILLE_CONNECTIONS_MAX = 16 };

/* The last token that was made, and what the connection had seen of the database then. */
typedef struct rille_lua_known {
  const rille_connection *connection; /* NULL: none was made */
  uint64_t opened;
  uint32_t version;
  char token[RILLE_TOKEN_BYTES];
} rille_lua_known;

/* What the places that were seen are signed with once they are asked for, which may be when nothing can be read. */
typedef struct rille_lua_signer {
  bool known;
  uint64_t cluster;
  unsigned char secret[RILLE_SECRET_BYTES];
} rille_lua_signer;

/* User values of a database. */
enum { RILLE_DATABASE_WORKS = 1, RILLE_DATABASE_VALUES = 1 };

/* The first connection serves everybody; what comes while another coroutine's transaction holds it, and cursors, get
** others (connection.c). */
typedef struct rille_lua_database {
  const void *tag; /* says that it is one */
  const rille_driver *driver;
  rille_open_options options; /* texts in `arena` */
  rille_arena arena;
  rille_str *pragmas; /* statements for each new connection */
  size_t pragma_count;
  rille_str name; /* of the connection, for messages */
  int most;       /* connections it may have */
  bool memory;    /* lives in its one connection */
  bool pooled;    /* has its connections from the pool: while nothing goes on in it they may be gone */
  rille_seat seat;
  rille_str place;   /* tells it apart where it has no path; no secret is in it */
  rille_str tenant;  /* whose it is, for a message when it is gone; empty: nobody's */
  uint64_t file[2];  /* device and number of the file that is open */
  bool moved;        /* perhaps that is no more the one at its path: it is looked again when nothing is open */
  int64_t looked_ms; /* when it was last seen to be at its path still */
  bool exclusive;    /* while a transaction is open nobody but its coroutine gets a connection */
  bool closed;
  bool walled; /* it keeps tenants apart by itself, and its connections say whose rows are meant */
  bool trace;
  bool counts;            /* each commit of its connections is a position in the history */
  bool tracks;            /* ... which they look at, where the database itself counts */
  const void *looked;     /* the connection that did so last, if it is one still */
  rille_history *history; /* as it was read last; NULL: never */
  rille_lua_known known;
  rille_lua_signer signer;
  rille_sight seen;      /* how a session saw it last, for the next connection */
  lua_Integer went_back; /* how often it may have come to hold less than before: somebody put a backup there */
  uint64_t generation;   /* the greatest of its connections so far */
  rille_outbox_mode mirror_mode;
  rille_follower **followers; /* of its mirrors, rung by its commits */
  int follower_count;
  rille_lua_running *running;                           /* calls of its state */
  int calls;                                            /* that run on it, see rille_work_open */
  int steps;                                            /* of cursors that run, see rille_work_step */
  int count, writers;                                   /* connections, and those of them that may write */
  bool readerless;                                      /* one that only reads cannot be opened */
  rille_connection *connections[RILLE_CONNECTIONS_MAX]; /* the first may write */
  rille_connection *last;                               /* used last */
  uint64_t opened;                                      /* connections so far */
} rille_lua_database;

/* The open database at `index`; raises invalid_argument when it is none, or closed. */
rille_lua_database *rille_lua_check_database(lua_State *L, int index);

/* The connection for the calling coroutine: the one whose transaction it owns, else one without a transaction, opened
** when there is none.  Where there are several, none on which a cursor of another coroutine reads: that would still
** show what was there before the last commit on another one.  Raises `busy` when there cannot be one. */
rille_connection *rille_lua_connection(lua_State *L, rille_lua_database *database);

/* The same for what only reads: it need not be one that may write. */
rille_connection *rille_lua_connection_to_read(lua_State *L, rille_lua_database *database);

/* The same for a cursor: outside of transactions one that only reads, and on which nothing else is open, where that can
** be had. */
rille_connection *rille_lua_connection_to_walk(lua_State *L, rille_lua_database *database);

/* To be called before a statement that may set how the database is opened, as a pragma does: connections that only read
** and do not now are closed where there are to be none any more. */
void rille_lua_look_at_readers(rille_lua_database *database);

/* The same for what wants a database on which nothing goes on; raises invalid_argument, in the name of `what`, while
** something does. */
rille_connection *rille_lua_connection_idle(lua_State *L, rille_lua_database *database, const char *what);

/* The same to begin a level on: not even the only connection while a cursor of another coroutine reads there, which
** would see what is not committed. */
rille_connection *rille_lua_connection_alone(lua_State *L, rille_lua_database *database);

/* Says to a connection of a walled database whose rows the calling coroutine sees.  Inside a tenant the database must
** be at 1; raises then where it does not keep tenants apart as it should. */
void rille_lua_wall(lua_State *L, const rille_lua_database *database, rille_connection *connection);

/* Adds `wall` to the module table at the top. */
void rille_lua_add_wall(lua_State *L);

/* To be called where something on it may have ended.  Once nothing goes on any more, a database that is closed loses
** its connections (a finalizer may close it while Lua collects garbage in the middle of a read), and a pooled one
** lets the pool have them. */
void rille_lua_settle(rille_lua_database *database);

/* For rille_lua_hold. */
void rille_lua_pin(rille_lua_database *database);

/* Keeps the connections of a pooled database from being closed until it settles. */
static inline void
rille_lua_hold(rille_lua_database *database)
{
  if (database->pooled && !database->seat.held)
    rille_lua_pin(database);
}

/* True while something runs or is open on one of its connections. */
bool rille_lua_is_busy(const rille_lua_database *database);

/* To be told of what failed, where the connection may have been lost. */
void rille_lua_failed(rille_lua_database *database, const rille_fault *fault);

/* Finds out whether somebody put another file where the database is, and goes on with that one, unless something is
** open on the old one. */
void rille_lua_look_again(rille_lua_database *database);

/* Ends all its connections now. */
void rille_lua_close_connections(rille_lua_database *database);

/* Opens one more connection and gives it the pragmas that were asked for; raises what went wrong. */
rille_connection *rille_lua_add_connection(lua_State *L, rille_lua_database *database);

/* Opens one that only reads; NULL when it cannot be had. */
rille_connection *rille_lua_add_reader(rille_lua_database *database);

/* Where the connection fills an outbox: says what becomes of changes, and whom a commit rings. */
void rille_lua_mirror_connection(rille_lua_database *database, rille_connection *connection);

/* Nobody follows its mirrors any more. */
void rille_lua_mirror_unfollow(rille_lua_database *database);

/* All that a connection of it is opened with; borrowed. */
rille_opening rille_lua_opening(const rille_lua_database *database);

/* Starts a call on the database at 1: pushes the table of works and a work that is closed when the call ends. */
rille_work *rille_lua_begin_call(lua_State *L, rille_lua_database *database);

/* Raises the work's fault, with the SQL of its statement, or that SQL. */
int rille_lua_fail(lua_State *L, rille_work *work, const rille_statement *statement);
int rille_lua_fail_sql(lua_State *L, rille_work *work, rille_str sql);

/* Is the fault that of connecting to a server where the database, or the schema, is not there? */
bool rille_lua_is_gone(const rille_fault *fault);

/* Says instead that the tenant of the database is no more; returns that kind. */
rille_status rille_lua_name_gone(const rille_lua_database *database, rille_fault *fault);

/* Fills the driver, options and pragmas of a new database from the table at 1. */
void rille_lua_read_options(lua_State *L, rille_lua_database *database);

/* The database shall have its connections from the pool. */
void rille_lua_join_pool(lua_State *L, rille_lua_database *database);

/* Adds what the pool offers to the module table at the top. */
void rille_lua_add_pool(lua_State *L);

/* Adds what mirrors offer to the module table at the top. */
void rille_lua_add_mirror(lua_State *L);

/* Makes the metatable of databases from the methods of all files, adds `open` to the module table at the top. */
void rille_lua_add_database(lua_State *L);

#endif
