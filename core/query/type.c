/* core/query/type.c - one store and one present function a type, in a table. */
#include "core/query/type.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/decimal.h"
#include "core/base/shown.h"
#include "core/query/moment.h"

/* What a conversion works on. */
struct work {
  rille_type type;
  const rille_cell *in;
  rille_cell *out;
  rille_arena *arena; /* where store makes texts */
  char *room;         /* where present makes texts */
};

/* Both return false when the type does not take the value. */
typedef bool convert(struct work *w);

static bool
made_text(struct work *w, const char *text, size_t len)
{
  w->out->kind = RILLE_TEXT;
  w->out->as.text = rille_arena_copy(w->arena, (rille_str){ text, len });
  return true;
}

static bool
pass(struct work *w)
{
  *w->out = *w->in;
  return true;
}

static bool
is_text(const struct work *w)
{
  return w->in->kind == RILLE_TEXT;
}

static bool
store_any(struct work *w)
{
  *w->out = *w->in;
  if (w->in->kind == RILLE_BOOL)
    w->out->kind = RILLE_INT;
  return w->in->kind != RILLE_TEXT || rille_text_is_clean(w->in->as.text);
}

/* A whole double within 64 bits is that integer. */
static bool
whole(double real, int64_t *integer)
{
  if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0) || floor(real) != real)
    return false;
  *integer = (int64_t)real;
  return true;
}

static bool
store_integer(struct work *w)
{
  w->out->kind = RILLE_INT; /* SQLite makes it a text where the column is one */
  if (w->in->kind == RILLE_REAL)
    return whole(w->in->as.real, &w->out->as.integer);
  w->out->as.integer = w->in->as.integer;
  return w->in->kind == RILLE_INT;
}

static bool
store_real(struct work *w)
{
  int64_t back;

  w->out->kind = RILLE_REAL;
  if (w->in->kind == RILLE_INT) {
    w->out->as.real = (double)w->in->as.integer;
    return whole(w->out->as.real, &back) && back == w->in->as.integer;
  }
  w->out->as.real = w->in->as.real == 0 ? 0 : w->in->as.real; /* SQLite keeps -0.0 as 0 */
  return w->in->kind == RILLE_REAL;
}

static bool
store_text(struct work *w)
{
  *w->out = *w->in;
  return is_text(w) && rille_text_is_clean(w->in->as.text);
}

static bool
store_blob(struct work *w)
{
  *w->out = *w->in;
  w->out->kind = RILLE_BLOB;
  return is_text(w) || w->in->kind == RILLE_BLOB;
}

static bool
store_boolean(struct work *w)
{
  w->out->kind = RILLE_INT;
  w->out->as.integer = w->in->as.integer;
  return w->in->kind == RILLE_BOOL || (w->in->kind == RILLE_INT && (w->in->as.integer == 0 || w->in->as.integer == 1));
}

/* A decimal keeps exactly `scale` digits behind the point; more than that would be lost, so it is refused. */
static bool
store_decimal(struct work *w)
{
  char text[RILLE_PRESENT_BYTES], made[RILLE_PRESENT_BYTES];
  rille_str from = { text, 0 };
  rille_decimal decimal;

  if (w->in->kind == RILLE_INT)
    from.len = (size_t)snprintf(text, sizeof text, "%lld", (long long)w->in->as.integer);
  else if (w->in->kind == RILLE_REAL)
    from.len = rille_real_print(text, sizeof text, w->type.scale, w->in->as.real);
  else if (is_text(w))
    from = w->in->as.text;
  if (from.len > RILLE_DECIMAL_BYTES || !rille_decimal_read(from, &decimal) ||
      (w->in->kind == RILLE_REAL && rille_real_read(text) != w->in->as.real) || decimal.scale > (size_t)w->type.scale ||
      (w->type.precision > 0 && decimal.whole + (size_t)w->type.scale > (size_t)w->type.precision) ||
      (w->type.kept_digits > 0 && decimal.significant > (size_t)w->type.kept_digits))
    return false;
  return made_text(w, made, rille_decimal_write(from, (size_t)w->type.scale, made));
}

/* Seconds since 1970 or ISO text, as microseconds. */
static bool
moment_of(const rille_cell *in, int64_t *micros)
{
  if (in->kind == RILLE_INT) {
    if (in->as.integer > INT64_MAX / 1000000 || in->as.integer < INT64_MIN / 1000000)
      return false;
    *micros = in->as.integer * 1000000;
    return true;
  }
  if (in->kind == RILLE_REAL) {
    double scaled = floor(in->as.real * 1e6 + 0.5);

    return whole(scaled, micros);
  }
  return in->kind == RILLE_TEXT && rille_moment_parse(in->as.text, micros);
}

/* The form that is kept: nothing has to be made of it. */
static bool
is_canonical_moment(const rille_cell *in)
{
  const char *at = in->as.text.at;

  return in->kind == RILLE_TEXT && in->as.text.len == RILLE_MOMENT_BYTES && at[10] == 'T' && at[16] == ':' &&
         at[19] == '.' && at[RILLE_MOMENT_BYTES - 1] == 'Z';
}

/* Whole seconds, rounded down; to compare with, all of them. */
static void
made_seconds(struct work *w, int64_t micros)
{
  w->out->kind = RILLE_INT;
  w->out->as.integer = micros / 1000000 - (micros % 1000000 < 0);
  if (w->type.compares && micros % 1000000 != 0) {
    w->out->kind = RILLE_REAL;
    w->out->as.real = (double)micros / 1e6;
  }
}

/* ISO text of `bytes` bytes. */
static bool
made_moment(struct work *w, int64_t micros, size_t bytes)
{
  char text[RILLE_MOMENT_BYTES + 1];

  return rille_moment_format(micros, text) && made_text(w, text, bytes);
}

static bool
store_datetime(struct work *w)
{
  int64_t micros;

  if (!moment_of(w->in, &micros))
    return false;
  if (w->type.kept == RILLE_KEPT_SECONDS)
    made_seconds(w, micros);
  else if (is_canonical_moment(w->in))
    return pass(w);
  return w->type.kept == RILLE_KEPT_SECONDS || made_moment(w, micros, RILLE_MOMENT_BYTES);
}

/* A day is kept as its first second where seconds are kept. */
static bool
store_date(struct work *w)
{
  const int64_t day = INT64_C(86400000000);
  int64_t micros;

  if (!moment_of(w->in, &micros))
    return false;
  if (w->type.kept != RILLE_KEPT_SECONDS)
    return made_moment(w, micros, RILLE_DATE_BYTES);
  made_seconds(w, micros - ((micros % day) + day) % day);
  return true;
}

static bool
store_timestamp(struct work *w)
{
  int64_t micros;

  if (!moment_of(w->in, &micros))
    return false;
  if (w->type.kept == RILLE_KEPT_TEXT)
    return made_moment(w, micros, RILLE_MOMENT_BYTES);
  made_seconds(w, micros);
  return true;
}

static bool
store_uuid(struct work *w)
{
  char text[36];

  if (!is_text(w) || w->in->as.text.len != sizeof text)
    return false;
  for (size_t i = 0; i < sizeof text; i++) {
    char c = w->in->as.text.at[i];
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;

    if (c >= 'A' && c <= 'F')
      c = (char)(c - 'A' + 'a');
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
      return false;
    text[i] = c;
  }
  return made_text(w, text, sizeof text);
}

/* Digits in a column of text read as the number they are. */
static bool
present_integer(struct work *w)
{
  rille_decimal decimal;
  char digits[32];

  if (w->type.kept != RILLE_KEPT_TEXT || !is_text(w))
    return pass(w);
  if (!rille_decimal_read(w->in->as.text, &decimal) || w->in->as.text.len >= sizeof digits ||
      memchr(w->in->as.text.at, '.', w->in->as.text.len) != NULL)
    return false;
  (void)snprintf(digits, sizeof digits, "%.*s", RILLE_STR_ARG(w->in->as.text));
  errno = 0;
  w->out->kind = RILLE_INT;
  w->out->as.integer = strtoll(digits, NULL, 10);
  return errno == 0;
}

/* Seconds read as they are; ISO text, and numbers with a fraction, as the second they lie in. */
static bool
present_timestamp(struct work *w)
{
  int64_t micros;

  if (w->in->kind == RILLE_INT)
    return pass(w);
  if (!moment_of(w->in, &micros))
    return false;
  w->out->kind = RILLE_INT;
  w->out->as.integer = micros / 1000000 - (micros % 1000000 < 0);
  return true;
}

static bool
present_boolean(struct work *w)
{
  w->out->kind = RILLE_BOOL;
  if (w->in->kind == RILLE_TEXT) {
    rille_str text = w->in->as.text;
    bool yes = rille_str_is(text, "true") || rille_str_is(text, "t") || rille_str_is(text, "1");

    w->out->as.integer = yes;
    return yes || rille_str_is(text, "false") || rille_str_is(text, "f") || rille_str_is(text, "0");
  }
  w->out->as.integer = w->in->as.integer != 0;
  return w->in->kind == RILLE_INT;
}

static bool
present_decimal(struct work *w)
{
  rille_decimal decimal;
  size_t len = 0;

  if (is_text(w) && rille_decimal_read(w->in->as.text, &decimal))
    return pass(w);
  if (w->in->kind == RILLE_INT && w->type.scale == 0)
    len = (size_t)snprintf(w->room, RILLE_PRESENT_BYTES, "%lld", (long long)w->in->as.integer);
  else if (w->in->kind == RILLE_INT)
    len = (size_t)snprintf(w->room, RILLE_PRESENT_BYTES, "%lld.%0*d", (long long)w->in->as.integer, w->type.scale, 0);
  else if (w->in->kind == RILLE_REAL && isfinite(w->in->as.real))
    len = rille_decimal_print(w->room, w->type.scale, w->in->as.real);
  w->out->kind = RILLE_TEXT;
  w->out->as.text = (rille_str){ w->room, len };
  return len > 0 && len < RILLE_PRESENT_BYTES;
}

/* Texts that other programs wrote ("2026-11-20 12:00:00") read like ours; so do numbers of seconds. */
static bool
present_datetime(struct work *w)
{
  int64_t micros;

  if (is_canonical_moment(w->in))
    return rille_moment_parse(w->in->as.text, &micros) && pass(w);
  if (!moment_of(w->in, &micros) || !rille_moment_format(micros, w->room))
    return false;
  w->out->kind = RILLE_TEXT;
  w->out->as.text = (rille_str){ w->room, RILLE_MOMENT_BYTES };
  return true;
}

static bool
present_date(struct work *w)
{
  int64_t micros;

  if (is_text(w) && w->in->as.text.len == RILLE_DATE_BYTES)
    return rille_moment_parse(w->in->as.text, &micros) && pass(w);
  if (!present_datetime(w))
    return false;
  w->out->as.text.len = RILLE_DATE_BYTES;
  return true;
}

/* What each type is called, what it says it wants, and its two conversions. */
static const struct {
  const char *name, *wants;
  convert *store, *present;
} TYPES[RILLE_TYPE_COUNT] = {
  [RILLE_TYPE_ANY] = { "any", "text that is valid UTF-8 without NUL (wrap other bytes in rille.blob)", store_any,
                       pass },
  [RILLE_TYPE_INTEGER] = { "integer", "an integer", store_integer, present_integer },
  [RILLE_TYPE_REAL] = { "real", "a number", store_real, pass },
  [RILLE_TYPE_TEXT] = { "text", "a text (valid UTF-8 without NUL)", store_text, pass },
  [RILLE_TYPE_BLOB] = { "blob", "bytes", store_blob, pass },
  [RILLE_TYPE_BOOLEAN] = { "boolean", "true or false", store_boolean, present_boolean },
  [RILLE_TYPE_DECIMAL] = { "decimal", "a decimal number", store_decimal, present_decimal },
  [RILLE_TYPE_DATETIME] = { "datetime", "a moment (ISO 8601 text, seconds since 1970 or an os.date table)",
                            store_datetime, present_datetime },
  [RILLE_TYPE_DATE] = { "date", "a date (YYYY-MM-DD)", store_date, present_date },
  [RILLE_TYPE_TIMESTAMP] = { "timestamp", "a moment (seconds since 1970 or ISO 8601 text)", store_timestamp,
                             present_timestamp },
  [RILLE_TYPE_JSON] = { "json", "JSON text", store_text, pass },
  [RILLE_TYPE_UUID] = { "uuid", "a UUID (36 characters)", store_uuid, pass },
};

const char *
rille_type_name(rille_type_kind kind)
{
  return TYPES[kind].name;
}

/* A short picture of a value for messages: kind and, where it is safe to show, the value itself. */
static void
describe(const rille_cell *cell, char *text, size_t size)
{
  switch (cell->kind) {
  case RILLE_INT: (void)snprintf(text, size, "the integer %lld", (long long)cell->as.integer); break;
  case RILLE_REAL: (void)snprintf(text, size, "the number %.17g", cell->as.real); break;
  case RILLE_BOOL: (void)snprintf(text, size, "%s", cell->as.integer ? "true" : "false"); break;
  case RILLE_TEXT:
    if (!rille_text_is_clean(cell->as.text))
      (void)snprintf(text, size, "%zu bytes that are not clean UTF-8 text", cell->as.text.len);
    else if (cell->as.text.len > 40)
      (void)snprintf(text, size, "a text of %zu bytes", cell->as.text.len);
    else
      (void)snprintf(text, size, "the text \"%s\"", rille_show(cell->as.text).text);
    break;
  case RILLE_BLOB: (void)snprintf(text, size, "%zu bytes", cell->as.text.len); break;
  case RILLE_NULL: (void)snprintf(text, size, "NULL"); break;
  }
}

static rille_status
refuse(rille_status kind, const struct work *w, rille_str what, rille_fault *fault)
{
  char given[160];

  describe(w->in, given, sizeof given);
  if (w->type.kind == RILLE_TYPE_DECIMAL && kind == RILLE_INVALID_ARGUMENT) {
    (void)rille_fault_set(fault, kind, "%.*s wants a decimal number with at most %d digits behind the point%s, not %s",
                          RILLE_STR_ARG(what), w->type.scale, w->type.precision > 0 ? " that fits its precision" : "",
                          given);
    if (w->type.kept_digits > 0 && w->type.precision > w->type.kept_digits)
      rille_fault_hint(fault,
                       "SQLite keeps %d digits in a column declared DECIMAL, any number in one declared DECIMAL_TEXT",
                       w->type.kept_digits);
    return kind;
  }
  (void)rille_fault_set(fault, kind,
                        kind == RILLE_CORRUPT ? "%.*s should hold %s but holds %s" : "%.*s wants %s, not %s",
                        RILLE_STR_ARG(what), TYPES[w->type.kind].wants, given);
  if (kind == RILLE_CORRUPT)
    rille_fault_hint(fault, "record:raw(name) reads the value as it is kept");
  return kind;
}

/* "posts.title" names a table and a column.  Returns the kind that the fault has. */
static rille_status
name_place(rille_str what, rille_fault *fault)
{
  const char *dot = memchr(what.at, '.', what.len);
  char table[sizeof fault->table], column[sizeof fault->column];

  if (fault != NULL && dot != NULL && memchr(what.at, ' ', what.len) == NULL) {
    (void)snprintf(table, sizeof table, "%.*s", (int)(dot - what.at), what.at);
    (void)snprintf(column, sizeof column, "%.*s", (int)(what.len - (size_t)(dot - what.at) - 1), dot + 1);
    rille_fault_place(fault, table, column, NULL);
  }
  return RILLE_INVALID_ARGUMENT;
}

static rille_status
refuse_length(rille_type type, rille_str text, rille_str what, rille_fault *fault)
{
  size_t characters = rille_text_characters(text);

  (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%.*s holds at most %d character%s, not %zu",
                        RILLE_STR_ARG(what), type.length, type.length == 1 ? "" : "s", characters);
  rille_fault_hint(fault, "shorten the text, or declare the column longer");
  return name_place(what, fault);
}

rille_status
rille_type_store(rille_type type, const rille_cell *in, rille_str what, rille_arena *arena, rille_cell *out,
                 rille_fault *fault)
{
  rille_cell made = { 0 };
  struct work w = { .type = type, .in = in, .out = &made, .arena = arena };

  if (in->kind == RILLE_NULL) {
    *out = *in;
    return RILLE_OK;
  }
  if (what.len == 0)
    what = rille_str_of("a value");
  if (in->kind == RILLE_REAL && !isfinite(in->as.real))
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                           "%.*s cannot hold %s: only finite numbers have a place in a database", RILLE_STR_ARG(what),
                           isnan(in->as.real) ? "NaN" : "infinity");
  if (!TYPES[type.kind].store(&w)) {
    (void)refuse(RILLE_INVALID_ARGUMENT, &w, what, fault);
    return name_place(what, fault);
  }
  if (!rille_arena_ok(arena))
    return rille_fault_no_memory(fault);
  if (type.length > 0 && made.kind == RILLE_TEXT && made.as.text.len > (size_t)type.length && !type.compares &&
      rille_text_characters(made.as.text) > (size_t)type.length)
    return refuse_length(type, made.as.text, what, fault);
  *out = made;
  return RILLE_OK;
}

rille_status
rille_type_present(rille_type type, const rille_cell *in, rille_str what, char room[RILLE_PRESENT_BYTES],
                   rille_cell *out, rille_fault *fault)
{
  rille_cell made = { 0 };
  struct work w = { .type = type, .in = in, .out = &made, .room = room };

  if (in->kind == RILLE_NULL) {
    *out = *in;
    return RILLE_OK;
  }
  if (what.len == 0)
    what = rille_str_of("a value");
  if (!TYPES[type.kind].present(&w))
    return refuse(RILLE_CORRUPT, &w, what, fault);
  *out = made;
  return RILLE_OK;
}
