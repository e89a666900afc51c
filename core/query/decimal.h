/* core/query/decimal.h - decimal numbers as text: reading them, and writing them with a fixed number of digits. */
#ifndef RILLE_DECIMAL_H
#define RILLE_DECIMAL_H

#include <stdbool.h>

#include "core/base/text.h"

enum { RILLE_DECIMAL_BYTES = 330 }; /* the longest text that rille_decimal_write takes: any double fits */

/* How many digits a decimal has. */
typedef struct rille_decimal {
  size_t whole;       /* before the point, without leading zeros */
  size_t scale;       /* behind the point, without trailing zeros */
  size_t significant; /* from the first that is not 0 to the last */
} rille_decimal;

/* True when `text` is [+-] digits [. digits] and nothing else; fills *decimal then. */
bool rille_decimal_read(rille_str text, rille_decimal *decimal);

/* Writes a text that rille_decimal_read takes with exactly `scale` digits behind the point, without leading zeros or
** a sign before zero, into `to`, which has room for RILLE_DECIMAL_BYTES + scale + 2; returns the bytes written.
** Digits behind `scale` are left out. */
size_t rille_decimal_write(rille_str text, size_t scale, char *to);

#endif
