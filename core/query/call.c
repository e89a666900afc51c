/* core/query/call.c - functions, aggregates and sums, by the type of what they are of. */
#include "core/query/expression.h"

/* Sums, averages, the least and the greatest of decimals and of numbers that are kept as text. */
static bool
write_exact_call(rille_compiler *c, const rille_node *node)
{
  const rille_node *of = node->b != NULL ? node->b : node->items;
  bool as_text = of != NULL && rille_compare_text_number(of);
  bool decimal = of != NULL && of->column != NULL && of->column->type.kind == RILLE_TYPE_DECIMAL;

  if (!as_text && !decimal)
    return false;
  if (node->op == RILLE_FN_SUM) {
    (void)rille_expression_template(c, c->dialect->decimal_sum, node->items, &of->column->type);
  } else if (node->op == RILLE_FN_AVG) {
    (void)rille_expression_template(c, c->dialect->decimal_avg, node->items, &of->column->type);
  } else if (as_text && (node->op == RILLE_FN_MIN || node->op == RILLE_FN_MAX)) {
    rille_compiler_put(c, node->op == RILLE_FN_MIN ? "min(" : "max(");
    (void)rille_expression_template(c, c->dialect->decimal_order, node->items, NULL);
    rille_compiler_put(c, ")");
  } else {
    return false;
  }
  return true;
}

/* The template of a function for what its first argument is. */
static const char *
template_of(const rille_compiler *c, const rille_node *node)
{
  const rille_node *of = node->b != NULL ? node->b : node->items;
  const rille_typed_template *typed = c->dialect->typed;

  for (; typed != NULL && typed->template != NULL && of != NULL && of->column != NULL; typed++)
    if (typed->of == node->op && typed->kind == of->column->type.kind)
      return typed->template;
  return c->dialect->functions[node->op];
}

/* The argument behind document and path, where scalars of JSON compare as JSON. */
static void
write_contains(rille_compiler *c, const rille_node *node)
{
  rille_node document = *node->items, path = *document.next, scalar = *path.next;

  document.next = &path;
  path.next = &scalar;
  if (c->dialect->json_equal != NULL)
    scalar.op = RILLE_PARAM_JSON;
  (void)rille_expression_template(c, c->dialect->functions[node->op], &document, NULL);
}

void
rille_call_write(rille_compiler *c, const rille_node *node)
{
  if (node->op == RILLE_FN_JSON_CONTAINS)
    write_contains(c, node);
  else if (!write_exact_call(c, node))
    (void)rille_expression_template(c, template_of(c, node), node->items, NULL);
}

/* column + value: the values of a COMPARE are no list, so two copies of them are made one. */
void
rille_call_sum(rille_compiler *c, const rille_node *node)
{
  const rille_column *column = node->a->column;
  bool decimal = column != NULL && column->type.kind == RILLE_TYPE_DECIMAL, minus = node->op == RILLE_OP_SUBTRACT;
  rille_node a = *node->a, b = *node->b;

  a.next = &b;
  b.next = NULL;
  if (decimal && column->type.kept == RILLE_KEPT_TEXT && c->dialect->text_add != NULL)
    (void)rille_expression_template(c, minus ? c->dialect->text_subtract : c->dialect->text_add, &a, &column->type);
  else if (decimal)
    (void)rille_expression_template(c, minus ? c->dialect->decimal_subtract : c->dialect->decimal_add, &a,
                                    &column->type);
  else
    (void)rille_expression_template(c, minus ? c->dialect->subtract : c->dialect->add, &a, NULL);
}
