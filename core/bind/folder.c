/* core/bind/folder.c - SQLite's locks belong to an open file, so they cannot tell who is about to open or remove one:
** that is what the lock of the folder is for. */
#include "core/bind/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 + 1, PAUSE_MS = 2 };

static int
open_folder(const char *path)
{
  char folder[PATH_BYTES];
  const char *slash = strrchr(path, '/');
  size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

  if (len >= sizeof folder) {
    errno = ENAMETOOLONG;
    return -1;
  }
  (void)snprintf(folder, sizeof folder, "%.*s", len > 0 ? (int)len : 1, len > 0 ? path : ".");
  return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
rille_folder_lock(const char *path, bool alone, int wait_ms, int *lock)
{
  const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
  int folder = open_folder(path), code = 0;

  while (folder >= 0 && flock(folder, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    code = errno;
    if (code != EWOULDBLOCK && code != EINTR)
      break;
    if (wait_ms <= 0) {
      (void)close(folder);
      return false;
    }
    wait_ms -= PAUSE_MS;
    (void)nanosleep(&pause, NULL);
    code = 0;
  }
  if (folder >= 0 && code != 0) {
    (void)close(folder);
    folder = -1;
  }
  *lock = folder;
  return true;
}

void
rille_folder_unlock(int lock)
{
  if (lock >= 0)
    (void)close(lock);
}

void
rille_folder_unlink_beside(const char *path)
{
  static const char *const endings[] = { "-wal", "-shm", "-journal" };
  char beside[PATH_BYTES + sizeof "-journal"];

  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
    if (snprintf(beside, sizeof beside, "%s%s", path, endings[i]) < (int)sizeof beside)
      (void)unlink(beside);
}

int
rille_folder_sync(const char *path)
{
  int folder = open_folder(path), code = folder < 0 || fsync(folder) != 0 ? errno : 0;

  if (folder >= 0)
    (void)close(folder);
  return code == EINVAL || code == EACCES ? 0 : code; /* some file systems and folders do not let anybody say so */
}
