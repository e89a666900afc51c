/* core/base/json_form.c - JSON read once from its start, each value written as it is met; members of an object are put
** in order when the last one is there.
**
**     z t f             null, true, false
**     n [-] digits e number ;    digits without zeros at either end; n0; is zero
**     s number : bytes
**     [ value … ]       { text value … }
*/
#include "core/base/json_form.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/json_check.h"

enum {
  DEPTH_MAX = 256,
  WHOLE_MAX = 131072,   /* digits that `numeric` takes before the point */
  FRACTION_MAX = 16383, /* ... and behind it */
  EXPONENT_MAX = 1000000
};

static const char no_json[] = "no JSON, or nested more than 256 deep", has_nul[] = "a NUL in a text",
                  out_of_range[] = "a number out of range";

/* The text is known to be JSON, so that its end is never met in the middle of a value. */
struct reader {
  const char *at, *end;
  rille_arena *arena;
  rille_buffer *out;
  const char *wrong; /* NULL: nothing yet */
};

struct member {
  rille_str key;  /* as it is written to the form */
  size_t at, len; /* of key and value, from the start of the object */
  struct member *previous;
};

static void put_value(struct reader *r);

/* False once memory ran out: then the reader may stand anywhere, and nothing more is read. */
static bool
goes_on(const struct reader *r)
{
  return rille_arena_ok(r->arena) && rille_buffer_ok(r->out);
}

static void
skip_blanks(struct reader *r)
{
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
    r->at++;
}

/* -- numbers ----------------------------------------------------------------------------------------------- */

static int64_t
read_exponent(struct reader *r)
{
  bool negative = *++r->at == '-';
  int64_t exponent = 0;

  if (*r->at == '-' || *r->at == '+')
    r->at++;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
    if (exponent < EXPONENT_MAX)
      exponent = exponent * 10 + (*r->at - '0');
  return negative ? -exponent : exponent;
}

/* digits * 10^exponent, with neither a zero first nor last */
static void
put_number(struct reader *r)
{
  bool negative = *r->at == '-', point = false;
  size_t start, zeros = 0, count = 0;
  int64_t exponent = 0;

  rille_buffer_byte(r->out, 'n');
  start = r->out->len;
  if (negative) {
    r->at++;
    rille_buffer_byte(r->out, '-');
  }
  for (; r->at < r->end && ((*r->at >= '0' && *r->at <= '9') || *r->at == '.'); r->at++) {
    if (*r->at == '.') {
      point = true;
      continue;
    }
    exponent -= point;
    if (*r->at == '0') {
      zeros += count > 0; /* written once a digit follows */
      continue;
    }
    for (; zeros > 0; zeros--, count++)
      rille_buffer_byte(r->out, '0');
    rille_buffer_byte(r->out, *r->at);
    count++;
  }
  exponent += (int64_t)zeros;
  if (r->at < r->end && (*r->at == 'e' || *r->at == 'E'))
    exponent += read_exponent(r);
  if (!goes_on(r))
    return;
  if (count == 0) {
    r->out->len = start;
    rille_buffer_text(r->out, "0;");
    return;
  }
  if (exponent + (int64_t)count > WHOLE_MAX || exponent < -FRACTION_MAX)
    r->wrong = out_of_range;
  rille_buffer_format(r->out, "e%lld;", (long long)exponent);
}

/* -- texts ------------------------------------------------------------------------------------------------- */

static unsigned
read_hex(struct reader *r)
{
  unsigned code = 0;

  for (int i = 0; i < 4; i++) {
    char c = *r->at++;

    code = code << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return code;
}

static size_t
put_utf8(char *to, unsigned code)
{
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (char)(0xC0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | code >> 18);
  to[1] = (char)(0x80 | (code >> 12 & 0x3F));
  to[2] = (char)(0x80 | (code >> 6 & 0x3F));
  to[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

/* What stands behind a backslash. */
static size_t
read_escape(struct reader *r, char *to)
{
  static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
  char c = *r->at++;
  const char *letter = memchr(letters, c, sizeof letters - 1);
  unsigned code;

  if (c != 'u') {
    *to = letter != NULL ? meant[letter - letters] : c;
    return 1;
  }
  code = read_hex(r);
  if (code >= 0xD800 && code < 0xDC00) { /* the other half follows */
    r->at += 2;
    code = 0x10000 + ((code - 0xD800) << 10) + (read_hex(r) - 0xDC00);
  }
  if (code == 0)
    r->wrong = has_nul;
  return put_utf8(to, code);
}

/* The text that the reader stands at, in the arena where it has escapes. */
static rille_str
read_text(struct reader *r)
{
  const char *start = ++r->at;
  rille_str text = { start, 0 };
  char *made;

  while (*r->at != '"' && *r->at != '\\')
    r->at++;
  text.len = (size_t)(r->at - start);
  if (*r->at == '"') {
    r->at++;
    return text;
  }
  while (*r->at != '"')
    r->at += *r->at == '\\' ? 2 : 1;
  made = rille_arena_get(r->arena, (size_t)(r->at - start) + 1);
  if (made == NULL) {
    r->at++;
    return (rille_str){ start, 0 };
  }
  memcpy(made, start, text.len);
  r->at = start + text.len;
  while (*r->at != '"') {
    if (*r->at == '\\') {
      r->at++;
      text.len += read_escape(r, made + text.len);
    } else {
      made[text.len++] = *r->at++;
    }
  }
  r->at++;
  return (rille_str){ made, text.len };
}

static void
put_text(struct reader *r, rille_str text)
{
  rille_buffer_format(r->out, "s%zu:", text.len);
  rille_buffer_add(r->out, text.at, text.len);
}

/* -- arrays and objects ------------------------------------------------------------------------------------ */

static void
put_array(struct reader *r)
{
  rille_buffer_byte(r->out, '[');
  r->at++;
  skip_blanks(r);
  while (goes_on(r) && *r->at != ']') {
    put_value(r);
    skip_blanks(r);
    r->at += goes_on(r) && *r->at == ',';
  }
  r->at++;
  rille_buffer_byte(r->out, ']');
}

/* By key; of two with one key by place. */
static int
compare_members(const void *a, const void *b)
{
  const struct member *x = a, *y = b;
  size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
  int order = len > 0 ? memcmp(x->key.at, y->key.at, len) : 0;

  if (order == 0 && x->key.len != y->key.len)
    order = x->key.len < y->key.len ? -1 : 1;
  return order != 0 ? order : x->at < y->at ? -1 : 1;
}

/* Writes what stands from `start` on anew, in order. */
static void
arrange(struct reader *r, size_t start, const struct member *last, size_t count)
{
  struct member *members = rille_arena_get(r->arena, count * sizeof *members);
  rille_str written = { 0 };

  if (rille_buffer_ok(r->out))
    written = rille_arena_copy(r->arena, (rille_str){ r->out->at + start, r->out->len - start });
  if (members == NULL || written.at == NULL)
    return;
  for (size_t i = count; i > 0; i--, last = last->previous)
    members[i - 1] = *last;
  qsort(members, count, sizeof *members, compare_members);
  r->out->len = start;
  for (size_t i = 0; i < count; i++)
    if (i + 1 == count || !rille_str_equal(members[i].key, members[i + 1].key))
      rille_buffer_add(r->out, written.at + members[i].at, members[i].len);
}

static void
put_object(struct reader *r)
{
  struct member *last = NULL;
  size_t count = 0, start;

  rille_buffer_byte(r->out, '{');
  start = r->out->len;
  r->at++;
  skip_blanks(r);
  while (goes_on(r) && *r->at != '}') {
    struct member *member = rille_arena_get(r->arena, sizeof *member);
    size_t at = r->out->len;
    rille_str key = read_text(r);

    put_text(r, key);
    skip_blanks(r);
    r->at++; /* the colon */
    put_value(r);
    if (!goes_on(r))
      return;
    skip_blanks(r);
    if (*r->at == ',') {
      r->at++;
      skip_blanks(r);
    }
    *member = (struct member){ key, at - start, r->out->len - at, last };
    last = member;
    count++;
  }
  r->at++;
  if (count > 1 && goes_on(r))
    arrange(r, start, last, count);
  rille_buffer_byte(r->out, '}');
}

static void
put_value(struct reader *r)
{
  if (!goes_on(r))
    return;
  skip_blanks(r);
  switch (*r->at) {
  case '{': put_object(r); break;
  case '[': put_array(r); break;
  case '"': put_text(r, read_text(r)); break;
  case 't':
  case 'f':
  case 'n':
    rille_buffer_byte(r->out, *r->at == 'n' ? 'z' : *r->at);
    r->at += *r->at == 'f' ? 5 : 4;
    break;
  default: put_number(r); break;
  }
}

const char *
rille_json_form(rille_str text, rille_arena *arena, rille_buffer *out)
{
  struct reader r = { .at = text.at, .end = text.at + text.len, .arena = arena, .out = out };

  if (!rille_json_check(text, DEPTH_MAX))
    return no_json;
  put_value(&r);
  return r.wrong;
}
