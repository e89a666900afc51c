/* core/base/decimal.c - digits are counted and copied; nothing is computed, so nothing is rounded. */
#include "core/base/decimal.h"

#include "core/base/cell.h"

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* The first place from `at` on that holds no digit. */
static size_t
past_digits(rille_str text, size_t at)
{
  while (at < text.len && is_digit(text.at[at]))
    at++;
  return at;
}

static size_t
sign_bytes(rille_str text)
{
  return text.len > 0 && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0;
}

static size_t
past_zeros(rille_str text, size_t at)
{
  while (at < text.len && text.at[at] == '0')
    at++;
  return at;
}

static size_t
count_significant(rille_str text)
{
  size_t count = 0, zeros = 0;

  for (size_t i = 0; i < text.len; i++)
    if (text.at[i] == '0') {
      zeros += count > 0;
    } else if (is_digit(text.at[i])) {
      count += zeros + 1;
      zeros = 0;
    }
  return count;
}

bool
rille_decimal_read(rille_str text, rille_decimal *decimal)
{
  size_t start = sign_bytes(text), point = past_digits(text, start), end = point;

  *decimal = (rille_decimal){ .whole = point - (past_zeros(text, start) < point ? past_zeros(text, start) : point) };
  if (point == start)
    return false;
  if (point < text.len && text.at[point] == '.') {
    end = past_digits(text, point + 1);
    if (end == point + 1)
      return false;
    decimal->scale = end - point - 1;
    while (decimal->scale > 0 && text.at[point + decimal->scale] == '0')
      decimal->scale--;
  }
  decimal->significant = count_significant(text);
  return end == text.len;
}

static bool
is_blank(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static rille_str
without_blanks(rille_str text)
{
  for (; text.len > 0 && is_blank(text.at[0]); text.len--)
    text.at++;
  while (text.len > 0 && is_blank(text.at[text.len - 1]))
    text.len--;
  return text;
}

/* The exponent from `at` to the end of the text, where nothing is none; false for anything else. */
static bool
exponent_of(rille_str text, size_t at, int *exponent)
{
  bool negative;

  *exponent = 0;
  if (at == text.len)
    return true;
  if (text.at[at] != 'e' && text.at[at] != 'E')
    return false;
  at++;
  negative = at < text.len && text.at[at] == '-';
  if (at < text.len && (text.at[at] == '-' || text.at[at] == '+'))
    at++;
  if (at == text.len || past_digits(text, at) < text.len)
    return false;
  at = past_zeros(text, at);
  if (text.len - at > 3)
    return false;
  for (; at < text.len; at++)
    *exponent = *exponent * 10 + (text.at[at] - '0');
  if (negative)
    *exponent = -*exponent;
  return true;
}

size_t
rille_decimal_plain(rille_str text, char room[RILLE_DECIMAL_PLAIN_BYTES])
{
  size_t start, point, end, len = 0;
  int exponent, before; /* digits before the point; 0 and less: zeros behind it */

  if (text.len > RILLE_DECIMAL_SAID_BYTES)
    return 0;
  text = without_blanks(text);
  start = sign_bytes(text);
  point = past_digits(text, start);
  end = point < text.len && text.at[point] == '.' ? past_digits(text, point + 1) : point;
  if (end - start <= (size_t)(end > point) || !exponent_of(text, end, &exponent))
    return 0;
  before = (int)(point - start) + exponent;
  if (start > 0)
    room[len++] = text.at[0];
  if (before <= 0)
    room[len++] = '0';
  if (before < 0)
    room[len++] = '.';
  for (int i = before; i < 0; i++)
    room[len++] = '0';
  for (size_t i = start; i < end; i++)
    if (i != point) {
      if (before-- == 0)
        room[len++] = '.';
      room[len++] = text.at[i];
    }
  for (; before > 0; before--)
    room[len++] = '0';
  return len;
}

size_t
rille_decimal_write(rille_str text, size_t scale, char *to)
{
  size_t start = sign_bytes(text), point = past_digits(text, start), digit = past_zeros(text, start), len = 0;

  if (digit >= point)
    digit = point - 1; /* one zero stays before the point */
  if (text.at[0] == '-' && count_significant(text) > 0)
    to[len++] = '-';
  memcpy(to + len, text.at + digit, point - digit);
  len += point - digit;
  if (scale > 0)
    to[len++] = '.';
  for (size_t i = 0; i < scale; i++)
    to[len++] = point + 1 + i < text.len ? text.at[point + 1 + i] : '0';
  return len;
}

/* 1, -1, or 0 for zero. */
static int
sign_of(rille_str text)
{
  return count_significant(text) == 0 ? 0 : text.at[0] == '-' ? -1 : 1;
}

static char
digit_at(rille_str text, size_t at)
{
  return at < text.len ? text.at[at] : '0';
}

static int
compare_sizes(rille_str a, rille_str b)
{
  size_t a_point = past_digits(a, sign_bytes(a)), b_point = past_digits(b, sign_bytes(b));
  size_t a_start = past_zeros(a, sign_bytes(a)), b_start = past_zeros(b, sign_bytes(b));
  size_t a_whole = a_start < a_point ? a_point - a_start : 0, b_whole = b_start < b_point ? b_point - b_start : 0;
  int order = a_whole != b_whole ? (a_whole < b_whole ? -1 : 1)
              : a_whole > 0      ? memcmp(a.at + a_start, b.at + b_start, a_whole)
                                 : 0;

  for (size_t i = 1; order == 0 && (a_point + i < a.len || b_point + i < b.len); i++)
    order = digit_at(a, a_point + i) - digit_at(b, b_point + i);
  return order;
}

int
rille_decimal_compare(rille_str a, rille_str b)
{
  int a_sign = sign_of(a), b_sign = sign_of(b);
  int order = a_sign != b_sign ? a_sign - b_sign : a_sign * compare_sizes(a, b);

  return (order > 0) - (order < 0);
}

size_t
rille_decimal_print(char room[RILLE_DECIMAL_PRINT_BYTES], int scale, double real)
{
  size_t len = rille_real_print(room, RILLE_DECIMAL_PRINT_BYTES, scale, real);

  while (scale < RILLE_DECIMAL_MOST && rille_real_read(room) != real)
    len = rille_real_print(room, RILLE_DECIMAL_PRINT_BYTES, ++scale, real);
  return len;
}
