/* core/base/hex.h - bytes as hex digits, and back. */
#ifndef RILLE_HEX_H
#define RILLE_HEX_H

#include "core/base/text.h"

/* Writes two lower-case digits for each of `count` bytes, and no NUL. */
void rille_hex_write(const unsigned char *bytes, size_t count, char *hex);

/* Reads what rille_hex_write wrote for `count` bytes; false when `hex` is anything else. */
bool rille_hex_read(rille_str hex, unsigned char *bytes, size_t count);

#endif
