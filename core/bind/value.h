/* core/bind/value.h - values and failures across the Lua border. */
#ifndef RILLE_BIND_VALUE_H
#define RILLE_BIND_VALUE_H

#include <lua.h>

#include "core/base/cell.h"
#include "core/base/status.h"
#include "core/query/type.h"

/* Pushes the sentinel that stands for SQL NULL inside tables. */
void rille_lua_push_null(lua_State *L);

/* True when the value at `index` is that sentinel. */
bool rille_lua_is_null(lua_State *L, int index);

/* Reads the value at `index` (nil and the sentinel are NULL; a table with year, month and day is a local time).
** Texts are borrowed from Lua: the value must stay where it is.  False for values that no database can hold. */
bool rille_lua_to_cell(lua_State *L, int index, rille_cell *cell);

/* The same, with `invalid_argument` raised for what no database can hold; `what` names the place. */
void rille_lua_check_cell(lua_State *L, int index, const char *what, rille_cell *cell);

/* Pushes a cell as a plain Lua value: NULL is nil, text and bytes are strings. */
void rille_lua_push_cell(lua_State *L, const rille_cell *cell);

/* What rille_lua_push_typed does with a value that is not shown as it is kept. */
void rille_lua_push_presented(lua_State *L, rille_type type, const rille_cell *cell, rille_str what, rille_str name);

/* Pushes a cell as a person reads a value of the type; `what` names the table, `name` the column.  Raises `corrupt`
** when what is kept cannot be of the type. */
static inline void
rille_lua_push_typed(lua_State *L, rille_type type, const rille_cell *cell, rille_str what, rille_str name)
{
  if ((type.kind < RILLE_TYPE_BOOLEAN && type.kept == RILLE_KEPT_OWN) || cell->kind == RILLE_NULL)
    rille_lua_push_cell(L, cell);
  else
    rille_lua_push_presented(L, type, cell, what, name);
}

/* Pushes the fault as an error value; `sql` (may be no text) becomes its field. */
void rille_lua_push_error(lua_State *L, const rille_fault *fault, rille_str sql);

/* Raises it.  Never returns. */
int rille_lua_raise(lua_State *L, const rille_fault *fault, rille_str sql);

/* Raises `out_of_memory`.  Never returns. */
int rille_lua_no_memory(lua_State *L);

/* Raises invalid_argument with the formatted message.  Never returns. */
int rille_lua_refuse(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Borrowed text of the string at `index`, which must be one; raises invalid_argument naming `what` otherwise. */
rille_str rille_lua_check_text(lua_State *L, int index, const char *what);

/* Text of a string at `index`; no text for nil or other values.  Borrowed. */
rille_str rille_lua_text(lua_State *L, int index);

/* The userdata at `index` when it is a full one of at least `bytes` whose first pointer is `tag`; NULL otherwise.
** Cheaper than luaL_testudata, for every call checks what it is given. */
void *rille_lua_tagged(lua_State *L, int index, const void *tag, size_t bytes);

/* Adds null, blob, error and what belongs to them to the module table at the top. */
void rille_lua_add_values(lua_State *L);

#endif
