/* core/bind/condition.h - the conditions of a query. */
#ifndef RILLE_BIND_CONDITION_H
#define RILLE_BIND_CONDITION_H

#include "core/bind/chain.h"

/* Number of the operator called `text`; raises invalid_argument with the nearest one when there is none. */
size_t rille_condition_operator(rille_chain *r, rille_str text);

/* a operator b */
rille_node *rille_condition_compare(rille_chain *r, rille_node *a, size_t operator, rille_node * b);

/* A CALL of the function over arguments linked from `first`. */
rille_node *rille_condition_call(rille_chain *r, rille_function function, rille_node *first);

/* What the query at `position` of the node gives, by the two operands behind it: an aggregate ("count" ...) over a
** column (false: all rows), or with "exists" whether it has a row. */
rille_node *rille_condition_query(rille_chain *r, int node, int position);

/* A CALL of the aggregate called `text`; raises invalid_argument when there is none. */
rille_node *rille_condition_aggregate(rille_chain *r, rille_str text, rille_node *of);

/* Puts the condition that the node says in front of what was found; false when it says none. */
bool rille_condition_add(rille_chain *r, int node, rille_op kind, rille_found *found);

/* The conditions found, as SQL reads them: "a, or b, c" is a or (b and c).  NULL for none. */
rille_node *rille_condition_join(rille_chain *r, const rille_joined *entries);

#endif
