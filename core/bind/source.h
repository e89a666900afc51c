/* core/bind/source.h - a table as queries and records know it: columns with their types, and what its rows become. */
#ifndef RILLE_BIND_SOURCE_H
#define RILLE_BIND_SOURCE_H

#include <lua.h>

#include "core/bind/context.h"
#include "core/run/layout.h"

/* User values of a source. */
enum {
  RILLE_SOURCE_META = 1,      /* metatable of its records; nil: rows become plain tables */
  RILLE_SOURCE_NAMES = 2,     /* column name -> position from 1, of columns that are read without Lua's help */
  RILLE_SOURCE_INDIRECT = 3,  /* set of column names that Lua reads and writes itself (accessors, casts in Lua) */
  RILLE_SOURCE_POSITIONS = 4, /* column name -> position from 1, of all columns */
  RILLE_SOURCE_DEPENDS = 5,   /* column name -> list of the relations that it decides; nil for none */
  RILLE_SOURCE_GUARD = 6,     /* of a guarded table: what lifts that, see tenant.h; or who is asked */
  RILLE_SOURCE_MET = 7,       /* of a table whose rows belong to tenants: see context.h */
  RILLE_SOURCE_VALUES = 7
};

typedef struct rille_lua_source {
  const void *tag; /* says that it is one */
  rille_table table;
  rille_layout *layout;
  rille_arena arena;  /* holds the table's names and columns */
  int rowid;          /* position, from 1, of the column that is the row's id; 0 for none */
  bool records;       /* has a metatable for records ... */
  bool relations;     /* ... which have relations */
  rille_lua_met *met; /* of a table whose rows belong to tenants */
} rille_lua_source;

/* The source at `index`; raises invalid_argument otherwise. */
rille_lua_source *rille_lua_check_source(lua_State *L, int index);

/* Adds `source` to the module table at the top. */
void rille_lua_add_source(lua_State *L);

#endif
