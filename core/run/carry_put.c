/* core/run/carry_put.c - the insert is run as any other statement of the connection: so what watches over the writes of
** a database (mirrors, its history) sees these, too. */
#include "core/run/carry_put.h"

#include "core/base/shown.h"

/* -- an insert ---------------------------------------------------------------------------------------------- */

static rille_status
prepare_insert(rille_carry_put *put, rille_arena *arena, rille_fault *fault)
{
  const rille_carry *carry = put->carry;
  rille_buffer sql;
  rille_status status;

  put->slots = rille_arena_get(arena, carry->count * sizeof *put->slots);
  if (put->slots == NULL)
    return rille_fault_no_memory(fault);
  rille_buffer_init(&sql, RILLE_SQL_MAX);
  rille_buffer_text(&sql, "insert into ");
  rille_buffer_name(&sql, carry->table);
  for (size_t i = 0; i < carry->count; i++) {
    rille_buffer_text(&sql, i == 0 ? " (" : ", ");
    rille_buffer_name(&sql, carry->columns[i].name);
  }
  for (size_t i = 0; i < carry->count; i++)
    rille_buffer_text(&sql, i == 0 ? ") values (?" : ", ?");
  rille_buffer_text(&sql, ")");
  status = rille_buffer_ok(&sql) ? rille_connection_sql(carry->target, rille_buffer_str(&sql), &put->statement, fault)
                                 : rille_fault_no_memory(fault);
  rille_buffer_release(&sql);
  return status;
}

static rille_status
insert_row(rille_carry_put *put, const rille_cell cells[], rille_fault *fault)
{
  rille_statement *statement = put->statement;
  size_t count = put->carry->count;
  bool row;
  rille_status status;

  for (size_t i = 0; i < count; i++)
    put->slots[i] = (rille_slot){ .cell = cells[i] };
  put->statement = NULL; /* the cursor's, which releases it when it cannot open, too */
  if (statement != NULL)
    status = rille_cursor_open(&put->cursor, put->carry->target, statement, put->slots, count, &put->values, fault);
  else
    status = rille_cursor_again(&put->cursor, put->slots, count, &put->values, fault);
  if (status == RILLE_OK)
    status = rille_cursor_step(&put->cursor, &row, fault);
  put->rows += status == RILLE_OK;
  return status;
}

static void
end_insert(rille_carry_put *put)
{
  rille_connection_release(put->statement);
  put->statement = NULL;
  if (put->cursor.statement != NULL)
    rille_cursor_close(&put->cursor);
}

/* -- either way --------------------------------------------------------------------------------------------- */

rille_status
rille_carry_put_begin(rille_carry_put *put, const rille_carry *carry, rille_arena *arena, rille_fault *fault)
{
  rille_conn *conn = carry->target->conn;
  rille_str *names;
  rille_status status;

  *put = (rille_carry_put){ .carry = carry };
  if (carry->target->depth == 0)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "rows are carried into a database within a transaction");
  rille_arena_init(&put->values);
  put->open = true;
  carry->target->wrote = true;
  if (conn->driver->load == NULL) {
    status = prepare_insert(put, arena, fault);
  } else {
    names = rille_arena_get(arena, carry->count * sizeof *names);
    for (size_t i = 0; i < carry->count && names != NULL; i++)
      names[i] = carry->columns[i].name;
    status = names != NULL ? conn->driver->load(conn, carry->table, names, carry->count, &put->load, fault)
                           : rille_fault_no_memory(fault);
  }
  return status;
}

rille_status
rille_carry_put_row(rille_carry_put *put, const rille_cell cells[], rille_fault *fault)
{
  return put->load != NULL ? put->carry->target->conn->driver->load_row(put->load, cells, fault)
                           : insert_row(put, cells, fault);
}

rille_status
rille_carry_put_end(rille_carry_put *put, rille_status status, rille_fault *fault)
{
  const rille_carry *carry = put->carry;
  bool keep = status == RILLE_OK && carry->misfit_count == 0, loads = put->load != NULL;
  int64_t rows = put->rows;
  rille_fault why = { 0 };
  rille_status ended = RILLE_OK;

  if (loads)
    ended = carry->target->conn->driver->load_end(put->load, keep, &rows, &why);
  end_insert(put);
  rille_arena_release(&put->values);
  put->load = NULL;
  put->open = false;
  if (status == RILLE_OK && ended == RILLE_OK && keep && rows != carry->sum.rows)
    ended = rille_fault_set(&why, RILLE_CHECKSUM_MISMATCH, "%s took %lld of %lld rows", rille_show(carry->table).text,
                            (long long)rows, (long long)carry->sum.rows);
  if (ended != RILLE_OK || !keep)
    rille_connection_failed(carry->target, ended != RILLE_OK ? &why : fault);
  if (!loads && !keep && carry->target->depth > 0)
    rille_connection_spoil(carry->target, fault); /* of the rows before, the database knows no better */
  if (status != RILLE_OK || ended == RILLE_OK)
    return status;
  if (fault != NULL)
    *fault = why;
  return ended;
}
