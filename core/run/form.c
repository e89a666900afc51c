/* core/run/form.c - patterns, scalars and lists as the texts that parameters take. */
#include "core/run/form.h"

#include "core/base/buffer.h"
#include "core/base/json.h"

enum { TEXT_MAX = 1 << 30 }; /* bytes of a list */

/* A LIKE pattern as a GLOB pattern: % and _ become * and ?, what GLOB would take for its own is put in brackets, and a
** backslash makes the next character mean itself. */
static rille_status
glob_pattern(rille_cell *cell, rille_arena *arena, rille_fault *fault)
{
  rille_str like = cell->as.text;
  char *glob;
  size_t len = 0;

  if (cell->kind != RILLE_TEXT)
    return RILLE_OK;
  glob = rille_arena_get(arena, like.len * 3 + 1);
  if (glob == NULL)
    return rille_fault_no_memory(fault);
  for (size_t i = 0; i < like.len; i++) {
    bool literal = like.at[i] == '\\' && i + 1 < like.len;
    char c = like.at[literal ? ++i : i];

    if (!literal && (c == '%' || c == '_')) {
      glob[len++] = c == '%' ? '*' : '?';
    } else if (c == '*' || c == '?' || c == '[') {
      glob[len++] = '[';
      glob[len++] = c;
      glob[len++] = ']';
    } else {
      glob[len++] = c;
    }
  }
  cell->as.text = (rille_str){ glob, len };
  return RILLE_OK;
}

static void
json_text(rille_buffer *out, rille_str text)
{
  rille_buffer_byte(out, '"');
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.at[i];

    if (c < 0x20)
      rille_buffer_format(out, "\\u%04x", c);
    else if (c == '"' || c == '\\')
      rille_buffer_format(out, "\\%c", c);
    else
      rille_buffer_byte(out, (char)c);
  }
  rille_buffer_byte(out, '"');
}

static void
json_real(rille_buffer *out, double real)
{
  char text[40];

  rille_buffer_add(out, text, rille_real_print(text, sizeof text, -1, real));
}

static void
json_integer(rille_buffer *out, int64_t integer)
{
  char digits[RILLE_JSON_NUMBER_BYTES];

  rille_buffer_add(out, digits, (size_t)(rille_json_integer(digits, integer) - digits));
}

/* A value as JSON. */
static void
json_cell(rille_buffer *out, const rille_cell *cell)
{
  switch (cell->kind) {
  case RILLE_NULL: rille_buffer_text(out, "null"); break;
  case RILLE_BOOL:
  case RILLE_INT: json_integer(out, cell->as.integer); break;
  case RILLE_REAL: json_real(out, cell->as.real); break;
  case RILLE_TEXT:
  case RILLE_BLOB: json_text(out, cell->as.text); break;
  }
}

/* A value as an element of an array's literal; bytes as PostgreSQL writes them, in hexadecimal digits. */
static void
array_cell(rille_buffer *out, const rille_cell *cell)
{
  rille_str text = cell->as.text;

  if (cell->kind != RILLE_TEXT && cell->kind != RILLE_BLOB) {
    json_cell(out, cell);
    return;
  }
  rille_buffer_text(out, cell->kind == RILLE_BLOB ? "\"\\\\x" : "\"");
  for (size_t i = 0; i < text.len; i++) {
    if (cell->kind == RILLE_BLOB)
      rille_buffer_format(out, "%02x", (unsigned char)text.at[i]);
    else if (text.at[i] == '"' || text.at[i] == '\\')
      rille_buffer_format(out, "\\%c", text.at[i]);
    else
      rille_buffer_byte(out, text.at[i]);
  }
  rille_buffer_byte(out, '"');
}

/* Moves the text out of the buffer. */
static rille_status
take_text(rille_buffer *from, rille_arena *arena, rille_cell *out, rille_fault *fault)
{
  rille_str text = rille_arena_copy(arena, (rille_str){ from->at, from->len });
  bool ok = !from->failed && !from->full && rille_arena_ok(arena);

  *out = (rille_cell){ .kind = RILLE_TEXT, .as.text = text };
  rille_buffer_release(from);
  return ok ? RILLE_OK : rille_fault_no_memory(fault);
}

static rille_status
json_scalar(rille_cell *cell, rille_arena *arena, rille_fault *fault)
{
  rille_buffer json;

  if (cell->kind == RILLE_NULL)
    return RILLE_OK;
  if (cell->kind == RILLE_BLOB)
    return rille_fault_set(fault, RILLE_UNSUPPORTED, "JSON holds no bytes: compare with a text");
  rille_buffer_init(&json, TEXT_MAX);
  json_cell(&json, cell);
  return take_text(&json, arena, cell, fault);
}

/* A LIKE pattern for a database in which nothing may follow no escape: a backslash at its end means itself. */
static rille_status
like_pattern(rille_cell *cell, rille_arena *arena, rille_fault *fault)
{
  rille_str text = cell->as.text;
  size_t escapes = 0;
  char *pattern;

  while (cell->kind == RILLE_TEXT && escapes < text.len && text.at[text.len - 1 - escapes] == '\\')
    escapes++;
  if (escapes % 2 == 0)
    return RILLE_OK;
  pattern = rille_arena_get(arena, text.len + 1);
  if (pattern == NULL)
    return rille_fault_no_memory(fault);
  memcpy(pattern, text.at, text.len);
  pattern[text.len] = '\\';
  cell->as.text = (rille_str){ pattern, text.len + 1 };
  return RILLE_OK;
}

rille_status
rille_form_give(rille_param_form form, rille_cell *cell, rille_arena *arena, rille_fault *fault)
{
  switch (form) {
  case RILLE_PARAM_GLOB: return glob_pattern(cell, arena, fault);
  case RILLE_PARAM_LIKE: return like_pattern(cell, arena, fault);
  case RILLE_PARAM_JSON: return json_scalar(cell, arena, fault);
  default: return RILLE_OK;
  }
}

rille_status
rille_form_list(const rille_param *param, const rille_slot *slot, rille_arena *arena, rille_cell *out,
                rille_fault *fault)
{
  bool array = param->form == RILLE_PARAM_ARRAY;
  rille_buffer text;

  rille_buffer_init(&text, TEXT_MAX);
  rille_buffer_byte(&text, array ? '{' : '[');
  for (size_t i = 0; i < slot->list_len; i++) {
    rille_cell cell;
    rille_status status = rille_type_store(param->type, &slot->list[i], param->what, arena, &cell, fault);

    if (status == RILLE_OK && cell.kind == RILLE_BLOB && !array)
      status = rille_fault_set(fault, RILLE_UNSUPPORTED, "a list of bytes may have at most %d elements", 32);
    if (status != RILLE_OK) {
      rille_buffer_release(&text);
      return status;
    }
    rille_buffer_text(&text, i > 0 ? "," : "");
    (array ? array_cell : json_cell)(&text, &cell);
  }
  rille_buffer_byte(&text, array ? '}' : ']');
  return take_text(&text, arena, out, fault);
}
