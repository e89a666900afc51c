/* spec/fault/allocation_test.c - every allocation of the core and of SQLite fails in turn.
**
** Each scenario starts from the same small file.  Afterwards a fresh connection must find it as it was before or
** as it is after the whole scenario, and nothing between. */
#include "spec/support/spec.h"

#include "core/run/cursor.h"
#include "spec/fault/trial.h"
#include "spec/support/build.h"
#include "spec/support/failing.h"

/* One thing that a program does, and what is to be found then. */
typedef struct scenario {
  rille_status (*run)(rille_connection *db, rille_fault *fault);
  const char *state;     /* a query whose one number says how far it came */
  int64_t before, after; /* all that it may say */
} scenario;

/* -- steps ----------------------------------------------------------------------------------------------- */

/* Runs to the last row; *sum adds up the first column. */
static rille_status
finish(rille_connection *db, rille_statement *statement, const rille_slot *slots, size_t count, int64_t *sum,
       rille_fault *fault)
{
  rille_arena arena;
  rille_cursor cursor = { 0 };
  rille_cell cells[10];
  bool row = true;
  rille_status status;

  rille_arena_init(&arena);
  status = rille_cursor_open(&cursor, db, statement, slots, count, &arena, fault);
  while (status == RILLE_OK && row) {
    status = rille_cursor_next(&cursor, cells, &row, fault);
    if (status == RILLE_OK && row && cells[0].kind == RILLE_INT)
      *sum += cells[0].as.integer;
  }
  rille_cursor_close(&cursor);
  rille_arena_release(&arena);
  return status;
}

static rille_status
text(rille_connection *db, const char *sql, rille_fault *fault)
{
  rille_statement *statement = NULL;
  int64_t ignored = 0;
  rille_status status = rille_connection_ready(db, fault);

  if (status == RILLE_OK)
    status = rille_connection_sql(db, rille_str_of(sql), &statement, fault);
  return status == RILLE_OK ? finish(db, statement, NULL, 0, &ignored, fault) : status;
}

static rille_status
tree(rille_connection *db, rille_query *query, const rille_slot *slots, size_t count, int64_t *sum, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_status status = rille_connection_ready(db, fault);

  if (status == RILLE_OK)
    status = rille_connection_statement(db, query, &statement, fault);
  return status == RILLE_OK ? finish(db, statement, slots, count, sum, fault) : status;
}

static rille_status
begin(rille_connection *db, rille_fault *fault)
{
  return rille_connection_begin(db, RILLE_BEGIN_IMMEDIATE, db, fault);
}

/* What a caller does with a transaction: commits when all went well, and else takes everything back. */
static rille_status
end(rille_connection *db, rille_status status, rille_fault *fault)
{
  if (status == RILLE_OK)
    status = rille_connection_commit(db, fault);
  if (status != RILLE_OK)
    (void)rille_connection_rollback(db, NULL);
  return status;
}

/* -- scenarios ------------------------------------------------------------------------------------------- */

static rille_status
open_only(rille_connection *db, rille_fault *fault)
{
  (void)db;
  (void)fault;
  return RILLE_OK;
}

static rille_status
migrate(rille_connection *db, rille_fault *fault)
{
  static const char *const steps[] = {
    "create table comments (id integer primary key, body text not null, post_id integer references posts (id))",
    "create index comments_post on comments (post_id)",
    "alter table posts add column note text",
    "insert into comments (body, post_id) select title, id from posts",
    "insert into ledger (name) values ('0002_comments')",
  };
  rille_status status = begin(db, fault);

  if (status != RILLE_OK)
    return status;
  for (size_t i = 0; i < SPEC_COUNT(steps) && status == RILLE_OK; i++)
    status = text(db, steps[i], fault);
  status = end(db, status, fault);
  rille_connection_forget(db);
  return status;
}

static rille_status
insert(rille_connection *db, rille_fault *fault)
{
  static char long_text[20000];
  rille_query *query = build_query(&build_posts);
  rille_slot slots[3] = { { .cell = { .kind = RILLE_TEXT, .as.text = { long_text, sizeof long_text } } },
                          { .cell = { .kind = RILLE_REAL, .as.real = 12.5 } },
                          { .cell = { .kind = RILLE_INT, .as.integer = 1700000000 } } };
  int64_t ignored = 0;

  memset(long_text, 'x', sizeof long_text);
  query->verb = RILLE_INSERT;
  build_set(&query->sets, "title", build_value(0));
  build_set(&query->sets, "price", build_value(1));
  build_set(&query->sets, "created_at", build_value(2));
  return tree(db, query, slots, 3, &ignored, fault);
}

static rille_status
query(rille_connection *db, rille_fault *fault)
{
  static const rille_cell views[] = { { .kind = RILLE_INT, .as.integer = 1 }, { .kind = RILLE_REAL, .as.real = 2.0 } };
  rille_slot slots[3] = { { .list = views, .list_len = 2 },
                          { .cell = { .kind = RILLE_TEXT, .as.text = SPEC_BYTES("t%") } },
                          { .cell = { .kind = RILLE_INT, .as.integer = 10 } } };
  rille_query *posts = build_query(&build_posts);
  int64_t sum = 0;
  rille_status status;

  posts->where = build_many(
    RILLE_NODE_AND,
    build_chain(build_node(RILLE_NODE_IN, build_column("views"), build_node(RILLE_NODE_LIST, NULL, NULL, NULL), NULL),
                build_compare(build_column("title"), RILLE_OP_LIKE, build_value(1)), NULL));
  posts->orders = build_term(build_column("title"), true);
  posts->limit = build_value(2);
  status = tree(db, posts, slots, 3, &sum, fault);
  if (status == RILLE_OK)
    assert_int_equal(sum, 1 + 2);
  return status;
}

/* A transaction with a savepoint that is taken back, whatever becomes of it, and one that is kept. */
static rille_status
transfer(rille_connection *db, rille_fault *fault)
{
  rille_status status = begin(db, fault);

  if (status != RILLE_OK)
    return status;
  status = text(db, "update posts set views = views - 1 where id = 1", fault);
  if (status == RILLE_OK && begin(db, NULL) == RILLE_OK) {
    (void)text(db, "update posts set views = views + 1000", NULL);
    (void)rille_connection_rollback(db, NULL);
  }
  if (status == RILLE_OK && (status = begin(db, fault)) == RILLE_OK)
    status = end(db, text(db, "update posts set views = views + 1 where id = 2", fault), fault);
  return end(db, status, fault);
}

static rille_status
remark(rille_connection *db, rille_fault *fault)
{
  return text(db, "select 1; -- and a remark that has to be looked through", fault);
}

/* Two cursors on one statement, left in the middle, while something is traced. */
static rille_status
cursors(rille_connection *db, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_cursor first = { 0 }, second = { 0 };
  rille_arena arena;
  rille_cell cells[10];
  bool row;
  rille_status status;

  rille_arena_init(&arena);
  db->trace.on = true;
  status = rille_connection_statement(db, build_query(&build_posts), &statement, fault);
  if (status == RILLE_OK)
    status = rille_cursor_open(&first, db, statement, NULL, 0, &arena, fault);
  if (status == RILLE_OK)
    status = rille_cursor_next(&first, cells, &row, fault);
  if (status == RILLE_OK)
    status = rille_connection_statement(db, build_query(&build_posts), &statement, fault);
  if (status == RILLE_OK)
    status = rille_cursor_open(&second, db, statement, NULL, 0, &arena, fault);
  if (status == RILLE_OK)
    status = rille_cursor_next(&second, cells, &row, fault);
  if (status == RILLE_OK)
    status = rille_cursor_next(&first, cells, &row, fault);
  rille_cursor_close(&first);
  rille_cursor_close(&second);
  rille_arena_release(&arena);
  return status;
}

/* A loop that writes between the rows of a cursor: that gives them as they were, or says that it cannot. */
static rille_status
write_between(rille_connection *db, rille_fault *fault)
{
  rille_statement *statement = NULL;
  rille_cursor cursor = { 0 };
  rille_arena arena;
  rille_cell cells[10];
  bool row = true;
  int64_t sum = 0;
  rille_status status;

  rille_arena_init(&arena);
  status = begin(db, fault);
  if (status == RILLE_OK)
    status = rille_connection_sql(db, rille_str_of("select views, title from posts"), &statement, fault);
  if (status == RILLE_OK)
    status = rille_cursor_open(&cursor, db, statement, NULL, 0, &arena, fault);
  if (status == RILLE_OK)
    statement->stmt->driver->stream(statement->stmt, true);
  while (status == RILLE_OK && row) {
    status = rille_cursor_next(&cursor, cells, &row, fault);
    sum += status == RILLE_OK && row ? cells[0].as.integer : 0;
    if (status == RILLE_OK && cursor.rows == 1)
      status = text(db, "update posts set views = 100", fault);
  }
  assert_true(status != RILLE_OK || sum == 6);
  rille_cursor_close(&cursor);
  rille_arena_release(&arena);
  return end(db, status, fault);
}

/* -- the sweep ------------------------------------------------------------------------------------------- */

/* After a failure the same connection must be as good as new. */
static void
assert_usable(rille_connection *db)
{
  rille_fault fault;

  assert_int_equal(db->depth, 0);
  assert_null(db->cursors);
  assert_ok(begin(db, &fault), &fault);
  assert_ok(text(db, "insert into ledger (name) values ('probe')", &fault), &fault);
  assert_ok(rille_connection_rollback(db, &fault), &fault);
}

static void
once(void *data)
{
  const scenario *s = data;
  long before = spec_blocks_alive();
  rille_connection *db;
  rille_status status;
  rille_fault fault;
  bool failed;
  int64_t state;

  trial_fresh();
  spec_failing_start();
  status = trial_open(&db, &fault);
  if (status == RILLE_OK) {
    (void)build_start(NULL);
    status = s->run(db, &fault);
    (void)build_end(NULL);
  }
  failed = spec_failing_stop();
  if (status != RILLE_OK && status != RILLE_TRANSACTION_ABORTED)
    assert_fails(RILLE_OUT_OF_MEMORY, status, &fault);
  assert_true(failed || status == RILLE_OK);
  if (db != NULL)
    assert_usable(db);
  rille_connection_close(db);
  assert_int_equal(spec_blocks_alive(), before);
  trial_assert_intact();
  state = trial_found(s->state);
  if (state != (status == RILLE_OK ? s->after : s->before))
    fail_msg("%s left %lld", status == RILLE_OK ? "success" : fault.message, (long long)state);
}

static int
make_base(void **state)
{
  static const char *const rows[] = {
    "insert into posts (title, views) values ('this', 1), ('that', 2), ('other', 3)",
    "create table ledger (name text primary key)",
    "insert into ledger (name) values ('0001_posts')",
    NULL,
  };

  (void)state;
  spec_failing_install();
  trial_make_base(build_ddl);
  trial_make_base(rows);
  return 0;
}

enum { RUNS = 250 }; /* of one sweep: more allocations are sampled */

static void
sweep(const scenario *s)
{
  for (int door = SPEC_CORE; door <= SPEC_SQLITE; door++)
    for (int from_then_on = 0; from_then_on < 2; from_then_on++) {
      scenario copy = *s;

      assert_true(spec_sweep((spec_door)door, from_then_on, RUNS, once, &copy) > 2);
    }
}

static void
opens_a_database_or_does_not(void **state)
{
  (void)state;
  sweep(&(scenario){ open_only, "select count(*) from posts", 3, 3 });
}

static void
migrates_wholly_or_not_at_all(void **state)
{
  (void)state;
  sweep(&(scenario){ migrate,
                     "select (select count(*) from ledger) + 10 * (select count(*) from sqlite_schema where name like "
                     "'comments%') + 100 * (select count(*) from pragma_table_info('posts') where name = 'note')",
                     1, 122 });
}

static void
inserts_a_row_or_none(void **state)
{
  (void)state;
  sweep(&(scenario){ insert,
                     "select coalesce(sum(length(title) * (price = 12.5) * (created_at like '2023-11-14T22%')), 0) + "
                     "count(*) from posts",
                     3, 20004 });
}

static void
reads_right_or_not_at_all(void **state)
{
  (void)state;
  sweep(&(scenario){ query, "select sum(views) from posts", 6, 6 });
}

static void
looks_behind_a_statement(void **state)
{
  (void)state;
  sweep(&(scenario){ remark, "select sum(views) from posts", 6, 6 });
}

static void
commits_all_of_a_transaction_or_nothing(void **state)
{
  (void)state;
  sweep(&(scenario){ transfer,
                     "select (select views from posts where id = 1) * 10000 + (select views from posts where id = 2)",
                     10002, 3 });
}

static void
gives_up_cursors_in_the_middle(void **state)
{
  (void)state;
  sweep(&(scenario){ cursors, "select sum(views) from posts", 6, 6 });
}

static void
gives_all_rows_of_a_cursor_or_says_why_not(void **state)
{
  (void)state;
  sweep(&(scenario){ write_between, "select sum(views) from posts", 6, 300 });
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(opens_a_database_or_does_not, spec_sweep_end),
    cmocka_unit_test_teardown(migrates_wholly_or_not_at_all, spec_sweep_end),
    cmocka_unit_test_teardown(inserts_a_row_or_none, spec_sweep_end),
    cmocka_unit_test_teardown(reads_right_or_not_at_all, spec_sweep_end),
    cmocka_unit_test_teardown(looks_behind_a_statement, spec_sweep_end),
    cmocka_unit_test_teardown(commits_all_of_a_transaction_or_nothing, spec_sweep_end),
    cmocka_unit_test_teardown(gives_up_cursors_in_the_middle, spec_sweep_end),
    cmocka_unit_test_teardown(gives_all_rows_of_a_cursor_or_says_why_not, spec_sweep_end),
  };

  return cmocka_run_group_tests(tests, make_base, NULL);
}
