/* core/bind/tree.c - walks a chain from its end to its root, putting what it finds in front of the lists of the tree. */
#include "core/bind/tree.h"

#include <lauxlib.h>
#include <stdio.h>

#include "core/base/name.h"
#include "core/bind/value.h"

enum {
  GROUPS_MAX = 100,            /* conditions in conditions */
  SHORT_LIST = 32              /* longer lists are one value, so that their length is no part of the shape */
};

/* Operands by op; `joined` is how a condition joins those before it: 0 and, 1 or, 2 and not, 3 or not. */
typedef enum op {
  OP_COMPARE = 1,    /* joined, column, operator, value */
  OP_COLUMNS,        /* joined, column, operator, column */
  OP_IN,             /* joined, column, list | query */
  OP_BETWEEN,        /* joined, column, low, high */
  OP_NULL,           /* joined, column */
  OP_GROUP,          /* joined, chain */
  OP_EXISTS,         /* joined, chain */
  OP_RAW,            /* joined, sql, params */
  OP_PART,           /* joined, column, operator, value, "date" | "year" | "month" | "day" */
  OP_JSON,           /* joined, column, operator, value, path */
  OP_JSON_CONTAINS,  /* joined, column, value, path */
  OP_CONSTANT,       /* joined, boolean */
  OP_SEALED,         /* chain: its conditions hold outside of all others, so that no OR escapes them */
  OP_HAVING,         /* joined, column | output, operator, value */
  OP_HAVING_RAW,     /* joined, sql, params */
  OP_SELECT,         /* list: in place of what was selected before */
  OP_ADD_SELECT,     /* list */
  OP_SELECT_RAW,     /* sql, params, names of its outputs separated by NUL */
  OP_DISTINCT,
  OP_JOIN,           /* left (boolean), source, alias | false, column, operator, column */
  OP_GROUP_BY,       /* list */
  OP_ORDER,          /* column, descending */
  OP_ORDER_RAW,      /* sql, params */
  OP_ORDER_RANDOM,
  OP_REORDER,        /* forgets the orders before */
  OP_LIMIT,          /* number */
  OP_OFFSET,         /* number */
  OP_UNION,          /* chain, all (boolean) */
  OP_UNFILTERED,
  OP_UNLIMITED,      /* forgets limit and offset before */
  OP_NOTHING         /* a root */
} op;

static const char *const OP_NAMES[] = {
  NULL, "compare", "columns", "in", "between", "null", "group", "exists", "raw", "part", "json", "json_contains", "constant",
  "sealed",
  "having", "having_raw", "select", "add_select", "select_raw", "distinct", "join", "group_by", "order", "order_raw",
  "order_random", "reorder", "limit", "offset", "union", "unfiltered", "unlimited", "nothing",
};

struct reader {
  lua_State *L;
  rille_work *work;
  int groups;                      /* how deep in conditions of conditions */
};

/* What a chain gives while it is walked backwards. */
struct found {
  rille_query *query;              /* NULL while only conditions are wanted */
  rille_node *conditions;          /* joined by their `op`, in order */
  rille_node *having;
  bool outputs_done, orders_done, limits_done;
};

static rille_node *read_conditions(struct reader *r, int index);

static rille_node *
node_of(struct reader *r, rille_node_kind kind)
{
  return rille_work_node(r->L, r->work, kind);
}

/* Pushes the value at `position` of the node at `node`; the caller pops it.  Texts and tables stay alive in the node. */
static int
push_operand(struct reader *r, int node, int position)
{
  return lua_rawgeti(r->L, node, position);
}

static rille_str
operand_text(struct reader *r, int node, int position, const char *what)
{
  rille_str text;

  (void)push_operand(r, node, position);
  text = rille_lua_check_text(r->L, -1, what);
  lua_pop(r->L, 1);
  return text;
}

static lua_Integer
operand_integer(struct reader *r, int node, int position)
{
  lua_Integer value;

  (void)push_operand(r, node, position);
  value = lua_tointeger(r->L, -1);
  lua_pop(r->L, 1);
  return value;
}

static bool
operand_flag(struct reader *r, int node, int position)
{
  bool value;

  (void)push_operand(r, node, position);
  value = lua_toboolean(r->L, -1) != 0;
  lua_pop(r->L, 1);
  return value;
}

static rille_node *
column_of(struct reader *r, rille_str name)
{
  rille_node *column = node_of(r, RILLE_NODE_COLUMN);

  column->text = name;
  return column;
}

static rille_node *
operand_column(struct reader *r, int node, int position)
{
  return column_of(r, operand_text(r, node, position, "a column"));
}

static rille_node *
value_at(struct reader *r, int index, rille_str what)
{
  rille_cell cell;
  char place[100];

  if (!rille_lua_to_cell(r->L, index, &cell)) {
    (void)snprintf(place, sizeof place, "%.*s", RILLE_STR_ARG(what));
    rille_lua_check_cell(r->L, index, place, &cell);
  }
  return rille_work_value(r->L, r->work, &cell);
}

static rille_node *
operand_value(struct reader *r, int node, int position, rille_str what)
{
  rille_node *value;

  (void)push_operand(r, node, position);
  value = value_at(r, -1, what);
  lua_pop(r->L, 1);
  return value;
}

/* The values of the list at `position`, linked; NULL for none or no list. */
static rille_node *
operand_values(struct reader *r, int node, int position)
{
  rille_node *first = NULL, **end = &first;

  if (push_operand(r, node, position) == LUA_TTABLE) {
    lua_Integer count = luaL_len(r->L, -1);

    if (lua_getfield(r->L, -1, "n") == LUA_TNUMBER)
      count = lua_tointeger(r->L, -1);
    lua_pop(r->L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
      (void)lua_rawgeti(r->L, -1, i);
      *end = value_at(r, -1, rille_str_of("a parameter"));
      end = &(*end)->next;
      lua_pop(r->L, 1);
    }
  }
  lua_pop(r->L, 1);
  return first;
}

static rille_node *
raw_of(struct reader *r, int node, int sql, int params)
{
  rille_node *raw = node_of(r, RILLE_NODE_RAW);

  raw->text = operand_text(r, node, sql, "raw SQL");
  raw->items = operand_values(r, node, params);
  return raw;
}

/* -- conditions ------------------------------------------------------------------------------------------------------- */

#define OPERATOR(text, op, negated) { { text, sizeof text - 1 }, op, negated }

static const struct { rille_str text; int op; bool negated; } OPERATORS[] = {
  OPERATOR("=", RILLE_OP_EQUAL, false),        OPERATOR(">", RILLE_OP_GREATER, false),
  OPERATOR(">=", RILLE_OP_GREATER_EQUAL, false), OPERATOR("<", RILLE_OP_LESS, false),
  OPERATOR("<=", RILLE_OP_LESS_EQUAL, false),  OPERATOR("!=", RILLE_OP_UNEQUAL, false),
  OPERATOR("<>", RILLE_OP_UNEQUAL, false),     OPERATOR("like", RILLE_OP_LIKE, false),
  OPERATOR("not_like", RILLE_OP_LIKE, true),   OPERATOR("not like", RILLE_OP_LIKE, true),
  OPERATOR("ilike", RILLE_OP_ILIKE, false),    OPERATOR("not_ilike", RILLE_OP_ILIKE, true),
  OPERATOR("not ilike", RILLE_OP_ILIKE, true), OPERATOR("is", RILLE_OP_EQUAL, false),
  OPERATOR("is_not", RILLE_OP_UNEQUAL, false), OPERATOR("is not", RILLE_OP_UNEQUAL, false),
};

enum { OPERATOR_COUNT = sizeof OPERATORS / sizeof OPERATORS[0] };

static size_t
no_operator(struct reader *r, rille_str text)
{
  rille_nearest nearest;
  rille_fault fault;

  rille_nearest_init(&nearest, text);
  for (size_t i = 0; i < OPERATOR_COUNT; i++)
    rille_nearest_offer(&nearest, OPERATORS[i].text);
  (void)rille_fault_set(&fault, RILLE_INVALID_ARGUMENT, "there is no operator \"%.*s\"", RILLE_STR_ARG(text));
  rille_fault_hint(&fault, "the operators are = != <> < <= > >= like not_like ilike in not_in between is is_not");
  rille_nearest_hint(&nearest, &fault);
  return (size_t)rille_lua_raise(r->L, &fault, (rille_str){ 0 });
}

static size_t
find_operator(struct reader *r, rille_str text)
{
  for (size_t i = 0; i < OPERATOR_COUNT; i++)
    if (rille_str_equal(text, OPERATORS[i].text))
      return i;
  return no_operator(r, text);
}

static rille_node *
compare(struct reader *r, rille_node *a, size_t operator, rille_node *b)
{
  rille_node *node = node_of(r, RILLE_NODE_COMPARE);

  node->op = OPERATORS[operator].op;
  node->a = a;
  node->b = b;
  if (!OPERATORS[operator].negated)
    return node;
  {
    rille_node *negation = node_of(r, RILLE_NODE_NOT);

    negation->a = node;
    return negation;
  }
}

/* a operator NULL: only "is" and "is not" mean something. */
static rille_node *
compare_null(struct reader *r, rille_node *a, size_t operator)
{
  rille_node *node = node_of(r, RILLE_NODE_IS_NULL), *negation;

  node->a = a;
  if (OPERATORS[operator].op == RILLE_OP_EQUAL)
    return node;
  if (OPERATORS[operator].op != RILLE_OP_UNEQUAL)
    (void)rille_lua_refuse(r->L, "%.*s %s NULL is never true: compare with a value", RILLE_STR_ARG(a->text),
                           OPERATORS[operator].text.at);
  negation = node_of(r, RILLE_NODE_NOT);
  negation->a = node;
  return negation;
}

/* `a` operator value, which stand at the positions `operator` and `value` of the node */
static rille_node *
compare_value(struct reader *r, rille_node *a, int node, int operator, int value)
{
  rille_str what = a->text.at != NULL ? a->text : rille_str_of("a condition");
  size_t found;
  rille_node *made;

  (void)lua_rawgeti(r->L, node, operator);
  found = find_operator(r, rille_lua_check_text(r->L, -1, "an operator"));
  if (lua_rawgeti(r->L, node, value) == LUA_TNIL)
    (void)rille_lua_refuse(r->L, "%.*s: a condition was given nil (rille.null stands for NULL)", RILLE_STR_ARG(what));
  if (rille_lua_is_null(r->L, -1))
    made = compare_null(r, a, found);
  else
    made = compare(r, a, found, value_at(r, -1, what));
  lua_pop(r->L, 2);
  return made;
}

static rille_node *
call_of(struct reader *r, rille_function function, rille_node *first)
{
  rille_node *call = node_of(r, RILLE_NODE_CALL);

  call->op = (int)function;
  call->items = first;
  return call;
}

static rille_node *
part_of(struct reader *r, int node)
{
  static const struct { const char *name; rille_function function; } parts[] = {
    { "date", RILLE_FN_DATE }, { "year", RILLE_FN_YEAR }, { "month", RILLE_FN_MONTH }, { "day", RILLE_FN_DAY },
  };
  rille_str part = operand_text(r, node, 8, "a part of a date");
  size_t i = 0;

  while (i < 3 && !rille_str_is(part, parts[i].name))
    i++;
  return compare_value(r, call_of(r, parts[i].function, operand_column(r, node, 5)), node, 6, 7);
}

static rille_node *
json_of(struct reader *r, int node, int path)
{
  rille_node *document = operand_column(r, node, 5);

  document->next = operand_value(r, node, path, rille_str_of("a JSON path"));
  return document;
}

/* The list at the top of the stack as one long value, or as short items. */
static rille_node *
list_of(struct reader *r, rille_str what, lua_Integer count)
{
  rille_node *node = node_of(r, count > SHORT_LIST ? RILLE_NODE_LIST : RILLE_NODE_ITEMS);
  rille_node **end = &node->items;
  rille_cell *cells = NULL;

  if (count > SHORT_LIST)
    cells = rille_work_get(r->L, r->work, (size_t)count * sizeof *cells);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_cell cell;
    char place[100];

    (void)lua_rawgeti(r->L, -1, i);
    (void)snprintf(place, sizeof place, "%.*s: element %lld of the list", RILLE_STR_ARG(what), (long long)i);
    if (!rille_lua_to_cell(r->L, -1, &cell))
      rille_lua_check_cell(r->L, -1, place, &cell);
    if (cell.kind == RILLE_NULL)
      (void)rille_lua_refuse(r->L, "%s is %s: NULL is never found in a list", place, lua_isnil(r->L, -1) ? "nil" : "null");
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
in_of(struct reader *r, int node)
{
  rille_node *in = node_of(r, RILLE_NODE_IN);
  lua_Integer count;

  in->a = operand_column(r, node, 5);
  if (push_operand(r, node, 6) != LUA_TTABLE)
    (void)rille_lua_refuse(r->L, "%.*s: a list or a query was expected", RILLE_STR_ARG(in->a->text));
  if (lua_rawgeti(r->L, -1, 3) == LUA_TNUMBER && lua_getmetatable(r->L, -2)) {     /* a chain */
    lua_pop(r->L, 2);
    in->b = node_of(r, RILLE_NODE_QUERY);
    in->b->query = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
    lua_pop(r->L, 1);
    return in;
  }
  lua_pop(r->L, 1);
  count = luaL_len(r->L, -1);
  if (count == 0) {
    lua_pop(r->L, 1);
    return node_of(r, RILLE_NODE_CONSTANT);      /* nothing is in an empty list */
  }
  in->b = list_of(r, in->a->text, count);
  lua_pop(r->L, 1);
  return in;
}

static rille_node *
between_of(struct reader *r, int node)
{
  rille_node *between = node_of(r, RILLE_NODE_BETWEEN);

  between->a = operand_column(r, node, 5);
  between->b = operand_value(r, node, 6, between->a->text);
  between->c = operand_value(r, node, 7, between->a->text);
  return between;
}

static rille_node *
null_of(struct reader *r, int node)
{
  rille_node *is_null = node_of(r, RILLE_NODE_IS_NULL);

  is_null->a = operand_column(r, node, 5);
  return is_null;
}

static rille_node *
group_of(struct reader *r, int node)
{
  rille_node *group;

  if (++r->groups > GROUPS_MAX)
    (void)rille_lua_refuse(r->L, "conditions are nested more than %d deep", GROUPS_MAX);
  luaL_checkstack(r->L, 10, "conditions are nested too deep");
  (void)push_operand(r, node, 5);
  group = read_conditions(r, lua_gettop(r->L));
  lua_pop(r->L, 1);
  r->groups--;
  return group;
}

static rille_node *
exists_of(struct reader *r, int node)
{
  rille_node *exists = node_of(r, RILLE_NODE_EXISTS);

  (void)push_operand(r, node, 5);
  exists->query = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
  lua_pop(r->L, 1);
  return exists;
}

static rille_node *
constant_of(struct reader *r, int node)
{
  rille_node *constant = node_of(r, RILLE_NODE_CONSTANT);

  constant->op = operand_flag(r, node, 5);
  return constant;
}

/* The condition that the node at `node` adds; NULL when it adds none. */
static rille_node *
condition_of(struct reader *r, int node, op kind)
{
  switch (kind) {
  case OP_COMPARE:
  case OP_HAVING: return compare_value(r, operand_column(r, node, 5), node, 6, 7);
  case OP_COLUMNS: {
    rille_node *a = operand_column(r, node, 5);

    return compare(r, a, find_operator(r, operand_text(r, node, 6, "an operator")), operand_column(r, node, 7));
  }
  case OP_IN: return in_of(r, node);
  case OP_BETWEEN: return between_of(r, node);
  case OP_NULL: return null_of(r, node);
  case OP_GROUP: return group_of(r, node);
  case OP_EXISTS: return exists_of(r, node);
  case OP_RAW:
  case OP_HAVING_RAW: return raw_of(r, node, 5, 6);
  case OP_PART: return part_of(r, node);
  case OP_JSON: return compare_value(r, call_of(r, RILLE_FN_JSON_GET, json_of(r, node, 8)), node, 6, 7);
  case OP_JSON_CONTAINS: {
    rille_node *document = json_of(r, node, 7);

    document->next->next = operand_value(r, node, 6, document->text);
    return call_of(r, RILLE_FN_JSON_CONTAINS, document);
  }
  case OP_CONSTANT: return constant_of(r, node);
  default: return NULL;
  }
}

/* Puts the condition of a node, wrapped so that its `op` says how it joins, in front of the list. */
static bool
add_condition(struct reader *r, int node, op kind, struct found *found)
{
  rille_node *condition = condition_of(r, node, kind), *entry;
  lua_Integer joined;

  if (condition == NULL)
    return false;
  joined = operand_integer(r, node, 4);
  entry = node_of(r, RILLE_NODE_NOT);
  entry->op = (int)(joined & 1);
  entry->a = condition;
  if (joined & 2) {
    entry->b = node_of(r, RILLE_NODE_NOT);
    entry->b->a = condition;
    entry->a = entry->b;
    entry->b = NULL;
  }
  if (kind == OP_HAVING || kind == OP_HAVING_RAW) {
    entry->next = found->having;
    found->having = entry;
  } else {
    entry->next = found->conditions;
    found->conditions = entry;
  }
  return true;
}

/* a, or b, c: "a or (b and c)", as SQL reads it. */
static rille_node *
join_conditions(struct reader *r, const rille_node *entries)
{
  rille_node *any = NULL, *all = NULL, **end = NULL, **any_end = NULL;

  if (entries == NULL)
    return NULL;
  for (const rille_node *entry = entries; entry != NULL; entry = entry->next) {
    if (entry == entries || entry->op == 1) {           /* a new row of conditions that are and-ed */
      rille_node *row = node_of(r, RILLE_NODE_AND);

      if (any == NULL) {
        any = node_of(r, RILLE_NODE_OR);
        any_end = &any->items;
      }
      *any_end = row;
      any_end = &row->next;
      all = row;
      end = &all->items;
    }
    *end = entry->a;
    end = &entry->a->next;
  }
  for (rille_node **row = &any->items; *row != NULL; row = &(*row)->next)
    if ((*row)->items->next == NULL) {                  /* a row of one needs no row */
      rille_node *only = (*row)->items;

      only->next = (*row)->next;
      *row = only;
    }
  return any->items->next == NULL ? any->items : any;
}

/* -- the other clauses ------------------------------------------------------------------------------------------------ */

/* "title", "posts.title", "title as heading", "*", "posts.*" */
static rille_node *
output_of(struct reader *r, rille_str text)
{
  rille_node *output;

  for (size_t i = 1; i + 4 < text.len; i++)
    if (memcmp(text.at + i, " as ", 4) == 0) {
      output = column_of(r, (rille_str){ text.at, i });
      output->alias = (rille_str){ text.at + i + 4, text.len - i - 4 };
      return output;
    }
  if (text.len == 0 || text.at[text.len - 1] != '*')
    return column_of(r, text);
  output = node_of(r, RILLE_NODE_EVERY);
  if (text.len > 1)
    output->text = (rille_str){ text.at, text.len - 2 };
  return output;
}

/* The list of names at position 4, as columns or outputs in front of `rest`. */
static rille_node *
names_before(struct reader *r, int node, rille_node *rest, bool outputs)
{
  rille_node *first = rest, **end = &first;
  lua_Integer count;

  (void)push_operand(r, node, 4);
  luaL_checktype(r->L, -1, LUA_TTABLE);
  count = luaL_len(r->L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    rille_str text;
    rille_node *name;

    (void)lua_rawgeti(r->L, -1, i);
    text = rille_lua_check_text(r->L, -1, "the name of a column");
    lua_pop(r->L, 1);
    name = outputs ? output_of(r, text) : column_of(r, text);
    name->next = rest;
    *end = name;
    end = &name->next;
  }
  lua_pop(r->L, 1);
  return first;
}

static void
add_join(struct reader *r, int node, rille_query *query)
{
  rille_join *join = rille_work_get(r->L, r->work, sizeof *join);
  size_t operator;
  rille_node *a, *b;

  join->kind = operand_flag(r, node, 4) ? RILLE_JOIN_LEFT : RILLE_JOIN_INNER;
  (void)push_operand(r, node, 5);
  join->source.table = &rille_lua_check_source(r->L, -1)->table;
  lua_pop(r->L, 1);
  (void)push_operand(r, node, 6);
  join->source.name = lua_type(r->L, -1) == LUA_TSTRING ? rille_lua_text(r->L, -1) : join->source.table->name;
  lua_pop(r->L, 1);
  a = operand_column(r, node, 7);
  operator = find_operator(r, operand_text(r, node, 8, "an operator"));
  b = operand_column(r, node, 9);
  join->on = compare(r, a, operator, b);
  join->next = query->joins;
  query->joins = join;
}

static rille_node *
term_of(struct reader *r, rille_node *of, bool descending)
{
  rille_node *term = node_of(r, RILLE_NODE_TERM);

  term->a = of;
  term->op = descending;
  return term;
}

static void
add_order(struct reader *r, int node, op kind, struct found *found)
{
  rille_node *term;

  if (found->orders_done)
    return;
  if (kind == OP_REORDER) {
    found->orders_done = true;
    return;
  }
  if (kind == OP_ORDER_RAW)
    term = raw_of(r, node, 4, 5);
  else if (kind == OP_ORDER_RANDOM)
    term = term_of(r, call_of(r, RILLE_FN_RANDOM, NULL), false);
  else
    term = term_of(r, operand_column(r, node, 4), operand_flag(r, node, 5));
  term->next = found->query->orders;
  found->query->orders = term;
}

static void
add_outputs(struct reader *r, int node, op kind, struct found *found)
{
  rille_query *query = found->query;

  if (found->outputs_done)
    return;
  if (kind == OP_SELECT_RAW) {
    rille_node *raw = raw_of(r, node, 4, 5);

    (void)push_operand(r, node, 6);
    raw->alias = rille_lua_text(r->L, -1);
    lua_pop(r->L, 1);
    raw->next = query->outputs;
    query->outputs = raw;
  } else {
    query->outputs = names_before(r, node, query->outputs, true);
    found->outputs_done = kind == OP_SELECT;
  }
}

static void
add_union(struct reader *r, int node, rille_query *query)
{
  rille_query *member;

  (void)push_operand(r, node, 4);
  member = rille_lua_to_query(r->L, lua_gettop(r->L), 0, r->work);
  lua_pop(r->L, 1);
  member->union_all = operand_flag(r, node, 5);
  member->next = query->unions;
  query->unions = member;
}

/* Ands the conditions of the chain at `index` to what is sealed already. */
static void
seal(struct reader *r, int index, rille_query *query)
{
  rille_node *conditions = read_conditions(r, index), *both;

  if (conditions != NULL && query->sealed != NULL) {
    both = node_of(r, RILLE_NODE_AND);
    both->items = conditions;
    conditions->next = query->sealed;
    conditions = both;
  }
  if (conditions != NULL)
    query->sealed = conditions;
}

/* What the node at `node` adds to the statement beside conditions. */
static void
add_clause(struct reader *r, int node, op kind, struct found *found)
{
  rille_query *query = found->query;

  switch (kind) {
  case OP_SEALED:
    (void)push_operand(r, node, 4);
    seal(r, lua_gettop(r->L), query);
    lua_pop(r->L, 1);
    break;
  case OP_SELECT:
  case OP_ADD_SELECT:
  case OP_SELECT_RAW: add_outputs(r, node, kind, found); break;
  case OP_DISTINCT: query->distinct = true; break;
  case OP_JOIN: add_join(r, node, query); break;
  case OP_GROUP_BY: query->groups = names_before(r, node, query->groups, false); break;
  case OP_ORDER:
  case OP_ORDER_RAW:
  case OP_ORDER_RANDOM:
  case OP_REORDER: add_order(r, node, kind, found); break;
  case OP_LIMIT:
    if (query->limit == NULL && !found->limits_done)
      query->limit = operand_value(r, node, 4, rille_str_of("limit"));
    break;
  case OP_OFFSET:
    if (query->offset == NULL && !found->limits_done)
      query->offset = operand_value(r, node, 4, rille_str_of("offset"));
    break;
  case OP_UNION: add_union(r, node, query); break;
  case OP_UNFILTERED: query->unfiltered = true; break;
  case OP_UNLIMITED: found->limits_done = true; break;
  default: break;
  }
}

/* -- chains ----------------------------------------------------------------------------------------------------------- */

/* Walks from the node at `index` (absolute) to the root. */
static void
walk(struct reader *r, int index, struct found *found)
{
  lua_State *L = r->L;
  int node;

  luaL_checkstack(L, 10, "a query is too deep");
  lua_pushvalue(L, index);
  node = lua_gettop(L);
  while (lua_istable(L, node)) {
    op kind = (op)operand_integer(r, node, 3);

    if (!add_condition(r, node, kind, found) && found->query != NULL)
      add_clause(r, node, kind, found);
    (void)lua_rawgeti(L, node, 2);
    lua_replace(L, node);
  }
  lua_pop(L, 1);
}

static rille_node *
read_conditions(struct reader *r, int index)
{
  struct found found = { 0 };

  walk(r, index, &found);
  return join_conditions(r, found.conditions);
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
  struct reader reader = { .L = L, .work = work };
  struct found found = { 0 };
  const rille_lua_source *source;

  luaL_checkstack(L, 10, "a query is too deep");
  source = rille_lua_query_source(L, index);
  found.query = rille_work_get(L, work, sizeof *found.query);
  found.query->source = (rille_source){ &source->table, source->table.name };
  walk(&reader, index, &found);
  found.query->where = join_conditions(&reader, found.conditions);
  found.query->having = join_conditions(&reader, found.having);
  if (sealed != 0 && lua_istable(L, sealed))
    seal(&reader, sealed, found.query);
  return found.query;
}

void
rille_lua_add_ops(lua_State *L)
{
  lua_createtable(L, 0, OP_NOTHING);
  for (int i = 1; i <= (int)OP_NOTHING; i++) {
    lua_pushinteger(L, i);
    lua_setfield(L, -2, OP_NAMES[i]);
  }
  lua_setfield(L, -2, "op");
}
