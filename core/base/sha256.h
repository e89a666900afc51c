/* core/base/sha256.h - the SHA-256 digest (FIPS 180-4), and texts signed with a key by it (HMAC, RFC 2104). */
#ifndef RILLE_SHA256_H
#define RILLE_SHA256_H

#include "core/base/text.h"

enum { RILLE_SHA256_BYTES = 32, RILLE_SHA256_HEX = 64 };

/* Writes the digest of `bytes`. */
void rille_sha256(rille_str bytes, unsigned char out[RILLE_SHA256_BYTES]);

/* Writes the digest of `bytes` as lower-case hex digits and a NUL into `hex`. */
void rille_sha256_hex(rille_str bytes, char hex[RILLE_SHA256_HEX + 1]);

/* Writes the signature of `bytes` by whoever has the key.  `out` may not overlap what is signed. */
void rille_hmac_sha256(rille_str key, rille_str bytes, unsigned char out[RILLE_SHA256_BYTES]);

#endif
