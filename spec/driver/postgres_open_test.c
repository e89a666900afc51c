/* spec/driver/postgres_open_test.c - who may connect to which server, and what a connection keeps of its url. */
#include "spec/driver/posts.h"

#include <string.h>
#include <time.h>

static const rille_driver *const postgres = &rille_driver_postgres;

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
  rille_open_options options = { .url = rille_str_of(posts_url), .user = rille_str_of("guarded") };
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
  const rille_open_options options = { .url = rille_str_of(posts_url), .database = rille_str_of("nowhere") };
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
  const rille_open_options options = { .url = rille_str_of(posts_url), .database = rille_str_of("latin") };
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
  rille_open_options options = { .url = rille_str_of(posts_url), .user = rille_str_of("single") };
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
  rille_conn *reader = posts_connect((rille_open_options){ .readonly = true });
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
  (void)strcat(posts_url,
               "%20-cwork_mem%3D123kB%20-cTimeZone%3DAsia/Tokyo%20-cDateStyle%3DGerman&application_name=mine");
  conn = posts_connect((rille_open_options){ .statement_timeout_ms = 77000 });
  assert_int_equal(contract_integer(conn, "select (current_setting('work_mem') = '123kB')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('application_name') = 'mine')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('TimeZone') = 'UTC')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('DateStyle') = 'ISO, YMD')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('lock_timeout') = '2s')::int"), 1);
  assert_int_equal(contract_integer(conn, "select (current_setting('statement_timeout') = '77s')::int"), 1);
  postgres->close(conn);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
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

  return cmocka_run_group_tests(tests, NULL, NULL);
}
