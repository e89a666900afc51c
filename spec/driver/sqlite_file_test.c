/* spec/driver/sqlite_file_test.c - what can be wrong with the file of a SQLite database, and how it is opened. */
#include "spec/driver/contract.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/cell.h"
#include "spec/support/temporary.h"

static const rille_driver *const sqlite = &rille_driver_sqlite;

static rille_status
open_with(rille_open_options options, const char *path, rille_conn **db, rille_fault *fault)
{
  options.database = rille_str_of(path);
  *db = NULL;
  return sqlite->open(&options, db, fault);
}

static rille_conn *
open_path(const char *path)
{
  rille_conn *db;
  rille_fault fault;

  assert_ok(open_with((rille_open_options){ .synchronous = rille_str_of("normal") }, path, &db, &fault), &fault);
  return db;
}

/* Opening fails with `kind`, names the path, and leaves nothing behind. */
static void
assert_no_open(rille_status kind, rille_open_options options, const char *path, const char *part)
{
  rille_conn *db;
  rille_fault fault;

  assert_fails(kind, open_with(options, path, &db, &fault), &fault);
  assert_null(db);
  assert_contains(fault.message, path);
  assert_contains(fault.message, part);
  assert_int_equal(open_with(options, path, &db, NULL), kind);
}

static bool
is_there(const char *path)
{
  return access(path, F_OK) == 0;
}

/* -- what is no database --------------------------------------------------------------------------------- */

static void
says_that_a_file_cannot_be_opened(void **state)
{
  char path[SPEC_PATH_BYTES], inside[SPEC_PATH_BYTES + 20];
  rille_fault fault;
  rille_conn *db;

  (void)state;
  spec_new_path(path);
  (void)snprintf(inside, sizeof inside, "%s/app.db", path);
  assert_no_open(RILLE_CONNECTION_LOST, (rille_open_options){ 0 }, inside, "unable to open");
  assert_no_open(RILLE_CONNECTION_LOST, (rille_open_options){ .existing = true }, path, "unable to open");
  assert_no_open(RILLE_CONNECTION_LOST, (rille_open_options){ .readonly = true }, path, "unable to open");
  assert_false(is_there(path));
  assert_no_open(RILLE_CONNECTION_LOST, (rille_open_options){ 0 }, spec_directory(), "unable to open");
  assert_fails(RILLE_CONNECTION_LOST, open_with((rille_open_options){ 0 }, inside, &db, &fault), &fault);
  assert_contains(fault.hint, "directory");
}

static void
refuses_a_path_that_is_none(void **state)
{
  static const rille_str paths[] = { { "", 0 }, { NULL, 0 }, SPEC_BYTES("a\0b"), SPEC_BYTES("\0") };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(paths); i++) {
    rille_open_options options = { .database = paths[i] };
    rille_conn *db = NULL;
    rille_fault fault;

    assert_fails(RILLE_INVALID_ARGUMENT, sqlite->open(&options, &db, &fault), &fault);
    assert_null(db);
  }
}

static void
says_that_a_file_is_no_database(void **state)
{
  static const size_t lengths[] = { 2, 99, 100, 512, 1024, 5000 };
  char path[SPEC_PATH_BYTES], bytes[5000];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(lengths); i++) {
    memset(bytes, 'x', sizeof bytes);
    spec_new_path(path);
    spec_write_file(path, bytes, lengths[i]);
    assert_no_open(RILLE_CORRUPT, (rille_open_options){ 0 }, path, "not a database");
    assert_no_open(RILLE_CORRUPT, (rille_open_options){ .readonly = true }, path, "not a database");
  }
  spec_new_path(path);
  spec_write_file(path, "", 0);
  sqlite->close(open_path(path));
}

static void
says_that_a_database_is_damaged(void **state)
{
  char path[SPEC_PATH_BYTES], bytes[16384];
  rille_conn *db;
  rille_fault fault;
  FILE *file;

  (void)state;
  spec_new_path(path);
  db = open_path(path);
  contract_run_sql(db, "create table posts (title text)");
  contract_run_sql(db, "with recursive n (i) as (select 1 union all select i + 1 from n where i < 500) "
                       "insert into posts select 'a title of some length' from n");
  sqlite->close(db);
  file = fopen(path, "r+b");
  assert_non_null(file);
  memset(bytes, 0x5A, sizeof bytes);
  assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
  assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
  assert_int_equal(fclose(file), 0);
  db = open_path(path);
  assert_fails(RILLE_CORRUPT, contract_try(db, "select * from posts", &fault), &fault);
  assert_contains(fault.hint, "backup");
  sqlite->close(db);
}

/* SQLite in Debian takes "file:" for the beginning of a URI, in which a database may be told to live in memory. */
static void
takes_every_path_for_a_path(void **state)
{
  static const char name[] = "file:odd.db?mode=memory";
  char before[1000];

  (void)state;
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(spec_directory()), 0);
  sqlite->close(open_path(name));
  assert_true(is_there(name));
  assert_int_equal(chdir(before), 0);
}

/* -- options --------------------------------------------------------------------------------------------- */

static void
assert_pragma(rille_conn *db, const char *pragma, const char *value)
{
  char sql[100], found[50];
  rille_stmt *stmt;
  rille_cell cell;
  rille_fault fault;
  bool row;

  (void)snprintf(sql, sizeof sql, "pragma %s", pragma);
  stmt = contract_prepare(db, sql);
  assert_ok(sqlite->step(stmt, &row, &fault), &fault);
  assert_ok(sqlite->row(stmt, &cell, &fault), &fault);
  if (cell.kind == RILLE_INT)
    (void)snprintf(found, sizeof found, "%lld", (long long)cell.as.integer);
  else
    (void)snprintf(found, sizeof found, "%.*s", RILLE_STR_ARG(cell.as.text));
  assert_string_equal(found, value);
  sqlite->free(stmt);
}

static void
opens_as_carefully_as_it_can(void **state)
{
  char path[SPEC_PATH_BYTES];
  rille_conn *db;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  assert_ok(open_with((rille_open_options){ 0 }, path, &db, &fault), &fault);
  assert_pragma(db, "journal_mode", "wal");
  assert_pragma(db, "synchronous", "2");
  assert_pragma(db, "foreign_keys", "1");
  assert_pragma(db, "mmap_size", "0");
  contract_run_sql(db, "create table posts (id integer)");
  contract_run_sql(db, "pragma writable_schema = on");
  assert_int_not_equal(contract_try(db, "update sqlite_schema set sql = ''", NULL), RILLE_OK);
  sqlite->close(db);
}

static void
opens_as_it_is_told(void **state)
{
  static const rille_open_options options = {
    .journal_mode = { "delete", 6 },
    .synchronous = { "extra", 5 },
    .no_foreign_keys = true,
    .mmap_bytes = 1 << 20,
    .cache_kib = 512,
  };
  char path[SPEC_PATH_BYTES];
  rille_conn *db;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  assert_ok(open_with(options, path, &db, &fault), &fault);
  assert_pragma(db, "journal_mode", "delete");
  assert_pragma(db, "synchronous", "3");
  assert_pragma(db, "foreign_keys", "0");
  assert_pragma(db, "mmap_size", "1048576");
  assert_pragma(db, "cache_size", "-512");
  sqlite->close(db);
  db = open_path(":memory:");
  assert_pragma(db, "journal_mode", "memory");
  sqlite->close(db);
}

/* SQLite takes any word here and quietly does what is not meant. */
static void
refuses_words_that_mean_nothing(void **state)
{
  static const char *const words[] = { "ful", "off", "2", "full; drop table posts", "FULL", "banana", "full " };
  char path[SPEC_PATH_BYTES];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(words); i++) {
    spec_new_path(path);
    assert_no_open(RILLE_INVALID_ARGUMENT, (rille_open_options){ .synchronous = rille_str_of(words[i]) }, path,
                   "synchronous cannot be");
    if (strcmp(words[i], "off") != 0)
      assert_no_open(RILLE_INVALID_ARGUMENT, (rille_open_options){ .journal_mode = rille_str_of(words[i]) }, path,
                     "journal_mode cannot be");
  }
}

static void
writes_nothing_when_it_was_opened_for_reading(void **state)
{
  static const char *const writes[] = {
    "insert into posts values (2)", "update posts set id = 3", "delete from posts",
    "create table t (a)",           "drop table posts",        "pragma user_version = 7"
  };
  char path[SPEC_PATH_BYTES];
  rille_conn *db = NULL;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  db = open_path(path);
  contract_run_sql(db, "create table posts (id integer)");
  contract_run_sql(db, "insert into posts values (1)");
  sqlite->close(db);
  assert_ok(open_with((rille_open_options){ .readonly = true }, path, &db, &fault), &fault);
  for (size_t i = 0; i < SPEC_COUNT(writes); i++)
    assert_fails(RILLE_READONLY, contract_try(db, writes[i], &fault), &fault);
  assert_int_equal(contract_integer(db, "select sum(id) from posts"), 1);
  sqlite->close(db);
}

/* -- failures while it is open --------------------------------------------------------------------------- */

static void
says_that_the_disk_is_full_and_keeps_what_was_there(void **state)
{
  char path[SPEC_PATH_BYTES];
  rille_conn *db;
  rille_fault fault;

  (void)state;
  spec_new_path(path);
  db = open_path(path);
  contract_run_sql(db, "create table posts (body blob)");
  contract_run_sql(db, "insert into posts values (zeroblob(10))");
  contract_run_sql(db, "pragma max_page_count = 20");
  assert_fails(RILLE_DISK_FULL, contract_try(db, "insert into posts values (randomblob(100000))", &fault), &fault);
  assert_contains(fault.hint, "room");
  assert_ok(sqlite->begin(db, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(db, "insert into posts values (zeroblob(11))");
  assert_fails(RILLE_DISK_FULL, contract_try(db, "insert into posts values (randomblob(100000))", &fault), &fault);
  if (sqlite->in_transaction(db))
    assert_ok(sqlite->rollback(db, &fault), &fault);
  assert_int_equal(contract_integer(db, "select sum(length(body)) from posts"), 10);
  contract_run_sql(db, "insert into posts values (zeroblob(12))");
  sqlite->close(db);
  db = open_path(path);
  assert_int_equal(contract_integer(db, "select sum(length(body)) from posts"), 22);
  assert_pragma(db, "integrity_check", "ok");
  sqlite->close(db);
}

static void
keeps_the_transaction_when_a_commit_finds_the_file_busy(void **state)
{
  const rille_open_options options = { .journal_mode = rille_str_of("delete"), .synchronous = rille_str_of("normal") };
  char path[SPEC_PATH_BYTES];
  rille_conn *writer, *reader;
  rille_stmt *stmt;
  rille_fault fault;
  bool row;

  (void)state;
  spec_new_path(path);
  assert_ok(open_with(options, path, &writer, &fault), &fault);
  contract_run_sql(writer, "create table posts (id integer)");
  contract_run_sql(writer, "insert into posts values (1), (2)");
  assert_ok(open_with(options, path, &reader, &fault), &fault);
  stmt = contract_prepare(reader, "select id from posts");
  assert_ok(sqlite->step(stmt, &row, &fault), &fault);

  assert_ok(sqlite->begin(writer, RILLE_BEGIN_IMMEDIATE, &fault), &fault);
  contract_run_sql(writer, "insert into posts values (3)");
  assert_fails(RILLE_BUSY, sqlite->commit(writer, &fault), &fault);
  assert_true(sqlite->in_transaction(writer));
  sqlite->reset(stmt);
  assert_ok(sqlite->commit(writer, &fault), &fault);
  assert_int_equal(contract_integer(reader, "select count(*) from posts"), 3);
  sqlite->free(stmt);
  sqlite->close(reader);

  assert_ok(sqlite->begin(writer, RILLE_BEGIN_EXCLUSIVE, &fault), &fault);
  assert_no_open(RILLE_BUSY, options, path, "locked");
  sqlite->close(writer);
}

/* -- encodings ------------------------------------------------------------------------------------------- */

static void
assert_texts(rille_conn *db)
{
  static const char *const texts[] = { "plain", "", "\xC3\xA9\xE2\x82\xAC", "\xF0\x9F\x90\x98 and more" };
  rille_stmt *stmt = contract_prepare(db, "select title as \"\xC3\xBC\" from posts order by id");
  rille_cell cell;
  rille_fault fault;
  bool row;

  for (size_t i = 0; i < SPEC_COUNT(texts); i++) {
    assert_ok(sqlite->step(stmt, &row, &fault), &fault);
    assert_true(row);
    assert_ok(sqlite->row(stmt, &cell, &fault), &fault);
    assert_int_equal(cell.kind, RILLE_TEXT);
    assert_text(cell.as.text, texts[i]);
  }
  assert_text(sqlite->column_name(stmt, 0), "\xC3\xBC");
  assert_text(sqlite->column_declared(stmt, 0), "TEXT");
  sqlite->free(stmt);
}

static void
fill_with_texts(rille_conn *db)
{
  contract_run_sql(db, "create table posts (id integer primary key, title text)");
  contract_run_sql(
    db, "insert into posts (title) values ('plain'), (''), ('\xC3\xA9\xE2\x82\xAC'), ('\xF0\x9F\x90\x98 and more')");
}

static void
reads_databases_in_every_encoding(void **state)
{
  static const char *const encodings[] = { "UTF-8", "UTF-16le", "UTF-16be" };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(encodings); i++) {
    char path[SPEC_PATH_BYTES];
    rille_conn *db;

    spec_new_path(path);
    db = open_path(path); /* the encoding of an empty database is still open */
    contract_run_sql(db, "pragma encoding = '%s'", encodings[i]);
    fill_with_texts(db);
    assert_pragma(db, "encoding", encodings[i]);
    assert_texts(db);
    sqlite->close(db);
    db = open_path(path);
    assert_pragma(db, "encoding", encodings[i]);
    assert_texts(db);
    sqlite->close(db);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(says_that_a_file_cannot_be_opened),
    cmocka_unit_test(refuses_a_path_that_is_none),
    cmocka_unit_test(says_that_a_file_is_no_database),
    cmocka_unit_test(says_that_a_database_is_damaged),
    cmocka_unit_test(takes_every_path_for_a_path),
    cmocka_unit_test(opens_as_carefully_as_it_can),
    cmocka_unit_test(opens_as_it_is_told),
    cmocka_unit_test(refuses_words_that_mean_nothing),
    cmocka_unit_test(writes_nothing_when_it_was_opened_for_reading),
    cmocka_unit_test(says_that_the_disk_is_full_and_keeps_what_was_there),
    cmocka_unit_test(keeps_the_transaction_when_a_commit_finds_the_file_busy),
    cmocka_unit_test(reads_databases_in_every_encoding),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
