/* spec/support/postgres.c - has postgres.sh do the work; programs run in the root of the project. */
#include "spec/support/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[200], url[SPEC_URL_BYTES];
static pid_t owner;

/* The first line that a command prints. */
static const char *
first_line(const char *command)
{
  static char line[SPEC_URL_BYTES + 40];
  FILE *pipe = popen(command, "r");
  char rest[400];

  line[0] = '\0';
  if (pipe == NULL || fgets(line, sizeof line, pipe) == NULL)
    line[0] = '\0';
  while (pipe != NULL && fgets(rest, sizeof rest, pipe) != NULL)
    continue;
  if (pipe == NULL || pclose(pipe) != 0) {
    (void)fprintf(stderr, "failed: %s\n", command);
    exit(1);
  }
  line[strcspn(line, "\n")] = '\0';
  return line;
}

void
spec_postgres_do(const char *verb, const char *arguments)
{
  char command[500];

  (void)spec_postgres_url();
  (void)snprintf(command, sizeof command, "sh spec/support/postgres.sh %s %s %s", verb, folder, arguments);
  (void)first_line(command);
}

static void
destroy(void)
{
  if (getpid() == owner)
    spec_postgres_do("destroy", "");
}

const char *
spec_postgres_url(void)
{
  const char *parent = getenv("RILLE_SPEC_SERVERS"), *line;
  char command[300];

  if (url[0] != '\0')
    return url;
  (void)snprintf(folder, sizeof folder, "%s/rille-pg-XXXXXX", parent != NULL ? parent : "/tmp");
  if (mkdtemp(folder) == NULL) {
    perror(folder);
    exit(1);
  }
  owner = getpid();
  (void)snprintf(command, sizeof command, "sh spec/support/postgres.sh start %s 0 %ld", folder, (long)owner);
  line = first_line(command); /* PG_URL='…' */
  if (strncmp(line, "PG_URL='", 8) != 0 || strlen(line) < 10) {
    (void)fprintf(stderr, "%s said: %s\n", command, line);
    exit(1);
  }
  (void)snprintf(url, sizeof url, "%.*s", (int)strlen(line) - 9, line + 8);
  (void)atexit(destroy);
  return url;
}

const char *
spec_postgres_sql(const char *sql)
{
  char command[2000];

  (void)spec_postgres_url();
  (void)snprintf(command, sizeof command,
                 "psql -X -qAt -v ON_ERROR_STOP=1 -d 'postgresql://postgres@/rille?host=%s/s&port=5400' -c \"%s\"",
                 folder, sql);
  return first_line(command);
}

void
spec_postgres_schema(char *to, size_t size)
{
  static int count;
  char sql[100];

  (void)snprintf(sql, sizeof sql, "create schema spec_%d authorization rille", ++count);
  (void)spec_postgres_sql(sql);
  (void)snprintf(to, size, "%s&options=-csearch_path%%3Dspec_%d", spec_postgres_url(), count);
}
