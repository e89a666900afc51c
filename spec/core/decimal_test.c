/* spec/core/decimal_test.c - decimal texts have the order of what they are worth. */
#include "spec/support/spec.h"

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

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(puts_decimals_in_order),
    cmocka_unit_test(finds_equal_what_only_looks_different),
    cmocka_unit_test(prints_as_many_digits_as_a_number_has),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
