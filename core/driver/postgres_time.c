/* core/driver/postgres_time.c - days of the Gregorian calendar, in eras of 400 years. */
#include "core/driver/postgres_time.h"

#include <string.h>

static const int64_t MICROS_PER_SECOND = 1000000, MICROS_PER_DAY = INT64_C(86400000000);

enum { DAYS_TO_2000 = 10957, DAYS_TO_ERA = 719468, DAYS_PER_ERA = 146097 };

/* Year (0 is 1 BC), month and day of `days` since 2000.  A year begins in March here, so that its leap day is last. */
static void
split_day(int64_t days, int64_t *year, int *month, int *day)
{
  int64_t since = days + DAYS_TO_2000 + DAYS_TO_ERA;
  int64_t era = (since >= 0 ? since : since - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
  int of_era = (int)(since - era * DAYS_PER_ERA);
  int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int shifted = (5 * of_year + 2) / 153;

  *day = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t
join_day(int64_t year, int month, int day)
{
  int64_t shifted = year - (month <= 2);
  int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  int64_t year_of_era = shifted - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

  return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - DAYS_TO_ERA -
         DAYS_TO_2000;
}

/* Writes two digits and returns what stands behind them.  Moments are read by the hundred thousand: what they are
** written with counts. */
static char *
put_two(char *to, uint32_t number)
{
  static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                              "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";

  memcpy(to, pairs + (size_t)number * 2, 2);
  return to + 2;
}

/* The same of `count` digits. */
static char *
put_digits(char *to, uint32_t number, int count)
{
  for (int i = count - 1; i >= 0; i--, number /= 10)
    to[i] = (char)('0' + number % 10);
  return to + count;
}

static char *
put_year(char *to, int64_t year)
{
  uint32_t shown = (uint32_t)(year > 0 ? year : 1 - year);
  int count = 4;

  if (shown < 10000)
    return put_two(put_two(to, shown / 100), shown % 100);
  for (uint32_t rest = shown / 10000; rest > 0; rest /= 10)
    count++;
  return put_digits(to, shown, count);
}

/* The date; *year says in which era it is. */
static char *
put_day(char *to, int64_t days, int64_t *year)
{
  int month, day;

  split_day(days, year, &month, &day);
  to = put_year(to, *year);
  *to++ = '-';
  to = put_two(to, (uint32_t)month);
  *to++ = '-';
  return put_two(to, (uint32_t)day);
}

static size_t
finish(char *text, char *to, int64_t year)
{
  if (year <= 0) {
    *to++ = ' ';
    *to++ = 'B';
    *to++ = 'C';
  }
  return (size_t)(to - text);
}

static size_t
put_infinity(char *text, bool positive)
{
  static const char infinity[] = "-infinity";
  size_t skip = positive ? 1 : 0;

  memcpy(text, infinity + skip, sizeof infinity - 1 - skip);
  return sizeof infinity - 1 - skip;
}

rille_str
rille_postgres_moment(int64_t micros, rille_postgres_written *last)
{
  int64_t days = micros / MICROS_PER_DAY, rest = micros % MICROS_PER_DAY;
  uint32_t seconds, fraction;
  char *to;

  if (micros == INT64_MAX || micros == INT64_MIN) {
    last->day_bytes = 0;
    return (rille_str){ last->text, put_infinity(last->text, micros > 0) };
  }
  if (rest < 0) {
    rest += MICROS_PER_DAY;
    days--;
  }
  if (last->day_bytes == 0 || last->days != days) {
    last->day_bytes = (size_t)(put_day(last->text, days, &last->year) - last->text);
    last->days = days;
  }
  to = last->text + last->day_bytes;
  seconds = (uint32_t)(rest / MICROS_PER_SECOND);
  fraction = (uint32_t)(rest % MICROS_PER_SECOND);
  *to++ = 'T';
  to = put_two(to, seconds / 3600);
  *to++ = ':';
  to = put_two(to, seconds / 60 % 60);
  *to++ = ':';
  to = put_two(to, seconds % 60);
  *to++ = '.';
  to = put_two(put_two(put_two(to, fraction / 10000), fraction / 100 % 100), fraction % 100);
  *to++ = 'Z';
  return (rille_str){ last->text, finish(last->text, to, last->year) };
}

size_t
rille_postgres_day(int32_t days, char text[RILLE_POSTGRES_TIME_BYTES])
{
  int64_t year;
  char *to;

  if (days == INT32_MAX || days == INT32_MIN)
    return put_infinity(text, days > 0);
  to = put_day(text, days, &year);
  return finish(text, to, year);
}

/* -- reading ----------------------------------------------------------------------------------------------- */

/* Digits from *at on, at least one; false when there is none. */
static bool
read_number(const char **at, const char *end, int64_t *number)
{
  const char *from = *at;

  for (*number = 0; *at < end && **at >= '0' && **at <= '9' && *at - from < 9; (*at)++)
    *number = *number * 10 + (**at - '0');
  return *at > from;
}

/* The digits behind `mark`, or 0 where it does not stand. */
static int64_t
read_after(const char **at, const char *end, char mark)
{
  int64_t number = 0;

  if (*at < end && **at == mark) {
    (*at)++;
    (void)read_number(at, end, &number);
  }
  return number;
}

static int64_t
read_fraction(const char **at, const char *end)
{
  int64_t micros = 0, place = MICROS_PER_SECOND;

  if (*at < end && **at == '.')
    for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
      place /= 10;
      micros += (**at - '0') * place;
    }
  return micros;
}

bool
rille_postgres_read_moment(rille_str text, int64_t *micros)
{
  const char *at = text.at, *end = text.at + text.len;
  int64_t year, month, day, hour, minute, second, fraction, zone = 0;

  if (rille_str_is(text, "infinity") || rille_str_is(text, "-infinity")) {
    *micros = *at == '-' ? INT64_MIN : INT64_MAX;
    return true;
  }
  if (!read_number(&at, end, &year))
    return false;
  month = read_after(&at, end, '-');
  day = read_after(&at, end, '-');
  hour = read_after(&at, end, ' ');
  minute = read_after(&at, end, ':');
  second = read_after(&at, end, ':');
  fraction = read_fraction(&at, end);
  if (at < end && (*at == '+' || *at == '-')) {
    int64_t sign = *at == '-' ? -1 : 1;

    zone = read_after(&at, end, *at) * 3600;
    zone += read_after(&at, end, ':') * 60;
    zone = sign * (zone + read_after(&at, end, ':'));
  }
  if (end - at == 3 && memcmp(at, " BC", 3) == 0) {
    year = 1 - year;
    at = end;
  }
  if (at != end || month < 1 || month > 12 || day < 1 || day > 31)
    return false;
  *micros = join_day(year, (int)month, (int)day) * MICROS_PER_DAY +
            (hour * 3600 + minute * 60 + second - zone) * MICROS_PER_SECOND + fraction;
  return true;
}

/* -- of columns -------------------------------------------------------------------------------------------- */

/* Exactly `count` digits; -1 when there is another byte among them. */
static int
whole_number(const char *at, int count)
{
  int number = 0;

  for (int i = 0; i < count; i++) {
    if (at[i] < '0' || at[i] > '9')
      return -1;
    number = number * 10 + (at[i] - '0');
  }
  return number;
}

static int
days_of(int year, int month)
{
  static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

  return days[month - 1] + (month == 2 && leap);
}

bool
rille_postgres_given_moment(rille_str text, int64_t *micros)
{
  static const char form[] = "0000-00-00T00:00:00.000000Z";
  const char *at = text.at;
  int year, month, day, hour, minute, second, fraction;

  if (text.len != sizeof form - 1 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' ||
      at[19] != '.' || at[26] != 'Z')
    return false;
  year = whole_number(at, 4);
  month = whole_number(at + 5, 2);
  day = whole_number(at + 8, 2);
  hour = whole_number(at + 11, 2);
  minute = whole_number(at + 14, 2);
  second = whole_number(at + 17, 2);
  fraction = whole_number(at + 20, 6);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of(year, month) || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59 || fraction < 0)
    return false;
  *micros = join_day(year, month, day) * MICROS_PER_DAY +
            (int64_t)(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + fraction;
  return true;
}
