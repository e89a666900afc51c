/* core/base/text.h - a piece of text that somebody else owns: pointer and bytes. */
#ifndef RILLE_TEXT_H
#define RILLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes; need not end in NUL.  `at` is NULL only for "no text". */
typedef struct rille_str {
  const char *at;
  size_t len;
} rille_str;

/* The text of a C string; no text for NULL. */
static inline rille_str
rille_str_of(const char *text)
{
  return (rille_str){ text, text != NULL ? strlen(text) : 0 };
}

/* True when both hold the same bytes. */
static inline bool
rille_str_equal(rille_str a, rille_str b)
{
  return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Below 0, 0 or above 0 as `a` comes before, with or after `b` in the order of their bytes. */
static inline int
rille_str_compare(rille_str a, rille_str b)
{
  size_t both = a.len < b.len ? a.len : b.len;
  int order = both > 0 ? memcmp(a.at, b.at, both) : 0;

  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* True when `a` holds the bytes of the C string `b`. */
static inline bool
rille_str_is(rille_str a, const char *b)
{
  return rille_str_equal(a, rille_str_of(b));
}

/* For "%.*s": a length that printf accepts. */
#define RILLE_STR_ARG(s) (int)((s).len > 200 ? 200 : (s).len), ((s).at != NULL ? (s).at : "")

#endif
