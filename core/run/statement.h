/* core/run/statement.h - a prepared statement with what it needs to be run again, and the cache that keeps many. */
#ifndef RILLE_STATEMENT_H
#define RILLE_STATEMENT_H

#include "core/base/buffer.h"
#include "core/query/compile.h"
#include "core/run/layout.h"

/* One of a statement's values: a scalar, or a list where the tree has a LIST. */
typedef struct rille_slot {
  rille_cell cell;
  const rille_cell *list;
  size_t list_len;
  bool kept; /* `cell` is already what the column keeps: it is bound as it is */
} rille_slot;

/* What running a statement may do. */
typedef enum rille_effect {
  RILLE_CHANGES_NOTHING, /* within a transaction: ATTACH, DETACH and PRAGMA are of these */
  RILLE_CHANGES_ROWS,
  RILLE_CHANGES_SCHEMA,
  RILLE_VACUUMS
} rille_effect;

typedef struct rille_statement {
  rille_stmt *stmt;
  rille_compiled compiled;
  rille_layout *layout; /* NULL when the statement gives no rows */
  rille_arena arena;    /* holds `compiled` and `key` */
  rille_str key;        /* its shape, or its text; empty for one that is not kept */
  uint64_t hash;
  bool in_use; /* running: a second run of the same shape needs another statement, which is kept beside this one */
  bool writes;
  rille_effect effect;
  int changes_seen;                      /* of the schema, by who looks for its changes; -1 before its first run */
  bool raw;                              /* made from SQL text: values are bound in order, of any type */
  struct rille_statement *newer, *older; /* by last use */
  struct rille_statement *bucket_next;
} rille_statement;

enum { RILLE_STATEMENTS_KEPT = 256, RILLE_STATEMENT_BUCKETS = 512 };

/* Statements by key.  Keys are compared in full: two shapes with one hash never share a statement. */
typedef struct rille_statements {
  rille_statement *buckets[RILLE_STATEMENT_BUCKETS];
  rille_statement *newest, *oldest;
  size_t count;
  uint64_t hits, misses;
} rille_statements;

/* The statement kept under the key that is not in use, or NULL; it is the newest then. */
rille_statement *rille_statements_find(rille_statements *kept, rille_str key, uint64_t hash);

/* Keeps a statement under its key and lets the least recently used one go when there are too many. */
void rille_statements_keep(rille_statements *kept, rille_statement *statement);

/* Frees all that are not in use; those in use are no longer kept and go when they are released. */
void rille_statements_clear(rille_statements *kept);

/* Makes a statement for a tree (which is resolved here) or, when `query` is NULL, for `sql`.  The caller frees it.
** When it fails, `tried` (or NULL) gets the text that the database refused, if it got so far. */
rille_status rille_statement_make(rille_conn *conn, const rille_dialect *dialect, rille_query *query, rille_str sql,
                                  rille_str key, uint64_t hash, rille_buffer *tried, rille_statement **out,
                                  rille_fault *fault);

/* Says that SQL of the caller's own is run by it, as it does of trees: see rille_driver.own. */
void rille_statement_own(rille_statement *statement);

/* Frees a statement that is not kept; NULL is ignored. */
void rille_statement_free(rille_statement *statement);

/* Binds the values: each is turned into what the column beside it keeps.  Texts that are made live in `arena`, which
** with the slots must outlive the run.  `slot_count` slots serve as the values of raw SQL when the statement has no
** tree. */
rille_status rille_statement_bind(rille_statement *statement, const rille_slot *slots, size_t slot_count,
                                  rille_arena *arena, rille_fault *fault);

/* The cell that the n-th `?` (from 0) gets; the same conversion as binding it. */
rille_status rille_statement_cell(const rille_statement *statement, size_t n, const rille_slot *slots,
                                  rille_arena *arena, rille_cell *out, rille_fault *fault);

#endif
