/* spec/core/shape_test.c - two statements have one shape exactly when one SQL text and one order of values serve
** both. */
#include "spec/support/spec.h"

#include <stdlib.h>

#include "core/query/compile.h"
#include "core/query/resolve.h"
#include "core/query/shape.h"
#include "spec/support/build.h"

static rille_str
shape_of(const rille_query *query)
{
  rille_buffer buffer;
  rille_str shape;

  rille_buffer_init(&buffer, 1 << 20);
  rille_shape_write(query, &buffer);
  assert_true(rille_buffer_ok(&buffer));
  shape = rille_arena_copy(build_arena(), rille_buffer_str(&buffer));
  rille_buffer_release(&buffer);
  return shape;
}

static bool
same_shape(const rille_query *a, const rille_query *b)
{
  return rille_str_equal(shape_of(a), shape_of(b));
}

/* -- one difference at a time ---------------------------------------------------------------------------- */

static rille_query *
posts(void)
{
  return build_query(&build_posts);
}
static rille_query *
with_where(rille_node *where)
{
  rille_query *q = posts();
  q->where = where;
  return q;
}
static rille_query *
with_outputs(rille_node *outputs)
{
  rille_query *q = posts();
  q->outputs = outputs;
  return q;
}
static rille_query *
with_orders(rille_node *orders)
{
  rille_query *q = posts();
  q->orders = orders;
  return q;
}
static rille_node *
title(void)
{
  return build_column("title");
}
static rille_node *
views(void)
{
  return build_column("views");
}
static rille_node *
zero(void)
{
  return build_value(0);
}
static rille_node *
one(void)
{
  return build_value(1);
}

static rille_node *
aliased(rille_node *node, const char *alias)
{
  node->alias = rille_str_of(alias);
  return node;
}

static rille_query *
renamed(rille_query *query, const char *name)
{
  query->source.name = rille_str_of(name);
  return query;
}

static rille_query *
guarded(rille_query *query, rille_guard guard, uint32_t tenant)
{
  query->source.guard = guard;
  query->source.tenant = tenant;
  return query;
}

static rille_query *
with_join(rille_join_kind kind, const rille_table *table, const char *alias, rille_node *on)
{
  rille_query *query = posts();

  build_join(query, kind, table, alias, on);
  return query;
}

static rille_query *
with_union(bool all)
{
  rille_query *query = posts();

  query->unions = posts();
  query->unions->union_all = all;
  return query;
}

static rille_query *
with_verb(rille_verb verb, const char *set, rille_node *value)
{
  rille_query *query = posts();

  query->verb = verb;
  if (set != NULL)
    build_set(&query->sets, set, value);
  return query;
}

static rille_query *
with_conflict(rille_conflict conflict, const char *column, const char *set)
{
  rille_query *query = with_verb(RILLE_INSERT, "title", zero());

  query->conflict = conflict;
  query->conflict_columns = column != NULL ? build_column(column) : NULL;
  if (set != NULL)
    build_set(&query->conflict_sets, set, build_column(set));
  return query;
}

/* Fills `list` with statements no two of which are alike; returns how many. */
static size_t
unlike(rille_query **list)
{
  size_t n = 0;

  list[n++] = posts();
  list[n++] = build_query(&build_users);
  list[n++] = renamed(posts(), "p");
  list[n++] = guarded(posts(), RILLE_GUARD_LIFTED, 0);
  list[n++] = guarded(posts(), RILLE_GUARD_TENANT, 0);
  list[n++] = guarded(posts(), RILLE_GUARD_TENANT, 300);
  list[n++] = with_where(build_compare(title(), RILLE_OP_EQUAL, zero()));
  list[n++] = with_where(build_compare(title(), RILLE_OP_UNEQUAL, zero()));
  list[n++] = with_where(build_compare(title(), RILLE_OP_LIKE, zero()));
  list[n++] = with_where(build_compare(title(), RILLE_OP_ILIKE, zero()));
  list[n++] = with_where(build_compare(views(), RILLE_OP_EQUAL, zero()));
  list[n++] = with_where(build_compare(title(), RILLE_OP_EQUAL, views()));
  list[n++] = with_where(build_compare(title(), RILLE_OP_EQUAL, one()));
  list[n++] = with_where(build_compare(zero(), RILLE_OP_EQUAL, title()));
  list[n++] = with_where(build_node(RILLE_NODE_IS_NULL, title(), NULL, NULL));
  list[n++] = with_where(build_node(RILLE_NODE_NOT, build_node(RILLE_NODE_IS_NULL, title(), NULL, NULL), NULL, NULL));
  list[n++] = with_where(build_node(RILLE_NODE_BETWEEN, views(), zero(), one()));
  list[n++] = with_where(build_node(RILLE_NODE_BETWEEN, views(), one(), zero()));
  list[n++] = with_where(
    build_node(RILLE_NODE_IN, views(), build_many(RILLE_NODE_ITEMS, build_chain(zero(), one(), NULL)), NULL));
  list[n++] = with_where(build_node(RILLE_NODE_IN, views(), build_many(RILLE_NODE_ITEMS, zero()), NULL));
  list[n++] = with_where(build_node(RILLE_NODE_IN, views(), build_node(RILLE_NODE_LIST, NULL, NULL, NULL), NULL));
  list[n++] = with_where(build_node(RILLE_NODE_IN, views(), build_nested(RILLE_NODE_QUERY, posts()), NULL));
  list[n++] = with_where(build_nested(RILLE_NODE_EXISTS, posts()));
  list[n++] = with_where(build_nested(RILLE_NODE_EXISTS, build_query(&build_users)));
  list[n++] = with_where(build_many(RILLE_NODE_AND, build_chain(build_constant(true), build_constant(false), NULL)));
  list[n++] = with_where(build_many(RILLE_NODE_OR, build_chain(build_constant(true), build_constant(false), NULL)));
  list[n++] = with_where(build_many(RILLE_NODE_OR, build_chain(build_constant(false), build_constant(true), NULL)));
  list[n++] = with_where(build_many(RILLE_NODE_AND, NULL));
  list[n++] = with_where(build_many(RILLE_NODE_OR, NULL));
  list[n++] = with_where(build_constant(true));
  list[n++] = with_where(build_constant(false));
  list[n++] = with_where(build_raw("title = ?", zero()));
  list[n++] = with_where(build_raw("title = ?", one()));
  list[n++] = with_where(build_raw("title = ? ", zero()));
  list[n++] = with_where(build_raw("title", NULL));
  list[n++] = with_where(build_call(RILLE_FN_DATE, title()));
  list[n++] = with_where(build_call(RILLE_FN_YEAR, title()));
  list[n++] = with_where(build_call(RILLE_FN_JSON_GET, build_chain(title(), zero(), NULL)));
  list[n++] = with_where(build_call(RILLE_FN_JSON_CONTAINS, build_chain(title(), zero(), one(), NULL)));
  list[n++] = with_where(build_call(RILLE_FN_JSON_CONTAINS, build_chain(title(), one(), zero(), NULL)));
  list[n++] = posts();
  list[n - 1]->sealed = build_compare(title(), RILLE_OP_EQUAL, zero());
  list[n++] = with_outputs(title());
  list[n++] = with_outputs(build_output("title", "views"));
  list[n++] = with_outputs(build_chain(title(), views(), NULL));
  list[n++] = with_outputs(build_chain(views(), title(), NULL));
  list[n++] = with_outputs(build_node(RILLE_NODE_EVERY, NULL, NULL, NULL));
  list[n++] = with_outputs(build_column("title\x01views"));
  list[n++] = with_outputs(build_output("titlevi", "ews"));
  list[n++] = with_outputs(aliased(build_constant(true), "a"));
  list[n++] = with_outputs(aliased(build_constant(true), "b"));
  list[n++] = with_outputs(aliased(build_nested(RILLE_NODE_EXISTS, posts()), "a"));
  list[n++] = with_outputs(aliased(build_nested(RILLE_NODE_EXISTS, posts()), "b"));
  list[n++] = with_outputs(aliased(build_nested(RILLE_NODE_QUERY, posts()), "a"));
  list[n++] = with_outputs(aliased(zero(), "a"));
  list[n++] = with_outputs(aliased(zero(), "b"));
  list[n++] = with_outputs(aliased(build_raw("1", NULL), "a"));
  list[n++] = with_outputs(aliased(build_raw("1", NULL), "b"));
  list[n++] = with_outputs(aliased(build_call(RILLE_FN_MAX, views()), "a"));
  list[n++] = with_outputs(aliased(build_call(RILLE_FN_MAX, views()), "b"));
  list[n++] = with_orders(build_term(title(), false));
  list[n++] = with_orders(build_term(title(), true));
  list[n++] = with_orders(build_raw("title", NULL));
  list[n++] = with_orders(build_chain(build_term(title(), false), build_term(views(), false), NULL));
  list[n++] = posts();
  list[n - 1]->groups = title();
  list[n++] = posts();
  list[n - 1]->having = title();
  list[n++] = posts();
  list[n - 1]->limit = zero();
  list[n++] = posts();
  list[n - 1]->offset = zero();
  list[n++] = posts();
  list[n - 1]->limit = one();
  list[n++] = posts();
  list[n - 1]->distinct = true;
  list[n++] = posts();
  list[n - 1]->unfiltered = true;
  list[n++] = posts();
  list[n - 1]->aggregate = build_call(RILLE_FN_COUNT, build_node(RILLE_NODE_STAR, NULL, NULL, NULL));
  list[n++] = posts();
  list[n - 1]->aggregate = build_call(RILLE_FN_COUNT, views());
  list[n++] = with_join(RILLE_JOIN_INNER, &build_users, NULL, build_constant(true));
  list[n++] = with_join(RILLE_JOIN_LEFT, &build_users, NULL, build_constant(true));
  list[n++] = with_join(RILLE_JOIN_INNER, &build_users, "u", build_constant(true));
  list[n++] = with_join(RILLE_JOIN_INNER, &build_pairs, "users", build_constant(true));
  list[n++] = with_join(RILLE_JOIN_INNER, &build_users, NULL, build_constant(false));
  list[n++] = with_union(false);
  list[n++] = with_union(true);
  list[n++] = with_verb(RILLE_DELETE, NULL, NULL);
  list[n++] = with_verb(RILLE_INSERT, NULL, NULL);
  list[n++] = with_verb(RILLE_INSERT, "title", zero());
  list[n++] = with_verb(RILLE_UPDATE, "title", zero());
  list[n++] = with_verb(RILLE_UPDATE, "views", zero());
  list[n++] = with_verb(RILLE_UPDATE, "views", build_compare(views(), RILLE_OP_ADD, zero()));
  list[n++] = with_verb(RILLE_UPDATE, "views", build_compare(views(), RILLE_OP_SUBTRACT, zero()));
  list[n++] = with_conflict(RILLE_CONFLICT_IGNORED, NULL, NULL);
  list[n++] = with_conflict(RILLE_CONFLICT_IGNORED, "title", NULL);
  list[n++] = with_conflict(RILLE_CONFLICT_UPDATES, "title", NULL);
  list[n++] = with_conflict(RILLE_CONFLICT_UPDATES, "title", "views");
  list[n++] = with_conflict(RILLE_CONFLICT_UPDATES, "title", "title");
  list[n++] = with_verb(RILLE_INSERT, "title", zero());
  list[n - 1]->returning = title();
  list[n++] = with_verb(RILLE_INSERT, "title", zero());
  list[n - 1]->rows = 2;
  list[n++] = with_verb(RILLE_INSERT, "title", zero());
  list[n - 1]->rows = 4;
  list[n++] = build_titles(NULL);
  list[n - 1]->lateral = true;
  return n;
}

static void
differs_for_every_difference(void **state)
{
  enum { ROOM = 200 };
  static rille_query *first[ROOM], *second[ROOM];
  size_t count = unlike(first);

  (void)state;
  assert_true(count < ROOM && unlike(second) == count);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++)
      if (same_shape(first[i], second[j]) != (i == j))
        fail_msg("statements %zu and %zu have %s shape", i, j, i == j ? "not one" : "one");
}

/* -- many trees ------------------------------------------------------------------------------------------ */

static rille_query *random_query(int depth);

static rille_node *
random_operand(int depth)
{
  static const char *const names[] = { "id", "title", "views", "posts.views" };

  switch (spec_random(depth > 0 ? 5 : 3)) {
  case 0: return build_value((uint32_t)spec_random(3));
  case 1:
  case 2: return build_column(names[spec_random(SPEC_COUNT(names))]);
  case 3:
    return build_compare(random_operand(depth - 1), spec_random(2) ? RILLE_OP_ADD : RILLE_OP_SUBTRACT,
                         random_operand(depth - 1));
  default: return build_call((rille_function)((int)RILLE_FN_DATE + (int)spec_random(4)), random_operand(depth - 1));
  }
}

static rille_node *
random_condition(int depth)
{
  rille_node *first = NULL;

  switch (spec_random(depth > 0 ? 8 : 3)) {
  case 0:
    return build_compare(random_operand(depth), (rille_operator)spec_random(RILLE_OP_LIKE), random_operand(depth));
  case 1: return build_node(RILLE_NODE_IS_NULL, random_operand(depth), NULL, NULL);
  case 2: return build_node(RILLE_NODE_BETWEEN, random_operand(0), random_operand(0), random_operand(0));
  case 3: return build_node(RILLE_NODE_NOT, random_condition(depth - 1), NULL, NULL);
  case 4:
    for (uint64_t i = 1 + spec_random(3); i > 0; i--) {
      rille_node *item = random_operand(0);

      item->next = first;
      first = item;
    }
    return build_node(RILLE_NODE_IN, build_column("views"), build_many(RILLE_NODE_ITEMS, first), NULL);
  case 5: return build_nested(RILLE_NODE_EXISTS, random_query(depth - 1));
  default:
    for (uint64_t i = 2 + spec_random(2); i > 0; i--) {
      rille_node *item = random_condition(depth - 1);

      item->next = first;
      first = item;
    }
    return build_many(spec_random(2) ? RILLE_NODE_AND : RILLE_NODE_OR, first);
  }
}

static rille_query *
random_query(int depth)
{
  rille_query *query = posts();

  if (spec_random(3) > 0)
    query->where = random_condition(depth);
  if (spec_random(3) == 0)
    query->sealed = random_condition(0);
  if (spec_random(3) == 0)
    query->outputs = build_chain(build_output("id", spec_random(2) ? "a" : "b"), spec_random(2) ? title() : NULL, NULL);
  if (spec_random(4) == 0)
    query->orders = build_term(spec_random(2) ? title() : views(), spec_random(2));
  if (spec_random(4) == 0)
    query->limit = build_value((uint32_t)spec_random(3));
  query->distinct = spec_random(6) == 0;
  return query;
}

/* The SQL and the slots of its values in order: what must be the same for two statements of one shape, and only
** then. */
static rille_str
meaning_of(rille_query *query)
{
  rille_compiled compiled;
  rille_buffer text;
  rille_fault fault;
  rille_str meaning;

  assert_ok(rille_resolve(query, &fault), &fault);
  assert_ok(rille_compile(query, &rille_dialect_sqlite, build_arena(), &compiled, &fault), &fault);
  rille_buffer_init(&text, 1 << 20);
  rille_buffer_add(&text, compiled.sql.at, compiled.sql.len);
  for (size_t i = 0; i < compiled.param_count; i++)
    rille_buffer_format(&text, " %u:%d", compiled.params[i].slot, (int)compiled.params[i].type.kind);
  meaning = rille_arena_copy(build_arena(), rille_buffer_str(&text));
  rille_buffer_release(&text);
  return meaning;
}

struct sample {
  rille_str shape, meaning;
};

static int
by_shape(const void *a, const void *b)
{
  rille_str x = ((const struct sample *)a)->shape, y = ((const struct sample *)b)->shape;
  int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);

  return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static void
is_never_one_for_two_of_many_trees_that_mean_different_things(void **state)
{
  enum { TREES = 20000 };
  static struct sample samples[TREES];
  size_t equal = 0;

  (void)state;
  for (size_t i = 0; i < TREES; i++) {
    rille_query *query = random_query(3);

    samples[i].shape = shape_of(query);
    samples[i].meaning = meaning_of(query);
    assert_true(rille_str_equal(shape_of(query), samples[i].shape)); /* resolving changes nothing of it */
  }
  qsort(samples, TREES, sizeof samples[0], by_shape);
  for (size_t i = 1; i < TREES; i++)
    if (rille_str_equal(samples[i].shape, samples[i - 1].shape)) {
      equal++;
      if (!rille_str_equal(samples[i].meaning, samples[i - 1].meaning))
        fail_msg("one shape for\n%.*s\nand\n%.*s", (int)samples[i].meaning.len, samples[i].meaning.at,
                 (int)samples[i - 1].meaning.len, samples[i - 1].meaning.at);
    }
  assert_true(equal > 1000); /* or nothing would have been compared */
}

static void
is_the_beginning_of_no_other_shape(void **state)
{
  static rille_query *list[200];
  size_t count = unlike(list);

  (void)state;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      rille_str a = shape_of(list[i]), b = shape_of(list[j]);

      if (i != j && a.len <= b.len && memcmp(a.at, b.at, a.len) == 0)
        fail_msg("statement %zu begins statement %zu", i, j);
    }
}

static void
is_hashed_by_fnv_1a(void **state)
{
  (void)state;
  assert_true(rille_shape_hash((rille_str){ 0 }) == UINT64_C(0xcbf29ce484222325));
  assert_true(rille_shape_hash(rille_str_of("a")) == UINT64_C(0xaf63dc4c8601ec8c));
  assert_true(rille_shape_hash(rille_str_of("foobar")) == UINT64_C(0x85944171f73967e8));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(differs_for_every_difference, build_start, build_end),
    cmocka_unit_test_setup_teardown(is_never_one_for_two_of_many_trees_that_mean_different_things, build_start,
                                    build_end),
    cmocka_unit_test_setup_teardown(is_the_beginning_of_no_other_shape, build_start, build_end),
    cmocka_unit_test(is_hashed_by_fnv_1a),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
