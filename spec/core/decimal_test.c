/* spec/core/decimal_test.c - decimal texts have the order of what they are worth. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/decimal.h"

static void
puts_decimals_in_order(void **state)
{
  static const char *const order[] = { "-100000000000000000000.5",
                                       "-100000000000000000000",
                                       "-12.50",
                                       "-12.05",
                                       "-1.9",
                                       "-0.01",
                                       "0",
                                       "0.009",
                                       "0.01",
                                       "1.9",
                                       "1.91",
                                       "9",
                                       "10",
                                       "12.05",
                                       "12.5",
                                       "99999999999999999999.99",
                                       "100000000000000000000" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(order); i++)
    for (size_t j = 0; j < SPEC_COUNT(order); j++)
      if (rille_decimal_compare(rille_str_of(order[i]), rille_str_of(order[j])) != (i > j) - (i < j))
        fail_msg("%s against %s", order[i], order[j]);
}

static void
finds_equal_what_only_looks_different(void **state)
{
  static const char *const pairs[][2] = {
    { "1.5", "+001.500" }, { "0", "-0.00" }, { "-7", "-07.0" }, { "10", "10.0" }
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(pairs); i++) {
    assert_int_equal(rille_decimal_compare(rille_str_of(pairs[i][0]), rille_str_of(pairs[i][1])), 0);
    assert_int_equal(rille_decimal_compare(rille_str_of(pairs[i][1]), rille_str_of(pairs[i][0])), 0);
  }
}

static void
prints_as_many_digits_as_a_number_has(void **state)
{
  static const struct {
    double real;
    int scale;
    const char *text;
  } cases[] = {
    { 0.1, 2, "0.10" },
    { 0.125, 2, "0.125" },
    { -3, 0, "-3" },
    { 1e21, 1, "1000000000000000000000.0" },
    { 0.1 + 0.2, 1, "0.30000000000000004" },
  };
  char room[RILLE_DECIMAL_PRINT_BYTES];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_text(((rille_str){ room, rille_decimal_print(room, cases[i].scale, cases[i].real) }), cases[i].text);
}

static rille_str
plain(const char *text, char room[RILLE_DECIMAL_PLAIN_BYTES])
{
  rille_str exact = { spec_exact(text, strlen(text)), strlen(text) };
  size_t len = rille_decimal_plain(exact, room);

  free((char *)exact.at);
  return (rille_str){ room, len };
}

static void
reads_numbers_as_sql_does(void **state)
{
  static const char *const cases[][2] = {
    { "7", "7" },          { "-12.50", "-12.50" },  { " 5", "5" },         { "\t\n\v\f\r +5. ", "+5" },
    { ".5", "0.5" },       { "-.5", "-0.5" },       { "1e3", "1000" },     { "1E+03", "1000" },
    { "1.25e1", "12.5" },  { "1.25e2", "125" },     { "1.25e4", "12500" }, { "125e-1", "12.5" },
    { "125e-3", "0.125" }, { "125e-5", "0.00125" }, { ".5e1", "5" },       { "5.e-1", "0.5" },
    { "0e000000", "0" },   { "1e000002", "100" },
  };
  static const char *const none[] = { "",
                                      " ",
                                      ".",
                                      "+",
                                      "-",
                                      "--7",
                                      "+-7",
                                      "- 7",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "1e-",
                                      "1e.5",
                                      "1e5.",
                                      "1e1e1",
                                      "1 000",
                                      "1,5",
                                      "1_000",
                                      "0x10",
                                      "1.2.3",
                                      "7x",
                                      "x7",
                                      "NaN",
                                      "inf",
                                      "Infinity",
                                      "1e1000",
                                      "\xC2\xA0"
                                      "5",
                                      "5\b" };
  char room[RILLE_DECIMAL_PLAIN_BYTES];
  rille_decimal decimal;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    assert_text(plain(cases[i][0], room), cases[i][1]);
    assert_true(rille_decimal_read(plain(cases[i][0], room), &decimal));
  }
  for (size_t i = 0; i < SPEC_COUNT(none); i++)
    if (plain(none[i], room).len != 0)
      fail_msg("took \"%s\"", none[i]);
  assert_int_equal(rille_decimal_plain((rille_str){ "5\0", 2 }, room), 0);
}

static void
reads_no_number_that_is_longer_than_any(void **state)
{
  char text[RILLE_DECIMAL_SAID_BYTES + 2] = "", room[RILLE_DECIMAL_PLAIN_BYTES];
  rille_decimal decimal;

  (void)state;
  memset(text, '9', RILLE_DECIMAL_SAID_BYTES);
  assert_int_equal(plain(text, room).len, RILLE_DECIMAL_SAID_BYTES);
  text[RILLE_DECIMAL_SAID_BYTES] = '9';
  assert_int_equal(plain(text, room).len, 0);
  text[RILLE_DECIMAL_SAID_BYTES] = '\0';
  text[0] = '-';
  memcpy(text + RILLE_DECIMAL_SAID_BYTES - 5, "e-999", 5);
  assert_true(rille_decimal_read(plain(text, room), &decimal));
  assert_int_equal(decimal.scale, 999);
  text[1] = '.';
  assert_true(rille_decimal_read(plain(text, room), &decimal));
  assert_int_equal(decimal.scale, 999 + RILLE_DECIMAL_SAID_BYTES - 7);
  text[RILLE_DECIMAL_SAID_BYTES - 4] = '+';
  assert_true(rille_decimal_read(plain(text, room), &decimal));
  assert_int_equal(decimal.whole, 999);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(puts_decimals_in_order),
    cmocka_unit_test(finds_equal_what_only_looks_different),
    cmocka_unit_test(prints_as_many_digits_as_a_number_has),
    cmocka_unit_test(reads_numbers_as_sql_does),
    cmocka_unit_test(reads_no_number_that_is_longer_than_any),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
