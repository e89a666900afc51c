/* core/driver/postgres_time.h - moments and days as PostgreSQL keeps and prints them, and as texts. */
#ifndef RILLE_POSTGRES_TIME_H
#define RILLE_POSTGRES_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum { RILLE_POSTGRES_TIME_BYTES = 48 };

/* Writes microseconds since 2000 as 2026-11-20T12:00:00.000000Z.  A year before 1 has BC behind all, one after 9999 has
** more digits; the two moments that are none are "infinity" and "-infinity".  Returns the
** bytes; no NUL is behind them. */
size_t rille_postgres_moment(int64_t micros, char text[RILLE_POSTGRES_TIME_BYTES]);

/* Writes days since 2000 as 2026-11-20, with the same exceptions. */
size_t rille_postgres_day(int32_t days, char text[RILLE_POSTGRES_TIME_BYTES]);

/* Reads what the server prints in DateStyle ISO ("2026-11-20 12:00:00.5+02"); without a zone it is UTC.  False for
** another style. */
bool rille_postgres_read_moment(rille_str text, int64_t *micros);

#endif
