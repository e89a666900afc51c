/* spec/driver/contract.c - runs the areas, and what their cases share. */
#include "spec/driver/contract.h"

#include <stdio.h>

const contract_subject *contract;
rille_conn *contract_db;
static char database[400];

int
contract_run(const contract_subject *subject)
{
  contract = subject;
  return contract_statements() + contract_values() + contract_transactions() + contract_constraints() +
         contract_streams();
}

static rille_conn *
connect_to(const char *name, int busy_timeout_ms)
{
  rille_open_options options = { .busy_timeout_ms = busy_timeout_ms, .synchronous = rille_str_of("normal") };
  rille_conn *db = NULL;
  rille_fault fault;

  if (contract->server)
    options.url = rille_str_of(name);
  else
    options.database = rille_str_of(name);
  assert_ok(contract->driver->open(&options, &db, &fault), &fault);
  assert_ptr_equal(db->driver, contract->driver);
  return db;
}

rille_conn *
contract_connect(int busy_timeout_ms)
{
  return connect_to(database, busy_timeout_ms);
}

rille_conn *
contract_connect_new(void)
{
  char name[sizeof database];

  contract->new_database(name, sizeof name);
  return connect_to(name, 0);
}

int
contract_open(void **state)
{
  (void)state;
  contract->new_database(database, sizeof database);
  contract_db = contract_connect(0);
  return 0;
}

int
contract_close(void **state)
{
  (void)state;
  contract->driver->close(contract_db);
  contract_db = NULL;
  return 0;
}

/* The text as the database wants it: $1, $2 for each ? outside of quotes. */
static rille_str
with_parameters(const char *sql, char *room, size_t size)
{
  size_t len = 0;
  int count = 0;
  bool quoted = false;

  if (contract == NULL || !contract->numbered) /* a test of one database alone has no subject */
    return rille_str_of(sql);
  for (; *sql != '\0' && len + 8 < size; sql++) {
    quoted = quoted != (*sql == '\'');
    if (*sql == '?' && !quoted)
      len += (size_t)snprintf(room + len, size - len, "$%d", ++count);
    else
      room[len++] = *sql;
  }
  return (rille_str){ room, len };
}

rille_status
contract_try(rille_conn *db, const char *sql, rille_fault *fault)
{
  rille_stmt *stmt = NULL;
  bool row = true;
  char room[2000];
  rille_status status = db->driver->prepare(db, with_parameters(sql, room, sizeof room), &stmt, fault);

  while (status == RILLE_OK && row)
    status = db->driver->step(stmt, &row, fault);
  db->driver->free(stmt);
  return status;
}

void
contract_run_sql(rille_conn *db, const char *format, ...)
{
  char sql[1000];
  va_list args;
  rille_fault fault;

  va_start(args, format);
  (void)vsnprintf(sql, sizeof sql, format, args);
  va_end(args);
  assert_ok(contract_try(db, sql, &fault), &fault);
}

rille_stmt *
contract_prepare(rille_conn *db, const char *sql)
{
  rille_stmt *stmt = NULL;
  rille_fault fault;
  char room[4000];

  assert_ok(db->driver->prepare(db, with_parameters(sql, room, sizeof room), &stmt, &fault), &fault);
  assert_ptr_equal(stmt->driver, db->driver);
  return stmt;
}

int64_t
contract_integer(rille_conn *db, const char *sql)
{
  rille_stmt *stmt = contract_prepare(db, sql);
  rille_cell cell;
  rille_fault fault;
  bool row;

  assert_int_equal(db->driver->column_count(stmt), 1);
  assert_ok(db->driver->step(stmt, &row, &fault), &fault);
  assert_true(row);
  assert_ok(db->driver->row(stmt, &cell, &fault), &fault);
  assert_int_equal(cell.kind, RILLE_INT);
  db->driver->free(stmt);
  return cell.as.integer;
}
