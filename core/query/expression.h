/* core/query/expression.h - the parts of a statement that are values and conditions, as SQL text. */
#ifndef RILLE_EXPRESSION_H
#define RILLE_EXPRESSION_H

#include "core/query/compile.h"

/* A statement being written.  The first failure is kept in `status`; writing goes on and comes to nothing. */
typedef struct rille_compiler {
  rille_buffer sql;
  rille_buffer params; /* of rille_param */
  const rille_dialect *dialect;
  rille_arena *arena;
  rille_fault *fault;
  rille_status status;
  bool qualify;  /* columns are written with their table */
  bool assigns;  /* values are written into columns, not compared with them */
  int negations; /* how many NOT stand around */
} rille_compiler;

/* Appends text as it is. */
void rille_compiler_put(rille_compiler *c, const char *text);

/* Appends an identifier in quotes, with quotes in it doubled. */
void rille_compiler_quote(rille_compiler *c, rille_str name);

/* The name under which the statement reads the source. */
void rille_compiler_name(rille_compiler *c, const rille_source *source);

/* Notes a failure, unless there is one already. */
void rille_compiler_fail(rille_compiler *c, rille_status kind, const char *message);

/* Appends a node (nothing for NULL), with its alias if it has one. */
void rille_expression_write(rille_compiler *c, const rille_node *node);

/* Appends a node as part of a larger condition: in parentheses where what stands around could tear it apart. */
void rille_expression_part(rille_compiler *c, const rille_node *node);

/* Appends nodes linked from `first`, with commas between them. */
void rille_expression_list(rille_compiler *c, const rille_node *first);

/* Appends a node in whose place values are put in order, grouped or compared. */
void rille_expression_ordered(rille_compiler *c, const rille_node *node);

/* Appends a column, with its table where the statement qualifies names. */
void rille_expression_column(rille_compiler *c, const rille_node *node);

/* Appends a select; in compile.c. */
void rille_compiler_select(rille_compiler *c, const rille_query *query);

/* The same where only whether there is a row matters. */
void rille_compiler_exists(rille_compiler *c, const rille_query *query);

#endif
