/* spec/core/name_test.c - names that may be used, how far two names are apart, and the nearest of many. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/base/cell.h"
#include "core/base/name.h"

static void
takes_what_may_name_something(void **state)
{
  static const char *const good[] = { "a",        "id",           "order", "my name", "na\"me", "a.b",
                                      "\xC3\xBC", "\xE2\x82\xAC", "1",     "--",      "'" };
  char longest[RILLE_NAME_MAX + 1];
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(good); i++)
    assert_ok(rille_name_check(rille_str_of(good[i]), "a column", &fault), &fault);
  memset(longest, 'x', sizeof longest);
  assert_ok(rille_name_check((rille_str){ longest, RILLE_NAME_MAX }, "a column", &fault), &fault);
}

static void
refuses_other_names_and_says_what_was_to_be_named(void **state)
{
  static const struct {
    rille_str name;
    const char *message;
  } bad[] = {
    { { "", 0 }, "the name of a table is empty" },
    { { NULL, 0 }, "the name of a table is empty" },
    { SPEC_BYTES("a\0b"), "the name of a table is not valid UTF-8 text" },
    { SPEC_BYTES("\0"), "the name of a table is not valid UTF-8 text" },
    { SPEC_BYTES("\xC0\x80"), "the name of a table is not valid UTF-8 text" },
    { SPEC_BYTES("\xED\xA0\x80"), "the name of a table is not valid UTF-8 text" },
    { SPEC_BYTES("a\xFF"), "the name of a table is not valid UTF-8 text" },
    { SPEC_BYTES("a\nb"), "the name of a table holds a control character" },
    { SPEC_BYTES("\x1F"), "the name of a table holds a control character" },
    { SPEC_BYTES("\x7F"), "the name of a table holds a control character" },
  };
  rille_fault fault;

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(bad); i++) {
    assert_fails(RILLE_INVALID_ARGUMENT, rille_name_check(bad[i].name, "a table", &fault), &fault);
    assert_string_equal(fault.message, bad[i].message);
    assert_int_equal(rille_name_check(bad[i].name, "a table", NULL), RILLE_INVALID_ARGUMENT);
  }
}

static void
refuses_names_longer_than_63_bytes(void **state)
{
  rille_fault fault;

  (void)state;
  for (size_t len = RILLE_NAME_MAX + 1; len < RILLE_NAME_MAX + 8; len++) {
    char *name = malloc(len);

    for (size_t i = 0; i < len; i++)
      name[i] = "\xE2\x82\xAC"[i % 3];
    assert_fails(RILLE_INVALID_ARGUMENT, rille_name_check((rille_str){ name, len }, "a column", &fault), &fault);
    assert_contains(fault.message, "at most 63");
    assert_true(rille_text_is_clean(rille_str_of(fault.message)));
    free(name);
  }
}

/* -- distance -------------------------------------------------------------------------------------------- */

static int
distance(const char *a, const char *b, int limit)
{
  return rille_name_distance(rille_str_of(a), rille_str_of(b), limit);
}

static void
counts_edits_between_two_names(void **state)
{
  static const struct {
    const char *a, *b;
    int edits;
  } cases[] = {
    { "", "", 0 },           { "", "abc", 3 },
    { "title", "title", 0 }, { "titel", "title", 1 },
    { "titl", "title", 1 },  { "ttitle", "title", 1 },
    { "tutle", "title", 1 }, { "TITLE", "title", 0 },
    { "eltit", "title", 4 }, { "ab", "ba", 1 },
    { "ca", "abc", 3 },      { "kitten", "sitting", 3 },
    { "views", "view", 1 },  { "author_id", "autor_id", 1 },
    { "a", "b", 1 },         { "\xC3\xA9", "\xC3\x89", 1 },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++) {
    assert_int_equal(distance(cases[i].a, cases[i].b, 20), cases[i].edits);
    assert_int_equal(distance(cases[i].b, cases[i].a, 20), cases[i].edits);
  }
}

/* The same distance, by its definition and with the whole matrix. */
static int
plain_distance(const char *a, const char *b)
{
  int d[32][32];
  int n = (int)strlen(a), m = (int)strlen(b);

  for (int i = 0; i <= n; i++)
    for (int j = 0; j <= m; j++) {
      int best;

      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (d[i - 1][j] + 1 < best)
        best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best)
        best = d[i][j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
        best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  return d[n][m];
}

static void
random_name(char *name, size_t longest)
{
  size_t len = (size_t)spec_random(longest + 1);

  for (size_t i = 0; i < len; i++)
    name[i] = (char)('a' + spec_random(3));
  name[len] = '\0';
}

static void
is_exact_up_to_its_limit_and_above_it_otherwise(void **state)
{
  (void)state;
  for (int i = 0; i < 20000; i++) {
    char a[16], b[16];
    int exact, limit = (int)spec_random(8), found;

    random_name(a, 12);
    random_name(b, 12);
    exact = plain_distance(a, b);
    found = distance(a, b, limit);
    if (exact <= limit ? found != exact : found <= limit)
      fail_msg("\"%s\" and \"%s\" are %d apart, not %d (limit %d)", a, b, exact, found, limit);
  }
}

static void
counts_names_over_64_bytes_as_far(void **state)
{
  char a[66], b[66];

  (void)state;
  memset(a, 'x', sizeof a);
  memset(b, 'x', sizeof b);
  assert_int_equal(rille_name_distance((rille_str){ a, 64 }, (rille_str){ b, 64 }, 5), 0);
  assert_int_equal(rille_name_distance((rille_str){ a, 63 }, (rille_str){ b, 64 }, 5), 1);
  assert_true(rille_name_distance((rille_str){ a, 65 }, (rille_str){ b, 65 }, 5) > 5);
  assert_true(rille_name_distance((rille_str){ a, 64 }, (rille_str){ b, 65 }, 5) > 5);
}

/* -- nearest --------------------------------------------------------------------------------------------- */

static const char *
nearest(const char *wanted, const char *const *known, size_t count)
{
  static char found[80];
  rille_nearest search;

  rille_nearest_init(&search, rille_str_of(wanted));
  for (size_t i = 0; i < count; i++)
    rille_nearest_offer(&search, rille_str_of(known[i]));
  (void)memcpy(found, search.best.len > 0 ? search.best.at : "", search.best.len);
  found[search.best.len] = '\0';
  return found;
}

static void
finds_the_nearest_of_many_names(void **state)
{
  static const char *const columns[] = { "id",     "author_id", "title",      "body",
                                         "status", "views",     "created_at", "updated_at" };
  static const struct {
    const char *wanted, *found;
  } cases[] = {
    { "titel", "title" },
    { "Title", "title" },
    { "titles", "title" },
    { "autor_id", "author_id" },
    { "veiws", "views" },
    { "updatd_at", "updated_at" },
    { "createdat", "created_at" },
    { "stauts", "status" },
    { "views", "views" },
    { "zzzzzz", "" },
    { "title_of_the_book", "" },
    { "", "" },
    { "bdoy", "body" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(cases); i++)
    assert_string_equal(nearest(cases[i].wanted, columns, SPEC_COUNT(columns)), cases[i].found);
}

static void
prefers_the_name_that_was_offered_first_among_equals(void **state)
{
  static const char *const known[] = { "vies", "view", "vies", "views" };

  (void)state;
  assert_string_equal(nearest("viewss", known, 2), "vies");
  assert_string_equal(nearest("viewss", known + 1, 2), "view");
  assert_string_equal(nearest("viewss", known, 4), "views");
}

static void
gives_its_find_as_advice(void **state)
{
  rille_nearest search;
  rille_fault fault;

  (void)state;
  rille_nearest_init(&search, rille_str_of("titel"));
  (void)rille_fault_set(&fault, RILLE_NO_SUCH_COLUMN, "no");
  rille_nearest_hint(&search, &fault);
  assert_string_equal(fault.hint, "");
  rille_nearest_offer(&search, rille_str_of("title"));
  rille_nearest_hint(&search, &fault);
  assert_string_equal(fault.hint, "did you mean \"title\"?");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(takes_what_may_name_something),
    cmocka_unit_test(refuses_other_names_and_says_what_was_to_be_named),
    cmocka_unit_test(refuses_names_longer_than_63_bytes),
    cmocka_unit_test(counts_edits_between_two_names),
    cmocka_unit_test(is_exact_up_to_its_limit_and_above_it_otherwise),
    cmocka_unit_test(counts_names_over_64_bytes_as_far),
    cmocka_unit_test(finds_the_nearest_of_many_names),
    cmocka_unit_test(prefers_the_name_that_was_offered_first_among_equals),
    cmocka_unit_test(gives_its_find_as_advice),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
