/* core/run/layout.c - one block: the struct, its arrays and the text of its names. */
#include "core/run/layout.h"

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/query/declared.h"

static rille_layout *
make(size_t count, size_t text_bytes)
{
  size_t each = sizeof(rille_str) + sizeof(rille_type) + sizeof(bool);
  rille_layout *layout = rille_memory_get(sizeof *layout + count * each + text_bytes);

  if (layout != NULL) {
    layout->holders = 1;
    layout->count = count;
    layout->names = (rille_str *)(layout + 1);
    layout->types = (rille_type *)(layout->names + count);
    layout->own = (bool *)(layout->types + count);
  }
  return layout;
}

/* Copies a name behind the arrays; `at` is where the next one goes. */
static rille_str
keep(char **at, rille_str text)
{
  rille_str kept = { *at, text.len };

  if (text.len > 0)
    memcpy(*at, text.at, text.len);
  *at += text.len;
  return kept;
}

static char *
text_room(rille_layout *layout)
{
  return (char *)(layout->own + layout->count);
}

rille_layout *
rille_layout_of_table(const rille_table *table)
{
  rille_layout *layout;
  size_t bytes = table->name.len;
  char *at;

  for (size_t i = 0; i < table->column_count; i++)
    bytes += table->columns[i].name.len;
  layout = make(table->column_count, bytes);
  if (layout == NULL)
    return NULL;
  layout->table_id = table->id;
  at = text_room(layout);
  layout->what = keep(&at, table->name);
  for (size_t i = 0; i < table->column_count; i++) {
    layout->names[i] = keep(&at, table->columns[i].name);
    layout->types[i] = table->columns[i].type;
    layout->own[i] = true;
  }
  return layout;
}

static bool
is_whole_table(const rille_layout *layout, const rille_table *table)
{
  if (layout->count != table->column_count)
    return false;
  for (size_t i = 0; i < layout->count; i++)
    if (!rille_str_equal(layout->names[i], table->columns[i].name))
      return false;
  return true;
}

/* Columns of a result that an output makes; 0 for SQL text, which may make any number. */
static size_t
width_of(const rille_node *output)
{
  if (output->kind == RILLE_NODE_EVERY)
    return output->source->table->column_count;
  return output->kind != RILLE_NODE_RAW;
}

/* The least and greatest of a column are of its type, and the sum of one whose numbers are added exactly; counts and
** averages are what the database makes of them. */
static rille_type
aggregate_type(const rille_node *call)
{
  const rille_node *of = call->items;
  const rille_type any = { .kind = RILLE_TYPE_ANY };
  rille_type type = of != NULL && of->column != NULL ? of->column->type : any;
  bool exact = type.kind == RILLE_TYPE_DECIMAL || (type.kind == RILLE_TYPE_INTEGER && type.kept == RILLE_KEPT_TEXT);
  bool keeps = call->op == RILLE_FN_MIN || call->op == RILLE_FN_MAX || (call->op == RILLE_FN_SUM && exact);

  return keeps ? type : any;
}

/* Gives the columns from `at` on the types of what the outputs read, and says which are the first table's own, up to
** the first that is SQL text; returns that one. */
static const rille_node *
take_types(rille_layout *layout, const rille_source *first, const rille_node *output, size_t at)
{
  for (; output != NULL && output->kind != RILLE_NODE_RAW && at + width_of(output) <= layout->count;
       output = output->next) {
    if (output->kind == RILLE_NODE_COLUMN && output->column != NULL)
      layout->types[at] = output->column->type;
    if (output->kind == RILLE_NODE_COLUMN && output->column != NULL)
      layout->own[at] = output->source == first && rille_str_equal(layout->names[at], output->column->name);
    if (output->kind == RILLE_NODE_EXISTS)
      layout->types[at] = (rille_type){ .kind = RILLE_TYPE_BOOLEAN };
    if (output->kind == RILLE_NODE_QUERY && output->query->aggregate != NULL)
      layout->types[at] = aggregate_type(output->query->aggregate);
    for (size_t i = 0; output->kind == RILLE_NODE_EVERY && i < width_of(output); i++) {
      layout->types[at + i] = output->source->table->columns[i].type;
      layout->own[at + i] = output->source == first;
    }
    at += width_of(output);
  }
  return output;
}

/* The types that the query's tables give: a cast may say more than the database does.  Outputs are counted from the
** first one and, behind SQL text, from the last one. */
static void
take_query_types(rille_layout *layout, const rille_query *query)
{
  const rille_node every = { .kind = RILLE_NODE_EVERY, .source = &query->source }, *rest;
  size_t behind = 0;

  if (query->verb != RILLE_SELECT)
    rest = take_types(layout, &query->source, query->returning, 0);
  else
    rest = take_types(layout, &query->source, query->outputs != NULL ? query->outputs : &every, 0);
  for (const rille_node *node = rest; node != NULL; node = node->next) {
    behind += width_of(node);
    if (node->kind == RILLE_NODE_RAW) {
      rest = node->next;
      behind = 0;
    }
  }
  if (behind > 0 && behind <= layout->count)
    (void)take_types(layout, &query->source, rest, layout->count - behind);
}

rille_status
rille_layout_of_statement(const rille_query *query, const rille_dialect *dialect, const rille_stmt *stmt,
                          rille_layout **out, rille_fault *fault)
{
  const rille_driver *driver = stmt->driver;
  size_t count = (size_t)driver->column_count(stmt), bytes = query != NULL ? query->source.table->name.len : 0;
  rille_layout *layout;
  char *at;

  for (size_t i = 0; i < count; i++)
    bytes += driver->column_name(stmt, (int)i).len;
  layout = make(count, bytes);
  if (layout == NULL)
    return rille_fault_no_memory(fault);
  at = text_room(layout);
  if (query != NULL)
    layout->what = keep(&at, query->source.table->name);
  for (size_t i = 0; i < count; i++) {
    rille_str name = layout->names[i] = keep(&at, driver->column_name(stmt, (int)i));

    layout->types[i] = rille_type_of_column(driver->column_declared(stmt, (int)i), (rille_str){ 0 },
                                            dialect->exact_decimals);
    for (size_t j = 0; j < i; j++)
      if (rille_str_equal(layout->names[j], name)) {
        rille_status status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                                              "two columns of the result are called \"%s\"", rille_show(name).text);

        rille_fault_hint(fault, "give one of them another name: \"select ... as ...\"");
        rille_layout_drop(layout);
        return status;
      }
  }
  if (query != NULL && query->aggregate != NULL && count == 1)
    layout->types[0] = aggregate_type(query->aggregate);
  else if (query != NULL)
    take_query_types(layout, query);
  if (query != NULL && query->aggregate == NULL && query->outputs == NULL &&
      is_whole_table(layout, query->source.table))
    layout->table_id = query->source.table->id;
  *out = layout;
  return RILLE_OK;
}

rille_layout *
rille_layout_cut(const rille_layout *of, size_t count, const rille_table *table)
{
  size_t bytes = of->what.len;
  rille_layout *layout;
  char *at;

  for (size_t i = 0; i < count; i++)
    bytes += of->names[i].len;
  layout = make(count, bytes);
  if (layout == NULL)
    return NULL;
  at = text_room(layout);
  layout->what = keep(&at, of->what);
  for (size_t i = 0; i < count; i++) {
    layout->names[i] = keep(&at, of->names[i]);
    layout->types[i] = of->types[i];
    layout->own[i] = of->own[i];
  }
  if (is_whole_table(layout, table))
    layout->table_id = table->id;
  return layout;
}

rille_layout *
rille_layout_hold(rille_layout *layout)
{
  layout->holders++;
  return layout;
}

void
rille_layout_drop(rille_layout *layout)
{
  if (layout != NULL && --layout->holders == 0)
    rille_memory_free(layout);
}
