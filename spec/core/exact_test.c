/* spec/core/exact_test.c - sums of decimals keep every digit, and averages round where they must. */
#include "spec/support/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/exact.h"

static rille_exact sum;

static int
empty(void **state)
{
  (void)state;
  memset(&sum, 0, sizeof sum);
  return 0;
}

static void
assert_sum(size_t scale, const char *expected)
{
  char text[RILLE_EXACT_BYTES];

  assert_text(((rille_str){ text, rille_exact_write(&sum, scale, text) }), expected);
}

static void
add(const char *text)
{
  assert_true(rille_exact_add_text(&sum, rille_str_of(text), false));
}

static void
is_nothing_to_begin_with(void **state)
{
  (void)state;
  assert_sum(0, "0");
  assert_sum(2, "0.00");
}

static void
keeps_every_digit_of_texts(void **state)
{
  (void)state;
  add("12345678901234567890.1234");
  add("+000.0001");
  assert_sum(4, "12345678901234567890.1235");
  assert_true(rille_exact_add_text(&sum, rille_str_of("12345678901234567891"), true));
  assert_sum(4, "-0.8765");
  add("0.00000000000000000000000001");
  assert_sum(2, "-0.87649999999999999999999999");
  add("0.87649999999999999999999999");
  assert_sum(2, "0.00");
  add("-0.5");
  add("-0");
  assert_sum(0, "-0.5");
}

static void
refuses_what_is_no_decimal(void **state)
{
  static const char *const texts[] = { "", "-", ".5", "5.", "1e3", "1,5", " 1", "0x1", "NaN" };
  char longest[RILLE_DECIMAL_BYTES + 2] = { 0 };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    assert_false(rille_exact_add_text(&sum, rille_str_of(texts[i]), false));
  memset(longest, '9', sizeof longest - 1);
  assert_false(rille_exact_add_text(&sum, rille_str_of(longest), false));
  longest[RILLE_DECIMAL_BYTES] = '\0';
  add(longest);
  assert_false(rille_exact_add_real(&sum, (double)INFINITY, 2, false));
  assert_false(rille_exact_add_real(&sum, (double)NAN, 2, false));
  assert_sum(0, longest);
}

/* What the sum is told in three forms, it adds up as 128 bits do. */
static void
adds_up_like_wide_integers(void **state)
{
  __int128 expected = 0, given;
  char text[64];

  (void)state;
  srand(7);
  for (int i = 0; i < 3000; i++) {
    int64_t cents = ((int64_t)rand() << 22 ^ rand()) * (rand() % 2 ? 1 : -1) % INT64_C(100000000000000);

    if (i % 3 == 0) {
      rille_exact_add_integer(&sum, cents, 2);
    } else if (i % 3 == 1) {
      assert_true(rille_exact_add_real(&sum, (double)cents / 100, 2, false));
    } else {
      (void)snprintf(text, sizeof text, "%s%lld.%02lld", cents < 0 ? "-" : "", llabs(cents) / 100, llabs(cents) % 100);
      assert_true(rille_exact_add_text(&sum, rille_str_of(text), true));
      cents = -cents;
    }
    expected += cents;
  }
  given = expected < 0 ? -expected : expected;
  (void)snprintf(text, sizeof text, "%s%lld.%02lld", expected < 0 ? "-" : "", (long long)(given / 100),
                 (long long)(given % 100));
  assert_sum(2, text);
}

static void
carries_however_often_it_is_added_to(void **state)
{
  (void)state;
  for (int i = 0; i < 3000000; i++)
    rille_exact_add_integer(&sum, INT64_MAX, 0);
  assert_sum(0, "27670116110564327421000000");
  for (int i = 0; i < 3000000; i++)
    rille_exact_add_integer(&sum, INT64_MIN, 0);
  assert_sum(0, "-3000000");
}

static void
divides_and_rounds_half_away_from_zero(void **state)
{
  static const struct {
    const char *total;
    int64_t count;
    size_t scale;
    const char *quotient;
  } cases[] = {
    { "10", 4, 2, "2.50" },
    { "1", 3, 5, "0.33333" },
    { "2", 3, 5, "0.66667" },
    { "-2", 3, 5, "-0.66667" },
    { "0.5", 1, 0, "1" },
    { "-0.5", 1, 0, "-1" },
    { "0.4999", 1, 0, "0" },
    { "-0.4999", 1, 0, "0" },
    { "99.995", 1, 2, "100.00" },
    { "0", 7, 2, "0.00" },
    { "0.01", 1000000, 2, "0.00" },
    { "9999", 10000, 2, "1.00" },
    { "12345678901234567890123456789", 3, 1, "4115226300411522630041152263.0" },
  };
  char text[RILLE_EXACT_BYTES];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    (void)empty(NULL);
    add(cases[i].total);
    assert_text(((rille_str){ text, rille_exact_divide(&sum, cases[i].count, cases[i].scale, text) }),
                cases[i].quotient);
    assert_text(((rille_str){ text, rille_exact_divide(&sum, cases[i].count, cases[i].scale, text) }),
                cases[i].quotient); /* the sum is as it was */
  }
}

#define CASE(test) cmocka_unit_test_setup(test, empty)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    CASE(is_nothing_to_begin_with),
    CASE(keeps_every_digit_of_texts),
    CASE(refuses_what_is_no_decimal),
    CASE(adds_up_like_wide_integers),
    CASE(carries_however_often_it_is_added_to),
    CASE(divides_and_rounds_half_away_from_zero),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
