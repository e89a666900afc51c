/* core/base/sha256.h - the SHA-256 digest (FIPS 180-4), for checksums of migrations. */
#ifndef RILLE_SHA256_H
#define RILLE_SHA256_H

#include "core/base/text.h"

enum { RILLE_SHA256_HEX = 64 };

/* Writes the digest of `bytes` as lower-case hex digits and a NUL into `hex`. */
void rille_sha256_hex(rille_str bytes, char hex[RILLE_SHA256_HEX + 1]);

#endif
