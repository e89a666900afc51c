/* core/run/statement.c - a hash table with a list by last use; values on their way to the database. */
#include "core/run/statement.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/query/resolve.h"
#include "core/run/form.h"

/* -- keeping --------------------------------------------------------------------------------------------- */

static void
unlink_use(rille_statements *kept, rille_statement *s)
{
  if (s->newer != NULL)
    s->newer->older = s->older;
  else
    kept->newest = s->older;
  if (s->older != NULL)
    s->older->newer = s->newer;
  else
    kept->oldest = s->newer;
  s->newer = s->older = NULL;
}

static void
link_newest(rille_statements *kept, rille_statement *s)
{
  s->older = kept->newest;
  if (kept->newest != NULL)
    kept->newest->newer = s;
  else
    kept->oldest = s;
  kept->newest = s;
}

rille_statement *
rille_statements_find(rille_statements *kept, rille_str key, uint64_t hash)
{
  rille_statement *s = kept->buckets[hash % RILLE_STATEMENT_BUCKETS];

  while (s != NULL && !(s->hash == hash && !s->in_use && rille_str_equal(s->key, key)))
    s = s->bucket_next;
  if (s == NULL) {
    kept->misses++;
    return NULL;
  }
  kept->hits++;
  if (kept->newest != s) {
    unlink_use(kept, s);
    link_newest(kept, s);
  }
  return s;
}

/* Takes a statement out of the cache; it is freed now or, when it runs, by whoever releases it. */
static void
let_go(rille_statements *kept, rille_statement *s)
{
  rille_statement **at = &kept->buckets[s->hash % RILLE_STATEMENT_BUCKETS];

  while (*at != s)
    at = &(*at)->bucket_next;
  *at = s->bucket_next;
  unlink_use(kept, s);
  kept->count--;
  s->key = (rille_str){ 0 };
  if (!s->in_use)
    rille_statement_free(s);
}

void
rille_statements_keep(rille_statements *kept, rille_statement *statement)
{
  rille_statement **bucket = &kept->buckets[statement->hash % RILLE_STATEMENT_BUCKETS];

  if (kept->count >= RILLE_STATEMENTS_KEPT)
    let_go(kept, kept->oldest);
  statement->bucket_next = *bucket;
  *bucket = statement;
  link_newest(kept, statement);
  kept->count++;
}

void
rille_statements_clear(rille_statements *kept)
{
  while (kept->newest != NULL)
    let_go(kept, kept->newest);
}

/* -- text of the caller's own ----------------------------------------------------------------------------- */

/* The text less the blanks and comments that it begins with. */
static rille_str
without_blanks(rille_str sql)
{
  size_t i = 0;

  while (i < sql.len) {
    if (sql.at[i] == ' ' || (sql.at[i] >= '\t' && sql.at[i] <= '\r') || sql.at[i] == ';') {
      i++;
    } else if (i + 1 < sql.len && sql.at[i] == '-' && sql.at[i + 1] == '-') {
      while (i < sql.len && sql.at[i] != '\n')
        i++;
    } else if (i + 1 < sql.len && sql.at[i] == '/' && sql.at[i + 1] == '*') {
      for (i += 2; i < sql.len && !(sql.at[i] == '/' && sql.at[i - 1] == '*'); i++)
        continue;
      i++;
    } else {
      break;
    }
  }
  return i < sql.len ? (rille_str){ sql.at + i, sql.len - i } : (rille_str){ "", 0 };
}

/* What the caller's own text does that can write. */
static rille_effect
effect_of(rille_str sql)
{
  static const struct {
    const char *word;
    rille_effect effect;
  } words[] = {
    { "create", RILLE_CHANGES_SCHEMA },  { "drop", RILLE_CHANGES_SCHEMA },     { "alter", RILLE_CHANGES_SCHEMA },
    { "analyze", RILLE_CHANGES_SCHEMA }, { "reindex", RILLE_CHANGES_SCHEMA },  { "vacuum", RILLE_VACUUMS },
    { "pragma", RILLE_CHANGES_NOTHING }, { "attach", RILLE_CHANGES_NOTHING },  { "detach", RILLE_CHANGES_NOTHING },
    { "begin", RILLE_CHANGES_NOTHING },  { "explain", RILLE_CHANGES_NOTHING },
  };
  rille_str text = without_blanks(sql);

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text.len >= strlen(words[i].word) && strncasecmp(text.at, words[i].word, strlen(words[i].word)) == 0)
      return words[i].effect;
  return RILLE_CHANGES_ROWS;
}

/* -- making ---------------------------------------------------------------------------------------------- */

void
rille_statement_free(rille_statement *statement)
{
  if (statement == NULL)
    return;
  if (statement->stmt != NULL)
    statement->stmt->driver->free(statement->stmt);
  rille_layout_drop(statement->layout);
  rille_arena_release(&statement->arena);
  rille_memory_free(statement);
}

void
rille_statement_own(rille_statement *statement)
{
  statement->stmt->driver->own(statement->stmt);
}

rille_status
rille_statement_make(rille_conn *conn, const rille_dialect *dialect, rille_query *query, rille_str sql, rille_str key,
                     uint64_t hash, rille_buffer *tried, rille_statement **out, rille_fault *fault)
{
  rille_statement *s = rille_memory_get(sizeof *s);
  rille_status status = s != NULL ? RILLE_OK : rille_fault_no_memory(fault);

  if (status == RILLE_OK && query != NULL) {
    status = rille_resolve(query, fault);
    if (status == RILLE_OK)
      status = rille_compile(query, dialect, &s->arena, &s->compiled, fault);
  } else if (status == RILLE_OK) {
    s->raw = true;
    s->compiled.sql = rille_arena_copy(&s->arena, sql);
  }
  if (status == RILLE_OK) {
    s->key = rille_arena_copy(&s->arena, key);
    s->hash = hash;
    if (!rille_arena_ok(&s->arena))
      status = rille_fault_no_memory(fault);
  }
  if (status == RILLE_OK)
    status = conn->driver->prepare(conn, s->compiled.sql, &s->stmt, fault);
  if (status == RILLE_OK && !s->raw && (size_t)conn->driver->param_count(s->stmt) != s->compiled.param_count)
    status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                             "raw SQL in this query has more or fewer ? than values: %.*s",
                             RILLE_STR_ARG(s->compiled.sql));
  if (status == RILLE_OK && conn->driver->column_count(s->stmt) > 0)
    status = rille_layout_of_statement(query, dialect, s->stmt, &s->layout, fault);
  if (status == RILLE_OK) {
    s->writes = conn->driver->writes(s->stmt);
    s->changes_seen = -1;
    if (s->compiled.own)
      rille_statement_own(s);
    if (s->writes)
      s->effect = s->raw ? effect_of(sql) : RILLE_CHANGES_ROWS;
    if (s->stmt->once)
      s->key = (rille_str){ 0 };
    *out = s;
    s = NULL;
  } else if (s != NULL && tried != NULL) {
    rille_buffer_add(tried, s->compiled.sql.at, s->compiled.sql.len);
  }
  rille_statement_free(s);
  return status;
}

/* -- binding --------------------------------------------------------------------------------------------- */

/* Is the value what its column keeps already?  Mostly it is: a key, a tenant, a limit. */
static bool
is_kept(const rille_param *param, const rille_slot *slot)
{
  return slot->kept || (slot->cell.kind == RILLE_INT && param->form == RILLE_PARAM_PLAIN &&
                        (param->type.kind == RILLE_TYPE_INTEGER || param->type.kind == RILLE_TYPE_ANY));
}

rille_status
rille_statement_cell(const rille_statement *statement, size_t n, const rille_slot *slots, rille_arena *arena,
                     rille_cell *out, rille_fault *fault)
{
  const rille_param *param = &statement->compiled.params[n];
  const rille_slot *slot = &slots[param->slot];
  rille_status status;

  if (slot->kept) {
    *out = slot->cell;
    return RILLE_OK;
  }
  if (param->form == RILLE_PARAM_LIST || param->form == RILLE_PARAM_ARRAY)
    return rille_form_list(param, slot, arena, out, fault);
  status = rille_type_store(param->type, &slot->cell, param->what, arena, out, fault);
  if (status == RILLE_OK && param->form != RILLE_PARAM_PLAIN)
    status = rille_form_give(param->form, out, arena, fault);
  return status;
}

/* Raw SQL: one slot a parameter, types unknown. */
static rille_status
bind_raw(rille_statement *statement, const rille_slot *slots, size_t slot_count, rille_arena *arena, rille_fault *fault)
{
  const rille_driver *driver = statement->stmt->driver;
  int wanted = driver->param_count(statement->stmt);
  rille_status status = RILLE_OK;

  if ((size_t)wanted != slot_count)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the SQL has %d parameter%s but %zu value%s given", wanted,
                           wanted == 1 ? "" : "s", slot_count, slot_count == 1 ? " was" : "s were");
  for (size_t i = 0; i < slot_count && status == RILLE_OK; i++) {
    const rille_type any = { .kind = RILLE_TYPE_ANY };
    rille_cell cell;

    status = rille_type_store(any, &slots[i].cell, (rille_str){ 0 }, arena, &cell, fault);
    if (status == RILLE_OK) {
      status = driver->bind(statement->stmt, (int)i + 1, &cell, fault);
    } else if (status != RILLE_OUT_OF_MEMORY) {
      char what[32];

      (void)snprintf(what, sizeof what, "parameter %zu", i + 1); /* it fails again, and says of which */
      status = rille_type_store(any, &slots[i].cell, rille_str_of(what), arena, &cell, fault);
    }
  }
  return status;
}

rille_status
rille_statement_bind(rille_statement *statement, const rille_slot *slots, size_t slot_count, rille_arena *arena,
                     rille_fault *fault)
{
  const rille_driver *driver = statement->stmt->driver;
  rille_status status = RILLE_OK;

  if (statement->raw)
    return bind_raw(statement, slots, slot_count, arena, fault);
  for (size_t i = 0; i < statement->compiled.param_count && status == RILLE_OK; i++) {
    const rille_param *param = &statement->compiled.params[i];
    rille_cell made = { 0 };
    const rille_cell *cell = &slots[param->slot].cell;

    if (!is_kept(param, &slots[param->slot])) {
      status = rille_statement_cell(statement, i, slots, arena, &made, fault);
      cell = &made;
    }
    if (status == RILLE_OK)
      status = driver->bind(statement->stmt, (int)i + 1, cell, fault);
  }
  return status;
}
