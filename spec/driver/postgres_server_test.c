/* spec/driver/postgres_server_test.c - a server that refuses, ends connections, starts again, or is not there. */
#include "spec/driver/contract.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "spec/support/postgres.h"

static const rille_driver *const postgres = &rille_driver_postgres;
static rille_conn *db;
static char url[SPEC_URL_BYTES];

static rille_conn *
connect_with(rille_open_options options)
{
  rille_conn *conn = NULL;
  rille_fault fault;

  options.url = rille_str_of(url);
  options.busy_timeout_ms = 2000;
  assert_ok(postgres->open(&options, &conn, &fault), &fault);
  return conn;
}

static int
open_posts(void **state)
{
  (void)state;
  spec_postgres_schema(url, sizeof url);
  db = connect_with((rille_open_options){ 0 });
  contract_run_sql(db, "create table posts (id bigint primary key, title text)");
  return 0;
}

static int
close_posts(void **state)
{
  (void)state;
  postgres->close(db);
  db = NULL;
  return 0;
}

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_ms(int ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

  (void)nanosleep(&pause, NULL);
}

/* Ends the connection from outside. */
static void
terminate(rille_conn *conn)
{
  char sql[100];

  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(conn, "select pg_backend_pid()"));
  (void)spec_postgres_sql(sql);
}

/* -- connections that end ---------------------------------------------------------------------------------- */

static void
goes_on_when_the_server_ended_an_idle_connection(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  stmt = contract_prepare(db, "insert into posts values ($1)");
  for (int64_t id = 1; id <= 3; id++) {
    const rille_cell cell = { .kind = RILLE_INT, .as.integer = id };

    assert_ok(postgres->bind(stmt, 1, &cell, &fault), &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    postgres->reset(stmt);
    terminate(db);
    pause_ms(150);
  }
  assert_int_equal(contract_integer(db, "select count(*) from posts"), 3);
  postgres->free(stmt);
}

static void
says_that_the_connection_was_lost_and_connects_anew(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_CONNECTION_LOST, contract_try(db, "select pg_terminate_backend(pg_backend_pid())", &fault),
               &fault);
  assert_contains(fault.message, "terminating connection");
  assert_string_equal(fault.state, "57P01");
  assert_false(postgres->in_transaction(db));
  assert_int_equal(contract_integer(db, "select 1"), 1);
}

static void
keeps_a_lost_transaction_open_until_it_is_rolled_back(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(db, "insert into posts values (1)");
  assert_fails(RILLE_CONNECTION_LOST, contract_try(db, "select pg_terminate_backend(pg_backend_pid())", &fault),
               &fault);
  assert_true(postgres->in_transaction(db));
  assert_true(postgres->failed(db));
  assert_fails(RILLE_CONNECTION_LOST, contract_try(db, "insert into posts values (2)", &fault), &fault);
  assert_contains(fault.message, "nothing of it was kept");
  assert_fails(RILLE_CONNECTION_LOST, postgres->commit(db, &fault), &fault);
  assert_ok(postgres->rollback(db, &fault), &fault);
  assert_false(postgres->in_transaction(db));
  assert_int_equal(contract_integer(db, "select count(*) from posts"), 0);
}

static void
loses_nothing_when_the_connection_ends_before_a_transaction_began(void **state)
{
  rille_fault fault;

  (void)state;
  terminate(db);
  pause_ms(150);
  assert_ok(postgres->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(db, "insert into posts values (1)");
  assert_ok(postgres->commit(db, &fault), &fault);
  assert_int_equal(contract_integer(db, "select count(*) from posts"), 1);
}

static void *
terminate_soon(void *sql)
{
  pause_ms(300);
  (void)spec_postgres_sql(sql);
  return NULL;
}

/* A commit that takes a second, in the middle of which the connection is ended. */
static void
does_not_know_what_became_of_a_commit_whose_answer_was_lost(void **state)
{
  rille_fault fault;
  pthread_t thread;
  char sql[100];

  (void)state;
  contract_run_sql(db, "create function slow() returns trigger language plpgsql as "
                       "$$begin perform pg_sleep(5); return null; end$$");
  contract_run_sql(db, "create constraint trigger slow after insert on posts deferrable initially deferred "
                       "for each row execute function slow()");
  (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)",
                 (long long)contract_integer(db, "select pg_backend_pid()"));
  assert_ok(postgres->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(db, "insert into posts values (1)");
  assert_int_equal(pthread_create(&thread, NULL, terminate_soon, sql), 0);
  assert_fails(RILLE_IN_DOUBT, postgres->commit(db, &fault), &fault);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_not_equal(fault.hint, "");
  assert_false(postgres->in_transaction(db));
  assert_int_equal(contract_integer(db, "select count(*) from posts"), 0);
}

static void
goes_on_after_the_server_was_killed_and_started_again(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(db, "insert into posts values (1)");
  spec_postgres_do("kill", "0");
  assert_fails(RILLE_CONNECTION_LOST, contract_try(db, "select 1", &fault), &fault);
  assert_fails(RILLE_CONNECTION_LOST, contract_try(db, "select 1", &fault), &fault);
  assert_contains(fault.message, "cannot connect");
  spec_postgres_do("begin", "0");
  assert_int_equal(contract_integer(db, "select count(*) from posts"), 1);
}

/* -- opening ----------------------------------------------------------------------------------------------- */

static rille_status
try_to_open(rille_open_options options, rille_fault *fault)
{
  rille_conn *conn = NULL;
  rille_status status = postgres->open(&options, &conn, fault);

  assert_int_equal(conn != NULL, status == RILLE_OK);
  postgres->close(conn);
  return status;
}

static void
says_who_may_not_connect_and_never_the_password(void **state)
{
  rille_open_options options = { .url = rille_str_of(url), .user = rille_str_of("guarded") };
  rille_fault fault;

  (void)state;
  options.password = rille_str_of("open sesame");
  assert_ok(try_to_open(options, &fault), &fault);
  options.password = rille_str_of("s3cret-guess");
  assert_fails(RILLE_INVALID_ARGUMENT, try_to_open(options, &fault), &fault);
  assert_string_equal(fault.state, "28P01");
  assert_contains(fault.message, "guarded");
  assert_null(strstr(fault.message, "s3cret"));
  assert_null(strstr(fault.message, "28P01"));
  assert_string_not_equal(fault.hint, "");
  options.password = (rille_str){ 0 };
  assert_fails(RILLE_INVALID_ARGUMENT, try_to_open(options, &fault), &fault);
  assert_contains(fault.message, "no password");
}

static void
says_that_a_database_is_missing(void **state)
{
  const rille_open_options options = { .url = rille_str_of(url), .database = rille_str_of("nowhere") };
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_INVALID_ARGUMENT, try_to_open(options, &fault), &fault);
  assert_string_equal(fault.state, "3D000");
  assert_contains(fault.message, "nowhere");
}

static void
says_that_there_is_no_server(void **state)
{
  rille_open_options options = { .host = rille_str_of("/nowhere"), .user = rille_str_of("rille") };
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_CONNECTION_LOST, try_to_open(options, &fault), &fault);
  assert_contains(fault.message, "/nowhere");
  options.host = rille_str_of("127.0.0.1");
  options.port = 1;
  assert_fails(RILLE_CONNECTION_LOST, try_to_open(options, &fault), &fault);
  options.host = rille_str_of("127.0.0.1,127.0.0.1");
  assert_fails(RILLE_CONNECTION_LOST, try_to_open(options, &fault), &fault);
}

/* 192.0.2.0/24 is nobody's: packets to it go nowhere, or are refused at once. */
static void
waits_no_longer_for_a_server_than_it_was_told(void **state)
{
  const rille_open_options options = { .host = rille_str_of("192.0.2.1"),
                                       .user = rille_str_of("rille"),
                                       .connect_timeout_ms = 300 };
  rille_fault fault;
  int64_t before = now_ms();

  (void)state;
  assert_fails(RILLE_CONNECTION_LOST, try_to_open(options, &fault), &fault);
  assert_true(now_ms() - before < 2000);
}

static void
says_what_is_wrong_with_a_url_without_showing_it(void **state)
{
  static const char *const urls[] = { "postgresql://ann:s3cret@[::1/db", "postgresql://ann:s3cret@host:port/db?sslmode",
                                      "postgresql://ann:s3cret%zz@host/db", "host=here password='s3cret" };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(urls); i++) {
    assert_fails(RILLE_INVALID_ARGUMENT, try_to_open((rille_open_options){ .url = rille_str_of(urls[i]) }, &fault),
                 &fault);
    assert_null(strstr(fault.message, "s3cret"));
    assert_contains(fault.hint, "postgresql://");
  }
  assert_fails(RILLE_INVALID_ARGUMENT,
               try_to_open((rille_open_options){ .url = rille_str_of("postgresql://host/db?nonsense=1") }, &fault),
               &fault);
  assert_contains(fault.message, "nonsense");
  assert_fails(RILLE_INVALID_ARGUMENT, try_to_open((rille_open_options){ .url = SPEC_BYTES("a\0b") }, &fault), &fault);
}

static void
refuses_a_database_whose_texts_are_no_utf8(void **state)
{
  const rille_open_options options = { .url = rille_str_of(url), .database = rille_str_of("latin") };
  rille_fault fault;

  (void)state;
  (void)spec_postgres_sql("create database latin encoding 'LATIN1' template template0");
  assert_fails(RILLE_UNSUPPORTED, try_to_open(options, &fault), &fault);
  assert_contains(fault.message, "LATIN1");
  assert_contains(fault.hint, "UTF8");
}

static void
says_that_the_server_has_no_connection_left(void **state)
{
  rille_open_options options = { .url = rille_str_of(url), .user = rille_str_of("single") };
  rille_conn *first = NULL;
  rille_fault fault;

  (void)state;
  (void)spec_postgres_sql("create role single login connection limit 1");
  assert_ok(postgres->open(&options, &first, &fault), &fault);
  assert_fails(RILLE_BUSY, try_to_open(options, &fault), &fault);
  postgres->close(first);
  (void)spec_postgres_sql("drop role single");
}

static void
only_reads_when_it_was_opened_for_reading(void **state)
{
  rille_conn *reader = connect_with((rille_open_options){ .readonly = true });
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_READONLY, contract_try(reader, "insert into posts values (1)", &fault), &fault);
  assert_int_equal(contract_integer(reader, "select count(*) from posts"), 0);
  postgres->close(reader);
}

static void
keeps_what_the_url_asks_for_and_what_values_rely_on(void **state)
{
  rille_conn *conn;

  (void)state;
  (void)strcat(url, "%20-cwork_mem%3D123kB%20-cTimeZone%3DAsia/Tokyo%20-cDateStyle%3DGerman&application_name=mine");
  conn = connect_with((rille_open_options){ .statement_timeout_ms = 77000 });
  assert_int_equal(contract_integer(conn, "select (current_setting('work_mem') = '123kB')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('application_name') = 'mine')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('TimeZone') = 'UTC')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('DateStyle') = 'ISO, YMD')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('lock_timeout') = '2s')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('statement_timeout') = '77s')::int"), 1);
  postgres->close(conn);
}

/* -- statements that fail ---------------------------------------------------------------------------------- */

static void
ends_a_statement_that_takes_too_long(void **state)
{
  rille_conn *hasty = connect_with((rille_open_options){ .statement_timeout_ms = 100 });
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_TIMEOUT, contract_try(hasty, "select pg_sleep(10)", &fault), &fault);
  assert_contains(fault.hint, "statement_timeout_ms");
  assert_int_equal(contract_integer(hasty, "select 1"), 1);
  postgres->close(hasty);
}

static void
tells_kinds_by_sqlstate(void **state)
{
  static const struct {
    const char *sql;
    rille_status kind;
    const char *state, *table, *column, *constraint;
  } cases[] = {
    { "select 1/0", RILLE_INVALID_ARGUMENT, "22012", "", "", "" },
    { "select 9223372036854775807 + 1", RILLE_INVALID_ARGUMENT, "22003", "", "", "" },
    { "insert into kept values (1, 'x', 1, 3)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "id", "kept_pkey" },
    { "insert into kept values (2, 'Y', 1, 3)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "", "kept_low" },
    { "insert into kept values (2, 'z', 1, 2)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "a", "kept_a_Odd, col_key" },
    { "insert into kept values (2, 'z', 3, -1)", RILLE_CHECK_VIOLATION, "23514", "kept", "", "positive" },
    { "insert into kept values (2, null, 3, 3)", RILLE_NOT_NULL_VIOLATION, "23502", "kept", "name", "" },
    { "do $$begin raise exception 'no such luck'; end$$", RILLE_CHECK_VIOLATION, "P0001", "", "", "" },
    { "set transaction isolation level nonsense", RILLE_SYNTAX, "42601", "", "", "" },
    { "select * from pg_authid", RILLE_INVALID_ARGUMENT, "42501", "", "", "" },
    { "select nothing()", RILLE_INVALID_ARGUMENT, "42883", "", "", "" },
    { "alter table kept drop column nope", RILLE_NO_SUCH_COLUMN, "42703", "", "nope", "" },
    { "select k.\"Nope\" from kept k", RILLE_NO_SUCH_COLUMN, "42703", "", "Nope", "" },
    { "select '\xC3\xA9', Nope from kept", RILLE_NO_SUCH_COLUMN, "42703", "", "nope", "" },
    { "drop table elsewhere.nope", RILLE_INVALID_ARGUMENT, "3F000", "", "", "" },
    { "select * from Public.\"No pe\"", RILLE_NO_SUCH_TABLE, "42P01", "No pe", "", "" },
    { "vacuum", RILLE_OK, "", "", "", "" },
    { "insert into kept values (2, 'z', 3, 3), (2, 'u', 4, 4)", RILLE_UNIQUE_VIOLATION, "23505", "kept", "id", NULL },
    { "copy kept from stdin", RILLE_UNSUPPORTED, "", "", "", "" },
    { "copy kept to stdout", RILLE_UNSUPPORTED, "", "", "", "" },
  };

  (void)state;
  contract_run_sql(db, "create table kept (id int primary key, name text not null, a int, \"Odd, col\" int "
                       "constraint positive check (\"Odd, col\" > 0), unique (a, \"Odd, col\"))");
  contract_run_sql(db, "create unique index kept_low on kept (lower(name))");
  contract_run_sql(db, "insert into kept values (1, 'y', 1, 2)");
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    rille_fault fault = { 0 };

    assert_fails(cases[i].kind, contract_try(db, cases[i].sql, &fault), &fault);
    assert_string_equal(fault.state, cases[i].state);
    assert_string_equal(fault.table, cases[i].table);
    assert_string_equal(fault.column, cases[i].column);
    if (cases[i].constraint != NULL)
      assert_string_equal(fault.constraint, cases[i].constraint);
    assert_int_equal(contract_try(db, cases[i].sql, NULL), cases[i].kind);
  }
}

static void
names_all_columns_of_a_violated_key(void **state)
{
  rille_fault fault;

  (void)state;
  contract_run_sql(db, "create table kept (a int, \"Odd, col\" text, unique (a, \"Odd, col\"))");
  contract_run_sql(db, "insert into kept values (1, 'x)=(y')");
  assert_fails(RILLE_UNIQUE_VIOLATION, contract_try(db, "insert into kept values (1, 'x)=(y')", &fault), &fault);
  assert_string_equal(fault.columns, "kept.a, kept.Odd, col");
  assert_contains(fault.message, "these values together");
}

static void *
take_the_first_row(void *conn)
{
  rille_fault fault;

  return (void *)(intptr_t)contract_try(conn, "update posts set title = 'b' where id = 1", &fault);
}

static void
tells_a_deadlock(void **state)
{
  rille_conn *other = connect_with((rille_open_options){ 0 });
  rille_fault fault;
  pthread_t thread;
  void *theirs = NULL;
  rille_status ours;

  (void)state;
  postgres->set_wait(db, 20000);
  postgres->set_wait(other, 20000);
  contract_run_sql(db, "insert into posts values (1), (2)");
  assert_ok(postgres->begin(db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  assert_ok(postgres->begin(other, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(db, "update posts set title = 'a' where id = 1");
  contract_run_sql(other, "update posts set title = 'b' where id = 2");
  assert_int_equal(pthread_create(&thread, NULL, take_the_first_row, other), 0);
  ours = contract_try(db, "update posts set title = 'a' where id = 2", &fault);
  assert_ok(postgres->rollback(db, &fault), &fault);
  assert_int_equal(pthread_join(thread, &theirs), 0);
  assert_true((ours == RILLE_DEADLOCK) != ((rille_status)(intptr_t)theirs == RILLE_DEADLOCK));
  assert_ok(postgres->rollback(other, &fault), &fault);
  postgres->close(other);
}

/* -- statements that the server does not take any more ----------------------------------------------------- */

static void
prepares_again_what_the_server_has_forgotten(void **state)
{
  rille_stmt *stmt = contract_prepare(db, "select count(*) from posts where id > $1");
  const rille_cell zero = { .kind = RILLE_INT };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    contract_run_sql(db, "deallocate all");
    if (inside == 1)
      assert_ok(postgres->begin(db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    assert_ok(postgres->bind(stmt, 1, &zero, &fault), &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, &cell, &fault), &fault);
    assert_int_equal(cell.as.integer, 0);
    postgres->reset(stmt);
    assert_int_equal(postgres->in_transaction(db), inside);
  }
  assert_ok(postgres->rollback(db, &fault), &fault);
  postgres->free(stmt);
}

static void
runs_together_what_the_server_has_forgotten(void **state)
{
  rille_stmt *stmts[] = { contract_prepare(db, "select 1"), contract_prepare(db, "select 2") };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  for (int lost = 0; lost < 2; lost++) {
    if (lost) {
      terminate(db);
      pause_ms(150);
    } else {
      contract_run_sql(db, "deallocate all");
    }
    assert_ok(postgres->together(stmts, 2, &fault), &fault);
    for (int i = 0; i < 2; i++) {
      assert_ok(postgres->step(stmts[i], &row, &fault), &fault);
      assert_true(row);
      assert_ok(postgres->row(stmts[i], &cell, &fault), &fault);
      assert_int_equal(cell.as.integer, i + 1);
      postgres->reset(stmts[i]);
    }
  }
  postgres->free(stmts[0]);
  postgres->free(stmts[1]);
}

/* As behind a pooler, where the next transaction is at another server. */
static void
names_no_statements_where_they_are_forgotten(void **state)
{
  rille_stmt *stmts[] = { contract_prepare(db, "select id from posts where id >= $1 order by id"),
                          contract_prepare(db, "select $1::bigint + 1") };
  const rille_cell two = { .kind = RILLE_INT, .as.integer = 2 };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  contract_run_sql(db, "insert into posts values (1), (2), (3)");
  assert_ok(postgres->begin(db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(db, "deallocate all");
  assert_fails(RILLE_SERIALIZATION_FAILURE, postgres->step(stmts[0], &row, &fault), &fault);
  assert_ok(postgres->rollback(db, &fault), &fault);
  for (int streams = 0; streams < 2; streams++) {
    postgres->reset(stmts[0]);
    assert_ok(postgres->bind(stmts[0], 1, &two, &fault), &fault);
    postgres->stream(stmts[0], streams == 1);
    for (int64_t id = 2; id <= 3; id++) {
      assert_ok(postgres->step(stmts[0], &row, &fault), &fault);
      assert_true(row);
      assert_ok(postgres->row(stmts[0], &cell, &fault), &fault);
      assert_int_equal(cell.as.integer, id);
    }
  }
  postgres->reset(stmts[0]);
  for (int i = 0; i < 2; i++)
    assert_ok(postgres->bind(stmts[i], 1, &two, &fault), &fault);
  assert_ok(postgres->together(stmts, 2, &fault), &fault);
  for (int i = 0; i < 2; i++) {
    assert_ok(postgres->step(stmts[i], &row, &fault), &fault);
    assert_ok(postgres->row(stmts[i], &cell, &fault), &fault);
    assert_int_equal(cell.as.integer, 2 + i);
  }
  postgres->free(stmts[0]);
  postgres->free(stmts[1]);
  assert_int_equal(contract_integer(db, "select count(*) from pg_prepared_statements"), 0);
}

static void
says_in_a_transaction_that_the_schema_changed(void **state)
{
  rille_stmt *stmt = contract_prepare(db, "select * from posts");
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  postgres->reset(stmt);
  assert_ok(postgres->begin(db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(db, "alter table posts add column note text");
  assert_fails(RILLE_SERIALIZATION_FAILURE, postgres->step(stmt, &row, &fault), &fault);
  assert_true(postgres->failed(db));
  assert_ok(postgres->rollback(db, &fault), &fault);
  postgres->reset(stmt);
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  assert_int_equal(postgres->column_count(stmt), 2);
  postgres->free(stmt);
}

static void
has_the_server_forget_statements_that_were_freed(void **state)
{
  (void)state;
  for (int i = 0; i < 100; i++)
    contract_run_sql(db, "select %d", i);
  assert_in_range(contract_integer(db, "select count(*) from pg_prepared_statements"), 1, 3);
}

/* Behind a pooler clients share a server: one must not run what another one has prepared. */
static void
names_no_statement_as_another_connection_does(void **state)
{
  static const char sql[] = "select ('x' || substr(max(name), 7, 15))::bit(60)::bigint from pg_prepared_statements";
  rille_conn *other = connect_with((rille_open_options){ 0 });

  (void)state;
  assert_int_not_equal(contract_integer(db, sql), contract_integer(other, sql));
  postgres->close(other);
}

static void
begins_no_transaction_before_its_first_statement(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(db, RILLE_BEGIN_SNAPSHOT, &fault), &fault);
  assert_true(postgres->in_transaction(db));
  assert_ok(postgres->commit(db, &fault), &fault);
  assert_ok(postgres->begin(db, RILLE_BEGIN_SNAPSHOT, &fault), &fault);
  assert_fails(RILLE_READONLY, contract_try(db, "insert into posts values (1)", &fault), &fault);
  assert_ok(postgres->rollback(db, &fault), &fault);
  assert_ok(postgres->begin(db, RILLE_BEGIN_SERIALIZABLE, &fault), &fault);
  assert_int_equal(contract_integer(db, "select (current_setting('transaction_isolation') = 'serializable')::int"), 1);
  assert_ok(postgres->rollback(db, &fault), &fault);
}

static void
keeps_a_wait_that_was_set_in_a_transaction_that_is_rolled_back(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(db, "select 1");
  postgres->set_wait(db, 1234);
  contract_run_sql(db, "savepoint here");
  postgres->set_wait(db, 4321);
  assert_int_equal(contract_integer(db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
  contract_run_sql(db, "rollback to here");
  assert_int_equal(contract_integer(db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
  assert_ok(postgres->rollback(db, &fault), &fault);
  assert_int_equal(contract_integer(db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
}

#define ON_POSTS(test) cmocka_unit_test_setup_teardown(test, open_posts, close_posts)

int
main(void)
{
  const struct CMUnitTest connections[] = {
    ON_POSTS(goes_on_when_the_server_ended_an_idle_connection),
    ON_POSTS(says_that_the_connection_was_lost_and_connects_anew),
    ON_POSTS(keeps_a_lost_transaction_open_until_it_is_rolled_back),
    ON_POSTS(loses_nothing_when_the_connection_ends_before_a_transaction_began),
    ON_POSTS(does_not_know_what_became_of_a_commit_whose_answer_was_lost),
    ON_POSTS(goes_on_after_the_server_was_killed_and_started_again),
  };
  const struct CMUnitTest opening[] = {
    ON_POSTS(says_who_may_not_connect_and_never_the_password),
    ON_POSTS(says_that_a_database_is_missing),
    ON_POSTS(says_that_there_is_no_server),
    ON_POSTS(waits_no_longer_for_a_server_than_it_was_told),
    ON_POSTS(says_what_is_wrong_with_a_url_without_showing_it),
    ON_POSTS(refuses_a_database_whose_texts_are_no_utf8),
    ON_POSTS(says_that_the_server_has_no_connection_left),
    ON_POSTS(only_reads_when_it_was_opened_for_reading),
    ON_POSTS(keeps_what_the_url_asks_for_and_what_values_rely_on),
  };
  const struct CMUnitTest statements[] = {
    ON_POSTS(ends_a_statement_that_takes_too_long),
    ON_POSTS(tells_kinds_by_sqlstate),
    ON_POSTS(names_all_columns_of_a_violated_key),
    ON_POSTS(tells_a_deadlock),
    ON_POSTS(prepares_again_what_the_server_has_forgotten),
    ON_POSTS(runs_together_what_the_server_has_forgotten),
    ON_POSTS(names_no_statements_where_they_are_forgotten),
    ON_POSTS(says_in_a_transaction_that_the_schema_changed),
    ON_POSTS(has_the_server_forget_statements_that_were_freed),
    ON_POSTS(names_no_statement_as_another_connection_does),
    ON_POSTS(begins_no_transaction_before_its_first_statement),
    ON_POSTS(keeps_a_wait_that_was_set_in_a_transaction_that_is_rolled_back),
  };

  return cmocka_run_group_tests(connections, NULL, NULL) + cmocka_run_group_tests(opening, NULL, NULL) +
         cmocka_run_group_tests(statements, NULL, NULL);
}
