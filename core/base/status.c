/* core/base/status.c - names of the kinds, and the filling of faults. */
#include "core/base/status.h"

#include <stdio.h>

#include "core/base/cell.h"

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

/* What a fault says can be shown anywhere: a character cut at the end goes, control characters but line ends, and other
** bytes that are not UTF-8, become ?. */
static void
clean(char *text, bool cut)
{
  size_t len = strlen(text), at = 0;

  while ((at += rille_text_clean_bytes((rille_str){ text + at, len - at })) < len) {
    if (cut && len - at < 4 && ((unsigned char)text[at] & 0xC0) == 0xC0)
      text[len = at] = '\0';
    else
      text[at++] = '?';
  }
  for (char *c = text; *c != '\0'; c++)
    if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7F)
      *c = '?';
}

static void
print_into(char *to, size_t size, const char *format, va_list args)
{
  int written = vsnprintf(to, size, format, args);

  if (written < 0)
    to[0] = '\0';
  else
    clean(to, (size_t)written >= size);
}

rille_status
rille_fault_set_list(rille_fault *fault, rille_status kind, const char *format, va_list args)
{
  if (fault != NULL) {
    *fault = (rille_fault){ .kind = kind };
    print_into(fault->message, sizeof fault->message, format, args);
  }
  return kind;
}

rille_status
rille_fault_set(rille_fault *fault, rille_status kind, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  (void)rille_fault_set_list(fault, kind, format, args);
  va_end(args);
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
    clean(to, (size_t)snprintf(to, size, "%s", from) >= size);
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
