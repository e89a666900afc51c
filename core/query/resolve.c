/* core/query/resolve.c - one walk over the tree; a scope knows the statement it is in and the one around. */
#include "core/query/resolve.h"

#include "core/base/name.h"
#include "core/base/shown.h"

struct scope {
  const rille_query *query;
  const struct scope *outer;
  int level; /* 0: no query around */
  rille_fault *fault;
};

static rille_status resolve_query(rille_query *query, const struct scope *outer, rille_fault *fault);
static rille_status resolve_node(rille_node *node, const struct scope *scope);

static const rille_source *
source_named(const rille_query *query, rille_str name)
{
  if (rille_str_equal(query->source.name, name) || (query->joined && rille_str_equal(query->source.table->name, name)))
    return &query->source;
  for (const rille_join *join = query->joins; join != NULL; join = join->next)
    if (rille_str_equal(join->source.name, name))
      return &join->source;
  return NULL;
}

static rille_status
no_source(const struct scope *scope, rille_str name, rille_str path)
{
  rille_nearest nearest;

  rille_nearest_init(&nearest, name);
  for (const struct scope *s = scope; s != NULL; s = s->outer) {
    rille_nearest_offer(&nearest, s->query->source.name);
    for (const rille_join *join = s->query->joins; join != NULL; join = join->next)
      rille_nearest_offer(&nearest, join->source.name);
  }
  (void)rille_fault_set(scope->fault, RILLE_NO_SUCH_TABLE, "\"%s\": this query reads no table \"%s\"",
                        rille_show(path).text, rille_show(name).text);
  if (nearest.best.len > 0)
    rille_nearest_hint(&nearest, scope->fault);
  else
    rille_fault_hint(scope->fault, "join the table first");
  return RILLE_NO_SUCH_TABLE;
}

/* "posts.title": the source is named. */
static rille_status
resolve_path(rille_node *node, const struct scope *scope, size_t dot)
{
  rille_str table = { node->text.at, dot };
  rille_str name = { node->text.at + dot + 1, node->text.len - dot - 1 };

  for (const struct scope *s = scope; s != NULL; s = s->outer) {
    const rille_source *source = source_named(s->query, table);

    if (source != NULL) {
      node->source = source;
      node->column = rille_table_column(source->table, name);
      return node->column != NULL ? RILLE_OK : rille_table_no_column(source->table, name, scope->fault);
    }
  }
  return no_source(scope, table, node->text);
}

/* Looks in the first table, then in the joined ones.  RILLE_NOT_FOUND without a fault when none has it. */
static rille_status
resolve_plain(rille_node *node, const struct scope *scope)
{
  const rille_query *query = scope->query;

  node->source = &query->source;
  node->column = rille_table_column(query->source.table, node->text);
  if (node->column != NULL)
    return RILLE_OK;
  for (const rille_join *join = query->joins; join != NULL; join = join->next) {
    const rille_column *column = rille_table_column(join->source.table, node->text);

    if (column != NULL && node->column != NULL)
      return rille_fault_set(scope->fault, RILLE_INVALID_ARGUMENT,
                             "\"%s\" is a column of both %s and %s: name the table", rille_show(node->text).text,
                             rille_show(node->source->name).text, rille_show(join->source.name).text);
    if (column != NULL) {
      node->source = &join->source;
      node->column = column;
    }
  }
  return node->column != NULL ? RILLE_OK : RILLE_NOT_FOUND;
}

/* True when `names`, separated by NUL, hold `name`. */
static bool
lists_name(rille_str names, rille_str name)
{
  size_t start = 0;

  for (size_t i = 0; i <= names.len; i++)
    if (i == names.len || names.at[i] == '\0') {
      if (i > start && rille_str_equal((rille_str){ names.at + start, i - start }, name))
        return true;
      start = i + 1;
    }
  return false;
}

static bool
is_output(const rille_query *query, rille_str name)
{
  for (const rille_node *output = query->outputs; output != NULL; output = output->next)
    if (lists_name(output->alias, name))
      return true;
  return false;
}

/* A column of the first table of the query around. */
static rille_status
resolve_outer(rille_node *node, const struct scope *scope)
{
  const rille_source *source;

  if (scope->outer == NULL)
    return rille_fault_set(scope->fault, RILLE_INVALID_ARGUMENT, "\"%.*s\" is of a query around, and there is none",
                           RILLE_STR_ARG(node->text));
  source = &scope->outer->query->source;
  node->source = source;
  node->column = rille_table_column(source->table, node->text);
  return node->column != NULL ? RILLE_OK : rille_table_no_column(source->table, node->text, scope->fault);
}

static rille_status
resolve_column(rille_node *node, const struct scope *scope)
{
  const char *dot;

  if (node->op == RILLE_COLUMN_OF_OUTER)
    return resolve_outer(node, scope);
  dot = memchr(node->text.at, '.', node->text.len);
  if (dot != NULL)
    return resolve_path(node, scope, (size_t)(dot - node->text.at));
  for (const struct scope *s = scope; s != NULL; s = s->outer) {
    rille_status status = resolve_plain(node, s);

    if (status != RILLE_NOT_FOUND)
      return status;
    if (s == scope && is_output(s->query, node->text)) {
      node->source = NULL;
      return RILLE_OK;
    }
  }
  return rille_table_no_column(scope->query->source.table, node->text, scope->fault);
}

static rille_status
resolve_nodes(rille_node *first, const struct scope *scope)
{
  rille_status status = RILLE_OK;

  for (; first != NULL && status == RILLE_OK; first = first->next)
    status = resolve_node(first, scope);
  return status;
}

/* How many columns a query gives; 0 where raw SQL keeps that to itself. */
static size_t
output_count(const rille_query *query)
{
  size_t count = query->outputs == NULL ? query->source.table->column_count : 0;

  if (query->aggregate != NULL)
    return 1;
  for (const rille_node *output = query->outputs; output != NULL; output = output->next) {
    if (output->kind == RILLE_NODE_RAW)
      return 0;
    count += output->kind == RILLE_NODE_EVERY ? output->source->table->column_count : 1;
  }
  return count;
}

/* a is in b: a query there gives one column. */
static rille_status
check_in(const rille_node *in, rille_fault *fault)
{
  size_t count = in->b->kind == RILLE_NODE_QUERY ? output_count(in->b->query) : 1;

  if (count < 2 || in->a->kind != RILLE_NODE_COLUMN)
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s in a query: it gives %zu columns of %s instead of one",
                        rille_show(in->a->text).text, count, rille_show(in->b->query->source.table->name).text);
  rille_fault_hint(fault, "select(column) says which one is meant");
  return RILLE_INVALID_ARGUMENT;
}

/* Values beside a column take its type. */
static void
give_type(const rille_node *column, rille_node *value)
{
  if (column == NULL || value == NULL || column->kind != RILLE_NODE_COLUMN)
    return;
  if (value->kind == RILLE_NODE_VALUE || value->kind == RILLE_NODE_LIST) {
    value->column = column->column;
    value->source = column->source;
  } else if (value->kind == RILLE_NODE_ITEMS) {
    for (rille_node *item = value->items; item != NULL; item = item->next)
      give_type(column, item);
  }
}

static rille_status
resolve_node(rille_node *node, const struct scope *scope)
{
  rille_status status = RILLE_OK;

  if (node == NULL)
    return RILLE_OK;
  switch (node->kind) {
  case RILLE_NODE_COLUMN: return resolve_column(node, scope);
  case RILLE_NODE_EVERY:
    node->source = node->text.len == 0 ? &scope->query->source : source_named(scope->query, node->text);
    return node->source != NULL ? RILLE_OK : no_source(scope, node->text, node->text);
  case RILLE_NODE_EXISTS:
  case RILLE_NODE_QUERY: return resolve_query(node->query, scope, scope->fault);
  default: break;
  }
  status = resolve_node(node->a, scope);
  if (status == RILLE_OK)
    status = resolve_node(node->b, scope);
  if (status == RILLE_OK)
    status = resolve_node(node->c, scope);
  if (status == RILLE_OK)
    status = resolve_nodes(node->items, scope);
  if (status == RILLE_OK && node->kind == RILLE_NODE_IN)
    status = check_in(node, scope->fault);
  give_type(node->a, node->b);
  give_type(node->a, node->c);
  give_type(node->b, node->a);
  return status;
}

static rille_status
resolve_sets(rille_set *set, const struct scope *scope)
{
  const rille_table *table = scope->query->source.table;
  rille_status status = RILLE_OK;

  for (; set != NULL && status == RILLE_OK; set = set->next) {
    set->column = rille_table_column(table, set->name);
    if (set->column == NULL)
      return rille_table_no_column(table, set->name, scope->fault);
    if (set->column->generated)
      return rille_fault_set(scope->fault, RILLE_INVALID_ARGUMENT,
                             "%s.%s is computed by the database: it cannot be written", rille_show(table->name).text,
                             rille_show(set->name).text);
    if (set->value->kind == RILLE_NODE_VALUE) {
      set->value->column = set->column;
      set->value->source = &scope->query->source;
    } else {
      status = resolve_node(set->value, scope);
    }
  }
  return status;
}

/* True for conditions that hold for every row: they narrow nothing. */
static bool
holds_always(const rille_node *node)
{
  if (node == NULL)
    return true;
  switch (node->kind) {
  case RILLE_NODE_CONSTANT: return node->op != 0;
  case RILLE_NODE_NOT: return node->a->kind == RILLE_NODE_CONSTANT && node->a->op == 0;
  case RILLE_NODE_AND:
    for (const rille_node *item = node->items; item != NULL; item = item->next)
      if (!holds_always(item))
        return false;
    return true;
  case RILLE_NODE_OR:
    for (const rille_node *item = node->items; item != NULL; item = item->next)
      if (holds_always(item))
        return true;
    return false;
  default: return false;
  }
}

/* A join leaves rows out when they need a partner; a limit says how many rows are meant. */
static bool
is_narrowed(const rille_query *query)
{
  for (const rille_join *join = query->joins; join != NULL; join = join->next)
    if (join->kind == RILLE_JOIN_INNER)
      return true;
  return query->limit != NULL || !holds_always(query->where);
}

/* An update or delete of every row must be said. */
static rille_status
check_mutation(const rille_query *query, rille_fault *fault)
{
  if ((query->verb != RILLE_UPDATE && query->verb != RILLE_DELETE) || query->unfiltered || is_narrowed(query))
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_UNSAFE_MUTATION, "%s of %s without a condition would touch every row",
                        query->verb == RILLE_UPDATE ? "an update" : "a delete",
                        rille_show(query->source.table->name).text);
  rille_fault_hint(fault, "add a condition, or say unfiltered() when every row is meant");
  return RILLE_UNSAFE_MUTATION;
}

/* What is guarded is never reached without a word on whose rows are meant.  Whoever makes a statement says it; this is
** the wall behind. */
static rille_status
check_guard(const rille_source *source, rille_fault *fault)
{
  if (!source->table->guarded || source->guard != RILLE_GUARD_NONE)
    return RILLE_OK;
  return rille_fault_set(fault, RILLE_TENANT_REQUIRED, "the rows of %s belong to tenants, and no tenant is set",
                         rille_show(source->table->name).text);
}

/* In SQL the name of a table hides that of one around it.  Here both can be meant: the inner one is written otherwise
** where it would hide another. */
static void
set_level(rille_source *source, const struct scope *scope)
{
  source->level = 0;
  for (const struct scope *s = scope->outer; s != NULL && source->level == 0; s = s->outer)
    if (source_named(s->query, source->name) != NULL)
      source->level = scope->level;
}

/* Sums and averages are of numbers: of a text the database would make 0. */
static rille_status
check_aggregate(const rille_node *call, rille_fault *fault)
{
  const rille_node *of = call != NULL ? call->items : NULL;
  rille_type_kind kind;

  if (of == NULL || of->column == NULL || (call->op != RILLE_FN_SUM && call->op != RILLE_FN_AVG))
    return RILLE_OK;
  kind = of->column->type.kind;
  if (kind != RILLE_TYPE_TEXT && kind != RILLE_TYPE_BLOB && kind != RILLE_TYPE_JSON && kind != RILLE_TYPE_DATETIME &&
      kind != RILLE_TYPE_DATE)
    return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "%s of %s.%s: the column holds no numbers, but is a %s",
                        call->op == RILLE_FN_SUM ? "sum" : "avg", rille_show(of->source->table->name).text,
                        rille_show(of->column->name).text, rille_type_name(kind));
  rille_fault_hint(fault, "a cast of the model says how a column is meant");
  return RILLE_INVALID_ARGUMENT;
}

/* Conditions on groups want groups; raw SQL may make one group of all rows by an aggregate. */
static rille_status
check_having(const rille_query *query, rille_fault *fault)
{
  if (query->having == NULL || query->groups != NULL)
    return RILLE_OK;
  for (const rille_node *output = query->outputs; output != NULL; output = output->next)
    if (output->kind == RILLE_NODE_RAW)
      return RILLE_OK;
  (void)rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "having asks about groups, and the query of %s makes none",
                        rille_show(query->source.table->name).text);
  rille_fault_hint(fault, "group_by(column, ...) makes groups; where(...) asks about rows");
  return RILLE_INVALID_ARGUMENT;
}

static rille_status
resolve_query(rille_query *query, const struct scope *outer, rille_fault *fault)
{
  struct scope scope = { .query = query, .outer = outer, .fault = fault };
  rille_status status = check_mutation(query, fault);

  scope.level = outer != NULL ? outer->level + 1 : 0;
  set_level(&query->source, &scope);
  for (rille_join *join = query->joins; join != NULL; join = join->next) {
    set_level(&join->source, &scope);
    join->source.optional = join->kind == RILLE_JOIN_LEFT;
  }
  if (status == RILLE_OK)
    status = check_guard(&query->source, fault);
  for (rille_join *join = query->joins; join != NULL && status == RILLE_OK; join = join->next) {
    status = check_guard(&join->source, fault);
    if (status == RILLE_OK)
      status = resolve_node(join->on, &scope);
  }
  for (rille_join *join = query->joins; join != NULL && status == RILLE_OK; join = join->next)
    if (join->scoped != NULL) /* knows no table beside its own */
      status = resolve_query(join->scoped, outer, fault);
  if (status == RILLE_OK)
    status = resolve_nodes(query->outputs, &scope);
  if (status == RILLE_OK)
    status = resolve_node(query->sealed, &scope);
  if (status == RILLE_OK)
    status = resolve_node(query->where, &scope);
  if (status == RILLE_OK)
    status = resolve_nodes(query->groups, &scope);
  if (status == RILLE_OK)
    status = resolve_node(query->having, &scope);
  if (status == RILLE_OK)
    status = check_having(query, fault);
  if (status == RILLE_OK)
    status = resolve_nodes(query->orders, &scope);
  if (status == RILLE_OK)
    status = resolve_nodes(query->per, &scope);
  if (status == RILLE_OK)
    status = resolve_node(query->aggregate, &scope);
  if (status == RILLE_OK)
    status = check_aggregate(query->aggregate, fault);
  if (status == RILLE_OK)
    status = resolve_sets(query->sets, &scope);
  if (status == RILLE_OK)
    status = resolve_nodes(query->conflict_columns, &scope);
  if (status == RILLE_OK)
    status = resolve_sets(query->conflict_sets, &scope);
  if (status == RILLE_OK)
    status = resolve_nodes(query->returning, &scope);
  for (rille_query *member = query->unions; member != NULL && status == RILLE_OK; member = member->next)
    status = resolve_query(member, outer, fault);
  return status;
}

rille_status
rille_resolve(rille_query *query, rille_fault *fault)
{
  return resolve_query(query, NULL, fault);
}
