/* spec/fault/trial.h - the file that each trial starts from, and what somebody who knows nothing finds in it
** afterwards. */
#ifndef RILLE_SPEC_TRIAL_H
#define RILLE_SPEC_TRIAL_H

#include "core/run/connection.h"
#include "spec/support/spec.h"
#include "spec/support/temporary.h"

/* Where the trial's database is. */
extern char trial_path[SPEC_PATH_BYTES];

/* Runs statements (the last is followed by NULL) on the file that all trials start from. */
void trial_make_base(const char *const statements[]);

/* Puts a copy of that file at trial_path, and takes away what an earlier trial left there. */
void trial_fresh(void);

/* Opens the database at trial_path. */
rille_status trial_open(rille_connection **db, rille_fault *fault);

/* The one integer that a query gives to a fresh connection. */
int64_t trial_found(const char *sql);

/* SQLite finds nothing wrong with the file. */
void trial_assert_intact(void);

#endif
