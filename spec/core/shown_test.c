/* spec/core/shown_test.c - what a message quotes: escaped, shortened, never broken. */
#include "spec/support/spec.h"

#include "core/base/cell.h"
#include "core/base/shown.h"

static void
leaves_plain_text_as_it_is(void **state)
{
  (void)state;
  assert_string_equal(rille_show(rille_str_of("title")).text, "title");
  assert_string_equal(rille_show(rille_str_of("\xC3\xBC \xE6\x97\xA5 \xF0\x9F\x98\x80 \"\\")).text,
                      "\xC3\xBC \xE6\x97\xA5 \xF0\x9F\x98\x80 \"\\");
  assert_string_equal(rille_show((rille_str){ 0 }).text, "");
}

static void
shows_what_a_terminal_would_obey(void **state)
{
  (void)state;
  assert_string_equal(rille_show((rille_str)SPEC_BYTES("\x1B[m\n\r\t\0\x7F")).text, "\\x1B[m\\n\\r\\t\\x00\\x7F");
  assert_string_equal(rille_show(rille_str_of("\xC2\x9B 31m \xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF\xE2\x80\xA8")).text,
                      "\\u{9B} 31m \\u{202E}\\u{2066}\\u{FEFF}\\u{2028}");
  assert_string_equal(rille_show(rille_str_of("\xFF\xC3")).text, "\\xFF\\xC3");
}

/* Of every length, in characters of every width: whole ones, and an ellipsis exactly when something is missing. */
static void
shortens_between_characters(void **state)
{
  static const char *const characters[] = { "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x1B", "\xFF" };
  char text[400];

  (void)state;
  for (size_t c = 0; c < SPEC_COUNT(characters); c++)
    for (size_t len = 0, bytes = strlen(characters[c]); len + bytes < sizeof text; len += bytes) {
      rille_shown shown;
      size_t written, whole = (len / bytes + 1) * strlen(rille_show(rille_str_of(characters[c])).text);
      bool cut;

      memcpy(text + len, characters[c], bytes);
      shown = rille_show((rille_str){ text, len + bytes });
      written = strlen(shown.text);
      cut = written >= 3 && memcmp(shown.text + written - 3, "\xE2\x80\xA6", 3) == 0;
      assert_in_range(written, 1, RILLE_SHOWN_BYTES + 3);
      assert_true(rille_text_is_clean(rille_str_of(shown.text)));
      assert_int_equal(cut, whole > RILLE_SHOWN_BYTES);
    }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(leaves_plain_text_as_it_is),
    cmocka_unit_test(shows_what_a_terminal_would_obey),
    cmocka_unit_test(shortens_between_characters),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
