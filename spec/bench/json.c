/* spec/bench/json.c - a tree of jansson's values, made as its manual does: each value is given to what holds it. */
#include "json.h"

#include <string.h>

static json_t *
user_json(const struct user *user)
{
  json_t *object = json_object();

  json_object_set_new(object, "id", json_integer(user->id));
  json_object_set_new(object, "name", json_string(user->name));
  json_object_set_new(object, "email", json_string(user->email));
  json_object_set_new(object, "created_at", json_string(user->created_at));
  json_object_set_new(object, "updated_at", json_string(user->updated_at));
  return object;
}

json_t *
posts_json(const struct posts *posts, const struct users *users)
{
  json_t *array = json_array();

  for (size_t i = 0; i < posts->length; i++) {
    const struct post *post = &posts->at[i];
    json_t *object = json_object();

    json_object_set_new(object, "id", json_integer(post->id));
    json_object_set_new(object, "author_id", json_integer(post->author_id));
    json_object_set_new(object, "title", json_string(post->title));
    json_object_set_new(object, "body", json_string(post->body));
    json_object_set_new(object, "status", json_string(post->status));
    json_object_set_new(object, "views", json_integer(post->views));
    json_object_set_new(object, "created_at", json_string(post->created_at));
    json_object_set_new(object, "updated_at", json_string(post->updated_at));
    json_object_set_new(object, "author", user_json(&users->at[post->author_id - 1]));
    if (json_array_append_new(array, object) != 0)
      bench_die("jansson", "no memory");
  }
  return array;
}

uint64_t
json_checksum(const char *text, size_t bytes)
{
  uint64_t sum = bytes;

  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;

    memcpy(&word, text + i, bytes - i < sizeof word ? bytes - i : sizeof word);
    sum = (sum ^ word) * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  }
  return sum;
}
