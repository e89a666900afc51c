/* spec/driver/postgres_load_test.c - rows that are put into a table many at once. */
#include "spec/driver/posts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const rille_driver *const postgres = &rille_driver_postgres;
static const rille_str columns[] = { { "id", 2 }, { "title", 5 } };

static rille_cell
text_cell(const char *text)
{
  return (rille_cell){ .kind = RILLE_TEXT, .as.text = rille_str_of(text) };
}

static rille_load *
start(const char *table)
{
  rille_load *load = NULL;
  rille_fault fault;

  assert_ok(postgres->load(posts_db, rille_str_of(table), columns, 2, &load, &fault), &fault);
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
  rille_load *load = start("posts");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(put_many(load, 1, 20000, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(rows, 20000);
  assert_int_equal(contract_integer(posts_db, "select sum(id) from posts"), 200010000);
  load = start("posts");
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(rows, 0);
}

static void
keeps_each_text_as_it_is(void **state)
{
  static const char *const texts[] = {
    "", "\\N", "\\.", "\t", "a\nb\r\n", "\\", "\\\\t", "\xC3\xA9", "\b\f\v", "NULL"
  };
  rille_load *load = start("posts");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    assert_ok(put(load, (int64_t)i, texts[i], &fault), &fault);
  assert_ok(put(load, 100, NULL, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
    rille_stmt *stmt = contract_prepare(posts_db, "select (title = $1)::int from posts where id = $2");
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
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts where title is null"), 1);
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
  contract_run_sql(posts_db, "create table \"of \"\"all\" (id double precision, title bytea)");
  load = start("of \"all");
  assert_ok(postgres->load_row(load, cells, &fault), &fault);
  assert_ok(postgres->load_row(load, infinite, &fault), &fault);
  assert_ok(postgres->load_row(load, none, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select count(*) from \"of \"\"all\" where id = 5e-324 and "
                                              "title = '\\x00ff5c78' or id in ('inf', 'nan')"),
                   3);
}

static void
keeps_all_rows_or_none(void **state)
{
  rille_load *load = start("posts");
  rille_fault fault;
  int64_t rows = 7;

  (void)state;
  assert_ok(put_many(load, 1, 5000, &fault), &fault);
  assert_ok(postgres->load_end(load, false, &rows, &fault), &fault);
  assert_int_equal(rows, 0);
  load = start("posts");
  assert_ok(put_many(load, 1, 5000, &fault), &fault);
  assert_ok(put(load, 77, "twice", &fault), &fault);
  assert_fails(RILLE_UNIQUE_VIOLATION, postgres->load_end(load, true, &rows, &fault), &fault);
  assert_string_equal(fault.table, "posts");
  assert_contains(fault.hint, "COPY posts, line 5001");
  assert_contains(fault.hint, "(id)=(77)");
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
  assert_fails(RILLE_NO_SUCH_TABLE, postgres->load(posts_db, rille_str_of("u"), columns, 2, &load, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select 1"), 1);
}

static void
is_part_of_a_transaction(void **state)
{
  rille_load *load;
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  load = start("posts");
  assert_true(postgres->in_transaction(posts_db));
  assert_ok(put_many(load, 1, 10, &fault), &fault);
  assert_ok(postgres->load_end(load, true, &rows, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 10);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  load = start("posts");
  assert_ok(postgres->load_end(load, false, &rows, &fault), &fault);
  assert_true(postgres->failed(posts_db));
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
}

static void
lets_nothing_else_run_meanwhile(void **state)
{
  rille_load *load = start("posts");
  rille_fault fault;
  int64_t rows = 0;

  (void)state;
  assert_ok(put_many(load, 1, 10, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, contract_try(posts_db, "select 1", &fault), &fault);
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
                 (long long)contract_integer(posts_db, "select pg_backend_pid()"));
  load = start("posts");
  (void)spec_postgres_sql(sql);
  status = put_many(load, 1, 200000, &fault);
  if (status == RILLE_OK)
    status = postgres->load_end(load, true, &rows, &fault);
  else
    (void)postgres->load_end(load, false, &rows, NULL);
  assert_int_equal(status, RILLE_CONNECTION_LOST);
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts"), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_POSTS(puts_rows_into_a_table),
    ON_POSTS(keeps_each_text_as_it_is),
    ON_POSTS(keeps_numbers_and_bytes),
    ON_POSTS(keeps_all_rows_or_none),
    ON_POSTS(is_part_of_a_transaction),
    ON_POSTS(lets_nothing_else_run_meanwhile),
    ON_POSTS(says_that_the_connection_was_lost),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
