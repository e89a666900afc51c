/* core/query/schema.h - tables and columns as the core knows them. */
#ifndef RILLE_SCHEMA_H
#define RILLE_SCHEMA_H

#include <stdint.h>

#include "core/query/type.h"

typedef struct rille_column {
  rille_str name;
  rille_type type;
  int primary; /* position in the primary key from 1, 0 when not part of it */
  bool not_null;
  bool has_default; /* the database fills it when an insert leaves it out: a default, a row id */
  bool generated;   /* computed by the database; never written */
} rille_column;

/* A table.  Never changed once made; whoever made it says how long it lives. */
typedef struct rille_table {
  uint64_t id; /* unlike that of any other table value in this process: part of every shape */
  rille_str name;
  size_t column_count;
  const rille_column *columns;
  const rille_column *tenant; /* says which tenant a row belongs to; NULL: the rows belong to nobody */
  bool guarded;               /* no statement reaches it without a word on whose rows are meant: it has a tenant, or it
                              ** may read or write other tables, as a view does */
} rille_table;

/* The column of that exact name, or NULL. */
const rille_column *rille_table_column(const rille_table *table, rille_str name);

/* Position of `column` in its table, from 0. */
size_t rille_table_position(const rille_table *table, const rille_column *column);

/* The next id for a table value.  Thread-safe. */
uint64_t rille_table_next_id(void);

/* Fills `fault` with no_such_column for `name`, with the nearest of the table's columns as advice. */
rille_status rille_table_no_column(const rille_table *table, rille_str name, rille_fault *fault);

#endif
