/* core/base/exact.c - a number as places of ten that are carried late.
**
** Between two additions a place may hold any number.  `settle` carries what is above 9 or below -9; places then may
** differ in sign, and the first that is not 0 has the sign of the whole.  `finish` makes all of them digits. */
#include "core/base/exact.h"

#include <math.h>
#include <string.h>

enum {
  PLACES = RILLE_EXACT_WHOLE + RILLE_EXACT_FRACTION,
  UNITS = RILLE_EXACT_WHOLE - 1, /* where the ones are */
  SETTLE_AFTER = 1 << 20         /* additions, each of less than 2^40 in a place */
};

static const int64_t BILLION = 1000000000;

static void
settle(rille_exact *sum)
{
  for (size_t i = PLACES - 1; i > 0; i--) {
    sum->place[i - 1] += sum->place[i] / 10;
    sum->place[i] %= 10;
  }
  sum->added = 0;
}

static void
note(rille_exact *sum)
{
  if (++sum->added >= SETTLE_AFTER)
    settle(sum);
}

void
rille_exact_add_integer(rille_exact *sum, int64_t number, size_t scale)
{
  size_t at = UNITS + scale;

  sum->place[at] += number % BILLION;
  sum->place[at - 9] += number / BILLION;
  note(sum);
}

bool
rille_exact_add_text(rille_exact *sum, rille_str text, bool negative)
{
  rille_decimal decimal;
  size_t at = 0, place;

  if (text.len > RILLE_DECIMAL_BYTES || !rille_decimal_read(text, &decimal))
    return false;
  negative = negative != (text.at[0] == '-');
  while (text.at[at] == '-' || text.at[at] == '+' || text.at[at] == '0')
    if (++at == text.len)
      return true;
  for (place = UNITS + 1 - decimal.whole; at < text.len; at++)
    if (text.at[at] != '.') {
      sum->place[place] += negative ? '0' - text.at[at] : text.at[at] - '0';
      place++;
    }
  note(sum);
  return true;
}

bool
rille_exact_add_real(rille_exact *sum, double real, int scale, bool negative)
{
  static const double powers[] = { 1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                   1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16 };
  char room[RILLE_DECIMAL_PRINT_BYTES];

  if (!isfinite(real))
    return false;
  if (scale >= 0 && scale < (int)(sizeof powers / sizeof powers[0]) && fabs(real * powers[scale]) < 1e15) {
    int64_t scaled = llround(real * powers[scale]);

    if ((double)scaled / powers[scale] == real) { /* a quotient is rounded as a text that is read */
      rille_exact_add_integer(sum, negative ? -scaled : scaled, (size_t)scale);
      return true;
    }
  }
  return rille_exact_add_text(sum, (rille_str){ room, rille_decimal_print(room, scale, real) }, negative);
}

static void
negate(rille_exact *sum)
{
  for (size_t i = 0; i < PLACES; i++)
    sum->place[i] = -sum->place[i];
}

/* Makes every place a digit of what the sum is without its sign; true when that is below zero. */
static bool
finish(rille_exact *sum)
{
  size_t first = 0;
  bool negative;

  settle(sum);
  while (first < PLACES && sum->place[first] == 0)
    first++;
  negative = first < PLACES && sum->place[first] < 0;
  if (negative)
    negate(sum);
  for (size_t i = PLACES - 1; i > 0; i--)
    if (sum->place[i] < 0) {
      sum->place[i] += 10;
      sum->place[i - 1]--;
    }
  return negative;
}

/* Writes digits from the first that is not 0, or the ones, to `scale` places behind the point. */
static size_t
write_places(const int64_t place[PLACES], bool negative, size_t scale, char *to)
{
  size_t len = 0, at = 0;

  while (at < UNITS && place[at] == 0)
    at++;
  if (negative)
    to[len++] = '-';
  for (; at <= UNITS + scale; at++) {
    to[len++] = (char)('0' + place[at]);
    if (at == UNITS && scale > 0)
      to[len++] = '.';
  }
  return len;
}

size_t
rille_exact_write(rille_exact *sum, size_t scale, char to[RILLE_EXACT_BYTES])
{
  bool negative = finish(sum);
  size_t last = PLACES - 1, len;

  while (last > UNITS + scale && sum->place[last] == 0)
    last--;
  len = write_places(sum->place, negative, last - UNITS, to);
  if (negative)
    negate(sum);
  return len;
}

/* Adds one in the last of the places that are written. */
static void
round_up(int64_t place[PLACES], size_t last)
{
  for (place[last]++; last > 0 && place[last] == 10; last--) {
    place[last] = 0;
    place[last - 1]++;
  }
}

size_t
rille_exact_divide(rille_exact *sum, int64_t count, size_t scale, char to[RILLE_EXACT_BYTES])
{
  int64_t quotient[PLACES] = { 0 };
  bool negative = finish(sum), any = false;
  uint64_t rest = 0, by = (uint64_t)count;
  size_t last = UNITS + scale;

  for (size_t i = 0; i <= last; i++) {
    rest = rest * 10 + (uint64_t)sum->place[i];
    quotient[i] = (int64_t)(rest / by);
    rest %= by;
  }
  if (rest * 10 + (uint64_t)sum->place[last + 1] >= by * 5)
    round_up(quotient, last);
  for (size_t i = 0; i <= last; i++)
    any = any || quotient[i] != 0;
  if (negative)
    negate(sum);
  return write_places(quotient, negative && any, scale, to);
}
