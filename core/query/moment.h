/* core/query/moment.h - points in time: ISO 8601 text and microseconds since 1970, both in UTC. */
#ifndef RILLE_MOMENT_H
#define RILLE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum {
  RILLE_MOMENT_BYTES = 27, /* 2026-11-20T12:00:00.000000Z */
  RILLE_DATE_BYTES = 10
};

/* Reads a date, or a date and time with optional fraction and zone (Z, +02:00; none means UTC), between the years 0000
** and 9999.  False when the text is no such thing, 30 February included. */
bool rille_moment_parse(rille_str text, int64_t *micros);

/* Writes the canonical text and a NUL.  False when the year is outside 0000 to 9999. */
bool rille_moment_format(int64_t micros, char text[RILLE_MOMENT_BYTES + 1]);

/* This moment by the system's clock. */
int64_t rille_moment_now(void);

#endif
