/* core/run/carry.c - reads row by row; a value is made what the column keeps, and its form goes into the row's digest.
**
** Both sides go through the same conversions by the same types, those of the table: so what the table gives back is
** compared with what the source means, and not with how either happens to write it. */
#include "core/run/carry.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/change.h"
#include "core/base/json_form.h"
#include "core/base/shown.h"
#include "core/run/carry_put.h"
#include "core/run/cursor.h"

/* What is needed for one row after the other. */
struct work {
  rille_carry *carry;
  rille_arena *arena; /* what is kept */
  rille_arena row;    /* what is made for a row */
  rille_cell *cells, *made, *forms;
  rille_str *places;  /* of the columns, for messages: "posts.title" */
  rille_buffer bytes; /* of the forms */
  rille_buffer json;
  rille_carry_put put; /* not open where nothing is put into the table */
  rille_carry_row **next_misfit, **next_picked;
  size_t misfits_told, picked_told;
  int64_t number; /* of the row */
};

/* -- a value ------------------------------------------------------------------------------------------------ */

/* What the column wants of a value that its type takes, but the column does not; NULL: it takes it. */
static const char *
beyond(const rille_carry_column *column, const rille_cell *made)
{
  if (made->kind == RILLE_INT && column->bits == 32 && made->as.integer != (int32_t)made->as.integer)
    return "an integer of 32 bits";
  if (made->kind == RILLE_INT && column->bits == 16 && made->as.integer != (int16_t)made->as.integer)
    return "an integer of 16 bits";
  if (made->kind == RILLE_REAL && column->bits == 32 &&
      (fabs(made->as.real) > (double)FLT_MAX || (double)(float)made->as.real != made->as.real))
    return "a number of 32 bits";
  return NULL;
}

/* What a moment would lose: its time in a column of days, what is less than a microsecond, a year that is no year. */
static const char *
beyond_moment(const rille_carry_column *column, const rille_cell *cell, rille_cell *made, rille_arena *arena)
{
  static const char midnight[] = "T00:00:00.000000Z";
  const char *point = cell->kind == RILLE_TEXT ? memchr(cell->as.text.at, '.', cell->as.text.len) : NULL;
  rille_type moment = column->type;
  rille_cell whole = { 0 };

  if (made->kind != RILLE_TEXT)
    return NULL; /* kept as seconds */
  if (made->as.text.len > 4 && memcmp(made->as.text.at, "0000", 4) == 0)
    return "a year from 0001 to 9999";
  for (const char *at = point; at != NULL && at < cell->as.text.at + cell->as.text.len; at++)
    if (at - point > 6 && *at >= '1' && *at <= '9')
      return "no part of a microsecond";
    else if (at > point && (*at < '0' || *at > '9'))
      break;
  moment.kind = RILLE_TYPE_DATETIME;
  if (column->type.kind == RILLE_TYPE_DATE &&
      rille_type_store(moment, cell, (rille_str){ 0 }, arena, &whole, NULL) == RILLE_OK && whole.kind == RILLE_TEXT &&
      whole.as.text.len == 27 && memcmp(whole.as.text.at + 10, midnight, 17) != 0)
    return "a day without a time";
  return NULL;
}

/* Numbers of a type that is not known are compared as the texts that the other side may give. */
static void
form_of_any(const rille_cell *made, rille_cell *form, rille_arena *arena)
{
  char *text;
  int len;

  if (made->kind != RILLE_INT && made->kind != RILLE_REAL)
    return;
  text = rille_arena_get(arena, 40);
  if (text == NULL)
    return;
  if (made->kind == RILLE_INT)
    len = snprintf(text, 40, "%lld", (long long)made->as.integer);
  else
    len = (int)rille_real_shortest(text, 40, made->as.real);
  *form = (rille_cell){ .kind = RILLE_TEXT, .as.text = { text, (size_t)len } };
}

static rille_status
refuse(const struct work *w, size_t i, const char *wants, rille_fault *fault)
{
  return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s wants %s", w->places[i].at, wants);
}

/* Makes what the column keeps of a value, and the form in which that is compared.  invalid_argument: it does not take
** the value, and the fault says why. */
static rille_status
convert(struct work *w, size_t i, rille_fault *fault)
{
  const rille_carry_column *column = &w->carry->columns[i];
  const rille_cell *cell = &w->cells[i];
  rille_cell *made = &w->made[i], *form = &w->forms[i];
  const char *wants = NULL;
  rille_status status;

  if (cell->kind == RILLE_NULL && column->required)
    return refuse(w, i, "a value, not NULL", fault);
  status = rille_type_store(column->type, cell, w->places[i], &w->row, made, fault);
  if (status != RILLE_OK || cell->kind == RILLE_NULL) {
    *form = *made;
    return status;
  }
  wants = beyond(column, made);
  *form = *made;
  switch (column->type.kind) {
  case RILLE_TYPE_DATE:
  case RILLE_TYPE_DATETIME: wants = beyond_moment(column, cell, made, &w->row); break;
  case RILLE_TYPE_ANY: form_of_any(made, form, &w->row); break;
  case RILLE_TYPE_JSON: {
    size_t from = w->json.len;
    const char *why = rille_json_form(made->as.text, &w->row, &w->json);

    if (why != NULL)
      return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s wants JSON, and there is %s", w->places[i].at, why);
    /* Where it is in the buffer; what it is there is known when nothing more is added. */
    form->as.text = (rille_str){ NULL, w->json.len - from };
    break;
  }
  default: break;
  }
  return wants == NULL ? RILLE_OK : refuse(w, i, wants, fault);
}

/* -- a row -------------------------------------------------------------------------------------------------- */

/* The cells of the key, or of the whole row, copied to where they stay. */
static const rille_cell *
keep_key(struct work *w)
{
  rille_cell *key = rille_arena_get(w->arena, w->carry->count * sizeof *key);

  for (size_t i = 0; i < w->carry->count && key != NULL; i++) {
    key[i] = w->cells[i];
    if (key[i].kind == RILLE_TEXT || key[i].kind == RILLE_BLOB)
      key[i].as.text = w->carry->columns[i].key ? rille_arena_copy(w->arena, key[i].as.text) : (rille_str){ 0 };
  }
  return key;
}

static rille_carry_row *
tell_row(struct work *w, rille_carry_row ***next, size_t *told)
{
  rille_carry_row *row = *told < w->carry->most ? rille_arena_get(w->arena, sizeof *row) : NULL;

  if (row == NULL)
    return NULL;
  row->number = w->number;
  row->key = keep_key(w);
  **next = row;
  *next = &row->next;
  ++*told;
  return row;
}

static void
tell_misfit(struct work *w, size_t column, const rille_fault *fault)
{
  rille_carry_row *row = tell_row(w, &w->next_misfit, &w->misfits_told);

  w->carry->misfit_count++;
  if (row != NULL) {
    row->column = column;
    row->why = rille_arena_copy(w->arena, rille_str_of(fault->message)).at;
  }
}

/* The bytes of the forms: of the key alone, or of the whole row. */
static rille_str
bytes_of(struct work *w, bool key)
{
  rille_buffer_clear(&w->bytes);
  for (size_t i = 0; i < w->carry->count; i++)
    if (!key || w->carry->columns[i].key)
      rille_change_put_cell(&w->bytes, &w->forms[i]);
  return rille_buffer_str(&w->bytes);
}

static uint64_t
rotate(uint64_t x, int bits)
{
  return x << bits | x >> (64 - bits);
}

static uint64_t
finish(uint64_t x)
{
  x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
  x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}

/* MurmurHash3, 128 bits: it tells apart what differs by accident, at a tenth of what a digest costs that resists people
** who look for two rows alike. */
static rille_carry_sum
digest_of(rille_str bytes)
{
  const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
  uint64_t a = 0, b = 0;

  for (size_t i = 0; i < bytes.len; i += 16) { /* the last block is filled up with zeros: the length tells */
    uint64_t k[2] = { 0, 0 };

    memcpy(k, bytes.at + i, bytes.len - i < 16 ? bytes.len - i : 16);
    a ^= rotate(k[0] * c1, 31) * c2;
    a = (rotate(a, 27) + b) * 5 + 0x52dce729;
    b ^= rotate(k[1] * c2, 33) * c1;
    b = (rotate(b, 31) + a) * 5 + 0x38495ab5;
  }
  a ^= bytes.len;
  b ^= bytes.len;
  a += b;
  b += a;
  a = finish(a);
  b = finish(b);
  a += b;
  return (rille_carry_sum){ .rows = 1, .low = a, .high = b + a };
}

static void
add(rille_carry_sum *to, rille_carry_sum sum)
{
  to->rows += sum.rows;
  to->low += sum.low;
  to->high += sum.high + (to->low < sum.low);
}

/* Adds the row up, and to its bucket; tells of it where it is picked. */
static void
add_row(struct work *w)
{
  rille_carry *carry = w->carry;
  rille_carry_sum sum = digest_of(bytes_of(w, false)), key = sum;
  bool has_key = false;
  size_t bucket;

  add(&carry->sum, sum);
  if (carry->buckets == NULL && carry->picks == NULL)
    return;
  for (size_t i = 0; i < carry->count; i++)
    has_key = has_key || carry->columns[i].key;
  if (has_key)
    key = digest_of(bytes_of(w, true));
  bucket = (size_t)(key.low % RILLE_CARRY_BUCKETS);
  if (carry->buckets != NULL)
    add(&carry->buckets[bucket], sum);
  if (carry->picks != NULL && carry->picks[bucket] != 0) {
    rille_carry_row *row = tell_row(w, &w->next_picked, &w->picked_told);

    if (row != NULL)
      row->sum = sum;
  }
}

/* The forms of JSON are where the buffer ended up. */
static void
place_forms(struct work *w)
{
  const char *at = rille_buffer_str(&w->json).at;

  for (size_t i = 0; i < w->carry->count; i++)
    if (w->carry->columns[i].type.kind == RILLE_TYPE_JSON && w->forms[i].kind == RILLE_TEXT) {
      w->forms[i].as.text.at = at;
      at += w->forms[i].as.text.len;
    }
}

static rille_status
take_row(struct work *w, rille_fault *fault)
{
  bool fits = true;

  w->number++;
  rille_arena_reset(&w->row);
  rille_buffer_clear(&w->json);
  for (size_t i = 0; i < w->carry->count; i++) {
    rille_status status = convert(w, i, fault);

    if (status == RILLE_INVALID_ARGUMENT) {
      tell_misfit(w, i, fault);
      fits = false;
    } else if (status != RILLE_OK) {
      return status;
    }
  }
  if (!rille_buffer_ok(&w->json) || !rille_arena_ok(&w->row))
    return rille_fault_no_memory(fault);
  if (!fits) {
    w->carry->sum.rows++;
    return rille_arena_ok(w->arena) ? RILLE_OK : rille_fault_no_memory(fault);
  }
  place_forms(w);
  add_row(w);
  if (!rille_buffer_ok(&w->bytes) || !rille_arena_ok(w->arena))
    return rille_fault_no_memory(fault);
  return w->put.open && w->carry->misfit_count == 0 ? rille_carry_put_row(&w->put, w->made, fault) : RILLE_OK;
}

/* -- all rows ----------------------------------------------------------------------------------------------- */

static rille_status
read_rows(struct work *w, rille_cursor *cursor, rille_fault *fault)
{
  rille_carry *carry = w->carry;
  bool row = true;
  rille_status status = RILLE_OK;

  while (status == RILLE_OK) {
    status = rille_cursor_next(cursor, w->cells, &row, fault);
    if (status != RILLE_OK || !row)
      break;
    status = take_row(w, fault);
    if (status == RILLE_OK && carry->progress != NULL && carry->sum.rows % RILLE_CARRY_EVERY == 0 &&
        !carry->progress(carry->data, carry->sum.rows))
      status = rille_fault_set(fault, RILLE_ABORTED, "given up");
  }
  return status;
}

static rille_status
prepare(struct work *w, rille_cursor *cursor, rille_fault *fault)
{
  rille_carry *carry = w->carry;
  rille_statement *statement = NULL;
  rille_status status = rille_connection_ready(carry->source, fault);

  w->cells = rille_arena_get(w->arena, carry->count * sizeof *w->cells);
  w->made = rille_arena_get(w->arena, carry->count * sizeof *w->made);
  w->forms = rille_arena_get(w->arena, carry->count * sizeof *w->forms);
  w->places = rille_arena_get(w->arena, carry->count * sizeof *w->places);
  for (size_t i = 0; i < carry->count && w->places != NULL; i++) {
    char place[2 * sizeof(rille_shown)];

    (void)snprintf(place, sizeof place, "%s.%s", rille_show(carry->table).text,
                   rille_show(carry->columns[i].name).text);
    w->places[i] = rille_arena_copy(w->arena, rille_str_of(place));
  }
  if (!rille_arena_ok(w->arena))
    return rille_fault_no_memory(fault);
  if (status == RILLE_OK && carry->target != NULL)
    status = rille_connection_ready(carry->target, fault);
  if (status == RILLE_OK)
    status = rille_connection_sql(carry->source, carry->sql, &statement, fault);
  if (status != RILLE_OK)
    return status;
  if (statement->layout == NULL || statement->layout->count != carry->count) {
    rille_connection_release(statement);
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the query must give %zu columns", carry->count);
  }
  status = rille_cursor_open(cursor, carry->source, statement, NULL, 0, w->arena, fault);
  if (status == RILLE_OK)
    statement->stmt->driver->stream(statement->stmt, true);
  return status;
}

rille_status
rille_carry_run(rille_carry *carry, rille_arena *arena, rille_fault *fault)
{
  struct work w = { .carry = carry, .arena = arena, .next_misfit = &carry->misfits, .next_picked = &carry->picked };
  rille_fault own = { 0 }; /* a value that is not taken is told of in its words */
  rille_cursor cursor = { 0 };
  rille_status status;

  fault = fault != NULL ? fault : &own;
  rille_arena_init(&w.row);
  rille_buffer_init(&w.bytes, SIZE_MAX / 4);
  rille_buffer_init(&w.json, SIZE_MAX / 4);
  status = prepare(&w, &cursor, fault);
  if (status == RILLE_OK && carry->target != NULL)
    status = rille_carry_put_begin(&w.put, carry, arena, fault);
  if (status == RILLE_OK)
    status = read_rows(&w, &cursor, fault);
  if (w.put.open)
    status = rille_carry_put_end(&w.put, status, fault);
  rille_cursor_close(&cursor);
  rille_buffer_release(&w.json);
  rille_buffer_release(&w.bytes);
  rille_arena_release(&w.row);
  return status;
}
