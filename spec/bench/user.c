/* spec/bench/user.c - reading users by hand, as post.c reads posts. */
#include "user.h"

#include <stdlib.h>

#include "post.h"

struct users
users_fetch(sqlite3 *db)
{
  sqlite3_stmt *stmt = bench_prepare(db, "select id, name, email, created_at, updated_at from users order by id");
  struct users users = { .at = bench_alloc(BENCH_USERS * sizeof *users.at) };

  while (bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW && users.length < BENCH_USERS) {
    struct user *user = &users.at[users.length++];

    user->id = sqlite3_column_int64(stmt, 0);
    user->name = column_copy(stmt, 1);
    user->email = column_copy(stmt, 2);
    user->created_at = column_copy(stmt, 3);
    user->updated_at = column_copy(stmt, 4);
  }
  sqlite3_finalize(stmt);
  return users;
}

void
users_release(struct users *users)
{
  for (size_t i = 0; i < users->length; i++) {
    free(users->at[i].name);
    free(users->at[i].email);
    free(users->at[i].created_at);
    free(users->at[i].updated_at);
  }
  free(users->at);
  *users = (struct users){ 0 };
}
