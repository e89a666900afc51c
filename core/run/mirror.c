/* core/run/mirror.c - transactions of an outbox taken in order, set aside and tried again. */
#include "core/run/mirror.h"

#include "core/base/shown.h"
#include "core/run/aside.h"
#include "core/run/mirror_ledger.h"
#include "core/run/mirror_run.h"

/* -- the outbox ------------------------------------------------------------------------------------------ */

/* True for what fails because of what is changed; anything else is the mirror's trouble as a whole. */
static bool
is_of_changes(rille_status status, const rille_fault *fault)
{
  switch (status) {
  case RILLE_UNIQUE_VIOLATION:
  case RILLE_FOREIGN_KEY_VIOLATION:
  case RILLE_NOT_NULL_VIOLATION:
  case RILLE_CHECK_VIOLATION:
  case RILLE_ABORTED:
  case RILLE_VALIDATION:
  case RILLE_SYNTAX:
  case RILLE_NO_SUCH_TABLE:
  case RILLE_NO_SUCH_COLUMN:
  case RILLE_INVALID_ARGUMENT:
  case RILLE_UNSUPPORTED:
  case RILLE_SCRIPT: return true;
  case RILLE_CORRUPT: return fault->code == 0;
  default: return false;
  }
}

static rille_status
another_history(const rille_mirror *mirror, rille_mirror_place place, rille_fault *fault)
{
  rille_shown source = rille_show(mirror->source_name);

  if (place.seq == 0)
    (void)rille_fault_set(fault, RILLE_CHECKSUM_MISMATCH,
                          "the mirror lacks what %s wrote first, which its outbox no longer has: it was dropped, put "
                          "back from a backup, or is another one than before",
                          source.text);
  else
    (void)rille_fault_set(fault, RILLE_CHECKSUM_MISMATCH,
                          "the mirror has transaction %lld of %s, which its outbox does not have: it was put back from "
                          "a backup, or its outbox was written by somebody else",
                          (long long)place.seq, source.text);
  rille_fault_hint(fault, "resync the mirror: rille mirror:resync, or db:mirror_resync()");
  return RILLE_CHECKSUM_MISMATCH;
}

/* What is done about a transaction. */
typedef rille_status (*take_function)(rille_mirror_run *a, int64_t seq, int64_t made_at, rille_str changes,
                                      rille_fault *fault);

/* Hands over up to `limit` transactions behind `place`, which is then the last of them that `take` was content with. */
static rille_status
walk(rille_mirror_run *a, rille_mirror_place *place, int limit, take_function take, rille_mirror_outcome *out,
     rille_fault *fault)
{
  static const char sql[] = "select \"seq\", \"made_at\", \"changes\" from \"rille_outbox\" where \"seq\" >= ? "
                            "order by \"seq\" limit ?";
  const rille_cell values[] = { rille_cell_int(place->seq), rille_cell_int((int64_t)limit + (place->seq > 0)) };
  rille_connection *source = a->mirror->source;
  rille_statement *statement = NULL;
  bool row = true, known = place->seq == 0;
  rille_status status = rille_aside_start(source, sql, values, 2, &statement, fault);

  while (status == RILLE_OK && row) {
    rille_cell cells[3];
    int64_t seq, made_at;

    status = rille_aside_next(source, statement, cells, &row, fault);
    if (status != RILLE_OK || !row)
      break;
    seq = cells[0].as.integer;
    made_at = cells[1].as.integer;
    if (known ? seq != place->seq + 1 : seq != place->seq || made_at != place->made_at) {
      status = another_history(a->mirror, *place, fault);
    } else if (known) {
      status = take(a, seq, made_at, cells[2].as.text, fault);
      if (status == RILLE_OK)
        out->transactions++;
      else if (is_of_changes(status, fault))
        out->blocked = seq;
    }
    known = true;
    if (status == RILLE_OK)
      *place = (rille_mirror_place){ seq, made_at, place->generation };
  }
  rille_connection_release(statement);
  if (status == RILLE_OK && !known)
    status = another_history(a->mirror, *place, fault);
  out->more = out->transactions == limit;
  return status;
}

static rille_status
take_apply(rille_mirror_run *a, int64_t seq, int64_t made_at, rille_str changes, rille_fault *fault)
{
  (void)seq;
  (void)made_at;
  return rille_mirror_run_text(a, changes, fault);
}

/* Writes down the transaction with what `fault` says of it. */
static rille_status
keep_failed(const rille_mirror *mirror, int64_t seq, int64_t made_at, rille_str changes, const rille_fault *why,
            rille_fault *fault)
{
  const rille_cell values[] = {
    rille_cell_text(mirror->source_name),
    rille_cell_int(seq),
    rille_cell_int(made_at),
    rille_cell_int(rille_aside_now_us()),
    rille_cell_text(rille_str_of(rille_status_name(why->kind))),
    rille_cell_text(rille_str_of(why->message)),
    { .kind = RILLE_BLOB, .as.text = changes },
  };

  return rille_aside_run(mirror->target,
                         "insert or replace into \"rille_mirror_failed\" (\"source\", \"seq\", \"made_at\", "
                         "\"failed_at\", \"kind\", \"error\", \"changes\") values (?, ?, ?, ?, ?, ?, ?)",
                         values, 7, fault);
}

/* Applies the transaction or sets it aside, with all or nothing of it done. */
static rille_status
take_or_set_aside(rille_mirror_run *a, int64_t seq, int64_t made_at, rille_str changes, rille_fault *fault)
{
  rille_connection *target = a->mirror->target;
  rille_fault why;
  rille_status status = rille_connection_begin(target, RILLE_BEGIN_IMMEDIATE, NULL, fault);
  rille_status applied = status == RILLE_OK ? rille_mirror_run_text(a, changes, &why) : status;

  if (status != RILLE_OK)
    return status;
  if (applied == RILLE_OK)
    return rille_connection_commit(target, fault);
  rille_mirror_run_undone(a);
  status = rille_connection_rollback(target, fault);
  if (status == RILLE_OK && !is_of_changes(applied, &why)) {
    if (fault != NULL)
      *fault = why;
    status = applied;
  }
  return status == RILLE_OK ? keep_failed(a->mirror, seq, made_at, changes, &why, fault) : status;
}

static rille_status
finish(const rille_mirror *mirror, rille_status status, rille_fault *fault)
{
  if (status == RILLE_OK)
    status = rille_connection_commit(mirror->target, fault);
  if (status != RILLE_OK)
    (void)rille_connection_rollback(mirror->target, NULL);
  return status;
}

static rille_status
apply_once(const rille_mirror *mirror, int limit, take_function take, rille_mirror_place *place,
           rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror_run a;
  rille_mirror_place before;
  rille_status status = rille_mirror_begin(mirror, fault);

  *out = (rille_mirror_outcome){ 0 };
  if (status != RILLE_OK)
    return status;
  rille_mirror_run_start(&a, mirror);
  status = rille_mirror_read_place(mirror, &before, fault);
  *place = before;
  if (status == RILLE_OK)
    status = walk(&a, place, limit, take, out, fault);
  if (status == RILLE_OK && place->seq > before.seq)
    status = rille_mirror_write_place(mirror, *place, fault);
  rille_mirror_run_end(&a);
  return finish(mirror, status, fault);
}

static int64_t
count_failed(const rille_mirror *mirror)
{
  const rille_cell source = rille_cell_text(mirror->source_name);
  rille_cell count = { .kind = RILLE_INT };
  rille_arena none;
  bool found;

  rille_arena_init(&none);
  (void)rille_aside_row(mirror->target, "select count(*) from \"rille_mirror_failed\" where \"source\" = ?", &source, 1,
                        &none, &count, 1, &found, NULL);
  return count.as.integer;
}

rille_status
rille_mirror_apply(const rille_mirror *mirror, int limit, bool set_aside, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_mirror_place place = { 0 };
  rille_status status;

  if (set_aside) {
    int64_t failed = count_failed(mirror);

    status = apply_once(mirror, 1, take_or_set_aside, &place, out, fault);
    out->set_aside = status == RILLE_OK ? count_failed(mirror) - failed : 0;
  } else {
    status = apply_once(mirror, limit, take_apply, &place, out, fault);
    if (status != RILLE_OK && out->blocked > 0 && out->transactions > 0) {
      status = apply_once(mirror, (int)out->transactions, take_apply, &place, out, fault); /* those before it */
      out->more = true;
    }
  }
  out->seq = place.seq;
  if (status == RILLE_OK && out->transactions > 0 && !mirror->untidy)
    rille_mirror_tidy(mirror, place.seq);
  return status;
}

/* -- again ----------------------------------------------------------------------------------------------- */

/* The first transaction behind `seq` that was set aside. */
static rille_status
next_failed(const rille_mirror *mirror, int64_t seq, rille_arena *arena, rille_cell cells[3], bool *found,
            rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(mirror->source_name), rille_cell_int(seq) };

  return rille_aside_row(mirror->target,
                         "select \"seq\", \"made_at\", \"changes\" from \"rille_mirror_failed\" where \"source\" = ? "
                         "and \"seq\" > ? order by \"seq\" limit 1",
                         values, 2, arena, cells, 3, found, fault);
}

static rille_status
retry_one(const rille_mirror *mirror, const rille_cell failed[3], rille_mirror_outcome *out, rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(mirror->source_name), failed[0] };
  rille_mirror_run a;
  rille_fault why;
  rille_status status = rille_mirror_begin(mirror, fault);

  if (status != RILLE_OK)
    return status;
  rille_mirror_run_start(&a, mirror);
  a.healing = true;
  status = rille_mirror_run_text(&a, failed[2].as.text, &why);
  rille_mirror_run_end(&a);
  if (status == RILLE_OK)
    status = rille_aside_run(mirror->target, "delete from \"rille_mirror_failed\" where \"source\" = ? and \"seq\" = ?",
                             values, 2, &why);
  status = finish(mirror, status, &why);
  if (status == RILLE_OK) {
    out->transactions++;
  } else if (is_of_changes(status, &why)) {
    out->set_aside++;
    return keep_failed(mirror, failed[0].as.integer, failed[1].as.integer, failed[2].as.text, &why, fault);
  } else if (fault != NULL) {
    *fault = why;
  }
  return status;
}

rille_status
rille_mirror_retry(const rille_mirror *mirror, rille_mirror_outcome *out, rille_fault *fault)
{
  rille_status status = finish(mirror, rille_mirror_begin(mirror, fault), fault);
  rille_arena arena;
  rille_cell failed[3] = { rille_cell_int(INT64_MIN) };
  bool found = true;

  *out = (rille_mirror_outcome){ 0 };
  rille_arena_init(&arena);
  while (status == RILLE_OK && found) {
    rille_arena_reset(&arena);
    status = next_failed(mirror, failed[0].as.integer, &arena, failed, &found, fault);
    if (status == RILLE_OK && found)
      status = retry_one(mirror, failed, out, fault);
  }
  rille_arena_release(&arena);
  return status;
}
