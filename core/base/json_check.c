/* core/base/json_check.c - one pass over the text, with a bit for each bracket that is open and nothing else kept. */
#include "core/base/json_check.h"

#include <stdint.h>

#include "core/base/cell.h"

enum { DEPTH_MAX = 256 };

/* What is read; `at` stands on the next byte. */
struct reader {
  const char *at, *end;
  int open;                         /* brackets */
  uint64_t objects[DEPTH_MAX / 64]; /* a bit for each open bracket that is a brace */
};

static void
skip_space(struct reader *r)
{
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
    r->at++;
}

/* Steps over the byte when it is the next. */
static bool
take(struct reader *r, char byte)
{
  if (r->at == r->end || *r->at != byte)
    return false;
  r->at++;
  return true;
}

static bool
take_word(struct reader *r, const char *word)
{
  size_t len = strlen(word);

  if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
    return false;
  r->at += len;
  return true;
}

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool
take_digits(struct reader *r)
{
  const char *from = r->at;

  while (r->at < r->end && is_digit(*r->at))
    r->at++;
  return r->at > from;
}

static bool
take_number(struct reader *r)
{
  (void)take(r, '-');
  if (!take(r, '0') && !take_digits(r))
    return false;
  if (take(r, '.') && !take_digits(r))
    return false;
  if (take(r, 'e') || take(r, 'E')) {
    if (!take(r, '+'))
      (void)take(r, '-');
    return take_digits(r);
  }
  return true;
}

/* Four digits to the base of 16; -1 when they are not there. */
static int
take_unit(struct reader *r)
{
  int unit = 0;

  for (int i = 0; i < 4; i++) {
    char c = r->at < r->end ? *r->at++ : '\0';
    int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

    if (digit < 0)
      return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/* What follows a backslash. */
static bool
take_escape(struct reader *r)
{
  int unit;

  if (r->at == r->end)
    return false;
  if (*r->at != 'u')
    return *r->at != '\0' && strchr("\"\\/bfnrt", *r->at++) != NULL;
  r->at++;
  unit = take_unit(r);
  if (unit < 0xD800 || unit > 0xDFFF)
    return unit >= 0;
  if (unit > 0xDBFF || !take_word(r, "\\u"))
    return false;
  unit = take_unit(r);
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

static bool
take_text(struct reader *r)
{
  if (!take(r, '"'))
    return false;
  while (r->at < r->end) {
    unsigned char byte = (unsigned char)*r->at;

    if (byte == '"') {
      r->at++;
      return true;
    }
    if (byte == '\\') {
      r->at++;
      if (!take_escape(r))
        return false;
    } else if (byte >= 0x80) {
      size_t len = rille_text_sequence_bytes((rille_str){ r->at, (size_t)(r->end - r->at) });

      if (len == 0)
        return false;
      r->at += len;
    } else if (byte < 0x20) {
      return false;
    } else {
      r->at++;
    }
  }
  return false;
}

/* A name, its colon and the space around them. */
static bool
take_name(struct reader *r)
{
  if (!take_text(r))
    return false;
  skip_space(r);
  if (!take(r, ':'))
    return false;
  skip_space(r);
  return true;
}

static bool
take_scalar(struct reader *r)
{
  if (r->at == r->end)
    return false;
  switch (*r->at) {
  case '"': return take_text(r);
  case 't': return take_word(r, "true");
  case 'f': return take_word(r, "false");
  case 'n': return take_word(r, "null");
  default: return take_number(r);
  }
}

static bool
in_object(const struct reader *r)
{
  int top = r->open - 1;

  return (r->objects[top / 64] >> (top % 64) & 1) != 0;
}

static bool
open_bracket(struct reader *r, bool object, int depth)
{
  uint64_t bit = (uint64_t)1 << (r->open % 64);

  if (r->open >= depth)
    return false;
  if (object)
    r->objects[r->open / 64] |= bit;
  else
    r->objects[r->open / 64] &= ~bit;
  r->open++;
  return true;
}

/* Everything up to the next scalar, which is taken too, or an empty pair of brackets. */
static bool
take_start(struct reader *r, int depth)
{
  for (;;) {
    bool object = r->at < r->end && *r->at == '{';

    if (!take(r, '{') && !take(r, '['))
      return take_scalar(r);
    if (!open_bracket(r, object, depth))
      return false;
    skip_space(r);
    if (take(r, object ? '}' : ']')) {
      r->open--;
      return true;
    }
    if (object && !take_name(r))
      return false;
  }
}

bool
rille_json_check(rille_str text, int depth)
{
  struct reader r = { .at = text.at, .end = text.at + text.len };

  if (depth > DEPTH_MAX)
    depth = DEPTH_MAX;
  for (;;) {
    skip_space(&r);
    if (!take_start(&r, depth))
      return false;
    skip_space(&r);
    while (r.open > 0 && take(&r, in_object(&r) ? '}' : ']')) {
      r.open--;
      skip_space(&r);
    }
    if (r.open == 0)
      return r.at == r.end;
    if (!take(&r, ','))
      return false;
    skip_space(&r);
    if (in_object(&r) && !take_name(&r))
      return false;
  }
}
