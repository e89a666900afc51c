/* core/query/expression.c - one writer a kind of node; the order of writing is the order of the parameters. */
#include "core/query/expression.h"

enum { CHAIN_MAX = 200 };    /* conditions joined without parentheses; SQLite refuses trees deeper than 1000 */
enum { AVERAGE_DIGITS = 6 }; /* that an average of decimals has behind those of its column */

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
  param.type.compares = !c->assigns;
  if (form == RILLE_PARAM_GLOB)
    param.type = (rille_type){ .kind = RILLE_TYPE_TEXT };
  rille_buffer_add(&c->params, &param, sizeof param);
  rille_compiler_put(c, "?");
}

void
rille_compiler_name(rille_compiler *c, const rille_source *source)
{
  rille_compiler_quote(c, source->name);
  if (source->level > 0) { /* before the closing quote: no name that Lua may give has such a sign */
    c->sql.len--;
    rille_buffer_format(&c->sql, "#%d\"", source->level);
  }
}

void
rille_expression_column(rille_compiler *c, const rille_node *node)
{
  if (node->source != NULL && c->qualify) {
    rille_compiler_name(c, node->source);
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

/* A template of the dialect: the n-th of `items` for $n, and what is known of the type for $p $s $d $a $0. */
static void
write_template(rille_compiler *c, const char *template, const rille_node *items, const rille_type *type)
{
  for (; *template != '\0'; template ++) {
    if (*template != '$') {
      rille_buffer_byte(&c->sql, *template);
      continue;
    }
    switch (*++template) {
    case 'p': rille_buffer_format(&c->sql, "%d", type->precision); break;
    case 's': rille_buffer_format(&c->sql, "%d", type->scale); break;
    case 'd': rille_buffer_format(&c->sql, "%d", type->kept_digits); break;
    case 'a': rille_buffer_format(&c->sql, "%d", type->scale + AVERAGE_DIGITS); break;
    case '0': rille_buffer_format(&c->sql, type->scale > 0 ? "'0.%0*d'" : "'0'", type->scale, 0); break;
    default: {
      const rille_node *item = items;

      for (int skip = *template - '1'; skip > 0 && item != NULL; skip--)
        item = item->next;
      rille_expression_write(c, item);
    }
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

/* True for a column whose numbers stand there as text: its order as text is another than theirs. */
static bool
is_text_number(const rille_node *node)
{
  return node->kind == RILLE_NODE_COLUMN && node->column != NULL && node->column->type.kept == RILLE_KEPT_TEXT &&
         (node->column->type.kind == RILLE_TYPE_DECIMAL || node->column->type.kind == RILLE_TYPE_INTEGER);
}

static bool
is_number(const rille_node *node)
{
  rille_type_kind kind = node->kind == RILLE_NODE_COLUMN && node->column != NULL ? node->column->type.kind
                                                                                 : RILLE_TYPE_ANY;

  return !is_text_number(node) && (kind == RILLE_TYPE_DECIMAL || kind == RILLE_TYPE_INTEGER || kind == RILLE_TYPE_REAL);
}

void
rille_expression_ordered(rille_compiler *c, const rille_node *node)
{
  write_operand(c, node);
  if (is_text_number(node))
    rille_compiler_put(c, c->dialect->decimal_order);
}

/* Beside a column of numbers, SQLite would make doubles of numbers that are kept as text. */
static void
check_forms(rille_compiler *c, const rille_node *a, const rille_node *b)
{
  if (a != NULL && b != NULL && ((is_text_number(a) && is_number(b)) || (is_number(a) && is_text_number(b))))
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "a number that is kept as text cannot be compared exactly with one that is kept as a number: "
                        "declare both columns alike");
}

/* Sums, averages, the least and the greatest of decimals and of numbers that are kept as text. */
static bool
write_exact_call(rille_compiler *c, const rille_node *node)
{
  const rille_node *of = node->b != NULL ? node->b : node->items;
  bool as_text = of != NULL && is_text_number(of);
  bool decimal = of != NULL && of->column != NULL && of->column->type.kind == RILLE_TYPE_DECIMAL;

  if (!as_text && !decimal)
    return false;
  if (node->op == RILLE_FN_SUM) {
    write_template(c, c->dialect->decimal_sum, node->items, &of->column->type);
  } else if (node->op == RILLE_FN_AVG) {
    write_template(c, c->dialect->decimal_avg, node->items, &of->column->type);
  } else if (as_text && (node->op == RILLE_FN_MIN || node->op == RILLE_FN_MAX)) {
    rille_compiler_put(c, node->op == RILLE_FN_MIN ? "min(" : "max(");
    rille_expression_write(c, node->items);
    rille_compiler_put(c, c->dialect->decimal_order);
    rille_compiler_put(c, ")");
  } else {
    return false;
  }
  return true;
}

static void
write_call(rille_compiler *c, const rille_node *node)
{
  if (!write_exact_call(c, node))
    write_template(c, c->dialect->functions[node->op], node->items, NULL);
}

/* column + value: the values of a COMPARE are no list, so two copies of them are made one. */
static void
write_sum(rille_compiler *c, const rille_node *node)
{
  const rille_column *column = node->a->column;
  bool decimal = column != NULL && column->type.kind == RILLE_TYPE_DECIMAL, minus = node->op == RILLE_OP_SUBTRACT;
  rille_node a = *node->a, b = *node->b;

  a.next = &b;
  b.next = NULL;
  if (decimal)
    write_template(c, minus ? c->dialect->decimal_subtract : c->dialect->decimal_add, &a, &column->type);
  else
    write_template(c, minus ? c->dialect->subtract : c->dialect->add, &a, NULL);
}

static void
write_pattern(rille_compiler *c, const rille_node *node)
{
  bool glob = node->op == RILLE_OP_LIKE && c->dialect->like == RILLE_PATTERN_GLOB;
  rille_node pattern = *node->b;

  write_operand(c, node->a);
  rille_buffer_format(&c->sql, " %s ", c->dialect->operators[node->op]);
  pattern.column = NULL; /* a pattern is a text, whatever the column */
  if (pattern.kind == RILLE_NODE_VALUE)
    write_value(c, &pattern, glob ? RILLE_PARAM_GLOB : RILLE_PARAM_PLAIN);
  else
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "a pattern must be a value, not a column");
  rille_compiler_put(c, glob ? "" : c->dialect->like_escape);
}

static void
write_compare(rille_compiler *c, const rille_node *node)
{
  check_forms(c, node->a, node->b);
  if (is_text_number(node->b) && !is_text_number(node->a))
    write_operand(c, node->a);
  else
    rille_expression_ordered(c, node->a);
  rille_buffer_format(&c->sql, " %s ", c->dialect->operators[node->op]);
  if (is_text_number(node->b) && !is_text_number(node->a))
    rille_expression_ordered(c, node->b);
  else
    write_operand(c, node->b);
}

/* The one column that a query in an IN selects, or NULL for anything else. */
static const rille_node *
only_output(const rille_query *query)
{
  const rille_node *output = query->outputs;
  bool one = output != NULL && output->next == NULL && output->kind == RILLE_NODE_COLUMN && output->column != NULL;

  return one && query->aggregate == NULL ? output : NULL;
}

static bool
may_give_null(const rille_query *query)
{
  const rille_node *output = only_output(query);

  if (output == NULL || !output->column->not_null || query->unions != NULL)
    return true;
  for (const rille_join *join = query->joins; join != NULL; join = join->next)
    if (join->kind == RILLE_JOIN_LEFT)
      return true;
  return false;
}

static void
write_in(rille_compiler *c, const rille_node *node)
{
  const rille_query *query = node->b->kind == RILLE_NODE_QUERY ? node->b->query : NULL;
  bool ignores_null = query != NULL && c->negations > 0 && may_give_null(query);

  if (query != NULL)
    check_forms(c, node->a, only_output(query));
  rille_compiler_put(c, ignores_null ? "coalesce(" : "");
  rille_expression_ordered(c, node->a);
  rille_compiler_put(c, " in ");
  rille_expression_write(c, node->b);
  if (ignores_null) { /* one NULL in the query would make "not in" true for no row at all */
    rille_compiler_put(c, ", case when ");
    write_operand(c, node->a);
    rille_compiler_put(c, " is not null then 0 end)");
  }
}

static void
write_between(rille_compiler *c, const rille_node *node)
{
  check_forms(c, node->a, node->b);
  check_forms(c, node->a, node->c);
  rille_expression_ordered(c, node->a);
  rille_compiler_put(c, " between ");
  write_operand(c, node->b);
  rille_compiler_put(c, " and ");
  write_operand(c, node->c);
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
    c->negations++;
    rille_expression_write(c, node);
    c->negations--;
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
  case RILLE_NODE_COMPARE:
    if (node->op == RILLE_OP_ADD || node->op == RILLE_OP_SUBTRACT)
      write_sum(c, node);
    else if (node->op == RILLE_OP_LIKE || node->op == RILLE_OP_ILIKE)
      write_pattern(c, node);
    else
      write_compare(c, node);
    break;
  case RILLE_NODE_IN: write_in(c, node); break;
  case RILLE_NODE_BETWEEN: write_between(c, node); break;
  case RILLE_NODE_IS_NULL:
    write_operand(c, node->a);
    rille_compiler_put(c, " is null");
    break;
  case RILLE_NODE_NOT: write_not(c, node->a); break;
  case RILLE_NODE_AND:
  case RILLE_NODE_OR: write_conditions(c, node); break;
  case RILLE_NODE_EXISTS:
  case RILLE_NODE_QUERY: {
    bool qualify = c->qualify;
    int negations = c->negations;

    c->qualify = true;
    c->negations = 0;
    rille_compiler_put(c, node->kind == RILLE_NODE_EXISTS ? "exists (" : "(");
    if (node->kind == RILLE_NODE_EXISTS)
      rille_compiler_exists(c, node->query);
    else
      rille_compiler_select(c, node->query);
    rille_compiler_put(c, ")");
    c->qualify = qualify;
    c->negations = negations;
    break;
  }
  case RILLE_NODE_CONSTANT: rille_compiler_put(c, node->op ? "1" : "0"); break;
  case RILLE_NODE_TERM:
    rille_expression_ordered(c, node->a);
    rille_compiler_put(c, node->op ? " desc" : "");
    break;
  }
  write_alias(c, node);
}
