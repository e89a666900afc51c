/* spec/bench/second.c - the works of the second table by hand: a graph of records, linked as a C program links them.
** (`hooked` is `create` of raw.c: what its hooks and rules do in Lua is nothing that C would be asked to do.)  Rows
** are copied whole, as elsewhere; a row that several others refer to is one struct, and they point to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "post.h"
#include "user.h"
#include "works.h"

struct tag {
  int64_t id;
  char *name, *slug;
};

/* Pointers to what somebody else frees, or to what is freed by hand. */
struct list {
  void **at;
  size_t length, room;
};

/* From a key to a pointer: open addressing, `room` a power of two, at most half of it in use. */
struct map {
  struct {
    int64_t key;
    void *value; /* NULL: free */
  } * at;
  size_t used, room;
};

struct graph {
  struct users users;
  struct posts posts;
  struct list tags;      /* of struct tag */
  struct list *posts_of; /* of struct post, for each of `users` */
  struct list *tags_of;  /* of struct tag, for each of `posts` */
};

static void
list_add(struct list *list, void *item)
{
  if (list->length == list->room) {
    list->room = list->room == 0 ? 4 : list->room * 2;
    list->at = realloc(list->at, list->room * sizeof *list->at);
    if (list->at == NULL)
      bench_die("realloc", "no memory");
  }
  list->at[list->length++] = item;
}

static struct list *
lists_new(size_t count)
{
  struct list *lists = bench_alloc(count * sizeof *lists);

  memset(lists, 0, count * sizeof *lists);
  return lists;
}

static void
lists_free(struct list *lists, size_t count)
{
  for (size_t i = 0; i < count; i++)
    free(lists[i].at);
  free(lists);
}

static struct map
map_new(size_t room)
{
  struct map map = { .at = calloc(room, sizeof *map.at), .room = room };

  if (map.at == NULL)
    bench_die("calloc", "no memory");
  return map;
}

/* Where `key` is, or where it belongs. */
static size_t
map_place(const struct map *map, int64_t key)
{
  size_t place = (size_t)(((uint64_t)key * UINT64_C(11400714819323198485)) >> 20) & (map->room - 1);

  while (map->at[place].value != NULL && map->at[place].key != key)
    place = (place + 1) & (map->room - 1);
  return place;
}

static void *
map_get(const struct map *map, int64_t key)
{
  return map->at[map_place(map, key)].value;
}

static void
map_set(struct map *map, int64_t key, void *value)
{
  size_t place;

  if (map->used * 2 >= map->room) {
    struct map larger = map_new(map->room * 2);

    for (size_t i = 0; i < map->room; i++) {
      if (map->at[i].value != NULL)
        map_set(&larger, map->at[i].key, map->at[i].value);
    }
    free(map->at);
    *map = larger;
  }
  place = map_place(map, key);
  map->used += map->at[place].value == NULL;
  map->at[place].key = key;
  map->at[place].value = value;
}

/* A statement that ends in a list of `count` parameters. */
static sqlite3_stmt *
prepare_in(sqlite3 *db, const char *before, size_t count)
{
  size_t length = strlen(before);
  char *sql = bench_alloc(length + 3 * count + 2), *end = sql + length;
  sqlite3_stmt *stmt;

  memcpy(sql, before, length);
  *end++ = '(';
  for (size_t i = 0; i < count; i++) {
    memcpy(end, "?, ", 3);
    end += 3;
  }
  memcpy(end - 2, ")", 2);
  stmt = bench_prepare(db, sql);
  free(sql);
  return stmt;
}

/* The posts of all users, each in the list of its author. */
static void
fetch_posts(sqlite3 *db, struct graph *graph)
{
  sqlite3_stmt *stmt = prepare_in(db,
                                  "select id, author_id, title, body, status, views, created_at, updated_at from posts "
                                  "where author_id in ",
                                  graph->users.length);
  struct map map = map_new(16);

  graph->posts_of = lists_new(graph->users.length);
  for (size_t i = 0; i < graph->users.length; i++) {
    map_set(&map, graph->users.at[i].id, &graph->posts_of[i]);
    sqlite3_bind_int64(stmt, (int)i + 1, graph->users.at[i].id);
  }
  posts_fetch(&graph->posts, db, stmt);
  for (size_t i = 0; i < graph->posts.length; i++)
    list_add(map_get(&map, graph->posts.at[i].author_id), &graph->posts.at[i]);
  free(map.at);
  sqlite3_finalize(stmt);
}

static struct tag *
tag_copy(sqlite3_stmt *stmt)
{
  struct tag *tag = bench_alloc(sizeof *tag);

  tag->id = sqlite3_column_int64(stmt, 0);
  tag->name = column_copy(stmt, 1);
  tag->slug = column_copy(stmt, 2);
  return tag;
}

/* The tags of all posts, each in the lists of those that have it, and copied when it comes first. */
static void
fetch_tags(sqlite3 *db, struct graph *graph)
{
  sqlite3_stmt *stmt = prepare_in(db,
                                  "select tags.id, tags.name, tags.slug, post_tags.post_id from tags "
                                  "join post_tags on post_tags.tag_id = tags.id where post_tags.post_id in ",
                                  graph->posts.length);
  struct map posts = map_new(16), tags = map_new(16);

  graph->tags_of = lists_new(graph->posts.length);
  for (size_t i = 0; i < graph->posts.length; i++) {
    map_set(&posts, graph->posts.at[i].id, &graph->tags_of[i]);
    sqlite3_bind_int64(stmt, (int)i + 1, graph->posts.at[i].id);
  }
  while (bench_check(db, sqlite3_step(stmt)) == SQLITE_ROW) {
    int64_t id = sqlite3_column_int64(stmt, 0);
    struct tag *tag = map_get(&tags, id);

    if (tag == NULL) {
      tag = tag_copy(stmt);
      map_set(&tags, id, tag);
      list_add(&graph->tags, tag);
    }
    list_add(map_get(&posts, sqlite3_column_int64(stmt, 3)), tag);
  }
  free(posts.at);
  free(tags.at);
  sqlite3_finalize(stmt);
}

/* Each user, each post of the user, each tag of the post: what was read, in a sum that knows the order. */
static void
graph_walk(const struct graph *graph, struct bench_outcome *out)
{
  uint64_t sum = 0;

  for (size_t u = 0; u < graph->users.length; u++) {
    const struct list *posts = &graph->posts_of[u];

    sum = sum * 31 + strlen(graph->users.at[u].name);
    for (size_t p = 0; p < posts->length; p++) {
      const struct post *post = posts->at[p];
      const struct list *tags = &graph->tags_of[post - graph->posts.at];

      sum = sum * 31 + strlen(post->title) + (uint64_t)post->views;
      for (size_t t = 0; t < tags->length; t++)
        sum = sum * 31 + strlen(((const struct tag *)tags->at[t])->name);
      out->rows += (int64_t)tags->length;
    }
    out->rows += (int64_t)posts->length;
  }
  out->rows += (int64_t)graph->users.length;
  out->sum = (int64_t)sum;
}

static void
graph_release(struct graph *graph)
{
  for (size_t i = 0; i < graph->tags.length; i++) {
    struct tag *tag = graph->tags.at[i];

    free(tag->name);
    free(tag->slug);
    free(tag);
  }
  free(graph->tags.at);
  lists_free(graph->tags_of, graph->posts.length);
  lists_free(graph->posts_of, graph->users.length);
  posts_release(&graph->posts);
  users_release(&graph->users);
}

void
bench_work_graph(sqlite3 *db, struct bench_outcome *out)
{
  sqlite3_stmt *stmt = posts_prepare(db, "");
  struct graph graph = { 0 };

  bench_warm(db, stmt);
  bench_clock_start(out);
  graph.users = users_fetch(db);
  fetch_posts(db, &graph);
  fetch_tags(db, &graph);
  graph_walk(&graph, out);
  bench_clock_stop(out);
  graph_release(&graph);
  sqlite3_finalize(stmt);
}
