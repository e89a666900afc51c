/* spec/core/json_check_test.c - which texts are JSON to the letter. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/json_check.h"

enum { DEPTH = 100 };

/* The answer for a block of exactly these bytes. */
static bool
is_json(rille_str text, int depth)
{
  char *block = spec_exact(text.at, text.len);
  bool is = rille_json_check((rille_str){ block, text.len }, depth);

  free(block);
  return is;
}

static void
takes_what_is_json(void **state)
{
  static const char *const texts[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "10",
    "-12.50",
    "1e5",
    "1E+5",
    "1.5e-10",
    "\"\"",
    "\"a\"",
    " 1 ",
    "\t\r\n[]\n",
    "[]",
    "{}",
    "[1]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[],{}]",
    "{\"a\":1}",
    "{ \"a\" : 1 , \"b\" : [ ] }",
    "{\"\":{}}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uABCD\"",
    "\"\\ud83d\\ude00\"",
    "\"\xC3\xA9\xF0\x9F\x98\x80\"",
    "\"\x7f\"",
    "[{\"a\":[{\"b\":null}]},[[[]]],\"}]\"]",
    "{\"a\":1,\"a\":2}",
    "123456789012345678901234567890",
    "\"\\u0000\"",
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    if (!is_json(rille_str_of(texts[i]), DEPTH))
      fail_msg("%s", texts[i]);
}

static void
refuses_all_else(void **state)
{
  static const char *const texts[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "+1",
    "-",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "1 2",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1]]",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1 \"b\":2}",
    "[}",
    "{]",
    "[{]}",
    "{\"a\":[}]",
    "{\"a\"}",
    "{,}",
    "[1}",
    "{\"a\":1]",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u123g\"",
    "\"a\nb\"",
    "\"\x1f\"",
    "\"\x80\"",
    "\"\xC3\"",
    "\"\xED\xA0\x80\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ud83dx\"",
    "'a'",
    "/**/1",
    "1//",
    "\xEF\xBB\xBF"
    "1",
    "\v1",
    "\xC2\xA0"
    "1",
    "[1:2]",
    ",",
    ":",
    "[1],",
    "\"a\"\"b\"",
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(texts); i++)
    if (is_json(rille_str_of(texts[i]), DEPTH))
      fail_msg("%s", texts[i]);
  assert_false(is_json(SPEC_BYTES("\0"), DEPTH));
  assert_false(is_json(SPEC_BYTES("1\0"), DEPTH));
  assert_false(is_json(SPEC_BYTES("\"\\\0\""), DEPTH));
  assert_false(is_json(SPEC_BYTES("\"a\0b\""), DEPTH));
}

static void
counts_brackets_that_are_open(void **state)
{
  char text[1000];

  (void)state;
  for (int depth = 1; depth <= 256; depth += 17) {
    for (int i = 0; i < depth; i++) {
      text[i] = '[';
      text[2 * depth - 1 - i] = ']';
    }
    assert_true(is_json((rille_str){ text, (size_t)(2 * depth) }, depth));
    assert_false(is_json((rille_str){ text, (size_t)(2 * depth) }, depth - 1));
  }
  assert_true(is_json(rille_str_of("[[],[],[[]]]"), 3));
  assert_true(is_json(rille_str_of("1"), 0));
  assert_false(is_json(rille_str_of("{}"), 0));
  memset(text, '[', 300);
  memset(text + 300, ']', 300);
  assert_false(is_json((rille_str){ text, 600 }, 1000)); /* it keeps no more in mind */
}

/* A bracket of each kind, deep: the closing ones must be those that were opened. */
static void
closes_brackets_as_they_were_opened(void **state)
{
  enum { DEEP = 90 };
  char text[DEEP * 8];

  (void)state;
  spec_seed(3);
  for (int round = 0; round < 200; round++) {
    char closing[DEEP];
    size_t len = 0, swapped = spec_random(DEEP);

    for (int i = 0; i < DEEP; i++) {
      bool object = spec_random(2) == 0;

      closing[i] = object ? '}' : ']';
      memcpy(text + len, object ? "{\"a\":" : "[", object ? 5 : 1);
      len += object ? 5 : 1;
    }
    text[len++] = '0';
    for (int i = DEEP; i > 0; i--)
      text[len++] = closing[i - 1];
    assert_true(is_json((rille_str){ text, len }, DEPTH));
    text[len - 1 - swapped] = text[len - 1 - swapped] == ']' ? '}' : ']';
    assert_false(is_json((rille_str){ text, len }, DEPTH));
  }
}

/* Bytes cut off, put in or changed: no answer is wrong by reading too far, and a text that lost its end is none. */
static void
reads_no_further_than_the_text(void **state)
{
  static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\ud83d\\ude00\xC3\xA9\"],\"b\":{\"c\":[]}}";
  const size_t len = sizeof text - 1;
  char changed[sizeof text];

  (void)state;
  for (size_t i = 0; i < len; i++) {
    assert_false(is_json((rille_str){ text, i }, DEPTH));
    for (int byte = 0; byte < 256; byte++) {
      memcpy(changed, text, len);
      changed[i] = (char)byte;
      (void)is_json((rille_str){ changed, len }, DEPTH);
      (void)is_json((rille_str){ changed, i + 1 }, DEPTH);
    }
  }
  assert_true(is_json((rille_str){ text, len }, DEPTH));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(takes_what_is_json),
    cmocka_unit_test(refuses_all_else),
    cmocka_unit_test(counts_brackets_that_are_open),
    cmocka_unit_test(closes_brackets_as_they_were_opened),
    cmocka_unit_test(reads_no_further_than_the_text),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
