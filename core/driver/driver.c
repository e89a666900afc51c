/* core/driver/driver.c - the drivers there are. */
#include "core/driver/driver.h"

const rille_driver *
rille_driver_named(rille_str name)
{
  static const rille_driver *const drivers[] = { &rille_driver_sqlite, &rille_driver_postgres };

  for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
    if (rille_str_is(name, drivers[i]->name))
      return drivers[i];
  return NULL;
}
