/* spec/bench/post.h - a row of posts as a C program keeps it: a struct whose texts are copies of its own. */
#ifndef SPEC_BENCH_POST_H
#define SPEC_BENCH_POST_H

#include <stdbool.h>

#include "common.h"

struct post {
  int64_t id, author_id, views;
  char *title, *body, *status, *created_at, *updated_at;
};

struct posts {
  struct post *at;
  size_t length, room;
};

/* "select COLUMNS from posts REST", for post_read; the caller's to finalize. */
sqlite3_stmt *posts_prepare(sqlite3 *db, const char *rest);

/* A copy of the text of a column, the caller's to free; NULL for NULL. */
char *column_copy(sqlite3_stmt *stmt, int column);

/* Copies the row that `stmt` stands on; post_release frees the texts, not the struct. */
void post_read(struct post *post, sqlite3_stmt *stmt);
void post_release(struct post *post);

/* The post of that key, copied; false when there is none.  `stmt` ends in "where id = ?". */
bool post_find(sqlite3 *db, sqlite3_stmt *stmt, int64_t id, struct post *post);

/* All rows that `stmt` still gives, copied to the end of the list; the statement is reset. */
void posts_fetch(struct posts *list, sqlite3 *db, sqlite3_stmt *stmt);
void posts_release(struct posts *list);

/* Inserts everything but the id and notes the id that came out.  `stmt` borrows the texts until it is bound anew. */
sqlite3_stmt *post_prepare_insert(sqlite3 *db);
void post_insert(sqlite3 *db, sqlite3_stmt *stmt, struct post *post);

#endif
