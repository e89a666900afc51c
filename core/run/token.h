/* core/run/token.h - a place in a database's history of commits, and the text in which users pass it on. */
#ifndef RILLE_TOKEN_H
#define RILLE_TOKEN_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/base/text.h"

/* A moment of one database: all that was committed until `position` was there.  Positions grow; an epoch is a stretch
** of history that one chain of writers made, and `nonce` tells it from another one that took the same number (after a
** failover, or when a backup was put back). */
typedef struct rille_place {
  uint64_t cluster; /* which database; see history.h */
  uint32_t epoch, nonce;
  uint64_t position;
  uint64_t bound; /* what was seen at a replica are transactions with numbers below this; 0: seen at the primary */
} rille_place;

enum {
  RILLE_SECRET_BYTES = 32,
  /* r2.<cluster>.<epoch>.<nonce>.<position>.<bound>.<signature>: in hex, of fixed width, so that the tokens of one
  ** epoch sort as texts. */
  RILLE_TOKEN_BYTES = 2 + 1 + 16 + 1 + 8 + 1 + 8 + 1 + 16 + 1 + 16 + 1 + 16
};

/* A place is written as its token begins, without the signature: for one's own use, for signing costs more than all
** else.  A NUL is behind it. */
enum { RILLE_PLACE_BYTES = RILLE_TOKEN_BYTES - 17 };
void rille_place_write(const rille_place *place, char text[RILLE_PLACE_BYTES + 1]);

/* Makes a token of what rille_place_write wrote: the signature and a NUL go behind it. */
void rille_place_sign(char text[RILLE_TOKEN_BYTES + 1], const unsigned char secret[RILLE_SECRET_BYTES]);

/* Reads what rille_place_write wrote, or the beginning of a token; false when it is neither. */
bool rille_place_read(rille_str text, rille_place *place);

/* Writes the token of a place and a NUL.  Only who has the secret can make one: a token goes through browsers. */
void rille_token_write(const rille_place *place, const unsigned char secret[RILLE_SECRET_BYTES],
                       char text[RILLE_TOKEN_BYTES + 1]);

/* Reads a token; nothing is known of its signature yet.  `invalid_token` when it is not one. */
rille_status rille_token_read(rille_str text, rille_place *place, rille_fault *fault);

/* True when `text`, which rille_token_read took, was made with the secret.  Takes the same time for every wrong one. */
bool rille_token_is_signed(rille_str text, const unsigned char secret[RILLE_SECRET_BYTES]);

#endif
