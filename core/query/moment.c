/* core/query/moment.c - calendar arithmetic on the proleptic Gregorian calendar.
**
** Days and dates are converted with eras of 400 years that begin on 1 March, as in Howard Hinnant's "chrono-Compatible
** Low-Level Date Algorithms". */
#include "core/query/moment.h"

#include <time.h>

static const int64_t MICROS = 1000000, DAY_SECONDS = 86400;

/* 0000-01-01T00:00:00 and the microsecond before 10000-01-01 */
static const int64_t FIRST_MICROS = INT64_C(-62167219200000000), LAST_MICROS = INT64_C(253402300799999999);

static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

  return era * 146097 + day_of_era - 719468;
}

static void
date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;

  *day = day_of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = year_of_era + era * 400 + (*month <= 2);
}

static int
days_of_month(int64_t year, int64_t month)
{
  static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

  return days[month - 1] + (month == 2 && leap);
}

/* Reads exactly `count` digits at *at. */
static bool
digits(const char **at, const char *end, int count, int64_t *value)
{
  *value = 0;
  if (end - *at < count)
    return false;
  for (int i = 0; i < count; i++, (*at)++) {
    if (**at < '0' || **at > '9')
      return false;
    *value = *value * 10 + (**at - '0');
  }
  return true;
}

static bool
byte_is(const char **at, const char *end, char wanted)
{
  if (*at < end && **at == wanted) {
    (*at)++;
    return true;
  }
  return false;
}

/* A fraction of up to nine digits; beyond microseconds they are cut. */
static bool
fraction(const char **at, const char *end, int64_t *micros)
{
  int64_t unit = 100000;
  int count = 0;

  for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, count++) {
    *micros += (**at - '0') * unit;
    unit /= 10;
  }
  return count > 0 && count <= 9;
}

/* Z, +hh:mm, +hhmm, +hh or nothing; minutes east of Greenwich. */
static bool
zone(const char **at, const char *end, int64_t *minutes)
{
  int64_t hour = 0, minute = 0, sign;

  if (*at == end || byte_is(at, end, 'Z') || byte_is(at, end, 'z'))
    return true;
  if (**at != '+' && **at != '-')
    return false;
  sign = **at == '-' ? -1 : 1;
  (*at)++;
  if (!digits(at, end, 2, &hour))
    return false;
  if ((byte_is(at, end, ':') || *at < end) && !digits(at, end, 2, &minute))
    return false;
  *minutes = sign * (hour * 60 + minute);
  return hour <= 23 && minute <= 59;
}

bool
rille_moment_parse(rille_str text, int64_t *micros)
{
  const char *at = text.at, *end = text.at + text.len;
  int64_t year, month, day, hour = 0, minute = 0, second = 0, micro = 0, east = 0;

  if (!digits(&at, end, 4, &year) || !byte_is(&at, end, '-') || !digits(&at, end, 2, &month) ||
      !byte_is(&at, end, '-') || !digits(&at, end, 2, &day) || month < 1 || month > 12 || day < 1 ||
      day > days_of_month(year, month))
    return false;
  if (at < end) {
    if (!byte_is(&at, end, 'T') && !byte_is(&at, end, ' ') && !byte_is(&at, end, 't'))
      return false;
    if (!digits(&at, end, 2, &hour) || !byte_is(&at, end, ':') || !digits(&at, end, 2, &minute) || hour > 23 ||
        minute > 59)
      return false;
    if (byte_is(&at, end, ':') &&
        (!digits(&at, end, 2, &second) || second > 59 || (byte_is(&at, end, '.') && !fraction(&at, end, &micro))))
      return false;
    if (!zone(&at, end, &east))
      return false;
  }
  if (at != end)
    return false;
  *micros = ((days_from_date(year, month, day) * DAY_SECONDS) + hour * 3600 + (minute - east) * 60 + second) * MICROS +
            micro;
  return true;
}

static char *
put(char *at, int64_t value, int width)
{
  for (int i = width - 1; i >= 0; i--, value /= 10)
    at[i] = (char)('0' + value % 10);
  return at + width;
}

bool
rille_moment_format(int64_t micros, char text[RILLE_MOMENT_BYTES + 1])
{
  int64_t seconds = micros / MICROS - (micros % MICROS < 0);
  int64_t days = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
  int64_t of_day = seconds - days * DAY_SECONDS;
  int64_t year, month, day;
  char *at = text;

  if (micros < FIRST_MICROS || micros > LAST_MICROS)
    return false;
  date_from_days(days, &year, &month, &day);
  at = put(at, year, 4);
  *at++ = '-';
  at = put(at, month, 2);
  *at++ = '-';
  at = put(at, day, 2);
  *at++ = 'T';
  at = put(at, of_day / 3600, 2);
  *at++ = ':';
  at = put(at, of_day / 60 % 60, 2);
  *at++ = ':';
  at = put(at, of_day % 60, 2);
  *at++ = '.';
  at = put(at, micros - seconds * MICROS, 6);
  *at++ = 'Z';
  *at = '\0';
  return true;
}

int64_t
rille_moment_now(void)
{
  struct timespec now;

  if (clock_gettime(CLOCK_REALTIME, &now) != 0)
    return 0;
  return (int64_t)now.tv_sec * MICROS + now.tv_nsec / 1000;
}
