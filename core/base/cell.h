/* core/base/cell.h - one database value. */
#ifndef RILLE_CELL_H
#define RILLE_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

typedef enum rille_cell_kind {
  RILLE_NULL = 0,
  RILLE_INT,
  RILLE_REAL,
  RILLE_TEXT, /* UTF-8 */
  RILLE_BLOB,
  RILLE_BOOL /* only on the way in; drivers get what the column's type makes of it */
} rille_cell_kind;

/* A value.  Text and bytes are borrowed: whoever hands out a cell says how long they live. */
typedef struct rille_cell {
  rille_cell_kind kind;
  union {
    int64_t integer; /* RILLE_INT; 0 or 1 for RILLE_BOOL */
    double real;
    rille_str text; /* RILLE_TEXT, RILLE_BLOB */
  } as;
} rille_cell;

/* Length of the well-formed UTF-8 sequence of more than one byte that `text` begins with, or 0. */
size_t rille_text_sequence_bytes(rille_str text);

/* How many bytes stand at the start of `text` before the first that keeps it from being clean. */
size_t rille_text_clean_bytes(rille_str text);

/* True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without a NUL byte. */
bool rille_text_is_clean(rille_str text);

/* How many characters (code points) a clean text has. */
size_t rille_text_characters(rille_str text);

/* Writes a finite number and a NUL: with `decimals` digits behind the point or, below 0, as many as it takes to read
** it back. The point is a point whatever the process's locale says.  Returns the bytes it wants, like snprintf. */
size_t rille_real_print(char *text, size_t size, int decimals, double real);

/* Writes a finite number and a NUL with the fewest digits that read back as the same number: at most 25 bytes. Returns
** them without the NUL. */
size_t rille_real_shortest(char *text, size_t size, double real);

enum { RILLE_REAL_BYTES = 32 }; /* room for what rille_real_text writes */

/* The same as SQL writes it, so that it never looks like an integer: "1.0", "-0.25", "1.0e+15", "2.5e-05". */
size_t rille_real_text(char text[RILLE_REAL_BYTES], double real);

/* Reads a number written so. */
double rille_real_read(const char *text);

/* True when both are of one kind and the same: NULL is NULL, 1 is not 1.0. */
bool rille_cell_equal(const rille_cell *a, const rille_cell *b);

/* What a person calls the kind: "an integer", "a text", ...  Static text. */
const char *rille_cell_kind_name(rille_cell_kind kind);

#endif
