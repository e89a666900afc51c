/* spec/core/cell_test.c - which bytes are a text: well-formed UTF-8 without NUL, wherever the fault stands. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/cell.h"

static size_t
encode(uint32_t c, unsigned char out[4])
{
  if (c < 0x80) {
    out[0] = (unsigned char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (unsigned char)(0xC0 | c >> 6);
    out[1] = (unsigned char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (unsigned char)(0xE0 | c >> 12);
    out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (unsigned char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (unsigned char)(0xF0 | c >> 18);
  out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
  out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
  out[3] = (unsigned char)(0x80 | (c & 0x3F));
  return 4;
}

/* What the standard says of one character, told in another way: decode by the lead, then encode again and compare. */
static bool
is_one_character(const unsigned char *s, size_t len)
{
  unsigned char again[4];
  uint32_t c;

  if (len == 1)
    c = s[0];
  else if (len == 2)
    c = (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
  else if (len == 3)
    c = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
  else
    c = (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
  return c != 0 && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF) && encode(c, again) == len &&
         memcmp(again, s, len) == 0;
}

/* Any way to cut the bytes into characters. */
static bool
is_text(const unsigned char *s, size_t len)
{
  if (len == 0)
    return true;
  for (size_t first = 1; first <= len && first <= 4; first++)
    if (is_one_character(s, first) && is_text(s + first, len - first))
      return true;
  return false;
}

static bool
is_clean(const void *bytes, size_t len)
{
  return rille_text_is_clean((rille_str){ bytes, len });
}

static void
check(const unsigned char *s, size_t len)
{
  if (is_clean(s, len) != is_text(s, len))
    fail_msg("%zu bytes %02x %02x %02x %02x should %s", len, s[0], s[1], s[2], s[3],
             is_text(s, len) ? "be clean" : "not");
}

static void
takes_every_character_but_nul_and_surrogates(void **state)
{
  unsigned char s[4];

  (void)state;
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    bool wanted = c != 0 && !(c >= 0xD800 && c <= 0xDFFF);
    size_t len = encode(c, s);

    if (is_clean(s, len) != wanted)
      fail_msg("U+%04X should %s", c, wanted ? "be clean" : "not");
    for (size_t cut = 1; cut < len; cut++)
      if (is_clean(s, cut))
        fail_msg("U+%04X cut after %zu bytes should not be clean", c, cut);
  }
}

static void
judges_all_short_byte_sequences_as_the_standard_does(void **state)
{
  static const unsigned char edges[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                         0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xF0, 0xFF };
  unsigned char s[4] = { 0 };

  (void)state;
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++) {
      s[0] = (unsigned char)a;
      s[1] = (unsigned char)b;
      check(s, 1);
      check(s, 2);
      for (size_t c = 0; c < SPEC_COUNT(edges); c++) {
        s[2] = edges[c];
        check(s, 3);
        for (size_t d = 0; a >= 0xE0 && d < SPEC_COUNT(edges); d++) {
          s[3] = edges[d];
          check(s, 4);
        }
      }
    }
}

/* The scan goes by words of eight bytes: a fault may stand in any byte of any word, or in the rest behind them. */
static void
finds_a_fault_wherever_it_stands(void **state)
{
  static const char *const faults[] = { "\x80",     "\xC3", "\xE2\x82",        "\xED\xA0\x80",
                                        "\xC0\x80", "\xFF", "\xF5\x80\x80\x80" };
  static const char *const good[] = { "a", "\x01", "\x7F", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\x98" };

  (void)state;
  for (size_t before = 0; before < 26; before++)
    for (size_t behind = 0; behind < 18; behind++) {
      char bytes[64];
      char *exact;

      memset(bytes, 'x', sizeof bytes);
      for (size_t i = 0; i < SPEC_COUNT(faults); i++) {
        size_t len = strlen(faults[i]);

        memcpy(bytes + before, faults[i], len);
        exact = spec_exact(bytes, before + len + behind);
        assert_int_equal(rille_text_clean_bytes((rille_str){ exact, before + len + behind }), before);
        assert_false(is_clean(exact, before + len + behind));
        free(exact);
        memset(bytes, 'x', sizeof bytes);
      }
      for (size_t i = 0; i < SPEC_COUNT(good); i++) {
        size_t len = strlen(good[i]);

        memcpy(bytes + before, good[i], len);
        exact = spec_exact(bytes, before + len + behind);
        assert_true(is_clean(exact, before + len + behind));
        assert_int_equal(rille_text_clean_bytes((rille_str){ exact, before + len + behind }), before + len + behind);
        free(exact);
        memset(bytes, 'x', sizeof bytes);
      }
      bytes[before] = '\0';
      exact = spec_exact(bytes, before + 1 + behind);
      assert_int_equal(rille_text_clean_bytes((rille_str){ exact, before + 1 + behind }), before);
      free(exact);
    }
}

static void
takes_the_empty_text(void **state)
{
  (void)state;
  assert_true(rille_text_is_clean((rille_str){ 0 }));
  assert_true(is_clean("", 0));
}

static void
names_every_kind_of_value(void **state)
{
  (void)state;
  assert_string_equal(rille_cell_kind_name(RILLE_NULL), "NULL");
  assert_string_equal(rille_cell_kind_name(RILLE_INT), "an integer");
  assert_string_equal(rille_cell_kind_name(RILLE_REAL), "a real number");
  assert_string_equal(rille_cell_kind_name(RILLE_TEXT), "a text");
  assert_string_equal(rille_cell_kind_name(RILLE_BLOB), "bytes");
  assert_string_equal(rille_cell_kind_name(RILLE_BOOL), "a boolean");
}

static void
writes_doubles_as_sql_does(void **state)
{
  static const struct {
    double real;
    const char *text;
  } cases[] = {
    { 0, "0.0" },
    { -0.0, "-0.0" },
    { 1, "1.0" },
    { -0.25, "-0.25" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 0.0001, "0.0001" },
    { 0.00001, "1.0e-05" },
    { 123456789012345, "123456789012345.0" },
    { 999999999999999.9, "999999999999999.9" },
    { 1e15, "1.0e+15" },
    { 1234567890123456, "1.234567890123456e+15" },
    { 1000000000000000.25, "1.0000000000000002e+15" },
    { -1.7976931348623157e308, "-1.7976931348623157e+308" },
    { 5e-324, "5.0e-324" },
  };
  char room[RILLE_REAL_BYTES];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    assert_text(((rille_str){ room, rille_real_text(room, cases[i].real) }), cases[i].text);
    assert_true(rille_real_read(room) == cases[i].real);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(takes_every_character_but_nul_and_surrogates),
    cmocka_unit_test(judges_all_short_byte_sequences_as_the_standard_does),
    cmocka_unit_test(finds_a_fault_wherever_it_stands),
    cmocka_unit_test(takes_the_empty_text),
    cmocka_unit_test(names_every_kind_of_value),
    cmocka_unit_test(writes_doubles_as_sql_does),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
