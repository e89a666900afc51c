/* spec/driver/postgres_value_test.c - values of PostgreSQL's types go in and come back, in both of its formats. */
#include "spec/driver/posts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const rille_driver *const postgres = &rille_driver_postgres;

/* The first cell of the first row; its texts live as long as the statement, the caller's. */
static rille_stmt *
first(const char *sql, rille_cell *cell)
{
  rille_stmt *stmt = contract_prepare(posts_db, sql);
  rille_cell cells[8];
  rille_fault fault;
  bool row;

  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_true(row);
  assert_ok(postgres->row(stmt, cells, &fault), &fault);
  *cell = cells[0];
  return stmt;
}

/* What comes is the same alone, in binary, and beside a value of a type that is only known as text. */
static void
assert_reads(const char *expression, const char *text, const char *declared)
{
  static const char *const forms[] = { "select %s", "select %s, '1.2.3.4'::inet" };

  for (size_t i = 0; i < SPEC_COUNT(forms); i++) {
    char sql[600];
    rille_cell cell;
    rille_stmt *stmt;

    (void)snprintf(sql, sizeof sql, i == 0 ? "select %s" : "select %s, '1.2.3.4'::inet", expression);
    stmt = first(sql, &cell);
    assert_int_equal(cell.kind, RILLE_TEXT);
    assert_text(cell.as.text, text);
    assert_text(postgres->column_declared(stmt, 0), declared);
    postgres->free(stmt);
  }
}

static void
reads_texts_of_its_types(void **state)
{
  static const char *const moment = "timestamp with time zone", *const plain = "timestamp without time zone";
  const struct {
    const char *expression, *text, *declared;
  } cases[] = {
    { "0::numeric(5,0)", "0", "" },
    { "-1.50::numeric(10,2)", "-1.50", "" },
    { "0.00000001::numeric", "0.00000001", "" },
    { "-0.0001::numeric", "-0.0001", "" },
    { "10000::numeric(5,0)", "10000", "" },
    { "100000000.00010::numeric", "100000000.00010", "" },
    { "123456789012345678901234567890.123456789::numeric", "123456789012345678901234567890.123456789", "" },
    { "1e30::numeric", "1000000000000000000000000000000", "" },
    { "'NaN'::numeric", "NaN", "" },
    { "'-Infinity'::numeric", "-Infinity", "" },
    { "'2026-11-20 12:00:00+00'::timestamptz", "2026-11-20T12:00:00.000000Z", moment },
    { "'2026-11-20 12:00:00.123456+05:30'::timestamptz", "2026-11-20T06:30:00.123456Z", moment },
    { "'1969-12-31 23:59:59.999999+00'::timestamptz", "1969-12-31T23:59:59.999999Z", moment },
    { "'2000-02-29 00:00'::timestamp", "2000-02-29T00:00:00.000000Z", plain },
    { "'1900-02-28 23:59:59.5'::timestamp", "1900-02-28T23:59:59.500000Z", plain },
    { "'0001-01-01 00:00'::timestamp", "0001-01-01T00:00:00.000000Z", plain },
    { "'0044-03-15 12:00 BC'::timestamp", "0044-03-15T12:00:00.000000Z BC", plain },
    { "'4713-01-01 00:00 BC'::timestamp", "4713-01-01T00:00:00.000000Z BC", plain },
    { "'294276-12-31 23:59:59.999999'::timestamp", "294276-12-31T23:59:59.999999Z", plain },
    { "'infinity'::timestamptz", "infinity", moment },
    { "'-infinity'::timestamptz", "-infinity", moment },
    { "'2026-11-20'::date", "2026-11-20", "date" },
    { "'1600-02-29'::date", "1600-02-29", "date" },
    { "'0044-03-15 BC'::date", "0044-03-15 BC", "date" },
    { "'5874897-12-31'::date", "5874897-12-31", "date" },
    { "'-infinity'::date", "-infinity", "date" },
    { "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "" },
    { "'{\"b\": 1,  \"a\": [true, null]}'::json", "{\"b\": 1,  \"a\": [true, null]}", "json" },
    { "'{\"b\": 1,  \"a\": [true, null]}'::jsonb", "{\"a\": [true, null], \"b\": 1}", "jsonb" },
    { "'ab'::char(4)", "ab  ", "" },
    { "'x'::\"char\"", "x", "" },
    { "'pg_class'::name", "pg_class", "" },
    { "'untyped'", "untyped", "" },
    { "''", "", "" },
    { "pg_sleep(0)", "", "" },
    { "array[1, 2]", "{1,2}", "" },
    { "'1 day 2 hours'::interval", "P1DT2H", "" },
    { "'10:00:00'::time", "10:00:00", "" },
    { "int4range(1, 5)", "[1,5)", "" },
    { "'pg_class'::regclass", "pg_class", "" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_reads(cases[i].expression, cases[i].text, cases[i].declared);
}

/* The days of a column's moments are written anew only where they change. */
static void
reads_moments_one_behind_the_other(void **state)
{
  static const char *const texts[] = { "2026-11-20T12:00:00.000001Z",    "2026-11-20T23:59:59.999999Z",
                                       "2026-11-21T00:00:00.000000Z",    NULL,
                                       "2026-11-21T01:02:03.450000Z",    "infinity",
                                       "2026-11-21T01:02:03.000000Z",    "0044-03-15T12:00:00.000000Z BC",
                                       "0044-03-15T13:00:00.000000Z BC", "-infinity",
                                       "0044-03-15T13:00:00.000000Z",    "12026-11-21T00:00:00.000000Z",
                                       "2000-01-01T00:00:00.000000Z",    "1999-12-31T23:59:59.999999Z" };

  (void)state;
  for (int printed = 0; printed <= 1; printed++) {
    char sql[2000];
    size_t len = (size_t)snprintf(sql, sizeof sql, "select at::timestamptz, at::timestamp%s from (values ",
                                  printed ? ", '1.2.3.4'::inet" : "");
    rille_stmt *stmt;

    for (size_t i = 0; i < SPEC_COUNT(texts); i++)
      len += (size_t)snprintf(sql + len, sizeof sql - len, texts[i] != NULL ? "%s(%zu, '%s')" : "%s(%zu, null)",
                              i > 0 ? ", " : "", i, texts[i]);
    (void)snprintf(sql + len, sizeof sql - len, ") as v (i, at) order by i");
    stmt = contract_prepare(posts_db, sql);
    for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
      rille_cell cells[3];
      rille_fault fault;
      bool row;

      assert_ok(postgres->step(stmt, &row, &fault), &fault);
      assert_true(row);
      assert_ok(postgres->row(stmt, cells, &fault), &fault);
      for (int column = 0; column < 2; column++) {
        assert_int_equal(cells[column].kind, texts[i] != NULL ? RILLE_TEXT : RILLE_NULL);
        if (texts[i] != NULL)
          assert_text(cells[column].as.text, texts[i]);
      }
    }
    postgres->free(stmt);
  }
}

static void
reads_numbers_and_booleans_in_both_formats(void **state)
{
  static const struct {
    const char *expression;
    rille_cell_kind kind;
    double value;
  } cases[] = {
    { "true", RILLE_INT, 1 },
    { "false", RILLE_INT, 0 },
    { "(-32768)::int2", RILLE_INT, -32768 },
    { "(-2147483648)::int4", RILLE_INT, -2147483648.0 },
    { "(-9223372036854775808)::int8", RILLE_INT, -9223372036854775808.0 },
    { "4294967295::oid", RILLE_INT, 4294967295.0 },
    { "(select sum(i) from generate_series(1::bigint, 4) as n (i))", RILLE_INT, 10 }, /* a numeric, to the server */
    { "0.1::float4", RILLE_REAL, (double)0.1F },
    { "0.1::float8", RILLE_REAL, 0.1 },
    { "5e-324::float8", RILLE_REAL, 5e-324 },
    { "-1.7976931348623157e308::float8", RILLE_REAL, -1.7976931348623157e308 },
    { "'Infinity'::float8", RILLE_REAL, (double)INFINITY },
    { "'-Infinity'::float4", RILLE_REAL, -(double)INFINITY },
    { "'NaN'::float8", RILLE_REAL, (double)NAN },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    for (int printed = 0; printed < 2; printed++) {
      char sql[200];
      rille_cell cell;

      (void)snprintf(sql, sizeof sql, "select %s%s", cases[i].expression, printed ? ", '1.2.3.4'::inet" : "");
      postgres->free(first(sql, &cell));
      assert_int_equal(cell.kind, cases[i].kind);
      if (cell.kind == RILLE_INT)
        assert_true((double)cell.as.integer == cases[i].value);
      else
        assert_true(isnan(cases[i].value) ? isnan(cell.as.real) : cell.as.real == cases[i].value);
    }
}

static void
reads_bytes_in_both_formats(void **state)
{
  (void)state;
  for (int printed = 0; printed < 2; printed++) {
    rille_cell cell;
    rille_stmt *stmt = first(printed ? "select '\\x00ff615c'::bytea, null::inet" : "select '\\x00ff615c'::bytea",
                             &cell);

    assert_int_equal(cell.kind, RILLE_BLOB);
    assert_true(rille_str_equal(cell.as.text, SPEC_BYTES("\0\xFF"
                                                         "a\\")));
    postgres->free(stmt);
  }
}

static void
says_what_columns_are_declared_as(void **state)
{
  static const char *const types[] = { "bigint",
                                       "integer",
                                       "smallint",
                                       "boolean",
                                       "numeric(10,2)",
                                       "numeric(5,-2)",
                                       "numeric",
                                       "character varying(40)",
                                       "character varying",
                                       "character(3)",
                                       "text",
                                       "double precision",
                                       "real",
                                       "bytea",
                                       "json",
                                       "jsonb",
                                       "uuid",
                                       "date",
                                       "timestamp with time zone",
                                       "timestamp without time zone",
                                       "interval",
                                       "bigint[]",
                                       "inet" };
  rille_stmt *stmt, *catalog;
  rille_fault fault;
  const rille_cell table = { .kind = RILLE_TEXT, .as.text = rille_str_of("kept") };

  (void)state;
  contract_run_sql(posts_db, "create table kept ()");
  for (size_t i = 0; i < SPEC_COUNT(types); i++)
    contract_run_sql(posts_db, "alter table kept add column c%zu %s", i, types[i]);
  contract_run_sql(posts_db, "create domain whole as bigint not null");
  contract_run_sql(posts_db, "alter table kept add column d whole");
  stmt = contract_prepare(posts_db, "select * from kept");
  catalog = contract_prepare(posts_db, postgres->catalog[RILLE_CATALOG_COLUMNS]);
  assert_ok(postgres->bind(catalog, 1, &table, &fault), &fault);
  for (size_t i = 0; i <= SPEC_COUNT(types); i++) {
    const char *expected = i + 3 >= SPEC_COUNT(types) && i < SPEC_COUNT(types) ? "" /* unknown types: no word */
                           : i == SPEC_COUNT(types)                            ? "bigint"
                                                                               : types[i];
    rille_cell cells[7];
    bool row;

    assert_text(postgres->column_declared(stmt, (int)i), expected);
    assert_ok(postgres->step(catalog, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(catalog, cells, &fault), &fault);
    assert_text(cells[1].as.text, expected);
    assert_int_equal(cells[2].as.integer, i == SPEC_COUNT(types));
  }
  postgres->free(stmt);
  postgres->free(catalog);
}

/* Binds one cell to the one parameter; what comes of it, and the first column as text. */
static rille_status
give(const char *sql, rille_cell cell, char *text, size_t size, rille_fault *fault)
{
  rille_stmt *stmt = contract_prepare(posts_db, sql);
  rille_cell out = { 0 };
  bool row = false;
  rille_status status = postgres->bind(stmt, 1, &cell, fault);

  if (status == RILLE_OK)
    status = postgres->step(stmt, &row, fault);
  if (status == RILLE_OK && row)
    status = postgres->row(stmt, &out, fault);
  text[0] = '\0';
  if (status == RILLE_OK && out.kind == RILLE_TEXT)
    (void)snprintf(text, size, "%.*s", (int)out.as.text.len, out.as.text.at);
  postgres->free(stmt);
  return status;
}

#define INTEGER(n)                       \
  {                                      \
    .kind = RILLE_INT, .as.integer = (n) \
  }
#define REAL(n)                        \
  {                                    \
    .kind = RILLE_REAL, .as.real = (n) \
  }
#define TEXT(t)                                  \
  {                                              \
    .kind = RILLE_TEXT, .as.text = SPEC_BYTES(t) \
  }
#define BLOB(t)                                  \
  {                                              \
    .kind = RILLE_BLOB, .as.text = SPEC_BYTES(t) \
  }

static void
gives_what_parameters_take(void **state)
{
  const struct {
    const char *sql;
    rille_cell cell;
    const char *text;
  } cases[] = {
    { "select ($1::int2)::text", INTEGER(-32768), "-32768" },
    { "select ($1::int4)::text", INTEGER(INT32_MIN), "-2147483648" },
    { "select ($1::int8)::text", INTEGER(INT64_MIN), "-9223372036854775808" },
    { "select ($1::oid)::text", INTEGER(4294967295), "4294967295" },
    { "select ($1::bool)::text", INTEGER(1), "true" },
    { "select ($1::bool)::text", { .kind = RILLE_BOOL, .as.integer = 0 }, "false" },
    { "select ($1::bool)::text", TEXT("on"), "true" },
    { "select ($1::float8)::text", INTEGER(7), "7" },
    { "select ($1::float8)::numeric::text", INTEGER((INT64_C(1) << 53)), "9007199254740990" },
    { "select ($1::float4)::text", REAL(0.1), "0.1" },
    { "select ($1::float8)::text", REAL(-INFINITY), "-Infinity" },
    { "select ($1::float8)::text", REAL(NAN), "NaN" },
    { "select ($1::numeric)::text", INTEGER(INT64_MAX), "9223372036854775807" },
    { "select ($1::numeric)::text", REAL(0.1), "0.1" },
    { "select ($1::numeric)::text", REAL(NAN), "NaN" },
    { "select ($1::numeric)::text", TEXT("123456789012345678901234567890.5"), "123456789012345678901234567890.5" },
    { "select $1::text", INTEGER(12), "12" },
    { "select $1::text", REAL(1.5), "1.5" },
    { "select $1::text", TEXT("it's \\ \xC3\xA9"), "it's \\ \xC3\xA9" },
    { "select $1", TEXT("nothing says what it is"), "nothing says what it is" },
    { "select encode($1::bytea, 'hex')", BLOB("\0\1\xFF"), "0001ff" },
    { "select encode($1::bytea, 'hex')", TEXT("\\x41"), "5c783431" }, /* its bytes, not what they spell */
    { "select ($1::timestamptz)::text", TEXT("2026-11-20T12:00:00.000000Z"), "2026-11-20 12:00:00+00" },
    { "select ($1::timestamp)::text", TEXT("2026-11-20T12:00:00.000000Z"), "2026-11-20 12:00:00" },
    { "select ($1::date)::text", TEXT("2026-11-20"), "2026-11-20" },
    { "select ($1::uuid)::text", TEXT("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
    { "select ($1::json)::text", TEXT("[1,  2]"), "[1,  2]" },
    { "select ($1::jsonb)::text", TEXT("[1,  2]"), "[1, 2]" },
    { "select ($1::inet)::text", TEXT("1.2.3.4"), "1.2.3.4/32" },
    { "select ($1::int[])[2]::text", TEXT("{4,5}"), "5" },
    { "select coalesce($1::int::text, 'null')", { .kind = RILLE_NULL }, "null" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char text[200];
    rille_fault fault;

    assert_ok(give(cases[i].sql, cases[i].cell, text, sizeof text, &fault), &fault);
    assert_string_equal(text, cases[i].text);
  }
}

static void
refuses_what_parameters_do_not_take(void **state)
{
  const struct {
    const char *sql;
    rille_cell cell;
    const char *says;
  } cases[] = {
    { "select $1::int4", INTEGER((int64_t)INT32_MAX + 1), "out of range" },
    { "select $1::int2", INTEGER(40000), "out of range" },
    { "select $1::bool", INTEGER(2), "boolean" },
    { "select $1::int8", TEXT("twelve"), "twelve" },
    { "select $1::int8", REAL(1.5), "1.5" },
    { "select $1::int8", BLOB("\0\0\0\0\0\0\0\1"), "bigint" },
    { "select $1::text", BLOB("\xFF\xFE"), "UTF8" },
    { "select $1::text", TEXT("\xFF\xFE"), "UTF8" },
    { "select $1::text", TEXT("a\0b"), "NUL" },
    { "select $1::jsonb", TEXT("{} \0 x"), "NUL" },
    { "select $1::jsonb", TEXT("{"), "json" },
    { "select $1::date", TEXT("2026-02-30"), "2026-02-30" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    char text[200];
    rille_fault fault;

    assert_fails(RILLE_INVALID_ARGUMENT, give(cases[i].sql, cases[i].cell, text, sizeof text, &fault), &fault);
    assert_contains(fault.message, cases[i].says);
  }
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

/* -- limits ------------------------------------------------------------------------------------------------ */

static char *
many_parameters(int count)
{
  size_t size = (size_t)count * 8 + 100, len = 0;
  char *sql = malloc(size);

  len += (size_t)snprintf(sql, size, "select 1 where 5 in (");
  for (int i = 1; i <= count; i++)
    len += (size_t)snprintf(sql + len, size - len, "%s$%d", i > 1 ? "," : "", i);
  (void)snprintf(sql + len, size - len, ")");
  return sql;
}

static void
takes_7498_parameters_and_no_more(void **state)
{
  const rille_cell five = { .kind = RILLE_INT, .as.integer = 5 };
  char *sql = many_parameters(7498);
  rille_stmt *stmt = NULL;
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(postgres->prepare(posts_db, rille_str_of(sql), &stmt, &fault), &fault);
  assert_int_equal(postgres->param_count(stmt), 7498);
  assert_ok(postgres->bind(stmt, 7498, &five, &fault), &fault);
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_true(row);
  postgres->free(stmt);
  free(sql);
  sql = many_parameters(7499);
  assert_fails(RILLE_INVALID_ARGUMENT, postgres->prepare(posts_db, rille_str_of(sql), &stmt, &fault), &fault);
  assert_contains(fault.message, "7498");
  free(sql);
}

static void
refuses_a_gigabyte_before_the_server_does(void **state)
{
  static const size_t BYTES = ((size_t)1 << 30) + 1;
  char *bytes = calloc(1, BYTES);
  char text[10];
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_ARGUMENT,
               give("select octet_length($1::bytea)", (rille_cell){ .kind = RILLE_BLOB, .as.text = { bytes, BYTES } },
                    text, sizeof text, &fault),
               &fault);
  assert_contains(fault.message, "gigabyte");
  free(bytes);
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

static void
says_that_a_value_cannot_be_read_rather_than_to_guess(void **state)
{
  rille_stmt *stmt;
  rille_cell cells[2];
  rille_fault fault;
  bool row;

  (void)state;
  contract_run_sql(posts_db, "set datestyle = 'German'");
  contract_run_sql(posts_db, "set bytea_output = 'escape'");
  stmt = contract_prepare(posts_db, "select now(), '1.2.3.4'::inet");
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_fails(RILLE_CORRUPT, postgres->row(stmt, cells, &fault), &fault);
  assert_contains(fault.hint, "DateStyle");
  postgres->free(stmt);
  stmt = contract_prepare(posts_db, "select 'a'::bytea, '1.2.3.4'::inet");
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_fails(RILLE_CORRUPT, postgres->row(stmt, cells, &fault), &fault);
  postgres->free(stmt);
}

/* A moment that is sent as a number is the one that the server reads in the text: a blank makes it read. */
static void
gives_moments_as_the_server_reads_them(void **state)
{
  static const char *const texts[] = {
    "0001-01-01T00:00:00.000000Z", "1582-10-15T12:34:56.789012Z", "1899-12-31T23:59:59.999999Z",
    "1900-02-28T23:59:59.999999Z", "1900-03-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z",
    "1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00.000000Z", "2000-02-29T00:00:00.000001Z",
    "2024-02-29T13:14:15.100000Z", "2024-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z",
  };
  static const char *const types[] = { "timestamptz", "timestamp" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(types) * SPEC_COUNT(texts); i++) {
    const char *type = types[i / SPEC_COUNT(texts)], *text = texts[i % SPEC_COUNT(texts)];
    char sql[200], blank[40];
    rille_stmt *stmt;
    rille_cell cells[2];
    rille_fault fault;
    bool row;

    (void)snprintf(sql, sizeof sql, "select $1::%s = $2::text::%s", type, type);
    (void)snprintf(blank, sizeof blank, " %s", text);
    stmt = contract_prepare(posts_db, sql);
    assert_ok(postgres->bind(stmt, 1, &(rille_cell){ .kind = RILLE_TEXT, .as.text = rille_str_of(text) }, &fault),
              &fault);
    assert_ok(postgres->bind(stmt, 2, &(rille_cell){ .kind = RILLE_TEXT, .as.text = rille_str_of(blank) }, &fault),
              &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_ok(postgres->row(stmt, cells, &fault), &fault);
    assert_int_equal(cells[0].as.integer, 1);
    postgres->free(stmt);
  }
}

/* What only looks like one goes to the server as it was written. */
static void
leaves_other_moments_to_the_server(void **state)
{
  static const struct {
    const char *text, *read; /* NULL: it is refused */
  } cases[] = {
    { "2024-01-31T24:00:00.000000Z", "2024-02-01T00:00:00.000000Z" },
    { "2024-01-31T23:59:60.000000Z", "2024-02-01T00:00:00.000000Z" },
    { "2024-01-31T10:00:00.000000+02", "2024-01-31T08:00:00.000000Z" },
    { "2024-01-31", "2024-01-31T00:00:00.000000Z" },
    { "0001-01-01T00:00:00.000000 BC", "0001-01-01T00:00:00.000000Z BC" },
    { "infinity", "infinity" },
    { "2023-02-29T00:00:00.000000Z", NULL },
    { "1900-02-29T00:00:00.000000Z", NULL },
    { "2024-13-01T00:00:00.000000Z", NULL },
    { "2024-00-01T00:00:00.000000Z", NULL },
    { "2024-01-00T00:00:00.000000Z", NULL },
    { "2024-01-01T25:00:00.000000Z", NULL },
    { "2024-01-01T00:60:00.000000Z", NULL },
    { "2024-01-01T00:00:61.000000Z", NULL },
    { "0000-01-01T00:00:00.000000Z", NULL },
    { "2024-01-01T00:0x:00.000000Z", NULL },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_cell cell = { .kind = RILLE_TEXT, .as.text = rille_str_of(cases[i].text) };
    char text[60];
    rille_fault fault;
    rille_status status = give("select $1::timestamptz", cell, text, sizeof text, &fault);

    if (cases[i].read == NULL) {
      assert_true(status != RILLE_OK);
    } else {
      assert_ok(status, &fault);
      assert_string_equal(text, cases[i].read);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest values[] = {
    ON_POSTS(reads_texts_of_its_types),
    ON_POSTS(reads_moments_one_behind_the_other),
    ON_POSTS(reads_numbers_and_booleans_in_both_formats),
    ON_POSTS(reads_bytes_in_both_formats),
    ON_POSTS(says_what_columns_are_declared_as),
    ON_POSTS(gives_what_parameters_take),
    ON_POSTS(gives_moments_as_the_server_reads_them),
    ON_POSTS(leaves_other_moments_to_the_server),
    ON_POSTS(refuses_what_parameters_do_not_take),
    ON_POSTS(takes_7498_parameters_and_no_more),
    ON_POSTS(refuses_a_gigabyte_before_the_server_does),
    ON_POSTS(says_that_a_value_cannot_be_read_rather_than_to_guess),
  };

  return cmocka_run_group_tests(values, NULL, NULL);
}
