/* core/base/exact.h - sums of decimal numbers in which no digit is lost. */
#ifndef RILLE_EXACT_H
#define RILLE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/decimal.h"

enum {
  RILLE_EXACT_WHOLE = 352,   /* places before the point: the longest decimal, and as many of them as anyone can add */
  RILLE_EXACT_FRACTION = 352 /* places behind it */
};

/* A sum; zeroed it is 0.  Each place holds what was added there and carries nothing until the sum is asked for: to add
** is to add in one place for a whole number, or one place a digit for a text. */
typedef struct rille_exact {
  int64_t place[RILLE_EXACT_WHOLE + RILLE_EXACT_FRACTION];
  uint32_t added; /* since it was last settled */
} rille_exact;

enum { RILLE_EXACT_BYTES = RILLE_EXACT_WHOLE + RILLE_EXACT_FRACTION + 3 }; /* room for any sum as text */

/* Adds number * 10^-scale; `scale` is at most RILLE_EXACT_FRACTION - 1. */
void rille_exact_add_integer(rille_exact *sum, int64_t number, size_t scale);

/* Adds a decimal text, or takes it away.  False for a text that is no decimal or longer than RILLE_DECIMAL_BYTES. */
bool rille_exact_add_text(rille_exact *sum, rille_str text, bool negative);

/* Adds the decimal with the least digits, but `scale` behind the point, that reads as this number.  False unless it is
** finite. */
bool rille_exact_add_real(rille_exact *sum, double real, int scale, bool negative);

/* Writes the sum with `scale` digits behind the point, or as many more as it has; returns the bytes written. */
size_t rille_exact_write(rille_exact *sum, size_t scale, char to[RILLE_EXACT_BYTES]);

/* Writes the sum divided by `count` (1 or more) with `scale` digits behind the point, the last one rounded half away
** from zero; returns the bytes written. */
size_t rille_exact_divide(rille_exact *sum, int64_t count, size_t scale, char to[RILLE_EXACT_BYTES]);

#endif
