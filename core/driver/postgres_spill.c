/* core/driver/postgres_spill.c - a row of a stream that was taken out of the way of another statement: of each column
** four bytes of length (-1: NULL), its bytes and a NUL. */
#include <string.h>

#include "core/driver/postgres_stmt.h"

static size_t
row_bytes(const PGresult *rows, int at, int columns)
{
  size_t bytes = 0;

  for (int i = 0; i < columns; i++)
    bytes += sizeof(int) + (PQgetisnull(rows, at, i) ? 0 : (size_t)PQgetlength(rows, at, i) + 1);
  return bytes;
}

rille_status
rille_postgres_spill_row(rille_spill *spill, const PGresult *rows, int at)
{
  int columns = PQnfields(rows);
  char *to;
  rille_status status = rille_spill_put(spill, row_bytes(rows, at, columns), &to);

  for (int i = 0; i < columns && status == RILLE_OK; i++) {
    int length = PQgetisnull(rows, at, i) ? -1 : PQgetlength(rows, at, i);

    memcpy(to, &length, sizeof length);
    if (length >= 0)
      memcpy(to + sizeof length, PQgetvalue(rows, at, i), (size_t)length + 1); /* libpq puts a NUL behind each */
    to += sizeof length + (length >= 0 ? (size_t)length + 1 : 0);
  }
  return status;
}

const char *
rille_postgres_spilled_value(const char *row, int column, size_t *length)
{
  for (int i = 0;; i++) {
    int bytes;

    memcpy(&bytes, row, sizeof bytes);
    row += sizeof bytes;
    if (i == column) {
      *length = bytes >= 0 ? (size_t)bytes : 0;
      return bytes >= 0 ? row : NULL;
    }
    row += bytes >= 0 ? (size_t)bytes + 1 : 0;
  }
}
