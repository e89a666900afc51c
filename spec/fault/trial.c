/* spec/fault/trial.c - copies the base file, and opens what came of it. */
#include "spec/fault/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "spec/support/driver.h"

char trial_path[SPEC_PATH_BYTES];
static char base[SPEC_PATH_BYTES];

void
trial_make_base(const char *const statements[])
{
  rille_connection *db;
  rille_fault fault;

  if (base[0] == '\0') {
    if (access("/dev/shm", W_OK) == 0) /* it is memory that fails here: thousands of trials need not wait for a disk */
      (void)setenv("TMPDIR", "/dev/shm", 0);
    spec_new_path(base);
  }
  if (trial_path[0] == '\0')
    spec_new_path(trial_path);
  db = spec_connect(base);
  for (; *statements != NULL; statements++)
    assert_ok(spec_run(db, *statements, &fault), &fault);
  rille_connection_close(db);
}

void
trial_fresh(void)
{
  static const char *const tails[] = { "-wal", "-shm", "-journal" };

  for (size_t i = 0; i < SPEC_COUNT(tails); i++) {
    char name[SPEC_PATH_BYTES + 10];

    (void)snprintf(name, sizeof name, "%s%s", trial_path, tails[i]);
    (void)unlink(name);
  }
  spec_copy_file(base, trial_path);
}

rille_status
trial_open(rille_connection **db, rille_fault *fault)
{
  const rille_open_options options = { .database = rille_str_of(trial_path),
                                       .synchronous = rille_str_of("normal"),
                                       .busy_timeout_ms = 100 };

  *db = NULL;
  return rille_connection_open(&rille_driver_sqlite, &options, db, fault);
}

int64_t
trial_found(const char *sql)
{
  rille_connection *db;
  int64_t found;
  rille_fault fault;

  assert_ok(trial_open(&db, &fault), &fault);
  found = spec_integer(db, sql);
  rille_connection_close(db);
  return found;
}

void
trial_assert_intact(void)
{
  assert_int_equal(trial_found("select count(*) from pragma_integrity_check where integrity_check <> 'ok'"), 0);
}
