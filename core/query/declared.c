/* core/query/declared.c - words of CREATE TABLE and of casts, looked up in tables. */
#include "core/query/declared.h"

#include <stdio.h>
#include <strings.h>

rille_type
rille_type_from_name(rille_str name)
{
  rille_type type = { .kind = RILLE_TYPE_COUNT };

  for (int kind = 0; kind < RILLE_TYPE_COUNT; kind++)
    if (rille_str_is(name, rille_type_name((rille_type_kind)kind)))
      type.kind = (rille_type_kind)kind;
  for (int scale = 0; scale <= RILLE_SCALE_MAX; scale++) {
    char cast[16];

    (void)snprintf(cast, sizeof cast, "decimal:%d", scale);
    if (rille_str_is(name, cast))
      type = (rille_type){ .kind = RILLE_TYPE_DECIMAL, .precision = RILLE_DECIMAL_DIGITS, .scale = scale };
  }
  return type;
}

/* The first number in parentheses, and the second. */
static void
parse_sizes(rille_str declared, int *first, int *second)
{
  const char *paren = memchr(declared.at, '(', declared.len);
  int a = 0, b = 0, count = 0;
  char text[32];

  if (paren != NULL) {
    size_t len = declared.len - (size_t)(paren - declared.at);

    len = len < sizeof text ? len : sizeof text - 1;
    memcpy(text, paren, len);
    text[len] = '\0';
    count = sscanf(text, "(%9d ,%9d", &a, &b);
  }
  *first = count >= 1 ? a : 0;
  *second = count >= 2 ? b : 0;
}

static bool
holds(rille_str declared, const char *word)
{
  size_t len = strlen(word);

  for (size_t i = 0; i + len <= declared.len; i++)
    if (strncasecmp(declared.at + i, word, len) == 0)
      return true;
  return false;
}

/* True where SQLite keeps what is written as text: by the same words as its own rule. */
static bool
keeps_text(rille_str declared)
{
  return !holds(declared, "INT") && (holds(declared, "CHAR") || holds(declared, "CLOB") || holds(declared, "TEXT"));
}

rille_type
rille_type_from_declared(rille_str declared)
{
  /* In this order: the first word found decides ("DATETIME TEXT" is a datetime, "BIGINT" an integer). */
  static const struct {
    const char *word;
    rille_type_kind kind;
  } words[] = {
    { "BOOL", RILLE_TYPE_BOOLEAN },      { "DECIMAL", RILLE_TYPE_DECIMAL },    { "NUMERIC", RILLE_TYPE_DECIMAL },
    { "DATETIME", RILLE_TYPE_DATETIME }, { "TIMESTAMP", RILLE_TYPE_DATETIME }, { "DATE", RILLE_TYPE_DATE },
    { "JSON", RILLE_TYPE_JSON },         { "UUID", RILLE_TYPE_UUID },          { "INT", RILLE_TYPE_INTEGER },
    { "CHAR", RILLE_TYPE_TEXT },         { "TEXT", RILLE_TYPE_TEXT },          { "CLOB", RILLE_TYPE_TEXT },
    { "BLOB", RILLE_TYPE_BLOB },         { "BYTEA", RILLE_TYPE_BLOB },         { "REAL", RILLE_TYPE_REAL },
    { "DOUB", RILLE_TYPE_REAL },         { "FLOA", RILLE_TYPE_REAL },
  };
  rille_type type = { .kind = RILLE_TYPE_ANY };
  int ignored;

  for (size_t i = 0; i < sizeof words / sizeof words[0] && type.kind == RILLE_TYPE_ANY; i++)
    if (holds(declared, words[i].word))
      type.kind = words[i].kind;
  if (type.kind == RILLE_TYPE_DECIMAL) {
    parse_sizes(declared, &type.precision, &type.scale);
    if (keeps_text(declared))
      type.kept = RILLE_KEPT_TEXT;
    else
      type.kept_digits = type.scale > 0 ? RILLE_DECIMAL_DIGITS : RILLE_WHOLE_DIGITS;
    if (type.precision <= 0 || type.scale < 0 || type.scale > RILLE_SCALE_MAX || type.scale > type.precision)
      type = (rille_type){ .kind = RILLE_TYPE_ANY }; /* NUMERIC without digits says nothing about them */
  }
  if (holds(declared, "CHAR") && type.kind != RILLE_TYPE_DECIMAL)
    parse_sizes(declared, &type.length, &ignored);
  return type;
}

/* A cast to decimals says how many digits they have behind the point; the column, how many it keeps. */
static void
take_digits(rille_type *type, rille_type own, rille_str declared)
{
  if (keeps_text(declared) || declared.len == 0) {
    type->kept = RILLE_KEPT_TEXT;
    type->precision = own.kind == RILLE_TYPE_DECIMAL ? own.precision : 0;
  } else if (own.kind == RILLE_TYPE_DECIMAL) {
    type->precision = own.precision;
    type->kept_digits = type->scale > 0 ? RILLE_DECIMAL_DIGITS : RILLE_WHOLE_DIGITS;
  }
}

/* A decimal where every digit is kept: the cast alone bounds none. */
static rille_type
with_all_digits(rille_type type, rille_type own)
{
  type.kept_digits = 0;
  if (type.kind == RILLE_TYPE_DECIMAL)
    type.precision = own.kind == RILLE_TYPE_DECIMAL ? own.precision : 0;
  return type;
}

rille_type
rille_type_of_column(rille_str declared, rille_str cast, bool exact)
{
  rille_type own = rille_type_from_declared(declared), type;

  if (cast.len == 0)
    return exact ? with_all_digits(own, own) : own;
  type = rille_type_from_name(cast);
  type.length = own.length;
  switch (type.kind) {
  case RILLE_TYPE_DECIMAL: take_digits(&type, own, declared); break;
  case RILLE_TYPE_INTEGER: type.kept = keeps_text(declared) ? RILLE_KEPT_TEXT : RILLE_KEPT_OWN; break;
  case RILLE_TYPE_TIMESTAMP:
    if (keeps_text(declared) || own.kind == RILLE_TYPE_DATETIME || own.kind == RILLE_TYPE_DATE)
      type.kept = RILLE_KEPT_TEXT;
    break;
  case RILLE_TYPE_DATETIME:
  case RILLE_TYPE_DATE: type.kept = own.kind == RILLE_TYPE_INTEGER ? RILLE_KEPT_SECONDS : RILLE_KEPT_OWN; break;
  default: break;
  }
  return exact ? with_all_digits(type, own) : type;
}
