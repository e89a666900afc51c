/* spec/support/temporary.h - a directory of this process's own, gone when it ends. */
#ifndef RILLE_SPEC_TEMPORARY_H
#define RILLE_SPEC_TEMPORARY_H

#include <stddef.h>

enum { SPEC_PATH_BYTES = 300 };

/* The directory; made when first asked for. */
const char *spec_directory(void);

/* Writes the path of a file in it that no call gave before; nothing is there. */
void spec_new_path(char path[SPEC_PATH_BYTES]);

/* Writes bytes to a file, in place of what was there. */
void spec_write_file(const char *path, const void *bytes, size_t len);

/* Copies a file; a missing one removes the target. */
void spec_copy_file(const char *from, const char *to);

#endif
