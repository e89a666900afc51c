/* spec/core/buffer_test.c - bytes that grow up to a limit, and a failure that is asked for once. */
#include "spec/support/spec.h"

#include "core/base/buffer.h"
#include "core/base/memory.h"

static bool refusing;

static int
allow(void)
{
  return !refusing;
}

static int
leave_memory(void **state)
{
  (void)state;
  refusing = false;
  rille_memory_gate(NULL);
  return 0;
}

static void
starts_empty(void **state)
{
  rille_buffer buffer;

  (void)state;
  rille_buffer_init(&buffer, 10);
  assert_text(rille_buffer_str(&buffer), "");
  assert_true(rille_buffer_ok(&buffer));
  rille_buffer_release(&buffer);
}

static void
appends_bytes_texts_and_numbers(void **state)
{
  rille_buffer buffer;
  rille_str content;

  (void)state;
  rille_buffer_init(&buffer, 1000);
  rille_buffer_text(&buffer, "abc");
  rille_buffer_text(&buffer, "");
  rille_buffer_byte(&buffer, '-');
  rille_buffer_format(&buffer, "%d", -12);
  rille_buffer_add(&buffer, "\0z", 2);
  rille_buffer_add(&buffer, NULL, 0);
  content = rille_buffer_str(&buffer);
  assert_int_equal(content.len, 9);
  assert_memory_equal(content.at, "abc--12\0z", 10);
  rille_buffer_release(&buffer);
}

static void
quotes_names(void **state)
{
  rille_buffer buffer;

  (void)state;
  rille_buffer_init(&buffer, 1000);
  rille_buffer_name(&buffer, rille_str_of("posts"));
  rille_buffer_name(&buffer, rille_str_of("say \"hi\""));
  rille_buffer_name(&buffer, rille_str_of(""));
  assert_text(rille_buffer_str(&buffer), "\"posts\"\"say \"\"hi\"\"\"\"\"");
  rille_buffer_release(&buffer);
}

static void
cuts_what_is_formatted_at_63_bytes(void **state)
{
  rille_buffer buffer;
  char digits[70];

  (void)state;
  memset(digits, '7', sizeof digits);
  digits[69] = '\0';
  rille_buffer_init(&buffer, 1000);
  rille_buffer_format(&buffer, "%.63s", digits);
  assert_int_equal(buffer.len, 63);
  rille_buffer_clear(&buffer);
  rille_buffer_format(&buffer, "%s", digits);
  assert_int_equal(buffer.len, 63);
  assert_true(rille_buffer_ok(&buffer));
  rille_buffer_release(&buffer);
}

static void
grows_and_keeps_what_it_has(void **state)
{
  enum { TOTAL = 100000 };
  rille_buffer buffer;
  size_t len = 0;
  rille_str content;

  (void)state;
  rille_buffer_init(&buffer, TOTAL);
  while (len < TOTAL) {
    char piece[50];
    size_t bytes = 1 + (size_t)spec_random(50);

    bytes = bytes < TOTAL - len ? bytes : TOTAL - len;
    for (size_t i = 0; i < bytes; i++)
      piece[i] = (char)((len + i) % 127);
    if (bytes == 1)
      rille_buffer_byte(&buffer, piece[0]);
    else
      rille_buffer_add(&buffer, piece, bytes);
    len += bytes;
  }
  content = rille_buffer_str(&buffer);
  assert_int_equal(content.len, TOTAL);
  for (size_t i = 0; i < TOTAL; i++)
    assert_int_equal(content.at[i], i % 127);
  assert_int_equal(content.at[TOTAL], '\0');
  rille_buffer_release(&buffer);
}

/* Around every limit, and however the bytes come: exactly `limit` fit. */
static void
holds_exactly_its_limit(void **state)
{
  static const size_t limits[] = { 0, 1, 2, 10, 254, 255, 256, 257, 300, 511, 512, 513, 1000 };
  static const size_t steps[] = { 1, 2, 7, 300 };

  (void)state;
  for (size_t l = 0; l < SPEC_COUNT(limits); l++)
    for (size_t s = 0; s < SPEC_COUNT(steps); s++) {
      rille_buffer buffer;
      size_t limit = limits[l], left = limit;
      char piece[300];

      memset(piece, 'a', sizeof piece);
      rille_buffer_init(&buffer, limit);
      while (left > 0) {
        size_t bytes = left < steps[s] ? left : steps[s];

        if (bytes == 1)
          rille_buffer_byte(&buffer, 'a');
        else
          rille_buffer_add(&buffer, piece, bytes);
        left -= bytes;
      }
      assert_true(rille_buffer_ok(&buffer));
      assert_int_equal(rille_buffer_str(&buffer).len, limit);
      assert_true(rille_buffer_ok(&buffer));
      if (steps[s] == 1)
        rille_buffer_byte(&buffer, 'b');
      else
        rille_buffer_add(&buffer, piece, 1);
      assert_false(rille_buffer_ok(&buffer));
      assert_true(buffer.full);
      assert_int_equal(buffer.len, limit);
      rille_buffer_release(&buffer);
    }
}

static void
stays_as_it_was_after_a_failure_until_it_is_cleared(void **state)
{
  rille_buffer buffer;

  (void)state;
  rille_buffer_init(&buffer, 5);
  rille_buffer_text(&buffer, "abc");
  rille_buffer_text(&buffer, "def");
  rille_buffer_byte(&buffer, 'g');
  rille_buffer_format(&buffer, "%d", 1);
  assert_false(rille_buffer_ok(&buffer));
  assert_int_equal(buffer.len, 3);
  assert_text(rille_buffer_str(&buffer), "");
  rille_buffer_clear(&buffer);
  assert_true(rille_buffer_ok(&buffer));
  assert_false(buffer.full);
  rille_buffer_text(&buffer, "hi");
  assert_text(rille_buffer_str(&buffer), "hi");
  rille_buffer_release(&buffer);
}

static void
tells_that_memory_ran_out_from_being_full(void **state)
{
  rille_buffer buffer;

  (void)state;
  rille_memory_gate(allow);
  rille_buffer_init(&buffer, 1000);
  rille_buffer_text(&buffer, "abc");
  refusing = true;
  for (int i = 0; i < 300; i++)
    rille_buffer_byte(&buffer, 'd');
  assert_false(rille_buffer_ok(&buffer));
  assert_false(buffer.full);
  refusing = false;
  rille_buffer_byte(&buffer, 'e');
  assert_false(rille_buffer_ok(&buffer));
  rille_buffer_release(&buffer);
  rille_buffer_text(&buffer, "again");
  assert_text(rille_buffer_str(&buffer), "again");
  assert_int_equal(buffer.limit, 1000);
  rille_buffer_release(&buffer);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(starts_empty),
    cmocka_unit_test(appends_bytes_texts_and_numbers),
    cmocka_unit_test(quotes_names),
    cmocka_unit_test(cuts_what_is_formatted_at_63_bytes),
    cmocka_unit_test(grows_and_keeps_what_it_has),
    cmocka_unit_test(holds_exactly_its_limit),
    cmocka_unit_test(stays_as_it_was_after_a_failure_until_it_is_cleared),
    cmocka_unit_test_teardown(tells_that_memory_ran_out_from_being_full, leave_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
