/* spec/driver/contract_stream.c - rows that come one by one while their connection goes on with other statements. */
#include "spec/driver/contract.h"

#include <stdio.h>
#include <string.h>

enum { FEW = 5, MANY = 3000 };

#define READ "select id, views, part, title, body from posts order by views"

/* FEW posts with an index on their views, which are 10, 20 ...; the third has nothing else. */
static int
open_posts(void **state)
{
  (void)contract_open(state);
  contract_run_sql(contract_db, "create table posts (id %s, views %s, part %s, title %s, body %s)", contract->key,
                   contract->integer, contract->real, contract->text, contract->blob);
  contract_run_sql(contract_db, "create index on_views on posts (views)");
  for (int i = 1; i <= FEW; i++) {
    const char *body = contract->server ? "'\\x00ff27'" : "x'00ff27'";

    if (i == 3)
      contract_run_sql(contract_db, "insert into posts (views) values (30)");
    else
      contract_run_sql(contract_db, "insert into posts (views, part, title, body) values (%d, %d / 4.0, '%s', %s)",
                       i * 10, i, i == 4 ? "" : "häuser", body);
  }
  return 0;
}

static rille_stmt *
stream(const char *sql)
{
  rille_stmt *stmt = contract_prepare(contract_db, sql);

  contract->driver->stream(stmt, true);
  return stmt;
}

/* The next row is post `i` as it was made. */
static void
assert_post(rille_stmt *stmt, int i)
{
  rille_cell cells[5];
  rille_fault fault;
  bool row;

  assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
  assert_true(row);
  assert_ok(contract->driver->row(stmt, cells, &fault), &fault);
  assert_int_equal(cells[0].as.integer, i);
  assert_int_equal(cells[1].kind, RILLE_INT);
  assert_int_equal(cells[1].as.integer, i * 10);
  for (int c = 2; i == 3 && c < 5; c++)
    assert_int_equal(cells[c].kind, RILLE_NULL);
  if (i == 3)
    return;
  assert_int_equal(cells[2].kind, RILLE_REAL);
  assert_true(cells[2].as.real == i / 4.0);
  assert_int_equal(cells[3].kind, RILLE_TEXT);
  assert_text(cells[3].as.text, i == 4 ? "" : "häuser");
  assert_int_equal(cells[4].kind, RILLE_BLOB);
  assert_int_equal(cells[4].as.text.len, 3);
  assert_memory_equal(cells[4].as.text.at, "\0\xff'", 3);
}

static void
assert_ended(rille_stmt *stmt)
{
  rille_fault fault;
  bool row;

  for (int i = 0; i < 2; i++) {
    assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
    assert_false(row);
  }
}

/* Every way to change what a stream reads: rows move on in its order, go, come, have other values. */
static const char *const changes[] = {
  "update posts set views = views + 25",
  "delete from posts",
  "insert into posts (views, title) select views + 100, 'new' from posts",
  "update posts set part = 1.5, title = 'x' || id, body = null",
};

static void
shows_what_was_there_when_it_began(void **state)
{
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(changes); i++) {
    for (int at = 1; at <= FEW; at++) {
      rille_stmt *stmt = stream(READ);

      assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
      for (int post = 1; post <= FEW; post++) {
        assert_post(stmt, post);
        if (post == at)
          contract_run_sql(contract_db, "%s", changes[i]);
      }
      assert_ended(stmt);
      contract->driver->free(stmt);
      assert_ok(contract->driver->rollback(contract_db, &fault), &fault);
    }
  }
}

static void
shows_it_outside_of_transactions_too(void **state)
{
  rille_stmt *first = stream(READ), *second = stream(READ);

  (void)state;
  assert_post(first, 1);
  contract_run_sql(contract_db, "update posts set views = views + 25 where id = 1");
  contract_run_sql(contract_db, "update posts set views = views - 25 where id = 1");
  assert_post(first, 2);
  assert_post(second, 1);
  contract_run_sql(contract_db, "delete from posts");
  for (int post = 3; post <= FEW; post++)
    assert_post(first, post);
  assert_ended(first);
  for (int post = 2; post <= FEW; post++)
    assert_post(second, post);
  assert_ended(second);
  contract->driver->free(first);
  contract->driver->free(second);
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), 0);
}

static void
does_not_keep_its_connection_from_writing(void **state)
{
  rille_conn *other = contract_connect(0);
  rille_stmt *stmt = stream(READ);
  rille_fault fault;

  (void)state;
  assert_post(stmt, 1);
  contract_run_sql(other, "update posts set views = 7 where id = 5");
  contract_run_sql(contract_db, "update posts set views = 8 where id = 4");
  assert_post(stmt, 2);
  contract_run_sql(other, "update posts set views = 9 where id = 3");
  assert_ok(contract->driver->begin(contract_db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(contract_db, "delete from posts where id = 2");
  assert_ok(contract->driver->commit(contract_db, &fault), &fault);
  for (int post = 3; post <= FEW; post++)
    assert_post(stmt, post);
  assert_ended(stmt);
  contract->driver->free(stmt);
  contract->driver->close(other);
  assert_int_equal(contract_integer(contract_db, "select sum(views) from posts"), 10 + 9 + 8 + 7);
}

static void
ends_before_its_last_row_and_runs_again(void **state)
{
  rille_stmt *stmt = stream(READ);

  (void)state;
  for (int writes = 0; writes < 2; writes++) {
    assert_post(stmt, 1);
    assert_post(stmt, 2);
    if (writes == 1)
      contract_run_sql(contract_db, "update posts set views = views + 1 where id = 5");
    contract->driver->reset(stmt);
    contract->driver->stream(stmt, writes == 0);
  }
  contract_run_sql(contract_db, "update posts set views = 50 where id = 5");
  for (int post = 1; post <= FEW; post++)
    assert_post(stmt, post);
  assert_ended(stmt);
  contract->driver->reset(stmt);
  contract->driver->stream(stmt, true);
  assert_post(stmt, 1);
  contract_run_sql(contract_db, "delete from posts where id = 5");
  contract->driver->free(stmt); /* with rows that nobody has read */
  assert_int_equal(contract_integer(contract_db, "select count(*) from posts"), FEW - 1);
}

/* More than 64 MB, so that some of it is kept in a file. */
static void
keeps_more_rows_than_memory_is_taken_for(void **state)
{
  rille_stmt *stmt;
  rille_fault fault;
  rille_cell cells[2];
  bool row;

  (void)state;
  contract_run_sql(contract_db, "create table wide (id %s, text %s)", contract->key, contract->text);
  contract_run_sql(contract_db,
                   contract->server
                     ? "insert into wide (text) select repeat('x', 30000 + i) from generate_series(1, %d) as n (i)"
                     : "insert into wide (text) with recursive n (i) as (select 1 union all select i + 1 from n "
                       "where i < %d) select printf('%%.*c', 30000 + i, 'x') from n",
                   MANY);
  stmt = stream("select id, text from wide order by id");
  for (int i = 1; i <= MANY; i++) {
    assert_ok(contract->driver->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(contract->driver->row(stmt, cells, &fault), &fault);
    assert_int_equal(cells[0].as.integer, i);
    assert_int_equal(cells[1].as.text.len, 30000 + i);
    assert_int_equal(cells[1].as.text.at[30000 + i - 1], 'x');
    if (i == 1)
      contract_run_sql(contract_db, "update wide set text = 'gone'");
  }
  assert_ended(stmt);
  contract->driver->free(stmt);
}

#define ON_POSTS(test) cmocka_unit_test_setup_teardown(test, open_posts, contract_close)

int
contract_streams(void)
{
  const struct CMUnitTest streams[] = {
    ON_POSTS(shows_what_was_there_when_it_began),        ON_POSTS(shows_it_outside_of_transactions_too),
    ON_POSTS(does_not_keep_its_connection_from_writing), ON_POSTS(ends_before_its_last_row_and_runs_again),
    ON_POSTS(keeps_more_rows_than_memory_is_taken_for),
  };

  return cmocka_run_group_tests(streams, NULL, NULL);
}
