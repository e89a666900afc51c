/* core/query/declared.h - which type a column has, from what CREATE TABLE and casts say. */
#ifndef RILLE_DECLARED_H
#define RILLE_DECLARED_H

#include "core/query/type.h"

/* The type of a name as casts and descriptions give it ("boolean", "decimal:2"); RILLE_TYPE_COUNT when unknown. */
rille_type rille_type_from_name(rille_str name);

/* The type of a column from what its CREATE TABLE says ("VARCHAR(40)", "DECIMAL(10,2)"); ANY when nothing fits. */
rille_type rille_type_from_declared(rille_str declared);

/* The type of a column from what its CREATE TABLE says and the name of a cast over it (no text for none).  The cast
** says how values read, the column in which form they are kept; `exact`: the database keeps every digit of a decimal.
** RILLE_TYPE_COUNT when there is no such cast. */
rille_type rille_type_of_column(rille_str declared, rille_str cast, bool exact);

#endif
