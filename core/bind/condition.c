/* core/bind/condition.c - conditions: each op as a tree, and how they join. */
#include "core/bind/condition.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/base/name.h"
#include "core/base/shown.h"
#include "core/bind/tree.h"
#include "core/bind/value.h"

enum {
  SHORT_LIST = 32 /* longer lists are one value, so that their length is no part of the shape */
};

#define OPERATOR(text, op, negated)        \
  {                                        \
    { text, sizeof text - 1 }, op, negated \
  }

static const struct {
  rille_str text;
  int op;
  bool negated;
} OPERATORS[] = {
  OPERATOR("=", RILLE_OP_EQUAL, false),          OPERATOR(">", RILLE_OP_GREATER, false),
  OPERATOR(">=", RILLE_OP_GREATER_EQUAL, false), OPERATOR("<", RILLE_OP_LESS, false),
  OPERATOR("<=", RILLE_OP_LESS_EQUAL, false),    OPERATOR("!=", RILLE_OP_UNEQUAL, false),
  OPERATOR("<>", RILLE_OP_UNEQUAL, false),       OPERATOR("like", RILLE_OP_LIKE, false),
  OPERATOR("not_like", RILLE_OP_LIKE, true),     OPERATOR("not like", RILLE_OP_LIKE, true),
  OPERATOR("ilike", RILLE_OP_ILIKE, false),      OPERATOR("not_ilike", RILLE_OP_ILIKE, true),
  OPERATOR("not ilike", RILLE_OP_ILIKE, true),   OPERATOR("is", RILLE_OP_EQUAL, false),
  OPERATOR("is_not", RILLE_OP_UNEQUAL, false),   OPERATOR("is not", RILLE_OP_UNEQUAL, false),
};

enum { OPERATOR_COUNT = sizeof OPERATORS / sizeof OPERATORS[0] };

static size_t
no_operator(rille_chain *r, rille_str text)
{
  rille_nearest nearest;
  rille_fault fault;

  rille_nearest_init(&nearest, text);
  for (size_t i = 0; i < OPERATOR_COUNT; i++)
    rille_nearest_offer(&nearest, OPERATORS[i].text);
  (void)rille_fault_set(&fault, RILLE_INVALID_ARGUMENT, "there is no operator \"%s\"", rille_show(text).text);
  rille_fault_hint(&fault, "the operators are = != <> < <= > >= like not_like ilike in not_in between is is_not");
  rille_nearest_hint(&nearest, &fault);
  return (size_t)rille_lua_raise(r->L, &fault, (rille_str){ 0 });
}

size_t
rille_condition_operator(rille_chain *r, rille_str text)
{
  for (size_t i = 0; i < OPERATOR_COUNT; i++)
    if (rille_str_equal(text, OPERATORS[i].text))
      return i;
  return no_operator(r, text);
}

rille_node *
rille_condition_compare(rille_chain *r, rille_node *a, size_t operator, rille_node * b)
{
  rille_node *node = rille_chain_node(r, RILLE_NODE_COMPARE);

  node->op = OPERATORS[operator].op;
  node->a = a;
  node->b = b;
  if (!OPERATORS[operator].negated)
    return node;
  {
    rille_node *negation = rille_chain_node(r, RILLE_NODE_NOT);

    negation->a = node;
    return negation;
  }
}

/* a operator NULL: only "is" and "is not" mean something. */
static rille_node *
compare_null(rille_chain *r, rille_node *a, size_t operator)
{
  rille_node *node = rille_chain_node(r, RILLE_NODE_IS_NULL), *negation;

  node->a = a;
  if (OPERATORS[operator].op == RILLE_OP_EQUAL)
    return node;
  if (OPERATORS[operator].op != RILLE_OP_UNEQUAL)
    (void)rille_lua_refuse(r->L, "%s %s NULL is never true: compare with a value", rille_show(a->text).text,
                           OPERATORS[operator].text.at);
  negation = rille_chain_node(r, RILLE_NODE_NOT);
  negation->a = node;
  return negation;
}

/* `a` operator value, which stand at the positions `operator` and `value` of the node.  What it pushes the walk takes
** off with the node. */
static rille_node *
compare_value(rille_chain *r, rille_node *a, int node, int operator, int value)
{
  rille_str what = a->text.at != NULL ? a->text : rille_str_of("a condition");
  size_t found;
  int type;

  (void)lua_rawgeti(r->L, node, operator);
  found = rille_condition_operator(r, rille_lua_check_text(r->L, -1, "an operator"));
  type = lua_rawgeti(r->L, node, value);
  if (type == LUA_TNIL)
    (void)rille_lua_refuse(r->L, "%s: a condition was given nil (rille.null stands for NULL)", rille_show(what).text);
  if (type == LUA_TUSERDATA && rille_lua_is_null(r->L, -1))
    return compare_null(r, a, found);
  return rille_condition_compare(r, a, found, rille_chain_value_at(r, -1, what));
}

rille_node *
rille_condition_call(rille_chain *r, rille_function function, rille_node *first)
{
  rille_node *call = rille_chain_node(r, RILLE_NODE_CALL);

  call->op = (int)function;
  call->items = first;
  return call;
}

rille_node *
rille_condition_aggregate(rille_chain *r, rille_str text, rille_node *of)
{
  static const char *const names[] = { "count", "sum", "avg", "min", "max" };

  for (int i = 0; i < 5; i++)
    if (rille_str_is(text, names[i]))
      return rille_condition_call(r, (rille_function)((int)RILLE_FN_COUNT + i), of);
  (void)rille_lua_refuse(r->L, "there is no aggregate \"%.*s\"", RILLE_STR_ARG(text));
  return NULL;
}

rille_node *
rille_condition_query(rille_chain *r, int node, int position)
{
  rille_str word = rille_chain_text(r, node, position + 1, "an aggregate");
  bool exists = rille_str_is(word, "exists"), column;
  rille_node *made = rille_chain_node(r, exists ? RILLE_NODE_EXISTS : RILLE_NODE_QUERY);

  (void)rille_chain_push(r, node, position);
  made->query = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
  lua_pop(r->L, 1);
  if (exists)
    return made;
  column = rille_chain_push(r, node, position + 2) == LUA_TSTRING;
  lua_pop(r->L, 1);
  made->query->aggregate = rille_condition_aggregate(
    r, word, column ? rille_chain_column(r, node, position + 2) : rille_chain_node(r, RILLE_NODE_STAR));
  return made;
}

static rille_node *
outer_of(rille_chain *r, int node)
{
  rille_node *equal = rille_chain_node(r, RILLE_NODE_COMPARE);

  equal->op = RILLE_OP_EQUAL;
  equal->a = rille_chain_column(r, node, 5);
  equal->b = rille_chain_column(r, node, 6);
  equal->b->op = RILLE_COLUMN_OF_OUTER;
  return equal;
}

static rille_node *
part_of(rille_chain *r, int node)
{
  static const struct {
    const char *name;
    rille_function function;
  } parts[] = {
    { "date", RILLE_FN_DATE },
    { "year", RILLE_FN_YEAR },
    { "month", RILLE_FN_MONTH },
    { "day", RILLE_FN_DAY },
  };
  rille_str part = rille_chain_text(r, node, 8, "a part of a date");
  size_t i = 0;

  while (i < 3 && !rille_str_is(part, parts[i].name))
    i++;
  return compare_value(r, rille_condition_call(r, parts[i].function, rille_chain_column(r, node, 5)), node, 6, 7);
}

static rille_node *
json_of(rille_chain *r, int node, int path)
{
  rille_node *document = rille_chain_column(r, node, 5);

  document->next = rille_chain_value(r, node, path, rille_str_of("a JSON path"));
  return document;
}

/* Pushes an element of the list at the top of the stack, and reads it.  Where it stands is only written for an error:
** relations read lists of thousands. */
static void
push_element(rille_chain *r, rille_str what, lua_Integer i, rille_cell *cell)
{
  char place[100];
  bool is_read;

  (void)lua_rawgeti(r->L, -1, i);
  is_read = rille_lua_to_cell(r->L, -1, cell);
  if (is_read && cell->kind != RILLE_NULL)
    return;
  (void)snprintf(place, sizeof place, "%.*s: element %lld of the list", RILLE_STR_ARG(what), (long long)i);
  if (!is_read)
    rille_lua_check_cell(r->L, -1, place, cell);
  (void)rille_lua_refuse(r->L, "%s is %s: NULL is never found in a list", place, lua_isnil(r->L, -1) ? "nil" : "null");
}

/* The list at the top of the stack as one long value, or as short items. */
static rille_node *
list_of(rille_chain *r, rille_str what, lua_Integer count)
{
  rille_node *node = rille_chain_node(r, count > SHORT_LIST ? RILLE_NODE_LIST : RILLE_NODE_ITEMS);
  rille_node **end = &node->items;
  rille_cell *cells = NULL;

  if (count > SHORT_LIST)
    cells = rille_work_get(r->L, r->work, (size_t)count * sizeof *cells);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_cell cell;

    push_element(r, what, i, &cell);
    if (cells != NULL) {
      cells[i - 1] = cell;
    } else {
      *end = rille_work_value(r->L, r->work, &cell);
      end = &(*end)->next;
    }
    lua_pop(r->L, 1);
  }
  if (cells != NULL) {
    node->slot = rille_work_slot(r->L, r->work, &(rille_cell){ .kind = RILLE_NULL });
    r->work->slots[node->slot].list = cells;
    r->work->slots[node->slot].list_len = (size_t)count;
  }
  return node;
}

static rille_node *
in_of(rille_chain *r, int node)
{
  rille_node *in = rille_chain_node(r, RILLE_NODE_IN);
  lua_Integer count;

  in->a = rille_chain_column(r, node, 5);
  if (rille_chain_push(r, node, 6) != LUA_TTABLE)
    (void)rille_lua_refuse(r->L, "%s: a list or a query was expected", rille_show(in->a->text).text);
  if (lua_rawgeti(r->L, -1, 3) == LUA_TNUMBER && lua_getmetatable(r->L, -2)) { /* a chain */
    lua_pop(r->L, 2);
    in->b = rille_chain_node(r, RILLE_NODE_QUERY);
    in->b->query = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
    lua_pop(r->L, 1);
    return in;
  }
  lua_pop(r->L, 1);
  count = luaL_len(r->L, -1);
  if (count == 0) {
    lua_pop(r->L, 1);
    return rille_chain_node(r, RILLE_NODE_CONSTANT); /* nothing is in an empty list */
  }
  in->b = list_of(r, in->a->text, count);
  lua_pop(r->L, 1);
  return in;
}

static rille_node *
between_of(rille_chain *r, int node)
{
  rille_node *between = rille_chain_node(r, RILLE_NODE_BETWEEN);

  between->a = rille_chain_column(r, node, 5);
  between->b = rille_chain_value(r, node, 6, between->a->text);
  between->c = rille_chain_value(r, node, 7, between->a->text);
  return between;
}

static rille_node *
null_of(rille_chain *r, int node)
{
  rille_node *is_null = rille_chain_node(r, RILLE_NODE_IS_NULL);

  is_null->a = rille_chain_column(r, node, 5);
  return is_null;
}

static rille_node *
group_of(rille_chain *r, int node)
{
  rille_node *group;

  rille_chain_enter(r->L, r->work, 1);
  luaL_checkstack(r->L, 10, "conditions are nested too deep");
  (void)rille_chain_push(r, node, 5);
  group = rille_chain_conditions(r, lua_gettop(r->L));
  lua_pop(r->L, 1);
  r->work->depth--;
  return group;
}

static rille_node *
exists_of(rille_chain *r, int node)
{
  rille_node *exists = rille_chain_node(r, RILLE_NODE_EXISTS);

  (void)rille_chain_push(r, node, 5);
  exists->query = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
  lua_pop(r->L, 1);
  return exists;
}

static rille_node *
constant_of(rille_chain *r, int node)
{
  rille_node *constant = rille_chain_node(r, RILLE_NODE_CONSTANT);

  constant->op = rille_chain_flag(r, node, 5);
  return constant;
}

/* The condition that the node at `node` adds; NULL when it adds none. */
static rille_node *
rille_condition_of(rille_chain *r, int node, rille_op kind)
{
  switch (kind) {
  case RILLE_CHAIN_COMPARE:
  case RILLE_CHAIN_HAVING: return compare_value(r, rille_chain_column(r, node, 5), node, 6, 7);
  case RILLE_CHAIN_COLUMNS: {
    rille_node *a = rille_chain_column(r, node, 5);

    return rille_condition_compare(r, a, rille_condition_operator(r, rille_chain_text(r, node, 6, "an operator")),
                                   rille_chain_column(r, node, 7));
  }
  case RILLE_CHAIN_IN: return in_of(r, node);
  case RILLE_CHAIN_BETWEEN: return between_of(r, node);
  case RILLE_CHAIN_NULL: return null_of(r, node);
  case RILLE_CHAIN_GROUP: return group_of(r, node);
  case RILLE_CHAIN_EXISTS: return exists_of(r, node);
  case RILLE_CHAIN_RAW:
  case RILLE_CHAIN_HAVING_RAW: return rille_chain_raw(r, node, 5, 6);
  case RILLE_CHAIN_PART: return part_of(r, node);
  case RILLE_CHAIN_JSON:
    return compare_value(r, rille_condition_call(r, RILLE_FN_JSON_GET, json_of(r, node, 8)), node, 6, 7);
  case RILLE_CHAIN_JSON_CONTAINS: {
    rille_node *document = json_of(r, node, 7);

    document->next->next = rille_chain_value(r, node, 6, document->text);
    return rille_condition_call(r, RILLE_FN_JSON_CONTAINS, document);
  }
  case RILLE_CHAIN_CONSTANT: return constant_of(r, node);
  case RILLE_CHAIN_OUTER: return outer_of(r, node);
  case RILLE_CHAIN_COMPARE_QUERY: return compare_value(r, rille_condition_query(r, node, 5), node, 8, 9);
  default: return NULL;
  }
}

/* Puts the condition of a node in front of the list. */
bool
rille_condition_add(rille_chain *r, int node, rille_op kind, rille_found *found)
{
  rille_node *condition = rille_condition_of(r, node, kind);
  rille_joined **list = &found->conditions, *entry;
  lua_Integer joined;

  if (condition == NULL)
    return false;
  joined = rille_chain_integer(r, node, 4);
  if (joined & 2) {
    rille_node *negation = rille_chain_node(r, RILLE_NODE_NOT);

    negation->a = condition;
    condition = negation;
  }
  if (kind == RILLE_CHAIN_HAVING || kind == RILLE_CHAIN_HAVING_RAW)
    list = &found->having;
  entry = rille_work_get(r->L, r->work, sizeof *entry);
  *entry = (rille_joined){ .condition = condition, .joins_or = (joined & 1) != 0, .next = *list };
  *list = entry;
  return true;
}

/* a, or b, c: "a or (b and c)", as SQL reads it. */
rille_node *
rille_condition_join(rille_chain *r, const rille_joined *entries)
{
  rille_node *any = NULL, *all = NULL, **end = NULL, **any_end = NULL;

  if (entries == NULL)
    return NULL;
  for (const rille_joined *entry = entries; entry != NULL; entry = entry->next) {
    if (entry == entries || entry->joins_or) { /* a new row of conditions that are and-ed */
      rille_node *row = rille_chain_node(r, RILLE_NODE_AND);

      if (any == NULL) {
        any = rille_chain_node(r, RILLE_NODE_OR);
        any_end = &any->items;
      }
      *any_end = row;
      any_end = &row->next;
      all = row;
      end = &all->items;
    }
    *end = entry->condition;
    end = &entry->condition->next;
  }
  for (rille_node **row = &any->items; *row != NULL; row = &(*row)->next)
    if ((*row)->items->next == NULL) { /* a row of one needs no row */
      rille_node *only = (*row)->items;

      only->next = (*row)->next;
      *row = only;
    }
  return any->items->next == NULL ? any->items : any;
}
