/* spec/driver/postgres_cut_test.c - a network that loses every packet: whoever waits for a server beyond it waits no
** longer than was said, is told what is known, and nothing is half done.
**
** Without deadlines each case would take a quarter of an hour.  A server that is there and silent is in
** postgres_lost_test.c, which needs no network. */
#include "spec/driver/posts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spec/support/wire.h"

static const rille_driver *const postgres = &rille_driver_postgres;

static int64_t
now_ms(void)
{
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Beyond the wire; the url says what else. */
static rille_conn *
connect_over(const char *more, int statement_timeout_ms)
{
  rille_open_options options = { .host = rille_str_of(SPEC_WIRE_HOST),
                                 .port = SPEC_WIRE_PORT,
                                 .statement_timeout_ms = statement_timeout_ms,
                                 .connect_timeout_ms = 5000,
                                 .busy_timeout_ms = 2000 };
  char url[SPEC_URL_BYTES + 40];
  rille_conn *conn = NULL;
  rille_fault fault;

  (void)snprintf(url, sizeof url, "%s%s", posts_url, more);
  options.url = rille_str_of(url);
  assert_ok(postgres->open(&options, &conn, &fault), &fault);
  return conn;
}

static void
ends_a_statement_of_a_transaction_behind_its_deadline(void **state)
{
  rille_conn *conn = connect_over("", 200);
  int64_t began_ms;
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(conn, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(conn, "insert into posts values (1)");
  spec_wire_cut();
  began_ms = now_ms();
  assert_fails(RILLE_CONNECTION_LOST, contract_try(conn, "insert into posts values (2)", &fault), &fault);
  assert_contains(fault.message, "has not answered");
  assert_contains(fault.hint, "from its beginning");
  assert_true(postgres->in_transaction(conn));
  assert_fails(RILLE_CONNECTION_LOST, contract_try(conn, "insert into posts values (3)", NULL), &fault);
  assert_ok(postgres->rollback(conn, &fault), &fault);
  assert_true(now_ms() - began_ms < 20000);
  spec_wire_mend();
  assert_false(postgres->in_transaction(conn));
  assert_int_equal(contract_integer(conn, "select count(*) from posts"), 0);
  postgres->close(conn);
}

static void
does_not_know_of_a_commit_whose_packets_are_lost(void **state)
{
  rille_conn *conn = connect_over("&tcp_user_timeout=1500", 0);
  int64_t began_ms;
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(conn, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(conn, "insert into posts values (1)");
  spec_wire_cut();
  began_ms = now_ms();
  assert_fails(RILLE_IN_DOUBT, postgres->commit(conn, &fault), &fault);
  assert_true(now_ms() - began_ms < 20000);
  assert_false(postgres->in_transaction(conn));
  spec_wire_mend();
  assert_int_equal(contract_integer(conn, "select 1"), 1);
  postgres->close(conn);
}

static void
leaves_a_cursor_at_once(void **state)
{
  rille_conn *conn = connect_over("", 0);
  rille_stmt *stmt;
  int64_t began_ms;
  rille_fault fault;
  bool row;

  (void)state;
  stmt = contract_prepare(conn, "select repeat('x', 1000) from generate_series(1, 100000)");
  postgres->stream(stmt, true);
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  spec_wire_cut();
  began_ms = now_ms();
  postgres->reset(stmt);
  assert_true(now_ms() - began_ms < 15000);
  spec_wire_mend();
  assert_int_equal(contract_integer(conn, "select 1"), 1);
  postgres->free(stmt);
  postgres->close(conn);
}

static void
opens_no_connection_behind_its_deadline(void **state)
{
  const rille_open_options options = { .url = rille_str_of(posts_url),
                                       .host = rille_str_of(SPEC_WIRE_HOST),
                                       .port = SPEC_WIRE_PORT,
                                       .connect_timeout_ms = 300 };
  rille_conn *conn = NULL;
  int64_t began_ms;
  rille_fault fault;

  (void)state;
  spec_wire_cut();
  began_ms = now_ms();
  assert_fails(RILLE_CONNECTION_LOST, postgres->open(&options, &conn, &fault), &fault);
  assert_true(now_ms() - began_ms < 5000);
  spec_wire_mend();
}

/* A server keeps the locks of a transaction until it knows that its client is gone. */
static void
has_the_server_find_out_as_soon(void **state)
{
  (void)state;
  assert_int_equal(contract_integer(posts_db, "select count(*) from pg_catalog.pg_settings where source = 'client' and "
                                              "name in ('tcp_keepalives_idle', 'tcp_keepalives_interval', "
                                              "'tcp_keepalives_count', 'tcp_user_timeout')"),
                   4);
}

/* Of the url of the server, "…?host=FOLDER&port=5400". */
static void
path_of_socket(char *path, size_t size)
{
  const char *host = strstr(spec_postgres_url(), "host="), *port = strstr(spec_postgres_url(), "port=");

  assert_non_null(host);
  assert_non_null(port);
  (void)snprintf(path, size, "%.*s/.s.PGSQL.%d", (int)strcspn(host + 5, "&"), host + 5, atoi(port + 5));
}

int
main(void)
{
  const struct CMUnitTest everywhere[] = {
    ON_POSTS(has_the_server_find_out_as_soon),
  };
  const struct CMUnitTest over_a_wire[] = {
    ON_POSTS(ends_a_statement_of_a_transaction_behind_its_deadline),
    ON_POSTS(does_not_know_of_a_commit_whose_packets_are_lost),
    ON_POSTS(leaves_a_cursor_at_once),
    ON_POSTS(opens_no_connection_behind_its_deadline),
  };
  char path[200];
  int failed = cmocka_run_group_tests(everywhere, NULL, NULL);

  path_of_socket(path, sizeof path);
  if (spec_wire_lay(path))
    failed += cmocka_run_group_tests(over_a_wire, NULL, NULL);
  else
    (void)printf("-- no network can be made here (that takes root and `ip` of iproute2): it is not cut\n");
  spec_wire_end();
  return failed;
}
