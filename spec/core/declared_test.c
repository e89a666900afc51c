/* spec/core/declared_test.c - which type a name means, of a cast or as create table says it. */
#include "spec/support/spec.h"

#include "core/query/declared.h"

static void
knows_types_by_the_names_of_casts(void **state)
{
  (void)state;
  for (int kind = 0; kind < RILLE_TYPE_COUNT; kind++)
    assert_int_equal(rille_type_from_name(rille_str_of(rille_type_name((rille_type_kind)kind))).kind, kind);
  assert_int_equal(rille_type_from_name(rille_str_of("decimal:0")).kind, RILLE_TYPE_DECIMAL);
  assert_int_equal(rille_type_from_name(rille_str_of("decimal:2")).scale, 2);
  assert_int_equal(rille_type_from_name(rille_str_of("decimal:18")).scale, 18);

  static const char *const unknown[] = { "",           "text ",      "Text",      "decimal:",
                                         "decimal:19", "decimal:-1", "decimal:x", "decimal:02" };
  for (size_t i = 0; i < SPEC_COUNT(unknown); i++)
    assert_int_equal(rille_type_from_name(rille_str_of(unknown[i])).kind, RILLE_TYPE_COUNT);
}

static void
knows_types_by_what_create_table_says(void **state)
{
  static const struct {
    const char *declared;
    rille_type_kind kind;
    int precision, scale;
  } cases[] = {
    { "INTEGER", RILLE_TYPE_INTEGER, 0, 0 },
    { "bigint", RILLE_TYPE_INTEGER, 0, 0 },
    { "UNSIGNED BIG INT", RILLE_TYPE_INTEGER, 0, 0 },
    { "TEXT", RILLE_TYPE_TEXT, 0, 0 },
    { "VARCHAR(40)", RILLE_TYPE_TEXT, 0, 0 },
    { "CHAR(2)", RILLE_TYPE_TEXT, 0, 0 },
    { "CLOB", RILLE_TYPE_TEXT, 0, 0 },
    { "BLOB", RILLE_TYPE_BLOB, 0, 0 },
    { "bytea", RILLE_TYPE_BLOB, 0, 0 },
    { "REAL", RILLE_TYPE_REAL, 0, 0 },
    { "DOUBLE PRECISION", RILLE_TYPE_REAL, 0, 0 },
    { "float", RILLE_TYPE_REAL, 0, 0 },
    { "BOOLEAN", RILLE_TYPE_BOOLEAN, 0, 0 },
    { "DATETIME TEXT", RILLE_TYPE_DATETIME, 0, 0 },
    { "TIMESTAMP", RILLE_TYPE_DATETIME, 0, 0 },
    { "timestamptz", RILLE_TYPE_DATETIME, 0, 0 },
    { "DATE TEXT", RILLE_TYPE_DATE, 0, 0 },
    { "JSON TEXT", RILLE_TYPE_JSON, 0, 0 },
    { "jsonb", RILLE_TYPE_JSON, 0, 0 },
    { "UUID TEXT", RILLE_TYPE_UUID, 0, 0 },
    { "", RILLE_TYPE_ANY, 0, 0 },
    { "GEOMETRY", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(10,2)", RILLE_TYPE_DECIMAL, 10, 2 },
    { "numeric( 12 , 4 )", RILLE_TYPE_DECIMAL, 12, 4 },
    { "DECIMAL(5)", RILLE_TYPE_DECIMAL, 5, 0 },
    { "DECIMAL_TEXT(30,10)", RILLE_TYPE_DECIMAL, 30, 10 },
    { "NUMERIC", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL()", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(10,19)", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(0,0)", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(2,5)", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(10,-2)", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(-10,2)", RILLE_TYPE_ANY, 0, 0 },
    { "DECIMAL(99999999999999999999,2)", RILLE_TYPE_DECIMAL, 999999999, 0 },
    { "DECIMAL(", RILLE_TYPE_ANY, 0, 0 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_type type = rille_type_from_declared(rille_str_of(cases[i].declared));

    if (type.kind != cases[i].kind || type.precision != cases[i].precision || type.scale != cases[i].scale)
      fail_msg("\"%s\" is a %s(%d,%d)", cases[i].declared, rille_type_name(type.kind), type.precision, type.scale);
  }
  assert_int_equal(rille_type_from_declared((rille_str){ 0 }).kind, RILLE_TYPE_ANY);
}

static void
knows_the_length_and_the_form_that_a_column_keeps(void **state)
{
  static const struct {
    const char *declared, *cast;
    rille_type_kind kind;
    int length;
    rille_kept kept;
  } cases[] = {
    { "VARCHAR(40)", "", RILLE_TYPE_TEXT, 40, RILLE_KEPT_OWN },
    { "character varying ( 7 )", "", RILLE_TYPE_TEXT, 7, RILLE_KEPT_OWN },
    { "VARCHAR", "", RILLE_TYPE_TEXT, 0, RILLE_KEPT_OWN },
    { "TEXT(40)", "", RILLE_TYPE_TEXT, 0, RILLE_KEPT_OWN },
    { "VARCHAR(40)", "json", RILLE_TYPE_JSON, 40, RILLE_KEPT_OWN },
    { "TEXT", "timestamp", RILLE_TYPE_TIMESTAMP, 0, RILLE_KEPT_TEXT },
    { "DATETIME", "timestamp", RILLE_TYPE_TIMESTAMP, 0, RILLE_KEPT_TEXT },
    { "INTEGER", "timestamp", RILLE_TYPE_TIMESTAMP, 0, RILLE_KEPT_OWN },
    { "", "timestamp", RILLE_TYPE_TIMESTAMP, 0, RILLE_KEPT_OWN },
    { "BIGINT", "datetime", RILLE_TYPE_DATETIME, 0, RILLE_KEPT_SECONDS },
    { "DATETIME TEXT", "datetime", RILLE_TYPE_DATETIME, 0, RILLE_KEPT_OWN },
    { "DECIMAL_TEXT(30,4)", "", RILLE_TYPE_DECIMAL, 0, RILLE_KEPT_TEXT },
    { "DECIMAL(10,2)", "decimal:3", RILLE_TYPE_DECIMAL, 0, RILLE_KEPT_OWN },
    { "TEXT", "decimal:3", RILLE_TYPE_DECIMAL, 0, RILLE_KEPT_TEXT },
    { "TEXT", "integer", RILLE_TYPE_INTEGER, 0, RILLE_KEPT_TEXT },
    { "INTEGER", "", RILLE_TYPE_INTEGER, 0, RILLE_KEPT_OWN },
    { "INTEGER", "intger", RILLE_TYPE_COUNT, 0, RILLE_KEPT_OWN },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_type type = rille_type_of_column(rille_str_of(cases[i].declared), rille_str_of(cases[i].cast), false);

    if (type.kind != cases[i].kind || type.length != cases[i].length || type.kept != cases[i].kept)
      fail_msg("\"%s\" as \"%s\": kind %d, length %d, kept %d", cases[i].declared, cases[i].cast, (int)type.kind,
               type.length, (int)type.kept);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(knows_types_by_the_names_of_casts),
    cmocka_unit_test(knows_types_by_what_create_table_says),
    cmocka_unit_test(knows_the_length_and_the_form_that_a_column_keeps),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
