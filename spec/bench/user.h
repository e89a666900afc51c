/* spec/bench/user.h - all users as a C program keeps them: structs whose texts are copies of their own. */
#ifndef SPEC_BENCH_USER_H
#define SPEC_BENCH_USER_H

#include "common.h"

struct user {
  int64_t id;
  char *name, *email, *created_at, *updated_at;
};

/* All users, copied, in the order of their ids, which are 1 to `length`. */
struct users {
  struct user *at;
  size_t length;
};

struct users users_fetch(sqlite3 *db);
void users_release(struct users *users);

#endif
