/* core/query/resolve.h - names -> columns: every name in a tree is found in its tables, or refused before any SQL. */
#ifndef RILLE_RESOLVE_H
#define RILLE_RESOLVE_H

#include "core/base/status.h"
#include "core/query/tree.h"

/* Completes the tree: columns of COLUMN nodes and assignments, the column whose type each VALUE takes, and checks
** that the statement can be honoured (no update or delete without a condition unless that is meant). A plain name is
** looked for in the statement's first table, then in the joined ones (in more than one: refused), then in the
** statements around; "table.column" names its source.  Names of outputs serve in having and order by.
** no_such_column, no_such_table, unsafe_mutation or invalid_argument otherwise. */
rille_status rille_resolve(rille_query *query, rille_fault *fault);

#endif
