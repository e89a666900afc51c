/* spec/driver/postgres_prepare_test.c - statements that the server keeps or forgets, and the settings that it keeps. */
#include "spec/driver/posts.h"

static const rille_driver *const postgres = &rille_driver_postgres;

static void
prepares_again_what_the_server_has_forgotten(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, "select count(*) from posts where id > $1");
  const rille_cell zero = { .kind = RILLE_INT };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    contract_run_sql(posts_db, "deallocate all");
    if (inside == 1)
      assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
    assert_ok(postgres->bind(stmt, 1, &zero, &fault), &fault);
    assert_ok(postgres->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(postgres->row(stmt, &cell, &fault), &fault);
    assert_int_equal(cell.as.integer, 0);
    postgres->reset(stmt);
    assert_int_equal(postgres->in_transaction(posts_db), inside);
  }
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  postgres->free(stmt);
}

static void
runs_together_what_the_server_has_forgotten(void **state)
{
  rille_stmt *stmts[] = { contract_prepare(posts_db, "select 1"), contract_prepare(posts_db, "select 2") };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  for (int lost = 0; lost < 2; lost++) {
    if (lost) {
      posts_terminate(posts_db);
    } else {
      contract_run_sql(posts_db, "deallocate all");
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
  rille_stmt *stmts[] = { contract_prepare(posts_db, "select id from posts where id >= $1 order by id"),
                          contract_prepare(posts_db, "select $1::bigint + 1") };
  const rille_cell two = { .kind = RILLE_INT, .as.integer = 2 };
  rille_fault fault;
  rille_cell cell;
  bool row;

  (void)state;
  contract_run_sql(posts_db, "insert into posts values (1), (2), (3)");
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(posts_db, "deallocate all");
  assert_fails(RILLE_SERIALIZATION_FAILURE, postgres->step(stmts[0], &row, &fault), &fault);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
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
  assert_int_equal(contract_integer(posts_db, "select count(*) from pg_prepared_statements"), 0);
}

static void
says_in_a_transaction_that_the_schema_changed(void **state)
{
  rille_stmt *stmt = contract_prepare(posts_db, "select * from posts");
  rille_fault fault;
  bool row;

  (void)state;
  assert_ok(postgres->step(stmt, &row, &fault), &fault);
  postgres->reset(stmt);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(posts_db, "alter table posts add column note text");
  assert_fails(RILLE_SERIALIZATION_FAILURE, postgres->step(stmt, &row, &fault), &fault);
  assert_true(postgres->failed(posts_db));
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
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
    contract_run_sql(posts_db, "select %d", i);
  assert_in_range(contract_integer(posts_db, "select count(*) from pg_prepared_statements"), 1, 3);
}

/* Behind a pooler clients share a server: one must not run what another one has prepared. */
static void
names_no_statement_as_another_connection_does(void **state)
{
  static const char sql[] = "select ('x' || substr(max(name), 7, 15))::bit(60)::bigint from pg_prepared_statements";
  rille_conn *other = posts_connect((rille_open_options){ 0 });

  (void)state;
  assert_int_not_equal(contract_integer(posts_db, sql), contract_integer(other, sql));
  postgres->close(other);
}

static void
begins_no_transaction_before_its_first_statement(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_SNAPSHOT, &fault), &fault);
  assert_true(postgres->in_transaction(posts_db));
  assert_ok(postgres->commit(posts_db, &fault), &fault);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_SNAPSHOT, &fault), &fault);
  assert_fails(RILLE_READONLY, contract_try(posts_db, "insert into posts values (1)", &fault), &fault);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_SERIALIZABLE, &fault), &fault);
  assert_int_equal(
    contract_integer(posts_db, "select (current_setting('transaction_isolation') = 'serializable')::int"), 1);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
}

static void
keeps_a_wait_that_was_set_in_a_transaction_that_is_rolled_back(void **state)
{
  rille_fault fault;

  (void)state;
  assert_ok(postgres->begin(posts_db, RILLE_BEGIN_DEFERRED, &fault), &fault);
  contract_run_sql(posts_db, "select 1");
  postgres->set_wait(posts_db, 1234);
  contract_run_sql(posts_db, "savepoint here");
  postgres->set_wait(posts_db, 4321);
  assert_int_equal(contract_integer(posts_db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
  contract_run_sql(posts_db, "rollback to here");
  assert_int_equal(contract_integer(posts_db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
  assert_ok(postgres->rollback(posts_db, &fault), &fault);
  assert_int_equal(contract_integer(posts_db, "select (current_setting('lock_timeout') = '4321ms')::int"), 1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    ON_POSTS(prepares_again_what_the_server_has_forgotten),
    ON_POSTS(runs_together_what_the_server_has_forgotten),
    ON_POSTS(names_no_statements_where_they_are_forgotten),
    ON_POSTS(says_in_a_transaction_that_the_schema_changed),
    ON_POSTS(has_the_server_forget_statements_that_were_freed),
    ON_POSTS(names_no_statement_as_another_connection_does),
    ON_POSTS(begins_no_transaction_before_its_first_statement),
    ON_POSTS(keeps_a_wait_that_was_set_in_a_transaction_that_is_rolled_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
