/* core/base/hex.c - digits are written and read by hand: no locale has a say. */
#include "core/base/hex.h"

void
rille_hex_write(const unsigned char *bytes, size_t count, char *hex)
{
  for (size_t i = 0; i < 2 * count; i++)
    hex[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
}

static int
digit(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
rille_hex_read(rille_str hex, unsigned char *bytes, size_t count)
{
  if (hex.len != 2 * count)
    return false;
  for (size_t i = 0; i < count; i++) {
    int high = digit(hex.at[2 * i]), low = digit(hex.at[2 * i + 1]);

    if (high < 0 || low < 0)
      return false;
    bytes[i] = (unsigned char)(high << 4 | low);
  }
  return true;
}
