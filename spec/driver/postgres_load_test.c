/* spec/driver/postgres_load_test.c - rows that are put into a table many at once. */
#include "spec/driver/contract.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "spec/support/postgres.h"

static const rille_driver *const postgres = &rille_driver_postgres;
static const rille_str columns[] = { { "a", 1 }, { "b", 1 } };
static rille_conn *db;
static char url[SPEC_URL_BYTES];

static rille_cell
text_cell(const char *text)
{
  return (rille_cell){ .kind = RILLE_TEXT, .as.text = rille_str_of(text) };
}

static int
open_table(void **state)
{
  rille_open_options options = { .busy_timeout_ms = 2000 };
  rille_fault fault;

  (void)state;
  spec_postgres_schema(url, sizeof url);
  options.url = rille_str_of(url);
  assert_ok(postgres->open(&options, &db, &fault), &fault);
  contract_run_sql(db, "create table t (a bigint primary key, b text)");
  return 0;
}

static int
close_table(void **state)
{
  (void)state;
  postgres->close(db);
  db = NULL;
  return 0;
}

static rille_load *
start(const char *table)
{
  rille_load *load = NULL;
  rille_fault fault;

  assert_ok(postgres->load(db, rille_str_of(table), columns, 2, &load, &fault), &fault);
  return load;
}

static rille_status
put(rille_load *load, int64_t a, const char *b, rille_fault *fault)
{
  const rille_cell cells[] = { { .kind = RILLE_INT, .as.integer = a }, b != NULL ? text_cell(b) : (rille_cell){ 0 } };

  return postgres->load_row(load, cells, fault);
}

static rille_status
put_many(rille_load *load, int64_t from, int64_t to, rille_fault *fault)
{
  rille_status status = RILLE_OK;

  for (int64_t i = from; i <= to && status == RILLE_OK; i++)
    status = put(load, i, "a text that is somewhat longer than a number", fault);
  return status;
}

static void
puts_rows_into_a_table(void **state)
{
  rille_load *load = start("t");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(put_many(load, 1, 20000, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(rows, 20000);
  assert_int_equal(contract_integer(db, "select sum(a) from t"), 200010000);
  load = start("t");
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(rows, 0);
}

static void
keeps_each_text_as_it_is(void **state)
{
  static const char *const texts[] = {
    "", "\\N", "\\.", "\t", "a\nb\r\n", "\\", "\\\\t", "\xC3\xA9", "\b\f\v", "NULL"
  };
  rille_load *load = start("t");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    assert_ok(put(load, (int64_t)i, texts[i], &fault), &fault);
  assert_ok(put(load, 100, NULL, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
    rille_stmt *stmt = contract_prepare(db, "select (b = $1)::int from t where a = $2");
    const rille_cell text = text_cell(texts[i]);
    const rille_cell id = { .kind = RILLE_INT, .as.integer = (int64_t)i };
    rille_cell cell;
    bool row = false;

    assert_ok(postgres->bind(stmt, 1, &text, &fault), &fault);
    assert_ok(postgres->bind(stmt, 2, &id, &fault), &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, &cell, &fault), &fault);
    assert_int_equal(cell.as.integer, 1);
    postgres->free(stmt);
  }
  assert_int_equal(contract_integer(db, "select count(*) from t where b is null"), 1);
}

static void
keeps_numbers_and_bytes(void **state)
{
  const rille_cell cells[] = { { .kind = RILLE_REAL, .as.real = 5e-324 },
                               { .kind = RILLE_BLOB, .as.text = SPEC_BYTES("\0\xFF\\x") } };
  const rille_cell infinite[] = { { .kind = RILLE_REAL, .as.real = (double)INFINITY }, { 0 } };
  const rille_cell none[] = { { .kind = RILLE_REAL, .as.real = (double)NAN }, { 0 } };
  rille_load *load;
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  contract_run_sql(db, "create table \"of \"\"all\" (a double precision, b bytea)");
  load = start("of \"all");
  assert_ok(postgres->load_row(load, cells, &fault), &fault);
  assert_ok(postgres->load_row(load, infinite, &fault), &fault);
  assert_ok(postgres->load_row(load, none, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(contract_integer(db, "select count(*) from \"of \"\"all\" where a = 5e-324 and "
                                        "b = '\\x00ff5c78' or a in ('inf', 'nan')"),
                   3);
}

static void
keeps_all_rows_or_none(void **state)
{
  rille_load *load = start("t");
  rille_fault fault;
  int64_t rows = 7;

  (void)state;
  assert_ok(put_many(load, 1, 5000, &fault), &fault);
  assert_ok(postgres->load_end(load, false, &rows, &fault), &fault);
  assert_int_equal(rows, 0);
  load = start("t");
  assert_ok(put_many(load, 1, 5000, &fault), &fault);
  assert_ok(put(load, 77, "twice", &fault), &fault);
  assert_fails(RILLE_UNIQUE_VIOLATION, postgres->load_end(load, true, &rows, &fault), &fault);
  assert_string_equal(fault.table, "t");
  assert_contains(fault.hint, "COPY t, line 5001");
  assert_contains(fault.hint, "(a)=(77)");
  assert_int_equal(contract_integer(db, "select count(*) from t"), 0);
  assert_fails(RILLE_NO_SUCH_TABLE, postgres->load(db, rille_str_of("u"), columns, 2, &load, &fault), &fault);
  assert_int_equal(contract_integer(db, "select 1"), 1);
}

static void
is_part_of_a_transaction(void **state)
{
  rille_load *load;
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(postgres->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  load = start("t");
  assert_true(postgres->in_transaction(db));
  assert_ok(put_many(load, 1, 10, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(contract_integer(db, "select count(*) from t"), 10);
  assert_ok(postgres->rollback(db, &fault), &fault);
  assert_int_equal(contract_integer(db, "select count(*) from t"), 0);
  assert_ok(postgres->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  load = start("t");
  assert_ok(postgres->load_end(load, false, &rows, &fault), &fault);
  assert_true(postgres->failed(db));
  assert_ok(postgres->rollback(db, &fault), &fault);
}

static void
lets_nothing_else_run_meanwhile(void **state)
{
  rille_load *load = start("t");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(put_many(load, 1, 10, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, contract_try(db, "select 1", &fault), &fault);
  assert_ok(put_many(load, 11, 20, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(rows, 20);
}

static void
says_that_the_connection_was_lost(void **state)
{
  char sql[100];
  rille_load *load;
  rille_status status;
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(db, "select pg_backend_pid()"));
  load = start("t");
  (void)spec_postgres_sql(sql);
  status = put_many(load, 1, 200000, &fault);
  if (status == RILLE_OK)
    status = postgres->load_end(load, true, &rows, &fault);
  else
    (void)postgres->load_end(load, false, &rows, NULL);
  assert_int_equal(status, RILLE_CONNECTION_LOST);
  assert_int_equal(contract_integer(db, "select count(*) from t"), 0);
}

#define ON_TABLE(test) cmocka_unit_test_setup_teardown(test, open_table, close_table)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_TABLE(puts_rows_into_a_table),
    ON_TABLE(keeps_each_text_as_it_is),
    ON_TABLE(keeps_numbers_and_bytes),
    ON_TABLE(keeps_all_rows_or_none),
    ON_TABLE(is_part_of_a_transaction),
    ON_TABLE(lets_nothing_else_run_meanwhile),
    ON_TABLE(says_that_the_connection_was_lost),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
