/* spec/core/moment_test.c - every day of ten thousand years there and back, and what is no moment. */
#include "spec/support/spec.h"

#include <stdlib.h>
#include <time.h>

#include "core/query/moment.h"

static const int64_t SECOND = 1000000, DAY = (int64_t)86400 * 1000000;

/* The first and the last moment there are. */
static const int64_t FIRST = INT64_C(-62167219200000000), LAST = INT64_C(253402300799999999);

static bool
parse(const char *text, int64_t *micros)
{
  size_t len = strlen(text);
  char *exact = spec_exact(text, len);
  bool ok = rille_moment_parse((rille_str){ exact, len }, micros);

  free(exact);
  return ok;
}

/* Counts the days of the calendar one by one and compares each with what the arithmetic says. */
static void
converts_every_day_there_and_back(void **state)
{
  static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  char wanted[] = "0000-00-00T00:00:00.000000Z", text[RILLE_MOMENT_BYTES + 1];
  int64_t micros = FIRST, read;

  (void)state;
  for (int year = 0; year <= 9999; year++)
    for (int month = 1; month <= 12; month++) {
      bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

      for (int day = 1; day <= lengths[month - 1] + leap; day++, micros += DAY) {
        wanted[0] = (char)('0' + year / 1000);
        wanted[1] = (char)('0' + year / 100 % 10);
        wanted[2] = (char)('0' + year / 10 % 10);
        wanted[3] = (char)('0' + year % 10);
        wanted[5] = (char)('0' + month / 10);
        wanted[6] = (char)('0' + month % 10);
        wanted[8] = (char)('0' + day / 10);
        wanted[9] = (char)('0' + day % 10);
        if (!rille_moment_format(micros, text) || strcmp(text, wanted) != 0)
          fail_msg("%s was written as %s", wanted, text);
        if (!rille_moment_parse((rille_str){ wanted, RILLE_DATE_BYTES }, &read) || read != micros)
          fail_msg("%.10s was read as %lld microseconds, not %lld", wanted, (long long)read, (long long)micros);
      }
    }
  assert_true(micros == LAST + 1);
}

static void
knows_the_day_that_time_begins(void **state)
{
  int64_t micros = -1;

  (void)state;
  assert_true(parse("1970-01-01", &micros));
  assert_true(micros == 0);
  assert_true(parse("2000-02-29T12:34:56.789012Z", &micros));
  assert_true(micros == INT64_C(951827696789012));
}

static void
converts_moments_of_a_day_there_and_back(void **state)
{
  char text[RILLE_MOMENT_BYTES + 1];
  int64_t read;

  (void)state;
  for (int i = 0; i < 200000; i++) {
    int64_t micros = FIRST + (int64_t)spec_random((uint64_t)(LAST - FIRST));

    assert_true(rille_moment_format(micros, text));
    assert_int_equal(strlen(text), RILLE_MOMENT_BYTES);
    if (!rille_moment_parse(rille_str_of(text), &read) || read != micros)
      fail_msg("%lld was written as %s and read as %lld", (long long)micros, text, (long long)read);
  }
}

static void
writes_no_year_outside_0000_to_9999(void **state)
{
  const int64_t outside[] = { FIRST - 1,     LAST + 1,           FIRST - DAY, LAST + DAY,   INT64_MIN,
                              INT64_MIN + 1, INT64_MIN + 999999, INT64_MAX,   INT64_MAX - 1 };
  char text[RILLE_MOMENT_BYTES + 1];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(outside); i++)
    assert_false(rille_moment_format(outside[i], text));
  assert_true(rille_moment_format(FIRST, text));
  assert_string_equal(text, "0000-01-01T00:00:00.000000Z");
  assert_true(rille_moment_format(LAST, text));
  assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
  assert_true(rille_moment_format(-1, text));
  assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
}

static void
reads_what_other_programs_write(void **state)
{
  static const struct {
    const char *text, *canonical;
  } cases[] = {
    { "2026-11-20", "2026-11-20T00:00:00.000000Z" },
    { "2026-11-20T12:00", "2026-11-20T12:00:00.000000Z" },
    { "2026-11-20 12:00", "2026-11-20T12:00:00.000000Z" },
    { "2026-11-20t12:00:01z", "2026-11-20T12:00:01.000000Z" },
    { "2026-11-20T12:00:01Z", "2026-11-20T12:00:01.000000Z" },
    { "2026-11-20T12:00Z", "2026-11-20T12:00:00.000000Z" },
    { "2026-11-20 12:00:01.5", "2026-11-20T12:00:01.500000Z" },
    { "2026-11-20T12:00:01.123456789Z", "2026-11-20T12:00:01.123456Z" },
    { "2026-11-20T12:00:01.000001Z", "2026-11-20T12:00:01.000001Z" },
    { "2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00.000000Z" },
    { "2026-11-20T12:00:00+0200", "2026-11-20T10:00:00.000000Z" },
    { "2026-11-20T12:00:00+02", "2026-11-20T10:00:00.000000Z" },
    { "2026-11-20T12:00:00-03:30", "2026-11-20T15:30:00.000000Z" },
    { "2026-11-20T00:00:00+00:01", "2026-11-19T23:59:00.000000Z" },
    { "2026-12-31T23:59:59.999999-00:01", "2027-01-01T00:00:59.999999Z" },
    { "2024-02-29", "2024-02-29T00:00:00.000000Z" },
    { "2000-02-29", "2000-02-29T00:00:00.000000Z" },
    { "0000-02-29", "0000-02-29T00:00:00.000000Z" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char text[RILLE_MOMENT_BYTES + 1];
    int64_t micros;

    if (!parse(cases[i].text, &micros))
      fail_msg("%s is a moment", cases[i].text);
    assert_true(rille_moment_format(micros, text));
    assert_string_equal(text, cases[i].canonical);
  }
}

static void
refuses_what_is_no_moment(void **state)
{
  static const char *const bad[] = {
    "",
    "2026",
    "2026-11",
    "2026-11-2",
    "2026-1-20",
    "26-11-20",
    "12026-11-20",
    "2026/11/20",
    "2026-11-20x",
    " 2026-11-20",
    "2026-11-20 ",
    "2026-02-30",
    "2026-02-29",
    "1900-02-29",
    "2100-02-29",
    "2026-04-31",
    "2026-00-10",
    "2026-13-10",
    "2026-11-00",
    "2026-11-32",
    "2026-11-20T",
    "2026-11-20T12",
    "2026-11-20T12:",
    "2026-11-20T12:0",
    "2026-11-20T24:00",
    "2026-11-20T12:60",
    "2026-11-20T12:00:",
    "2026-11-20T12:00:60",
    "2026-11-20T12:00:61Z",
    "2026-11-20T12:00:00.",
    "2026-11-20T12:00:00.Z",
    "2026-11-20T12:00:00.1234567890Z",
    "2026-11-20T12:00.5",
    "2026-11-20T12:00:00ZZ",
    "2026-11-20T12:00:00+",
    "2026-11-20T12:00:00+2",
    "2026-11-20T12:00:00+02:",
    "2026-11-20T12:00:00+02:0",
    "2026-11-20T12:00:00+24:00",
    "2026-11-20T12:00:00+02:60",
    "2026-11-20T12:00:00+02:00Z",
    "2026-11-20T12:00:00+99:99",
    "2026-11-20Z",
    "2026-11-20+02:00",
    "+026-11-20",
    "-026-11-20",
    "now()",
    "2026-11-20T12:00:00.000000Z; --",
    "2026-11-20T1a:00",
    "2026-11-20_12:00",
  };
  int64_t micros;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(bad); i++)
    if (parse(bad[i], &micros))
      fail_msg("\"%s\" is no moment", bad[i]);
  assert_false(rille_moment_parse((rille_str){ 0 }, &micros));
  assert_false(rille_moment_parse(SPEC_BYTES("2026-11-20\0"), &micros));
  assert_false(rille_moment_parse(SPEC_BYTES("2026-11-20T12:00:00\0"), &micros));
}

static void
reads_every_beginning_of_a_moment_or_refuses_it(void **state)
{
  static const char text[] = "2026-11-20T12:34:56.789012+01:30";
  static const size_t whole[] = { 10, 16, 19, 21, 22, 23, 24, 25, 26, 29, 32 };
  int64_t micros;
  size_t next = 0;

  (void)state;
  for (size_t len = 0; len < sizeof text; len++) {
    char *exact = spec_exact(text, len);
    bool wanted = next < SPEC_COUNT(whole) && whole[next] == len;

    if (rille_moment_parse((rille_str){ exact, len }, &micros) != wanted)
      fail_msg("\"%.*s\" %s", (int)len, text, wanted ? "is a moment" : "is no moment");
    next += wanted;
    free(exact);
  }
}

static void
knows_what_time_it_is(void **state)
{
  int64_t before = (int64_t)time(NULL) - 1, now = rille_moment_now() / SECOND, after = (int64_t)time(NULL) + 1;

  (void)state;
  assert_true(before <= now && now <= after);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(converts_every_day_there_and_back),
    cmocka_unit_test(knows_the_day_that_time_begins),
    cmocka_unit_test(converts_moments_of_a_day_there_and_back),
    cmocka_unit_test(writes_no_year_outside_0000_to_9999),
    cmocka_unit_test(reads_what_other_programs_write),
    cmocka_unit_test(refuses_what_is_no_moment),
    cmocka_unit_test(reads_every_beginning_of_a_moment_or_refuses_it),
    cmocka_unit_test(knows_what_time_it_is),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
