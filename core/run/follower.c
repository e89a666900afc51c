/* core/run/follower.c - the plan of one who is followed, and a batch of its work. */
#include "core/run/follower.h"

#include "core/base/memory.h"
#include "core/run/follow_ends.h"
#include "core/run/sleeper.h"
#include "core/run/turn.h"

enum {
  BATCH = 1000,      /* transactions at once, before others have their turn */
  LINGER_MS = 10,    /* for more to come */
  TIDY_MS = 100,     /* without more to apply: the outbox is emptied, which takes the source's lock */
  TIDY_AFTER = 2000, /* transactions that were applied: it is emptied all the same */
  PAUSE_MS = 50,     /* after the first failure, doubled with each more */
  PAUSE_MOST_MS = 30000
};

/* Before a transaction is tried again; then it is set aside. */
static const int again_ms[] = { 10, 40, 160 };
enum { TRIES = sizeof again_ms / sizeof again_ms[0] };

rille_status
rille_follower_new(const rille_opening *source, const rille_opening *target, const rille_mirror *mirror,
                   rille_follower **out, rille_fault *fault)
{
  rille_follower *follower = rille_memory_get(sizeof *follower);
  rille_arena *arena;
  rille_str *tables;

  if (follower == NULL)
    return rille_fault_no_memory(fault);
  arena = &follower->arena;
  rille_arena_init(arena);
  follower->source = rille_opening_copy(source, arena);
  follower->source.options.existing = true; /* one that was dropped stays so */
  follower->target = rille_opening_copy(target, arena);
  tables = rille_arena_get(arena, mirror->table_count * sizeof *tables);
  for (size_t i = 0; tables != NULL && i < mirror->table_count; i++)
    tables[i] = rille_arena_copy(arena, mirror->tables[i]);
  follower->mirror = (rille_mirror){ .name = rille_arena_copy(arena, mirror->name),
                                     .source_name = rille_arena_copy(arena, mirror->source_name),
                                     .tables = tables,
                                     .table_count = mirror->table_count,
                                     .untidy = true };
  if (!rille_arena_ok(arena)) {
    rille_follower_free(follower);
    return rille_fault_no_memory(fault);
  }
  *out = follower;
  return RILLE_OK;
}

void
rille_follower_free(rille_follower *follower)
{
  rille_arena_release(&follower->arena);
  rille_memory_free(follower);
}

bool
rille_follower_is_wanted(const rille_follower *follower)
{
  return follower->due_ms > 0 && follower->look.failures == 0;
}

void
rille_follower_delay(rille_follower *follower, int64_t ms)
{
  follower->due_ms = rille_sleeper_now_ms() + ms;
  follower->tidying = false;
}

rille_status
rille_follower_work(rille_follower *follower, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror mirror = follower->mirror;
  rille_turn turn;
  rille_status status = rille_follow_ends_open(follower->number, &follower->source, &follower->target, &mirror.source,
                                               &mirror.target, fault);

  *out = (rille_mirror_outcome){ 0 };
  if (status != RILLE_OK)
    return status;
  if (follower->tidying) {
    rille_mirror_tidy(&mirror, follower->seq);
    follower->untidy = 0;
  } else {
    rille_turn_take(&turn, follower->target.options.database);
    status = rille_mirror_apply(&mirror, BATCH, follower->tries > TRIES, out, fault);
    rille_turn_leave(&turn);
  }
  rille_follow_ends_rest();
  return status;
}

void
rille_follower_plan(rille_follower *follower, rille_status status, const rille_mirror_outcome *out,
                    const rille_fault *fault)
{
  bool blocked = status != RILLE_OK && out->blocked > 0;

  if (status != RILLE_OK && !blocked) {
    int doubled = follower->look.failures < 10 ? follower->look.failures : 10;

    follower->look.failures++;
    follower->look.fault = *fault;
    rille_follower_delay(follower, PAUSE_MS << doubled < PAUSE_MOST_MS ? PAUSE_MS << doubled : PAUSE_MOST_MS);
    return;
  }
  follower->look.failures = 0;
  if (blocked) {
    rille_follower_delay(follower, follower->tries < TRIES ? again_ms[follower->tries] : 0);
    follower->tries++;
    return;
  }
  if (out->transactions > 0) {
    follower->untidy += out->transactions;
    follower->seq = out->seq;
  }
  if (out->more || follower->tries > 0)
    rille_follower_delay(follower, 0);
  else if (atomic_load(&follower->rung))
    rille_follower_delay(follower, LINGER_MS);
  else
    follower->due_ms = 0;
  follower->tries = 0;
  if (follower->untidy > 0 && (follower->due_ms == 0 || follower->untidy >= TIDY_AFTER)) {
    rille_follower_delay(follower, follower->due_ms == 0 && !follower->stopped ? TIDY_MS : 0);
    follower->tidying = true;
  }
}

void
rille_follower_ring(rille_follower *follower)
{
  if (follower->look.failures == 0 && (follower->due_ms == 0 || follower->tidying))
    rille_follower_delay(follower, follower->untidy >= TIDY_AFTER ? 0 : LINGER_MS);
}
