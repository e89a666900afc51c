/* spec/driver/contract_statement.c - preparing, stepping, columns: what a statement of any driver does. */
#include "spec/driver/contract.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/base/stop.h"

static int
open_posts(void **state)
{
  (void)contract_open(state);
  contract_run_sql(contract_db, "create table posts (id %s, title %s, views %s)", contract->key, contract->text,
                   contract->integer);
  return 0;
}

static rille_status
prepare(rille_str sql, rille_fault *fault)
{
  rille_stmt *stmt = NULL;
  rille_status status = contract->driver->prepare(contract_db, sql, &stmt, fault);

  assert_int_equal(stmt != NULL, status == RILLE_OK);
  contract->driver->free(stmt);
  return status;
}

static void
prepares_exactly_one_statement(void **state)
{
  static const char *const one[] = { "select 1", "select 1;", "select 1 ; -- the end", " \n select 1;;; /* ; */ ",
                                     "-- first\nselect 1" };
  static const char *const none[] = { "", " ", ";", "-- nothing", "/* nothing */ ;;" };
  static const char *const many[] = { "select 1; select 2", "select 1; drop table posts", "select 1;; x",
                                      "select 1; 'open" };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(one); i++)
    assert_ok(prepare(rille_str_of(one[i]), &fault), &fault);
  for (size_t i = 0; i < SPEC_COUNT(none); i++) {
    assert_fails(RILLE_INVALID_ARGUMENT, prepare(rille_str_of(none[i]), &fault), &fault);
    assert_contains(fault.message, "no SQL statement");
  }
  assert_fails(RILLE_INVALID_ARGUMENT, prepare((rille_str){ 0 }, &fault), &fault);
  for (size_t i = 0; i < SPEC_COUNT(many); i++) {
    assert_fails(RILLE_INVALID_ARGUMENT, prepare(rille_str_of(many[i]), &fault), &fault);
    assert_contains(fault.message, "more than one");
  }
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 0);
}

static void
reads_no_further_than_the_text_goes(void **state)
{
  static const char sql[] = "select 1 -- and no more";
  rille_fault fault;

  (void)state;
  for (size_t len = 8; len < sizeof sql; len++) {
    char *exact = spec_exact(sql, len);

    (void)prepare((rille_str){ exact, len }, &fault);
    free(exact);
  }
  assert_fails(RILLE_INVALID_ARGUMENT, prepare(SPEC_BYTES("select 1\0; drop table posts"), &fault), &fault);
  assert_contains(fault.message, "NUL");
}

static void
says_what_is_wrong_with_a_text(void **state)
{
  static const struct {
    const char *sql;
    rille_status kind;
  } cases[] = {
    { "selec 1", RILLE_SYNTAX },
    { "select 'open", RILLE_SYNTAX },
    { "select (1", RILLE_SYNTAX },
    { "select 1 from", RILLE_SYNTAX },
    { "select * from nowhere", RILLE_NO_SUCH_TABLE },
    { "select titel from posts", RILLE_NO_SUCH_COLUMN },
    { "insert into posts (titel) values (1)", RILLE_NO_SUCH_COLUMN },
    { "select \"titel\" from posts", RILLE_NO_SUCH_COLUMN },
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    assert_fails(cases[i].kind, prepare(rille_str_of(cases[i].sql), &fault), &fault);
    if (cases[i].kind == RILLE_NO_SUCH_TABLE)
      assert_string_equal(fault.table, "nowhere");
    if (cases[i].kind == RILLE_NO_SUCH_COLUMN)
      assert_string_equal(fault.column, "titel");
    assert_int_equal(prepare(rille_str_of(cases[i].sql), NULL), cases[i].kind);
  }
}

static void
steps_through_rows_again_and_again(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "select 1 as n union all select 2 union all select 3 order by n");
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  for (int round = 0; round < 3; round++) {
    for (int n = 1; n <= 3; n++) {
      assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
      assert_true(row);
      assert_ok(contract->driver->row(stmt, &cell, &fault), &fault);
      assert_int_equal(cell.as.integer, n);
      if (round == 1 && n == 2)
        break;
    }
    if (round != 1) {
      assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
      assert_false(row);
    }
    contract->driver->reset(stmt);
  }
  contract->driver->free(stmt);
}

static void
does_nothing_more_after_its_end(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "insert into posts (title) values ('once')");
  rille_fault fault;
  bool row;

  (void)state;
  for (int i = 0; i < 3; i++) {
    row = true;
    assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
    assert_false(row);
  }
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 1);
  contract->driver->free(stmt);
  contract_run_sql(contract_db, "create unique index posts_title on posts (title)");
  stmt = contract_prepare(contract_db, "insert into posts (title) values ('once')");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract->driver->step(stmt, &row, &fault), &fault);
  contract_run_sql(contract_db, "delete from posts");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->reset(stmt);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->free(stmt);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 1);
}

static void
counts_parameters_and_forgets_their_values(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "insert into posts (title, views) values (?, ?)");
  const rille_cell seven = { .kind = RILLE_INT, .as.integer = 7 };
  rille_fault fault;
  bool row;

  (void)state;
  assert_int_equal(contract->driver->param_count(stmt), 2);
  assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->bind(stmt, 0, &seven, &fault), &fault);
  assert_fails(RILLE_INVALID_ARGUMENT, contract->driver->bind(stmt, 3, &seven, &fault), &fault);
  assert_ok(contract->driver->bind(stmt, 2, &seven, &fault), &fault);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_false(row);
  contract->driver->reset(stmt);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->free(stmt);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where title is null"), 2);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where views = 7"), 1);
  contract->driver->free(NULL);
}

/* One run of an insert, for which the values are bound that are not NULL pointers. */
static void
insert_bound(rille_stmt *stmt, const rille_cell *title, const rille_cell *views)
{
  rille_fault fault;
  bool row;

  if (title != NULL)
    assert_ok(contract->driver->bind(stmt, 1, title, &fault), &fault);
  if (views != NULL)
    assert_ok(contract->driver->bind(stmt, 2, views, &fault), &fault);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  contract->driver->reset(stmt);
}

static void
gives_each_run_the_values_that_were_bound_for_it(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "insert into posts (title, views) values (?, ?)");
  const rille_cell seven = { .kind = RILLE_INT, .as.integer = 7 }, eight = { .kind = RILLE_INT, .as.integer = 8 };
  const rille_cell null = { .kind = RILLE_NULL }, text = { .kind = RILLE_TEXT, .as.text = { "x", 1 } };
  rille_fault fault;

  (void)state;
  insert_bound(stmt, NULL, &seven);
  insert_bound(stmt, NULL, &seven);
  insert_bound(stmt, NULL, NULL);
  insert_bound(stmt, &text, &seven);
  insert_bound(stmt, NULL, &seven);
  insert_bound(stmt, NULL, &eight);
  insert_bound(stmt, NULL, &null);
  insert_bound(stmt, NULL, &eight);
  assert_ok(contract->driver->bind(stmt, 2, &seven, &fault), &fault);
  contract->driver->reset(stmt);
  insert_bound(stmt, NULL, NULL);
  insert_bound(stmt, NULL, &seven);
  contract->driver->free(stmt);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where views = 7"), 5);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where views = 8"), 2);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where views is null"), 3);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts where title is null"), 9);
}

static void
names_the_columns_of_a_result(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "select views, title as heading, 1 + 1 as two from posts");

  (void)state;
  assert_int_equal(contract->driver->column_count(stmt), 3);
  assert_text(contract->driver->column_name(stmt, 0), "views");
  assert_text(contract->driver->column_name(stmt, 1), "heading");
  assert_text(contract->driver->column_name(stmt, 2), "two");
  assert_text(contract->driver->column_declared(stmt, 0), contract->integer);
  assert_text(contract->driver->column_declared(stmt, 1), contract->text);
  assert_int_equal(contract->driver->column_declared(stmt, 2).len, 0);
  contract->driver->free(stmt);
  stmt = contract_prepare(contract_db, "delete from posts");
  assert_int_equal(contract->driver->column_count(stmt), 0);
  contract->driver->free(stmt);
}

static void
knows_which_statements_write(void **state)
{
  static const struct {
    const char *sql;
    bool writes;
  } cases[] = {
    { "select * from posts", false },
    { "insert into posts (title) values ('a')", true },
    { "update posts set views = 1", true },
    { "delete from posts", true },
    { "insert into posts (title) values ('a') returning id", true },
    { "create table t (a integer)", true },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_stmt *stmt = contract_prepare(contract_db, cases[i].sql);

    assert_int_equal(contract->driver->writes(stmt), cases[i].writes);
    contract->driver->free(stmt);
  }
}

static void
counts_changed_rows_and_knows_the_last_id(void **state)
{
  (void)state;
  contract_run_sql(contract_db, "insert into posts (title) values ('a')");
  assert_int_equal(contract->driver->changes(contract_db), 1);
  assert_int_equal(contract->driver->last_id(contract_db), contract->counts_ids ? 1 : 0);
  contract_run_sql(contract_db, "insert into posts (title) values ('b'), ('c')");
  assert_int_equal(contract->driver->changes(contract_db), 2);
  assert_int_equal(contract->driver->last_id(contract_db), contract->counts_ids ? 3 : 0);
  contract_run_sql(contract_db, "update posts set views = 1 where id > 1");
  assert_int_equal(contract->driver->changes(contract_db), 2);
  contract_run_sql(contract_db, "delete from posts where id = 77");
  assert_int_equal(contract->driver->changes(contract_db), 0);
}

static void
knows_that_the_schema_has_changed(void **state)
{
  rille_stmt *stmt = contract_prepare(contract_db, "select * from posts");
  rille_conn *other = contract_connect(0);
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_int_equal(contract->driver->changed(stmt), 0);
  contract->driver->reset(stmt);
  contract_run_sql(other, "alter table posts add column note %s", contract->text);
  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_true(contract->driver->changed(stmt) > 0);
  assert_int_equal(contract->driver->column_count(stmt), 4);
  contract->driver->free(stmt);
  contract->driver->close(other);
}

/* -- what a database holds ------------------------------------------------------------------------------- */

static void
answers_the_questions_of_the_catalog(void **state)
{
  static const char *const outputs[RILLE_CATALOG_COUNT][8] = {
    [RILLE_CATALOG_TABLES] = { "name", "kind", "sql", "schema" },
    [RILLE_CATALOG_COLUMNS] = { "name", "declared", "not_null", "default", "primary", "generated", "collation" },
    [RILLE_CATALOG_INDEXES] = { "name", "is_unique", "origin", "partial", "sql", "column" },
    [RILLE_CATALOG_FOREIGN] = { "id", "column", "table", "references", "on_update", "on_delete" },
  };
  const int rows[RILLE_CATALOG_COUNT] = { 3, 4, 2, 1 }; /* of the schema below */
  const rille_cell table = { .kind = RILLE_TEXT, .as.text = rille_str_of("notes") };
  rille_cell cells[8];
  rille_fault fault;

  (void)state;
  contract_run_sql(contract_db,
                   "create table notes (a %s, b %s not null, post_id %s references posts (id) on delete cascade, "
                   "c %s default 7)",
                   contract->key, contract->text, contract->integer, contract->integer);
  contract_run_sql(contract_db, "create unique index notes_b on notes (b, c)");
  contract_run_sql(contract_db, "create view latest as select * from notes");
  for (int q = 0; q < RILLE_CATALOG_COUNT; q++) {
    rille_stmt *stmt = contract_prepare(contract_db, contract->driver->catalog[q]);
    int count = contract->driver->column_count(stmt), found = 0;
    bool row = true;

    for (int i = 0; i < count; i++)
      assert_text(contract->driver->column_name(stmt, i), outputs[q][i] != NULL ? outputs[q][i] : "(nothing)");
    assert_null(outputs[q][count]);
    assert_int_equal(contract->driver->param_count(stmt), q != RILLE_CATALOG_TABLES);
    if (q != RILLE_CATALOG_TABLES)
      assert_ok(contract->driver->bind(stmt, 1, &table, &fault), &fault);
    for (;;) {
      assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
      if (!row)
        break;
      assert_ok(contract->driver->row(stmt, cells, &fault), &fault);
      if (q == RILLE_CATALOG_INDEXES && rille_str_is(cells[2].as.text, "pk"))
        continue; /* some databases need one for a key that they count, and some do not */
      if (q == RILLE_CATALOG_TABLES)
        assert_text(cells[0].as.text, found == 0 ? "latest" : found == 1 ? "notes" : "posts");
      if (q == RILLE_CATALOG_COLUMNS && found == 1) {
        assert_text(cells[0].as.text, "b");
        assert_text(cells[1].as.text, contract->text);
        assert_int_equal(cells[2].as.integer, 1);
        assert_int_equal(cells[6].kind, RILLE_NULL); /* by bytes */
        assert_int_equal(cells[3].kind, RILLE_NULL);
        assert_int_equal(cells[4].as.integer, 0);
      }
      if (q == RILLE_CATALOG_COLUMNS && found == 0)
        assert_int_equal(cells[4].as.integer, 1);
      if (q == RILLE_CATALOG_COLUMNS && found == 3)
        assert_text(cells[3].as.text, "7");
      if (q == RILLE_CATALOG_INDEXES) {
        assert_text(cells[0].as.text, "notes_b");
        assert_int_equal(cells[1].as.integer, 1);
        assert_int_equal(cells[4].kind, RILLE_TEXT);
        assert_text(cells[5].as.text, found == 0 ? "b" : "c");
      }
      if (q == RILLE_CATALOG_FOREIGN) {
        assert_text(cells[1].as.text, "post_id");
        assert_text(cells[2].as.text, "posts");
        assert_text(cells[3].as.text, "id");
      }
      found++;
    }
    assert_int_equal(found, rows[q]);
    contract->driver->free(stmt);
  }
}

/* -- stopping -------------------------------------------------------------------------------------------- */

static void
on_alarm(int number)
{
  (void)number;
  rille_stop_request();
}

static void
stops_a_statement_when_asked(void **state)
{
  const struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
  rille_fault fault;

  (void)state;
  assert_true(signal(SIGALRM, on_alarm) != SIG_ERR);
  assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
  assert_fails(RILLE_INTERRUPTED, contract_try(contract_db, contract->endless, &fault), &fault);
  assert_string_equal(fault.message, "the statement was stopped");
  rille_stop_clear();
  assert_int_equal(contract_integer(contract_db, "select 1"), 1);
}

#define ON_POSTS(test) cmocka_unit_test_setup_teardown(test, open_posts, contract_close)

int
contract_statements(void)
{
  const struct CMUnitTest statements[] = {
    ON_POSTS(prepares_exactly_one_statement),
    ON_POSTS(reads_no_further_than_the_text_goes),
    ON_POSTS(says_what_is_wrong_with_a_text),
    ON_POSTS(steps_through_rows_again_and_again),
    ON_POSTS(does_nothing_more_after_its_end),
    ON_POSTS(counts_parameters_and_forgets_their_values),
    ON_POSTS(gives_each_run_the_values_that_were_bound_for_it),
    ON_POSTS(names_the_columns_of_a_result),
    ON_POSTS(knows_which_statements_write),
    ON_POSTS(counts_changed_rows_and_knows_the_last_id),
    ON_POSTS(knows_that_the_schema_has_changed),
    ON_POSTS(answers_the_questions_of_the_catalog),
    ON_POSTS(stops_a_statement_when_asked),
  };

  return cmocka_run_group_tests(statements, NULL, NULL);
}
