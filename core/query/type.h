/* core/query/type.h - column types: what they accept, how it is kept, and how it reads. */
#ifndef RILLE_TYPE_H
#define RILLE_TYPE_H

#include "core/base/arena.h"
#include "core/base/cell.h"
#include "core/base/status.h"

typedef enum rille_type_kind {
  RILLE_TYPE_ANY = 0, /* nothing is known: values pass as they are */
  RILLE_TYPE_INTEGER, /* 64 bits */
  RILLE_TYPE_REAL,    /* a finite double */
  RILLE_TYPE_TEXT,    /* UTF-8 without NUL */
  RILLE_TYPE_BLOB,
  RILLE_TYPE_BOOLEAN,   /* kept as 0 and 1 */
  RILLE_TYPE_DECIMAL,   /* reads as exact text with `scale` digits behind the point */
  RILLE_TYPE_DATETIME,  /* reads as 2026-11-20T12:00:00.000000Z, kept so */
  RILLE_TYPE_DATE,      /* 2026-11-20 */
  RILLE_TYPE_TIMESTAMP, /* seconds since 1970, kept as an integer */
  RILLE_TYPE_JSON,      /* JSON text; Lua encodes and decodes it */
  RILLE_TYPE_UUID,      /* 36 characters, lower case */
  RILLE_TYPE_COUNT
} rille_type_kind;

/* In which form a column keeps values of a type that has more than one. */
typedef enum rille_kept {
  RILLE_KEPT_OWN = 0, /* the type's own: numbers for INTEGER, DECIMAL and TIMESTAMP, text for DATETIME and DATE */
  RILLE_KEPT_TEXT,    /* INTEGER, DECIMAL: digits; TIMESTAMP: ISO 8601 text as DATETIME keeps it */
  RILLE_KEPT_SECONDS  /* DATETIME, DATE: whole seconds since 1970 */
} rille_kept;

typedef struct rille_type {
  rille_type_kind kind;
  rille_kept kept;
  bool compares;   /* the value is compared and not written: no length binds it, and a moment keeps its fraction */
  int length;      /* what is kept as text: characters at most, 0 for no bound */
  int precision;   /* DECIMAL: digits in all, 0 for no bound */
  int scale;       /* DECIMAL: digits behind the point */
  int kept_digits; /* DECIMAL: significant digits that survive being kept, 0 for any number */
} rille_type;

enum {
  RILLE_DECIMAL_DIGITS = 15, /* significant digits that survive a double, the form NUMERIC columns of SQLite keep */
  RILLE_WHOLE_DIGITS = 18,  /* digits that survive as a 64-bit integer, the form of what has nothing behind the point */
  RILLE_SCALE_MAX = 18,     /* digits behind the point of a DECIMAL */
  RILLE_PRESENT_BYTES = 400 /* room that rille_type_present may need for a text it makes */
};

/* "integer", "datetime", ...  Static text. */
const char *rille_type_name(rille_type_kind kind);

/* What a column of this type keeps for `in`, a value from outside; NULL stays NULL.  A text that has to be made lives
** in the arena, others are borrowed from `in`.  invalid_argument when the type does not take the value; `what` names
** the place for the message ("posts.views"). */
rille_status rille_type_store(rille_type type, const rille_cell *in, rille_str what, rille_arena *arena,
                              rille_cell *out, rille_fault *fault);

/* What a person reads for `in`, a value as kept.  A text that has to be made is written to `room`.
** `corrupt` when what is kept cannot be of this type; `what` names the place. */
rille_status rille_type_present(rille_type type, const rille_cell *in, rille_str what, char room[RILLE_PRESENT_BYTES],
                                rille_cell *out, rille_fault *fault);

#endif
