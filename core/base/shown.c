/* core/base/shown.c - escapes and shortens what a message quotes. */
#include "core/base/shown.h"

#include <stdint.h>
#include <stdio.h>

#include "core/base/cell.h"

#define ELLIPSIS "\xE2\x80\xA6"

enum { PIECE_BYTES = 16 };

static uint32_t
code_point(const unsigned char *s, size_t bytes)
{
  uint32_t code = s[0] & (0xFFu >> (bytes + 1));

  for (size_t i = 1; i < bytes; i++)
    code = code << 6 | (s[i] & 0x3Fu);
  return code;
}

/* Beyond ASCII: prints nothing itself but changes what is seen around it. */
static bool
is_hidden(uint32_t code)
{
  return code < 0xA0                           /* C1: an escape sequence may begin with U+009B */
         || (code >= 0x202A && code <= 0x202E) /* direction overrides */
         || (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029 || code == 0xFEFF;
}

/* Writes what stands for the first character of `text`, which is not empty; how many bytes of it that is. */
static size_t
take(rille_str text, char piece[PIECE_BYTES])
{
  unsigned char first = (unsigned char)text.at[0];
  size_t bytes = first < 0x80 ? 1 : rille_text_sequence_bytes(text);

  if (first == '\n' || first == '\r' || first == '\t')
    (void)snprintf(piece, PIECE_BYTES, "\\%c", first == '\n' ? 'n' : first == '\r' ? 'r' : 't');
  else if (bytes == 0 || first < 0x20 || first == 0x7F)
    (void)snprintf(piece, PIECE_BYTES, "\\x%02X", first);
  else if (bytes > 1 && is_hidden(code_point((const unsigned char *)text.at, bytes)))
    (void)snprintf(piece, PIECE_BYTES, "\\u{%X}", (unsigned)code_point((const unsigned char *)text.at, bytes));
  else
    (void)snprintf(piece, PIECE_BYTES, "%.*s", (int)bytes, text.at);
  return bytes > 0 ? bytes : 1;
}

void
rille_show_into(rille_str text, char *to, size_t size)
{
  size_t at = 0, written = 0;

  while (at < text.len) {
    char piece[PIECE_BYTES];
    size_t bytes = take((rille_str){ text.at + at, text.len - at }, piece), len = strlen(piece);

    if (written + len + sizeof ELLIPSIS > size) {
      memcpy(to + written, ELLIPSIS, sizeof ELLIPSIS - 1);
      written += sizeof ELLIPSIS - 1;
      break;
    }
    memcpy(to + written, piece, len);
    written += len;
    at += bytes;
  }
  to[written] = '\0';
}

rille_shown
rille_show(rille_str text)
{
  rille_shown shown;

  rille_show_into(text, shown.text, sizeof shown.text);
  return shown;
}
