/* core/driver/sqlite_file.c - the file under a connection: which one it is, what was done to it, another one. */
#include "core/driver/sqlite_file.h"

#include <sys/stat.h>

#include "core/driver/sqlite_conn.h"

uint32_t
rille_sqlite_data_version(rille_conn *base)
{
  unsigned version = 0;

  (void)sqlite3_file_control(((rille_sqlite_conn *)base)->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

bool
rille_sqlite_moved(rille_conn *base)
{
  int moved = 0;

  (void)sqlite3_file_control(((rille_sqlite_conn *)base)->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

const char *
rille_sqlite_path(const rille_conn *base)
{
  const char *path = sqlite3_db_filename(((const rille_sqlite_conn *)base)->db, "main");

  return path != NULL ? path : "";
}

/* FNV-1a over numbers. */
static uint64_t
mixed(const uint64_t numbers[], size_t count)
{
  uint64_t hash = 0xcbf29ce484222325;

  for (size_t i = 0; i < count; i++)
    for (int bit = 0; bit < 64; bit += 8)
      hash = (hash ^ (numbers[i] >> bit & 0xFF)) * 0x100000001b3;
  return hash != 0 ? hash : 1;
}

rille_file_mark
rille_sqlite_mark(const char *path)
{
  struct stat info;

  if (path[0] == '\0' || stat(path, &info) != 0)
    return (rille_file_mark){ 0 };
  const uint64_t numbers[] = {
    (uint64_t)info.st_dev,          (uint64_t)info.st_ino,          (uint64_t)info.st_size,
    (uint64_t)info.st_mtim.tv_sec,  (uint64_t)info.st_mtim.tv_nsec, (uint64_t)info.st_ctim.tv_sec,
    (uint64_t)info.st_ctim.tv_nsec,
  };

  return (rille_file_mark){ .file = mixed(numbers, 2), .state = mixed(numbers, sizeof numbers / sizeof numbers[0]) };
}

rille_status
rille_sqlite_copy(rille_conn *to, rille_conn *from, rille_fault *fault)
{
  rille_sqlite_conn *target = (rille_sqlite_conn *)to;
  sqlite3_backup *backup = sqlite3_backup_init(target->db, "main", ((rille_sqlite_conn *)from)->db, "main");
  int code;

  if (backup == NULL)
    return rille_sqlite_fail(target, sqlite3_errcode(target->db), fault);
  rille_sqlite_be_patient(target);
  code = sqlite3_backup_step(backup, -1);
  (void)sqlite3_backup_finish(backup); /* undoes what was not completed */
  return code == SQLITE_DONE ? RILLE_OK : rille_sqlite_fail(target, code, fault);
}
