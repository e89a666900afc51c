/* core/run/token.c - tokens are read as strictly as they are written. */
#include "core/run/token.h"

#include "core/base/sha256.h"
#include "core/base/shown.h"

#define VERSION "r2"

enum { SIGNATURE_BYTES = 8 };

/* Writes a point and `digits` hex digits; returns what is behind them. */
static char *
write_hex(char *at, uint64_t value, int digits)
{
  *at++ = '.';
  for (int i = digits - 1; i >= 0; i--)
    *at++ = "0123456789abcdef"[value >> (4 * i) & 15];
  return at;
}

/* Reads what write_hex wrote; NULL when it is anything else. */
static const char *
read_hex(const char *at, uint64_t *value, int digits)
{
  if (at == NULL || *at++ != '.')
    return NULL;
  *value = 0;
  for (int i = 0; i < digits; i++, at++) {
    bool digit = *at >= '0' && *at <= '9';

    if (!digit && (*at < 'a' || *at > 'f'))
      return NULL;
    *value = *value << 4 | (uint64_t)(digit ? *at - '0' : *at - 'a' + 10);
  }
  return at;
}

/* The signature as a number. */
static uint64_t
sign(const char *text, const unsigned char secret[RILLE_SECRET_BYTES])
{
  unsigned char digest[RILLE_SHA256_BYTES];
  uint64_t signature = 0;

  rille_hmac_sha256((rille_str){ (const char *)secret, RILLE_SECRET_BYTES }, (rille_str){ text, RILLE_PLACE_BYTES },
                    digest);
  for (int i = 0; i < SIGNATURE_BYTES; i++)
    signature = signature << 8 | digest[i];
  return signature;
}

void
rille_place_write(const rille_place *place, char text[RILLE_PLACE_BYTES + 1])
{
  char *at = text;

  memcpy(at, VERSION, sizeof VERSION - 1);
  at = write_hex(at + sizeof VERSION - 1, place->cluster, 16);
  at = write_hex(at, place->epoch, 8);
  at = write_hex(at, place->nonce, 8);
  at = write_hex(at, place->position, 16);
  at = write_hex(at, place->bound, 16);
  *at = '\0';
}

void
rille_place_sign(char text[RILLE_TOKEN_BYTES + 1], const unsigned char secret[RILLE_SECRET_BYTES])
{
  *write_hex(text + RILLE_PLACE_BYTES, sign(text, secret), 16) = '\0';
}

void
rille_token_write(const rille_place *place, const unsigned char secret[RILLE_SECRET_BYTES],
                  char text[RILLE_TOKEN_BYTES + 1])
{
  rille_place_write(place, text);
  rille_place_sign(text, secret);
}

bool
rille_place_read(rille_str text, rille_place *place)
{
  uint64_t epoch = 0, nonce = 0;
  const char *at = NULL;

  if (text.len >= RILLE_PLACE_BYTES && memcmp(text.at, VERSION, sizeof VERSION - 1) == 0)
    at = read_hex(text.at + sizeof VERSION - 1, &place->cluster, 16);
  at = read_hex(at, &epoch, 8);
  at = read_hex(at, &nonce, 8);
  at = read_hex(at, &place->position, 16);
  at = read_hex(at, &place->bound, 16);
  place->epoch = (uint32_t)epoch;
  place->nonce = (uint32_t)nonce;
  return at != NULL;
}

rille_status
rille_token_read(rille_str text, rille_place *place, rille_fault *fault)
{
  uint64_t signature;

  if (text.len == RILLE_TOKEN_BYTES && rille_place_read(text, place) &&
      read_hex(text.at + RILLE_PLACE_BYTES, &signature, 16) != NULL)
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_INVALID_TOKEN, "\"%s\" is not a session's token", rille_show(text).text);
  rille_fault_hint(fault, "pass on what session:token() gave, whole and unchanged; without a token, leave it out");
  return RILLE_INVALID_TOKEN;
}

bool
rille_token_is_signed(rille_str text, const unsigned char secret[RILLE_SECRET_BYTES])
{
  uint64_t signature = 0;

  return read_hex(text.at + RILLE_PLACE_BYTES, &signature, 16) != NULL && (signature ^ sign(text.at, secret)) == 0;
}
