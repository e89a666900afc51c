/* core/run/mirror_retire.c - rows of a database that is no more, under a name that no database has. */
#include <stdio.h>

#include "core/base/shown.h"
#include "core/run/aside.h"
#include "core/run/mirror_ledger.h"

rille_status
rille_mirror_each_table(const rille_mirror *mirror, rille_mirror_each each, const rille_cell *data, rille_fault *fault)
{
  static const char sql[] =
    "select t.name as name, c.name as whose from \"rille_mirror_tables\" as t, pragma_table_info(t.name) as c "
    "where lower(c.name) in ('source', 'mirror_source') and c.pk = 1 and t.name > ? order by t.name limit 1";
  rille_cell cells[2] = { rille_cell_text(rille_str_of("")) };
  rille_arena arena;
  bool found = true;
  rille_status status = RILLE_OK;

  rille_arena_init(&arena);
  while (status == RILLE_OK && found) {
    status = rille_aside_row(mirror->target, sql, cells, 1, &arena, cells, 2, &found, fault);
    if (status == RILLE_OK && found) {
      const rille_mirror_table table = { .name = cells[0].as.text, .whose = cells[1].as.text.at };

      status = each(mirror, &table, &arena, data, fault);
    }
  }
  rille_arena_release(&arena);
  return status;
}

/* data: the name before, and the new one */
static rille_status
rename_rows(const rille_mirror *mirror, const rille_mirror_table *table, rille_arena *arena, const rille_cell *data,
            rille_fault *fault)
{
  return rille_mirror_table_rename(mirror->target, table, arena, data, fault);
}

/* The first name of its kind that is free. */
static rille_status
free_name(const rille_mirror *mirror, char *name, size_t bytes, rille_fault *fault)
{
  bool found = true;
  rille_status status = RILLE_OK;

  for (int i = 1; status == RILLE_OK && found; i++) {
    rille_cell value, one;
    rille_arena none;

    (void)snprintf(name, bytes, "%.*s~%d", RILLE_STR_ARG(mirror->source_name), i);
    value = rille_cell_text(rille_str_of(name));
    rille_arena_init(&none);
    status = rille_aside_row(mirror->target, "select 1 from \"rille_mirror_ledger\" where \"source\" = ?", &value, 1,
                             &none, &one, 1, &found, fault);
  }
  return status;
}

rille_status
rille_mirror_retire(const rille_mirror *mirror, rille_fault *fault)
{
  char name[256];
  rille_cell names[2] = { rille_cell_text(mirror->source_name) };
  rille_status status = free_name(mirror, name, sizeof name, fault);

  names[1] = rille_cell_text(rille_str_of(name));
  if (status == RILLE_OK)
    status = rille_mirror_each_table(mirror, rename_rows, names, fault);
  if (status == RILLE_OK)
    status = rille_aside_run(mirror->target, "update \"rille_mirror_failed\" set \"source\" = ?2 where \"source\" = ?1",
                             names, 2, fault);
  if (status == RILLE_OK)
    status = rille_aside_run(mirror->target, "update \"rille_mirror_ledger\" set \"source\" = ?2 where \"source\" = ?1",
                             names, 2, fault);
  return status;
}
