/* core/base/json.h - values as JSON, each written exactly and into room that the caller has made. */
#ifndef RILLE_JSON_H
#define RILLE_JSON_H

#include "core/base/cell.h"

enum { RILLE_JSON_NUMBER_BYTES = 40 }; /* room that a number may need */

/* Room that the text may need in quotes: enough whatever is in it, and no more than what it takes where that would be
** far too much. */
size_t rille_json_text_room(rille_str text);

/* Writes the text in quotes to `to`, which has rille_json_text_room bytes.  What JSON wants escaped is; all else stands
** as it is, in UTF-8.  Returns where the writing ended; NULL for what is no UTF-8. */
char *rille_json_text(char *to, rille_str text);

/* Writes an integer, of any size in digits, to `to`, which has RILLE_JSON_NUMBER_BYTES.  Returns its end. */
char *rille_json_integer(char *to, int64_t integer);

/* Writes a number with the fewest digits that read back as the same one, and so that it stays one with a fraction
** ("1.0"), to `to`, which has RILLE_JSON_NUMBER_BYTES.  Returns its end; NULL for NaN and what is infinite. */
char *rille_json_real(char *to, double real);

/* Bytes that `len` bytes take in base64, quotes included. */
size_t rille_json_base64_room(size_t len);

/* Writes bytes as base64 (RFC 4648, padded) in quotes to `to`, which has rille_json_base64_room bytes. Returns its
** end. */
char *rille_json_base64(char *to, rille_str bytes);

#endif
