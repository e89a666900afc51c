/* core/base/decimal.h - decimal numbers as text: reading, comparing, and writing them with a fixed number of digits. */
#ifndef RILLE_DECIMAL_H
#define RILLE_DECIMAL_H

#include <stdbool.h>

#include "core/base/text.h"

enum {
  RILLE_DECIMAL_BYTES = 330,       /* the longest text that rille_decimal_write takes: any double fits */
  RILLE_DECIMAL_PRINT_BYTES = 400, /* room for any double */
  RILLE_DECIMAL_MOST = 17,         /* digits behind the point that rille_decimal_print adds at most */
  RILLE_DECIMAL_SAID_BYTES = 1000, /* the longest text that rille_decimal_plain takes */
  RILLE_DECIMAL_PLAIN_BYTES = 2002 /* and room for what it writes */
};

/* How many digits a decimal has. */
typedef struct rille_decimal {
  size_t whole;       /* before the point, without leading zeros */
  size_t scale;       /* behind the point, without trailing zeros */
  size_t significant; /* from the first that is not 0 to the last */
} rille_decimal;

/* True when `text` is [+-] digits [. digits] and nothing else; fills *decimal then. */
bool rille_decimal_read(rille_str text, rille_decimal *decimal);

/* Reads a number as SQL's numeric does: blanks of ASCII around a sign, digits with or without a point ("5.", ".5") and
** an exponent, which has at most three digits behind its zeros.  Writes it into `room` as a text that
** rille_decimal_read takes, every digit of it, and returns its bytes; 0 for what is no such number: "", "NaN", "0x10",
** "1_000". */
size_t rille_decimal_plain(rille_str text, char room[RILLE_DECIMAL_PLAIN_BYTES]);

/* Writes a text that rille_decimal_read takes with exactly `scale` digits behind the point, without leading zeros or
** a sign before zero, into `to`, which has room for `whole` (as that says) + scale + 3; returns the bytes written.
** Digits behind `scale` are left out. */
size_t rille_decimal_write(rille_str text, size_t scale, char *to);

/* -1, 0 or 1 as `a` is less than, equal to or greater than `b`; both are texts that rille_decimal_read takes. */
int rille_decimal_compare(rille_str a, rille_str b);

/* Writes a finite number and a NUL with `scale` digits behind the point, or as many more as it takes to read the number
** back: columns may hold more than they promise.  Returns the bytes written. */
size_t rille_decimal_print(char room[RILLE_DECIMAL_PRINT_BYTES], int scale, double real);

#endif
