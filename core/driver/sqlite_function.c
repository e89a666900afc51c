/* core/driver/sqlite_function.c - SQLite turns an integer that overflows, and a decimal text that is added to, into a
** double without a word; these functions do not. */
#include "core/driver/sqlite_function.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/cell.h"
#include "core/base/exact.h"

static const char PLUS[] = "+", MINUS[] = "-"; /* what a function does, as its user data */

static rille_str
text_of(sqlite3_value *value)
{
  const void *bytes = sqlite3_value_text(value);

  return (rille_str){ bytes != NULL ? bytes : "", (size_t)sqlite3_value_bytes(value) };
}

static bool
is_number(sqlite3_value *value)
{
  int type = sqlite3_value_type(value);

  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* Two numbers, or a failure: to add to a text would make a number of whatever it begins with. */
static void
add(sqlite3_context *context, int count, sqlite3_value **values)
{
  bool minus = sqlite3_user_data(context) == MINUS;
  double sum;

  (void)count;
  if (sqlite3_value_type(values[0]) == SQLITE_NULL || sqlite3_value_type(values[1]) == SQLITE_NULL)
    return;
  if (!is_number(values[0]) || !is_number(values[1])) {
    sqlite3_result_error(context, "not a number", -1);
    return;
  }
  if (sqlite3_value_type(values[0]) == SQLITE_INTEGER && sqlite3_value_type(values[1]) == SQLITE_INTEGER) {
    sqlite3_int64 a = sqlite3_value_int64(values[0]), b = sqlite3_value_int64(values[1]), whole;

    if (minus ? __builtin_sub_overflow(a, b, &whole) : __builtin_add_overflow(a, b, &whole))
      sqlite3_result_error(context, "integer overflow", -1);
    else
      sqlite3_result_int64(context, whole);
    return;
  }
  sum = sqlite3_value_double(values[0]);
  sum = minus ? sum - sqlite3_value_double(values[1]) : sum + sqlite3_value_double(values[1]);
  if (!isfinite(sum))
    sqlite3_result_error(context, "number overflow", -1);
  else
    sqlite3_result_double(context, sum);
}

/* Adds a value in any of the forms that a decimal column keeps. */
static bool
take(rille_exact *sum, sqlite3_value *value, int scale, bool negative)
{
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    if (!negative) {
      rille_exact_add_integer(sum, sqlite3_value_int64(value), 0);
      return true;
    }
    return rille_exact_add_text(sum, text_of(value), true);
  case SQLITE_FLOAT: return rille_exact_add_real(sum, sqlite3_value_double(value), scale, negative);
  case SQLITE_TEXT: return rille_exact_add_text(sum, text_of(value), negative);
  default: return false;
  }
}

static void
decimal_add(sqlite3_context *context, int count, sqlite3_value **values)
{
  rille_exact sum = { 0 };
  rille_decimal decimal;
  char text[RILLE_EXACT_BYTES];
  size_t precision = (size_t)sqlite3_value_int(values[2]), scale = (size_t)sqlite3_value_int(values[3]);
  size_t digits = (size_t)sqlite3_value_int(values[4]), len;

  (void)count;
  if (sqlite3_value_type(values[0]) == SQLITE_NULL || sqlite3_value_type(values[1]) == SQLITE_NULL)
    return;
  if (!take(&sum, values[0], (int)scale, false) ||
      !take(&sum, values[1], (int)scale, sqlite3_user_data(context) == MINUS)) {
    sqlite3_result_error(context, "not a decimal", -1);
    return;
  }
  len = rille_exact_write(&sum, scale, text);
  (void)rille_decimal_read((rille_str){ text, len }, &decimal);
  if ((precision > 0 && decimal.whole + scale > precision) || (digits > 0 && decimal.significant > digits))
    sqlite3_result_error(context, "decimal overflow", -1);
  else
    sqlite3_result_text(context, text, (int)len, SQLITE_TRANSIENT);
}

/* A number in any of the forms in which a column may hold it, as decimal text; returns its bytes, 0 for none. */
static size_t
plain_of(sqlite3_value *value, char room[RILLE_DECIMAL_PLAIN_BYTES])
{
  char shortest[RILLE_REAL_BYTES];
  double real;

  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
  case SQLITE_TEXT: return rille_decimal_plain(text_of(value), room);
  case SQLITE_FLOAT:
    real = sqlite3_value_double(value);
    if (!isfinite(real))
      return 0;
    return rille_decimal_plain((rille_str){ shortest, rille_real_text(shortest, real) }, room);
  default: return 0;
  }
}

/* rille_decimal_of(value, precision, scale) */
static void
decimal_of(sqlite3_context *context, int count, sqlite3_value **values)
{
  char plain[RILLE_DECIMAL_PLAIN_BYTES], made[RILLE_DECIMAL_BYTES + 3];
  size_t precision = (size_t)sqlite3_value_int(values[1]), scale = (size_t)sqlite3_value_int(values[2]);
  rille_str text = { plain, plain_of(values[0], plain) };
  rille_decimal decimal;

  (void)count;
  if (text.len > 0 && precision <= RILLE_DECIMAL_BYTES && rille_decimal_read(text, &decimal) &&
      decimal.scale <= scale && decimal.whole + scale <= precision)
    sqlite3_result_text(context, made, (int)rille_decimal_write(text, scale, made), SQLITE_TRANSIENT);
}

/* rille_real_of(value) */
static void
real_of(sqlite3_context *context, int count, sqlite3_value **values)
{
  char plain[RILLE_DECIMAL_PLAIN_BYTES + 1];
  rille_str text = { plain, plain_of(values[0], plain) };
  rille_decimal decimal;
  double real;

  (void)count;
  if (text.len == 0)
    return;
  plain[text.len] = '\0';
  real = rille_real_read(plain);
  (void)rille_decimal_read(text, &decimal);
  if (isfinite(real) && (real != 0 || decimal.significant == 0))
    sqlite3_result_double(context, real);
}

/* rille_text_of(value) */
static void
as_text(sqlite3_context *context, int count, sqlite3_value **values)
{
  char text[RILLE_REAL_BYTES];
  double real;

  (void)count;
  switch (sqlite3_value_type(values[0])) {
  case SQLITE_FLOAT:
    real = sqlite3_value_double(values[0]);
    if (isfinite(real))
      sqlite3_result_text(context, text, (int)rille_real_text(text, real), SQLITE_TRANSIENT);
    else
      sqlite3_result_text(context, real > 0 ? "Infinity" : "-Infinity", -1, SQLITE_STATIC);
    break;
  case SQLITE_INTEGER:
  case SQLITE_TEXT:
    sqlite3_result_text(context, text_of(values[0]).at, sqlite3_value_bytes(values[0]), SQLITE_TRANSIENT);
    break;
  default: break;
  }
}

/* What an aggregate has seen so far; SQLite zeroes it. */
struct total {
  rille_exact sum;
  int64_t count;
  int scale, digits; /* behind the point: of the values, and of an average */
};

static void
total_step(sqlite3_context *context, int count, sqlite3_value **values)
{
  struct total *total;

  if (sqlite3_value_type(values[0]) == SQLITE_NULL)
    return;
  total = sqlite3_aggregate_context(context, sizeof *total);
  if (total == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  total->scale = sqlite3_value_int(values[1]);
  total->digits = sqlite3_value_int(values[count - 1]);
  total->count++;
  if (!take(&total->sum, values[0], total->scale, false))
    sqlite3_result_error(context, "not a decimal", -1);
}

static void
sum_final(sqlite3_context *context)
{
  struct total *total = sqlite3_aggregate_context(context, 0);
  char text[RILLE_EXACT_BYTES];

  if (total != NULL)
    sqlite3_result_text(context, text, (int)rille_exact_write(&total->sum, (size_t)total->scale, text),
                        SQLITE_TRANSIENT);
}

static void
average_final(sqlite3_context *context)
{
  struct total *total = sqlite3_aggregate_context(context, 0);
  char text[RILLE_EXACT_BYTES];

  if (total != NULL)
    sqlite3_result_text(context, text, (int)rille_exact_divide(&total->sum, total->count, (size_t)total->digits, text),
                        SQLITE_TRANSIENT);
}

static int
collate(void *data, int a_bytes, const void *a_at, int b_bytes, const void *b_at)
{
  rille_str a = { a_at, (size_t)a_bytes }, b = { b_at, (size_t)b_bytes };
  rille_decimal decimal;
  bool a_reads = rille_decimal_read(a, &decimal), b_reads = rille_decimal_read(b, &decimal);
  int order = 0;

  (void)data;
  if (a_reads && b_reads)
    return rille_decimal_compare(a, b);
  if (a_reads != b_reads)
    return a_reads ? -1 : 1;
  if (a.len > 0 && b.len > 0)
    order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* rille_collation(table, column) */
static void
collation(sqlite3_context *context, int count, sqlite3_value **values)
{
  const char *table = (const char *)sqlite3_value_text(values[0]),
             *column = (const char *)sqlite3_value_text(values[1]);
  const char *name = NULL;

  (void)count;
  if (table == NULL || column == NULL ||
      sqlite3_table_column_metadata(sqlite3_context_db_handle(context), "main", table, column, NULL, &name, NULL, NULL,
                                    NULL) != SQLITE_OK)
    return;
  if (name != NULL && sqlite3_stricmp(name, "BINARY") != 0)
    sqlite3_result_text(context, name, -1, SQLITE_TRANSIENT);
}

int
rille_sqlite_add_functions(sqlite3 *db)
{
  static const struct {
    const char *name;
    int count;
    const char *what;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
    void (*final)(sqlite3_context *);
  } functions[] = {
    { "rille_add", 2, PLUS, add, NULL },
    { "rille_subtract", 2, MINUS, add, NULL },
    { "rille_decimal_add", 5, PLUS, decimal_add, NULL },
    { "rille_decimal_subtract", 5, MINUS, decimal_add, NULL },
    { "rille_decimal_of", 3, NULL, decimal_of, NULL },
    { "rille_real_of", 1, NULL, real_of, NULL },
    { "rille_text_of", 1, NULL, as_text, NULL },
    { "rille_decimal_sum", 2, PLUS, total_step, sum_final },
    { "rille_decimal_avg", 3, PLUS, total_step, average_final },
  };
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  int code = sqlite3_create_collation_v2(db, "rille_decimal", SQLITE_UTF8, NULL, collate, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_create_function_v2(db, "rille_collation", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, collation, NULL,
                                      NULL, NULL);
  for (size_t i = 0; i < sizeof functions / sizeof functions[0] && code == SQLITE_OK; i++) {
    bool sums = functions[i].final != NULL;

    code = sqlite3_create_function_v2(db, functions[i].name, functions[i].count, flags, (void *)functions[i].what,
                                      sums ? NULL : functions[i].call, sums ? functions[i].call : NULL,
                                      functions[i].final, NULL);
  }
  return code;
}
