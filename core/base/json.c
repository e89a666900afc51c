/* core/base/json.c - texts are looked at and copied by words of eight bytes as long as nothing in one is special. */
#include "core/base/json.h"

#include <math.h>

static const uint64_t HIGHS = 0x8080808080808080u, ONES = 0x0101010101010101u;

/* Above this a text is looked at before room is made for it: six times its length would be too much. */
enum { SMALL_TEXT_BYTES = 1024 };

/* The letter behind the backslash for each control character; u: \u00XX. */
static const char CONTROLS[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

/* The letter behind the backslash for a byte that wants one, otherwise NUL. */
static char
escape_of(unsigned char byte)
{
  if (byte < 0x20)
    return CONTROLS[byte];
  return byte == '"' || byte == '\\' ? (char)byte : '\0';
}

/* True when none of the eight bytes is special: not ASCII, a control character, a quote or a backslash.  May be false
** for a word that has none only where it has one. */
static bool
plain_word(uint64_t word)
{
  uint64_t quote = word ^ ONES * '"', backslash = word ^ ONES * '\\';
  uint64_t found = word | (word - ONES * 0x20) | (quote - ONES) | (backslash - ONES);

  return (found & HIGHS) == 0;
}

size_t
rille_json_text_room(rille_str text)
{
  size_t room = text.len + 2;

  if (text.len <= SMALL_TEXT_BYTES)
    return room + 5 * text.len;
  for (size_t i = 0; i < text.len; i++) {
    char escape = escape_of((unsigned char)text.at[i]);

    room += escape == '\0' ? 0 : escape == 'u' ? 5 : 1;
  }
  return room;
}

static char *
write_escape(char *to, unsigned char byte, char escape)
{
  static const char digits[] = "0123456789abcdef";

  *to++ = '\\';
  *to++ = escape;
  if (escape == 'u') {
    *to++ = '0';
    *to++ = '0';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
  }
  return to;
}

char *
rille_json_text(char *to, rille_str text)
{
  const char *at = text.at, *end = text.at + text.len;

  *to++ = '"';
  while (at < end) {
    if (end - at >= 8) {
      uint64_t word;

      memcpy(&word, at, sizeof word);
      memcpy(to, at, sizeof word); /* there is room: what is left of the text takes at least as much */
      if (plain_word(word)) {
        at += 8;
        to += 8;
        continue;
      }
    }
    if ((unsigned char)*at >= 0x80) {
      size_t len = rille_text_sequence_bytes((rille_str){ at, (size_t)(end - at) });

      if (len == 0)
        return NULL;
      memcpy(to, at, len);
      to += len;
      at += len;
    } else {
      char escape = escape_of((unsigned char)*at);

      if (escape != '\0')
        to = write_escape(to, (unsigned char)*at, escape);
      else
        *to++ = *at;
      at++;
    }
  }
  *to++ = '"';
  return to;
}

char *
rille_json_integer(char *to, int64_t integer)
{
  char digits[20];
  uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
  size_t at = sizeof digits;

  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (integer < 0)
    *to++ = '-';
  memcpy(to, digits + at, sizeof digits - at);
  return to + (sizeof digits - at);
}

char *
rille_json_real(char *to, double real)
{
  static const double exact = 1e15; /* below it the digits of a whole number are its shortest form */
  size_t len;

  if (!isfinite(real))
    return NULL;
  if (real > -exact && real < exact && real == (double)(int64_t)real && (real != 0 || !signbit(real))) {
    to = rille_json_integer(to, (int64_t)real);
    memcpy(to, ".0", 2);
    return to + 2;
  }
  len = rille_real_shortest(to, RILLE_JSON_NUMBER_BYTES, real);
  to[len] = '\0';
  if (strpbrk(to, ".e") == NULL) {
    memcpy(to + len, ".0", 2);
    len += 2;
  }
  return to + len;
}

size_t
rille_json_base64_room(size_t len)
{
  return (len + 2) / 3 * 4 + 2;
}

char *
rille_json_base64(char *to, rille_str bytes)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *in = (const unsigned char *)bytes.at;

  *to++ = '"';
  for (size_t i = 0; i < bytes.len; i += 3) {
    size_t left = bytes.len - i;
    uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);

    *to++ = letters[three >> 18];
    *to++ = letters[three >> 12 & 63];
    *to++ = left > 1 ? letters[three >> 6 & 63] : '=';
    *to++ = left > 2 ? letters[three & 63] : '=';
  }
  *to++ = '"';
  return to;
}
