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
} rille_lua_rows;

/* Prepares for the rows of the work's cursor: pushes exactly three values, the metatable, the origin and the names
** (nil where not needed).  `source` may be NULL, `at` is its index. */
void rille_lua_rows_init(lua_State *L, rille_lua_rows *rows, rille_lua_source *source, int at, rille_work *work);

/* Reads the next row of the cursor and pushes what it becomes; false, with nothing pushed, after the last.  Raises
** when the statement fails. */
bool rille_lua_rows_next(lua_State *L, rille_lua_rows *rows, rille_work *work);

#endif
