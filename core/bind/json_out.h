/* core/bind/json_out.h - one piece of JSON while it is written: its bytes, and where in the value the writing is. */
#ifndef RILLE_BIND_JSON_OUT_H
#define RILLE_BIND_JSON_OUT_H

#include <lua.h>

#include "core/base/json.h"

enum {
  RILLE_JSON_DEPTH = 100,        /* arrays and objects that may stand inside of one another */
  RILLE_JSON_FIRST_BYTES = 1024, /* are written before memory is asked for */
  RILLE_JSON_STACK = 20          /* Lua stack that each of them may take */
};

/* Where the arguments and helpers of the call stand on the Lua stack. */
enum {
  RILLE_JSON_VALUE = 1,
  RILLE_JSON_WHERE = 2,   /* what messages begin with: a string */
  RILLE_JSON_SHAPE = 3,   /* what tells the shape of a record, see json_record.c; nil: records are refused */
  RILLE_JSON_OPTIONS = 4, /* for the records that the call is about, not for those inside them */
  RILLE_JSON_BOX = 5,     /* owns the memory */
  RILLE_JSON_PLANS = 6,   /* list of the plans that are kept */
  RILLE_JSON_TOP = 6
};

/* One step down: into the element at `index` or, when there is a name, into what has that name (borrowed). */
typedef struct rille_json_step {
  rille_str name;
  lua_Integer index;
} rille_json_step;

enum { RILLE_JSON_PLANS_KEPT = 8 };

/* Lives on the C stack of the call; an error may leave it at any moment, for the box owns all that it owns. */
typedef struct rille_json_out {
  char *at;
  size_t len, size;
  struct rille_json_box *box;
  int depth; /* steps taken */
  rille_json_step steps[RILLE_JSON_DEPTH];
  int open_count;
  const void *open[RILLE_JSON_DEPTH + 1]; /* tables and records that are being written, the outermost first */
  int tables_from;                        /* where in `open` the tables behind the innermost record begin */
  int record;                             /* stack index of the outermost record; 0: none is being written */
  int record_depth;                       /* steps above it */
  const void *plans[RILLE_JSON_PLANS_KEPT];
  int plan_count; /* made so far: the next one takes the place of the oldest */
  char first[RILLE_JSON_FIRST_BYTES];
} rille_json_out;

/* Begins: pushes the box, which takes the memory back when the call ends, however it does. */
void rille_json_begin(lua_State *L, rille_json_out *out);

/* Makes room for `more` bytes.  Raises out_of_memory. */
void rille_json_grow(lua_State *L, rille_json_out *out, size_t more);

/* Makes sure of room for `more` bytes and returns where they go. */
static inline char *
rille_json_room(lua_State *L, rille_json_out *out, size_t more)
{
  if (more > out->size - out->len)
    rille_json_grow(L, out, more);
  return out->at + out->len;
}

/* What was written since rille_json_room ends here. */
static inline void
rille_json_end(rille_json_out *out, const char *end)
{
  out->len = (size_t)(end - out->at);
}

/* Writes one byte. */
static inline void
rille_json_byte(lua_State *L, rille_json_out *out, char byte)
{
  *rille_json_room(L, out, 1) = byte;
  out->len++;
}

/* Writes text that is JSON already. */
void rille_json_plain(lua_State *L, rille_json_out *out, rille_str text);

/* Writes a text in quotes; refuses what is no UTF-8. */
void rille_json_quoted(lua_State *L, rille_json_out *out, rille_str text);

/* Writes bytes as base64, an integer, a number; refuses NaN and what is infinite. */
void rille_json_bytes(lua_State *L, rille_json_out *out, rille_str bytes);
void rille_json_whole(lua_State *L, rille_json_out *out, int64_t integer);
void rille_json_number(lua_State *L, rille_json_out *out, double real);

/* True when the record is being written: it would contain itself. */
bool rille_json_record_is_open(const rille_json_out *out, const void *record);

/* True when the table is being written, with no record between: a list may stand again in one of its records, for a
** record is written once at most. */
bool rille_json_table_is_open(const rille_json_out *out, const void *table);

/* Begins and ends a table or a record. */
static inline void
rille_json_open(rille_json_out *out, const void *object)
{
  out->open[out->open_count++] = object; /* there is room: each is a step below the one before */
}

static inline void
rille_json_close(rille_json_out *out)
{
  out->open_count--;
}

/* Steps down, to a name or an index; refuses what is too deep.  `out->depth--` steps up. */
void rille_json_into_name(lua_State *L, rille_json_out *out, rille_str name);
void rille_json_into_index(lua_State *L, rille_json_out *out, lua_Integer index);

/* Raises invalid_argument: the place, then the formatted problem.  `hint` may be NULL.  Never returns. */
int rille_json_refuse(lua_State *L, rille_json_out *out, const char *hint, const char *problem, ...)
  __attribute__((format(printf, 4, 5)));

/* Makes the metatable of the box. */
void rille_json_add_box(lua_State *L);

#endif
