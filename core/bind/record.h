/* core/bind/record.h - one row as a Lua object: a packed copy of the row, decoded when read, with changes laid over it. */
#ifndef RILLE_BIND_RECORD_H
#define RILLE_BIND_RECORD_H

#include <lua.h>

#include "core/bind/source.h"

/* User values of a record. */
enum {
  RILLE_RECORD_STATE = 1,      /* table: changed columns under their names, in the form rille_type_present gives, and ... */
  RILLE_RECORD_ORIGIN = 2,     /* table of the result that the record came in; see row.c */
  RILLE_RECORD_VALUES = 2
};

/* ... under these positions of the state table what else belongs to the record. */
enum {
  RILLE_STATE_ROW = 1,         /* anchors a packed row that replaced the first one */
  RILLE_STATE_PREVIOUS = 2,    /* what the last save wrote */
  RILLE_STATE_DECODED = 3,     /* values that Lua decoded: column -> value */
  RILLE_STATE_EXTRA = 4        /* relations and the like */
};

/* Positions of the origin table. */
enum {
  RILLE_ORIGIN_NAMES = 1,      /* column name -> position, of the result's layout */
  RILLE_ORIGIN_LAYOUT = 2      /* anchors the layout */
};

typedef union rille_packed_slot {
  int64_t integer;
  double real;
  struct { uint32_t at, len; } text;    /* from the start of the bytes */
} rille_packed_slot;

/* A row in one block: slots, then one kind a column, then the bytes of all texts. */
typedef struct rille_packed {
  uint32_t count;
  uint32_t bytes_at;                    /* from the start of the block */
  rille_packed_slot slots[];
} rille_packed;

typedef struct rille_lua_record {
  const void *tag;                      /* says that it is one */
  rille_lua_source *source;             /* kept alive by the record's metatable */
  const rille_layout *layout;           /* the source's, or one that the origin keeps alive */
  const rille_packed *row;              /* NULL for a record that was never saved */
  bool exists;                          /* in the database, as far as is known */
  bool state;                           /* has a state table */
} rille_lua_record;

/* Bytes that a packed row of these cells takes. */
size_t rille_packed_size(const rille_cell *cells, size_t count);

/* Packs the cells into `to`, which has rille_packed_size bytes and is aligned for any object. */
void rille_packed_fill(rille_packed *to, const rille_cell *cells, size_t count);

/* The cell at `position` (from 0); its text lives as long as the row. */
rille_cell rille_packed_cell(const rille_packed *row, size_t position);

/* Pushes the metatable for records of the source at `source`; `record` is the index of { name =, methods =, get =, set =,
** mutated =, pairs =, tostring = }. */
void rille_lua_push_record_meta(lua_State *L, int source, int record);

/* Pushes a record of the source at `source` with the row in `cells`, one a column of `layout`.  `origin` is the index of the
** origin table, or 0 when the layout is the source's own.  `meta` is the index of the metatable. */
void rille_lua_push_record(lua_State *L, rille_lua_source *source, int meta, const rille_layout *layout, int origin,
                           const rille_cell *cells);

/* The record at `index`; raises invalid_argument otherwise. */
rille_lua_record *rille_lua_check_record(lua_State *L, int index);

/* Pushes the source of the record at `index`. */
void rille_lua_push_record_source(lua_State *L, int index);

/* Gives the record at `index` a new row (of its source's whole layout) and a state that is clean but for `previous`: what the
** index `previous` holds (0 for nothing). */
void rille_lua_record_saved(lua_State *L, int index, rille_lua_record *record, const rille_cell *cells, int previous);

/* Adds the functions on records to the module table at the top. */
void rille_lua_add_record(lua_State *L);

#endif
