/* core/base/shown.h - names and texts as a message shows them: nothing that a terminal obeys, and never too long. */
#ifndef RILLE_SHOWN_H
#define RILLE_SHOWN_H

#include "core/base/text.h"

enum { RILLE_SHOWN_BYTES = 64 }; /* of a name or a value; every name that may be used fits */

/* Returned by value, so that it can stand where a message is made: `rille_show(name).text`. */
typedef struct rille_shown {
  char text[RILLE_SHOWN_BYTES + sizeof "\xE2\x80\xA6"];
} rille_shown;

/* The text in at most RILLE_SHOWN_BYTES bytes of UTF-8, with an ellipsis behind them where something is missing.  What
** a terminal would obey (control characters, direction overrides) and bytes that are not UTF-8 become \n, \x1B,
** \u{202E}.  No text is shown as "". */
rille_shown rille_show(rille_str text);

/* The same into `to`, which has room for `size` bytes, at least 4, the ellipsis and NUL among them. */
void rille_show_into(rille_str text, char *to, size_t size);

#endif
