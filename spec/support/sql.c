/* spec/support/sql.c - compiles a tree and tries the text on SQLite. */
#include "spec/support/sql.h"

#include <sqlite3.h>
#include <stdio.h>

#include "core/driver/sqlite_function.h"
#include "core/query/resolve.h"
#include "spec/support/build.h"
#include "spec/support/spec.h"

rille_status
spec_compile_for(const rille_dialect *dialect, rille_query *query, rille_compiled *compiled, rille_fault *fault)
{
  rille_status status = rille_resolve(query, fault);

  return status == RILLE_OK ? rille_compile(query, dialect, build_arena(), compiled, fault) : status;
}

rille_status
spec_compile(rille_query *query, rille_compiled *compiled, rille_fault *fault)
{
  return spec_compile_for(&rille_dialect_sqlite, query, compiled, fault);
}

void
spec_sql_postgres(rille_query *query, const char *sql, const char *params, const char *file, int line)
{
  rille_compiled compiled;
  rille_buffer found;
  rille_fault fault;

  spec_status(RILLE_OK, spec_compile_for(&rille_dialect_postgres, query, &compiled, &fault), &fault, "compile", file,
              line);
  spec_text(compiled.sql, sql, file, line);
  rille_buffer_init(&found, 100000);
  for (size_t i = 0; i < compiled.param_count; i++) {
    rille_buffer_format(&found, i > 0 ? " %u" : "%u", compiled.params[i].slot);
    if (compiled.params[i].form != RILLE_PARAM_PLAIN)
      rille_buffer_byte(&found, "?gljxa"[compiled.params[i].form]);
  }
  spec_text(rille_buffer_str(&found), params, file, line);
  rille_buffer_release(&found);
}

/* Prepares the text; returns how many parameters it has, or -1 with SQLite's message in `why`. */
static int
prepare(rille_str sql, char *why, size_t size)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;
  int count = -1;

  (void)sqlite3_open(":memory:", &db);
  (void)rille_sqlite_add_functions(db);
  for (const char *const *ddl = build_ddl; *ddl != NULL; ddl++)
    if (sqlite3_exec(db, *ddl, NULL, NULL, NULL) != SQLITE_OK)
      print_error("%s: %s\n", *ddl, sqlite3_errmsg(db));
  if (sqlite3_prepare_v2(db, sql.at, (int)sql.len, &stmt, NULL) == SQLITE_OK)
    count = sqlite3_bind_parameter_count(stmt);
  else
    (void)snprintf(why, size, "%s", sqlite3_errmsg(db));
  (void)sqlite3_finalize(stmt);
  (void)sqlite3_close(db);
  return count;
}

void
spec_sql(rille_query *query, const char *sql, const char *slots, const char *file, int line)
{
  rille_compiled compiled;
  rille_buffer found;
  rille_fault fault;
  char why[200] = "";
  int count;

  spec_status(RILLE_OK, spec_compile(query, &compiled, &fault), &fault, "compile", file, line);
  spec_text(compiled.sql, sql, file, line);
  rille_buffer_init(&found, 100000);
  for (size_t i = 0; i < compiled.param_count; i++)
    rille_buffer_format(&found, i > 0 ? " %u" : "%u", compiled.params[i].slot);
  spec_text(rille_buffer_str(&found), slots, file, line);
  rille_buffer_release(&found);
  count = prepare(compiled.sql, why, sizeof why);
  if (count != (int)compiled.param_count) {
    print_error("%s\n%zu parameters here, %d in SQLite %s\n", sql, compiled.param_count, count, why);
    _fail(file, line);
  }
}
