/* spec/support/spec.h - cmocka, and checks that show a fault or a text when they fail. */
#ifndef RILLE_SPEC_H
#define RILLE_SPEC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/status.h"
#include "core/base/text.h"

#define SPEC_COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A text with NUL bytes in it, from a literal. */
#define SPEC_BYTES(literal) ((rille_str){ literal, sizeof(literal) - 1 })

/* The call succeeds; otherwise what is in `fault` (not NULL) is shown. */
#define assert_ok(call, fault) spec_status(RILLE_OK, (call), (fault), #call, __FILE__, __LINE__)

/* The call returns `kind`, and the fault, where there is one, says the same kind and something to read. */
#define assert_fails(kind, call, fault) spec_status((kind), (call), (fault), #call, __FILE__, __LINE__)

/* The rille_str holds the bytes of the C string. */
#define assert_text(text, expected) spec_text((text), (expected), __FILE__, __LINE__)

/* The C string holds the other one somewhere. */
#define assert_contains(text, part) spec_contains((text), (part), __FILE__, __LINE__)

void spec_status(rille_status expected, rille_status status, const rille_fault *fault, const char *call,
                 const char *file, int line);
void spec_text(rille_str text, const char *expected, const char *file, int line);
void spec_contains(const char *text, const char *part, const char *file, int line);

/* A copy of the bytes in a block of exactly that size, so that reading past its end is seen.  The caller frees it. */
char *spec_exact(const void *bytes, size_t len);

/* A number from 0 to below - 1, the same row of numbers in every run after spec_seed. */
uint64_t spec_random(uint64_t below);
void spec_seed(uint64_t seed);

#endif
