/* core/query/compare.c - comparisons, patterns, lists and ranges. */
#include "core/query/expression.h"

/* True for a column whose numbers stand there as text: its order as text is another than theirs. */
bool
rille_compare_text_number(const rille_node *node)
{
  return node->kind == RILLE_NODE_COLUMN && node->column != NULL && node->column->type.kept == RILLE_KEPT_TEXT &&
         (node->column->type.kind == RILLE_TYPE_DECIMAL || node->column->type.kind == RILLE_TYPE_INTEGER);
}

static bool
is_number(const rille_node *node)
{
  rille_type_kind kind = node->kind == RILLE_NODE_COLUMN && node->column != NULL ? node->column->type.kind
                                                                                 : RILLE_TYPE_ANY;

  return !rille_compare_text_number(node) &&
         (kind == RILLE_TYPE_DECIMAL || kind == RILLE_TYPE_INTEGER || kind == RILLE_TYPE_REAL);
}

void
rille_expression_ordered(rille_compiler *c, const rille_node *node)
{
  rille_node alone = *node;

  alone.next = NULL;
  if (rille_compare_text_number(node))
    (void)rille_expression_template(c, c->dialect->decimal_order, &alone, NULL);
  else
    rille_expression_operand(c, node);
}

/* Beside a column of numbers, SQLite would make doubles of numbers that are kept as text. */
static void
check_forms(rille_compiler *c, const rille_node *a, const rille_node *b)
{
  if (a != NULL && b != NULL &&
      ((rille_compare_text_number(a) && is_number(b)) || (is_number(a) && rille_compare_text_number(b))))
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "a number that is kept as text cannot be compared exactly with one that is kept as a number: "
                        "declare both columns alike");
}

static bool
is_of_json(const rille_node *node)
{
  return node->kind == RILLE_NODE_CALL && node->op == RILLE_FN_JSON_GET;
}

/* What a pattern is held against, as a text: the same one whatever the database. */
static void
write_text_of(rille_compiler *c, const rille_node *node)
{
  rille_type_kind kind = node->column != NULL ? node->column->type.kind : RILLE_TYPE_ANY;
  const char *template = is_of_json(node) ? c->dialect->json_text : c->dialect->text_of[kind];
  rille_node alone = *node;

  alone.next = NULL;
  if (template == NULL)
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "a pattern for numbers with a fraction, bytes or JSON: their texts differ between databases");
  else
    (void)rille_expression_template(c, template, &alone, NULL);
}

static void
write_pattern_operand(rille_compiler *c, const rille_node *node)
{
  const char *around = node->op == RILLE_OP_ILIKE ? c->dialect->ilike_of : NULL;

  if (c->dialect->text_of == NULL) {
    rille_expression_operand(c, node->a);
    return;
  }
  for (; around != NULL && *around != '$'; around++)
    rille_buffer_byte(&c->sql, *around);
  write_text_of(c, node->a);
  if (around != NULL)
    rille_compiler_put(c, around + 2);
}

static void
write_pattern(rille_compiler *c, const rille_node *node)
{
  bool glob = node->op == RILLE_OP_LIKE && c->dialect->like == RILLE_PATTERN_GLOB;
  rille_param_form form = c->dialect->like == RILLE_PATTERN_LIKE ? RILLE_PARAM_LIKE : RILLE_PARAM_PLAIN;
  rille_node pattern = *node->b;

  write_pattern_operand(c, node);
  rille_buffer_format(&c->sql, " %s ", c->dialect->operators[node->op]);
  pattern.column = NULL; /* a pattern is a text, whatever the column */
  if (pattern.kind == RILLE_NODE_VALUE)
    rille_expression_value(c, &pattern, glob ? RILLE_PARAM_GLOB : form);
  else
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "a pattern must be a value, not a column");
  rille_compiler_put(c, glob ? "" : c->dialect->like_escape);
}

/* What stands in a JSON document, with a scalar that is compared as JSON. */
static void
write_json_compare(rille_compiler *c, const rille_node *node)
{
  bool same = node->op == RILLE_OP_EQUAL || node->op == RILLE_OP_UNEQUAL;
  rille_node a = *node->a, b = *node->b;
  const char *rest;

  a.next = &b;
  b.next = NULL;
  b.op = RILLE_PARAM_JSON;
  rest = rille_expression_template(c, same ? c->dialect->json_equal : c->dialect->json_order, &a, NULL);
  rille_compiler_put(c, c->dialect->operators[node->op]);
  (void)rille_expression_template(c, rest, &a, NULL);
}

void
rille_compare_write(rille_compiler *c, const rille_node *node)
{
  if (node->op == RILLE_OP_LIKE || node->op == RILLE_OP_ILIKE) {
    write_pattern(c, node);
    return;
  }
  if (c->dialect->json_equal != NULL && is_of_json(node->a) && node->b->kind == RILLE_NODE_VALUE) {
    write_json_compare(c, node);
    return;
  }
  check_forms(c, node->a, node->b);
  if (rille_compare_text_number(node->b) && !rille_compare_text_number(node->a))
    rille_expression_operand(c, node->a);
  else
    rille_expression_ordered(c, node->a);
  rille_buffer_format(&c->sql, " %s ", c->dialect->operators[node->op]);
  if (rille_compare_text_number(node->b) && !rille_compare_text_number(node->a))
    rille_expression_ordered(c, node->b);
  else
    rille_expression_operand(c, node->b);
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

void
rille_compare_in(rille_compiler *c, const rille_node *node)
{
  const rille_query *query = node->b->kind == RILLE_NODE_QUERY ? node->b->query : NULL;
  bool ignores_null = query != NULL && c->negations > 0 && may_give_null(query);

  if (c->each != NULL && rille_per_is_each(c, node))
    return;
  if (query != NULL)
    check_forms(c, node->a, only_output(query));
  rille_compiler_put(c, ignores_null ? "coalesce(" : "");
  rille_expression_ordered(c, node->a);
  rille_compiler_put(c, node->b->kind == RILLE_NODE_LIST ? "" : " in ");
  rille_expression_write(c, node->b);
  if (ignores_null) { /* one NULL in the query would make "not in" true for no row at all */
    rille_compiler_put(c, ", case when ");
    rille_expression_operand(c, node->a);
    rille_buffer_format(&c->sql, " is not null then %s end)", c->dialect->constants[0]);
  }
}

void
rille_compare_between(rille_compiler *c, const rille_node *node)
{
  check_forms(c, node->a, node->b);
  check_forms(c, node->a, node->c);
  rille_expression_ordered(c, node->a);
  rille_compiler_put(c, " between ");
  rille_expression_operand(c, node->b);
  rille_compiler_put(c, " and ");
  rille_expression_operand(c, node->c);
}
