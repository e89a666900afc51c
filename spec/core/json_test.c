/* spec/core/json_test.c - values as JSON: what is written, how much room it takes, and what cannot be written. */
#include "spec/support/spec.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"

/* Writes the text into a block of exactly the room that is asked for; the caller frees it.  NULL for no UTF-8. */
static char *
written(rille_str text, size_t *len)
{
  size_t room = rille_json_text_room(text);
  char *block = malloc(room), *given = spec_exact(text.at, text.len), *end;

  assert_non_null(block);
  end = rille_json_text(block, (rille_str){ given, text.len });
  free(given);
  if (end == NULL) {
    free(block);
    return NULL;
  }
  *len = (size_t)(end - block);
  assert_true(*len <= room);
  return block;
}

static void
assert_written(rille_str text, const char *expected)
{
  size_t len = 0;
  char *json = written(text, &len);

  assert_non_null(json);
  assert_text(((rille_str){ json, len }), expected);
  free(json);
}

static void
writes_texts_in_quotes(void **state)
{
  (void)state;
  assert_written(SPEC_BYTES(""), "\"\"");
  assert_written(SPEC_BYTES("plain"), "\"plain\"");
  assert_written(SPEC_BYTES("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  assert_written(SPEC_BYTES("\b\t\n\f\r\v\x1f\x7f"), "\"\\b\\t\\n\\f\\r\\u000b\\u001f\x7f\"");
  assert_written(SPEC_BYTES("a\0b"), "\"a\\u0000b\"");
  assert_written(SPEC_BYTES("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

/* Whatever byte stands wherever in a text of whatever length is written as it would be alone. */
static void
writes_each_byte_wherever_it_stands(void **state)
{
  char text[40], expected[120], alone[16];

  (void)state;
  for (size_t length = 1; length <= sizeof text; length++)
    for (size_t place = 0; place < length; place++)
      for (int byte = 0; byte < 0x80; byte++) {
        int bytes = byte == '"' || byte == '\\' ? snprintf(alone, sizeof alone, "\\%c", byte)
                    : byte == '\b'              ? snprintf(alone, sizeof alone, "\\b")
                    : byte == '\t'              ? snprintf(alone, sizeof alone, "\\t")
                    : byte == '\n'              ? snprintf(alone, sizeof alone, "\\n")
                    : byte == '\f'              ? snprintf(alone, sizeof alone, "\\f")
                    : byte == '\r'              ? snprintf(alone, sizeof alone, "\\r")
                    : byte < 0x20               ? snprintf(alone, sizeof alone, "\\u%04x", (unsigned)byte)
                                                : snprintf(alone, sizeof alone, "%c", byte);

        memset(text, 'x', length);
        text[place] = (char)byte;
        (void)snprintf(expected, sizeof expected, "\"%.*s%.*s%.*s\"", (int)place,
                       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", bytes, alone, (int)(length - place - 1),
                       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        assert_written((rille_str){ text, length }, expected);
      }
}

static void
refuses_what_is_no_utf8_wherever_it_stands(void **state)
{
  static const char *const broken[] = { "\x80", "\xC3", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xF5\x80\x80\x80" };
  char text[64];
  size_t len = 0;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(broken); i++)
    for (size_t before = 0; before < 20; before++)
      for (size_t after = 0; after < 20; after++) {
        size_t bytes = strlen(broken[i]);

        memset(text, 'x', sizeof text);
        memcpy(text + before, broken[i], bytes);
        assert_null(written((rille_str){ text, before + bytes + after }, &len));
      }
}

/* A long text is given the room that it takes, not six times its length. */
static void
asks_for_no_more_room_than_a_long_text_takes(void **state)
{
  enum { LONG = 100000 };
  static const char letters[] = "plain \"\\\n\x01\xC3\xA9";
  char *text = malloc(LONG), *json;
  size_t len = 0;

  (void)state;
  assert_non_null(text);
  for (size_t i = 0; i < LONG; i++)
    text[i] = letters[i % (sizeof letters - 1)];
  text[LONG - 1] = 'x';
  text[LONG - 2] = 'x';
  json = written((rille_str){ text, LONG }, &len);
  assert_non_null(json);
  assert_int_equal(len, rille_json_text_room((rille_str){ text, LONG }));
  free(json);
  free(text);
}

static void
writes_all_digits_of_integers(void **state)
{
  static const int64_t integers[] = { 0, 1, -1, 9, 10, 99, -100, 1234567890, INT64_MAX, INT64_MIN };
  char json[RILLE_JSON_NUMBER_BYTES], expected[32];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(integers); i++) {
    (void)snprintf(expected, sizeof expected, "%lld", (long long)integers[i]);
    assert_text(((rille_str){ json, (size_t)(rille_json_integer(json, integers[i]) - json) }), expected);
  }
}

static void
writes_the_fewest_digits_of_reals(void **state)
{
  static const struct {
    double real;
    const char *json;
  } cases[] = { { 0.0, "0.0" },
                { -0.0, "-0.0" },
                { 1, "1.0" },
                { -2.5, "-2.5" },
                { 0.1, "0.1" },
                { 1e300, "1e+300" },
                { 1e15, "1e+15" },
                { 999999999999999, "999999999999999.0" },
                { 0.1 + 0.2, "0.30000000000000004" } };
  char json[RILLE_JSON_NUMBER_BYTES];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_text(((rille_str){ json, (size_t)(rille_json_real(json, cases[i].real) - json) }), cases[i].json);
}

static void
writes_reals_that_read_back_the_same(void **state)
{
  static const double ends[] = { DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, DBL_EPSILON, 9007199254740993.0 };
  char json[RILLE_JSON_NUMBER_BYTES];

  (void)state;
  spec_seed(1);
  for (size_t i = 0; i < 20000; i++) {
    uint64_t bits = spec_random(UINT64_MAX);
    double real;
    char *end;

    memcpy(&real, &bits, sizeof real);
    if (i < SPEC_COUNT(ends))
      real = ends[i];
    end = rille_json_real(json, real);
    if (!isfinite(real)) {
      assert_null(end);
      continue;
    }
    assert_true(end < json + sizeof json);
    *end = '\0';
    assert_true(strtod(json, NULL) == real);
    assert_non_null(strpbrk(json, ".e"));
  }
  assert_null(rille_json_real(json, (double)NAN));
  assert_null(rille_json_real(json, (double)INFINITY));
  assert_null(rille_json_real(json, -(double)INFINITY));
}

/* The examples of RFC 4648, and all 256 bytes. */
static void
writes_bytes_in_base64(void **state)
{
  static const char *const pairs[][2] = { { "", "\"\"" },
                                          { "f", "\"Zg==\"" },
                                          { "fo", "\"Zm8=\"" },
                                          { "foo", "\"Zm9v\"" },
                                          { "foob", "\"Zm9vYg==\"" },
                                          { "fooba", "\"Zm9vYmE=\"" },
                                          { "foobar", "\"Zm9vYmFy\"" } };
  char json[400];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(pairs); i++) {
    rille_str bytes = rille_str_of(pairs[i][0]);
    char *end = rille_json_base64(json, bytes);

    assert_int_equal(end - json, rille_json_base64_room(bytes.len));
    assert_text(((rille_str){ json, (size_t)(end - json) }), pairs[i][1]);
  }
  assert_text(((rille_str){ json, (size_t)(rille_json_base64(json, SPEC_BYTES("\0\xFF\xFB\xF0")) - json) }),
              "\"AP/78A==\"");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(writes_texts_in_quotes),
    cmocka_unit_test(writes_each_byte_wherever_it_stands),
    cmocka_unit_test(refuses_what_is_no_utf8_wherever_it_stands),
    cmocka_unit_test(asks_for_no_more_room_than_a_long_text_takes),
    cmocka_unit_test(writes_all_digits_of_integers),
    cmocka_unit_test(writes_the_fewest_digits_of_reals),
    cmocka_unit_test(writes_reals_that_read_back_the_same),
    cmocka_unit_test(writes_bytes_in_base64),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
