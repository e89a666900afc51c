/* core/query/compile.h - a resolved tree -> SQL text, and what to bind in which order. */
#ifndef RILLE_COMPILE_H
#define RILLE_COMPILE_H

#include "core/base/buffer.h"
#include "core/query/dialect.h"

enum { RILLE_SQL_MAX = 1000000 }; /* bytes of one statement */

typedef enum rille_param_form {
  RILLE_PARAM_PLAIN,
  RILLE_PARAM_GLOB, /* a LIKE pattern, to be turned into a GLOB pattern */
  RILLE_PARAM_LIKE, /* a LIKE pattern: what escapes nothing at its end means itself */
  RILLE_PARAM_JSON, /* a scalar, to be written as JSON text */
  RILLE_PARAM_LIST, /* a list, to be written as JSON text */
  RILLE_PARAM_ARRAY /* the same as the literal of an array */
} rille_param_form;

/* The n-th parameter of the text: which value it takes, and as what. */
typedef struct rille_param {
  uint32_t slot;
  rille_param_form form;
  rille_type type;
  rille_str what; /* the place for messages: "posts.views" */
} rille_param;

/* What compiling yields.  Lives in the arena that was given. */
typedef struct rille_compiled {
  rille_str sql;
  size_t param_count;
  rille_param *params;
  bool own; /* SQL of the caller's own stands in it */
} rille_compiled;

/* Compiles a resolved tree; the same shape always gives the same text.  The result, and all that it points to, lives in
** `arena` and borrows nothing from the tree.  invalid_argument or unsupported when the statement cannot be said in this
** dialect; every identifier is quoted, every value is a parameter. */
rille_status rille_compile(const rille_query *query, const rille_dialect *dialect, rille_arena *arena,
                           rille_compiled *compiled, rille_fault *fault);

#endif
