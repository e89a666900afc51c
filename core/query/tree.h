/* core/query/tree.h - the nodes of a statement: data in one arena, made by a builder, completed by resolve, then
** read. */
#ifndef RILLE_TREE_H
#define RILLE_TREE_H

#include "core/base/arena.h"
#include "core/base/cell.h"
#include "core/query/schema.h"

typedef enum rille_node_kind {
  RILLE_NODE_COLUMN,  /* text: "title" or "posts.title"; alias: its name as an output, or none; op: a rille_column_of */
  RILLE_NODE_EVERY,   /* text: a source whose columns are all meant, or none for the first source */
  RILLE_NODE_STAR,    /* the * of count(*) */
  RILLE_NODE_VALUE,   /* slot: which of the statement's values; op: a rille_param_form, given by compile */
  RILLE_NODE_LIST,    /* slot: a value that is a long list */
  RILLE_NODE_ITEMS,   /* items: a short list */
  RILLE_NODE_RAW,     /* text: SQL with a ? for each of items, byte 1 for a question mark; alias: names of its outputs,
                     ** separated by NUL */
  RILLE_NODE_CALL,    /* op: a rille_function; items: its arguments */
  RILLE_NODE_COMPARE, /* op: a rille_operator; a, b */
  RILLE_NODE_IN,      /* a is in b, a LIST, ITEMS or QUERY */
  RILLE_NODE_BETWEEN, /* a is between b and c */
  RILLE_NODE_IS_NULL, /* a is NULL */
  RILLE_NODE_NOT,     /* a */
  RILLE_NODE_AND,     /* items, none of them: true */
  RILLE_NODE_OR,      /* items, none of them: false */
  RILLE_NODE_EXISTS,  /* query has a row */
  RILLE_NODE_QUERY,   /* query in parentheses */
  RILLE_NODE_CONSTANT, /* op: 1 true, 0 false */
  RILLE_NODE_TERM      /* one order: a; op: 1 descending */
} rille_node_kind;

/* Where a column is looked for. */
typedef enum rille_column_of {
  RILLE_COLUMN_OF_ANY,  /* in all tables of the query, then in those of the queries around */
  RILLE_COLUMN_OF_OUTER /* in the first table of the query around */
} rille_column_of;

typedef enum rille_operator {
  RILLE_OP_EQUAL,
  RILLE_OP_UNEQUAL,
  RILLE_OP_LESS,
  RILLE_OP_LESS_EQUAL,
  RILLE_OP_GREATER,
  RILLE_OP_GREATER_EQUAL,
  RILLE_OP_LIKE,  /* letters count as they are; % and _ stand for any text, any character */
  RILLE_OP_ILIKE, /* ASCII letters in either case */
  RILLE_OP_ADD,
  RILLE_OP_SUBTRACT,
  RILLE_OP_COUNT
} rille_operator;

typedef enum rille_function {
  RILLE_FN_COUNT,
  RILLE_FN_SUM,
  RILLE_FN_AVG,
  RILLE_FN_MIN,
  RILLE_FN_MAX,
  RILLE_FN_DATE,
  RILLE_FN_YEAR,
  RILLE_FN_MONTH,
  RILLE_FN_DAY,
  RILLE_FN_JSON_GET,      /* document, path */
  RILLE_FN_JSON_CONTAINS, /* document, path, scalar: a condition */
  RILLE_FN_RANDOM,
  RILLE_FN_TOTAL /* how many there are */
} rille_function;

struct rille_query;

typedef struct rille_node {
  rille_node_kind kind;
  int op;
  uint32_t slot;
  rille_str text, alias;
  struct rille_node *a, *b, *c;
  struct rille_node *items; /* the first of a list linked by `next` */
  struct rille_node *next;
  struct rille_query *query;
  const struct rille_source *source; /* set by resolve: whose column this is; NULL for an output's name */
  const rille_column *column;        /* set by resolve: that column; for a VALUE, the one whose type it takes */
} rille_node;

/* Whose rows of a table are meant: something must be said where it is guarded. */
typedef enum rille_guard {
  RILLE_GUARD_NONE,
  RILLE_GUARD_TENANT, /* one tenant's: compile says so wherever the table is read; an insert assigns it */
  RILLE_GUARD_LIFTED  /* everybody's */
} rille_guard;

/* A table that a statement reads, under the name that other parts of the statement use. */
typedef struct rille_source {
  const rille_table *table;
  rille_str name; /* alias, or the table's own name */
  bool optional;  /* set by resolve: a row may be without one of its rows, as a left join has it */
  int level; /* set by resolve: not 0 where a query around reads a table of that name, too; then part of the name */
  rille_guard guard;
  uint32_t tenant; /* with RILLE_GUARD_TENANT: which of the statement's values it is */
} rille_source;

typedef enum rille_join_kind { RILLE_JOIN_INNER, RILLE_JOIN_LEFT } rille_join_kind;

typedef struct rille_join {
  rille_join_kind kind;
  rille_source source;
  rille_node *on;
  struct rille_query *scoped; /* what scopes demand of the joined rows: the conditions of a query of them alone, whose
                              ** source is this one; and-ed to `on`.  NULL: nothing */
  struct rille_join *next;
} rille_join;

/* One assignment of an insert or update. */
typedef struct rille_set {
  rille_str name;
  rille_node *value;
  const rille_column *column; /* set by resolve */
  struct rille_set *next;
} rille_set;

/* What a select keeps others from doing with its rows until the transaction ends, and what it does where another has
** locked a row. */
typedef enum rille_lock { RILLE_LOCK_NONE, RILLE_LOCK_UPDATE, RILLE_LOCK_SHARE, RILLE_LOCK_TOTAL } rille_lock;
typedef enum rille_lock_wait {
  RILLE_LOCK_AWAITS,
  RILLE_LOCK_SKIPS,
  RILLE_LOCK_FAILS,
  RILLE_LOCK_WAITS
} rille_lock_wait;

typedef enum rille_verb { RILLE_SELECT, RILLE_INSERT, RILLE_UPDATE, RILLE_DELETE } rille_verb;

typedef enum rille_conflict { RILLE_CONFLICT_FAILS, RILLE_CONFLICT_IGNORED, RILLE_CONFLICT_UPDATES } rille_conflict;

/* A statement.  What does not apply to a verb is empty. */
typedef struct rille_query {
  rille_verb verb;
  rille_source source;
  bool distinct;
  bool union_all;
  bool unfiltered;     /* an update or delete without a condition is meant */
  bool joined;         /* the scopes of a join, which may call its table by the table's own name too */
  rille_node *outputs; /* none: all columns of `source` */
  rille_join *joins;
  rille_node *sealed; /* what scopes demand; and-ed outside of `where`, so that no OR escapes it */
  rille_node *where;
  rille_node *groups;
  rille_node *having;
  rille_node *orders;         /* TERM and RAW nodes */
  rille_node *limit, *offset; /* VALUE nodes */
  rille_node *per;            /* COLUMN nodes: the limits count among the rows that are alike in these */
  bool lateral;               /* ... which an index has in order: they are read along it */
  rille_lock lock;
  rille_lock_wait lock_wait;
  struct rille_query *unions; /* linked by `next` */
  struct rille_query *next;
  rille_node *aggregate; /* a CALL over one output: the statement yields this one value */
  rille_set *sets;       /* insert, update */
  uint32_t rows;         /* that an insert gives, 0 for one: all sets are VALUEs then, and the slots of each row's
                         ** values stand behind those of the row before */
  rille_conflict conflict;
  rille_node *conflict_columns; /* COLUMN nodes */
  rille_str conflict_where;     /* SQL of the schema: which rows the unique index of these columns covers; none: all */
  rille_set *conflict_sets;     /* COLUMN nodes as values take the refused row's value */
  rille_node *returning;        /* COLUMN nodes */
} rille_query;

/* Makes a node of the kind in the arena; NULL when memory ran out. */
static inline rille_node *
rille_node_new(rille_arena *arena, rille_node_kind kind)
{
  rille_node *node = rille_arena_get(arena, sizeof *node);

  if (node != NULL)
    node->kind = kind;
  return node;
}

/* How many nodes are linked from `first`. */
size_t rille_node_count(const rille_node *first);

#endif
