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
  const rille_query *query; /* whose conditions are written: they may mean its outputs; NULL elsewhere */
  int placed;               /* parameters in the text so far */
  bool qualify;             /* columns are written with their table */
  bool unites;              /* the order of a union is written: rows of any of its queries */
  bool assigns;             /* values are written into columns, not compared with them */
  bool own;                 /* SQL of the caller's own stands in the text */
  int negations;            /* how many NOT stand around */
  const rille_node *each;   /* an IN in whose place stands that its column is the key of one record; NULL: none */
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

/* Appends a value as a parameter, which takes it in the form. */
void rille_expression_value(rille_compiler *c, const rille_node *value, rille_param_form form);

/* Appends the mark of the next parameter, which the caller adds. */
void rille_expression_mark(rille_compiler *c);

/* Appends a RAW node; in a condition, what the output of c->query that is called so stands for; in raw.c. */
void rille_raw_write(rille_compiler *c, const rille_node *node);
void rille_raw_output(rille_compiler *c, rille_str name);

/* Appends a part of a comparison: in parentheses unless it is one thing. */
void rille_expression_operand(rille_compiler *c, const rille_node *node);

/* Appends a template of the dialect: the n-th of `items` for $n, and what is known of the type (NULL: nothing) for $p
** $s $d $a $0.  Stops at the mark of the operator, $o, and returns what stands behind it; else NULL. */
const char *rille_expression_template(rille_compiler *c, const char *template, const rille_node *items,
                                      const rille_type *type);

/* Appends a COMPARE that is no sum, an IN, a BETWEEN; in compare.c. */
void rille_compare_write(rille_compiler *c, const rille_node *node);
void rille_compare_in(rille_compiler *c, const rille_node *node);
void rille_compare_between(rille_compiler *c, const rille_node *node);

/* True for a column whose numbers stand there as text: its order as text is another than theirs. */
bool rille_compare_text_number(const rille_node *node);

/* Appends a CALL, and a COMPARE that is a sum; in call.c. */
void rille_call_write(rille_compiler *c, const rille_node *node);
void rille_call_sum(rille_compiler *c, const rille_node *node);

/* Appends a query's conditions; the rows of a query that is no aggregate; in compile.c. */
void rille_compiler_where(rille_compiler *c, const rille_query *query);
void rille_compiler_rows(rille_compiler *c, const rille_query *query);

/* Appends select ... having: all but what applies to a union as a whole; limit and offset. */
void rille_compiler_core(rille_compiler *c, const rille_query *query, const rille_node *outputs);
void rille_compiler_limits(rille_compiler *c, const rille_query *query);

/* Limits for each of several records, in per.c.  Has the query any?  Appends the number of a row as an output; the
** whole query.  Appends what stands in the place of an IN, if it is c->each: true then. */
bool rille_per_counts(const rille_query *query);
void rille_per_number(rille_compiler *c, const rille_query *query);
void rille_per_write(rille_compiler *c, const rille_query *query);
bool rille_per_is_each(rille_compiler *c, const rille_node *in);

/* True for a query without order, limits and unions. */
bool rille_compiler_is_plain(const rille_query *query);

/* Appends a statement that writes, without what it returns; in mutation.c. */
void rille_mutation_insert(rille_compiler *c, const rille_query *query);
void rille_mutation_update(rille_compiler *c, const rille_query *query);
void rille_mutation_delete(rille_compiler *c, const rille_query *query);

/* Appends a select; in compile.c. */
void rille_compiler_select(rille_compiler *c, const rille_query *query);

/* The same where only whether there is a row matters. */
void rille_compiler_exists(rille_compiler *c, const rille_query *query);

#endif
