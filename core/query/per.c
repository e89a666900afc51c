/* core/query/per.c - limits that count among the rows that are alike in some columns: those of each of several records.
**
** Rows are numbered, and those with a fitting number stay: all are read for that.  Where an index has the rows of each
** record in order, and the database can read along it for each (a lateral join), only those are read that stay. */
#include "core/query/expression.h"

/* The place of a row among those that are alike, the key of one record, and the list of these: names that no column and
** no table has. */
static const rille_node NUMBER = { .kind = RILLE_NODE_COLUMN, .text = { "rille#number", 12 } };
#define KEY "\"rille#key\""
#define EACH "\"rille#each\""

bool
rille_per_counts(const rille_query *query)
{
  return query->per != NULL && (query->limit != NULL || query->offset != NULL);
}

void
rille_per_number(rille_compiler *c, const rille_query *query)
{
  const char *space = "";

  rille_compiler_put(c, ", row_number() over (");
  if (c->each == NULL) {
    rille_compiler_put(c, "partition by ");
    rille_expression_list(c, query->per);
    space = " ";
  }
  if (query->orders != NULL) {
    rille_compiler_put(c, space);
    rille_compiler_put(c, "order by ");
    rille_expression_list(c, query->orders);
  }
  rille_compiler_put(c, ") as ");
  rille_expression_write(c, &NUMBER);
}

/* The names of the outputs, as a query around this one selects them. */
static void
write_output_names(rille_compiler *c, const rille_query *query)
{
  const rille_node every = { .kind = RILLE_NODE_EVERY, .source = &query->source };
  const char *comma = "";

  for (const rille_node *output = query->outputs != NULL ? query->outputs : &every; output != NULL;
       output = output->next, comma = ", ") {
    rille_str name = output->alias;

    rille_compiler_put(c, comma);
    if (output->kind == RILLE_NODE_EVERY) {
      for (size_t i = 0; i < output->source->table->column_count; i++) {
        rille_compiler_put(c, i > 0 ? ", " : "");
        rille_compiler_quote(c, output->source->table->columns[i].name);
      }
      continue;
    }
    if (name.len == 0 && output->kind == RILLE_NODE_COLUMN)
      name = output->column != NULL ? output->column->name : output->text;
    if (name.len == 0 || memchr(name.at, '\0', name.len) != NULL)
      rille_compiler_fail(c, RILLE_UNSUPPORTED,
                          "a limit for each of several records wants one name for each output: "
                          "select_raw with one `as` each");
    rille_compiler_quote(c, name);
  }
}

/* The condition among these, all of which hold, that the column is one of a list of scalars; NULL for none. */
static const rille_node *
list_for(const rille_node *conditions, const rille_node *column)
{
  const rille_node *found = NULL;

  if (conditions == NULL)
    return NULL;
  if (conditions->kind == RILLE_NODE_AND)
    for (const rille_node *item = conditions->items; item != NULL && found == NULL; item = item->next)
      found = list_for(item, column);
  else if (conditions->kind == RILLE_NODE_IN && conditions->b->kind != RILLE_NODE_QUERY &&
           conditions->a->kind == RILLE_NODE_COLUMN && conditions->a->column == column->column &&
           conditions->a->source == column->source)
    found = conditions;
  return found;
}

/* The list of the records for each of which rows are read; NULL: they are read for all at once. */
static const rille_node *
each_of(const rille_compiler *c, const rille_query *query)
{
  const rille_node *found;

  if (!query->lateral || c->dialect->array_types == NULL || query->per->next != NULL || query->per->column == NULL ||
      query->joins != NULL || query->groups != NULL || c->dialect->array_types[query->per->column->type.kind] == NULL)
    return NULL;
  found = list_for(query->sealed, query->per);
  return found != NULL ? found : list_for(query->where, query->per);
}

static void
write_keys(rille_compiler *c, const rille_query *query)
{
  const rille_node *list = c->each->b;

  rille_compiler_put(c, " from (select distinct unnest(cast(");
  if (list->kind == RILLE_NODE_LIST) {
    rille_expression_value(c, list, RILLE_PARAM_ARRAY);
  } else {
    rille_compiler_put(c, "array[");
    rille_expression_list(c, list->items);
    rille_compiler_put(c, "]");
  }
  rille_compiler_put(c, " as ");
  rille_compiler_put(c, c->dialect->array_types[query->per->column->type.kind]);
  rille_compiler_put(c, ")) as " KEY ") as " EACH);
}

bool
rille_per_is_each(rille_compiler *c, const rille_node *in)
{
  if (c->each != in)
    return false;
  rille_expression_ordered(c, in->a);
  rille_compiler_put(c, " = " EACH "." KEY);
  return true;
}

static void
write_lateral(rille_compiler *c, const rille_query *query)
{
  write_keys(c, query);
  rille_compiler_put(c, " cross join lateral (");
  rille_compiler_core(c, query, NULL);
  if (query->orders != NULL) {
    rille_compiler_put(c, " order by ");
    rille_expression_list(c, query->orders);
  }
  rille_compiler_limits(c, query);
  rille_compiler_put(c, ")");
  rille_compiler_put(c, c->dialect->derived);
}

static void
write_numbered(rille_compiler *c, const rille_query *query)
{
  rille_compiler_put(c, " from (");
  rille_compiler_core(c, query, NULL);
  rille_compiler_put(c, ")");
  rille_compiler_put(c, c->dialect->derived);
  rille_compiler_put(c, " where ");
  rille_expression_write(c, &NUMBER);
  if (query->offset != NULL) {
    rille_compiler_put(c, " > ");
    rille_expression_write(c, query->offset);
  }
  if (query->offset != NULL && query->limit != NULL) {
    rille_compiler_put(c, " and ");
    rille_expression_write(c, &NUMBER);
    rille_compiler_put(c, " - ");
    rille_expression_write(c, query->offset);
  }
  if (query->limit != NULL) {
    rille_compiler_put(c, " <= ");
    rille_expression_write(c, query->limit);
  }
}

void
rille_per_write(rille_compiler *c, const rille_query *query)
{
  if (query->distinct || query->unions != NULL)
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "a limit for each of several records goes with neither distinct nor union");
  rille_compiler_put(c, "select ");
  write_output_names(c, query);
  c->each = each_of(c, query);
  if (c->each != NULL)
    write_lateral(c, query);
  else
    write_numbered(c, query);
  c->each = NULL;
  rille_compiler_put(c, " order by ");
  rille_expression_write(c, &NUMBER);
}
