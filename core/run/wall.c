/* core/run/wall.c - keeps whose rows are to be seen, and hands it to each statement when that begins. */
#include "core/run/wall.h"

#include "core/base/memory.h"

enum { TEXT_BYTES_MAX = 1 << 16 };

rille_wall *
rille_wall_new(void)
{
  rille_wall *wall = rille_memory_get(sizeof *wall);

  if (wall != NULL) {
    rille_buffer_init(&wall->tenant, TEXT_BYTES_MAX);
    rille_buffer_init(&wall->everybody, TEXT_BYTES_MAX);
  }
  return wall;
}

void
rille_wall_free(rille_wall *wall)
{
  if (wall == NULL)
    return;
  rille_buffer_release(&wall->tenant);
  rille_buffer_release(&wall->everybody);
  rille_memory_free(wall);
}

static void
put(rille_buffer *buffer, rille_str text)
{
  rille_buffer_clear(buffer);
  rille_buffer_add(buffer, text.at, text.len);
}

rille_status
rille_wall_set(rille_wall *wall, rille_str tenant, rille_str everybody, rille_fault *fault)
{
  wall->lifted = false;
  put(&wall->tenant, tenant);
  put(&wall->everybody, everybody);
  if (wall->tenant.full || wall->everybody.full)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "a tenant's id has more than %d bytes", TEXT_BYTES_MAX);
  if (!rille_buffer_ok(&wall->tenant) || !rille_buffer_ok(&wall->everybody))
    return rille_fault_no_memory(fault);
  return RILLE_OK;
}

rille_status
rille_wall_stand(rille_wall *wall, rille_stmt *stmt, rille_arena *arena, rille_fault *fault)
{
  rille_str tenant = rille_arena_copy(arena, rille_buffer_str(&wall->tenant));
  rille_str everybody = wall->lifted ? rille_str_of("*") : rille_arena_copy(arena, rille_buffer_str(&wall->everybody));

  if (!rille_arena_ok(arena))
    return rille_fault_no_memory(fault);
  stmt->driver->whose(stmt, tenant, everybody);
  return RILLE_OK;
}
