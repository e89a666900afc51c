/* core/bind/chain.h - the nodes of a query as Lua writes them, and what they say.
**
** A query in Lua is a chain of small tables, each of which adds one thing to the one before and is never changed:
**   { root, previous, op, ... }      root = { source, ... }: the same for the whole chain; previous: a node, or false
** What stands behind the op, from position 4, is listed here; Lua knows the numbers of the ops as core.op. */
#ifndef RILLE_BIND_CHAIN_H
#define RILLE_BIND_CHAIN_H

#include <lua.h>

#include "core/bind/work.h"

/* Operands by op; `joined` is how a condition joins those before it: 0 and, 1 or, 2 and not, 3 or not. */
typedef enum rille_op {
  RILLE_CHAIN_COMPARE = 1,   /* joined, column, operator, value */
  RILLE_CHAIN_COLUMNS,       /* joined, column, operator, column */
  RILLE_CHAIN_IN,            /* joined, column, list | query */
  RILLE_CHAIN_BETWEEN,       /* joined, column, low, high */
  RILLE_CHAIN_NULL,          /* joined, column */
  RILLE_CHAIN_GROUP,         /* joined, chain */
  RILLE_CHAIN_EXISTS,        /* joined, chain */
  RILLE_CHAIN_RAW,           /* joined, sql, params */
  RILLE_CHAIN_PART,          /* joined, column, operator, value, "date" | "year" | "month" | "day" */
  RILLE_CHAIN_JSON,          /* joined, column, operator, value, path */
  RILLE_CHAIN_JSON_CONTAINS, /* joined, column, value, path */
  RILLE_CHAIN_CONSTANT,      /* joined, boolean */
  RILLE_CHAIN_SEALED,        /* chain: its conditions hold outside of all others, so that no OR escapes them */
  RILLE_CHAIN_HAVING,        /* joined, column | output, operator, value */
  RILLE_CHAIN_HAVING_RAW,    /* joined, sql, params */
  RILLE_CHAIN_SELECT,        /* list: in place of what was selected before */
  RILLE_CHAIN_ADD_SELECT,    /* list */
  RILLE_CHAIN_SELECT_RAW,    /* sql, params, names of its outputs separated by NUL */
  RILLE_CHAIN_DISTINCT,
  RILLE_CHAIN_JOIN,      /* left (boolean), source, alias | false, column, operator, column; read by Lua: a model */
  RILLE_CHAIN_GROUP_BY,  /* list */
  RILLE_CHAIN_ORDER,     /* column, descending */
  RILLE_CHAIN_ORDER_RAW, /* sql, params */
  RILLE_CHAIN_ORDER_RANDOM,
  RILLE_CHAIN_REORDER, /* forgets the orders before */
  RILLE_CHAIN_LIMIT,   /* number */
  RILLE_CHAIN_OFFSET,  /* number */
  RILLE_CHAIN_UNION,   /* chain, all (boolean) */
  RILLE_CHAIN_UNFILTERED,
  RILLE_CHAIN_UNLIMITED,     /* forgets limit and offset before */
  RILLE_CHAIN_OUTER,         /* joined, column, column of the first table of the query around: they are equal */
  RILLE_CHAIN_COMPARE_QUERY, /* joined, chain, aggregate, column | false, operator, value */
  RILLE_CHAIN_SELECT_QUERY,  /* chain, aggregate | "exists", column | false, its name as an output */
  RILLE_CHAIN_LOCK,          /* "update" | "share", "skip" | "fail" | false: where another has locked a row */
  RILLE_CHAIN_PER,           /* list, lateral: limits count among the rows that are alike in these columns; in whose
                             ** order an index has them */
  RILLE_CHAIN_SCOPES, /* name, chain: its conditions hold for the rows that are joined under the name; said behind
                             ** the join */
  RILLE_CHAIN_NOTHING /* a root */
} rille_op;

typedef struct rille_chain {
  lua_State *L;
  rille_work *work;
} rille_chain;

/* What holds for the rows that are joined under a name. */
typedef struct rille_scopes {
  rille_str name;
  rille_node *conditions;
  struct rille_scopes *next;
} rille_scopes;

/* A condition, and how it joins those before it. */
typedef struct rille_joined {
  rille_node *condition;
  bool joins_or; /* ... with or, not with and */
  struct rille_joined *next;
} rille_joined;

/* What a chain gives while it is walked backwards. */
typedef struct rille_found {
  rille_query *query;                /* NULL while only conditions are wanted */
  rille_joined *conditions, *having; /* in order */
  rille_scopes *scopes;              /* of joins that are still to come */
  bool outputs_done, orders_done, limits_done;
} rille_found;

/* In all that follows `node` is the absolute index of a node and `position` one of its operands.  Texts are borrowed
** from the node, trees live in the work's arena; all raise invalid_argument for what is not of the wanted kind. */

enum { RILLE_QUERY_LEVELS = 3 }; /* a query in a query counts as so many groups */

/* Goes deeper in groups and queries within queries, all of them counted together; raises invalid_argument where
** databases give up.  Whoever enters takes the levels off work->depth when leaving. */
void rille_chain_enter(lua_State *L, rille_work *work, int levels);

/* A new node of the tree. */
static inline rille_node *
rille_chain_node(rille_chain *r, rille_node_kind kind)
{
  return rille_work_node(r->L, r->work, kind);
}

/* Pushes an operand, which the caller pops; returns its Lua type. */
static inline int
rille_chain_push(rille_chain *r, int node, int position)
{
  return lua_rawgeti(r->L, node, position);
}

/* An operand that is a string; `what` names it in the error. */
rille_str rille_chain_text(rille_chain *r, int node, int position, const char *what);

/* An operand that is an integer, or a boolean. */
lua_Integer rille_chain_integer(rille_chain *r, int node, int position);
bool rille_chain_flag(rille_chain *r, int node, int position);

/* A COLUMN node for a name, and for an operand that is one. */
rille_node *rille_chain_column_named(rille_chain *r, rille_str name);
rille_node *rille_chain_column(rille_chain *r, int node, int position);

/* A VALUE node for the Lua value at `index`, and for an operand; `what` names the place in the error. */
rille_node *rille_chain_value_at(rille_chain *r, int index, rille_str what);
rille_node *rille_chain_value(rille_chain *r, int node, int position, rille_str what);

/* VALUE nodes for the elements of an operand that is a list, linked; NULL for none. */
rille_node *rille_chain_values(rille_chain *r, int node, int position);

/* A RAW node for SQL and its parameters, both operands. */
rille_node *rille_chain_raw(rille_chain *r, int node, int sql, int params);

/* The conditions of the chain at `index` (absolute) as one; NULL for none. */
rille_node *rille_chain_conditions(rille_chain *r, int index);

#endif
