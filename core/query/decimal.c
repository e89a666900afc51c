/* core/query/decimal.c - digits are counted and copied; nothing is computed, so nothing is rounded. */
#include "core/query/decimal.h"

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
