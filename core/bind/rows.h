/* core/bind/rows.h - what the rows of a running statement become: records, or plain tables. */
#ifndef RILLE_BIND_ROWS_H
#define RILLE_BIND_ROWS_H

#include "core/bind/source.h"
#include "core/bind/work.h"

/* Made once a result; the indices are where its helpers stand on the stack (or upvalue indices). */
typedef struct rille_lua_rows {
  rille_lua_source *source; /* NULL for raw SQL */
  rille_layout *layout;
  rille_cell *cells; /* one a column */
  int meta;          /* metatable of records; 0: plain tables */
  int origin;        /* origin table of records with a layout of their own; 0 for none */
  int names;         /* list of the columns' names, for plain tables */
  bool booleans;     /* are they values of their own in rows of raw SQL? */
  bool batched;      /* do the records know each other? */
} rille_lua_rows;

/* Makes the statement of the query on the connection and starts the work's cursor with the work's values; raises what
** is wrong with it. */
void rille_lua_start(lua_State *L, rille_connection *connection, rille_work *work, rille_query *query);

/* Prepares for the rows of the work's cursor: pushes exactly three values, the metatable, the origin and the names
** (nil where not needed).  `source` may be NULL, `at` is its index. */
void rille_lua_rows_init(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work);

/* The same for records that are made of the first `count` columns of the result. */
void rille_lua_rows_init_cut(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work,
                             size_t count);

/* Lets the records to come know each other, where their model has relations. */
void rille_lua_rows_batch(lua_State *L, rille_lua_rows *rows);

/* Tells them so, when they all have come: `count` of them, in the list at the index `list`.  They hold each other
** weakly, so that one that is kept keeps no others. */
void rille_lua_rows_batched(lua_State *L, const rille_lua_rows *rows, int list, lua_Integer count);

/* Reads the next row of the cursor and pushes what it becomes; false, with nothing pushed, after the last.  Raises
** when the statement fails. */
bool rille_lua_rows_next(lua_State *L, rille_lua_rows *rows, rille_work *work);

#endif
