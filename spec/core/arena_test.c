/* spec/core/arena_test.c - pieces are aligned, zeroed, apart from each other, and given back at once. */
#include "spec/support/spec.h"

#include <stdalign.h>

#include "core/base/arena.h"
#include "core/base/memory.h"

enum { PIECES = 3000 };

static long allocations;
static long allowed = -1; /* how many more succeed; below zero: all */

static int
count_and_allow(void)
{
  allocations++;
  return allowed < 0 || (allowed > 0 && allowed-- > 0);
}

static int
watch_memory(void **state)
{
  (void)state;
  allocations = 0;
  allowed = -1;
  rille_memory_gate(count_and_allow);
  return 0;
}

static int
leave_memory(void **state)
{
  (void)state;
  rille_memory_gate(NULL);
  return 0;
}

static void
assert_zeroed(const char *piece, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++)
    assert_int_equal(piece[i], 0);
}

/* Takes pieces of all kinds of sizes and fills each with its number. */
static void
fill(rille_arena *arena, char *pieces[PIECES], size_t sizes[PIECES])
{
  for (size_t i = 0; i < PIECES; i++) {
    sizes[i] = i < 200 ? i : (size_t)spec_random(i % 100 == 0 ? 50000 : 300);
    pieces[i] = rille_arena_get(arena, sizes[i]);
    assert_non_null(pieces[i]);
    assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
    assert_zeroed(pieces[i], sizes[i]);
    memset(pieces[i], (int)(i % 251) + 1, sizes[i]);
  }
  assert_true(rille_arena_ok(arena));
}

static void
gives_aligned_zeroed_pieces_that_do_not_touch(void **state)
{
  rille_arena arena;
  char *pieces[PIECES];
  size_t sizes[PIECES];

  (void)state;
  rille_arena_init(&arena);
  for (int round = 0; round < 3; round++) {
    fill(&arena, pieces, sizes);
    for (size_t i = 0; i < PIECES; i++)
      for (size_t b = 0; b < sizes[i]; b++)
        if (pieces[i][b] != (char)((int)(i % 251) + 1))
          fail_msg("piece %zu was overwritten at byte %zu", i, b);
    rille_arena_reset(&arena);
  }
  rille_arena_release(&arena);
}

static void
gives_a_piece_for_no_bytes_too(void **state)
{
  rille_arena arena;

  (void)state;
  rille_arena_init(&arena);
  assert_non_null(rille_arena_get(&arena, 0));
  assert_ptr_not_equal(rille_arena_get(&arena, 0), rille_arena_get(&arena, 0));
  assert_true(rille_arena_ok(&arena));
  rille_arena_release(&arena);
}

static void
needs_no_memory_for_the_next_statement(void **state)
{
  rille_arena arena;

  (void)state;
  rille_arena_init(&arena);
  assert_int_equal(allocations, 0);
  assert_non_null(rille_arena_get(&arena, 100));
  for (int i = 0; i < 10; i++) {
    rille_arena_reset(&arena);
    assert_non_null(rille_arena_get(&arena, 4000));
  }
  assert_int_equal(allocations, 1);
  rille_arena_release(&arena);
}

static void
does_not_keep_a_huge_block(void **state)
{
  rille_arena arena;

  (void)state;
  rille_arena_init(&arena);
  assert_non_null(rille_arena_get(&arena, 5 << 20));
  rille_arena_reset(&arena);
  assert_null(arena.blocks);
  assert_non_null(rille_arena_get(&arena, 1));
  assert_int_equal(allocations, 2);
  rille_arena_release(&arena);
}

static void
cuts_its_first_pieces_from_the_room_it_was_given(void **state)
{
  alignas(max_align_t) char room[200];
  rille_arena arena;

  (void)state;
  for (size_t shift = 0; shift < 2 * alignof(max_align_t); shift++) {
    char *piece;

    memset(room, 'x', sizeof room);
    allocations = 0;
    rille_arena_init_on(&arena, room + shift, sizeof room - shift);
    piece = rille_arena_get(&arena, 100);
    assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
    assert_in_range((uintptr_t)piece, (uintptr_t)(room + shift), (uintptr_t)(room + sizeof room - 100));
    assert_zeroed(piece, 100);
    assert_int_equal(allocations, 0);
    assert_non_null(rille_arena_get(&arena, 100));
    assert_int_equal(allocations, 1);
    rille_arena_release(&arena);
  }
  rille_arena_init_on(&arena, room + 1, 3);
  assert_non_null(rille_arena_get(&arena, 1));
  assert_int_equal(allocations, 2);
  rille_arena_release(&arena);
}

static void
copies_text_with_a_nul_behind_it(void **state)
{
  rille_arena arena;
  rille_str copy;

  (void)state;
  rille_arena_init(&arena);
  copy = rille_arena_copy(&arena, SPEC_BYTES("a\0b"));
  assert_int_equal(copy.len, 3);
  assert_memory_equal(copy.at, "a\0b", 4);
  copy = rille_arena_copy(&arena, (rille_str){ 0 });
  assert_int_equal(copy.len, 0);
  assert_string_equal(copy.at, "");
  rille_arena_release(&arena);
}

static void
remembers_that_memory_ran_out_until_it_is_reset(void **state)
{
  rille_arena arena;
  char *kept;

  (void)state;
  rille_arena_init(&arena);
  kept = rille_arena_get(&arena, 4);
  memcpy(kept, "kept", 4);
  allowed = 0;
  assert_null(rille_arena_get(&arena, 100000));
  assert_non_null(rille_arena_get(&arena, 1));
  assert_false(rille_arena_ok(&arena));
  assert_memory_equal(kept, "kept", 4);
  rille_arena_reset(&arena);
  assert_true(rille_arena_ok(&arena));
  assert_non_null(rille_arena_get(&arena, 100));
  rille_arena_release(&arena);
  assert_null(rille_arena_get(&arena, 1));
  assert_false(rille_arena_ok(&arena));
  assert_null(rille_arena_copy(&arena, rille_str_of("a")).at);
  rille_arena_release(&arena);
  assert_true(rille_arena_ok(&arena));
}

static void
refuses_sizes_that_no_memory_has(void **state)
{
  rille_arena arena;

  (void)state;
  rille_arena_init(&arena);
  assert_null(rille_arena_get(&arena, SIZE_MAX));
  assert_null(rille_arena_get(&arena, SIZE_MAX - alignof(max_align_t) + 2));
  assert_int_equal(allocations, 0);
  assert_false(rille_arena_ok(&arena));
  rille_arena_release(&arena);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(gives_aligned_zeroed_pieces_that_do_not_touch, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(gives_a_piece_for_no_bytes_too, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(needs_no_memory_for_the_next_statement, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(does_not_keep_a_huge_block, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(cuts_its_first_pieces_from_the_room_it_was_given, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(copies_text_with_a_nul_behind_it, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(remembers_that_memory_ran_out_until_it_is_reset, watch_memory, leave_memory),
    cmocka_unit_test_setup_teardown(refuses_sizes_that_no_memory_has, watch_memory, leave_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
