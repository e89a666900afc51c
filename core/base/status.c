/* core/base/status.c - names of the kinds, and the filling of faults. */
#include "core/base/status.h"

#include <stdio.h>
#include <string.h>

const char *
rille_status_name(rille_status status)
{
  switch (status) {
#define X(code, name) \
  case RILLE_##code: return name;
    RILLE_STATUS_LIST(X)
#undef X
  case RILLE_OK:
  case RILLE_STATUS_COUNT: break;
  }
  return "ok";
}

/* A cut must not leave half a character: drops trailing bytes of an unfinished UTF-8 sequence. */
static void
trim_to_character(char *text)
{
  size_t len = strlen(text);
  size_t back = 0;

  while (back < 4 && back < len && ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80)
    back++;
  if (back < len) {
    unsigned char lead = (unsigned char)text[len - 1 - back];
    size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;

    if (want > back)
      text[len - 1 - back] = '\0';
  }
}

static void
print_into(char *to, size_t size, const char *format, va_list args)
{
  int written = vsnprintf(to, size, format, args);

  if (written < 0)
    to[0] = '\0';
  else if ((size_t)written >= size)
    trim_to_character(to);
}

rille_status
rille_fault_set(rille_fault *fault, rille_status kind, const char *format, ...)
{
  if (fault != NULL) {
    va_list args;

    *fault = (rille_fault){ .kind = kind };
    va_start(args, format);
    print_into(fault->message, sizeof fault->message, format, args);
    va_end(args);
  }
  return kind;
}

void
rille_fault_hint(rille_fault *fault, const char *format, ...)
{
  if (fault != NULL) {
    va_list args;

    va_start(args, format);
    print_into(fault->hint, sizeof fault->hint, format, args);
    va_end(args);
  }
}

static void
copy_name(char *to, size_t size, const char *from)
{
  if (from != NULL)
    (void)snprintf(to, size, "%s", from);
}

void
rille_fault_place(rille_fault *fault, const char *table, const char *column, const char *constraint)
{
  if (fault != NULL) {
    copy_name(fault->table, sizeof fault->table, table);
    copy_name(fault->column, sizeof fault->column, column);
    copy_name(fault->constraint, sizeof fault->constraint, constraint);
  }
}

rille_status
rille_fault_no_memory(rille_fault *fault)
{
  return rille_fault_set(fault, RILLE_OUT_OF_MEMORY, "out of memory");
}
