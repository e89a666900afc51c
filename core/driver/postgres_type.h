/* core/driver/postgres_type.h - values: a cell to what a parameter takes, and what a column gives to a cell. */
#ifndef RILLE_POSTGRES_TYPE_H
#define RILLE_POSTGRES_TYPE_H

#include <endian.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/cell.h"
#include "core/base/status.h"
#include "core/driver/postgres_time.h"

enum { RILLE_POSTGRES_DECLARED_BYTES = 32 }; /* "timestamp without time zone", "numeric(1000,999)" */

/* A type, by what is done with its values. */
typedef enum rille_postgres_form {
  RILLE_PG_OTHER = 0, /* as the server prints it */
  RILLE_PG_BOOL,
  RILLE_PG_INT2,
  RILLE_PG_INT4,
  RILLE_PG_INT8,
  RILLE_PG_OID,
  RILLE_PG_FLOAT4,
  RILLE_PG_FLOAT8,
  RILLE_PG_NUMERIC,
  RILLE_PG_SUM,  /* a numeric that an expression makes: one without digits behind the point is an integer */
  RILLE_PG_TEXT, /* and all that is sent as its bytes */
  RILLE_PG_BYTEA,
  RILLE_PG_DATE,
  RILLE_PG_TIMESTAMP,
  RILLE_PG_UUID,
  RILLE_PG_JSONB
} rille_postgres_form;

/* What is known of the type with this object id; _OTHER for those of users and the rarer ones. */
rille_postgres_form rille_postgres_form_of(unsigned oid);

/* What CREATE TABLE would say: "bigint", "character varying(40)".  Empty for _OTHER, and, when `expression` says that
** it comes from no table column, for numbers and texts. */
void rille_postgres_declare(unsigned oid, int typmod, bool expression, char declared[RILLE_POSTGRES_DECLARED_BYTES]);

/* How a cell is sent: in one of libpq's two formats.  The bytes are the cell's own, or in `room`, or in the arena. */
typedef struct rille_postgres_value {
  const char *bytes; /* NULL: NULL */
  int length, format;
  char room[32];
} rille_postgres_value;

/* Gives what a parameter of this form takes of the cell; what fits no better goes as text, for the server to judge.
** `no memory` is the only failure. */
rille_status rille_postgres_give(rille_postgres_form form, const rille_cell *cell, rille_arena *arena,
                                 rille_postgres_value *value, rille_fault *fault);

/* -- postgres_take.c --------------------------------------------------------------------------------------- */

/* A column of a result.  Zeroed at first. */
typedef struct rille_postgres_column {
  rille_postgres_form form;
  char declared[RILLE_POSTGRES_DECLARED_BYTES];
  rille_postgres_written written;
} rille_postgres_column;

/* Reads `length` bytes of the column that came in `binary` or text format.  What must be made lives in the arena, or in
** the column until the next value of it is read; the rest is borrowed.  Fails when memory runs out, or with what cannot
** be read. */
rille_status rille_postgres_take(rille_postgres_column *column, bool binary, const char *bytes, size_t length,
                                 rille_arena *arena, rille_cell *cell, rille_fault *fault);

/* The same for texts, bigints and moments, which most values are: true when it was one. */
static inline bool
rille_postgres_take_common(rille_postgres_column *column, bool binary, const char *bytes, size_t length,
                           rille_cell *cell)
{
  uint64_t number; /* its greatest byte first */

  if (column->form == RILLE_PG_TEXT) {
    *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = { bytes, length } };
    return true;
  }
  if (!binary || length != sizeof number || (column->form != RILLE_PG_INT8 && column->form != RILLE_PG_TIMESTAMP))
    return false;
  memcpy(&number, bytes, sizeof number);
  number = be64toh(number);
  if (column->form == RILLE_PG_INT8)
    *cell = (rille_cell){ .kind = RILLE_INT, .as.integer = (int64_t)number };
  else
    *cell = (rille_cell){ .kind = RILLE_TEXT, .as.text = rille_postgres_moment((int64_t)number, &column->written) };
  return true;
}

#endif
