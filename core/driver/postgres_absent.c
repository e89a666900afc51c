/* core/driver/postgres_absent.c - what stands for the PostgreSQL driver in a build without libpq. */
#include "core/driver/driver.h"

static const char *
absent_version(void)
{
  return "not built in";
}

static rille_status
absent_open(const rille_open_options *options, rille_conn **out, rille_fault *fault)
{
  (void)options;
  (void)out;
  (void)rille_fault_set(fault, RILLE_UNSUPPORTED, "this rille was built without PostgreSQL");
  rille_fault_hint(fault, "install libpq (Debian: libpq-dev) and build it with -DRILLE_POSTGRES=ON");
  return RILLE_UNSUPPORTED;
}

/* Without a connection there is nothing else to call. */
const rille_driver rille_driver_postgres = {
  .name = "postgres",
  .catalog = { "", "", "", "" },
  .version = absent_version,
  .open = absent_open,
};
