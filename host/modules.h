/* host/modules.h - the Lua modules that embed.c compiled into this library. */
#ifndef RILLE_MODULES_H
#define RILLE_MODULES_H

#include <stddef.h>

struct rille_module {
  const char *name;          /* "rille.query"; private ones begin with '=' and cannot be required */
  const unsigned char *code; /* bytecode, with debug information */
  size_t bytes;
};

/* Sorted by name, in byte order. */
extern const struct rille_module rille_modules[];
extern const size_t rille_modules_count;

#endif
