/* core/query/compile.c - one writer a kind of node; the order of writing is the order of the parameters. */
#include "core/query/compile.h"

enum { CHAIN_MAX = 200 };   /* conditions joined without parentheses; SQLite refuses trees deeper than 1000 */

struct compiler {
  rille_buffer sql;
  rille_buffer params;            /* of rille_param */
  const rille_dialect *dialect;
  rille_arena *arena;
  rille_fault *fault;
  rille_status status;
  bool qualify;                   /* columns are written with their table */
};

static void write_node(struct compiler *c, const rille_node *node);
static void write_select(struct compiler *c, const rille_query *query);

static void
put(struct compiler *c, const char *text)
{
  rille_buffer_text(&c->sql, text);
}

static void
fail(struct compiler *c, rille_status kind, const char *message)
{
  if (c->status == RILLE_OK)
    c->status = rille_fault_set(c->fault, kind, "%s", message);
}

/* "name", with quotes in it doubled. */
static void
quote(struct compiler *c, rille_str name)
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
place_of(struct compiler *c, const rille_node *value)
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
write_value(struct compiler *c, const rille_node *value, rille_param_form form)
{
  rille_param param = { .slot = value->slot, .form = form, .what = place_of(c, value) };

  if (value->column != NULL)
    param.type = value->column->type;
  if (form == RILLE_PARAM_GLOB)
    param.type = (rille_type){ .kind = RILLE_TYPE_TEXT };
  rille_buffer_add(&c->params, &param, sizeof param);
  put(c, "?");
}

static void
write_column(struct compiler *c, const rille_node *node)
{
  if (node->source != NULL && c->qualify) {
    quote(c, node->source->name);
    put(c, ".");
  }
  quote(c, node->column != NULL ? node->column->name : node->text);
}

static void
write_every(struct compiler *c, const rille_node *node)
{
  const rille_table *table = node->source->table;

  for (size_t i = 0; i < table->column_count; i++) {
    rille_node column = { .kind = RILLE_NODE_COLUMN, .source = node->source, .column = &table->columns[i] };

    put(c, i > 0 ? ", " : "");
    write_column(c, &column);
  }
}

static void
write_list(struct compiler *c, const rille_node *first)
{
  for (const rille_node *node = first; node != NULL; node = node->next) {
    put(c, node != first ? ", " : "");
    write_node(c, node);
  }
}

/* A template of the dialect, with the n-th of `items` for $n. */
static void
write_template(struct compiler *c, const char *template, const rille_node *items)
{
  for (; *template != '\0'; template++) {
    if (*template == '$') {
      const rille_node *item = items;

      for (int skip = *++template - '1'; skip > 0 && item != NULL; skip--)
        item = item->next;
      write_node(c, item);
    } else {
      rille_buffer_byte(&c->sql, *template);
    }
  }
}

/* A part of a larger condition: in parentheses where what stands around could tear it apart. */
static void
write_part(struct compiler *c, const rille_node *node)
{
  bool bare = node->kind != RILLE_NODE_OR && node->kind != RILLE_NODE_AND && node->kind != RILLE_NODE_RAW;

  put(c, bare ? "" : "(");
  write_node(c, node);
  put(c, bare ? "" : ")");
}

/* Conditions joined by a word; long chains are halved by parentheses, so that no database's depth limit is met. */
static void
write_chain(struct compiler *c, const rille_node **first, size_t count, const char *word)
{
  if (count > CHAIN_MAX) {
    put(c, "(");
    write_chain(c, first, count / 2, word);
    put(c, ")");
    put(c, word);
    put(c, "(");
    write_chain(c, first, count - count / 2, word);
    put(c, ")");
    return;
  }
  for (size_t i = 0; i < count; i++, *first = (*first)->next) {
    put(c, i > 0 ? word : "");
    write_part(c, *first);
  }
}

static void
write_conditions(struct compiler *c, const rille_node *node)
{
  const rille_node *first = node->items;

  if (first == NULL)
    put(c, node->kind == RILLE_NODE_AND ? "1" : "0");
  else
    write_chain(c, &first, rille_node_count(first), node->kind == RILLE_NODE_AND ? " and " : " or ");
}

/* A part of a comparison: in parentheses unless it is one thing. */
static void
write_operand(struct compiler *c, const rille_node *node)
{
  bool bare = node->kind != RILLE_NODE_RAW && (node->kind < RILLE_NODE_COMPARE || node->kind > RILLE_NODE_OR);

  put(c, bare ? "" : "(");
  write_node(c, node);
  put(c, bare ? "" : ")");
}

static void
write_compare(struct compiler *c, const rille_node *node)
{
  bool like = node->op == RILLE_OP_LIKE || node->op == RILLE_OP_ILIKE;
  bool glob = node->op == RILLE_OP_LIKE && c->dialect->like == RILLE_PATTERN_GLOB;

  write_operand(c, node->a);
  put(c, " ");
  put(c, c->dialect->operators[node->op]);
  put(c, " ");
  if (like && node->b->kind == RILLE_NODE_VALUE) {
    rille_node pattern = *node->b;

    pattern.column = NULL;          /* a pattern is a text, whatever the column */
    write_value(c, &pattern, glob ? RILLE_PARAM_GLOB : RILLE_PARAM_PLAIN);
  } else if (like) {
    fail(c, RILLE_UNSUPPORTED, "a pattern must be a value, not a column");
  } else {
    write_operand(c, node->b);
  }
  if (like && !glob)
    put(c, c->dialect->like_escape);
}

static void
write_in(struct compiler *c, const rille_node *node)
{
  write_operand(c, node->a);
  put(c, " in ");
  write_node(c, node->b);
}

/* Negations that SQL has a word for. */
static void
write_not(struct compiler *c, const rille_node *node)
{
  if (node->kind == RILLE_NODE_IS_NULL) {
    write_operand(c, node->a);
    put(c, " is not null");
  } else {
    put(c, "not (");
    write_node(c, node);
    put(c, ")");
  }
}

static void
write_alias(struct compiler *c, const rille_node *node)
{
  if (node->alias.len > 0 && node->kind != RILLE_NODE_RAW) {
    put(c, " as ");
    quote(c, node->alias);
  }
}

static void
write_node(struct compiler *c, const rille_node *node)
{
  if (node == NULL)
    return;
  switch (node->kind) {
  case RILLE_NODE_COLUMN: write_column(c, node); break;
  case RILLE_NODE_EVERY: write_every(c, node); break;
  case RILLE_NODE_STAR: put(c, "*"); break;
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

    for (; *template != '$'; template++)
      rille_buffer_byte(&c->sql, *template);
    write_value(c, node, RILLE_PARAM_LIST);
    put(c, template + 2);
    break;
  }
  case RILLE_NODE_ITEMS:
    put(c, "(");
    write_list(c, node->items);
    put(c, ")");
    break;
  case RILLE_NODE_CALL: write_template(c, c->dialect->functions[node->op], node->items); break;
  case RILLE_NODE_COMPARE: write_compare(c, node); break;
  case RILLE_NODE_IN: write_in(c, node); break;
  case RILLE_NODE_BETWEEN:
    write_operand(c, node->a);
    put(c, " between ");
    write_operand(c, node->b);
    put(c, " and ");
    write_operand(c, node->c);
    break;
  case RILLE_NODE_IS_NULL:
    write_operand(c, node->a);
    put(c, " is null");
    break;
  case RILLE_NODE_NOT: write_not(c, node->a); break;
  case RILLE_NODE_AND:
  case RILLE_NODE_OR: write_conditions(c, node); break;
  case RILLE_NODE_EXISTS: put(c, "exists "); /* fall through */
  case RILLE_NODE_QUERY: {
    bool qualify = c->qualify;

    c->qualify = true;
    put(c, "(");
    write_select(c, node->query);
    put(c, ")");
    c->qualify = qualify;
    break;
  }
  case RILLE_NODE_CONSTANT: put(c, node->op ? "1" : "0"); break;
  case RILLE_NODE_TERM:
    write_node(c, node->a);
    put(c, node->op ? " desc" : "");
    break;
  }
  write_alias(c, node);
}

static void
write_source(struct compiler *c, const rille_source *source)
{
  quote(c, source->table->name);
  if (!rille_str_equal(source->name, source->table->name)) {
    put(c, " as ");
    quote(c, source->name);
  }
}

/* where: what scopes demand and what was asked for, each sealed in parentheses of its own. */
static void
write_where(struct compiler *c, const rille_query *query)
{
  const rille_node *sealed = query->sealed, *where = query->where;

  if (sealed == NULL && where == NULL)
    return;
  put(c, " where ");
  if (sealed != NULL && where != NULL) {
    write_part(c, sealed);
    put(c, " and ");
    write_part(c, where);
  } else {
    write_node(c, sealed != NULL ? sealed : where);
  }
}

static void
write_clause(struct compiler *c, const char *word, const rille_node *first)
{
  if (first != NULL) {
    put(c, word);
    write_list(c, first);
  }
}

static void
write_joins(struct compiler *c, const rille_query *query)
{
  for (const rille_join *join = query->joins; join != NULL; join = join->next) {
    put(c, join->kind == RILLE_JOIN_LEFT ? " left join " : " join ");
    write_source(c, &join->source);
    put(c, " on ");
    write_node(c, join->on);
  }
}

static void
write_outputs(struct compiler *c, const rille_query *query)
{
  rille_node every = { .kind = RILLE_NODE_EVERY, .source = &query->source };

  if (query->outputs != NULL)
    write_list(c, query->outputs);
  else
    write_node(c, &every);
}

/* select ... having: all but what applies to a union as a whole. */
static void
write_core(struct compiler *c, const rille_query *query, const rille_node *outputs)
{
  put(c, query->distinct ? "select distinct " : "select ");
  if (outputs != NULL)
    write_node(c, outputs);
  else
    write_outputs(c, query);
  put(c, " from ");
  write_source(c, &query->source);
  write_joins(c, query);
  write_where(c, query);
  write_clause(c, " group by ", query->groups);
  if (query->having != NULL) {
    put(c, " having ");
    write_node(c, query->having);
  }
}

static void
write_limits(struct compiler *c, const rille_query *query)
{
  if (query->limit != NULL || query->offset != NULL) {
    put(c, " limit ");
    if (query->limit != NULL)
      write_node(c, query->limit);
    else
      put(c, c->dialect->no_limit);
  }
  if (query->offset != NULL) {
    put(c, " offset ");
    write_node(c, query->offset);
  }
}

static bool
is_plain(const rille_query *query)
{
  return query->orders == NULL && query->limit == NULL && query->offset == NULL && query->unions == NULL;
}

static void
write_rows(struct compiler *c, const rille_query *query)
{
  bool qualify = c->qualify;

  c->qualify = qualify || query->joins != NULL;
  write_core(c, query, NULL);
  for (const rille_query *member = query->unions; member != NULL; member = member->next) {
    put(c, member->union_all ? " union all " : " union ");
    if (!is_plain(member))
      put(c, "select * from (");
    write_rows(c, member);
    if (!is_plain(member))
      put(c, ")");
  }
  if (query->unions != NULL)
    c->qualify = false;             /* the order of a union goes by its outputs */
  write_clause(c, " order by ", query->orders);
  write_limits(c, query);
  c->qualify = qualify;
}

/* One value over the rows of the query: over the table itself where that is the same, else over the query's result. */
static void
write_aggregate(struct compiler *c, const rille_query *query)
{
  bool direct = query->groups == NULL && !query->distinct && query->limit == NULL && query->offset == NULL &&
                query->unions == NULL && query->having == NULL;
  bool qualify = c->qualify;

  if (direct) {
    c->qualify = qualify || query->joins != NULL;
    write_core(c, query, query->aggregate);
  } else {
    c->qualify = false;
    put(c, "select ");
    write_node(c, query->aggregate);
    put(c, " from (");
    c->qualify = qualify;
    write_rows(c, query);
    put(c, ")");
  }
  c->qualify = qualify;
}

static void
write_select(struct compiler *c, const rille_query *query)
{
  if (query->aggregate != NULL)
    write_aggregate(c, query);
  else
    write_rows(c, query);
}

/* The rows an update or delete is about, by primary key, where SQL has no word for the query's clauses. */
static void
write_target(struct compiler *c, const rille_query *query)
{
  const rille_table *table = query->source.table;
  rille_query inner = *query;
  rille_node keys[16], list = { .kind = RILLE_NODE_ITEMS };
  size_t count = 0;

  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].primary > 0 && count < sizeof keys / sizeof keys[0]) {
      keys[count] = (rille_node){ .kind = RILLE_NODE_COLUMN, .source = &query->source, .column = &table->columns[i] };
      if (count > 0)
        keys[count - 1].next = &keys[count];
      count++;
    }
  if (count == 0) {
    fail(c, RILLE_UNSUPPORTED, "an update or delete with a join, order or limit wants a table with a primary key");
    return;
  }
  inner.verb = RILLE_SELECT;
  inner.outputs = keys;
  list.items = keys;
  put(c, " where ");
  if (count == 1)
    write_column(c, &keys[0]);
  else
    write_node(c, &list);
  put(c, " in (");
  c->qualify = true;
  write_rows(c, &inner);
  c->qualify = false;
  put(c, ")");
}

static void
write_mutation_where(struct compiler *c, const rille_query *query)
{
  if (query->joins != NULL || query->groups != NULL || query->having != NULL || query->distinct || !is_plain(query))
    write_target(c, query);
  else
    write_where(c, query);
}

static void
write_assignments(struct compiler *c, const rille_set *set, bool excluded)
{
  for (const rille_set *first = set; set != NULL; set = set->next) {
    put(c, set != first ? ", " : "");
    quote(c, set->column->name);
    put(c, " = ");
    if (excluded && set->value->kind == RILLE_NODE_COLUMN)
      put(c, "excluded.");
    write_node(c, set->value);
  }
}

static void
write_update(struct compiler *c, const rille_query *query)
{
  if (query->sets == NULL) {
    fail(c, RILLE_INVALID_ARGUMENT, "an update wants at least one column to set");
    return;
  }
  put(c, "update ");
  quote(c, query->source.table->name);
  put(c, " set ");
  write_assignments(c, query->sets, false);
  write_mutation_where(c, query);
}

static void
write_delete(struct compiler *c, const rille_query *query)
{
  put(c, "delete from ");
  quote(c, query->source.table->name);
  write_mutation_where(c, query);
}

static void
write_conflict(struct compiler *c, const rille_query *query)
{
  if (query->conflict == RILLE_CONFLICT_FAILS)
    return;
  put(c, " on conflict");
  if (query->conflict_columns != NULL) {
    put(c, " (");
    write_list(c, query->conflict_columns);
    put(c, ")");
  }
  if (query->conflict == RILLE_CONFLICT_IGNORED || query->conflict_sets == NULL) {
    put(c, " do nothing");
  } else {
    put(c, " do update set ");
    write_assignments(c, query->conflict_sets, true);
  }
}

static void
write_insert(struct compiler *c, const rille_query *query)
{
  put(c, "insert into ");
  quote(c, query->source.table->name);
  put(c, " ");
  if (query->sets == NULL) {
    put(c, c->dialect->default_row);
  } else {
    for (const rille_set *set = query->sets; set != NULL; set = set->next) {
      put(c, set == query->sets ? "(" : ", ");
      quote(c, set->column->name);
    }
    for (const rille_set *set = query->sets; set != NULL; set = set->next) {
      put(c, set == query->sets ? ") values (" : ", ");
      write_node(c, set->value);
    }
    put(c, ")");
  }
  write_conflict(c, query);
}

static void
write_statement(struct compiler *c, const rille_query *query)
{
  switch (query->verb) {
  case RILLE_SELECT: write_select(c, query); break;
  case RILLE_INSERT: write_insert(c, query); break;
  case RILLE_UPDATE: write_update(c, query); break;
  case RILLE_DELETE: write_delete(c, query); break;
  }
  write_clause(c, " returning ", query->returning);
}

rille_status
rille_compile(const rille_query *query, const rille_dialect *dialect, rille_arena *arena, rille_compiled *compiled,
              rille_fault *fault)
{
  struct compiler c = { .dialect = dialect, .arena = arena, .fault = fault };

  rille_buffer_init(&c.sql, RILLE_SQL_MAX);
  rille_buffer_init(&c.params, RILLE_SQL_MAX * sizeof(rille_param));
  write_statement(&c, query);
  if (c.status == RILLE_OK && (c.sql.full || c.params.full))
    c.status = rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the statement is longer than %d bytes", RILLE_SQL_MAX);
  if (c.status == RILLE_OK) {
    compiled->sql = rille_arena_copy(arena, (rille_str){ c.sql.at, c.sql.len });
    compiled->param_count = c.params.len / sizeof(rille_param);
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
