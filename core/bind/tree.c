/* core/bind/tree.c - walks a chain from its end to its root, putting what it finds in front of the lists of the
** tree. */
#include "core/bind/tree.h"

#include <lauxlib.h>

#include "core/bind/condition.h"
#include "core/bind/tenant.h"
#include "core/bind/value.h"

/* "title", "posts.title", "title as heading", "*", "posts.*" */
static rille_node *
output_of(rille_chain *r, rille_str text)
{
  rille_node *output;

  for (size_t i = 1; i + 4 < text.len; i++)
    if (memcmp(text.at + i, " as ", 4) == 0) {
      output = rille_chain_column_named(r, (rille_str){ text.at, i });
      output->alias = (rille_str){ text.at + i + 4, text.len - i - 4 };
      return output;
    }
  if (text.len == 0 || text.at[text.len - 1] != '*')
    return rille_chain_column_named(r, text);
  output = rille_chain_node(r, RILLE_NODE_EVERY);
  if (text.len > 1)
    output->text = (rille_str){ text.at, text.len - 2 };
  return output;
}

/* The list of names at position 4, as columns or outputs in front of `rest`. */
static rille_node *
names_before(rille_chain *r, int node, rille_node *rest, bool outputs)
{
  rille_node *first = rest, **end = &first;
  lua_Integer count;

  (void)rille_chain_push(r, node, 4);
  luaL_checktype(r->L, -1, LUA_TTABLE);
  count = luaL_len(r->L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_str text;
    rille_node *name;

    (void)lua_rawgeti(r->L, -1, i);
    text = rille_lua_check_text(r->L, -1, "the name of a column");
    lua_pop(r->L, 1);
    name = outputs ? output_of(r, text) : rille_chain_column_named(r, text);
    name->next = rest;
    *end = name;
    end = &name->next;
  }
  lua_pop(r->L, 1);
  return first;
}

/* Conditions for the rows that are joined under a name: kept until the join is met. */
static void
add_scopes(rille_chain *r, int node, rille_found *found)
{
  rille_scopes *scopes = rille_work_get(r->L, r->work, sizeof *scopes);

  scopes->name = rille_chain_text(r, node, 4, "the name of a joined table");
  (void)rille_chain_push(r, node, 5);
  scopes->conditions = rille_chain_conditions(r, lua_gettop(r->L));
  lua_pop(r->L, 1);
  scopes->next = found->scopes;
  found->scopes = scopes;
}

/* What scopes demand of the joined rows: a query of these alone, so that their names mean its columns. */
static rille_query *
scoped_rows(rille_chain *r, const rille_join *join, const rille_found *found)
{
  const rille_scopes *scopes = found->scopes;
  rille_query *rows;

  while (scopes != NULL && !rille_str_equal(scopes->name, join->source.name))
    scopes = scopes->next;
  if (scopes == NULL || scopes->conditions == NULL)
    return NULL;
  rows = rille_work_get(r->L, r->work, sizeof *rows);
  rows->source = join->source;
  rows->joined = true;
  rows->where = scopes->conditions;
  return rows;
}

static void
add_join(rille_chain *r, int node, rille_found *found)
{
  rille_query *query = found->query;
  rille_join *join = rille_work_get(r->L, r->work, sizeof *join);
  const rille_lua_source *source;
  size_t operator;
  rille_node *a, *b;

  join->kind = rille_chain_flag(r, node, 4) ? RILLE_JOIN_LEFT : RILLE_JOIN_INNER;
  (void)rille_chain_push(r, node, 5);
  source = rille_lua_check_source(r->L, -1);
  join->source.table = &source->table;
  lua_pop(r->L, 1);
  (void)rille_chain_push(r, node, 6);
  join->source.name = lua_type(r->L, -1) == LUA_TSTRING ? rille_lua_text(r->L, -1) : join->source.table->name;
  (void)rille_chain_push(r, node, 5);
  rille_lua_guard(r->L, r->work, source, lua_gettop(r->L), &join->source);
  lua_pop(r->L, 2);
  a = rille_chain_column(r, node, 7);
  operator= rille_condition_operator(r, rille_chain_text(r, node, 8, "an operator"));
  b = rille_chain_column(r, node, 9);
  join->on = rille_condition_compare(r, a, operator, b);
  join->scoped = scoped_rows(r, join, found);
  join->next = query->joins;
  query->joins = join;
}

static rille_node *
term_of(rille_chain *r, rille_node *of, bool descending)
{
  rille_node *term = rille_chain_node(r, RILLE_NODE_TERM);

  term->a = of;
  term->op = descending;
  return term;
}

static void
add_order(rille_chain *r, int node, rille_op kind, rille_found *found)
{
  rille_node *term;

  if (found->orders_done)
    return;
  if (kind == RILLE_CHAIN_REORDER) {
    found->orders_done = true;
    return;
  }
  if (kind == RILLE_CHAIN_ORDER_RAW)
    term = rille_chain_raw(r, node, 4, 5);
  else if (kind == RILLE_CHAIN_ORDER_RANDOM)
    term = term_of(r, rille_condition_call(r, RILLE_FN_RANDOM, NULL), false);
  else
    term = term_of(r, rille_chain_column(r, node, 4), rille_chain_flag(r, node, 5));
  term->next = found->query->orders;
  found->query->orders = term;
}

static void
add_outputs(rille_chain *r, int node, rille_op kind, rille_found *found)
{
  rille_query *query = found->query;

  if (found->outputs_done)
    return;
  if (kind == RILLE_CHAIN_SELECT_RAW) {
    rille_node *raw = rille_chain_raw(r, node, 4, 5);

    (void)rille_chain_push(r, node, 6);
    raw->alias = rille_lua_text(r->L, -1);
    lua_pop(r->L, 1);
    raw->next = query->outputs;
    query->outputs = raw;
  } else if (kind == RILLE_CHAIN_SELECT_QUERY) {
    rille_node *value = rille_condition_query(r, node, 4);

    value->alias = rille_chain_text(r, node, 7, "the name of an output");
    value->next = query->outputs;
    query->outputs = value;
  } else {
    query->outputs = names_before(r, node, query->outputs, true);
    found->outputs_done = kind == RILLE_CHAIN_SELECT;
  }
}

static void
add_lock(rille_chain *r, int node, rille_query *query)
{
  rille_str wait = { 0 };

  if (query->lock != RILLE_LOCK_NONE)
    return; /* the last one said counts */
  query->lock = rille_str_is(rille_chain_text(r, node, 4, "a lock"), "share") ? RILLE_LOCK_SHARE : RILLE_LOCK_UPDATE;
  if (rille_chain_push(r, node, 5) == LUA_TSTRING)
    wait = rille_lua_text(r->L, -1);
  lua_pop(r->L, 1);
  if (rille_str_is(wait, "skip"))
    query->lock_wait = RILLE_LOCK_SKIPS;
  else if (rille_str_is(wait, "fail"))
    query->lock_wait = RILLE_LOCK_FAILS;
}

static void
add_union(rille_chain *r, int node, rille_query *query)
{
  rille_query *member;

  (void)rille_chain_push(r, node, 4);
  member = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
  lua_pop(r->L, 1);
  member->union_all = rille_chain_flag(r, node, 5);
  member->next = query->unions;
  query->unions = member;
}

/* Ands the conditions of the chain at `index` to what is sealed already. */
static void
seal(rille_chain *r, int index, rille_query *query)
{
  rille_node *conditions = rille_chain_conditions(r, index), *both;

  if (conditions != NULL && query->sealed != NULL) {
    both = rille_chain_node(r, RILLE_NODE_AND);
    both->items = conditions;
    conditions->next = query->sealed;
    conditions = both;
  }
  if (conditions != NULL)
    query->sealed = conditions;
}

/* What the node at `node` adds to the statement beside conditions. */
static void
add_clause(rille_chain *r, int node, rille_op kind, rille_found *found)
{
  rille_query *query = found->query;

  switch (kind) {
  case RILLE_CHAIN_SEALED:
    (void)rille_chain_push(r, node, 4);
    seal(r, lua_gettop(r->L), query);
    lua_pop(r->L, 1);
    break;
  case RILLE_CHAIN_SELECT:
  case RILLE_CHAIN_ADD_SELECT:
  case RILLE_CHAIN_SELECT_QUERY:
  case RILLE_CHAIN_SELECT_RAW: add_outputs(r, node, kind, found); break;
  case RILLE_CHAIN_PER:
    query->per = names_before(r, node, query->per, false);
    query->lateral = rille_chain_flag(r, node, 5);
    break;
  case RILLE_CHAIN_DISTINCT: query->distinct = true; break;
  case RILLE_CHAIN_JOIN: add_join(r, node, found); break;
  case RILLE_CHAIN_SCOPES: add_scopes(r, node, found); break;
  case RILLE_CHAIN_GROUP_BY: query->groups = names_before(r, node, query->groups, false); break;
  case RILLE_CHAIN_ORDER:
  case RILLE_CHAIN_ORDER_RAW:
  case RILLE_CHAIN_ORDER_RANDOM:
  case RILLE_CHAIN_REORDER: add_order(r, node, kind, found); break;
  case RILLE_CHAIN_LIMIT:
    if (query->limit == NULL && !found->limits_done)
      query->limit = rille_chain_value(r, node, 4, rille_str_of("limit"));
    break;
  case RILLE_CHAIN_OFFSET:
    if (query->offset == NULL && !found->limits_done)
      query->offset = rille_chain_value(r, node, 4, rille_str_of("offset"));
    break;
  case RILLE_CHAIN_UNION: add_union(r, node, query); break;
  case RILLE_CHAIN_LOCK: add_lock(r, node, query); break;
  case RILLE_CHAIN_UNFILTERED: query->unfiltered = true; break;
  case RILLE_CHAIN_UNLIMITED: found->limits_done = true; break;
  default: break;
  }
}

/* -- chains ---------------------------------------------------------------------------------------------- */

/* Walks from the node at `index` (absolute) to the root. */
static void
walk(rille_chain *r, int index, rille_found *found)
{
  lua_State *L = r->L;
  int node;

  luaL_checkstack(L, 10, "a query is too deep");
  lua_pushvalue(L, index);
  node = lua_gettop(L);
  while (lua_istable(L, node)) {
    rille_op kind;

    (void)lua_rawgeti(L, node, 3);
    kind = (rille_op)lua_tointeger(L, -1);
    if (!rille_condition_add(r, node, kind, found) && found->query != NULL)
      add_clause(r, node, kind, found);
    (void)lua_rawgeti(L, node, 2);
    lua_copy(L, -1, node);
    lua_settop(L, node);
  }
  lua_pop(L, 1);
}

rille_node *
rille_chain_conditions(rille_chain *r, int index)
{
  rille_found found = { 0 };

  walk(r, index, &found);
  return rille_condition_join(r, found.conditions);
}

rille_lua_source *
rille_lua_query_source(lua_State *L, int index)
{
  rille_lua_source *source;

  if (lua_type(L, index) != LUA_TTABLE || lua_rawgeti(L, index, 1) != LUA_TTABLE)
    (void)rille_lua_refuse(L, "a query was expected, not a %s", luaL_typename(L, index));
  (void)lua_rawgeti(L, -1, 1);
  source = rille_lua_check_source(L, -1);
  lua_pop(L, 2);
  return source;
}

rille_query *
rille_lua_to_query(lua_State *L, int index, int sealed, rille_work *work)
{
  rille_chain reader = { .L = L, .work = work };
  rille_found found = { 0 };
  const rille_lua_source *source;

  luaL_checkstack(L, 10, "a query is too deep");
  rille_chain_enter(L, work, RILLE_QUERY_LEVELS);
  source = rille_lua_query_source(L, index);
  found.query = rille_work_get(L, work, sizeof *found.query);
  found.query->source = (rille_source){ .table = &source->table, .name = source->table.name };
  walk(&reader, index, &found);
  found.query->where = rille_condition_join(&reader, found.conditions);
  found.query->having = rille_condition_join(&reader, found.having);
  if (sealed != 0 && lua_istable(L, sealed))
    seal(&reader, sealed, found.query);
  if (source->table.guarded) {
    (void)lua_rawgeti(L, index, 1);
    (void)lua_rawgeti(L, -1, 1);
    rille_lua_guard(L, work, source, lua_gettop(L), &found.query->source);
    lua_pop(L, 2);
  }
  work->depth -= RILLE_QUERY_LEVELS;
  return found.query;
}
