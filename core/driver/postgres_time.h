/* core/driver/postgres_time.h - moments and days as PostgreSQL keeps and prints them, and as texts. */
#ifndef RILLE_POSTGRES_TIME_H
#define RILLE_POSTGRES_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum { RILLE_POSTGRES_TIME_BYTES = 48 };

/* The moment that was written last, over which the next one is written: mostly it has the same day.  Zeroed at
** first. */
typedef struct rille_postgres_written {
  char text[RILLE_POSTGRES_TIME_BYTES];
  size_t day_bytes; /* of `text`; 0: nothing was written */
  int64_t days, year;
} rille_postgres_written;

/* Writes microseconds since 2000 as 2026-11-20T12:00:00.000000Z.  A year before 1 has BC behind all, one after 9999 has
** more digits; the two moments that are none are "infinity" and "-infinity".  The text is borrowed from `last`; no NUL
** is behind it. */
rille_str rille_postgres_moment(int64_t micros, rille_postgres_written *last);

/* Writes days since 2000 as 2026-11-20, with the same exceptions. */
size_t rille_postgres_day(int32_t days, char text[RILLE_POSTGRES_TIME_BYTES]);

/* Reads what the server prints in DateStyle ISO ("2026-11-20 12:00:00.5+02"); without a zone it is UTC.  False for
** another style. */
bool rille_postgres_read_moment(rille_str text, int64_t *micros);

/* Reads a moment as columns are given one, "2026-11-20T12:00:00.000000Z" of the years from 1 to 9999.  False for all
** else, of which the server says what it means, or that it means nothing. */
bool rille_postgres_given_moment(rille_str text, int64_t *micros);

#endif
