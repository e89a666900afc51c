/* spec/driver/contract_value.c - every value goes in and comes back as it was. */
#include "spec/driver/contract.h"

#include <stdlib.h>

static int
open_values(void **state)
{
  (void)contract_open(state);
  contract_run_sql(contract_db, "create table kept (i %s, r %s, t %s, b %s)", contract->integer, contract->real,
                   contract->text, contract->blob);
  return 0;
}

/* Stores the value in the column and reads it again; the texts of `back` are borrowed from the statement, the
** caller's. */
static rille_stmt *
there_and_back(const char *column, const rille_cell *cell, rille_cell *back)
{
  char sql[100];
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  contract_run_sql(contract_db, "delete from kept");
  (void)strcpy(sql, "insert into kept (");
  (void)strcat(sql, column);
  (void)strcat(sql, ") values (?)");
  stmt = contract_prepare(contract_db, sql);
  assert_ok(contract->driver->bind(stmt, 1, cell, &fault), &fault);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_false(row);
  contract->driver->free(stmt);
  (void)strcpy(sql, "select ");
  (void)strcat(sql, column);
  (void)strcat(sql, " from kept");
  stmt = contract_prepare(contract_db, sql);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_true(row);
  memset(back, 0xEE, sizeof *back);
  assert_ok(contract->driver->row(stmt, back, &fault), &fault);
  return stmt;
}

static void
keeps_integers_to_their_ends(void **state)
{
  static const int64_t integers[] = { 0,         1,        -1, 127, 128, INT32_MAX, INT32_MIN, (INT64_C(1) << 53) + 1,
                                      INT64_MAX, INT64_MIN };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(integers); i++) {
    rille_cell cell = { .kind = RILLE_INT, .as.integer = integers[i] }, back;

    contract->driver->free(there_and_back("i", &cell, &back));
    assert_int_equal(back.kind, RILLE_INT);
    assert_true(back.as.integer == integers[i]);
  }
}

static void
keeps_reals_to_their_last_bit(void **state)
{
  static const double reals[] = {
    0.0, 1.0, -1.5, 0.1, 1.0 / 3.0, 1e-300, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308, 1e15, 1e22
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(reals); i++) {
    rille_cell cell = { .kind = RILLE_REAL, .as.real = reals[i] }, back;

    contract->driver->free(there_and_back("r", &cell, &back));
    assert_int_equal(back.kind, RILLE_REAL);
    assert_memory_equal(&back.as.real, &reals[i], sizeof reals[i]);
  }
}

static void
keeps_null_in_every_column(void **state)
{
  static const char *const columns[] = { "i", "r", "t", "b" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(columns); i++) {
    rille_cell cell = { .kind = RILLE_NULL }, back;

    contract->driver->free(there_and_back(columns[i], &cell, &back));
    assert_int_equal(back.kind, RILLE_NULL);
  }
}

static void
keeps_booleans_as_0_and_1(void **state)
{
  (void)state;
  for (int64_t b = 0; b < 2; b++) {
    rille_cell cell = { .kind = RILLE_BOOL, .as.integer = b }, back;

    contract->driver->free(there_and_back("i", &cell, &back));
    assert_int_equal(back.kind, RILLE_INT);
    assert_int_equal(back.as.integer, b);
  }
}

static void
assert_kept(const char *column, rille_cell_kind kind, rille_str text)
{
  rille_cell cell = { .kind = kind, .as.text = text }, back;
  rille_stmt *stmt = there_and_back(column, &cell, &back);

  assert_int_equal(back.kind, kind);
  assert_int_equal(back.as.text.len, text.len);
  assert_non_null(back.as.text.at);
  assert_true(rille_str_equal(back.as.text, text));
  contract->driver->free(stmt);
}

static void
keeps_texts_byte_for_byte(void **state)
{
  static const rille_str texts[] = {
    SPEC_BYTES(""),
    SPEC_BYTES("a"),
    SPEC_BYTES("x' OR 1=1 --"),
    SPEC_BYTES("\\'; --"),
    SPEC_BYTES("$$"),
    SPEC_BYTES("E'\\x27'"),
    SPEC_BYTES("\xC3\xA9"),
    SPEC_BYTES("\xE2\x82\xAC"),
    SPEC_BYTES("\xF0\x9F\x90\x98"),
    SPEC_BYTES(" 12 "),
    SPEC_BYTES("12"),
    SPEC_BYTES("1e3"),
    SPEC_BYTES("\x01\x7F\t\r\n"),
    { NULL, 0 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    assert_kept("t", RILLE_TEXT, texts[i]);
}

static void
keeps_blobs_byte_for_byte(void **state)
{
  static const rille_str blobs[] = {
    SPEC_BYTES(""),     SPEC_BYTES("\0"), SPEC_BYTES("a\0b"), SPEC_BYTES("\0\0\0\0"), SPEC_BYTES("\xFF\xFE\0\xC0\x80"),
    SPEC_BYTES("text"), { NULL, 0 },
  };
  char all[256];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(blobs); i++)
    assert_kept("b", RILLE_BLOB, blobs[i]);
  for (size_t i = 0; i < sizeof all; i++)
    all[i] = (char)(unsigned char)i;
  assert_kept("b", RILLE_BLOB, (rille_str){ all, sizeof all });
}

static void
keeps_ten_megabytes(void **state)
{
  enum { BYTES = 10 * 1000 * 1000 };
  char *bytes = malloc(BYTES);

  (void)state;
  for (size_t i = 0; i < BYTES; i++)
    bytes[i] = (char)('a' + i % 26);
  assert_kept("t", RILLE_TEXT, (rille_str){ bytes, BYTES });
  for (size_t i = 0; i < BYTES; i++)
    bytes[i] = (char)(unsigned char)(i * 31);
  assert_kept("b", RILLE_BLOB, (rille_str){ bytes, BYTES });
  free(bytes);
}

static void
fills_a_row_with_all_its_columns(void **state)
{
  const rille_cell in[] = { { .kind = RILLE_INT, .as.integer = 7 },
                            { .kind = RILLE_REAL, .as.real = 2.5 },
                            { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("seven") },
                            { .kind = RILLE_BLOB, .as.text = SPEC_BYTES("\0\1") } };
  rille_cell out[5];
  rille_stmt *stmt = contract_prepare(contract_db, "insert into kept (i, r, t, b) values (?, ?, ?, ?)");
  rille_fault fault;
  bool row;

  (void)state;
  for (int i = 0; i < 4; i++)
    assert_ok(contract->driver->bind(stmt, i + 1, &in[i], &fault), &fault);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->free(stmt);
  memset(out, 0xEE, sizeof out);
  stmt = contract_prepare(contract_db, "select t, b, r, i from kept");
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_ok(contract->driver->row(stmt, out, &fault), &fault);
  assert_text(out[0].as.text, "seven");
  assert_int_equal(out[1].kind, RILLE_BLOB);
  assert_true(out[2].as.real == 2.5);
  assert_int_equal(out[3].as.integer, 7);
  assert_int_equal((unsigned char)out[4].kind, 0xEE);
  contract->driver->free(stmt);
}

#define ON_VALUES(test) cmocka_unit_test_setup_teardown(test, open_values, contract_close)

int
contract_values(void)
{
  const struct CMUnitTest values[] = {
    ON_VALUES(keeps_integers_to_their_ends), ON_VALUES(keeps_reals_to_their_last_bit),
    ON_VALUES(keeps_null_in_every_column),   ON_VALUES(keeps_booleans_as_0_and_1),
    ON_VALUES(keeps_texts_byte_for_byte),    ON_VALUES(keeps_blobs_byte_for_byte),
    ON_VALUES(keeps_ten_megabytes),          ON_VALUES(fills_a_row_with_all_its_columns),
  };

  return cmocka_run_group_tests(values, NULL, NULL);
}
