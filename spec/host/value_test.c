/* spec/host/value_test.c - readers of values are total: every kind read in every way, and NULL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "host/rille.h"

static void
reads_null_as_the_zero_of_everything(void **state)
{
  const rille_value null = rille_null();
  const rille_value *values[] = { NULL, &null };

  (void)state;
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(rille_kind_of(values[i]), RILLE_NULL);
    assert_true(rille_is_null(values[i]));
    assert_false(rille_as_bool(values[i]));
    assert_int_equal(rille_as_int(values[i]), 0);
    assert_true(rille_as_real(values[i]) == 0);
    assert_null(rille_as_text(values[i]));
    assert_int_equal(rille_length(values[i]), 0);
    assert_null(rille_at(values[i], 0));
    assert_null(rille_get(values[i], "a"));
    assert_null(rille_key_at(values[i], 0));
  }
  rille_free(NULL);
}

static void
reads_another_kind_as_zero(void **state)
{
  const rille_value item = rille_int(1);
  const rille_field field = { "a", rille_int(1) };
  const rille_value values[] = { rille_bool(true), rille_int(5),         rille_real(1.5),
                                 rille_text("7"),  rille_list(&item, 1), rille_table(&field, 1) };

  (void)state;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    const rille_value *value = &values[i];
    rille_kind kind = value->kind;
    assert_false(rille_is_null(value));
    assert_int_equal(rille_as_bool(value), kind == RILLE_BOOL);
    assert_int_equal(rille_as_int(value), kind == RILLE_INT ? 5 : 0);
    assert_true(rille_as_real(value) == (kind == RILLE_INT ? 5 : kind == RILLE_REAL ? 1.5 : 0));
    assert_int_equal(rille_as_text(value) != NULL, kind == RILLE_TEXT);
    assert_int_equal(rille_length(value), kind >= RILLE_TEXT);
    assert_int_equal(rille_at(value, 0) != NULL, kind >= RILLE_LIST);
    assert_null(rille_at(value, 1));
    assert_int_equal(rille_get(value, "a") != NULL, kind == RILLE_TABLE);
    assert_null(rille_get(value, "b"));
    assert_null(rille_get(value, NULL));
    assert_int_equal(rille_key_at(value, 0) != NULL, kind == RILLE_TABLE);
  }
}

static void
reads_a_real_as_integer_only_if_it_is_one(void **state)
{
  const struct {
    double real;
    int64_t integer;
  } cases[] = { { 3, 3 },
                { -3, -3 },
                { 3.5, 0 },
                { -0x1p63, INT64_MIN },
                { 0x1p63, 0 },
                { -0x1p64, 0 },
                { (double)NAN, 0 },
                { (double)INFINITY, 0 },
                { -(double)INFINITY, 0 },
                { 0x1p53, (int64_t)1 << 53 } };

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const rille_value value = rille_real(cases[i].real);
    assert_true(rille_as_int(&value) == cases[i].integer);
  }
}

static void
makes_null_of_null_pointers(void **state)
{
  const rille_value values[] = { rille_text(NULL), rille_blob(NULL, 3), rille_list(NULL, 3), rille_table(NULL, 3) };

  (void)state;
  for (size_t i = 0; i < 4; i++)
    assert_true(rille_is_null(&values[i]));
}

static void
knows_the_length_of_a_blob(void **state)
{
  const rille_value blob = rille_blob("a\0b", 3);
  const rille_value empty = rille_text("");

  (void)state;
  assert_int_equal(rille_length(&blob), 3);
  assert_int_equal(rille_length(&empty), 0);
  assert_string_equal(rille_as_text(&empty), "");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_null_as_the_zero_of_everything),
    cmocka_unit_test(reads_another_kind_as_zero),
    cmocka_unit_test(reads_a_real_as_integer_only_if_it_is_one),
    cmocka_unit_test(makes_null_of_null_pointers),
    cmocka_unit_test(knows_the_length_of_a_blob),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
