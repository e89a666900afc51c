/* host/value.c - values of rille.h in C alone: made from what a caller has, read without surprises. */
#include "host/hook.h"

#include <math.h>
#include <string.h>

/* ---- Made by the caller, borrowed -------------------------------------------------------------------------------- */

rille_value
rille_null(void)
{
  return (rille_value){ .kind = RILLE_NULL };
}

rille_value
rille_bool(bool value)
{
  return (rille_value){ .kind = RILLE_BOOL, .as.boolean = value };
}

rille_value
rille_int(int64_t value)
{
  return (rille_value){ .kind = RILLE_INT, .as.integer = value };
}

rille_value
rille_real(double value)
{
  return (rille_value){ .kind = RILLE_REAL, .as.real = value };
}

rille_value
rille_text(const char *text)
{
  return rille_blob(text, text ? strlen(text) : 0);
}

rille_value
rille_blob(const void *bytes, size_t length)
{
  return bytes ? (rille_value){ .kind = RILLE_TEXT, .length = length, .as.text = bytes } : rille_null();
}

rille_value
rille_list(const rille_value *items, size_t n)
{
  return items ? (rille_value){ .kind = RILLE_LIST, .length = n, .as.items = items } : rille_null();
}

rille_value
rille_table(const rille_field *fields, size_t n)
{
  return fields ? (rille_value){ .kind = RILLE_TABLE, .length = n, .as.fields = fields } : rille_null();
}

/* ---- Readers ----------------------------------------------------------------------------------------------------- */

static bool
is(const rille_value *value, rille_kind kind)
{
  return value != NULL && value->kind == kind;
}

rille_kind
rille_kind_of(const rille_value *value)
{
  return value ? value->kind : RILLE_NULL;
}

bool
rille_is_null(const rille_value *value)
{
  return rille_kind_of(value) == RILLE_NULL;
}

bool
rille_as_bool(const rille_value *value)
{
  return is(value, RILLE_BOOL) && value->as.boolean;
}

int64_t
rille_as_int(const rille_value *value)
{
  int64_t result = 0;

  if (is(value, RILLE_INT))
    result = value->as.integer;
  else if (is(value, RILLE_REAL) && value->as.real >= -0x1p63 && value->as.real < 0x1p63 &&
           floor(value->as.real) == value->as.real)
    result = (int64_t)value->as.real;
  return result;
}

double
rille_as_real(const rille_value *value)
{
  return is(value, RILLE_REAL) ? value->as.real : is(value, RILLE_INT) ? (double)value->as.integer : 0;
}

const char *
rille_as_text(const rille_value *value)
{
  return is(value, RILLE_TEXT) ? value->as.text : NULL;
}

size_t
rille_length(const rille_value *value)
{
  return value ? value->length : 0;
}

const rille_value *
rille_at(const rille_value *value, size_t index)
{
  const rille_value *item = NULL;

  if (is(value, RILLE_LIST) && index < value->length)
    item = &value->as.items[index];
  else if (is(value, RILLE_TABLE) && index < value->length)
    item = &value->as.fields[index].value;
  return item;
}

const char *
rille_key_at(const rille_value *value, size_t index)
{
  return is(value, RILLE_TABLE) && index < value->length ? value->as.fields[index].name : NULL;
}

/* A caller's own table need not be sorted, and those that come back are small. */
const rille_value *
rille_get(const rille_value *value, const char *name)
{
  const rille_value *found = NULL;

  if (is(value, RILLE_RECORD) && name != NULL)
    found = rille_hook_read(value, name);
  else if (is(value, RILLE_TABLE) && name != NULL)
    for (size_t i = 0; found == NULL && i < value->length; i++)
      if (strcmp(value->as.fields[i].name, name) == 0)
        found = &value->as.fields[i].value;
  return found;
}
