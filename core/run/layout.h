/* core/run/layout.h - the columns of a result: names and types, shared by the statement and every row it gave. */
#ifndef RILLE_LAYOUT_H
#define RILLE_LAYOUT_H

#include "core/driver/driver.h"
#include "core/query/dialect.h"

/* Counted: statement, sources and rows each hold it.  Never changed once made. */
typedef struct rille_layout {
  long holders;
  uint64_t table_id; /* of the table whose columns these are, all and in order; 0 for other results */
  size_t count;
  rille_str what; /* the table, for messages; may be empty */
  rille_str *names;
  rille_type *types;
  bool *own; /* true for a column of the query's first table under its own name; nothing else is one of the record's */
} rille_layout;

/* All columns of a table.  NULL when memory ran out; otherwise the caller holds it. */
rille_layout *rille_layout_of_table(const rille_table *table);

/* The outputs of a prepared statement in a dialect.  A column that the query names (NULL query: none) has the type that
** its table gives it, another one the type it was declared with, an expression none.  Two outputs of one name are
** `invalid_argument`, for a row could keep only one of them. */
rille_status rille_layout_of_statement(const rille_query *query, const rille_dialect *dialect, const rille_stmt *stmt,
                                       rille_layout **out, rille_fault *fault);

/* The first `count` columns of another layout, of a query whose first table is `table`.  NULL when memory ran out;
** otherwise the caller holds it. */
rille_layout *rille_layout_cut(const rille_layout *of, size_t count, const rille_table *table);

/* One more holder; returns the layout. */
rille_layout *rille_layout_hold(rille_layout *layout);

/* One holder less; the last one frees it.  NULL is ignored. */
void rille_layout_drop(rille_layout *layout);

#endif
