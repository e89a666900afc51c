/* spec/fault/postgres_memory_test.c - every allocation of the PostgreSQL driver fails in turn.
**
** After each trial a fresh connection finds all of what was done, or nothing; and the connection of the trial works. */
#include "spec/support/spec.h"

#include <stdio.h>
#include <string.h>

#include "core/driver/driver.h"
#include "spec/support/failing.h"
#include "spec/support/postgres.h"

static const rille_driver *const postgres = &rille_driver_postgres;
static char url[SPEC_URL_BYTES];
static rille_conn *witness; /* opened before anything fails */

/* Bare names are those of the schema that stands at the end of the url. */
static rille_status
open_db(rille_conn **db, rille_fault *fault)
{
  const rille_open_options options = { .url = rille_str_of(url),
                                       .schema = rille_str_of(strstr(url, "%3D") + 3),
                                       .busy_timeout_ms = 2000 };

  return postgres->open(&options, db, fault);
}

/* Runs to the last row; *sum adds up the integers of the first column. */
static rille_status
run(rille_conn *db, const char *sql, const rille_cell values[], int count, bool streams, int64_t *sum,
    rille_fault *fault)
{
  rille_stmt *stmt = NULL;
  rille_cell cells[8] = { { 0 } };
  bool row = true;
  rille_status status = postgres->prepare(db, rille_str_of(sql), &stmt, fault);

  for (int i = 0; i < count && status == RILLE_OK; i++)
    status = postgres->bind(stmt, i + 1, &values[i], fault);
  if (status == RILLE_OK)
    postgres->stream(stmt, streams);
  while (status == RILLE_OK && row) {
    status = postgres->step(stmt, &row, fault);
    if (status == RILLE_OK && row)
      status = postgres->row(stmt, cells, fault);
    if (status == RILLE_OK && row && cells[0].kind == RILLE_INT)
      *sum += cells[0].as.integer;
  }
  postgres->free(stmt);
  return status;
}

static int64_t
found(const char *sql)
{
  int64_t sum = 0;
  rille_fault fault;

  assert_ok(run(witness, sql, NULL, 0, false, &sum, &fault), &fault);
  return sum;
}

/* -- what is done ------------------------------------------------------------------------------------------ */

static rille_status
write_in_a_transaction(rille_conn *db, rille_fault *fault)
{
  const rille_cell values[] = { { .kind = RILLE_INT, .as.integer = 1 },
                                { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("{\"a\": 1}") },
                                { .kind = RILLE_BLOB, .as.text = SPEC_BYTES("\0\1") },
                                { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("12.50") } };
  int64_t ignored = 0;
  rille_status status = postgres->begin(db, RILLE_BEGIN_IMMEDIATE, fault);

  for (int i = 0; i < 3 && status == RILLE_OK; i++)
    status = run(db, "insert into kept (a, j, b, n) values ($1, $2, $3, $4)", values, 4, false, &ignored, fault);
  if (status == RILLE_OK)
    status = postgres->commit(db, fault);
  if (status != RILLE_OK && postgres->in_transaction(db))
    assert_int_equal(postgres->rollback(db, NULL), RILLE_OK);
  return status;
}

static rille_status
read_rows(rille_conn *db, rille_fault *fault)
{
  static const char sql[] = "select i, i / 3.0, now(), '\\x00'::bytea, md5(i::text)::uuid, '1.2.3.4'::inet "
                            "from generate_series(1, 40) as n (i)";
  int64_t sum = 0;
  rille_status status = run(db, sql, NULL, 0, false, &sum, fault);

  assert_true(status != RILLE_OK || sum == 820);
  return status;
}

/* A cursor, with statements between its rows. */
static rille_status
stream_rows(rille_conn *db, rille_fault *fault)
{
  rille_stmt *stmt = NULL;
  rille_cell cells[2];
  bool row = true;
  int64_t sum = 0, other = 0;
  rille_status status = postgres->prepare(db, rille_str_of("select i, i / 3.0 from generate_series(1, 40) as n (i)"),
                                          &stmt, fault);

  if (status == RILLE_OK)
    postgres->stream(stmt, true);
  for (int i = 0; status == RILLE_OK && row; i++) {
    status = postgres->step(stmt, &row, fault);
    if (status == RILLE_OK && row)
      status = postgres->row(stmt, cells, fault);
    sum += status == RILLE_OK && row ? cells[0].as.integer : 0;
    if (status == RILLE_OK && i == 5)
      status = run(db, "select 1", NULL, 0, false, &other, fault);
  }
  assert_true(status != RILLE_OK || sum == 820);
  postgres->free(stmt);
  return status;
}

/* Many rows at once; more than are sent in one go. */
static rille_status
load_rows(rille_conn *db, rille_fault *fault)
{
  static const rille_str columns[] = { { "a", 1 }, { "b", 1 } };
  static char bytes[1 << 14];
  const rille_cell cells[] = { { .kind = RILLE_INT, .as.integer = 1 },
                               { .kind = RILLE_BLOB, .as.text = { bytes, sizeof bytes } } };
  rille_load *load = NULL;
  int64_t rows = 0;
  rille_status status = postgres->load(db, rille_str_of("kept"), columns, 2, &load, fault);
  rille_status ended;

  for (int i = 0; i < 3 && status == RILLE_OK; i++)
    status = postgres->load_row(load, cells, fault);
  if (load == NULL)
    return status;
  ended = postgres->load_end(load, status == RILLE_OK, &rows, status == RILLE_OK ? fault : NULL);
  assert_true(status != RILLE_OK || ended != RILLE_OK || rows == 3);
  return status == RILLE_OK ? ended : status;
}

/* -- trials ------------------------------------------------------------------------------------------------ */

typedef rille_status (*scenario)(rille_conn *db, rille_fault *fault);

static void
once(void *data)
{
  scenario what = *(scenario *)data;
  rille_conn *db = NULL;
  rille_fault fault;
  rille_status status;
  int64_t before = found("select count(*) from kept"), after, sum = 0;

  spec_failing_start();
  status = open_db(&db, &fault);
  if (status == RILLE_OK)
    status = what(db, &fault);
  if (!spec_failing_stop() || status == RILLE_OK) {
    assert_ok(status, &fault);
  } else {
    assert_fails(RILLE_OUT_OF_MEMORY, status, &fault);
  }
  if (db != NULL) {
    assert_false(postgres->in_transaction(db));
    assert_ok(run(db, "select 7", NULL, 0, false, &sum, &fault), &fault);
    assert_int_equal(sum, 7);
  }
  postgres->close(db);
  after = found("select count(*) from kept");
  assert_true(after == before ||
              ((what == write_in_a_transaction || what == load_rows) && after == before + 3 && status == RILLE_OK));
}

static void
try_all(scenario what)
{
  assert_in_range(spec_sweep(SPEC_CORE, false, 300, once, &what), 5, 1000);
  assert_in_range(spec_sweep(SPEC_CORE, true, 300, once, &what), 5, 1000);
}

static void
writes_all_of_a_transaction_or_nothing(void **state)
{
  (void)state;
  try_all(write_in_a_transaction);
}

static void
loads_all_rows_or_none(void **state)
{
  (void)state;
  try_all(load_rows);
}

static void
reads_right_or_not_at_all(void **state)
{
  (void)state;
  try_all(read_rows);
}

static void
gives_all_rows_of_a_cursor_or_says_why_not(void **state)
{
  (void)state;
  try_all(stream_rows);
}

static int
make_table(void **state)
{
  int64_t ignored = 0;
  rille_fault fault;

  (void)state;
  spec_failing_install();
  spec_postgres_schema(url, sizeof url);
  assert_ok(open_db(&witness, &fault), &fault);
  assert_ok(run(witness, "create table kept (a bigint, j jsonb, b bytea, n numeric)", NULL, 0, false, &ignored, &fault),
            &fault);
  return 0;
}

static int
close_witness(void **state)
{
  (void)state;
  postgres->close(witness);
  return 0;
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(writes_all_of_a_transaction_or_nothing, spec_sweep_end),
    cmocka_unit_test_teardown(loads_all_rows_or_none, spec_sweep_end),
    cmocka_unit_test_teardown(reads_right_or_not_at_all, spec_sweep_end),
    cmocka_unit_test_teardown(gives_all_rows_of_a_cursor_or_says_why_not, spec_sweep_end),
  };

  return cmocka_run_group_tests(tests, make_table, close_witness);
}
