/* spec/driver/sqlite_test.c - SQLite keeps the contract of driver.h. */
#include "spec/driver/contract.h"

#include <stdio.h>

#include "spec/support/temporary.h"

static void
new_file(char *name, size_t size)
{
  char path[SPEC_PATH_BYTES];

  spec_new_path(path);
  (void)snprintf(name, size, "%s", path);
}

int
main(void)
{
  static const contract_subject sqlite = {
    .driver = &rille_driver_sqlite,
    .new_database = new_file,
    .key = "INTEGER PRIMARY KEY",
    .integer = "INTEGER",
    .real = "REAL",
    .text = "TEXT",
    .blob = "BLOB",
    .one_writer = true,
    .counts_ids = true,
    .copies = true,
    .endless = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n",
  };

  return contract_run(&sqlite);
}
