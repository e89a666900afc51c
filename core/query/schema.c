/* core/query/schema.c - looks columns up. */
#include "core/query/schema.h"

#include <stdatomic.h>
#include <stdio.h>

#include "core/base/name.h"
#include "core/base/shown.h"

const rille_column *
rille_table_column(const rille_table *table, rille_str name)
{
  for (size_t i = 0; i < table->column_count; i++)
    if (rille_str_equal(table->columns[i].name, name))
      return &table->columns[i];
  return NULL;
}

size_t
rille_table_position(const rille_table *table, const rille_column *column)
{
  return (size_t)(column - table->columns);
}

uint64_t
rille_table_next_id(void)
{
  static atomic_uint_fast64_t last;

  return atomic_fetch_add(&last, 1) + 1;
}

rille_status
rille_table_no_column(const rille_table *table, rille_str name, rille_fault *fault)
{
  rille_nearest nearest;

  rille_nearest_init(&nearest, name);
  for (size_t i = 0; i < table->column_count; i++)
    rille_nearest_offer(&nearest, table->columns[i].name);
  (void)rille_fault_set(fault, RILLE_NO_SUCH_COLUMN, "%s has no column \"%s\"", rille_show(table->name).text,
                        rille_show(name).text);
  rille_nearest_hint(&nearest, fault);
  if (fault != NULL) {
    char table_name[128], column_name[128];

    (void)snprintf(table_name, sizeof table_name, "%.*s", RILLE_STR_ARG(table->name));
    (void)snprintf(column_name, sizeof column_name, "%.*s", RILLE_STR_ARG(name));
    rille_fault_place(fault, table_name, column_name, NULL);
  }
  return RILLE_NO_SUCH_COLUMN;
}
