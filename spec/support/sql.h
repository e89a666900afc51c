/* spec/support/sql.h - what a tree becomes: compared with the SQL that is expected, and shown to SQLite. */
#ifndef RILLE_SPEC_SQL_H
#define RILLE_SPEC_SQL_H

#include "core/query/compile.h"

/* The tree resolves and compiles to `sql`; its parameters take the slots in the text `slots` ("0 1"); SQLite
** prepares it against the tables of build.h and counts as many parameters. */
#define assert_sql(query, sql, slots) spec_sql((query), (sql), (slots), __FILE__, __LINE__)

void spec_sql(rille_query *query, const char *sql, const char *slots, const char *file, int line);

/* The same in PostgreSQL's dialect, and shown to nobody; `params` says the slot of each parameter, and behind it which
** form: g(lob), l(ike), j(son), a(rray). */
#define assert_postgres(query, sql, params) spec_sql_postgres((query), (sql), (params), __FILE__, __LINE__)

void spec_sql_postgres(rille_query *query, const char *sql, const char *params, const char *file, int line);

/* Resolves and compiles for a dialect; the result lives until build_end. */
rille_status spec_compile_for(const rille_dialect *dialect, rille_query *query, rille_compiled *compiled,
                              rille_fault *fault);

/* The same for SQLite's. */
rille_status spec_compile(rille_query *query, rille_compiled *compiled, rille_fault *fault);

#endif
