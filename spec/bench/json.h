/* spec/bench/json.h - posts with their authors as JSON, by the library that C programs write it with. */
#ifndef SPEC_BENCH_JSON_H
#define SPEC_BENCH_JSON_H

#include <jansson.h>

#include "post.h"
#include "user.h"

/* The array of the posts, each with its author inside; the caller's to drop. */
json_t *posts_json(const struct posts *posts, const struct users *users);

/* A number that two texts share only when they are the same, as far as one can tell; rille.lua has the same one. */
uint64_t json_checksum(const char *text, size_t bytes);

#endif
