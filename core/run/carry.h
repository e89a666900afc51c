/* core/run/carry.h - rows of a query carried into a table of another database, value by value as that keeps them; added
** up on the way, so that both sides can be compared whatever order their rows come in. */
#ifndef RILLE_CARRY_H
#define RILLE_CARRY_H

#include "core/run/connection.h"

enum {
  RILLE_CARRY_BUCKETS = 1 << 16, /* rows are dealt out to these by their keys */
  RILLE_CARRY_EVERY = 10000      /* rows between two calls of `progress` */
};

/* A column of the query, and the column of the table that takes it. */
typedef struct rille_carry_column {
  rille_str name;
  rille_type type; /* as the table has it */
  int bits;        /* 16, 32: an integer of so many, a float of 32; 0: as the type says */
  bool required;   /* NULL is not taken */
  bool key;        /* tells rows apart; no column at all: the whole row does */
} rille_carry_column;

/* A sum of rows: their number, and 128 bits of a digest of each. */
typedef struct rille_carry_sum {
  int64_t rows;
  uint64_t low, high;
} rille_carry_sum;

/* A row that is told of by its key.  All of it lives in the arena. */
typedef struct rille_carry_row {
  struct rille_carry_row *next;
  int64_t number; /* in the order in which they were read, from 1 */
  const rille_cell *key;
  size_t column; /* of a misfit: the one that does not take the value, and why */
  const char *why;
  rille_carry_sum sum; /* of a row that was picked: its own */
} rille_carry_row;

typedef struct rille_carry {
  rille_connection *source;
  rille_connection *target; /* in a transaction; NULL: rows are only looked at */
  rille_str sql;            /* the query, which gives the columns in their order; it has no values */
  rille_str table;
  const rille_carry_column *columns;
  size_t count;
  size_t most;                /* rows that are told of at most, in each of the lists below */
  rille_carry_sum *buckets;   /* RILLE_CARRY_BUCKETS of them are filled; NULL: not wanted */
  const unsigned char *picks; /* a byte a bucket, not 0 where its rows are wanted one by one; NULL: none are */
  bool (*progress)(void *data, int64_t rows); /* false: that is enough, and `aborted` comes of it; may be NULL */
  void *data;

  /* What comes of it. */
  rille_carry_sum sum;
  int64_t misfit_count; /* values that the table does not take; where there is one, no row is kept in the table */
  rille_carry_row *misfits, *picked;
} rille_carry;

/* Does it.  The lists live in `arena`.  When it fails an open transaction of the target may have failed with it. */
rille_status rille_carry_run(rille_carry *carry, rille_arena *arena, rille_fault *fault);

#endif
