/* spec/support/temporary.c - makes the directory, and removes it with all that is in it. */
#define _XOPEN_SOURCE 700
#include "spec/support/temporary.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[SPEC_PATH_BYTES - 40];
static pid_t owner;

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info;
  (void)kind;
  (void)walk;
  return remove(path);
}

static void
remove_all(void)
{
  if (getpid() == owner)
    (void)nftw(directory, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

const char *
spec_directory(void)
{
  if (directory[0] == '\0') {
    const char *parent = getenv("TMPDIR");

    (void)snprintf(directory, sizeof directory, "%s/rille-spec-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(directory) == NULL) {
      perror(directory);
      exit(1);
    }
    owner = getpid();
    (void)atexit(remove_all);
  }
  return directory;
}

void
spec_new_path(char path[SPEC_PATH_BYTES])
{
  static int count;

  (void)snprintf(path, SPEC_PATH_BYTES, "%s/%d.db", spec_directory(), ++count);
}

void
spec_write_file(const char *path, const void *bytes, size_t len)
{
  FILE *file = fopen(path, "wb");

  if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
    perror(path);
    exit(1);
  }
}

void
spec_copy_file(const char *from, const char *to)
{
  FILE *file = fopen(from, "rb");
  static char bytes[1 << 20];
  size_t len;

  if (file == NULL) {
    (void)remove(to);
    return;
  }
  len = fread(bytes, 1, sizeof bytes, file);
  if (len == sizeof bytes || fclose(file) != 0) {
    (void)fprintf(stderr, "%s is too large to copy\n", from);
    exit(1);
  }
  spec_write_file(to, bytes, len);
}
