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
  if (c->dialect->name_bytes > 0 && name.len > (size_t)c->dialect->name_bytes)
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "a name is longer than the 63 bytes that PostgreSQL reads of one");
  rille_buffer_name(&c->sql, name);
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

void
rille_expression_mark(rille_compiler *c)
{
  c->placed++;
  if (c->dialect->numbered)
    rille_buffer_format(&c->sql, "$%d", c->placed);
  else
    rille_compiler_put(c, "?");
}

static bool
keeps_seconds(rille_type type)
{
  return type.kept == RILLE_KEPT_SECONDS || (type.kind == RILLE_TYPE_TIMESTAMP && type.kept == RILLE_KEPT_OWN);
}

void
rille_expression_value(rille_compiler *c, const rille_node *value, rille_param_form form)
{
  rille_param param = { .slot = value->slot, .form = form, .what = place_of(c, value) };
  const char *seconds = NULL;

  if (value->column != NULL)
    param.type = value->column->type;
  param.type.compares = !c->assigns;
  if (form == RILLE_PARAM_GLOB)
    param.type = (rille_type){ .kind = RILLE_TYPE_TEXT };
  if (param.type.compares && keeps_seconds(param.type) && form == RILLE_PARAM_PLAIN)
    seconds = c->dialect->seconds;
  rille_buffer_add(&c->params, &param, sizeof param);
  for (; seconds != NULL && *seconds != '$'; seconds++)
    rille_buffer_byte(&c->sql, *seconds);
  rille_expression_mark(c);
  if (seconds != NULL)
    rille_compiler_put(c, seconds + 2);
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
  if (node->source == NULL && c->query != NULL && c->dialect->outputs_unknown) {
    rille_raw_output(c, node->text);
    return;
  }
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

/* A template of the dialect: the n-th of `items` for $n, and what is known of the type for $p $s $d $a $0.  Returns
** the operator's mark $o, where there is one. */
const char *
rille_expression_template(rille_compiler *c, const char *template, const rille_node *items, const rille_type *type)
{
  for (; *template != '\0'; template ++) {
    if (*template != '$') {
      rille_buffer_byte(&c->sql, *template);
      continue;
    }
    switch (*++template) {
    case 'o': return template + 1;
    case '$': rille_buffer_byte(&c->sql, '$'); break;
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
  return NULL;
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
    rille_compiler_put(c, c->dialect->constants[node->kind == RILLE_NODE_AND]);
  else
    write_chain(c, &first, rille_node_count(first), node->kind == RILLE_NODE_AND ? " and " : " or ");
}

/* A part of a comparison: in parentheses unless it is one thing. */
void
rille_expression_operand(rille_compiler *c, const rille_node *node)
{
  bool bare = node->kind != RILLE_NODE_RAW && (node->kind < RILLE_NODE_COMPARE || node->kind > RILLE_NODE_OR);

  rille_compiler_put(c, bare ? "" : "(");
  rille_expression_write(c, node);
  rille_compiler_put(c, bare ? "" : ")");
}

/* Negations that SQL has a word for. */
static void
write_not(rille_compiler *c, const rille_node *node)
{
  if (node->kind == RILLE_NODE_IS_NULL) {
    rille_expression_operand(c, node->a);
    rille_compiler_put(c, " is not null");
  } else {
    rille_compiler_put(c, "not (");
    c->negations++;
    rille_expression_write(c, node);
    c->negations--;
    rille_compiler_put(c, ")");
  }
}

/* False where an operand has a value in each row: an order by it need not say where NULL goes, and so may use an
** index. */
static bool
may_be_null(const rille_compiler *c, const rille_node *node)
{
  if (node->kind == RILLE_NODE_CALL)
    return node->op != RILLE_FN_RANDOM && node->op != RILLE_FN_COUNT;
  if (node->kind == RILLE_NODE_COLUMN && node->column != NULL)
    return !node->column->not_null || node->source->optional || c->unites;
  return true;
}

static void
write_term(rille_compiler *c, const rille_node *node)
{
  const char *nulls = node->op ? c->dialect->nulls_last : c->dialect->nulls_first;

  rille_expression_ordered(c, node->a);
  rille_compiler_put(c, node->op ? " desc" : "");
  if (nulls != NULL && may_be_null(c, node->a))
    rille_compiler_put(c, nulls);
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
  case RILLE_NODE_VALUE: rille_expression_value(c, node, (rille_param_form)node->op); break;
  case RILLE_NODE_RAW: rille_raw_write(c, node); break;
  case RILLE_NODE_LIST: {
    const char *template = c->dialect->in_list;

    for (; *template != '$'; template ++)
      rille_buffer_byte(&c->sql, *template);
    rille_expression_value(c, node, c->dialect->array_lists ? RILLE_PARAM_ARRAY : RILLE_PARAM_LIST);
    rille_compiler_put(c, template + 2);
    break;
  }
  case RILLE_NODE_ITEMS:
    rille_compiler_put(c, "(");
    rille_expression_list(c, node->items);
    rille_compiler_put(c, ")");
    break;
  case RILLE_NODE_CALL: rille_call_write(c, node); break;
  case RILLE_NODE_COMPARE:
    if (node->op == RILLE_OP_ADD || node->op == RILLE_OP_SUBTRACT)
      rille_call_sum(c, node);
    else
      rille_compare_write(c, node);
    break;
  case RILLE_NODE_IN: rille_compare_in(c, node); break;
  case RILLE_NODE_BETWEEN: rille_compare_between(c, node); break;
  case RILLE_NODE_IS_NULL:
    rille_expression_operand(c, node->a);
    rille_compiler_put(c, " is null");
    break;
  case RILLE_NODE_NOT: write_not(c, node->a); break;
  case RILLE_NODE_AND:
  case RILLE_NODE_OR: write_conditions(c, node); break;
  case RILLE_NODE_EXISTS:
  case RILLE_NODE_QUERY: {
    const rille_query *query = c->query;
    bool qualify = c->qualify;
    int negations = c->negations;

    c->query = NULL;
    c->qualify = true;
    c->negations = 0;
    rille_compiler_put(c, node->kind == RILLE_NODE_EXISTS ? "exists (" : "(");
    if (node->kind == RILLE_NODE_EXISTS)
      rille_compiler_exists(c, node->query);
    else
      rille_compiler_select(c, node->query);
    rille_compiler_put(c, ")");
    c->query = query;
    c->qualify = qualify;
    c->negations = negations;
    break;
  }
  case RILLE_NODE_CONSTANT: rille_compiler_put(c, c->dialect->constants[node->op != 0]); break;
  case RILLE_NODE_TERM: write_term(c, node); break;
  }
  write_alias(c, node);
}
