/* core/base/cell.c - what may be a text, and how numbers are written. */
#include "core/base/cell.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Table 3-7 of the Unicode standard. */
size_t
rille_text_sequence_bytes(rille_str text)
{
  const unsigned char *s = (const unsigned char *)text.at;
  unsigned char lead = text.len > 0 ? s[0] : 0, low = 0x80, high = 0xBF;
  size_t len = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;

  if (len == 0 || len > text.len)
    return 0;
  switch (lead) {
  case 0xE0: low = 0xA0; break;
  case 0xED: high = 0x9F; break;
  case 0xF0: low = 0x90; break;
  case 0xF4: high = 0x8F; break;
  default: break;
  }
  if (s[1] < low || s[1] > high)
    return 0;
  for (size_t i = 2; i < len; i++)
    if ((s[i] & 0xC0) != 0x80)
      return 0;
  return len;
}

/* True when the eight bytes are ASCII and none is NUL. */
static bool
plain_word(const unsigned char *s)
{
  const uint64_t highs = 0x8080808080808080u, ones = 0x0101010101010101u;
  uint64_t word;

  memcpy(&word, s, sizeof word);
  return (word & highs) == 0 && ((word - ones) & highs) == 0;
}

size_t
rille_text_clean_bytes(rille_str text)
{
  const unsigned char *s = (const unsigned char *)text.at;
  size_t i = 0;

  while (i < text.len) {
    if (text.len - i >= 8 && plain_word(s + i)) {
      i += 8;
    } else if (s[i] != 0 && s[i] < 0x80) {
      i++;
    } else {
      size_t len = rille_text_sequence_bytes((rille_str){ text.at + i, text.len - i });

      if (len == 0)
        return i;
      i += len;
    }
  }
  return text.len;
}

bool
rille_text_is_clean(rille_str text)
{
  return rille_text_clean_bytes(text) == text.len;
}

size_t
rille_text_characters(rille_str text)
{
  size_t count = 0;

  for (size_t i = 0; i < text.len; i++)
    count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
  return count;
}

/* Numbers as SQL and JSON write them: the process's locale may want a comma for the point. */
static locale_t
plain_locale(void)
{
  return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); /* "C" is there already: nothing is made */
}

size_t
rille_real_print(char *text, size_t size, int decimals, double real)
{
  locale_t before = plain_locale();
  int wanted = decimals < 0 ? snprintf(text, size, "%.17g", real) : snprintf(text, size, "%.*f", decimals, real);

  (void)uselocale(before);
  return (size_t)wanted;
}

size_t
rille_real_shortest(char *text, size_t size, double real)
{
  locale_t before = plain_locale();
  int wanted = 0;

  for (int digits = 15; digits <= 17; digits++) {
    wanted = snprintf(text, size, "%.*g", digits, real);
    if (strtod(text, NULL) == real)
      break;
  }
  (void)uselocale(before);
  return (size_t)wanted;
}

/* Leaves a mantissa, which has a point, no zeros at its end but one behind the point. */
static void
shorten_mantissa(char *text)
{
  char *end = text + strcspn(text, "e"), *last = end;
  bool whole;

  while (last[-1] == '0')
    last--;
  whole = last[-1] == '.';
  memmove(last + whole, end, strlen(end) + 1);
  if (whole)
    *last = '0';
}

size_t
rille_real_text(char text[RILLE_REAL_BYTES], double real)
{
  bool plain = real == 0 || (fabs(real) >= 1e-4 && fabs(real) < 1e15);
  locale_t before;

  if (plain) {
    size_t len = rille_real_shortest(text, RILLE_REAL_BYTES, real);

    if (strchr(text, '.') == NULL)
      (void)snprintf(text + len, RILLE_REAL_BYTES - len, ".0");
    return strlen(text);
  }
  before = plain_locale();
  for (int digits = 0; digits < 17; digits++) { /* behind the point */
    (void)snprintf(text, RILLE_REAL_BYTES, "%#.*e", digits, real);
    if (strtod(text, NULL) == real)
      break;
  }
  (void)uselocale(before);
  shorten_mantissa(text);
  return strlen(text);
}

double
rille_real_read(const char *text)
{
  locale_t before = plain_locale();
  double real = strtod(text, NULL);

  (void)uselocale(before);
  return real;
}

bool
rille_cell_equal(const rille_cell *a, const rille_cell *b)
{
  if (a->kind != b->kind)
    return false;
  switch (a->kind) {
  case RILLE_NULL: return true;
  case RILLE_REAL: return a->as.real == b->as.real;
  case RILLE_TEXT:
  case RILLE_BLOB: return rille_str_equal(a->as.text, b->as.text);
  default: return a->as.integer == b->as.integer;
  }
}

const char *
rille_cell_kind_name(rille_cell_kind kind)
{
  static const char *const names[] = { "NULL", "an integer", "a real number", "a text", "bytes", "a boolean" };

  return names[kind];
}
