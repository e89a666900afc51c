/* spec/bench/post.c - reading and writing posts by hand: one malloc a text, as most C programs do it. */
#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sqlite3_stmt *
posts_prepare(sqlite3 *db, const char *rest)
{
  char sql[512];

  snprintf(sql, sizeof sql, "select id, author_id, title, body, status, views, created_at, updated_at from posts %s",
           rest);
  return bench_prepare(db, sql);
}

char *
column_copy(sqlite3_stmt *stmt, int column)
{
  const unsigned char *text = sqlite3_column_text(stmt, column);
  size_t bytes = (size_t)sqlite3_column_bytes(stmt, column);
  char *copy;

  if (text == NULL)
    return NULL;
  copy = bench_alloc(bytes + 1);
  memcpy(copy, text, bytes + 1);
  return copy;
}

void
post_read(struct post *post, sqlite3_stmt *stmt)
{
  post->id = sqlite3_column_int64(stmt, 0);
  post->author_id = sqlite3_column_int64(stmt, 1);
  post->title = column_copy(stmt, 2);
  post->body = column_copy(stmt, 3);
  post->status = column_copy(stmt, 4);
  post->views = sqlite3_column_int64(stmt, 5);
  post->created_at = column_copy(stmt, 6);
  post->updated_at = column_copy(stmt, 7);
}

void
post_release(struct post *post)
{
  free(post->title);
  free(post->body);
  free(post->status);
  free(post->created_at);
  free(post->updated_at);
}

bool
post_find(sqlite3 *db, sqlite3_stmt *stmt, int64_t id, struct post *post)
{
  bool found;

  sqlite3_bind_int64(stmt, 1, id);
  found = bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW;
  if (found)
    post_read(post, stmt);
  sqlite3_reset(stmt);
  return found;
}

void
posts_fetch(struct posts *list, sqlite3 *db, sqlite3_stmt *stmt)
{
  while (bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW) {
    if (list->length == list->room) {
      list->room = list->room == 0 ? 16 : list->room * 2;
      list->at = realloc(list->at, list->room * sizeof *list->at);
      if (list->at == NULL)
        bench_die("realloc", "no memory");
    }
    post_read(&list->at[list->length++], stmt);
  }
  sqlite3_reset(stmt);
}

void
posts_release(struct posts *list)
{
  for (size_t i = 0; i < list->length; i++)
    post_release(&list->at[i]);
  free(list->at);
  *list = (struct posts){ 0 };
}

sqlite3_stmt *
post_prepare_insert(sqlite3 *db)
{
  return bench_prepare(db, "insert into posts (author_id, title, body, status, views, created_at, updated_at) "
                           "values (?, ?, ?, ?, ?, ?, ?)");
}

void
post_insert(sqlite3 *db, sqlite3_stmt *stmt, struct post *post)
{
  sqlite3_bind_int64(stmt, 1, post->author_id);
  sqlite3_bind_text(stmt, 2, post->title, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 3, post->body, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 4, post->status, -1, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 5, post->views);
  sqlite3_bind_text(stmt, 6, post->created_at, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 7, post->updated_at, -1, SQLITE_STATIC);
  bench_check(db, sqlite3_step(stmt));
  bench_check(db, sqlite3_reset(stmt));
  post->id = sqlite3_last_insert_rowid(db);
}
