/* core/run/outbox_recall.c - what a file says of its mirrors, read when it is opened: so nobody bypasses its outbox. */
#include "core/run/aside.h"
#include "core/run/outbox.h"

/* The tables that its mirrors want, together; none for all of them. */
struct wish {
  rille_arena arena;
  rille_str *tables;
  size_t count, room;
  bool mirrored, all;
};

static void
add_table(struct wish *wish, rille_str name)
{
  for (size_t i = 0; i < wish->count; i++)
    if (rille_str_equal(wish->tables[i], name))
      return;
  if (wish->count == wish->room) {
    rille_str *more = rille_arena_get(&wish->arena, (wish->room * 2 + 8) * sizeof *more);

    if (more == NULL)
      return;
    for (size_t i = 0; i < wish->count; i++)
      more[i] = wish->tables[i];
    wish->tables = more;
    wish->room = wish->room * 2 + 8;
  }
  wish->tables[wish->count++] = rille_arena_copy(&wish->arena, name);
}

/* A mirror's list has a line for each name; NULL is all. */
static void
add_list(struct wish *wish, const rille_cell *list)
{
  rille_str rest = list->as.text;

  wish->mirrored = true;
  if (list->kind == RILLE_NULL) {
    wish->all = true;
    return;
  }
  while (rest.len > 0) {
    const char *end = memchr(rest.at, '\n', rest.len);
    size_t len = end != NULL ? (size_t)(end - rest.at) : rest.len;

    add_table(wish, (rille_str){ rest.at, len });
    rest = end != NULL ? (rille_str){ end + 1, rest.len - len - 1 } : (rille_str){ 0 };
  }
}

static rille_status
read_wish(rille_connection *connection, struct wish *wish, rille_fault *fault)
{
  rille_statement *statement = NULL;
  bool row = false;
  rille_status status = connection->conn->driver->has_table(connection->conn, "rille_mirrors", &row, fault);

  if (status != RILLE_OK || !row)
    return status;
  status = rille_aside_start(connection, "select \"tables\" from \"rille_mirrors\"", NULL, 0, &statement, fault);

  while (status == RILLE_OK && row) {
    rille_cell list;

    status = rille_aside_next(connection, statement, &list, &row, fault);
    if (status == RILLE_OK && row)
      add_list(wish, &list);
  }
  rille_connection_release(statement);
  return status == RILLE_OK && !rille_arena_ok(&wish->arena) ? rille_fault_no_memory(fault) : status;
}

rille_status
rille_outbox_remember(rille_connection *connection, rille_fault *fault)
{
  struct wish wish = { .count = 0 };
  rille_status status;

  rille_arena_init(&wish.arena);
  status = read_wish(connection, &wish, fault);
  if (status == RILLE_OK && wish.mirrored)
    status = rille_outbox_start(connection, wish.tables, wish.all ? 0 : wish.count, fault);
  else if (status == RILLE_OK)
    rille_outbox_stop(connection);
  rille_arena_release(&wish.arena);
  return status;
}
