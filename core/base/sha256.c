/* core/base/sha256.c - FIPS 180-4, section 6.2, and RFC 2104 over it. */
#include "core/base/sha256.h"

#include <stdint.h>

#include "core/base/hex.h"

static const uint32_t ROUND[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
                                    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
                                    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
                                    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
                                    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
                                    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
                                    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
                                    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                                    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
                                    0xc67178f2 };

static uint32_t
rotate(uint32_t x, int n)
{
  return x >> n | x << (32 - n);
}

/* One round, with the names that its eight variables have in it: what h becomes is the next one's a, and so all move on
** by one without being moved. */
static inline void
turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g, uint32_t *h, uint32_t word)
{
  *h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + word;
  *d += *h;
  *h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
}

static void
compress(uint32_t state[8], const unsigned char block[64])
{
  uint32_t w[64], v[8];

  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
           block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  memcpy(v, state, sizeof v);
  for (int i = 0; i < 64; i += 8) {
    turn(v[0], v[1], v[2], &v[3], v[4], v[5], v[6], &v[7], ROUND[i] + w[i]);
    turn(v[7], v[0], v[1], &v[2], v[3], v[4], v[5], &v[6], ROUND[i + 1] + w[i + 1]);
    turn(v[6], v[7], v[0], &v[1], v[2], v[3], v[4], &v[5], ROUND[i + 2] + w[i + 2]);
    turn(v[5], v[6], v[7], &v[0], v[1], v[2], v[3], &v[4], ROUND[i + 3] + w[i + 3]);
    turn(v[4], v[5], v[6], &v[7], v[0], v[1], v[2], &v[3], ROUND[i + 4] + w[i + 4]);
    turn(v[3], v[4], v[5], &v[6], v[7], v[0], v[1], &v[2], ROUND[i + 5] + w[i + 5]);
    turn(v[2], v[3], v[4], &v[5], v[6], v[7], v[0], &v[1], ROUND[i + 6] + w[i + 6]);
    turn(v[1], v[2], v[3], &v[4], v[5], v[6], v[7], &v[0], ROUND[i + 7] + w[i + 7]);
  }
  for (int i = 0; i < 8; i++)
    state[i] += v[i];
}

/* A digest that is being made. */
struct digest {
  uint32_t state[8];
  unsigned char block[64]; /* what does not fill a block yet */
  uint64_t bytes;          /* so far */
};

static struct digest
begin(void)
{
  return (struct digest){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                                     0x5be0cd19 } };
}

static void
add(struct digest *digest, const void *bytes, size_t len)
{
  const unsigned char *at = bytes;
  size_t kept = (size_t)(digest->bytes % 64);

  digest->bytes += len;
  while (len > 0) {
    size_t taken = len < 64 - kept ? len : 64 - kept;

    memcpy(digest->block + kept, at, taken);
    at += taken;
    len -= taken;
    kept = (kept + taken) % 64;
    if (kept == 0)
      compress(digest->state, digest->block);
  }
}

static void
finish(struct digest *digest, unsigned char out[RILLE_SHA256_BYTES])
{
  static const unsigned char padding[64] = { 0x80 };
  uint64_t bits = digest->bytes * 8;
  size_t kept = (size_t)(digest->bytes % 64);
  unsigned char length[8];

  add(digest, padding, kept < 56 ? 56 - kept : 120 - kept);
  for (int i = 0; i < 8; i++)
    length[i] = (unsigned char)(bits >> (56 - 8 * i));
  add(digest, length, sizeof length);
  for (int i = 0; i < RILLE_SHA256_BYTES; i++)
    out[i] = (unsigned char)(digest->state[i / 4] >> (24 - 8 * (i % 4)));
}

void
rille_sha256(rille_str bytes, unsigned char out[RILLE_SHA256_BYTES])
{
  struct digest digest = begin();

  add(&digest, bytes.at, bytes.len);
  finish(&digest, out);
}

void
rille_sha256_hex(rille_str bytes, char hex[RILLE_SHA256_HEX + 1])
{
  unsigned char out[RILLE_SHA256_BYTES];

  rille_sha256(bytes, out);
  rille_hex_write(out, sizeof out, hex);
  hex[RILLE_SHA256_HEX] = '\0';
}

void
rille_hmac_sha256(rille_str key, rille_str bytes, unsigned char out[RILLE_SHA256_BYTES])
{
  unsigned char inner[64] = { 0 }, outer[64];
  struct digest digest = begin();

  if (key.len > sizeof inner)
    rille_sha256(key, inner);
  else if (key.len > 0)
    memcpy(inner, key.at, key.len);
  for (size_t i = 0; i < sizeof inner; i++) {
    outer[i] = inner[i] ^ 0x5c;
    inner[i] ^= 0x36;
  }
  add(&digest, inner, sizeof inner);
  add(&digest, bytes.at, bytes.len);
  finish(&digest, out);
  digest = begin();
  add(&digest, outer, sizeof outer);
  add(&digest, out, RILLE_SHA256_BYTES);
  finish(&digest, out);
}
