/* core/driver/postgres_take.c - what a column gives, in either of libpq's formats, as a cell. */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/driver/postgres_type.h"

/* -- binary ---------------------------------------------------------------------------------------------------- */

/* Numbers stand with their greatest byte first. */
static uint64_t
eight_at(const char *bytes)
{
  uint64_t number;

  memcpy(&number, bytes, sizeof number);
  return be64toh(number);
}

static uint32_t
four_at(const char *bytes)
{
  uint32_t number;

  memcpy(&number, bytes, sizeof number);
  return be32toh(number);
}

static int
short_at(const char *bytes)
{
  uint16_t number;

  memcpy(&number, bytes, sizeof number);
  return (int16_t)be16toh(number);
}

static double
real_at(const char *bytes)
{
  uint64_t bits = eight_at(bytes);
  double real;

  memcpy(&real, &bits, sizeof real);
  return real;
}

static double
float_at(const char *bytes)
{
  uint32_t bits = four_at(bytes);
  float real;

  memcpy(&real, &bits, sizeof real);
  return (double)real;
}

static rille_status
take_text(const char *text, size_t length, rille_arena *arena, rille_cell *cell, rille_fault *fault)
{
  rille_str copy = rille_arena_copy(arena, (rille_str){ text, length });

  *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = copy };
  return copy.at != NULL ? RILLE_OK : rille_fault_no_memory(fault);
}

static rille_status
unreadable(rille_fault *fault, const char *what)
{
  (void)rille_fault_set(fault, RILLE_CORRUPT, "the server sent %s in a form that is not known", what);
  rille_fault_hint(fault, "was DateStyle or bytea_output set on this connection? They must stay as they were");
  return RILLE_CORRUPT;
}

/* Digits to the base of 10000, `weight` of them and one before the point; `scale` digits are shown behind it. */
static rille_status
take_numeric(const char *bytes, size_t length, rille_arena *arena, rille_cell *cell, rille_fault *fault)
{
  enum { NEGATIVE = 0x4000, NAN_SIGN = 0xC000, INFINITE = 0xD000, NEGATIVE_INFINITE = 0xF000, HEADER = 8 };
  int count, weight, sign, scale, at = 0;
  char *text;

  if (length < HEADER)
    return unreadable(fault, "a decimal");
  count = short_at(bytes);
  weight = short_at(bytes + 2);
  sign = short_at(bytes + 4) & 0xFFFF;
  scale = short_at(bytes + 6) & 0x3FFF;
  if (count < 0 || length < HEADER + 2 * (size_t)count)
    return unreadable(fault, "a decimal");
  if (sign == NAN_SIGN)
    return take_text("NaN", 3, arena, cell, fault);
  if (sign == INFINITE || sign == NEGATIVE_INFINITE)
    return take_text(sign == INFINITE ? "Infinity" : "-Infinity", sign == INFINITE ? 8 : 9, arena, cell, fault);
  text = rille_arena_get(arena, (size_t)(weight > 0 ? weight : 0) * 4 + (size_t)scale + 16);
  if (text == NULL)
    return rille_fault_no_memory(fault);
  if (sign == NEGATIVE)
    text[at++] = '-';
  for (int group = 0; group <= weight; group++) {
    int digits = group < count ? short_at(bytes + HEADER + 2 * group) : 0;

    at += sprintf(text + at, group == 0 ? "%d" : "%04d", digits);
  }
  if (weight < 0)
    text[at++] = '0';
  if (scale > 0)
    text[at++] = '.';
  for (int place = 0; place < scale; place++) {
    static const int powers[] = { 1000, 100, 10, 1 };
    int group = weight + 1 + place / 4;
    int digits = group >= 0 && group < count ? short_at(bytes + HEADER + 2 * group) : 0;

    text[at++] = (char)('0' + digits / powers[place % 4] % 10);
  }
  *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = { text, (size_t)at } };
  return RILLE_OK;
}

static rille_status
take_uuid(const char *bytes, rille_arena *arena, rille_cell *cell, rille_fault *fault)
{
  static const char digits[] = "0123456789abcdef";
  char text[36];
  size_t len = 0;

  for (size_t i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      text[len++] = '-';
    text[len++] = digits[(unsigned char)bytes[i] >> 4];
    text[len++] = digits[(unsigned char)bytes[i] & 0xF];
  }
  return take_text(text, len, arena, cell, fault);
}

static rille_status
take_day(int32_t days, rille_arena *arena, rille_cell *cell, rille_fault *fault)
{
  char *text = rille_arena_get(arena, RILLE_POSTGRES_TIME_BYTES);

  if (text == NULL)
    return rille_fault_no_memory(fault);
  *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = { text, rille_postgres_day(days, text) } };
  return RILLE_OK;
}

/* How many bytes a binary value has; 0: any number. */
static size_t
size_of(rille_postgres_form form)
{
  switch (form) {
  case RILLE_PG_BOOL: return 1;
  case RILLE_PG_INT2: return 2;
  case RILLE_PG_INT4:
  case RILLE_PG_OID:
  case RILLE_PG_FLOAT4:
  case RILLE_PG_DATE: return 4;
  case RILLE_PG_INT8:
  case RILLE_PG_FLOAT8:
  case RILLE_PG_TIMESTAMP: return 8;
  case RILLE_PG_UUID: return 16;
  default: return 0;
  }
}

static rille_status
take_binary(rille_postgres_column *column, const char *bytes, size_t length, rille_arena *arena, rille_cell *cell,
            rille_fault *fault)
{
  rille_postgres_form form = column->form;
  size_t size = size_of(form);

  if (size != 0 && size != length)
    return unreadable(fault, "a value");
  cell->kind = RILLE_INT;
  switch (form) {
  case RILLE_PG_BOOL: cell->as.integer = bytes[0] != 0; return RILLE_OK;
  case RILLE_PG_INT2: cell->as.integer = short_at(bytes); return RILLE_OK;
  case RILLE_PG_INT4: cell->as.integer = (int32_t)four_at(bytes); return RILLE_OK;
  case RILLE_PG_OID: cell->as.integer = (int64_t)four_at(bytes); return RILLE_OK;
  case RILLE_PG_INT8: cell->as.integer = (int64_t)eight_at(bytes); return RILLE_OK;
  case RILLE_PG_SUM:
  case RILLE_PG_NUMERIC: return take_numeric(bytes, length, arena, cell, fault);
  case RILLE_PG_UUID: return take_uuid(bytes, arena, cell, fault);
  case RILLE_PG_TIMESTAMP:
    cell->kind = RILLE_TEXT;
    cell->as.text = rille_postgres_moment((int64_t)eight_at(bytes), &column->written);
    return RILLE_OK;
  case RILLE_PG_DATE: return take_day((int32_t)four_at(bytes), arena, cell, fault);
  case RILLE_PG_FLOAT4:
  case RILLE_PG_FLOAT8:
    cell->kind = RILLE_REAL;
    cell->as.real = form == RILLE_PG_FLOAT4 ? float_at(bytes) : real_at(bytes);
    return RILLE_OK;
  case RILLE_PG_JSONB: /* the version of the form, then text */
    if (length < 1 || bytes[0] != 1)
      return unreadable(fault, "a jsonb");
    *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = { bytes + 1, length - 1 } };
    return RILLE_OK;
  case RILLE_PG_TEXT:
  case RILLE_PG_BYTEA:
  case RILLE_PG_OTHER:
    cell->kind = form == RILLE_PG_BYTEA ? RILLE_BLOB : RILLE_TEXT;
    cell->as.text = (rille_str){ bytes, length };
    return RILLE_OK;
  }
  return unreadable(fault, "a value");
}

/* -- as the server prints it ----------------------------------------------------------------------------------- */

static double
read_real(const char *text)
{
  if (strcmp(text, "NaN") == 0)
    return (double)NAN;
  if (strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0)
    return text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
  return rille_real_read(text);
}

static int
hex_value(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static rille_status
read_bytea(const char *text, size_t length, rille_arena *arena, rille_cell *cell, rille_fault *fault)
{
  char *bytes;

  if (length < 2 || text[0] != '\\' || text[1] != 'x')
    return unreadable(fault, "bytes");
  bytes = rille_arena_get(arena, length / 2);
  if (bytes == NULL)
    return rille_fault_no_memory(fault);
  for (size_t i = 2; i + 1 < length; i += 2)
    bytes[i / 2 - 1] = (char)(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
  *cell = (rille_cell){ .kind = RILLE_BLOB, .as.text = { bytes, length / 2 - 1 } };
  return RILLE_OK;
}

static rille_status
take_printed(rille_postgres_column *column, const char *text, size_t length, rille_arena *arena, rille_cell *cell,
             rille_fault *fault)
{
  int64_t micros;

  switch (column->form) {
  case RILLE_PG_BOOL: *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = text[0] == 't' }; return RILLE_OK;
  case RILLE_PG_INT2:
  case RILLE_PG_INT4:
  case RILLE_PG_OID:
  case RILLE_PG_INT8: *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = strtoll(text, NULL, 10) }; return RILLE_OK;
  case RILLE_PG_FLOAT4:
    *cell = (rille_cell){ .kind = RILLE_REAL, .as.real = (double)(float)read_real(text) };
    return RILLE_OK;
  case RILLE_PG_FLOAT8: *cell = (rille_cell){ .kind = RILLE_REAL, .as.real = read_real(text) }; return RILLE_OK;
  case RILLE_PG_BYTEA: return read_bytea(text, length, arena, cell, fault);
  case RILLE_PG_TIMESTAMP:
    if (!rille_postgres_read_moment((rille_str){ text, length }, &micros))
      return unreadable(fault, "a moment");
    *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = rille_postgres_moment(micros, &column->written) };
    return RILLE_OK;
  default: *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = { text, length } }; return RILLE_OK;
  }
}

/* A sum of integers is an integer, whatever the server adds them up in; what 64 bits do not hold stays a text. */
static void
make_whole(rille_cell *cell)
{
  char digits[24], *end = digits;
  rille_str text = cell->as.text;
  long long number;

  if (text.len == 0 || text.len >= sizeof digits)
    return;
  memcpy(digits, text.at, text.len);
  digits[text.len] = '\0';
  errno = 0;
  number = strtoll(digits, &end, 10);
  if (errno == 0 && *end == '\0')
    *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = number };
}

rille_status
rille_postgres_take(rille_postgres_column *column, bool binary, const char *bytes, size_t length, rille_arena *arena,
                    rille_cell *cell, rille_fault *fault)
{
  rille_status status = binary ? take_binary(column, bytes, length, arena, cell, fault)
                               : take_printed(column, bytes, length, arena, cell, fault);

  if (column->form == RILLE_PG_SUM && status == RILLE_OK)
    make_whole(cell);
  return status;
}
