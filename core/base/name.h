/* core/base/name.h - identifiers that may be used, and the nearest known one to a name that is not known. */
#ifndef RILLE_NAME_H
#define RILLE_NAME_H

#include "core/base/status.h"
#include "core/base/text.h"

enum { RILLE_NAME_MAX = 63 }; /* bytes; PostgreSQL silently cuts longer ones, so nobody may have them */

/* RILLE_OK when `name` may name a table, column or alias: 1 to RILLE_NAME_MAX bytes of clean UTF-8 without control
** characters.  Otherwise invalid_argument; `what` says what was to be named ("a column"). */
rille_status rille_name_check(rille_str name, const char *what, rille_fault *fault);

/* Edits between two names (insert, delete, replace, swap of neighbours; ASCII case is half an edit ignored), or a
** number above `limit` once it is sure to be.  Optimal string alignment distance; names over 64 bytes count as far. */
int rille_name_distance(rille_str a, rille_str b, int limit);

/* Collects the nearest of many names: init with the unknown name, offer each known one, read `best` (len 0: none
** near). */
typedef struct rille_nearest {
  rille_str wanted, best;
  int distance;
} rille_nearest;

/* Starts a search for a name near `wanted`, which is borrowed until the end of the search. */
void rille_nearest_init(rille_nearest *nearest, rille_str wanted);

/* Considers `known`, which is borrowed for as long as `best` is read. */
void rille_nearest_offer(rille_nearest *nearest, rille_str known);

/* Adds `did you mean "x"?` to the fault when a near name was found. */
void rille_nearest_hint(const rille_nearest *nearest, rille_fault *fault);

#endif
