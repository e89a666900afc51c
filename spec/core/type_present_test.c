/* spec/core/type_present_test.c - how what is kept reads, as each type has it. */
#include "spec/support/spec.h"

#include <math.h>

#include "spec/support/conversion.h"

static void
reads_what_is_kept(void **state)
{
  static const conversion cases[] = {
    { &INTEGER_TYPE, INTEGER(INT64_MIN), INTEGER(INT64_MIN) },
    { &TEXT_TYPE, TEXT("a"), TEXT("a") },
    { &BLOB_TYPE, BLOB("a\0b"), BLOB("a\0b") },
    { &BOOLEAN_TYPE, INTEGER(1), BOOLEAN(1) },
    { &BOOLEAN_TYPE, INTEGER(0), BOOLEAN(0) },
    { &BOOLEAN_TYPE, INTEGER(-3), BOOLEAN(1) },
    { &BOOLEAN_TYPE, TEXT("true"), BOOLEAN(1) },
    { &BOOLEAN_TYPE, TEXT("f"), BOOLEAN(0) },
    { &MONEY_TYPE, REAL(12.5), TEXT("12.50") },
    { &MONEY_TYPE, REAL(-0.125), TEXT("-0.125") },
    { &MONEY_TYPE, INTEGER(12), TEXT("12.00") },
    { &MONEY_TYPE, INTEGER(INT64_MIN), TEXT("-9223372036854775808.00") },
    { &MONEY_TYPE, TEXT("123456789012345678901234567890.12"), TEXT("123456789012345678901234567890.12") },
    { &WHOLE_TYPE, INTEGER(-12), TEXT("-12") },
    { &DATETIME_TYPE, TEXT("2026-11-20T12:00:00.000000Z"), TEXT("2026-11-20T12:00:00.000000Z") },
    { &DATETIME_TYPE, TEXT("2026-11-20 12:00:00"), TEXT("2026-11-20T12:00:00.000000Z") },
    { &DATETIME_TYPE, INTEGER(0), TEXT("1970-01-01T00:00:00.000000Z") },
    { &DATETIME_TYPE, REAL(1.25), TEXT("1970-01-01T00:00:01.250000Z") },
    { &DATE_TYPE, TEXT("2026-11-20"), TEXT("2026-11-20") },
    { &DATE_TYPE, TEXT("2026-11-20T12:00:00.000000Z"), TEXT("2026-11-20") },
    { &DATE_TYPE, TEXT("2026-11-20 12:00"), TEXT("2026-11-20") },
    { &DATE_TYPE, INTEGER(86400), TEXT("1970-01-02") },
    { &TIMESTAMP_TYPE, INTEGER(5), INTEGER(5) },
    { &ANY_TYPE, REAL(1.5), REAL(1.5) },
    { &DATETIME_TYPE, NOTHING, NOTHING },
    { &BOOLEAN_TYPE, NOTHING, NOTHING },
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char room[RILLE_PRESENT_BYTES];
    rille_cell read;

    assert_ok(rille_type_present(*cases[i].type, &cases[i].in, rille_str_of("a.b"), room, &read, &fault), &fault);
    assert_same(&cases[i], &read);
  }
}

static void
has_room_for_the_longest_decimal(void **state)
{
  static const rille_type type = { .kind = RILLE_TYPE_DECIMAL, .precision = 0, .scale = RILLE_SCALE_MAX };
  rille_cell in = REAL(-1.7976931348623157e308), read;
  char room[RILLE_PRESENT_BYTES];
  rille_fault fault;

  (void)state;
  assert_ok(rille_type_present(type, &in, (rille_str){ 0 }, room, &read, &fault), &fault);
  assert_int_equal(read.as.text.len, 1 + 309 + 1 + 18);
}

static void
says_that_what_is_kept_cannot_be_of_the_type(void **state)
{
  static const struct {
    const rille_type *type;
    rille_cell in;
  } cases[] = {
    { &BOOLEAN_TYPE, TEXT("perhaps") },
    { &BOOLEAN_TYPE, REAL(1.0) },
    { &BOOLEAN_TYPE, BLOB("1") },
    { &MONEY_TYPE, TEXT("abc") },
    { &MONEY_TYPE, BLOB("1.00") },
    { &MONEY_TYPE, REAL((double)INFINITY) },
    { &DATETIME_TYPE, TEXT("yesterday") },
    { &DATETIME_TYPE, TEXT("2026-02-30T00:00:00.000000Z") },
    { &DATETIME_TYPE, TEXT("xxxxxxxxxxTxxxxx:xx.xxxxxxZ") },
    { &DATETIME_TYPE, BLOB("2026-11-20") },
    { &DATETIME_TYPE, INTEGER(INT64_MAX) },
    { &DATE_TYPE, TEXT("2026-02-30") },
    { &DATE_TYPE, TEXT("xxxxxxxxxx") },
    { &DATE_TYPE, TEXT("") },
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char room[RILLE_PRESENT_BYTES];
    rille_cell read;

    if (rille_type_present(*cases[i].type, &cases[i].in, rille_str_of("a.b"), room, &read, &fault) == RILLE_OK) {
      show(&cases[i].in);
      fail_msg(" is no %s", rille_type_name(cases[i].type->kind));
    }
    assert_int_equal(fault.kind, RILLE_CORRUPT);
    assert_contains(fault.message, "a.b should hold ");
    assert_contains(fault.hint, "raw(");
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_what_is_kept),
    cmocka_unit_test(has_room_for_the_longest_decimal),
    cmocka_unit_test(says_that_what_is_kept_cannot_be_of_the_type),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
