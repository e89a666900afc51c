/* spec/core/hex_test.c - bytes become digits, and digits the same bytes or nothing. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/hex.h"

static void
reads_what_it_writes(void **state)
{
  unsigned char all[256], back[256];
  char hex[512], *exact;

  (void)state;
  for (int i = 0; i < 256; i++)
    all[i] = (unsigned char)i;
  rille_hex_write(all, sizeof all, hex);
  assert_memory_equal(hex, "000102", 6);
  assert_memory_equal(hex + 506, "fdfeff", 6);
  exact = spec_exact(hex, sizeof hex);
  assert_true(rille_hex_read((rille_str){ exact, sizeof hex }, back, sizeof back));
  assert_memory_equal(back, all, sizeof all);
  free(exact);
}

static void
takes_nothing_else(void **state)
{
  static const char *const wrong[] = { "", "0", "0g", "G0", "0A", "00 ", " 0", "000", "-1" };
  unsigned char byte;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(wrong); i++)
    assert_false(rille_hex_read(rille_str_of(wrong[i]), &byte, 1));
  assert_true(rille_hex_read((rille_str){ 0 }, &byte, 0));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_what_it_writes),
    cmocka_unit_test(takes_nothing_else),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
