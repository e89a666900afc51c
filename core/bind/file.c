/* core/bind/file.c - whole files: copied, put in place, removed.  Never one that this process has open as a database:
** closing a file loses the locks that SQLite holds on it. */
#define _GNU_SOURCE /* copy_file_range */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bind/folder.h"
#include "core/bind/system.h"

enum { COPY_BYTES = 64 << 10, PUBLISH_WAIT_MS = 5000 };

static int
push_failure(lua_State *L, const char *path, int code)
{
  lua_pushnil(L);
  (void)lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_pushboolean(L, code == EEXIST);
  return 3;
}

/* file_size(path) -> bytes of a regular file; nil when there is none */
static int
file_size(lua_State *L)
{
  struct stat info;

  if (stat(luaL_checkstring(L, 1), &info) != 0 || !S_ISREG(info.st_mode))
    return 0;
  lua_pushinteger(L, (lua_Integer)info.st_size);
  return 1;
}

/* file_identity(path) -> a text that no other file or folder has, whatever it is called; nil when there is none */
static int
file_identity(lua_State *L)
{
  struct stat info;

  if (stat(luaL_checkstring(L, 1), &info) != 0)
    return 0;
  (void)lua_pushfstring(L, "%I:%I", (LUAI_UACINT)info.st_dev, (LUAI_UACINT)info.st_ino);
  return 1;
}

/* Copies what is left of one file behind the other; 0, or an errno. */
static int
copy_slowly(int from, int to)
{
  static _Thread_local char bytes[COPY_BYTES];
  ssize_t got;

  while ((got = read(from, bytes, sizeof bytes)) != 0) {
    if (got < 0 && errno != EINTR)
      return errno;
    for (ssize_t done = 0; done < got;) {
      ssize_t wrote = write(to, bytes + done, (size_t)(got - done));

      if (wrote < 0 && errno != EINTR)
        return errno;
      done += wrote > 0 ? wrote : 0;
    }
  }
  return 0;
}

/* The kernel copies where both files are on file systems that can. */
static int
copy_all(int from, int to)
{
#ifdef __linux__
  ssize_t got;

  while ((got = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0)
    continue;
  if (got == 0 && lseek(to, 0, SEEK_CUR) > 0)
    return 0;
#endif
  return copy_slowly(from, to);
}

/* copy_file(from, to) -> true; the new file must not be there yet.  nil and a message when it cannot be
** copied, and true behind them when it is there already */
static int
file_copy(lua_State *L)
{
  const char *from_path = luaL_checkstring(L, 1), *to_path = luaL_checkstring(L, 2);
  int from = open(from_path, O_RDONLY | O_CLOEXEC), to, code;

  if (from < 0)
    return push_failure(L, from_path, errno);
  to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (to < 0) {
    code = errno;
    (void)close(from);
    return push_failure(L, to_path, code);
  }
  code = copy_all(from, to);
  (void)close(from);
  if (close(to) != 0 && code == 0)
    code = errno;
  if (code != 0) {
    (void)unlink(to_path);
    return push_failure(L, to_path, code);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* Gives the file the other name while nobody removes or opens what has it.  What an earlier database of that name left
** beside itself would be taken for part of this one. */
static int
give_name(const char *from, const char *to)
{
  int lock, code = 0;

  if (!rille_folder_lock(to, true, PUBLISH_WAIT_MS, &lock))
    return EAGAIN;
  if (access(to, F_OK) != 0 && errno == ENOENT)
    rille_folder_unlink_beside(to);
  if (link(from, to) != 0)
    code = errno;
  else if ((code = rille_folder_sync(to)) != 0)
    (void)unlink(to);
  rille_folder_unlock(lock);
  return code;
}

/* publish_file(from, to) -> true: what the file holds is on the disk, and it has the other name, in one step.  nil and
** a message when it cannot, and true behind them when a file of that name is there: of two who come at once one wins */
static int
file_publish(lua_State *L)
{
  const char *from = luaL_checkstring(L, 1), *to = luaL_checkstring(L, 2);
  int file = open(from, O_RDONLY | O_CLOEXEC), code = file < 0 || fdatasync(file) != 0 ? errno : 0;

  if (file >= 0)
    (void)close(file);
  if (code == 0)
    code = give_name(from, to);
  if (code != 0)
    return push_failure(L, to, code);
  (void)unlink(from);
  lua_pushboolean(L, 1);
  return 1;
}

/* remove_file(path) -> true, also when there is none; nil and a message */
static int
file_remove(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);

  if (unlink(path) != 0 && errno != ENOENT)
    return push_failure(L, path, errno);
  lua_pushboolean(L, 1);
  return 1;
}

void
rille_lua_add_file(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "file_size", file_size },       { "file_identity", file_identity }, { "copy_file", file_copy },
    { "publish_file", file_publish }, { "remove_file", file_remove },     { NULL, NULL },
  };

  luaL_setfuncs(L, functions, 0);
}
