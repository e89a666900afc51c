/* spec/core/form_test.c - the texts that patterns, scalars and lists become for parameters. */
#include "spec/support/spec.h"

#include "core/base/memory.h"
#include "core/run/form.h"

/* Constant lists of texts. */
#define TEXT(words)                                             \
  {                                                             \
    .kind = RILLE_TEXT, .as.text = { words, sizeof(words) - 1 } \
  }

static rille_cell
text(const char *words)
{
  return (rille_cell){ .kind = RILLE_TEXT, .as.text = rille_str_of(words) };
}

static void
give(rille_param_form form, rille_cell cell, const char *wanted)
{
  rille_arena arena = { 0 };
  rille_fault fault;

  assert_ok(rille_form_give(form, &cell, &arena, &fault), &fault);
  assert_int_equal(cell.kind, RILLE_TEXT);
  assert_text(cell.as.text, wanted);
  rille_arena_release(&arena);
}

static void
a_pattern_becomes_a_glob(void **state)
{
  (void)state;
  give(RILLE_PARAM_GLOB, text("a%_*?[\\%\\\\x\\"), "a*?[*][?][[]%\\x\\");
}

static void
a_backslash_at_the_end_of_a_pattern_means_itself(void **state)
{
  (void)state;
  give(RILLE_PARAM_LIKE, text("a%\\_"), "a%\\_");
  give(RILLE_PARAM_LIKE, text("a\\"), "a\\\\");
  give(RILLE_PARAM_LIKE, text("a\\\\"), "a\\\\");
  give(RILLE_PARAM_LIKE, text("\\\\\\"), "\\\\\\\\");
  give(RILLE_PARAM_LIKE, text(""), "");
}

static void
a_scalar_becomes_json(void **state)
{
  rille_cell bytes = text("ab");
  rille_cell cell = { .kind = RILLE_NULL };
  rille_arena arena = { 0 };
  rille_fault fault;

  (void)state;
  give(RILLE_PARAM_JSON, text("say \"hi\" \\ \n"), "\"say \\\"hi\\\" \\\\ \\u000a\"");
  give(RILLE_PARAM_JSON, (rille_cell){ .kind = RILLE_INT, .as.integer = INT64_MIN }, "-9223372036854775808");
  give(RILLE_PARAM_JSON, (rille_cell){ .kind = RILLE_REAL, .as.real = 0.5 }, "0.5");
  assert_ok(rille_form_give(RILLE_PARAM_JSON, &cell, &arena, &fault), &fault);
  assert_int_equal(cell.kind, RILLE_NULL);
  bytes.kind = RILLE_BLOB;
  assert_fails(RILLE_UNSUPPORTED, rille_form_give(RILLE_PARAM_JSON, &bytes, &arena, &fault), &fault);
  rille_arena_release(&arena);
}

static void
list(rille_param_form form, rille_type_kind kind, const rille_cell *cells, size_t count, const char *wanted)
{
  const rille_param param = { .form = form, .type = { .kind = kind } };
  const rille_slot slot = { .list = cells, .list_len = count };
  rille_arena arena = { 0 };
  rille_cell made;
  rille_fault fault;

  assert_ok(rille_form_list(&param, &slot, &arena, &made, &fault), &fault);
  assert_int_equal(made.kind, RILLE_TEXT);
  assert_text(made.as.text, wanted);
  rille_arena_release(&arena);
}

static void
a_list_becomes_json_or_the_literal_of_an_array(void **state)
{
  const rille_cell texts[] = { TEXT("a,b"), TEXT("{\"\\}"), TEXT(""), TEXT("null") };
  const rille_cell numbers[] = { { .kind = RILLE_INT, .as.integer = -1 }, { .kind = RILLE_REAL, .as.real = 2.5 } };
  const rille_cell bytes[] = { { .kind = RILLE_BLOB, .as.text = { "a\xff", 2 } } };

  (void)state;
  list(RILLE_PARAM_LIST, RILLE_TYPE_TEXT, texts, 4, "[\"a,b\",\"{\\\"\\\\}\",\"\",\"null\"]");
  list(RILLE_PARAM_ARRAY, RILLE_TYPE_TEXT, texts, 4, "{\"a,b\",\"{\\\"\\\\}\",\"\",\"null\"}");
  list(RILLE_PARAM_LIST, RILLE_TYPE_ANY, numbers, 2, "[-1,2.5]");
  list(RILLE_PARAM_ARRAY, RILLE_TYPE_ANY, numbers, 2, "{-1,2.5}");
  list(RILLE_PARAM_ARRAY, RILLE_TYPE_BLOB, bytes, 1, "{\"\\\\x61ff\"}");
}

static void
a_list_says_what_it_cannot_hold(void **state)
{
  const rille_cell cells[] = { TEXT("a") };
  rille_param param = { .form = RILLE_PARAM_LIST, .type = { .kind = RILLE_TYPE_BLOB } };
  const rille_slot slot = { .list = cells, .list_len = 1 };
  rille_arena arena = { 0 };
  rille_cell made;
  rille_fault fault;

  (void)state;
  assert_fails(RILLE_UNSUPPORTED, rille_form_list(&param, &slot, &arena, &made, &fault), &fault);
  param.form = RILLE_PARAM_ARRAY;
  param.type.kind = RILLE_TYPE_INTEGER;
  assert_fails(RILLE_INVALID_ARGUMENT, rille_form_list(&param, &slot, &arena, &made, &fault), &fault);
  rille_arena_release(&arena);
}

static int
refuse(void)
{
  return 0;
}

static void
memory_may_run_out(void **state)
{
  const rille_param param = { .form = RILLE_PARAM_ARRAY };
  const rille_cell cells[] = { TEXT("a") };
  const rille_slot slot = { .list = cells, .list_len = 1 };
  const rille_param_form forms[] = { RILLE_PARAM_GLOB, RILLE_PARAM_LIKE, RILLE_PARAM_JSON };

  (void)state;
  for (size_t i = 0; i < 4; i++) {
    rille_cell cell = text("a\\");
    rille_arena arena = { 0 };
    rille_status status;
    rille_fault fault;

    rille_memory_gate(refuse);
    status = i < 3 ? rille_form_give(forms[i], &cell, &arena, &fault)
                   : rille_form_list(&param, &slot, &arena, &cell, &fault);
    rille_memory_gate(NULL);
    assert_fails(RILLE_OUT_OF_MEMORY, status, &fault);
    rille_arena_release(&arena);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_pattern_becomes_a_glob),
    cmocka_unit_test(a_backslash_at_the_end_of_a_pattern_means_itself),
    cmocka_unit_test(a_scalar_becomes_json),
    cmocka_unit_test(a_list_becomes_json_or_the_literal_of_an_array),
    cmocka_unit_test(a_list_says_what_it_cannot_hold),
    cmocka_unit_test(memory_may_run_out),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
