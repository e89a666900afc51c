/* core/driver/sqlite_file.h - what the driver's contract asks of the file that a database is. */
#ifndef RILLE_SQLITE_FILE_H
#define RILLE_SQLITE_FILE_H

#include "core/driver/driver.h"

/* As driver.h says of data_version, moved, path, mark and copy. */
uint32_t rille_sqlite_data_version(rille_conn *base);
bool rille_sqlite_moved(rille_conn *base);
const char *rille_sqlite_path(const rille_conn *base);
rille_file_mark rille_sqlite_mark(const char *path);
rille_status rille_sqlite_copy(rille_conn *to, rille_conn *from, rille_fault *fault);

#endif
