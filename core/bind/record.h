/* core/bind/record.h - one row as a Lua object: a packed copy of the row, decoded when read, with changes laid over
** it. */
#ifndef RILLE_BIND_RECORD_H
#define RILLE_BIND_RECORD_H

#include <lauxlib.h>

#include "core/bind/packed.h"
#include "core/bind/source.h"

/* User values of a record. */
enum {
  RILLE_RECORD_STATE = 1,  /* table: changed columns under their names, in the form rille_type_present gives, and ...
                           ** In its place, as long as there is nothing else, what RILLE_STATE_RELATIONS would hold:
                           ** with() gives relations to a hundred thousand records, of which few are changed. */
  RILLE_RECORD_ORIGIN = 2, /* table of the result that the record came in; see row.c */
  RILLE_RECORD_VALUES = 2
};

/* ... under these positions of the state table what else belongs to the record. */
enum {
  RILLE_STATE_ROW = 1,      /* anchors a packed row that replaced the first one */
  RILLE_STATE_PREVIOUS = 2, /* what the last save wrote */
  RILLE_STATE_DECODED = 3,  /* values that Lua decoded: column -> value */
  RILLE_STATE_EXTRA = 4,    /* what the record hides or shows, other than its model */
  RILLE_STATE_RELATIONS = 5 /* relations that were loaded: name -> record, list, plain table; false: there is none; at
                             ** RILLE_RELATIONS_MARK under which view of the rows, where that matters */
};

enum { RILLE_RELATIONS_MARK = 1 };

/* Positions of the origin table. */
enum {
  RILLE_ORIGIN_NAMES = 1,   /* column name -> position, of the result's layout */
  RILLE_ORIGIN_LAYOUT = 2,  /* anchors the layout */
  RILLE_ORIGIN_BATCH = 3,   /* all records of the result, weak, and `n`, how many they were */
  RILLE_ORIGIN_CHILDREN = 4 /* relation -> the list of all that it loaded for the result: kept as long as its parents */
};

typedef struct rille_lua_record {
  const void *tag;            /* says that it is one */
  rille_lua_source *source;   /* kept alive by the record's metatable */
  const rille_layout *layout; /* the source's, or one that the origin keeps alive */
  const rille_packed *row;    /* NULL for a record that was never saved */
  bool exists;                /* in the database, as far as is known */
  bool state;                 /* has a state table */
  bool related;               /* has none, but relations in its place */
} rille_lua_record;

/* Pushes the metatable for records of the source at `source`; `record` is the index of { name =, methods =, get =,
** set =, mutated =, pairs =, tostring = }. */
void rille_lua_push_record_meta(lua_State *L, int source, int record);

/* Pushes a record of the source at `source` with the row in `cells`, one a column of `layout`.  `origin` is the
** index of the origin table, or 0 when the layout is the source's own.  `meta` is the index of the metatable. */
void rille_lua_push_record(lua_State *L, rille_lua_source *source, int meta, const rille_layout *layout, int origin,
                           const rille_cell *cells);

/* The record at `index`; raises invalid_argument otherwise. */
rille_lua_record *rille_lua_check_record(lua_State *L, int index);

/* Pushes the source of the record at `index`. */
void rille_lua_push_record_source(lua_State *L, int index);

/* Gives the record at `index` a new row, of that layout, and a state that is clean but for `previous`: what the index
** `previous` holds (0 for nothing).  The layout is the source's, or the one that the record has. */
void rille_lua_record_saved(lua_State *L, int index, rille_lua_record *record, const rille_layout *layout,
                            const rille_cell *cells, int previous);

/* The record's row with other values in place, in its own layout, so that what a query computed beside the columns
** stays: `columns` by the table's columns, those that are `given` (NULL: all) or generated.  False when the row is a
** part of the table's and nothing more, or lacks a column that is given; `merged` has room for the layout's cells. */
bool rille_lua_record_merge(const rille_lua_record *record, const rille_cell *columns, const bool *given,
                            rille_cell *merged);

/* Pushes a record of the source at `at` that is not in the database. */
void rille_lua_push_new_record(lua_State *L, int at);

/* True when the value at `index` is a record. */
bool rille_lua_is_record(lua_State *L, int index);

/* Position, from 0, of the column of that name in the record's row; -1 when the row has none.  An output of the
** query that has such a name but reads something else is no column of the record. */
int rille_lua_record_position(const rille_lua_record *record, rille_str name);

/* Pushes the column at a position, from 0, of the record's row as a person reads it; nil for a record without a row. */
void rille_lua_push_record_column(lua_State *L, const rille_lua_record *record, int position);

/* Pushes the value of a column of the record at `index` as it stands, changes included, past all that Lua decodes; nil
** for NULL.  `key` is the index of the column's name.  Raises missing_attribute when the record was read without it. */
void rille_lua_push_record_value(lua_State *L, int index, const rille_lua_record *record, int key);

/* Pushes the state table of the record at `index`, made when there is none yet. */
void rille_lua_push_state(lua_State *L, int index, rille_lua_record *record);

/* Puts the table at the top, which it takes off, in place of the state of the record at `index`; decoded values and
** relations stay. */
void rille_lua_replace_state(lua_State *L, int index, rille_lua_record *record);

/* Writes the value at `value` into the column, whose name is at `key`, of the record at 1, whose state is at `state`
** (all absolute).  Raises invalid_argument when the column does not take it. */
void rille_lua_record_put(lua_State *L, rille_lua_record *record, const rille_column *column, int key, int value,
                          int state);

/* __newindex(record, key, value); upvalues: names, mutated, set.  Of the metatable that rille_lua_push_record_meta
** pushes. */
int rille_lua_record_newindex(lua_State *L);

/* Pushes the relations that were loaded of the record at `index`, as far as they fit the view of the rows that the
** coroutine has now; false, with nothing pushed, when there are none. */
bool rille_lua_push_relations(lua_State *L, int index, const rille_lua_record *record);

/* What record_relation.c has for the module table. */
extern const luaL_Reg rille_lua_relation_functions[];

/* Adds the functions on records to the module table at the top. */
void rille_lua_add_record(lua_State *L);

#endif
