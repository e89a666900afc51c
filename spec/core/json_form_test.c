/* json_form_test.c - texts of JSON that mean the same have one form, and no others do. */
#include "core/base/json_form.h"

#include "core/base/memory.h"
#include "spec/support/spec.h"

/* Whether both are JSON that `jsonb` takes, and of one form. */
static bool
same(const char *a, const char *b)
{
  rille_arena arena;
  rille_buffer first, second;
  bool is_same;

  rille_arena_init(&arena);
  rille_buffer_init(&first, 1 << 20);
  rille_buffer_init(&second, 1 << 20);
  is_same = rille_json_form(rille_str_of(a), &arena, &first) == NULL &&
            rille_json_form(rille_str_of(b), &arena, &second) == NULL &&
            rille_str_equal(rille_buffer_str(&first), rille_buffer_str(&second));
  rille_buffer_release(&first);
  rille_buffer_release(&second);
  rille_arena_release(&arena);
  return is_same;
}

static int allowed_left; /* allocations */

static int
allow(void)
{
  return allowed_left-- > 0;
}

static const char *
why(const char *text)
{
  rille_arena arena;
  rille_buffer out;
  const char *why;

  rille_arena_init(&arena);
  rille_buffer_init(&out, 1 << 20);
  why = rille_json_form(rille_str_of(text), &arena, &out);
  rille_buffer_release(&out);
  rille_arena_release(&arena);
  return why;
}

static void
numbers_are_what_they_are_worth(void **state)
{
  static const char *const alike[][2] = {
    { "1", "1.0" },      { "1", "1e0" },        { "100", "1E2" },       { "0.001", "1e-3" },        { "-0", "0" },
    { "0", "0.00" },     { "-0.0e5", "0" },     { "12.50", "12.5" },    { "1200", "12e+2" },        { "0.10e1", "1" },
    { "[1]", "[1.00]" }, { "1e400", "10e399" }, { "0.0123", "123e-4" }, { "100.001", "100001e-3" },
  };
  static const char *const other[][2] = {
    { "1", "10" },    { "1", "-1" },     { "1.05", "1.5" }, { "9007199254740993", "9007199254740992" },
    { "12", "1.2" },  { "0", "z" },      { "1e2", "1e3" },  { "100.1", "10.01" },
    { "1", "\"1\"" }, { "10", "[1,0]" },
  };

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(alike); i++)
    assert_true(same(alike[i][0], alike[i][1]));
  for (size_t i = 0; i < SPEC_COUNT(other); i++)
    assert_false(same(other[i][0], other[i][1]));
}

static void
texts_are_what_they_say_however_it_is_escaped(void **state)
{
  (void)state;
  assert_true(same("\"\\u0041\\n\\/\"", "\"A\\n/\""));
  assert_true(same("\"\\u00e9\"", "\"\xC3\xA9\""));
  assert_true(same("\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""));
  assert_true(same("\"\\u20ac\"", "\"\xE2\x82\xAC\""));
  assert_true(same("\"\\b\\f\\r\\t\\\\\\\"\"", "\"\\u0008\\u000c\\u000d\\u0009\\u005C\\u0022\""));
  assert_false(same("\"\\\\n\"", "\"\\n\""));
  assert_false(same("\"a\"", "\"a \""));
}

static void
objects_have_their_last_members_in_any_order(void **state)
{
  (void)state;
  assert_true(same("{\"b\": 1, \"a\" : [ true , {} ]}", "{\"a\":[true,{}],\"b\":1}"));
  assert_true(same("{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}"));
  assert_true(same("{\"a\":{\"y\":1,\"x\":2},\"\":null}", "{\"\":null,\"a\":{\"x\":2,\"y\":1}}"));
  assert_true(same("{\"\\u0061\":1}", " {\"a\":1} "));
  assert_false(same("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"));
  assert_false(same("[1,2]", "[2,1]"));
  assert_false(same("{}", "[]"));
  assert_false(same("{\"a\":\"b\"}", "[\"a\",\"b\"]"));
  assert_false(same("[[],[]]", "[[[]]]"));
}

static void
what_jsonb_would_not_take_is_said(void **state)
{
  (void)state;
  assert_non_null(why("{\"a\":[\"\\u0000\"]}"));
  assert_non_null(why("{\"a\\u0000\":1}"));
  assert_non_null(why("[1e200000]"));
  assert_non_null(why("[1e-20000]"));
  assert_non_null(why("[1e99999999999999999999]"));
  assert_non_null(why("{a:1}"));
  assert_non_null(why(""));
  assert_non_null(why("\"\\ud800\""));
  assert_null(why("[1e131071, 0e999999999, 1e-16383]"));
}

/* Memory that runs out anywhere ends it, and is told. */
static void
says_that_memory_ran_out(void **state)
{
  static const char text[] = "{\"b\":[1,{\"\\u00e9\":[2.50,{\"x\":{}}]},\"\\n\"],\"a\":\"\\t\",\"c\":[[]]}";

  (void)state;
  for (int limit = 0; limit < 60; limit++) {
    rille_arena arena;
    rille_buffer out;

    rille_arena_init(&arena);
    rille_buffer_init(&out, (size_t)limit);
    assert_null(rille_json_form(rille_str_of(text), &arena, &out));
    assert_true(limit > 50 || !rille_buffer_ok(&out));
    rille_buffer_release(&out);
    rille_arena_release(&arena);
  }
  allowed_left = 0;
  rille_memory_gate(allow);
  for (int count = 0; count < 12; count++) {
    rille_arena arena;
    rille_buffer out;

    rille_arena_init(&arena);
    rille_buffer_init(&out, 1 << 20);
    allowed_left = count;
    assert_null(rille_json_form(rille_str_of(text), &arena, &out));
    assert_true(count > 0 || !rille_buffer_ok(&out) || !rille_arena_ok(&arena));
    rille_buffer_release(&out);
    rille_arena_release(&arena);
  }
  rille_memory_gate(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_what_they_are_worth),
    cmocka_unit_test(texts_are_what_they_say_however_it_is_escaped),
    cmocka_unit_test(objects_have_their_last_members_in_any_order),
    cmocka_unit_test(what_jsonb_would_not_take_is_said),
    cmocka_unit_test(says_that_memory_ran_out),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
