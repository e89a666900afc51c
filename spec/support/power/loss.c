/* spec/support/power/loss.c - leaves of SQLite's files what a machine may have of them that loses its power.
**
** In Lua: package.loadlib(THIS, "power_loss")(folder, writes, seed), before a database is opened.  From then on what
** is written to each file is remembered until it is synced.  At the `writes`-th write, truncation or sync the process
** ends, and in the folder is each file as it was when it was last synced, with none, all, or any of the pieces of 512
** bytes that were written since.  A file that was deleted is gone: entries of folders are not lost. */
#include <lauxlib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 8, PATH_BYTES = 600, PIECE = 512, TRUNCATED = -1, STATUS = 86 };

struct change {
  sqlite3_int64 at;
  int count; /* of bytes; TRUNCATED: to `at` */
  unsigned char *bytes;
};

/* What is known of a file. */
struct image {
  char path[PATH_BYTES];
  bool there;
  unsigned char *synced;
  sqlite3_int64 size;
  struct change *changes; /* since then */
  size_t count, room;
};

struct file {
  sqlite3_file base;
  struct image *image;
  sqlite3_file *real; /* behind this */
};

static sqlite3_vfs *root;
static struct image images[FILES];
static char folder[PATH_BYTES];
static lua_Integer left; /* writes until it happens */

static void
fail(const char *what)
{
  (void)fprintf(stderr, "power_loss: %s\n", what);
  _exit(1);
}

static void *
grown(void *block, size_t bytes)
{
  void *more = realloc(block, bytes > 0 ? bytes : 1);

  if (more == NULL)
    fail("no memory");
  return more;
}

static struct image *
image_of(const char *path)
{
  struct image *image = images;

  while (image < images + FILES && image->path[0] != '\0' && strcmp(image->path, path) != 0)
    image++;
  if (image == images + FILES || strlen(path) >= PATH_BYTES)
    fail("too many files, or a path that is too long");
  (void)strcpy(image->path, path);
  return image;
}

/* -- what becomes of changes ----------------------------------------------------------------------------- */

static void
apply(struct image *image, sqlite3_int64 at, int count, const unsigned char *bytes)
{
  if (count == TRUNCATED) {
    image->size = at < image->size ? at : image->size;
    return;
  }
  if (at + count > image->size) {
    image->synced = grown(image->synced, (size_t)(at + count));
    if (at > image->size)
      memset(image->synced + image->size, 0, (size_t)(at - image->size));
    image->size = at + count;
  }
  memcpy(image->synced + at, bytes, (size_t)count);
}

/* Some pieces of a change. */
static void
apply_some(struct image *image, const struct change *change)
{
  if (change->count == TRUNCATED) {
    if (random() % 2 == 0)
      apply(image, change->at, TRUNCATED, NULL);
    return;
  }
  for (int from = 0; from < change->count; from += PIECE)
    if (random() % 2 == 0)
      apply(image, change->at + from, change->count - from < PIECE ? change->count - from : PIECE,
            change->bytes + from);
}

static void
leave(struct image *image)
{
  char path[2 * PATH_BYTES];
  long kept = random() % 3; /* nothing, some, all */
  FILE *file;

  for (size_t i = 0; i < image->count; i++) {
    const struct change *change = &image->changes[i];

    if (kept == 2)
      apply(image, change->at, change->count, change->bytes);
    else if (kept == 1)
      apply_some(image, change);
  }
  (void)snprintf(path, sizeof path, "%s%s", folder, strrchr(image->path, '/'));
  file = fopen(path, "wb");
  if (file == NULL || fwrite(image->synced, 1, (size_t)image->size, file) != (size_t)image->size || fclose(file) != 0)
    fail("cannot write what is left");
}

/* One write more: the last one? */
static void
count_down(void)
{
  if (--left > 0)
    return;
  for (int i = 0; i < FILES; i++)
    if (images[i].there)
      leave(&images[i]);
  _exit(STATUS);
}

static void
forget(struct image *image)
{
  for (size_t i = 0; i < image->count; i++)
    free(image->changes[i].bytes);
  image->count = 0;
}

static void
remember(struct image *image, sqlite3_int64 at, int count, const void *bytes)
{
  struct change *change;

  count_down();
  if (image->count == image->room) {
    image->room = 2 * image->room + 64;
    image->changes = grown(image->changes, image->room * sizeof *image->changes);
  }
  change = &image->changes[image->count++];
  *change = (struct change){ .at = at, .count = count };
  if (count > 0)
    change->bytes = memcpy(grown(NULL, (size_t)count), bytes, (size_t)count);
}

/* -- SQLite's methods ------------------------------------------------------------------------------------ */

static sqlite3_file *
real(sqlite3_file *file)
{
  return ((struct file *)file)->real;
}

static int
close_it(sqlite3_file *file)
{
  return real(file)->pMethods->xClose(real(file));
}

static int
read_it(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
  return real(file)->pMethods->xRead(real(file), bytes, count, at);
}

static int
write_it(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
  remember(((struct file *)file)->image, at, count, bytes);
  return real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

static int
truncate_it(sqlite3_file *file, sqlite3_int64 size)
{
  remember(((struct file *)file)->image, size, TRUNCATED, NULL);
  return real(file)->pMethods->xTruncate(real(file), size);
}

/* The real file is not synced: that proves nothing here, and takes long. */
static int
sync_it(sqlite3_file *file, int flags)
{
  struct image *image = ((struct file *)file)->image;

  (void)flags;
  count_down();
  for (size_t i = 0; i < image->count; i++)
    apply(image, image->changes[i].at, image->changes[i].count, image->changes[i].bytes);
  forget(image);
  return SQLITE_OK;
}

static int
size_of_it(sqlite3_file *file, sqlite3_int64 *size)
{
  return real(file)->pMethods->xFileSize(real(file), size);
}

static int
lock_it(sqlite3_file *file, int level)
{
  return real(file)->pMethods->xLock(real(file), level);
}

static int
unlock_it(sqlite3_file *file, int level)
{
  return real(file)->pMethods->xUnlock(real(file), level);
}

static int
check_lock(sqlite3_file *file, int *held)
{
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}

/* A hint at the size would have the real file grow unseen. */
static int
control(sqlite3_file *file, int what, void *data)
{
  return what == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK : real(file)->pMethods->xFileControl(real(file), what, data);
}

static int
sector_bytes(sqlite3_file *file)
{
  return real(file)->pMethods->xSectorSize(real(file));
}

static int
characteristics(sqlite3_file *file)
{
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int
map_shared(sqlite3_file *file, int region, int bytes, int extend, void volatile **out)
{
  return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, out);
}

static int
lock_shared(sqlite3_file *file, int from, int count, int flags)
{
  return real(file)->pMethods->xShmLock(real(file), from, count, flags);
}

static void
bar_shared(sqlite3_file *file)
{
  real(file)->pMethods->xShmBarrier(real(file));
}

static int
unmap_shared(sqlite3_file *file, int delete)
{
  return real(file)->pMethods->xShmUnmap(real(file), delete);
}

/* Of version 2: nothing is written through a mapping. */
static const sqlite3_io_methods methods = {
  2,           close_it,   read_it,      write_it, truncate_it,  sync_it,         size_of_it,
  lock_it,     unlock_it,  check_lock,   control,  sector_bytes, characteristics, map_shared,
  lock_shared, bar_shared, unmap_shared, NULL,     NULL
};

/* What is there when a file is first opened is on the disk. */
static int
load(struct image *image, sqlite3_file *file)
{
  int code = file->pMethods->xFileSize(file, &image->size);

  image->there = true;
  image->synced = grown(NULL, (size_t)image->size);
  return code == SQLITE_OK && image->size > 0 ? file->pMethods->xRead(file, image->synced, (int)image->size, 0) : code;
}

static int
open_it(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags)
{
  struct file *file = (struct file *)base;
  int code;

  (void)vfs;
  base->pMethods = NULL;
  if (path == NULL || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) == 0)
    return root->xOpen(root, path, base, flags, out_flags);
  file->real = (sqlite3_file *)(file + 1);
  code = root->xOpen(root, path, file->real, flags, out_flags);
  if (code != SQLITE_OK)
    return code;
  file->image = image_of(path);
  base->pMethods = &methods;
  return file->image->there ? SQLITE_OK : load(file->image, file->real);
}

static int
delete_it(sqlite3_vfs *vfs, const char *path, int sync)
{
  struct image *image = image_of(path);

  (void)vfs;
  forget(image);
  image->there = false;
  image->size = 0;
  return root->xDelete(root, path, sync);
}

int power_loss(lua_State *L);

int
power_loss(lua_State *L)
{
  static sqlite3_vfs vfs;

  root = sqlite3_vfs_find(NULL);
  vfs = *root;
  vfs.zName = "power_loss";
  vfs.szOsFile = (int)sizeof(struct file) + root->szOsFile;
  vfs.xOpen = open_it;
  vfs.xDelete = delete_it;
  (void)snprintf(folder, sizeof folder, "%s", luaL_checkstring(L, 1));
  left = luaL_checkinteger(L, 2);
  srandom((unsigned)luaL_checkinteger(L, 3));
  lua_pushboolean(L, sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
  return 1;
}
