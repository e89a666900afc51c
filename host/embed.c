/* host/embed.c - a tool of the build: compiles Lua files to bytecode and writes them as the C file of modules.h.
**
**   embed OUTPUT (--root DIR | --private DIR) FILE.lua... [--root DIR FILE.lua...]...
**
** FILE is relative to the DIR before it and names the module: rille/query.lua is rille.query, and errors in it read
** "rille/query.lua:12:".  Modules after --private get a name that begins with '='. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

enum { MODULES_MAX = 1000, NAME_MAX_BYTES = 256, PATH_MAX_BYTES = 4096, BYTES_PER_LINE = 32 };

struct module {
  char name[NAME_MAX_BYTES];
  int number; /* of its array in the C file */
  size_t bytes;
};

struct output {
  FILE *file;
  struct module modules[MODULES_MAX];
  int count;
  size_t column; /* bytes of the running array so far */
};

/* rille/query.lua -> rille.query; rille/init.lua -> rille. */
static bool
name_module(char *name, size_t room, const char *file, bool hidden)
{
  size_t len = strlen(file);

  if (len <= 4 || strcmp(file + len - 4, ".lua") != 0)
    return false;
  int wanted = snprintf(name, room, "%s%.*s", hidden ? "=" : "", (int)(len - 4), file);
  if (wanted < 0 || (size_t)wanted >= room)
    return false;
  for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
    *slash = '.';
  len = strlen(name);
  if (len > 5 && strcmp(name + len - 5, ".init") == 0)
    name[len - 5] = '\0';
  return true;
}

/* A lua_Writer. */
static int
write_bytes(lua_State *L, const void *bytes, size_t n, void *data)
{
  struct output *out = (struct output *)data;

  (void)L;
  for (size_t i = 0; i < n; i++) {
    fprintf(out->file, "%u,", ((const unsigned char *)bytes)[i]);
    if (++out->column % BYTES_PER_LINE == 0)
      fputc('\n', out->file);
  }
  return ferror(out->file);
}

/* Reads a whole file; the caller frees it. */
static char *
read_file(const char *path, size_t *bytes)
{
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  long size = -1;

  if (file && fseek(file, 0, SEEK_END) == 0)
    size = ftell(file);
  if (size >= 0 && fseek(file, 0, SEEK_SET) == 0)
    text = (char *)malloc((size_t)size + 1);
  if (text && fread(text, 1, (size_t)size, file) != (size_t)size) {
    free(text);
    text = NULL;
  }
  if (file)
    fclose(file);
  *bytes = (size_t)size;
  return text;
}

/* Compiles one file and writes its array.  Says on stderr what is wrong. */
static bool
embed(lua_State *L, struct output *out, const char *dir, const char *file, bool hidden)
{
  char path[PATH_MAX_BYTES];
  char chunk[NAME_MAX_BYTES];
  size_t bytes = 0;
  struct module *module = &out->modules[out->count];
  bool ok = out->count < MODULES_MAX && name_module(module->name, sizeof module->name, file, hidden);

  snprintf(path, sizeof path, "%s/%s", dir, file);
  snprintf(chunk, sizeof chunk, "@%s", file);
  if (!ok) {
    fprintf(stderr, "embed: %s: not a .lua file, a name that is too long, or too many files\n", file);
    return false;
  }
  char *text = read_file(path, &bytes);
  if (!text) {
    fprintf(stderr, "embed: cannot read %s: %s\n", path, strerror(errno));
    return false;
  }
  ok = luaL_loadbufferx(L, text, bytes, chunk, "t") == LUA_OK;
  free(text);
  if (!ok) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  } else {
    module->number = out->count++;
    out->column = 0;
    fprintf(out->file, "\nstatic const unsigned char code_%d[] = { /* %s */\n", module->number, file);
    ok = lua_dump(L, write_bytes, out, 0) == 0;
    fprintf(out->file, "\n};\n");
    module->bytes = out->column;
  }
  lua_pop(L, 1);
  return ok;
}

static int
by_name(const void *a, const void *b)
{
  return strcmp(((const struct module *)a)->name, ((const struct module *)b)->name);
}

/* The sorted table; false if two files are one module. */
static bool
write_table(struct output *out)
{
  qsort(out->modules, (size_t)out->count, sizeof *out->modules, by_name);
  fprintf(out->file, "\nconst struct rille_module rille_modules[] = {\n");
  for (int i = 0; i < out->count; i++) {
    const struct module *module = &out->modules[i];
    if (i > 0 && strcmp(module->name, module[-1].name) == 0) {
      fprintf(stderr, "embed: there are two files for the module %s\n", module->name);
      return false;
    }
    fprintf(out->file, "  { \"%s\", code_%d, %zu },\n", module->name, module->number, module->bytes);
  }
  fprintf(out->file, "};\n\nconst size_t rille_modules_count = %d;\n", out->count);
  return true;
}

static bool
embed_all(lua_State *L, struct output *out, char **args)
{
  const char *dir = ".";
  bool hidden = false;
  bool ok = true;

  fprintf(out->file, "/* Written by host/embed.c. */\n#include \"host/modules.h\"\n");
  for (; ok && *args; args++) {
    bool root = strcmp(*args, "--root") == 0;
    if ((root || strcmp(*args, "--private") == 0) && args[1]) {
      dir = *++args;
      hidden = !root;
    } else {
      ok = embed(L, out, dir, *args, hidden);
    }
  }
  return ok && write_table(out);
}

int
main(int argc, char **argv)
{
  static struct output out;
  lua_State *L = luaL_newstate();
  bool ok = argc >= 2 && L != NULL;

  if (ok) {
    out.file = fopen(argv[1], "w");
    ok = out.file != NULL;
  }
  if (!ok) {
    fprintf(stderr, "usage: embed OUTPUT (--root DIR | --private DIR) FILE.lua...\n");
  } else {
    ok = embed_all(L, &out, argv + 2);
    ok = fclose(out.file) == 0 && ok;
    if (!ok)
      remove(argv[1]);
  }
  if (L)
    lua_close(L);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
