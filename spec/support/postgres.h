/* spec/support/postgres.h - a PostgreSQL server of this process's own, gone when it ends. */
#ifndef RILLE_SPEC_POSTGRES_H
#define RILLE_SPEC_POSTGRES_H

#include <stddef.h>

enum { SPEC_URL_BYTES = 400 };

/* The url of its database `rille`, whose owner may make databases and end connections; the server is started when
** first asked for. */
const char *spec_postgres_url(void);

/* The url of a new, empty schema in it, which is nobody else's. */
void spec_postgres_schema(char *url, size_t size);

/* Does what spec/support/postgres.sh knows as `verb`, with its arguments behind the folder: "kill", "0". */
void spec_postgres_do(const char *verb, const char *arguments);

/* Runs SQL as the superuser of the server, and returns the first line that comes of it (static text). */
const char *spec_postgres_sql(const char *sql);

#endif
