/* core/driver/postgres_scan.c - passes over what is quoted as PostgreSQL does, and looks at the words between. */
#include "core/driver/postgres_scan.h"

#include <stdlib.h>
#include <strings.h>

static bool
is_blank(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool
starts_word(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool
in_word(char c)
{
  return starts_word(c) || is_digit(c) || c == '$';
}

/* What stands behind the quote that ends the text beginning at `at`.  Two quotes are one; behind a backslash anything
** is itself where `escapes` says so. */
static const char *
past_quoted(const char *at, const char *end, bool escapes)
{
  char quote = *at++;

  while (at < end) {
    if (escapes && *at == '\\' && at + 1 < end) {
      at += 2;
    } else if (*at == quote) {
      at++;
      if (at == end || *at != quote)
        return at;
      at++;
    } else {
      at++;
    }
  }
  return end;
}

/* Comments in comments are counted. */
static const char *
past_comment(const char *at, const char *end)
{
  size_t depth = 0;

  do {
    if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
      depth++;
      at += 2;
    } else if (end - at >= 2 && at[0] == '*' && at[1] == '/') {
      depth--;
      at += 2;
    } else {
      at++;
    }
  } while (depth > 0 && at < end);
  return at;
}

static const char *
past_line(const char *at, const char *end)
{
  while (at < end && *at != '\n')
    at++;
  return at;
}

/* $tag$ ... $tag$, with any tag or none; NULL when no such text begins here. */
static const char *
past_dollars(const char *at, const char *end)
{
  const char *tag = at++;
  size_t len;

  if (at < end && is_digit(*at))
    return NULL;
  while (at < end && in_word(*at) && *at != '$')
    at++;
  if (at == end || *at != '$')
    return NULL;
  len = (size_t)(++at - tag);
  for (; (size_t)(end - at) >= len; at++)
    if (memcmp(at, tag, len) == 0)
      return at + len;
  return end;
}

static bool
is_one_of(rille_str word, const char *const words[])
{
  for (; *words != NULL; words++)
    if (word.len == strlen(*words) && strncasecmp(word.at, *words, word.len) == 0)
      return true;
  return false;
}

/* The first word says most of it; a query may hold statements that write, or take locks on rows. */
static void
take_word(rille_postgres_scan *scan, rille_str word, bool first)
{
  static const char *const reading[] = { "select", "values", "table", "with", "show", "explain", NULL };
  static const char *const querying[] = { "select", "values", "table", "with", NULL };
  static const char *const neither[] = { "begin",    "start",     "commit",     "end",     "rollback",
                                         "abort",    "savepoint", "release",    "set",     "reset",
                                         "fetch",    "move",      "close",      "declare", "listen",
                                         "unlisten", "discard",   "deallocate", NULL };
  static const char *const writing[] = { "insert", "update", "delete", "merge", "into", "share", NULL };
  static const char *const deferring[] = { "synchronous_commit", "set_config", NULL };
  static const char *const calling[] = { "do", "call", NULL };
  static const char *const copy[] = { "copy", NULL }, *const client[] = { "stdin", "stdout", NULL };

  if (first) {
    scan->writes = !is_one_of(word, reading) && !is_one_of(word, neither);
    scan->queries = is_one_of(word, querying);
    scan->copies = is_one_of(word, copy);
    scan->defers = is_one_of(word, calling);
  } else {
    scan->writes = scan->writes || is_one_of(word, writing);
    scan->copies = scan->copies && !is_one_of(word, client);
    scan->defers = scan->defers || is_one_of(word, deferring);
  }
}

rille_postgres_scan
rille_postgres_scan_text(rille_str sql)
{
  rille_postgres_scan scan = { .empty = true };
  const char *at = sql.at, *end = sql.at + sql.len;
  bool ended = false, led = false, copy = false, word_seen = false;

  while (at < end) {
    const char *from = at;

    if (is_blank(*at)) {
      at++;
      continue;
    }
    if (end - at >= 2 && at[0] == '-' && at[1] == '-') {
      at = past_line(at, end);
      continue;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
      at = past_comment(at, end);
      continue;
    }
    if (*at == ';') {
      ended = ended || !scan.empty;
      led = led || scan.empty;
      at++;
      continue;
    }
    scan.several = scan.several || ended;
    scan.empty = false;
    if (starts_word(*at)) {
      while (at < end && in_word(*at))
        at++;
      if (at - from == 1 && (*from == 'e' || *from == 'E') && at < end && *at == '\'')
        at = past_quoted(at, end, true);
      else
        take_word(&scan, (rille_str){ from, (size_t)(at - from) }, !word_seen);
      copy = copy || (!word_seen && scan.copies);
      word_seen = true;
    } else if (*at == '\'' || *at == '"') {
      at = past_quoted(at, end, false);
    } else if (*at == '$' && past_dollars(at, end) != NULL) {
      at = past_dollars(at, end);
    } else if (*at == '$' && at + 1 < end && is_digit(at[1])) {
      unsigned long n = 0;

      for (at++; at < end && is_digit(*at); at++)
        n = n < 100000000 ? n * 10 + (unsigned long)(*at - '0') : n;
      scan.top = n > scan.top ? n : scan.top;
    } else {
      at++;
    }
  }
  scan.copies = copy && !scan.copies; /* a client's word took it back */
  scan.queries = scan.queries && !led;
  return scan;
}
