/* spec/support/spec.c - checks that say what they saw; made-up numbers that come again. */
#include "spec/support/spec.h"

#include <stdlib.h>

void
spec_status(rille_status expected, rille_status status, const rille_fault *fault, const char *call, const char *file,
            int line)
{
  if (status != expected) {
    print_error("%s: %s instead of %s", call, rille_status_name(status), rille_status_name(expected));
    if (status != RILLE_OK && fault != NULL)
      print_error(": %s", fault->message);
    print_error("\n");
    _fail(file, line);
  }
  if (expected != RILLE_OK && fault != NULL && (fault->kind != expected || fault->message[0] == '\0')) {
    print_error("%s: the fault says %s, \"%s\"\n", call, rille_status_name(fault->kind), fault->message);
    _fail(file, line);
  }
}

void
spec_text(rille_str text, const char *expected, const char *file, int line)
{
  if (!rille_str_is(text, expected)) {
    print_error("\"%.*s\"\ninstead of\n\"%s\"\n", (int)text.len, text.at != NULL ? text.at : "", expected);
    _fail(file, line);
  }
}

void
spec_contains(const char *text, const char *part, const char *file, int line)
{
  if (strstr(text, part) == NULL) {
    print_error("\"%s\"\ndoes not hold\n\"%s\"\n", text, part);
    _fail(file, line);
  }
}

char *
spec_exact(const void *bytes, size_t len)
{
  char *block = malloc(len > 0 ? len : 1);

  if (block != NULL && len > 0)
    memcpy(block, bytes, len);
  return block;
}

/* xorshift64*, by Sebastiano Vigna */
static uint64_t random_state = 88172645463325252u;

void
spec_seed(uint64_t seed)
{
  random_state = seed * 2654435769u + 88172645463325252u;
}

uint64_t
spec_random(uint64_t below)
{
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (random_state * 2685821657736338717u >> 11) % below;
}
