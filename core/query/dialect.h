/* core/query/dialect.h - what differs between databases in the text of a statement. */
#ifndef RILLE_DIALECT_H
#define RILLE_DIALECT_H

#include "core/query/tree.h"

/* How the values of a LIKE reach the database. */
typedef enum rille_pattern { RILLE_PATTERN_LIKE, RILLE_PATTERN_GLOB } rille_pattern;

/* Templates: $1, $2, $3 stand for the arguments, each of which may be used once or more. */
typedef struct rille_dialect {
  const char *name;
  const char *operators[RILLE_OP_COUNT]; /* of comparisons */
  const char *functions[RILLE_FN_TOTAL];
  const char *add, *subtract;                 /* two numbers; fails where the result would be another */
  const char *decimal_add, *decimal_subtract; /* $p $s $d: the type's precision, scale, digits */
  const char *decimal_sum, *decimal_avg;      /* no digit is lost; $a: digits of the average, $0: zero */
  const char *decimal_order;                  /* behind an operand that holds decimals as text: compare them by value */
  rille_pattern like;                         /* the form that the operator for RILLE_OP_LIKE takes */
  const char *like_escape;                    /* behind an ILIKE, and a LIKE in RILLE_PATTERN_LIKE */
  const char *long_list;                      /* in which $1 is one value that holds a whole list as JSON text */
  const char *no_limit;                       /* a limit for an offset without one */
  const char *default_row;                    /* an insert without columns */
} rille_dialect;

extern const rille_dialect rille_dialect_sqlite;

#endif
