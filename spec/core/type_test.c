/* spec/core/type_test.c - what each type accepts, and how it is kept. */
#include "spec/support/spec.h"

#include <locale.h>
#include <math.h>

#include "core/query/declared.h"
#include "spec/support/conversion.h"

static void
keeps_what_a_type_takes(void **state)
{
  static const conversion cases[] = {
    { &INTEGER_TYPE, INTEGER(0), INTEGER(0) },
    { &INTEGER_TYPE, INTEGER(INT64_MAX), INTEGER(INT64_MAX) },
    { &INTEGER_TYPE, INTEGER(INT64_MIN), INTEGER(INT64_MIN) },
    { &INTEGER_TYPE, REAL(3.0), INTEGER(3) },
    { &INTEGER_TYPE, REAL(-0.0), INTEGER(0) },
    { &INTEGER_TYPE, REAL(-0x1p63), INTEGER(INT64_MIN) },
    { &INTEGER_TYPE, REAL(9223372036854774784.0), INTEGER(INT64_C(9223372036854774784)) },
    { &REAL_TYPE, REAL(1.5), REAL(1.5) },
    { &REAL_TYPE, REAL(-0.0), REAL(0.0) },
    { &REAL_TYPE, REAL(1.7976931348623157e308), REAL(1.7976931348623157e308) },
    { &REAL_TYPE, REAL(5e-324), REAL(5e-324) },
    { &REAL_TYPE, INTEGER(3), REAL(3.0) },
    { &REAL_TYPE, INTEGER(INT64_C(1) << 53), REAL(0x1p53) },
    { &REAL_TYPE, INTEGER(INT64_MIN), REAL(-0x1p63) },
    { &TEXT_TYPE, TEXT(""), TEXT("") },
    { &TEXT_TYPE, TEXT("x' or 1=1 --"), TEXT("x' or 1=1 --") },
    { &TEXT_TYPE, TEXT("\xF0\x9F\x90\x98"), TEXT("\xF0\x9F\x90\x98") },
    { &JSON_TYPE, TEXT("{}"), TEXT("{}") },
    { &BLOB_TYPE, TEXT("a\0\xFF"), BLOB("a\0\xFF") },
    { &BLOB_TYPE, BLOB("a\0\xFF"), BLOB("a\0\xFF") },
    { &BLOB_TYPE, BLOB(""), BLOB("") },
    { &BOOLEAN_TYPE, BOOLEAN(1), INTEGER(1) },
    { &BOOLEAN_TYPE, BOOLEAN(0), INTEGER(0) },
    { &BOOLEAN_TYPE, INTEGER(1), INTEGER(1) },
    { &BOOLEAN_TYPE, INTEGER(0), INTEGER(0) },
    { &DATETIME_TYPE, TEXT("2026-11-20T12:00:00.000000Z"), TEXT("2026-11-20T12:00:00.000000Z") },
    { &DATETIME_TYPE, TEXT("2026-11-20 14:00:00+02:00"), TEXT("2026-11-20T12:00:00.000000Z") },
    { &DATETIME_TYPE, TEXT("2026-11-20"), TEXT("2026-11-20T00:00:00.000000Z") },
    { &DATETIME_TYPE, INTEGER(0), TEXT("1970-01-01T00:00:00.000000Z") },
    { &DATETIME_TYPE, INTEGER(-1), TEXT("1969-12-31T23:59:59.000000Z") },
    { &DATETIME_TYPE, INTEGER(INT64_C(253402300799)), TEXT("9999-12-31T23:59:59.000000Z") },
    { &DATETIME_TYPE, REAL(0.5), TEXT("1970-01-01T00:00:00.500000Z") },
    { &DATETIME_TYPE, REAL(1700000000.123456), TEXT("2023-11-14T22:13:20.123456Z") },
    { &DATE_TYPE, TEXT("2026-11-20"), TEXT("2026-11-20") },
    { &DATE_TYPE, TEXT("2026-11-20T23:59:59.999999Z"), TEXT("2026-11-20") },
    { &DATE_TYPE, TEXT("2026-11-20T23:00:00-02:00"), TEXT("2026-11-21") },
    { &DATE_TYPE, INTEGER(86400), TEXT("1970-01-02") },
    { &TIMESTAMP_TYPE, INTEGER(1700000000), INTEGER(1700000000) },
    { &TIMESTAMP_TYPE, TEXT("1970-01-01T00:00:01Z"), INTEGER(1) },
    { &TIMESTAMP_TYPE, TEXT("1969-12-31T23:59:59.5Z"), INTEGER(-1) },
    { &TIMESTAMP_TYPE, REAL(3.7), INTEGER(3) },
    { &TIMESTAMP_TYPE, REAL(-3.7), INTEGER(-4) },
    { &UUID_TYPE, TEXT("123e4567-E89B-12d3-a456-426614174000"), TEXT("123e4567-e89b-12d3-a456-426614174000") },
    { &ANY_TYPE, INTEGER(7), INTEGER(7) },
    { &ANY_TYPE, BOOLEAN(1), INTEGER(1) },
    { &ANY_TYPE, REAL(0.1), REAL(0.1) },
    { &ANY_TYPE, TEXT("text"), TEXT("text") },
    { &ANY_TYPE, BLOB("a\0\xFF"), BLOB("a\0\xFF") },
    { &INTEGER_TYPE, NOTHING, NOTHING },
    { &UUID_TYPE, NOTHING, NOTHING },
    { &MONEY_TYPE, NOTHING, NOTHING },
  };
  rille_arena arena;
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_cell kept;

    assert_ok(rille_type_store(*cases[i].type, &cases[i].in, rille_str_of("a.b"), &arena, &kept, &fault), &fault);
    assert_same(&cases[i], &kept);
  }
  rille_arena_release(&arena);
}

static void
keeps_decimals_with_all_their_digits(void **state)
{
  static const conversion cases[] = {
    { &MONEY_TYPE, TEXT("12.5"), TEXT("12.50") },
    { &MONEY_TYPE, TEXT("-12.5"), TEXT("-12.50") },
    { &MONEY_TYPE, TEXT("+0012.50"), TEXT("12.50") },
    { &MONEY_TYPE, TEXT("0"), TEXT("0.00") },
    { &MONEY_TYPE, TEXT("000"), TEXT("0.00") },
    { &MONEY_TYPE, TEXT("-0.00"), TEXT("0.00") },
    { &MONEY_TYPE, TEXT("0.010"), TEXT("0.01") },
    { &MONEY_TYPE, TEXT("12.3400000"), TEXT("12.34") },
    { &MONEY_TYPE, TEXT("99999999.99"), TEXT("99999999.99") },
    { &MONEY_TYPE, TEXT("00099999999"), TEXT("99999999.00") },
    { &MONEY_TYPE, INTEGER(-7), TEXT("-7.00") },
    { &MONEY_TYPE, REAL(0.1), TEXT("0.10") },
    { &MONEY_TYPE, REAL(-0.0), TEXT("0.00") },
    { &MONEY_TYPE, REAL(19.99), TEXT("19.99") },
    { &MONEY_TYPE, REAL(-2.5), TEXT("-2.50") },
    { &WHOLE_TYPE, TEXT("12345"), TEXT("12345") },
    { &WHOLE_TYPE, REAL(12.0), TEXT("12") },
    { &WHOLE_TYPE, TEXT("5.0"), TEXT("5") },
  };
  rille_arena arena;
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_cell kept;

    assert_ok(rille_type_store(*cases[i].type, &cases[i].in, rille_str_of("a.b"), &arena, &kept, &fault), &fault);
    assert_same(&cases[i], &kept);
  }
  rille_arena_release(&arena);
}

static void
refuses_what_a_type_does_not_take(void **state)
{
  static const struct {
    const rille_type *type;
    rille_cell in;
  } cases[] = {
    { &INTEGER_TYPE, REAL(3.5) },
    { &INTEGER_TYPE, REAL(0x1p63) },
    { &INTEGER_TYPE, REAL(-0x1.0000000000001p63) },
    { &INTEGER_TYPE, REAL(1e300) },
    { &INTEGER_TYPE, TEXT("12") },
    { &INTEGER_TYPE, TEXT("12abc") },
    { &INTEGER_TYPE, TEXT("") },
    { &INTEGER_TYPE, BOOLEAN(1) },
    { &INTEGER_TYPE, BLOB("1") },
    { &REAL_TYPE, TEXT("1.5") },
    { &REAL_TYPE, BOOLEAN(0) },
    { &REAL_TYPE, BLOB("1") },
    { &REAL_TYPE, INTEGER((INT64_C(1) << 53) + 1) },
    { &REAL_TYPE, INTEGER(INT64_MAX) },
    { &TEXT_TYPE, INTEGER(1) },
    { &TEXT_TYPE, BLOB("a") },
    { &TEXT_TYPE, BOOLEAN(1) },
    { &TEXT_TYPE, TEXT("a\0b") },
    { &TEXT_TYPE, TEXT("\0") },
    { &TEXT_TYPE, TEXT("\xFF") },
    { &TEXT_TYPE, TEXT("\xC0\x80") },
    { &TEXT_TYPE, REAL(1.5) },
    { &JSON_TYPE, TEXT("\"\xFF\"") },
    { &JSON_TYPE, INTEGER(1) },
    { &ANY_TYPE, TEXT("a\0b") },
    { &ANY_TYPE, TEXT("\xED\xA0\x80") },
    { &BLOB_TYPE, INTEGER(1) },
    { &BLOB_TYPE, BOOLEAN(1) },
    { &BLOB_TYPE, REAL(1.0) },
    { &BOOLEAN_TYPE, INTEGER(2) },
    { &BOOLEAN_TYPE, INTEGER(-1) },
    { &BOOLEAN_TYPE, TEXT("true") },
    { &BOOLEAN_TYPE, REAL(1.0) },
    { &BOOLEAN_TYPE, TEXT("1") },
    { &DATETIME_TYPE, TEXT("2026-02-30") },
    { &DATETIME_TYPE, TEXT("now()") },
    { &DATETIME_TYPE, TEXT("") },
    { &DATETIME_TYPE, BOOLEAN(1) },
    { &DATETIME_TYPE, BLOB("2026-11-20") },
    { &DATETIME_TYPE, INTEGER(INT64_MAX) },
    { &DATETIME_TYPE, INTEGER(INT64_MIN) },
    { &DATETIME_TYPE, INTEGER(INT64_C(253402300800)) },
    { &DATETIME_TYPE, INTEGER(INT64_C(-62167219201)) },
    { &DATETIME_TYPE, REAL(1e18) },
    { &DATETIME_TYPE, REAL(-9223372036854.775) },
    { &DATETIME_TYPE, REAL(9223372036854.775) },
    { &DATETIME_TYPE, TEXT("9999-12-31T23:59:59-01:00") },
    { &DATE_TYPE, TEXT("2026-11-31") },
    { &DATETIME_TYPE, TEXT("2026-13-20T12:00:00.000000Z") },
    { &DATETIME_TYPE, TEXT("xxxx-xx-xxTxx:xx:xx.xxxxxxZ") },
    { &DATE_TYPE, BLOB("2026-11-20") },
    { &TIMESTAMP_TYPE, TEXT("x") },
    { &TIMESTAMP_TYPE, INTEGER(INT64_MAX) },
    { &TIMESTAMP_TYPE, BOOLEAN(0) },
    { &TIMESTAMP_TYPE, REAL(1e300) },
    { &UUID_TYPE, TEXT("123e4567-e89b-12d3-a456-42661417400") },
    { &UUID_TYPE, INTEGER(1) },
    { &UUID_TYPE, TEXT("123e4567-e89b-12d3-a456-4266141740000") },
    { &UUID_TYPE, TEXT("") },
    { &UUID_TYPE, TEXT("123e4567-e89b-12d3-a456-42661417400g") },
    { &UUID_TYPE, TEXT("123e4567ae89b-12d3-a456-426614174000") },
    { &UUID_TYPE, TEXT("123e4567-e89b-12d3-a456-4266141740-0") },
    { &UUID_TYPE, BLOB("123e4567-e89b-12d3-a456-426614174000") },
    { &MONEY_TYPE, TEXT("1.234") },
    { &MONEY_TYPE, TEXT("1e2") },
    { &MONEY_TYPE, TEXT("1e1000000") },
    { &MONEY_TYPE, TEXT("") },
    { &MONEY_TYPE, TEXT("-") },
    { &MONEY_TYPE, TEXT(".5") },
    { &MONEY_TYPE, TEXT("5.") },
    { &MONEY_TYPE, TEXT(" 5") },
    { &MONEY_TYPE, TEXT("5 ") },
    { &MONEY_TYPE, TEXT("--5") },
    { &MONEY_TYPE, TEXT("1,5") },
    { &MONEY_TYPE, TEXT("0x10") },
    { &MONEY_TYPE, TEXT("100000000") },
    { &MONEY_TYPE, INTEGER(100000000) },
    { &MONEY_TYPE, REAL(0.30000000000000004) },
    { &MONEY_TYPE, REAL(1e300) },
    { &MONEY_TYPE, REAL(0.001) },
    { &MONEY_TYPE, BOOLEAN(1) },
    { &MONEY_TYPE, BLOB("1.00") },
    { &WHOLE_TYPE, TEXT("123456") },
    { &WHOLE_TYPE, REAL(0.5) },
  };
  rille_arena arena;
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_cell kept = INTEGER(77);

    if (rille_type_store(*cases[i].type, &cases[i].in, rille_str_of("a.b"), &arena, &kept, &fault) == RILLE_OK) {
      show(&cases[i].in);
      fail_msg(" is no %s", rille_type_name(cases[i].type->kind));
    }
    assert_int_equal(fault.kind, RILLE_INVALID_ARGUMENT);
    assert_contains(fault.message, "a.b wants ");
    assert_int_equal(kept.as.integer, 77);
  }
  rille_arena_release(&arena);
}

static void
refuses_numbers_that_are_not_finite_for_every_type(void **state)
{
  const double numbers[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
  rille_arena arena;
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  for (int kind = 0; kind < RILLE_TYPE_COUNT; kind++)
    for (size_t i = 0; i < SPEC_COUNT(numbers); i++) {
      rille_cell in = REAL(numbers[i]), out;
      rille_type type = { .kind = (rille_type_kind)kind };

      assert_fails(RILLE_INVALID_ARGUMENT, rille_type_store(type, &in, rille_str_of("a.b"), &arena, &out, &fault),
                   &fault);
      assert_contains(fault.message, i == 0 ? "a.b cannot hold NaN" : "a.b cannot hold infinity");
      assert_fails(RILLE_INVALID_ARGUMENT, rille_type_store(type, &in, (rille_str){ 0 }, &arena, &out, &fault), &fault);
      assert_contains(fault.message, "a value cannot hold");
    }
  rille_arena_release(&arena);
}

static void
refuses_decimals_that_would_lose_digits(void **state)
{
  static const struct {
    const char *declared;
    rille_cell in;
    bool taken;
  } cases[] = {
    { "DECIMAL(20,4)", TEXT("12345678901.2345"), true },
    { "DECIMAL(20,4)", TEXT("123456789012.3456"), false },
    { "DECIMAL(20,4)", TEXT("1000000000000000.0000"), true },
    { "DECIMAL(20,4)", TEXT("1000000000000000.5"), false },
    { "DECIMAL(20,0)", TEXT("123456789012345678"), true },
    { "DECIMAL(20,0)", TEXT("1234567890123456789"), false },
    { "DECIMAL_TEXT(30,4)", TEXT("12345678901234567890123456.7891"), true },
    { "DECIMAL(18,18)", TEXT("0.000000000000000001"), true },
  };
  rille_arena arena;
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_type type = rille_type_from_declared(rille_str_of(cases[i].declared));
    rille_status status;
    rille_cell out;

    status = rille_type_store(type, &cases[i].in, rille_str_of("a.b"), &arena, &out, &fault);
    if ((status == RILLE_OK) != cases[i].taken)
      fail_msg("%s should %s %s", cases[i].declared, cases[i].taken ? "take" : "refuse", cases[i].in.as.text.at);
    if (!cases[i].taken)
      assert_contains(fault.hint, "DECIMAL_TEXT");
  }
  rille_arena_release(&arena);
}

static void
says_what_was_given_without_showing_long_or_dirty_values(void **state)
{
  static const struct {
    rille_cell in;
    const char *message;
  } cases[] = {
    { INTEGER(-5), "a.b wants true or false, not the integer -5" },
    { REAL(0.1), "a.b wants true or false, not the number 0.10000000000000001" },
    { TEXT("yes"), "a.b wants true or false, not the text \"yes\"" },
    { TEXT("0123456789012345678901234567890123456789x"), "a.b wants true or false, not a text of 41 bytes" },
    { TEXT("a\0b"), "a.b wants true or false, not 3 bytes that are not clean UTF-8 text" },
    { BLOB("ab"), "a.b wants true or false, not 2 bytes" },
  };
  rille_arena arena;
  rille_fault fault;
  rille_cell out;

  (void)state;
  rille_arena_init(&arena);
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    assert_fails(RILLE_INVALID_ARGUMENT,
                 rille_type_store(BOOLEAN_TYPE, &cases[i].in, rille_str_of("a.b"), &arena, &out, &fault), &fault);
    assert_string_equal(fault.message, cases[i].message);
  }
  rille_arena_release(&arena);
}

static void
a_database_that_is_exact_bounds_no_digits(void **state)
{
  const rille_type column = rille_type_of_column(rille_str_of("decimal(30,2)"), (rille_str){ 0 }, true);
  const rille_type cast = rille_type_of_column(rille_str_of("numeric"), rille_str_of("decimal:2"), true);
  const rille_cell many = { .kind = RILLE_TEXT, .as.text = rille_str_of("1234567890123456789012345.67") };
  rille_arena arena = { 0 };
  rille_cell kept;
  rille_fault fault;

  (void)state;
  assert_ok(rille_type_store(column, &many, (rille_str){ 0 }, &arena, &kept, &fault), &fault);
  assert_ok(rille_type_store(cast, &many, (rille_str){ 0 }, &arena, &kept, &fault), &fault);
  assert_int_equal(cast.scale, 2);
  assert_fails(RILLE_INVALID_ARGUMENT,
               rille_type_store(rille_type_of_column(rille_str_of("decimal(30,2)"), (rille_str){ 0 }, false), &many,
                                (rille_str){ 0 }, &arena, &kept, &fault),
               &fault);
  rille_arena_release(&arena);
}

/* A program around us may have set a locale that writes 1,5: databases do not. */
static void
writes_a_point_in_every_locale(void **state)
{
  rille_cell in = REAL(1.5), out;
  char room[RILLE_PRESENT_BYTES];
  rille_arena arena;
  rille_fault fault;

  (void)state;
  if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL)
    skip();
  rille_arena_init(&arena);
  assert_ok(rille_type_store(MONEY_TYPE, &in, rille_str_of("a.b"), &arena, &out, &fault), &fault);
  assert_text(out.as.text, "1.50");
  assert_ok(rille_type_present(MONEY_TYPE, &in, rille_str_of("a.b"), room, &out, &fault), &fault);
  assert_text(out.as.text, "1.50");
  rille_arena_release(&arena);
  (void)setlocale(LC_NUMERIC, "C");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_database_that_is_exact_bounds_no_digits),
    cmocka_unit_test(keeps_what_a_type_takes),
    cmocka_unit_test(keeps_decimals_with_all_their_digits),
    cmocka_unit_test(refuses_what_a_type_does_not_take),
    cmocka_unit_test(refuses_numbers_that_are_not_finite_for_every_type),
    cmocka_unit_test(refuses_decimals_that_would_lose_digits),
    cmocka_unit_test(says_what_was_given_without_showing_long_or_dirty_values),
    cmocka_unit_test(writes_a_point_in_every_locale),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
