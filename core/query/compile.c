/* core/query/compile.c - selects; the text of a statement as a whole. */
#include "core/query/expression.h"

static void
write_source(rille_compiler *c, const rille_source *source)
{
  rille_compiler_quote(c, source->table->name);
  if (source->level > 0 || !rille_str_equal(source->name, source->table->name)) {
    rille_compiler_put(c, " as ");
    rille_compiler_name(c, source);
  }
}

/* The source's rows are the tenant's. */
static void
write_tenant(rille_compiler *c, const rille_source *source)
{
  const rille_column *column = source->table->tenant;
  rille_node of = { .kind = RILLE_NODE_COLUMN, .source = source, .column = column };
  rille_node tenant = { .kind = RILLE_NODE_VALUE, .slot = source->tenant, .source = source, .column = column };
  rille_node equal = { .kind = RILLE_NODE_COMPARE, .op = RILLE_OP_EQUAL, .a = &of, .b = &tenant };

  rille_expression_part(c, &equal);
}

/* where: the tenant, what scopes demand and what was asked for, each sealed so that none reaches out of its place. */
void
rille_compiler_where(rille_compiler *c, const rille_query *query)
{
  enum { ASKED = 2 };
  const rille_node *conditions[ASKED] = { query->sealed, query->where };
  bool guarded = query->source.guard == RILLE_GUARD_TENANT;
  bool many = (query->sealed != NULL) + (query->where != NULL) + guarded > 1;
  const char *word = " where ";

  c->query = query;
  if (guarded) {
    rille_compiler_put(c, word);
    write_tenant(c, &query->source);
    word = " and ";
  }
  for (int i = 0; i < ASKED; i++)
    if (conditions[i] != NULL) {
      rille_compiler_put(c, word);
      if (many)
        rille_expression_part(c, conditions[i]);
      else
        rille_expression_write(c, conditions[i]);
      word = " and ";
    }
  c->query = NULL;
}

static void
write_clause(rille_compiler *c, const char *word, const rille_node *first)
{
  if (first != NULL) {
    rille_compiler_put(c, word);
    rille_expression_list(c, first);
  }
}

static void
write_groups(rille_compiler *c, const rille_node *first)
{
  for (const rille_node *node = first; node != NULL; node = node->next) {
    rille_compiler_put(c, node == first ? " group by " : ", ");
    rille_expression_ordered(c, node);
  }
}

static void
write_joins(rille_compiler *c, const rille_query *query)
{
  for (const rille_join *join = query->joins; join != NULL; join = join->next) {
    rille_compiler_put(c, join->kind == RILLE_JOIN_LEFT ? " left join " : " join ");
    write_source(c, &join->source);
    rille_compiler_put(c, " on ");
    rille_expression_part(c, join->on);
    if (join->source.guard == RILLE_GUARD_TENANT) {
      rille_compiler_put(c, " and ");
      write_tenant(c, &join->source);
    }
    if (join->scoped != NULL) {
      rille_compiler_put(c, " and ");
      rille_expression_part(c, join->scoped->where);
    }
  }
}

static void
write_outputs(rille_compiler *c, const rille_query *query)
{
  rille_node every = { .kind = RILLE_NODE_EVERY, .source = &query->source };

  if (query->outputs != NULL)
    rille_expression_list(c, query->outputs);
  else
    rille_expression_write(c, &every);
}

void
rille_compiler_core(rille_compiler *c, const rille_query *query, const rille_node *outputs)
{
  rille_compiler_put(c, query->distinct ? "select distinct " : "select ");
  if (outputs != NULL)
    rille_expression_write(c, outputs);
  else
    write_outputs(c, query);
  if (outputs == NULL && rille_per_counts(query))
    rille_per_number(c, query);
  rille_compiler_put(c, " from ");
  write_source(c, &query->source);
  write_joins(c, query);
  rille_compiler_where(c, query);
  write_groups(c, query->groups);
  if (query->having != NULL) {
    rille_compiler_put(c, " having ");
    c->query = query;
    rille_expression_write(c, query->having);
    c->query = NULL;
  }
}

void
rille_compiler_limits(rille_compiler *c, const rille_query *query)
{
  if (query->limit != NULL || query->offset != NULL) {
    rille_compiler_put(c, " limit ");
    if (query->limit != NULL)
      rille_expression_write(c, query->limit);
    else
      rille_compiler_put(c, c->dialect->no_limit);
  }
  if (query->offset != NULL) {
    rille_compiler_put(c, " offset ");
    rille_expression_write(c, query->offset);
  }
}

/* Locks rows of the query's own table: another one's may be missing, as in a left join, and then none can be locked. */
static void
write_lock(rille_compiler *c, const rille_query *query)
{
  if (query->lock == RILLE_LOCK_NONE)
    return;
  if (c->dialect->locks[query->lock] == NULL) {
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "this database has no locks of rows");
    return;
  }
  rille_compiler_put(c, c->dialect->locks[query->lock]);
  if (query->joins != NULL) {
    rille_compiler_put(c, " of ");
    rille_compiler_name(c, &query->source);
  }
  if (query->lock_wait != RILLE_LOCK_AWAITS)
    rille_compiler_put(c, c->dialect->lock_waits[query->lock_wait]);
}

bool
rille_compiler_is_plain(const rille_query *query)
{
  return query->orders == NULL && query->limit == NULL && query->offset == NULL && query->unions == NULL;
}

void
rille_compiler_rows(rille_compiler *c, const rille_query *query)
{
  bool qualify = c->qualify;

  c->qualify = qualify || query->joins != NULL;
  if (rille_per_counts(query)) {
    rille_per_write(c, query);
    c->qualify = qualify;
    return;
  }
  rille_compiler_core(c, query, NULL);
  for (const rille_query *member = query->unions; member != NULL; member = member->next) {
    rille_compiler_put(c, member->union_all ? " union all " : " union ");
    if (!rille_compiler_is_plain(member))
      rille_compiler_put(c, "select * from (");
    rille_compiler_rows(c, member);
    if (!rille_compiler_is_plain(member)) {
      rille_compiler_put(c, ")");
      rille_compiler_put(c, c->dialect->derived);
    }
  }
  if (query->unions != NULL)
    c->qualify = false; /* the order of a union goes by its outputs */
  c->unites = query->unions != NULL;
  write_clause(c, " order by ", query->orders);
  c->unites = false;
  rille_compiler_limits(c, query);
  write_lock(c, query);
  c->qualify = qualify;
}

/* The aggregate of one column over the rows of a query that selects nothing of its own: inside, the column is selected
** under a name that no table can give another meaning. */
static void
write_aggregate_of(rille_compiler *c, const rille_query *query, const rille_node *of, bool qualify)
{
  rille_node value = { .kind = RILLE_NODE_COLUMN, .text = rille_str_of("value") };
  rille_node call = *query->aggregate, output = *of;
  rille_query rows = *query;

  call.items = &value;
  call.b = (rille_node *)of; /* says the type */
  output.alias = value.text;
  output.next = NULL;
  rows.outputs = &output;
  rille_expression_write(c, &call);
  rille_compiler_put(c, " from (");
  c->qualify = qualify;
  rille_compiler_rows(c, &rows);
  rille_compiler_put(c, ")");
  rille_compiler_put(c, c->dialect->derived);
}

/* One value over the rows of the query: over the table itself where that is the same, else over the query's result. */
static void
write_aggregate(rille_compiler *c, const rille_query *query)
{
  const rille_node *of = query->aggregate->items;
  bool direct = query->groups == NULL && !query->distinct && query->limit == NULL && query->offset == NULL &&
                query->unions == NULL && query->having == NULL;
  bool column = of != NULL && of->kind == RILLE_NODE_COLUMN && of->column != NULL;
  bool qualify = c->qualify;

  if (direct) {
    c->qualify = qualify || query->joins != NULL;
    rille_compiler_core(c, query, query->aggregate);
    c->qualify = qualify;
    return;
  }
  if (column && of->source != &query->source && (query->outputs != NULL || query->unions != NULL))
    rille_compiler_fail(
      c, RILLE_UNSUPPORTED,
      "an aggregate of a joined table's column over a query with outputs of its own, or a union: select "
      "it under a name and aggregate that");
  c->qualify = false;
  rille_compiler_put(c, "select ");
  if (column && query->outputs == NULL && query->unions == NULL) {
    write_aggregate_of(c, query, of, qualify);
  } else {
    rille_expression_write(c, query->aggregate);
    rille_compiler_put(c, " from (");
    c->qualify = qualify;
    rille_compiler_rows(c, query);
    rille_compiler_put(c, ")");
    rille_compiler_put(c, c->dialect->derived);
  }
  c->qualify = qualify;
}

void
rille_compiler_exists(rille_compiler *c, const rille_query *query)
{
  rille_node one = { .kind = RILLE_NODE_CONSTANT, .op = 1 };
  rille_query rows = *query;

  if (query->outputs == NULL && query->unions == NULL && !rille_per_counts(query))
    rows.outputs = &one;
  rille_compiler_select(c, &rows);
}

void
rille_compiler_select(rille_compiler *c, const rille_query *query)
{
  if (query->aggregate != NULL)
    write_aggregate(c, query);
  else
    rille_compiler_rows(c, query);
}

static void
write_statement(rille_compiler *c, const rille_query *query)
{
  switch (query->verb) {
  case RILLE_SELECT: rille_compiler_select(c, query); break;
  case RILLE_INSERT: rille_mutation_insert(c, query); break;
  case RILLE_UPDATE: rille_mutation_update(c, query); break;
  case RILLE_DELETE: rille_mutation_delete(c, query); break;
  }
  write_clause(c, " returning ", query->returning);
}

rille_status
rille_compile(const rille_query *query, const rille_dialect *dialect, rille_arena *arena, rille_compiled *compiled,
              rille_fault *fault)
{
  rille_compiler c = { .dialect = dialect, .arena = arena, .fault = fault };

  rille_buffer_init(&c.sql, RILLE_SQL_MAX);
  rille_buffer_init(&c.params, RILLE_SQL_MAX * sizeof(rille_param));
  write_statement(&c, query);
  if (c.status == RILLE_OK && (c.sql.full || c.params.full))
    c.status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the statement is longer than %d bytes", RILLE_SQL_MAX);
  if (c.status == RILLE_OK) {
    compiled->sql = rille_arena_copy(arena, (rille_str){ c.sql.at, c.sql.len });
    compiled->param_count = c.params.len / sizeof(rille_param);
    compiled->own = c.own;
    compiled->params = rille_arena_get(arena, c.params.len);
    if (compiled->params != NULL && c.params.len > 0)
      memcpy(compiled->params, c.params.at, c.params.len);
    if (!rille_arena_ok(arena) || c.sql.failed || c.params.failed)
      c.status = rille_fault_no_memory(fault);
  }
  rille_buffer_release(&c.sql);
  rille_buffer_release(&c.params);
  return c.status;
}
