/* core/driver/driver.h - what a database must offer: a contract that every driver keeps and spec/driver tries. */
#ifndef RILLE_DRIVER_H
#define RILLE_DRIVER_H

#include "core/base/change.h"
#include "core/base/status.h"

/* How a database is to be opened.  Borrowed for the time of the call.  What a database has no use for is not looked
** at; what it cannot keep is `unsupported`. */
typedef struct rille_open_options {
  rille_str database;     /* a path, or ":memory:"; of a server, the name of one of its databases */
  rille_str journal_mode; /* none: the driver's careful default */
  rille_str synchronous;  /* "full", "normal", "extra"; none: full */
  bool readonly;          /* writing fails with `readonly` */
  bool existing;          /* a database that is missing is an error and is not made */
  bool no_foreign_keys;
  int busy_timeout_ms;
  int64_t mmap_bytes;
  int64_t cache_kib; /* 0: the database's default */
  int64_t max_bytes; /* the database may not grow beyond it: `disk_full`; 0: no such bound */

  /* Of a server.  No text, or 0: what the url says or else the server's library takes. */
  rille_str url, host, user, password; /* what is named alone goes before what the url says */
  rille_str schema;                    /* bare names are looked up there alone; one that is missing is `not_found` */
  bool no_role_schema;                 /* bare names are not looked up in a schema that is called as the role */
  int port;
  int connect_timeout_ms;   /* for one try; 0: 10 seconds */
  int statement_timeout_ms; /* a statement that takes longer is `timeout`; 0: as the server has it */
} rille_open_options;

/* What a transaction promises.  A database that keeps more than is asked for has kept it. */
typedef enum rille_begin_mode {
  RILLE_BEGIN_DEFERRED,  /* as the database does of itself */
  RILLE_BEGIN_IMMEDIATE, /* it will write: where there is one writer only, it is that at once */
  RILLE_BEGIN_EXCLUSIVE,
  RILLE_BEGIN_READ_COMMITTED,  /* each statement sees what was committed when it began, whatever the default is */
  RILLE_BEGIN_REPEATABLE_READ, /* all is read as it was at the first read */
  RILLE_BEGIN_SERIALIZABLE,    /* as if one transaction came after another */
  RILLE_BEGIN_SNAPSHOT,        /* as _REPEATABLE_READ, and only reads */
  RILLE_BEGIN_COUNT
} rille_begin_mode;

/* Questions about what a database holds, each answered by one query with uniform outputs. */
typedef enum rille_catalog {
  RILLE_CATALOG_TABLES,  /* name, kind ("table", "view"), sql, schema (another number after any change); no parameter */
  RILLE_CATALOG_COLUMNS, /* name, declared, not_null, default, primary (from 1, or 0), generated, collation (NULL: texts
                         ** are compared by their bytes); of table ?1 */
  RILLE_CATALOG_INDEXES, /* name, is_unique, origin, partial, sql (NULL for one that a constraint made), column (NULL
                         ** for an expression); of table ?1, in order */
  RILLE_CATALOG_FOREIGN, /* id, column, table, references, on_update, on_delete; of table ?1, in order */
  RILLE_CATALOG_COUNT
} rille_catalog;

/* A connection and a statement.  Drivers put these first in structs of their own.  One thread at a time. */
typedef struct rille_conn {
  const struct rille_driver *driver;
} rille_conn;
typedef struct rille_stmt {
  const struct rille_driver *driver;
  bool once; /* to be freed after a run, not run again: it changed how the connection works when it was prepared */
} rille_stmt;

/* What tells a database's file from another one (`file`), and shows whether anybody has touched it (`state`, which is
** never 0 then).  Both are 0 where there is none. */
typedef struct rille_file_mark {
  uint64_t file, state;
} rille_file_mark;

/* Rows on their way into a table; see `load`. */
typedef struct rille_load rille_load;

/* A row of a table that is about to change: by a statement, or by what it sets off (triggers, foreign keys, REPLACE).
** Borrowed for the time of the call. */
typedef struct rille_row_change {
  char what; /* RILLE_CHANGE_INSERT, _UPDATE or _DELETE */
  rille_str table;
  size_t count;                /* of its columns */
  int64_t id_before, id_after; /* of the row, in a table whose rows have ids */
  const rille_cell *after;     /* a cell for each, NULL where the row goes; once they were read ... */
  /* ... by this, for nobody needs them of a table that is left out.  False: memory ran out. */
  bool (*read_after)(struct rille_row_change *change);
  /* What a column (from 0) of the row holds before it changes or goes, read when it is asked for; the cell lives until
  ** the next is.  False: memory ran out. */
  bool (*before)(const struct rille_row_change *change, size_t column, rille_cell *cell);
  void *of_driver;
} rille_row_change;

enum { RILLE_EPOCH_STARTS = 2 };

/* May prepare and run statements that read; may change nothing. */
typedef void (*rille_on_change)(void *data, rille_row_change *change);

typedef struct rille_driver {
  const char *name;
  const char *catalog[RILLE_CATALOG_COUNT];

  /* The version of the library behind the driver: "3.40.1".  Static text. */
  const char *(*version)(void);

  /* RILLE_OK: *out is the caller's, who ends it with close().  Otherwise *out is untouched. */
  rille_status (*open)(const rille_open_options *options, rille_conn **out, rille_fault *fault);

  /* Ends the connection; an open transaction is rolled back.  All its statements must have been freed.  NULL is
  ** ignored. */
  void (*close)(rille_conn *conn);

  /* Each row has a lock of its own: whoever waits for one mostly waits for another process. */
  bool locks_rows;

  /* How long statements wait for a lock that another connection holds, from now on. */
  void (*set_wait)(rille_conn *conn, int wait_ms);

  /* Begins, commits or rolls back.  After a commit that failed with `busy` the transaction is still open. */
  rille_status (*begin)(rille_conn *conn, rille_begin_mode mode, rille_fault *fault);
  rille_status (*commit)(rille_conn *conn, rille_fault *fault);
  rille_status (*rollback)(rille_conn *conn, rille_fault *fault);

  /* True while a transaction is open: a database may end one by itself when a statement fails, or when it commits and
  ** cannot.  One that was lost with its connection is open until it is rolled back. */
  bool (*in_transaction)(const rille_conn *conn);

  /* True when a statement of the open transaction failed and the database does nothing more in it: all that can be
  ** run is a rollback, to a savepoint or of everything. */
  bool (*failed)(const rille_conn *conn);

  /* `sql` is UTF-8 and need not end in NUL.  RILLE_OK: *out is the caller's, who ends it with free().  Exactly one
  ** statement: none is `invalid_argument`, and so is text behind the first one. */
  rille_status (*prepare)(rille_conn *conn, rille_str sql, rille_stmt **out, rille_fault *fault);

  /* Gives a statement back; NULL is ignored. */
  void (*free)(rille_stmt *stmt);

  /* How many parameters the statement has. */
  int (*param_count)(const rille_stmt *stmt);

  /* Binds parameter `index`, from 1.  Text is not copied: it must stay until the next reset. */
  rille_status (*bind)(rille_stmt *stmt, int index, const rille_cell *cell, rille_fault *fault);

  /* Says, before the first step of a run, whether rows are to come one by one: memory then holds one of them, and not
  ** all, where the database sends them.  They are those that were there when the run began, whatever its connection
  ** writes meanwhile.  Until the run has ended another statement of the connection may cost room for the rows that are
  ** left: in memory, and what does not fit in 64 MB of it in a temporary file. */
  void (*stream)(rille_stmt *stmt, bool streams);

  /* Says, before the first step of a run, that a failure of it must leave the open transaction as it was before, also
  ** where the database would do nothing more in it.  Costs a round trip only when it does fail.  Nothing for a run that
  ** streams. */
  void (*guard)(rille_stmt *stmt, bool guarded);

  /* Says, before the first step of a run, whose rows the database itself is to let it see: those of `tenant` (no text:
  ** of nobody), and all of the tables that `everybody` names, with commas between them ("*": of every table).  Both
  ** must stay until the next reset.  A run of which this is not said sees what the last one in its transaction saw, or
  ** none of such rows.  NULL: a database that does not keep tenants apart. */
  void (*whose)(rille_stmt *stmt, rille_str tenant, rille_str everybody);

  /* Says of a statement, once and for all its runs, that SQL of the caller's own is in it, which may set how its
  ** connection works.  Where bare names are looked up is put back before anything else runs, on one that was opened
  ** with `schema` or `no_role_schema`; and `shares` knows of what makes the connection unlike others. */
  void (*own)(rille_stmt *stmt);

  /* Has statements that are bound and not yet stepped run at once, in one round trip where that helps; what came of
  ** each its own steps say.  Outside of transactions each is done or fails for itself.  All are of one connection, and
  ** none streams or is guarded.  RILLE_OK: their steps say the rest.  Otherwise none has run, or nobody knows. */
  rille_status (*together)(rille_stmt *const stmts[], size_t count, rille_fault *fault);

  /* Begins to put rows into a table, many at once and in a statement of their own; NULL where an insert that is kept
  ** does it as fast.  RILLE_OK: *out is the caller's, who ends it with load_end(); until then nothing else runs on the
  ** connection.  load_row() takes a row's cells, one a column, and copies them; when it fails, load_end() must still
  ** be called.  load_end() with `keep` says whether all rows arrived, and how many; without, none of them is kept, and
  ** an open transaction may have failed.  It frees the load in either case. */
  rille_status (*load)(rille_conn *conn, rille_str table, const rille_str columns[], size_t count, rille_load **out,
                       rille_fault *fault);
  rille_status (*load_row)(rille_load *load, const rille_cell cells[], rille_fault *fault);
  rille_status (*load_end)(rille_load *load, bool keep, int64_t *rows, rille_fault *fault);

  /* Says, before together() of statements that only read, that nothing else comes in the open transaction, which wrote
  ** nothing, but its commit(): it is committed in that round trip, unless one of them fails, and commit() has nothing
  ** left to do.  NULL: there is no round trip to save. */
  void (*end_with)(rille_conn *conn);

  /* Goes to the next row.  *row says whether there is one; after the last the statement has done its work, and further
  ** steps say no more than that (or fail again, when it failed) until the next reset. */
  rille_status (*step)(rille_stmt *stmt, bool *row, rille_fault *fault);

  /* Ends the run: the statement can be bound and stepped anew; bound values are forgotten. */
  void (*reset)(rille_stmt *stmt);

  /* Columns of a row: how many (0 for a statement without rows), what they are called, and the declared type of the
  ** table column they come from.  No text for expressions, but where the database knows that one is no number and no
  ** text (a boolean, a date).  Names live until the statement is freed or stepped. */
  int (*column_count)(const rille_stmt *stmt);
  rille_str (*column_name)(const rille_stmt *stmt, int index);
  rille_str (*column_declared)(const rille_stmt *stmt, int index);

  /* Fills `cells`, one a column, with the row that step found.  Text lives until the next step or reset.  Fails when
  ** memory runs out, or with a value that cannot be read. */
  rille_status (*row)(rille_stmt *stmt, rille_cell cells[], rille_fault *fault);

  /* How often the schema has changed since the statement was made, so that its columns may be others than before. */
  int (*changed)(const rille_stmt *stmt);

  /* Whether the schema, as the connection read it last, has a table of that name; cheap.  A driver that cannot watch
  ** says that it has none. */
  rille_status (*has_table)(rille_conn *conn, const char *name, bool *out, rille_fault *fault);

  /* True when the statement can change the database. */
  bool (*writes)(const rille_stmt *stmt);

  /* Makes `to` hold what `from` holds and nothing else: tables, rows, indexes, triggers.  Both are connections of this
  ** driver, neither in a transaction nor in the middle of a statement.  When it fails `to` is as it was. */
  rille_status (*copy)(rille_conn *to, rille_conn *from, rille_fault *fault);

  /* From now on `on_change` is told of each row, before it changes; NULL: nobody is.  A row that a statement changed
  ** before it failed was told too.  To be called while no statement is prepared. */
  rille_status (*watch)(rille_conn *conn, rille_on_change on_change, void *data, rille_fault *fault);

  /* Runs a statement to its end so that changes() and last_id() go on saying what they said before. */
  rille_status (*run_aside)(rille_conn *conn, rille_stmt *stmt, rille_fault *fault);

  /* Rows changed by the last statement that changed any, and the row id that the last insert made; 0 where the
  ** database does not say (PostgreSQL: it is asked for with RETURNING). */
  int64_t (*changes)(const rille_conn *conn);
  int64_t (*last_id)(const rille_conn *conn);

  /* How often the connection has asked a server and waited for the answer; NULL: there is none to ask. */
  uint64_t (*round_trips)(const rille_conn *conn);

  /* Where a database that counts its commits is in their history; all are NULL where none are counted.
  **
  ** A query with the outputs server (text: whose count it is), replica (0 or 1), epoch (grows when another server goes
  ** on with the history; NULL at a replica, which has it from its rows), position (NULL at a replica that cannot say),
  ** reach (of a rille_history), bound (of a rille_place) and more (0 or 1: a replica may show what stands right behind
  ** that position).
  **
  ** And queries for the start of epoch $1, to be tried in turn: the last position of what was before it.  One fails
  ** where that is not for everybody to know, and gives NULL where the database does not know. */
  const char *place, *const *epoch_start; /* RILLE_EPOCH_STARTS of these */

  /* From now on each commit, and each statement outside of transactions, looks where the history is, in the same round
  ** trip: at least where what it did is. */
  void (*track)(rille_conn *conn, bool on);

  /* Looks once, outside of transactions: what it saw, tracked says. */
  rille_status (*look)(rille_conn *conn, rille_fault *fault);

  /* Where the database does not count by itself: a number that is another one after each change that the connection
  ** has seen, its own too; NULL elsewhere. */
  uint32_t (*data_version)(rille_conn *conn);

  /* True when what is written goes into a file that is no more the one at its path; NULL where there is no file. */
  bool (*moved)(rille_conn *conn);

  /* True when one more connection to the file, which only reads, shows what this one does outside of transactions, and
  ** neither waits for who writes nor is waited for.  NULL: a connection of a server is not told to only read. */
  bool (*shares)(rille_conn *conn);

  /* The path of that file, borrowed from the connection, "" where there is none; and what is at a path.  NULL where
  ** there is never a file. */
  const char *(*path)(const rille_conn *conn);
  rille_file_mark (*mark)(const char *path);

  /* Another number after each connecting, which may be to another server; NULL: a connection is always the same. */
  uint64_t (*generation)(const rille_conn *conn);

  /* What the last look saw; false when there was none since track(), or at a replica. */
  bool (*tracked)(rille_conn *conn, uint32_t *epoch, uint64_t *position);
} rille_driver;

extern const rille_driver rille_driver_sqlite;
extern const rille_driver rille_driver_postgres; /* built without libpq, its open is `unsupported` */

/* The driver called `name` ("sqlite", "postgres"), or NULL. */
const rille_driver *rille_driver_named(rille_str name);

#endif
