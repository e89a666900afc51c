/* spec/support/conversion.h - values and types as tables of cases write them, and whether one became what it should. */
#ifndef RILLE_SPEC_CONVERSION_H
#define RILLE_SPEC_CONVERSION_H

#include "core/query/type.h"

#define NOTHING        \
  {                    \
    .kind = RILLE_NULL \
  }
#define INTEGER(i)                       \
  {                                      \
    .kind = RILLE_INT, .as.integer = (i) \
  }
#define REAL(r)                        \
  {                                    \
    .kind = RILLE_REAL, .as.real = (r) \
  }
#define BOOLEAN(b)                        \
  {                                       \
    .kind = RILLE_BOOL, .as.integer = (b) \
  }
#define TEXT(literal)                                                  \
  {                                                                    \
    .kind = RILLE_TEXT, .as.text = { "" literal, sizeof(literal) - 1 } \
  }
#define BLOB(literal)                                                  \
  {                                                                    \
    .kind = RILLE_BLOB, .as.text = { "" literal, sizeof(literal) - 1 } \
  }

static const rille_type INTEGER_TYPE = { .kind = RILLE_TYPE_INTEGER }, REAL_TYPE = { .kind = RILLE_TYPE_REAL };
static const rille_type TEXT_TYPE = { .kind = RILLE_TYPE_TEXT }, BLOB_TYPE = { .kind = RILLE_TYPE_BLOB };
static const rille_type BOOLEAN_TYPE = { .kind = RILLE_TYPE_BOOLEAN }, ANY_TYPE = { .kind = RILLE_TYPE_ANY };
static const rille_type DATETIME_TYPE = { .kind = RILLE_TYPE_DATETIME }, DATE_TYPE = { .kind = RILLE_TYPE_DATE };
static const rille_type TIMESTAMP_TYPE = { .kind = RILLE_TYPE_TIMESTAMP }, JSON_TYPE = { .kind = RILLE_TYPE_JSON };
static const rille_type UUID_TYPE = { .kind = RILLE_TYPE_UUID };
static const rille_type MONEY_TYPE = { .kind = RILLE_TYPE_DECIMAL, .precision = 10, .scale = 2 };
static const rille_type WHOLE_TYPE = { .kind = RILLE_TYPE_DECIMAL, .precision = 5 };

/* A value from outside and what is kept of it, or a kept value and what is read of it. */
typedef struct conversion {
  const rille_type *type;
  rille_cell in, out;
} conversion;

/* Prints the value as an error does. */
void show(const rille_cell *cell);

/* `found` is what was wanted; otherwise both are shown. */
void assert_same(const conversion *wanted, const rille_cell *found);

#endif
