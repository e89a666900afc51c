/* core/base/json_check.h - whether a text is JSON, to the letter: then it may stand inside another as it is. */
#ifndef RILLE_JSON_CHECK_H
#define RILLE_JSON_CHECK_H

#include "core/base/text.h"

/* True when the text is one JSON value (RFC 8259) in UTF-8, with space around it perhaps, that nests arrays and objects
** at most `depth` deep.  An escaped half of a surrogate pair is refused: no text can hold it. */
bool rille_json_check(rille_str text, int depth);

#endif
