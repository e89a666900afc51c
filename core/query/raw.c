/* core/query/raw.c - SQL of the caller's own, and the outputs that it makes. */
#include <string.h>
#include <strings.h>

#include "core/query/expression.h"

/* SQL of the caller's own, with the items for its marks; returns those that are left. */
static const rille_node *
write_raw(rille_compiler *c, rille_str text, const rille_node *item)
{
  c->own = true;
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] != '?') {
      rille_buffer_byte(&c->sql, text.at[i] == '\1' ? '?' : text.at[i]);
      continue;
    }
    rille_expression_mark(c);
    if (item != NULL) {
      rille_param param = { .slot = item->slot };

      rille_buffer_add(&c->params, &param, sizeof param);
      item = item->next;
    }
  }
  return item;
}

/* The same with all of its items: those that have no mark make the count of parameters another one than the text's. */
void
rille_raw_write(rille_compiler *c, const rille_node *node)
{
  for (const rille_node *item = write_raw(c, node->text, node->items); item != NULL; item = item->next) {
    rille_param param = { .slot = item->slot };

    rille_buffer_add(&c->params, &param, sizeof param);
  }
}

/* The bytes of the SQL that stand in front of " as name" at its end; 0 when it does not end so. */
static size_t
named_bytes(rille_str sql, rille_str name)
{
  size_t at = sql.len;
  bool quoted;

  while (at > 0 && (sql.at[at - 1] == ' ' || sql.at[at - 1] == '\n'))
    at--;
  quoted = at > 0 && sql.at[at - 1] == '"';
  if (at < name.len + (quoted ? 2 : 0) + 4)
    return 0;
  at -= name.len + (quoted ? 1 : 0);
  if (memcmp(sql.at + at, name.at, name.len) != 0 || (quoted && sql.at[--at] != '"'))
    return 0;
  while (at > 0 && (sql.at[at - 1] == ' ' || sql.at[at - 1] == '\n'))
    at--;
  if (at < 4 || strncasecmp(sql.at + at - 2, "as", 2) != 0 || !strchr(" \n)", sql.at[at - 3]))
    return 0;
  return at - 2;
}

/* Where the part of the SQL that begins at `from` ends: at a comma that nothing holds, or at the end. */
static size_t
part_end(rille_str sql, size_t from)
{
  int depth = 0;
  char quote = '\0';

  for (size_t i = from; i < sql.len; i++) {
    char c = sql.at[i];

    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ',' && depth == 0) {
      return i;
    } else {
      depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    }
  }
  return sql.len;
}

/* Writes the part of raw SQL that makes the output of that name; false when none does. */
static bool
write_raw_output(rille_compiler *c, const rille_node *raw, rille_str name)
{
  const rille_node *item = raw->items;

  for (size_t from = 0, end; from < raw->text.len; from = end + 1) {
    rille_str part;
    size_t bytes;

    end = part_end(raw->text, from);
    part = (rille_str){ raw->text.at + from, end - from };
    bytes = named_bytes(part, name);
    if (bytes > 0) {
      (void)write_raw(c, (rille_str){ part.at, bytes }, item);
      return true;
    }
    for (size_t i = 0; i < part.len && item != NULL; i++)
      item = part.at[i] == '?' ? item->next : item;
  }
  return false;
}

/* In a condition: what the output of that name stands for. */
void
rille_raw_output(rille_compiler *c, rille_str name)
{
  bool found = false;

  rille_compiler_put(c, "(");
  for (const rille_node *output = c->query->outputs; output != NULL && !found; output = output->next) {
    rille_node copy = *output;

    if (output->kind == RILLE_NODE_RAW) {
      found = write_raw_output(c, output, name);
    } else if (rille_str_equal(output->alias, name)) {
      copy.alias = (rille_str){ 0 };
      rille_expression_write(c, &copy);
      found = true;
    }
  }
  rille_compiler_put(c, ")");
  if (!found)
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "a condition about an output of raw SQL wants its name said at the end of it: "
                        "select_raw(\"count(*) as n\")");
}
