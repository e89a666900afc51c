/* spec/core/cursor_test.c - rows one by one, the end of them, and what a listener is told. */
#include "spec/support/spec.h"

#include "core/run/cursor.h"
#include "spec/support/build.h"
#include "spec/support/driver.h"

static rille_connection *db;
static rille_arena arena;

static int
open_db(void **state)
{
  rille_fault fault;

  (void)state;
  rille_arena_init(&arena);
  db = spec_connect(NULL);
  assert_ok(spec_run(db, "create table posts (id integer primary key, title text)", &fault), &fault);
  assert_ok(spec_run(db, "insert into posts (title) values ('one'), ('two'), ('three')", &fault), &fault);
  return 0;
}

static int
close_db(void **state)
{
  (void)state;
  rille_connection_close(db);
  rille_arena_release(&arena);
  return 0;
}

static rille_status
open_on(rille_cursor *cursor, const char *sql, const rille_slot *slots, size_t count, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_status status = rille_connection_sql(db, rille_str_of(sql), &statement, fault);

  return status == RILLE_OK ? rille_cursor_open(cursor, db, statement, slots, count, &arena, fault) : status;
}

static rille_cursor *
opened(const char *sql)
{
  rille_cursor *cursor = rille_arena_get(&arena, sizeof *cursor);
  rille_fault fault;

  assert_ok(open_on(cursor, sql, NULL, 0, &fault), &fault);
  return cursor;
}

static void
assert_next(rille_cursor *cursor, const char *title)
{
  rille_cell cells[2];
  rille_fault fault;
  bool row;

  assert_ok(rille_cursor_next(cursor, cells, &row, &fault), &fault);
  assert_int_equal(row, title != NULL);
  if (title != NULL)
    assert_text(cells[1].as.text, title);
}

static void
gives_rows_and_then_no_more(void **state)
{
  rille_cursor *cursor = opened("select id, title from posts order by id");

  (void)state;
  assert_next(cursor, "one");
  assert_next(cursor, "two");
  assert_next(cursor, "three");
  assert_int_equal(cursor->rows, 3);
  for (int i = 0; i < 3; i++)
    assert_next(cursor, NULL);
  assert_int_equal(cursor->rows, 3);
  rille_cursor_close(cursor);
  rille_cursor_close(cursor);
}

static void
says_that_it_is_closed(void **state)
{
  rille_cursor *cursor = opened("select id, title from posts");
  rille_cell cells[2];
  rille_fault fault;
  bool row = true;

  (void)state;
  assert_next(cursor, "one");
  rille_cursor_close(cursor);
  assert_null(cursor->statement);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_cursor_next(cursor, cells, &row, &fault), &fault);
  assert_string_equal(fault.message, "the cursor is closed");
  assert_false(row);
}

static void
ends_with_its_connection(void **state)
{
  rille_cursor *first = opened("select id, title from posts"),
               *second = opened("select id, title from posts order by id desc");
  rille_cursor *third = opened("select title, id from posts");
  rille_fault fault;
  bool row;

  (void)state;
  assert_next(first, "one");
  assert_next(second, "three");
  rille_cursor_close(second); /* the middle of three */
  rille_connection_close(db);
  db = NULL;
  assert_fails(RILLE_INVALID_ARGUMENT, rille_cursor_step(first, &row, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, rille_cursor_step(third, &row, &fault), &fault);
  rille_cursor_close(first);
  rille_cursor_close(third);
}

static void
runs_beside_another_of_the_same_statement(void **state)
{
  rille_cursor *outer = opened("select id, title from posts order by id"), *inner;

  (void)state;
  assert_next(outer, "one");
  inner = opened("select id, title from posts order by id");
  assert_next(inner, "one");
  assert_next(inner, "two");
  assert_next(outer, "two");
  rille_cursor_close(outer);
  assert_next(inner, "three");
  rille_cursor_close(inner);
}

static void
gives_its_statement_back_when_its_values_do_not_fit(void **state)
{
  rille_slot slots[1] = { { .cell = { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("a\0b") } } };
  rille_cursor cursor;
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_ARGUMENT,
               open_on(&cursor, "select id, title from posts where title = ?", slots, 1, &fault), &fault);
  assert_null(cursor.statement);
  assert_null(db->cursors);
  rille_cursor_close(&cursor);
  slots[0].cell.as.text = rille_str_of("two");
  assert_ok(open_on(&cursor, "select id, title from posts where title = ?", slots, 1, &fault), &fault);
  assert_non_null(cursor.statement->key.at); /* the kept one: nothing holds it any more */
  assert_next(&cursor, "two");
  assert_next(&cursor, NULL);
  rille_cursor_close(&cursor);
}

static void
does_its_work_once(void **state)
{
  rille_cursor *cursor = opened("insert into posts (title) values ('four')");
  rille_fault fault;
  bool row;

  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_ok(rille_cursor_step(cursor, &row, &fault), &fault);
    assert_false(row);
  }
  rille_cursor_close(cursor);
  assert_int_equal(spec_integer(db, "select count(*) from posts"), 4);
}

static void
fails_again_when_it_failed(void **state)
{
  rille_cursor *cursor = opened("insert into posts (id) values (1)");
  rille_fault fault;
  bool row;

  (void)state;
  assert_fails(RILLE_UNIQUE_VIOLATION, rille_cursor_step(cursor, &row, &fault), &fault);
  assert_fails(RILLE_UNIQUE_VIOLATION, rille_cursor_step(cursor, &row, &fault), &fault);
  rille_cursor_close(cursor);
}

static void
tells_the_connection_when_the_transaction_is_gone(void **state)
{
  rille_cursor *cursor;
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, NULL, &fault), &fault);
  cursor = opened("insert or rollback into posts (id) values (1)");
  assert_fails(RILLE_UNIQUE_VIOLATION, rille_cursor_step(cursor, &row, &fault), &fault);
  assert_true(db->broken);
  rille_cursor_close(cursor);
}

static void
stops_when_its_transaction_is_rolled_back(void **state)
{
  rille_cursor *cursor;
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, NULL, &fault), &fault);
  assert_ok(spec_run(db, "insert into posts (title) values ('four')", &fault), &fault);
  cursor = opened("select id, title from posts order by id");
  assert_next(cursor, "one");
  assert_ok(rille_connection_rollback(db, &fault), &fault);
  while (rille_cursor_step(cursor, &row, &fault) == RILLE_OK && row)
    assert_int_not_equal(cursor->rows, 4);
  rille_cursor_close(cursor);
}

/* -- a schema that changes ------------------------------------------------------------------------------- */

static void
does_not_give_columns_that_it_does_not_know(void **state)
{
  rille_cursor *cursor = opened("select * from posts");
  rille_cell cells[4];
  rille_fault fault;
  bool row;

  (void)state;
  assert_next(cursor, "one");
  rille_cursor_close(cursor);
  assert_ok(spec_run(db, "alter table posts rename column title to heading", &fault), &fault);
  cursor = opened("select * from posts");
  assert_fails(RILLE_SERIALIZATION_FAILURE, rille_cursor_next(cursor, cells, &row, &fault), &fault);
  assert_contains(fault.hint, "again");
  rille_cursor_close(cursor);
  cursor = opened("select * from posts");
  assert_next(cursor, "one");
  assert_text(cursor->statement->layout->names[1], "heading");
  rille_cursor_close(cursor);
}

/* -- trace ----------------------------------------------------------------------------------------------- */

static void
tells_what_was_run(void **state)
{
  rille_slot slots[2] = { { .cell = { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("two") } },
                          { .cell = { .kind = RILLE_INT, .as.integer = 7 } } };
  char title[] = "two";
  rille_cursor cursor;
  rille_fault fault;

  (void)state;
  db->trace.on = true;
  slots[0].cell.as.text.at = title;
  assert_ok(open_on(&cursor, "select id, title from posts where title = ? or id = ?", slots, 2, &fault), &fault);
  assert_next(&cursor, "two");
  assert_next(&cursor, NULL);
  memset(title, 'x', 3);
  rille_cursor_close(&cursor);
  assert_text(rille_buffer_str(&db->trace.sql), "select id, title from posts where title = ? or id = ?");
  assert_int_equal(db->trace.param_count, 2);
  assert_text(db->trace.params[0].as.text, "two");
  assert_int_equal(db->trace.params[1].as.integer, 7);
  assert_int_equal(db->trace.rows, 1);
  assert_true(db->trace.ms >= 0 && db->trace.ms < 10000);

  assert_ok(spec_run(db, "update posts set title = 'x'", &fault), &fault);
  assert_int_equal(db->trace.rows, 3);
  assert_int_equal(db->trace.param_count, 0);
}

static void
tells_values_as_they_were_bound(void **state)
{
  rille_query *query;
  rille_slot slot = { .cell = { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("t%") } };
  rille_statement *statement = NULL;
  rille_cursor cursor;
  rille_fault fault;

  (void)state;
  (void)build_start(NULL);
  query = build_query(&build_posts);
  query->outputs = build_column("title");
  query->where = build_compare(build_column("title"), RILLE_OP_LIKE, build_value(0));
  db->trace.on = true;
  assert_ok(rille_connection_statement(db, query, &statement, &fault), &fault);
  assert_ok(rille_cursor_open(&cursor, db, statement, &slot, 1, &arena, &fault), &fault);
  rille_cursor_close(&cursor);
  assert_text(db->trace.params[0].as.text, "t*");
  (void)build_end(NULL);
}

static void
keeps_no_trace_while_nobody_listens(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(spec_run(db, "select 1", &fault), &fault);
  assert_int_equal(db->trace.sql.len, 0);
  assert_int_equal(db->trace.param_count, 0);
}

static void
knows_a_clock_that_does_not_go_back(void **state)
{
  double before = rille_clock_ms();

  (void)state;
  for (int i = 0; i < 1000; i++) {
    double now = rille_clock_ms();

    assert_true(now >= before);
    before = now;
  }
}

#define ON_DB(test) cmocka_unit_test_setup_teardown(test, open_db, close_db)

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_DB(gives_rows_and_then_no_more),
    ON_DB(says_that_it_is_closed),
    ON_DB(ends_with_its_connection),
    ON_DB(runs_beside_another_of_the_same_statement),
    ON_DB(gives_its_statement_back_when_its_values_do_not_fit),
    ON_DB(does_its_work_once),
    ON_DB(fails_again_when_it_failed),
    ON_DB(tells_the_connection_when_the_transaction_is_gone),
    ON_DB(stops_when_its_transaction_is_rolled_back),
    ON_DB(does_not_give_columns_that_it_does_not_know),
    ON_DB(tells_what_was_run),
    ON_DB(tells_values_as_they_were_bound),
    ON_DB(keeps_no_trace_while_nobody_listens),
    cmocka_unit_test(knows_a_clock_that_does_not_go_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
