/* core/query/expression.c - one writer a kind of node; the order of writing is the order of the parameters. */
#include "core/query/expression.h"

enum { CHAIN_MAX = 200 }; /* conditions joined without parentheses; SQLite refuses trees deeper than 1000 */

void
rille_compiler_put(rille_compiler *c, const char *text)
{
  rille_buffer_text(&c->sql, text);
}

void
rille_compiler_fail(rille_compiler *c, rille_status kind, const char *message)
{
  if (c->status == RILLE_OK)
    c->status = rille_fault_set(c->fault, kind, "%s", message);
}

/* "name", with quotes in it doubled. */
void
rille_compiler_quote(rille_compiler *c, rille_str name)
{
  rille_buffer_byte(&c->sql, '"');
  for (size_t i = 0; i < name.len; i++) {
    if (name.at[i] == '"')
      rille_buffer_byte(&c->sql, '"');
    rille_buffer_byte(&c->sql, name.at[i]);
  }
  rille_buffer_byte(&c->sql, '"');
}

/* "posts.views", for messages about a value. */
static rille_str
place_of(rille_compiler *c, const rille_node *value)
{
  rille_str table, column;
  char *at;

  if (value->column == NULL)
    return (rille_str){ 0 };
  table = value->source->table->name;
  column = value->column->name;
  at = rille_arena_get(c->arena, table.len + column.len + 1);
  if (at == NULL)
    return (rille_str){ 0 };
  memcpy(at, table.at, table.len);
  at[table.len] = '.';
  memcpy(at + table.len + 1, column.at, column.len);
  return (rille_str){ at, table.len + column.len + 1 };
}

static void
write_value(rille_compiler *c, const rille_node *value, rille_param_form form)
{
  rille_param param = { .slot = value->slot, .form = form, .what = place_of(c, value) };

  if (value->column != NULL)
    param.type = value->column->type;
  if (form == RILLE_PARAM_GLOB)
    param.type = (rille_type){ .kind = RILLE_TYPE_TEXT };
  rille_buffer_add(&c->params, &param, sizeof param);
  rille_compiler_put(c, "?");
}

void
rille_expression_column(rille_compiler *c, const rille_node *node)
{
  if (node->source != NULL && c->qualify) {
    rille_compiler_quote(c, node->source->name);
    rille_compiler_put(c, ".");
  }
  rille_compiler_quote(c, node->column != NULL ? node->column->name : node->text);
}

static void
write_every(rille_compiler *c, const rille_node *node)
{
  const rille_table *table = node->source->table;

  for (size_t i = 0; i < table->column_count; i++) {
    rille_node column = { .kind = RILLE_NODE_COLUMN, .source = node->source, .column = &table->columns[i] };

    rille_compiler_put(c, i > 0 ? ", " : "");
    rille_expression_column(c, &column);
  }
}

void
rille_expression_list(rille_compiler *c, const rille_node *first)
{
  for (const rille_node *node = first; node != NULL; node = node->next) {
    rille_compiler_put(c, node != first ? ", " : "");
    rille_expression_write(c, node);
  }
}

/* A template of the dialect, with the n-th of `items` for $n. */
static void
rille_expression_template(rille_compiler *c, const char *template, const rille_node *items)
{
  for (; *template != '\0'; template ++) {
    if (*template == '$') {
      const rille_node *item = items;

      for (int skip = *++template - '1'; skip > 0 && item != NULL; skip--)
        item = item->next;
      rille_expression_write(c, item);
    } else {
      rille_buffer_byte(&c->sql, *template);
    }
  }
}

/* A part of a larger condition: in parentheses where what stands around could tear it apart. */
void
rille_expression_part(rille_compiler *c, const rille_node *node)
{
  bool bare = node->kind != RILLE_NODE_OR && node->kind != RILLE_NODE_AND && node->kind != RILLE_NODE_RAW;

  rille_compiler_put(c, bare ? "" : "(");
  rille_expression_write(c, node);
  rille_compiler_put(c, bare ? "" : ")");
}

/* Conditions joined by a word; long chains are halved by parentheses, so that no database's depth limit is met. */
static void
write_chain(rille_compiler *c, const rille_node **first, size_t count, const char *word)
{
  if (count > CHAIN_MAX) {
    rille_compiler_put(c, "(");
    write_chain(c, first, count / 2, word);
    rille_compiler_put(c, ")");
    rille_compiler_put(c, word);
    rille_compiler_put(c, "(");
    write_chain(c, first, count - count / 2, word);
    rille_compiler_put(c, ")");
    return;
  }
  for (size_t i = 0; i < count; i++, *first = (*first)->next) {
    rille_compiler_put(c, i > 0 ? word : "");
    rille_expression_part(c, *first);
  }
}

static void
write_conditions(rille_compiler *c, const rille_node *node)
{
  const rille_node *first = node->items;

  if (first == NULL)
    rille_compiler_put(c, node->kind == RILLE_NODE_AND ? "1" : "0");
  else
    write_chain(c, &first, rille_node_count(first), node->kind == RILLE_NODE_AND ? " and " : " or ");
}

/* A part of a comparison: in parentheses unless it is one thing. */
static void
write_operand(rille_compiler *c, const rille_node *node)
{
  bool bare = node->kind != RILLE_NODE_RAW && (node->kind < RILLE_NODE_COMPARE || node->kind > RILLE_NODE_OR);

  rille_compiler_put(c, bare ? "" : "(");
  rille_expression_write(c, node);
  rille_compiler_put(c, bare ? "" : ")");
}

/* Sums of decimals are rounded to their digits: what is kept are doubles, whose sums are a little off. */
static bool
begin_rounding(rille_compiler *c, const rille_column *column)
{
  bool rounds = column != NULL && column->type.kind == RILLE_TYPE_DECIMAL;

  rille_compiler_put(c, rounds ? "round(" : "");
  return rounds;
}

static void
end_rounding(rille_compiler *c, const rille_column *column, bool rounds)
{
  if (rounds)
    rille_buffer_format(&c->sql, ", %d)", column->type.scale);
}

static void
write_call(rille_compiler *c, const rille_node *node)
{
  const rille_node *of = node->b != NULL ? node->b : node->items;
  const rille_column *column = of != NULL && node->op == RILLE_FN_SUM ? of->column : NULL;
  bool rounds = begin_rounding(c, column);

  rille_expression_template(c, c->dialect->functions[node->op], node->items);
  end_rounding(c, column, rounds);
}

static void
write_compare(rille_compiler *c, const rille_node *node)
{
  bool like = node->op == RILLE_OP_LIKE || node->op == RILLE_OP_ILIKE;
  bool glob = node->op == RILLE_OP_LIKE && c->dialect->like == RILLE_PATTERN_GLOB;
  bool adds = node->op == RILLE_OP_ADD || node->op == RILLE_OP_SUBTRACT;
  bool rounds = adds && begin_rounding(c, node->a->column);

  write_operand(c, node->a);
  rille_compiler_put(c, " ");
  rille_compiler_put(c, c->dialect->operators[node->op]);
  rille_compiler_put(c, " ");
  if (like && node->b->kind == RILLE_NODE_VALUE) {
    rille_node pattern = *node->b;

    pattern.column = NULL; /* a pattern is a text, whatever the column */
    write_value(c, &pattern, glob ? RILLE_PARAM_GLOB : RILLE_PARAM_PLAIN);
  } else if (like) {
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "a pattern must be a value, not a column");
  } else {
    write_operand(c, node->b);
  }
  if (like && !glob)
    rille_compiler_put(c, c->dialect->like_escape);
  end_rounding(c, node->a->column, rounds);
}

static void
write_in(rille_compiler *c, const rille_node *node)
{
  write_operand(c, node->a);
  rille_compiler_put(c, " in ");
  rille_expression_write(c, node->b);
}

/* Negations that SQL has a word for. */
static void
write_not(rille_compiler *c, const rille_node *node)
{
  if (node->kind == RILLE_NODE_IS_NULL) {
    write_operand(c, node->a);
    rille_compiler_put(c, " is not null");
  } else {
    rille_compiler_put(c, "not (");
    rille_expression_write(c, node);
    rille_compiler_put(c, ")");
  }
}

static void
write_alias(rille_compiler *c, const rille_node *node)
{
  if (node->alias.len > 0 && node->kind != RILLE_NODE_RAW) {
    rille_compiler_put(c, " as ");
    rille_compiler_quote(c, node->alias);
  }
}

void
rille_expression_write(rille_compiler *c, const rille_node *node)
{
  if (node == NULL)
    return;
  switch (node->kind) {
  case RILLE_NODE_COLUMN: rille_expression_column(c, node); break;
  case RILLE_NODE_EVERY: write_every(c, node); break;
  case RILLE_NODE_STAR: rille_compiler_put(c, "*"); break;
  case RILLE_NODE_VALUE: write_value(c, node, RILLE_PARAM_PLAIN); break;
  case RILLE_NODE_RAW:
    rille_buffer_add(&c->sql, node->text.at, node->text.len);
    for (const rille_node *item = node->items; item != NULL; item = item->next) {
      rille_param param = { .slot = item->slot };

      rille_buffer_add(&c->params, &param, sizeof param);
    }
    break;
  case RILLE_NODE_LIST: {
    const char *template = c->dialect->long_list;

    for (; *template != '$'; template ++)
      rille_buffer_byte(&c->sql, *template);
    write_value(c, node, RILLE_PARAM_LIST);
    rille_compiler_put(c, template + 2);
    break;
  }
  case RILLE_NODE_ITEMS:
    rille_compiler_put(c, "(");
    rille_expression_list(c, node->items);
    rille_compiler_put(c, ")");
    break;
  case RILLE_NODE_CALL: write_call(c, node); break;
  case RILLE_NODE_COMPARE: write_compare(c, node); break;
  case RILLE_NODE_IN: write_in(c, node); break;
  case RILLE_NODE_BETWEEN:
    write_operand(c, node->a);
    rille_compiler_put(c, " between ");
    write_operand(c, node->b);
    rille_compiler_put(c, " and ");
    write_operand(c, node->c);
    break;
  case RILLE_NODE_IS_NULL:
    write_operand(c, node->a);
    rille_compiler_put(c, " is null");
    break;
  case RILLE_NODE_NOT: write_not(c, node->a); break;
  case RILLE_NODE_AND:
  case RILLE_NODE_OR: write_conditions(c, node); break;
  case RILLE_NODE_EXISTS: rille_compiler_put(c, "exists "); /* fall through */
  case RILLE_NODE_QUERY: {
    bool qualify = c->qualify;

    c->qualify = true;
    rille_compiler_put(c, "(");
    rille_compiler_select(c, node->query);
    rille_compiler_put(c, ")");
    c->qualify = qualify;
    break;
  }
  case RILLE_NODE_CONSTANT: rille_compiler_put(c, node->op ? "1" : "0"); break;
  case RILLE_NODE_TERM:
    rille_expression_write(c, node->a);
    rille_compiler_put(c, node->op ? " desc" : "");
    break;
  }
  write_alias(c, node);
}
