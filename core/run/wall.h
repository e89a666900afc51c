/* core/run/wall.h - whose rows the database itself lets the statements of a connection see, behind all that is compiled
** into them. */
#ifndef RILLE_WALL_H
#define RILLE_WALL_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/driver/driver.h"

/* `tried` and `generation` are whoever's who finds out whether the database really keeps tenants apart. */
typedef struct rille_wall {
  rille_buffer tenant, everybody; /* as rille_driver.whose takes them */
  int64_t tried;                  /* 0: never */
  uint64_t generation;            /* of the driver's connection, then */
  bool trying;
  bool lifted; /* of every table all rows are meant, whatever was set */
} rille_wall;

/* A wall that shows nobody's rows; NULL when memory ran out.  rille_wall_free takes NULL. */
rille_wall *rille_wall_new(void);
void rille_wall_free(rille_wall *wall);

/* From here on statements begin as the tenant, of whom a copy is kept. */
rille_status rille_wall_set(rille_wall *wall, rille_str tenant, rille_str everybody, rille_fault *fault);

/* Says to a statement that is about to run what was set last: it holds for the whole of that run.  The arena is that of
** the run. */
rille_status rille_wall_stand(rille_wall *wall, rille_stmt *stmt, rille_arena *arena, rille_fault *fault);

#endif
