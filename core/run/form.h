/* core/run/form.h - values in the form that a parameter takes them in: core/query/compile.h names the forms. */
#ifndef RILLE_FORM_H
#define RILLE_FORM_H

#include "core/run/statement.h"

/* Turns a value, already what its column keeps, into the form (none of those of a list).  A text that is made lives in
** the arena.  NULL stays NULL. */
rille_status rille_form_give(rille_param_form form, rille_cell *cell, rille_arena *arena, rille_fault *fault);

/* A list as one text, each element as the column of the parameter keeps it. */
rille_status rille_form_list(const rille_param *param, const rille_slot *slot, rille_arena *arena, rille_cell *out,
                             rille_fault *fault);

#endif
