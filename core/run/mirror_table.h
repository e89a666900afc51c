/* core/run/mirror_table.h - a table as a mirror has it: the columns of its source, and whose row each is.
**
** The column that says so is "source", or "mirror_source" where the table has a "source" of its own; it is the first of
** the key.  A table that is not there is made so, without the constraints of the source: those were kept there. */
#ifndef RILLE_MIRROR_TABLE_H
#define RILLE_MIRROR_TABLE_H

#include "core/base/change.h"
#include "core/run/connection.h"

typedef struct rille_mirror_column {
  rille_str name, declared;
  bool key;
} rille_mirror_column;

/* All of it lives in the arena that it was read with. */
typedef struct rille_mirror_table {
  struct rille_mirror_table *next; /* for lists of the caller */
  rille_str layout, name;
  const char *whose; /* the column that says whose row it is */
  rille_mirror_column *columns;
  size_t count, keys;
  rille_cell *cells;    /* room for whose a row is and its columns, */
  rille_cell *key;      /* for whose it is and its key, */
  rille_cell *values;   /* for both of them, */
  bool *given;          /* and for which columns are known */
  bool left_out;        /* for the caller */
  bool there;           /* in the mirror, with all columns: rille_mirror_table_ensure said so */
  const char *put;      /* SQL: inserts or updates a row; source, then each column */
  const char *remove;   /* SQL: deletes a row; source, then each column of the key */
  const char *find;     /* SQL: a row of the source; each column of the key */
  const char *read;     /* SQL: all rows of the source */
  const char *read_one; /* SQL: all rows of one source in the mirror */
} rille_mirror_table;

/* Reads a layout (core/base/change.h) off the reader, into *out. */
rille_status rille_mirror_table_read(rille_change_reader *reader, rille_arena *arena, rille_mirror_table **out,
                                     rille_fault *fault);

/* Makes what the mirror lacks of the table: all of it, or columns of one that a mirror made.  Inside a transaction. */
rille_status rille_mirror_table_ensure(rille_connection *target, rille_mirror_table *table, rille_arena *arena,
                                       rille_fault *fault);

/* Writes SQL that updates the columns that are `given`: its values are theirs but for the key, whose it is, the key. */
void rille_mirror_table_update(const rille_mirror_table *table, rille_buffer *sql);

/* Rows of the source names[0] are those of names[1] from now on, in a table of which the name and `whose` are known. */
rille_status rille_mirror_table_rename(rille_connection *target, const rille_mirror_table *table, rille_arena *arena,
                                       const rille_cell names[2], rille_fault *fault);

/* Deletes the rows of a source from a table of which the name and `whose` are known. */
rille_status rille_mirror_table_clear(rille_connection *target, const rille_mirror_table *table, rille_arena *arena,
                                      const rille_cell *source, rille_fault *fault);

#endif
