/* spec/support/build.c - nodes in one arena, and the tables that they speak of. */
#include "spec/support/build.h"

#include <stdarg.h>

#define NAME(literal)            \
  {                              \
    literal, sizeof(literal) - 1 \
  }

static const rille_column posts_columns[] = {
  { .name = NAME("id"), .type = { .kind = RILLE_TYPE_INTEGER }, .primary = 1, .not_null = true, .has_default = true },
  { .name = NAME("author_id"), .type = { .kind = RILLE_TYPE_INTEGER } },
  { .name = NAME("title"), .type = { .kind = RILLE_TYPE_TEXT } },
  { .name = NAME("views"), .type = { .kind = RILLE_TYPE_INTEGER } },
  { .name = NAME("price"), .type = { .kind = RILLE_TYPE_DECIMAL, .precision = 10, .scale = 2 } },
  { .name = NAME("created_at"), .type = { .kind = RILLE_TYPE_DATETIME } },
  { .name = NAME("slug"), .type = { .kind = RILLE_TYPE_TEXT }, .generated = true },
};
static const rille_column users_columns[] = {
  { .name = NAME("id"), .type = { .kind = RILLE_TYPE_INTEGER }, .primary = 1 },
  { .name = NAME("name"), .type = { .kind = RILLE_TYPE_TEXT } },
  { .name = NAME("title"), .type = { .kind = RILLE_TYPE_TEXT } },
};
static const rille_column pairs_columns[] = {
  { .name = NAME("a"), .type = { .kind = RILLE_TYPE_INTEGER }, .primary = 1 },
  { .name = NAME("b"), .type = { .kind = RILLE_TYPE_INTEGER }, .primary = 2 },
  { .name = NAME("note"), .type = { .kind = RILLE_TYPE_TEXT } },
};
static const rille_column odd_columns[] = {
  { .name = NAME("id"), .type = { .kind = RILLE_TYPE_INTEGER }, .primary = 1 },
  { .name = NAME("order"), .type = { .kind = RILLE_TYPE_ANY } },
  { .name = NAME("say \"hi\""), .type = { .kind = RILLE_TYPE_ANY } },
  { .name = NAME("'; --"), .type = { .kind = RILLE_TYPE_ANY } },
};

const rille_table build_posts = { .id = 1, .name = NAME("posts"), .column_count = 7, .columns = posts_columns };
const rille_table build_users = { .id = 2, .name = NAME("users"), .column_count = 3, .columns = users_columns };
const rille_table build_pairs = { .id = 3, .name = NAME("pairs"), .column_count = 3, .columns = pairs_columns };
const rille_table build_keyless = { .id = 4, .name = NAME("keyless"), .column_count = 1, .columns = pairs_columns + 2 };
const rille_table build_odd = { .id = 5, .name = NAME("odd \"table\""), .column_count = 4, .columns = odd_columns };

const char *const build_ddl[] = {
  "create table posts (id integer primary key, author_id integer, title text unique, views integer not null default 0, "
  "price decimal(10,2), created_at datetime text, slug text as (lower(title)))",
  "create table users (id integer primary key, name text, title text)",
  "create table pairs (a integer, b integer, note text, primary key (a, b))",
  "create table keyless (note text)",
  "create table \"odd \"\"table\"\"\" (id integer primary key, \"order\", \"say \"\"hi\"\"\", \"'; --\")",
  NULL,
};

static rille_arena arena;

int
build_start(void **state)
{
  static char room[1 << 16]; /* so that small trees can be built when memory is made to fail */

  (void)state;
  rille_arena_init_on(&arena, room, sizeof room);
  return 0;
}

int
build_end(void **state)
{
  (void)state;
  rille_arena_release(&arena);
  return 0;
}

rille_arena *
build_arena(void)
{
  return &arena;
}

rille_query *
build_query(const rille_table *table)
{
  rille_query *query = rille_arena_get(&arena, sizeof *query);

  query->source = (rille_source){ .table = table, .name = table->name };
  return query;
}

rille_node *
build_node(rille_node_kind kind, rille_node *a, rille_node *b, rille_node *c)
{
  rille_node *node = rille_node_new(&arena, kind);

  node->a = a;
  node->b = b;
  node->c = c;
  return node;
}

rille_node *
build_column(const char *name)
{
  rille_node *node = rille_node_new(&arena, RILLE_NODE_COLUMN);

  node->text = rille_str_of(name);
  return node;
}

rille_node *
build_output(const char *name, const char *alias)
{
  rille_node *node = build_column(name);

  node->alias = rille_str_of(alias);
  return node;
}

rille_node *
build_value(uint32_t slot)
{
  rille_node *node = rille_node_new(&arena, RILLE_NODE_VALUE);

  node->slot = slot;
  return node;
}

rille_node *
build_chain(rille_node *first, ...)
{
  rille_node *last = first;
  va_list rest;

  va_start(rest, first);
  while (last != NULL)
    last = last->next = va_arg(rest, rille_node *);
  va_end(rest);
  return first;
}

rille_node *
build_many(rille_node_kind kind, rille_node *first)
{
  rille_node *node = rille_node_new(&arena, kind);

  node->items = first;
  return node;
}

rille_node *
build_compare(rille_node *a, rille_operator op, rille_node *b)
{
  rille_node *node = build_node(RILLE_NODE_COMPARE, a, b, NULL);

  node->op = (int)op;
  return node;
}

rille_node *
build_equal(const char *name, uint32_t slot)
{
  return build_compare(build_column(name), RILLE_OP_EQUAL, build_value(slot));
}

rille_node *
build_call(rille_function function, rille_node *arguments)
{
  rille_node *node = build_many(RILLE_NODE_CALL, arguments);

  node->op = (int)function;
  return node;
}

rille_node *
build_raw(const char *sql, rille_node *values)
{
  rille_node *node = build_many(RILLE_NODE_RAW, values);

  node->text = rille_str_of(sql);
  return node;
}

rille_node *
build_term(rille_node *of, bool descending)
{
  rille_node *node = build_node(RILLE_NODE_TERM, of, NULL, NULL);

  node->op = descending;
  return node;
}

rille_node *
build_constant(bool is_true)
{
  rille_node *node = rille_node_new(&arena, RILLE_NODE_CONSTANT);

  node->op = is_true;
  return node;
}

rille_node *
build_nested(rille_node_kind kind, rille_query *query)
{
  rille_node *node = rille_node_new(&arena, kind);

  node->query = query;
  return node;
}

rille_query *
build_titles(rille_node *where)
{
  rille_query *query = build_query(&build_posts);

  query->outputs = build_column("title");
  query->where = where;
  return query;
}

void
build_join(rille_query *query, rille_join_kind kind, const rille_table *table, const char *alias, rille_node *on)
{
  rille_join *join = rille_arena_get(&arena, sizeof *join), **end = &query->joins;

  *join = (rille_join){ .kind = kind,
                        .source = { table, alias != NULL ? rille_str_of(alias) : table->name },
                        .on = on };
  while (*end != NULL)
    end = &(*end)->next;
  *end = join;
}

void
build_set(rille_set **sets, const char *name, rille_node *value)
{
  rille_set *set = rille_arena_get(&arena, sizeof *set);

  *set = (rille_set){ .name = rille_str_of(name), .value = value };
  while (*sets != NULL)
    sets = &(*sets)->next;
  *sets = set;
}
