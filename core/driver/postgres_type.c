/* core/driver/postgres_type.c - a table of types, and what their parameters take of a cell.
**
** Whole numbers, floats, bytes and texts are sent in binary: nothing is printed and read again.  What would have to be
** taken apart (decimals, dates) goes as text, which the server reads as it would in SQL. */
#include "core/driver/postgres_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Object ids are fixed for all time (src/include/catalog/pg_type.dat). */
static const struct {
  unsigned oid;
  rille_postgres_form form;
  const char *declared;
} TYPES[] = {
  { 20, RILLE_PG_INT8, "bigint" },
  { 25, RILLE_PG_TEXT, "text" },
  { 1043, RILLE_PG_TEXT, "character varying" },
  { 16, RILLE_PG_BOOL, "boolean" },
  { 1184, RILLE_PG_TIMESTAMP, "timestamp with time zone" },
  { 23, RILLE_PG_INT4, "integer" },
  { 701, RILLE_PG_FLOAT8, "double precision" },
  { 1700, RILLE_PG_NUMERIC, "numeric" },
  { 3802, RILLE_PG_JSONB, "jsonb" },
  { 2950, RILLE_PG_UUID, "uuid" },
  { 1082, RILLE_PG_DATE, "date" },
  { 17, RILLE_PG_BYTEA, "bytea" },
  { 114, RILLE_PG_TEXT, "json" },
  { 1114, RILLE_PG_TIMESTAMP, "timestamp without time zone" },
  { 1042, RILLE_PG_TEXT, "character" },
  { 21, RILLE_PG_INT2, "smallint" },
  { 700, RILLE_PG_FLOAT4, "real" },
  { 19, RILLE_PG_TEXT, "name" },
  { 18, RILLE_PG_TEXT, "\"char\"" },
  { 26, RILLE_PG_OID, "oid" },
  { 705, RILLE_PG_TEXT, "" },  /* a literal of which nothing says what it is */
  { 2278, RILLE_PG_TEXT, "" }, /* void: what a function gives that gives nothing */
};

enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0], OID_JSON = 114, OID_NUMERIC = 1700 };

static size_t
index_of(unsigned oid)
{
  size_t i = 0;

  while (i < TYPE_COUNT && TYPES[i].oid != oid)
    i++;
  return i;
}

rille_postgres_form
rille_postgres_form_of(unsigned oid)
{
  size_t i = index_of(oid);

  return i < TYPE_COUNT ? TYPES[i].form : RILLE_PG_OTHER;
}

/* True for what its value alone does not show. */
static bool
says_more(size_t i)
{
  switch (TYPES[i].form) {
  case RILLE_PG_BOOL:
  case RILLE_PG_DATE:
  case RILLE_PG_TIMESTAMP:
  case RILLE_PG_JSONB: return true;
  default: return TYPES[i].oid == OID_JSON;
  }
}

void
rille_postgres_declare(unsigned oid, int typmod, bool expression, char declared[RILLE_POSTGRES_DECLARED_BYTES])
{
  size_t i = index_of(oid);
  int size = typmod - 4; /* what the header of a value took once */

  declared[0] = '\0';
  if (i == TYPE_COUNT || (expression && !says_more(i)))
    return;
  if (oid == OID_NUMERIC && size >= 0)
    (void)snprintf(declared, RILLE_POSTGRES_DECLARED_BYTES, "numeric(%d,%d)", (size >> 16) & 0xFFFF,
                   ((size & 0x7FF) ^ 0x400) - 0x400);
  else if (TYPES[i].form == RILLE_PG_TEXT && size >= 0)
    (void)snprintf(declared, RILLE_POSTGRES_DECLARED_BYTES, "%s(%d)", TYPES[i].declared, size);
  else
    (void)snprintf(declared, RILLE_POSTGRES_DECLARED_BYTES, "%s", TYPES[i].declared);
}

/* -- giving ------------------------------------------------------------------------------------------------ */

/* The last `count` bytes of a number, the greatest first. */
static void
put(rille_postgres_value *value, uint64_t number, int count)
{
  for (int i = 0; i < count; i++)
    value->room[i] = (char)(unsigned char)(number >> (8 * (count - 1 - i)));
  value->bytes = value->room;
  value->length = count;
  value->format = 1;
}

static void
put_real(rille_postgres_value *value, double real)
{
  uint64_t bits;

  memcpy(&bits, &real, sizeof bits);
  put(value, bits, 8);
}

/* As the server reads it; rille_real_print writes finite numbers. */
static void
print_real(rille_postgres_value *value, double real)
{
  if (isnan(real))
    value->length = snprintf(value->room, sizeof value->room, "NaN");
  else if (isinf(real))
    value->length = snprintf(value->room, sizeof value->room, "%s", real > 0 ? "Infinity" : "-Infinity");
  else
    value->length = (int)rille_real_shortest(value->room, sizeof value->room, real);
  value->bytes = value->room;
  value->format = 0;
}

static void
give_integer(rille_postgres_form form, int64_t integer, rille_postgres_value *value)
{
  if (form == RILLE_PG_INT8)
    put(value, (uint64_t)integer, 8);
  else if (form == RILLE_PG_INT4 && integer >= INT32_MIN && integer <= INT32_MAX)
    put(value, (uint64_t)integer, 4);
  else if (form == RILLE_PG_INT2 && integer >= INT16_MIN && integer <= INT16_MAX)
    put(value, (uint64_t)integer, 2);
  else if (form == RILLE_PG_BOOL && (integer == 0 || integer == 1))
    put(value, (uint64_t)integer, 1);
  else if (form == RILLE_PG_FLOAT8 && integer >= -(INT64_C(1) << 53) && integer <= INT64_C(1) << 53)
    put_real(value, (double)integer);
  else {
    value->length = snprintf(value->room, sizeof value->room, "%lld", (long long)integer);
    value->bytes = value->room;
    value->format = 0;
  }
}

/* A text format ends in NUL, which the cell's text need not. */
static rille_status
copy_text(rille_str text, rille_arena *arena, rille_postgres_value *value, rille_fault *fault)
{
  value->bytes = rille_arena_copy(arena, text).at;
  value->length = (int)text.len;
  value->format = 0;
  return value->bytes != NULL ? RILLE_OK : rille_fault_no_memory(fault);
}

/* \x01ff, for a parameter of which nothing is known but that it takes text. */
static rille_status
print_blob(rille_str blob, rille_arena *arena, rille_postgres_value *value, rille_fault *fault)
{
  static const char digits[] = "0123456789abcdef";
  char *text = rille_arena_get(arena, 2 * blob.len + 3);

  if (text == NULL)
    return rille_fault_no_memory(fault);
  text[0] = '\\';
  text[1] = 'x';
  for (size_t i = 0; i < blob.len; i++) {
    text[2 + 2 * i] = digits[(unsigned char)blob.at[i] >> 4];
    text[3 + 2 * i] = digits[(unsigned char)blob.at[i] & 0xF];
  }
  value->bytes = text;
  value->length = (int)(2 * blob.len + 2);
  value->format = 0;
  return RILLE_OK;
}

/* A moment in the form that columns are given it spares the server the reading of a text. */
static bool
give_moment(rille_str text, rille_postgres_value *value)
{
  int64_t micros;

  if (!rille_postgres_given_moment(text, &micros))
    return false;
  put(value, (uint64_t)micros, 8);
  return true;
}

rille_status
rille_postgres_give(rille_postgres_form form, const rille_cell *cell, rille_arena *arena, rille_postgres_value *value,
                    rille_fault *fault)
{
  value->bytes = NULL;
  value->length = value->format = 0;
  switch (cell->kind) {
  case RILLE_NULL: break;
  case RILLE_BOOL:
  case RILLE_INT: give_integer(form, cell->as.integer, value); break;
  case RILLE_REAL:
    if (form == RILLE_PG_FLOAT8)
      put_real(value, cell->as.real);
    else
      print_real(value, cell->as.real);
    break;
  case RILLE_TEXT:
  case RILLE_BLOB:
    if (form == RILLE_PG_TEXT || form == RILLE_PG_BYTEA) {
      value->bytes = cell->as.text.at != NULL ? cell->as.text.at : "";
      value->length = (int)cell->as.text.len;
      value->format = 1;
    } else if (form == RILLE_PG_TIMESTAMP && cell->kind == RILLE_TEXT && give_moment(cell->as.text, value)) {
      break;
    } else if (cell->kind == RILLE_TEXT) {
      return copy_text(cell->as.text, arena, value, fault);
    } else {
      return print_blob(cell->as.text, arena, value, fault);
    }
    break;
  }
  return RILLE_OK;
}
