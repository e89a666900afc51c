/* spec/core/status_test.c - kinds have names, faults say what happened and fit in their room. */
#include "spec/support/spec.h"

#include "core/base/cell.h"

static void
names_every_kind_once(void **state)
{
  static const char *const names[] = { "ok",
#define X(code, name) name,
                                       RILLE_STATUS_LIST(X)
#undef X
  };

  (void)state;
  assert_int_equal(SPEC_COUNT(names), RILLE_STATUS_COUNT);
  for (size_t i = 0; i < SPEC_COUNT(names); i++) {
    assert_string_equal(rille_status_name((rille_status)i), names[i]);
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(names[i], names[j]);
  }
  assert_string_equal(rille_status_name(RILLE_BUSY), "busy");
  assert_string_equal(rille_status_name(RILLE_STATUS_COUNT), "ok");
}

static void
fills_a_fault_and_forgets_the_last_one(void **state)
{
  rille_fault fault;

  (void)state;
  memset(&fault, 'x', sizeof fault);
  assert_int_equal(rille_fault_set(&fault, RILLE_BUSY, "row %d of %s", 7, "posts"), RILLE_BUSY);
  assert_int_equal(fault.kind, RILLE_BUSY);
  assert_int_equal(fault.code, 0);
  assert_string_equal(fault.message, "row 7 of posts");
  assert_string_equal(fault.hint, "");
  assert_string_equal(fault.table, "");
  assert_string_equal(fault.column, "");
  assert_string_equal(fault.constraint, "");
}

static void
adds_advice_and_a_place_to_a_fault(void **state)
{
  rille_fault fault;

  (void)state;
  (void)rille_fault_set(&fault, RILLE_CHECK_VIOLATION, "no");
  rille_fault_hint(&fault, "try %s", "again");
  rille_fault_place(&fault, "posts", "title", "short");
  rille_fault_place(&fault, NULL, "body", NULL);
  assert_string_equal(fault.message, "no");
  assert_string_equal(fault.hint, "try again");
  assert_string_equal(fault.table, "posts");
  assert_string_equal(fault.column, "body");
  assert_string_equal(fault.constraint, "short");
}

static void
works_without_a_fault_to_fill(void **state)
{
  (void)state;
  assert_int_equal(rille_fault_set(NULL, RILLE_CORRUPT, "%s", "lost"), RILLE_CORRUPT);
  assert_int_equal(rille_fault_no_memory(NULL), RILLE_OUT_OF_MEMORY);
  rille_fault_hint(NULL, "%s", "lost");
  rille_fault_place(NULL, "a", "b", "c");
}

static void
says_that_memory_ran_out(void **state)
{
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_OUT_OF_MEMORY, rille_fault_no_memory(&fault), &fault);
  assert_string_equal(fault.message, "out of memory");
}

/* Fills each text of a fault with characters of 1 to 4 bytes, so that the cut falls on each of their bytes. */
static void
cuts_long_texts_between_characters(void **state)
{
  static const char *const characters[] = { "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\x98" };
  char text[700];
  rille_fault fault;

  (void)state;
  for (size_t c = 0; c < SPEC_COUNT(characters); c++)
    for (size_t offset = 0; offset < 5; offset++) {
      size_t bytes = strlen(characters[c]);

      memset(text, '-', offset);
      for (size_t at = offset; at < sizeof text - 4; at += bytes)
        memcpy(text + at, characters[c], bytes + 1);
      (void)rille_fault_set(&fault, RILLE_SYNTAX, "%s", text);
      rille_fault_hint(&fault, "%s", text);
      rille_fault_place(&fault, text, text, text);

      const struct {
        const char *at;
        size_t room;
      } parts[] = {
        { fault.message, sizeof fault.message },       { fault.hint, sizeof fault.hint },
        { fault.table, sizeof fault.table },           { fault.column, sizeof fault.column },
        { fault.constraint, sizeof fault.constraint },
      };
      for (size_t i = 0; i < SPEC_COUNT(parts); i++) {
        size_t len = strlen(parts[i].at);

        assert_in_range(len, parts[i].room - bytes, parts[i].room - 1);
        assert_memory_equal(parts[i].at, text, len);
        assert_true(rille_text_is_clean(rille_str_of(parts[i].at)));
      }
    }
}

static void
shows_bytes_that_are_no_text_as_question_marks(void **state)
{
  rille_fault fault;

  (void)state;
  (void)rille_fault_set(&fault, RILLE_INVALID_ARGUMENT, "\xFFone \xC0\x80 two\xED\xA0\x80 \xC3\xA9\xE2\x82");
  assert_string_equal(fault.message, "?one ?? two??? \xC3\xA9??");
  rille_fault_hint(&fault, "\x80");
  rille_fault_place(&fault, "\xC3", "a\xC3z", "\xF5");
  assert_string_equal(fault.hint, "?");
  assert_string_equal(fault.table, "?");
  assert_string_equal(fault.column, "a?z");
  assert_string_equal(fault.constraint, "?");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_every_kind_once),
    cmocka_unit_test(fills_a_fault_and_forgets_the_last_one),
    cmocka_unit_test(adds_advice_and_a_place_to_a_fault),
    cmocka_unit_test(works_without_a_fault_to_fill),
    cmocka_unit_test(says_that_memory_ran_out),
    cmocka_unit_test(cuts_long_texts_between_characters),
    cmocka_unit_test(shows_bytes_that_are_no_text_as_question_marks),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
