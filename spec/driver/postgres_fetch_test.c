/* spec/driver/postgres_fetch_test.c - the rows of a cursor come many at a time, and all of them do. */
#include "spec/driver/posts.h"

#include <stdio.h>
#include <sys/resource.h>

static const rille_driver *const postgres = &rille_driver_postgres;

static void
bind_integer(rille_stmt *stmt, int index, int64_t value)
{
  const rille_cell cell = { .kind = RILLE_INT, .as.integer = value };
  rille_fault fault;

  assert_ok(postgres->bind(stmt, index, &cell, &fault), &fault);
}

/* Rows `from` to `to`, the first column of which counts. */
static void
assert_rows(rille_stmt *stmt, int64_t from, int64_t to)
{
  rille_cell cells[8];
  rille_fault fault;
  bool row;

  for (int64_t i = from; i <= to; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, cells, &fault), &fault);
    assert_int_equal(cells[0].as.integer, i);
  }
}

static void
assert_ended(rille_stmt *stmt)
{
  rille_fault fault;
  bool row;

  for (int i = 0; i < 2; i++) {
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_false(row);
  }
}

/* Numbers of rows around those at which one FETCH is full and another one begins. */
static const int64_t SIZES[] = { 0, 1, 20, 21, 22, 188, 189, 190, 356, 357, 358, 589, 1000, 5000 };

static void
gives_all_rows_however_many_there_are(void **state)
{
  static const char *const texts[] = {
    "select i from generate_series(1, $1::bigint) as n (i)",
    "select i, repeat('x', i::int % 500) from generate_series(1, $1::bigint) as n (i)",
    "select i, '1.2.3.4'::inet from generate_series(1, $1::bigint) as n (i)",
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    for (size_t j = 0; j < 2 * SPEC_COUNT(SIZES); j++) {
      bool inside = j >= SPEC_COUNT(SIZES);
      rille_stmt *stmt = posts_stream(texts[i]);

      if (inside)
        posts_begin();
      for (int again = 0; again < 2; again++) {
        postgres->reset(stmt);
        postgres->stream(stmt, true);
        bind_integer(stmt, 1, SIZES[j % SPEC_COUNT(SIZES)]);
        assert_rows(stmt, 1, SIZES[j % SPEC_COUNT(SIZES)]);
        assert_ended(stmt);
      }
      assert_int_equal(postgres->in_transaction(posts_db), inside);
      postgres->free(stmt);
      if (inside)
        posts_commit();
    }
}

/* One cursor, and what it has left, goes before another statement at any of its rows. */
static void
gives_all_rows_wherever_another_statement_runs(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, "select i, 't' || i from generate_series(1, 700) as n (i)");

  (void)state;
  for (int64_t at = 0; at <= 700; at += at < 30 || (at > 185 && at < 191) ? 1 : 31) {
    if (at % 2 == 1)
      posts_begin();
    postgres->stream(stmt, true);
    assert_rows(stmt, 1, at);
    assert_int_equal(contract_integer(posts_db, "select 7"), 7);
    assert_rows(stmt, at + 1, 700);
    assert_ended(stmt);
    postgres->reset(stmt);
    if (at % 2 == 1)
      posts_commit();
  }
  postgres->free(stmt);
}

static void
takes_values_of_all_types(void **state)
{
  const rille_cell cells[] = { { .kind = RILLE_INT, .as.integer = 3 },
                               { .kind = RILLE_TEXT, .as.text = rille_str_of("it's \\ $1 ?") },
                               { .kind = RILLE_BLOB, .as.text = { "\0\1'", 3 } },
                               { .kind = RILLE_REAL, .as.real = 0.5 },
                               { .kind = RILLE_NULL },
                               { .kind = RILLE_TEXT, .as.text = rille_str_of("2026-11-20T12:00:00.000000Z") } };
  rille_stmt *stmt = posts_stream("select i, $2::text, $3::bytea, $4::float8, $5::text, $6::timestamptz "
                                  "from generate_series($1::bigint, 90) as n (i);");
  rille_cell row[6];
  rille_fault fault;
  bool there;

  (void)state;
  for (int i = 0; i < 6; i++)
    assert_ok(postgres->bind(stmt, i + 1, &cells[i], &fault), &fault);
  for (int64_t i = 3; i <= 90; i++) {
    assert_ok(postgres->step(stmt, &there, &fault), &fault);
    assert_true(there);
    assert_ok(postgres->row(stmt, row, &fault), &fault);
    assert_int_equal(row[0].as.integer, i);
    assert_text(row[1].as.text, "it's \\ $1 ?");
    assert_int_equal(row[2].as.text.len, 3);
    assert_memory_equal(row[2].as.text.at, "\0\1'", 3);
    assert_true(row[3].as.real > 0.4 && row[3].as.real < 0.6);
    assert_int_equal(row[4].kind, RILLE_NULL);
    assert_text(row[5].as.text, "2026-11-20T12:00:00.000000Z");
  }
  assert_ended(stmt);
  postgres->free(stmt);
}

/* What the last row of a run was in, less what it was before. */
static uint64_t
trips_of(rille_stmt *stmt, int64_t rows)
{
  uint64_t before = postgres->round_trips(posts_db);

  postgres->reset(stmt);
  postgres->stream(stmt, true);
  bind_integer(stmt, 1, rows);
  assert_rows(stmt, 1, rows);
  assert_ended(stmt);
  return postgres->round_trips(posts_db) - before;
}

static void
asks_once_for_what_was_few_rows_the_last_time(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, "select i from generate_series(1, $1::bigint) as n (i)");

  (void)state;
  assert_int_equal(trips_of(stmt, 20), 2); /* and the end of its transaction */
  assert_int_equal(trips_of(stmt, 20), 1);
  assert_int_equal(trips_of(stmt, 1000), 1);
  assert_in_range(trips_of(stmt, 1000), 5, 9); /* 21, 168, 400, 400 and 400 behind them, and the end */
  postgres->free(stmt);
}

/* -- memory ------------------------------------------------------------------------------------------------ */

#ifdef __SANITIZE_ADDRESS__
enum { HELD_BACK_KIB = 400000 };
#else
enum { HELD_BACK_KIB = 0 };
#endif

static long
peak_kib(void)
{
  struct rusage usage;

  (void)getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* 200 rows of a megabyte: as many of them at a time as fit, which is one. */
static void
keeps_few_wide_rows_in_memory(void **state)
{
  rille_stmt *stmt = posts_stream("select i, repeat('x', 1000000) from generate_series(1, 200) as n (i)");
  long before;

  (void)state;
  assert_rows(stmt, 1, 1);
  before = peak_kib();
  assert_rows(stmt, 2, 200);
  assert_ended(stmt);
  assert_in_range(peak_kib() - before, 0, 16000 + HELD_BACK_KIB);
  postgres->free(stmt);
}

/* Behind small rows come some of a megabyte, all in one FETCH.  Who takes time for a row
** finds what was asked for ahead in the socket. */
static void
keeps_few_rows_in_memory_where_they_get_wide_all_at_once(void **state)
{
  rille_stmt *stmt = posts_stream("select i, repeat('x', case when i > 5000 then 1000000 else 100 end) "
                                  "from generate_series(1, 5070) as n (i)");
  int64_t at = 4600;
  long before;

  (void)state;
  assert_rows(stmt, 1, at);
  before = peak_kib();
  for (; at < 5000; at += 50) {
    assert_rows(stmt, at + 1, at + 50);
    posts_pause(200); /* the server makes all rows of a FETCH before it sends the first */
  }
  assert_rows(stmt, 5001, 5070);
  assert_ended(stmt);
  assert_in_range(peak_kib() - before, 0, 16000 + HELD_BACK_KIB);
  postgres->free(stmt);
}

/* Who takes none may have one FETCH of them in memory, and no more. */
static void
asks_for_fewer_rows_when_they_got_wide(void **state)
{
  rille_stmt *stmt = posts_stream("select i, repeat('x', case when i > 5000 then 100000 else 100 end) "
                                  "from generate_series(1, 6000) as n (i)");
  long before;

  (void)state;
  assert_rows(stmt, 1, 4000);
  before = peak_kib();
  assert_rows(stmt, 4001, 6000);
  assert_ended(stmt);
  assert_in_range(peak_kib() - before, 0, 30000 + HELD_BACK_KIB);
  postgres->free(stmt);
}

/* -- what the schema is ------------------------------------------------------------------------------------ */

static void
reads_columns_as_they_are_now(void **state)
{
  rille_fault fault;
  rille_cell cells[2];
  bool row;

  (void)state;
  for (int way = 0; way < 4; way++) {
    bool inside = way % 2 == 1, wide = way >= 2;
    rille_stmt *stmt;

    contract_run_sql(posts_db, "create temporary table seen as select 1::bigint as id, 'abcdefgh'::text as t");
    contract_run_sql(posts_db, "insert into seen select i, repeat('x', %d) from generate_series(2, 50) as n (i)",
                     wide ? 20000 : 10);
    stmt = posts_stream("select * from seen order by id");
    contract_run_sql(posts_db, "alter table seen alter column id type float8");
    if (inside)
      posts_begin();
    for (int i = 1; i <= 50; i++) {
      assert_ok(postgres->step(stmt, &row, &fault), &fault);
      assert_true(row);
      assert_ok(postgres->row(stmt, cells, &fault), &fault);
      assert_int_equal(cells[0].kind, RILLE_REAL);
      assert_true(cells[0].as.real > i - 0.5 && cells[0].as.real < i + 0.5);
    }
    assert_ended(stmt);
    assert_true(postgres->changed(stmt));
    postgres->free(stmt);
    if (inside)
      posts_commit();
    contract_run_sql(posts_db, "drop table seen");
  }
}

static void
names_the_table_that_is_gone(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  contract_run_sql(posts_db, "create table gone (id bigint)");
  stmt = posts_stream("select id from gone");
  contract_run_sql(posts_db, "drop table gone");
  assert_fails(RILLE_NO_SUCH_TABLE, postgres->step(stmt, &row, &fault), &fault);
  assert_string_equal(fault.table, "gone");
  assert_false(postgres->in_transaction(posts_db));
  postgres->free(stmt);
  assert_int_equal(contract_integer(posts_db, "select 7"), 7);
}

/* Who reads all rows of a cursor is not served by the plan that finds the first of them soonest. */
static void
is_planned_for_all_its_rows(void **state)
{
  (void)state;
  assert_int_equal(contract_integer(posts_db, "select current_setting('cursor_tuple_fraction')::float8::bigint"), 1);
}

/* Rows are locked, and written, as they are read: the server takes those as they are. */
static void
runs_what_is_no_mere_query_as_it_is(void **state)
{
  static const char *const texts[] = {
    "insert into posts select i from generate_series(1, 30) as n (i) returning id",
    "select id from posts order by id for update",
    "with moved as (update posts set title = 'm' returning id) select id from moved order by id",
    "explain select 1",
    "; select 1",
    "show lock_timeout",
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
    rille_stmt *stmt = posts_stream(texts[i]);
    bool row;

    if (i < 3)
      assert_rows(stmt, 1, 30);
    else
      assert_ok(postgres->step(stmt, &row, &fault), &fault);
    postgres->free(stmt);
  }
  assert_int_equal(contract_integer(posts_db, "select count(*) from posts where title = 'm'"), 30);
}

int
main(void)
{
  const struct CMUnitTest rows[] = {
    ON_POSTS(gives_all_rows_however_many_there_are),
    ON_POSTS(gives_all_rows_wherever_another_statement_runs),
    ON_POSTS(takes_values_of_all_types),
    ON_POSTS(asks_once_for_what_was_few_rows_the_last_time),
    ON_POSTS(keeps_few_wide_rows_in_memory),
    ON_POSTS(asks_for_fewer_rows_when_they_got_wide),
    ON_POSTS(keeps_few_rows_in_memory_where_they_get_wide_all_at_once),
    ON_POSTS(reads_columns_as_they_are_now),
    ON_POSTS(names_the_table_that_is_gone),
    ON_POSTS(is_planned_for_all_its_rows),
    ON_POSTS(runs_what_is_no_mere_query_as_it_is),
  };

  return cmocka_run_group_tests(rows, NULL, NULL);
}
