/* core/query/mutation.c - inserts, updates and deletes. */
#include "core/query/expression.h"

enum { KEY_MAX = 16 }; /* columns of a primary key */

/* The rows an update or delete is about, by primary key, where SQL has no word for the query's clauses. */
static void
write_target(rille_compiler *c, const rille_query *query)
{
  const rille_table *table = query->source.table;
  rille_query inner = *query;
  rille_node keys[KEY_MAX], list = { .kind = RILLE_NODE_ITEMS };
  size_t count = 0;

  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].primary > 0 && count++ < KEY_MAX) {
      keys[count - 1] = (rille_node){ .kind = RILLE_NODE_COLUMN,
                                      .source = &query->source,
                                      .column = &table->columns[i] };
      if (count > 1)
        keys[count - 2].next = &keys[count - 1];
    }
  if (count == 0 || count > KEY_MAX) {
    rille_compiler_fail(
      c, RILLE_UNSUPPORTED,
      count == 0 ? "an update or delete with a join, order or limit wants a table with a primary key"
                 : "an update or delete with a join, order or limit wants a primary key of at most 16 columns");
    return;
  }
  inner.verb = RILLE_SELECT;
  inner.outputs = keys;
  list.items = keys;
  rille_compiler_put(c, " where ");
  if (count == 1)
    rille_expression_column(c, &keys[0]);
  else
    rille_expression_write(c, &list);
  rille_compiler_put(c, " in (");
  c->qualify = true;
  rille_compiler_rows(c, &inner);
  c->qualify = false;
  rille_compiler_put(c, ")");
}

static void
write_mutation_where(rille_compiler *c, const rille_query *query)
{
  if (query->unions != NULL)
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "an update or delete of a union: say its conditions with or_where");
  else if (query->groups != NULL || query->having != NULL)
    rille_compiler_fail(c, RILLE_UNSUPPORTED,
                        "an update or delete of groups, of which each is many rows: say which rows "
                        "with where_in or where_exists");
  else if (query->joins != NULL || query->distinct || !rille_compiler_is_plain(query))
    write_target(c, query);
  else
    rille_compiler_where(c, query);
}

static void
write_assigned(rille_compiler *c, const rille_node *value)
{
  c->assigns = true;
  rille_expression_write(c, value);
  c->assigns = false;
}

static void
write_assignments(rille_compiler *c, const rille_set *set, bool excluded)
{
  bool qualify = c->qualify;

  for (const rille_set *first = set; set != NULL; set = set->next) {
    rille_compiler_put(c, set != first ? ", " : "");
    rille_compiler_quote(c, set->column->name);
    rille_compiler_put(c, " = ");
    if (excluded && set->value->kind == RILLE_NODE_COLUMN)
      rille_compiler_put(c, "excluded.");
    else
      c->qualify = qualify || (excluded && c->dialect->excluded_beside);
    write_assigned(c, set->value);
    c->qualify = qualify;
  }
}

void
rille_mutation_update(rille_compiler *c, const rille_query *query)
{
  if (query->sets == NULL) {
    rille_compiler_fail(c, RILLE_INVALID_ARGUMENT, "an update wants at least one column to set");
    return;
  }
  rille_compiler_put(c, "update ");
  rille_compiler_quote(c, query->source.table->name);
  rille_compiler_put(c, " set ");
  write_assignments(c, query->sets, false);
  write_mutation_where(c, query);
}

void
rille_mutation_delete(rille_compiler *c, const rille_query *query)
{
  rille_compiler_put(c, "delete from ");
  rille_compiler_quote(c, query->source.table->name);
  write_mutation_where(c, query);
}

/* A row in the way is updated only when it belongs to the tenant of the row that was refused. */
static void
write_same_tenant(rille_compiler *c, const rille_table *table)
{
  rille_compiler_put(c, " where ");
  rille_compiler_quote(c, table->name);
  rille_compiler_put(c, ".");
  rille_compiler_quote(c, table->tenant->name);
  rille_compiler_put(c, " = excluded.");
  rille_compiler_quote(c, table->tenant->name);
}

static void
write_conflict(rille_compiler *c, const rille_query *query)
{
  if (query->conflict == RILLE_CONFLICT_FAILS)
    return;
  if (query->sets == NULL)
    rille_compiler_fail(c, RILLE_UNSUPPORTED, "an insert without values cannot say what happens when it is refused");
  rille_compiler_put(c, " on conflict");
  if (query->conflict_columns != NULL) {
    rille_compiler_put(c, " (");
    rille_expression_list(c, query->conflict_columns);
    rille_compiler_put(c, ")");
    if (query->conflict_where.len > 0) {
      rille_compiler_put(c, " where ");
      rille_buffer_add(&c->sql, query->conflict_where.at, query->conflict_where.len);
    }
  }
  if (query->conflict == RILLE_CONFLICT_IGNORED || query->conflict_sets == NULL) {
    rille_compiler_put(c, " do nothing");
  } else {
    rille_compiler_put(c, " do update set ");
    write_assignments(c, query->conflict_sets, true);
    if (query->source.guard == RILLE_GUARD_TENANT)
      write_same_tenant(c, query->source.table);
  }
}

/* The values of a row, from 0, in parentheses. */
static void
write_row(rille_compiler *c, const rille_query *query, uint32_t row)
{
  uint32_t columns = 0;

  for (const rille_set *set = query->sets; row > 0 && set != NULL; set = set->next)
    columns++;
  for (const rille_set *set = query->sets; set != NULL; set = set->next) {
    rille_node value = *set->value;

    value.slot += row * columns;
    rille_compiler_put(c, set == query->sets ? "(" : ", ");
    write_assigned(c, &value);
  }
  rille_compiler_put(c, ")");
}

void
rille_mutation_insert(rille_compiler *c, const rille_query *query)
{
  rille_compiler_put(c, "insert into ");
  rille_compiler_quote(c, query->source.table->name);
  rille_compiler_put(c, " ");
  if (query->sets == NULL) {
    rille_compiler_put(c, c->dialect->default_row);
  } else {
    for (const rille_set *set = query->sets; set != NULL; set = set->next) {
      rille_compiler_put(c, set == query->sets ? "(" : ", ");
      rille_compiler_quote(c, set->column->name);
    }
    rille_compiler_put(c, ") values ");
    write_row(c, query, 0);
    for (uint32_t row = 1; row < query->rows; row++) {
      rille_compiler_put(c, ", ");
      write_row(c, query, row);
    }
  }
  write_conflict(c, query);
}
