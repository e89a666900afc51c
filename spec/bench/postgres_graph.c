/* spec/bench/postgres_graph.c - users, their posts and the tags of these, read by three statements and linked. */
#include "postgres.h"

#include <stdlib.h>
#include <string.h>

struct tag {
  int64_t id;
  char *name;
};

struct link { /* a row in the list of the one that it belongs to */
  void *row;
  struct link *next;
};

struct user {
  int64_t id, created_at, updated_at;
  char *name, *email;
  struct link *first, **end;
};

struct graph_post {
  struct post post;
  struct link *first, **end;
};

/* An array of bigints in the server's binary form. */
static char *
array_of(size_t count, int64_t (*id_of)(const void *rows, size_t i), const void *from, int *length)
{
  char *array = room_for(20 + count * 12), *at = array;

  at = put4(put4(put4(at, 1), 0), 20); /* one dimension, no NULLs, of int8 */
  at = put4(put4(at, (int32_t)count), 1);
  for (size_t i = 0; i < count; i++)
    at = put8(put4(at, 8), id_of(from, i));
  *length = (int)(at - array);
  return array;
}

static int64_t
id_of_user(const void *users, size_t i)
{
  return ((const struct user *)users)[i].id;
}

static int64_t
id_of_post(const void *posts, size_t i)
{
  return ((const struct graph_post *)posts)[i].post.id;
}

static void
append(struct link **end[], void *row)
{
  struct link *link = room_for(sizeof *link);

  *link = (struct link){ .row = row };
  **end = link;
  *end = &link->next;
}

static PGresult *
ask_for(const char *name, const char *array, int length)
{
  return ask(name, 1, (const char *const[]){ array }, (const int[]){ length });
}

static void
walk(const struct user *users, int count)
{
  rows = count;
  for (int i = 0; i < count; i++) {
    sum = sum * 31 + (int64_t)strlen(users[i].name);
    for (const struct link *each = users[i].first; each != NULL; each = each->next) {
      const struct graph_post *post = each->row;

      rows++;
      sum = sum * 31 + (int64_t)strlen(post->post.title) + post->post.views;
      for (const struct link *of = post->first; of != NULL; of = of->next) {
        rows++;
        sum = sum * 31 + (int64_t)strlen(((const struct tag *)of->row)->name);
      }
    }
  }
}

/* Keys are small and dense here: an array finds rows by them.  Each statement is run once, so that what it takes to
** prepare it counts on both sides; what rille reads in the catalog when a table is first used does not. */
void
work_graph(void)
{
  static struct graph_post *post_of[POSTS + 1];
  static struct user *user_of[GRAPH_USERS + 1];
  static struct tag *tag_of[1001];
  struct user *users;
  struct graph_post *posts;
  PGresult *result;
  char *array;
  int length, user_count, post_count;

  start();
  prepare("users", "select id, name, email, created_at, updated_at from users where id <= 1000 order by id");
  prepare("posts", "select " COLUMNS " from posts where author_id = any($1::bigint[]) order by id");
  prepare("tags", "select tags.id, tags.name, post_tags.post_id from tags join post_tags on post_tags.tag_id = tags.id "
                  "where post_tags.post_id = any($1::bigint[]) order by post_tags.post_id, tags.id");
  result = ask("users", 0, NULL, NULL);
  user_count = PQntuples(result);
  users = room_for((size_t)user_count * sizeof *users);
  for (int i = 0; i < user_count; i++) {
    users[i] = (struct user){ .id = eight(result, i, 0),
                              .name = copy(result, i, 1),
                              .email = copy(result, i, 2),
                              .created_at = eight(result, i, 3),
                              .updated_at = eight(result, i, 4) };
    users[i].end = &users[i].first;
    user_of[users[i].id] = &users[i];
  }
  PQclear(result);
  array = array_of((size_t)user_count, id_of_user, users, &length);
  result = ask_for("posts", array, length);
  free(array);
  post_count = PQntuples(result);
  posts = room_for((size_t)post_count * sizeof *posts);
  for (int i = 0; i < post_count; i++) {
    posts[i].first = NULL;
    posts[i].end = &posts[i].first;
    read_post(&posts[i].post, result, i);
    post_of[posts[i].post.id] = &posts[i];
    append(&user_of[posts[i].post.author_id]->end, &posts[i]);
  }
  PQclear(result);
  array = array_of((size_t)post_count, id_of_post, posts, &length);
  result = ask_for("tags", array, length);
  free(array);
  for (int i = 0; i < PQntuples(result); i++) {
    int64_t id = eight(result, i, 0);

    if (tag_of[id] == NULL) {
      tag_of[id] = room_for(sizeof *tag_of[id]);
      *tag_of[id] = (struct tag){ .id = id, .name = copy(result, i, 1) };
    }
    append(&post_of[eight(result, i, 2)]->end, tag_of[id]);
  }
  PQclear(result);
  walk(users, user_count);
  stop();
}
