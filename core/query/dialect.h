/* core/query/dialect.h - what differs between databases in the text of a statement. */
#ifndef RILLE_DIALECT_H
#define RILLE_DIALECT_H

#include "core/query/tree.h"

/* How the values of a LIKE reach the database. */
typedef enum rille_pattern { RILLE_PATTERN_LIKE, RILLE_PATTERN_GLOB } rille_pattern;

/* A template for arguments of one type, in the place of the one for any; ends with a template that is NULL. */
typedef struct rille_typed_template {
  int of; /* a rille_function */
  rille_type_kind kind;
  const char *template;
} rille_typed_template;

/* Templates: $1, $2, $3 stand for the arguments, each of which may be used once or more; $$ is a $. */
typedef struct rille_dialect {
  const char *name;
  bool numbered; /* parameters are $1, $2, ...; else each is a ? */
  bool booleans; /* true and false are values of their own, in rows of raw SQL, too; else they are 1 and 0 there */
  bool exact_decimals;      /* a column of decimals keeps every digit; else as many as a double does */
  bool row_ids;             /* an insert tells its row's number without being asked: last_id of the driver */
  bool array_lists;         /* a long list is the literal of an array; else JSON text */
  bool outputs_unknown;     /* conditions do not know the names of outputs: what they stand for is written again */
  bool excluded_beside;     /* in an upsert a column without its table could be the refused row's */
  int insert_values;        /* that one statement may insert in many rows; 0: rows are inserted one by one */
  int name_bytes;           /* that a name may have, 0: no bound; longer ones would be cut in silence */
  const char *constants[2]; /* false, true: as conditions */
  const char *operators[RILLE_OP_COUNT]; /* of comparisons */
  const char *functions[RILLE_FN_TOTAL];
  const rille_typed_template *typed;          /* NULL: none */
  const char *add, *subtract;                 /* two numbers; fails where the result would be another */
  const char *decimal_add, *decimal_subtract; /* $p $s $d: the type's precision, scale, digits */
  const char *text_add, *text_subtract;       /* the same where the decimals stand there as text; NULL: no difference */
  const char *decimal_sum, *decimal_avg;      /* no digit is lost; $a: digits of the average, $0: zero */
  const char *decimal_order;                  /* an operand that holds decimals as text: as what is compared by value */
  rille_pattern like;                         /* the form that the operator for RILLE_OP_LIKE takes */
  const char *like_escape;                    /* behind an ILIKE, and a LIKE in RILLE_PATTERN_LIKE */
  const char *ilike_of;                       /* the operand of an ILIKE: so that ASCII letters alone have two cases */
  const char *const *text_of; /* by rille_type_kind: an operand of LIKE as the text that SQLite keeps for it; an entry
                              ** that is NULL: unsupported.  NULL: as it is */
  const char *json_text;      /* the same for what RILLE_FN_JSON_GET gives */
  const char *json_equal, *json_order; /* $1 that, $o the operator, $2 a scalar as JSON text; NULL: as any comparison */
  const char *seconds;                 /* a number of seconds with a fraction that is compared with whole ones */
  const char *in_list;                 /* behind an operand: $1 is one value that holds a whole list */
  const char *no_limit;                /* a limit for an offset without one */
  const char *nulls_first, *nulls_last;     /* behind an order: NULL is the smallest value; NULL: it is so anyway */
  const char *derived;                      /* behind a query that is read like a table */
  const char *const *array_types;           /* by rille_type_kind: of a list whose elements are joined with rows that
                                            ** are read for each of them; an entry that is NULL: of none.  NULL: it
                                            ** cannot */
  const char *default_row;                  /* an insert without columns */
  const char *locks[RILLE_LOCK_TOTAL];      /* behind a select; NULL: the database has no such lock */
  const char *lock_waits[RILLE_LOCK_WAITS]; /* behind these */
} rille_dialect;

extern const rille_dialect rille_dialect_sqlite;
extern const rille_dialect rille_dialect_postgres;

/* The dialect that a driver of that name speaks: SQLite's where nothing else is known. */
const rille_dialect *rille_dialect_of(const char *driver);

#endif
