/* host/console.c - the Lua module rille.console, on libedit; only the program has it.
**
**   readline(prompt) -> line                 without its newline; from a pipe or file too, then without a prompt
**                    -> nil                  at the end of the input
**                    -> nil, "interrupted"   after Ctrl-C
**   add_history(line)                        so that the arrow keys find it
**   load_history(path) -> count              entries read; 0 if there is no such file
**   append_history(path, line) -> true | nil, message      creates the file with mode 0600
**   set_completer(fn | nil)                  what Tab asks; see completion.c
**   is_tty(fd) -> boolean
**   width() -> columns of the terminal
**   wcwidth(text) -> columns that the text takes
**
** The editor is made when it is first needed, and ended with the Lua state, which gives the terminal back.  While it
** reads, Ctrl-C and Ctrl-Z are keys; at any other time they are signals. */
#include "host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "core/base/stop.h"
#include "host/columns.h"
#include "host/completion.h"
#include "host/host.h"

enum { HISTORY_ENTRIES = 2000 };

struct console {
  EditLine *edit;     /* NULL until the terminal is read from */
  History *history;   /* NULL until it is needed */
  lua_State *L;       /* who reads; for the completer */
  const char *prompt; /* of the line being read */
  bool interrupted;   /* Ctrl-C ended the line being read */
};

static const char CONSOLE[] = "rille.console";

static struct console *
console_of(lua_State *L)
{
  return (struct console *)lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- The terminal ------------------------------------------------------------------------------------------------ */

static int
console_is_tty(lua_State *L)
{
  lua_Integer fd = luaL_checkinteger(L, 1);

  lua_pushboolean(L, fd >= 0 && fd <= STDERR_FILENO && isatty((int)fd));
  return 1;
}

static int
console_width(lua_State *L)
{
  lua_pushinteger(L, rille_columns_of_terminal());
  return 1;
}

static int
console_wcwidth(lua_State *L)
{
  size_t bytes = 0;
  const char *text = luaL_checklstring(L, 1, &bytes);

  lua_pushinteger(L, rille_columns_of_text(text, bytes));
  return 1;
}

/* ---- Completion -------------------------------------------------------------------------------------------------- */

/* Tab, as libedit calls it. */
static unsigned char
on_tab(EditLine *edit, int key)
{
  struct console *console = NULL;

  (void)key;
  el_get(edit, EL_CLIENTDATA, &console);
  return rille_completion_tab(edit, console->L);
}

static int
console_set_completer(lua_State *L)
{
  if (!lua_isnoneornil(L, 1))
    luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  rille_completion_set(L);
  return 0;
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

static char *
prompt(EditLine *edit)
{
  struct console *console = NULL;

  el_get(edit, EL_CLIENTDATA, &console);
  return (char *)(uintptr_t)console->prompt; /* libedit reads it only */
}

/* Ctrl-C, as libedit calls it. */
static unsigned char
on_interrupt(EditLine *edit, int key)
{
  struct console *console = NULL;

  (void)key;
  el_get(edit, EL_CLIENTDATA, &console);
  console->interrupted = true;
  return CC_EOF;
}

/* Ctrl-Z, as libedit calls it; its signal handler gives the terminal back and takes it again. */
static unsigned char
on_suspend(EditLine *edit, int key)
{
  (void)edit;
  (void)key;
  raise(SIGTSTP);
  return CC_REDISPLAY;
}

static History *
need_history(lua_State *L, struct console *console)
{
  HistEvent event;

  if (console->history == NULL) {
    console->history = history_init();
    if (console->history == NULL)
      luaL_error(L, "rille.console: no memory for a history");
    history(console->history, &event, H_SETSIZE, HISTORY_ENTRIES);
    history(console->history, &event, H_SETUNIQUE, 1);
  }
  return console->history;
}

static EditLine *
need_editor(lua_State *L, struct console *console)
{
  if (console->edit == NULL) {
    rille_columns_locale();
    console->edit = el_init("rille", stdin, isatty(STDOUT_FILENO) ? stdout : stderr, stderr);
    if (console->edit == NULL)
      luaL_error(L, "rille.console: the terminal cannot be read");
    EditLine *edit = console->edit;
    el_set(edit, EL_CLIENTDATA, console);
    el_set(edit, EL_PROMPT, prompt);
    el_set(edit, EL_SIGNAL, 1);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_HIST, history, need_history(L, console));
    el_wset(edit, EL_ADDFN, L"rille-complete", L"Complete the word before the cursor", on_tab);
    el_wset(edit, EL_ADDFN, L"rille-interrupt", L"Give up the line", on_interrupt);
    el_wset(edit, EL_ADDFN, L"rille-suspend", L"Stop the program until `fg`", on_suspend);
    el_set(edit, EL_BIND, "^I", "rille-complete", NULL);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(edit, NULL); /* the user's own keys: ~/.editrc */
    el_set(edit, EL_SETTY, "-d", "-isig", NULL);
    el_set(edit, EL_BIND, "^C", "rille-interrupt", NULL);
    el_set(edit, EL_BIND, "^Z", "rille-suspend", NULL);
  }
  return console->edit;
}

/* A line of a pipe or file; false at its end. */
static bool
push_plain_line(lua_State *L)
{
  luaL_Buffer line;
  int c = EOF;
  bool any = false;

  luaL_buffinit(L, &line);
  while ((c = getc(stdin)) != EOF && c != '\n') {
    luaL_addchar(&line, (char)c);
    any = true;
  }
  luaL_pushresult(&line);
  return any || c == '\n';
}

/* A line of the terminal; false at its end and after Ctrl-C. */
static bool
push_edited_line(lua_State *L, struct console *console)
{
  int bytes = 0;
  EditLine *edit = need_editor(L, console);

  el_set(edit, EL_PREP_TERM, 1); /* before the prompt: who sees it may type, Ctrl-C too */
  const char *line = el_gets(edit, &bytes);
  bool got = line != NULL && bytes > 0 && !console->interrupted;

  if (got)
    lua_pushlstring(L, line, (size_t)bytes - (line[bytes - 1] == '\n'));
  else if (console->interrupted)
    fputs("^C\n", stderr);
  return got;
}

/* A request to stop that came before this line, or while it was typed, was about the work before it. */
static void
forget_interruption(lua_State *L)
{
  rille_stop_clear();
  rille_host_resume(rille_host_of(L));
}

static int
console_readline(lua_State *L)
{
  struct console *console = console_of(L);

  console->prompt = luaL_optstring(L, 1, "");
  console->interrupted = false;
  console->L = L;
  forget_interruption(L);
  fflush(stdout);
  bool got = isatty(STDIN_FILENO) ? push_edited_line(L, console) : push_plain_line(L);
  if (rille_stop_requested())
    console->interrupted = true;
  forget_interruption(L);
  if (got && !console->interrupted)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, console->interrupted ? "interrupted" : NULL);
  return 2;
}

/* ---- History ----------------------------------------------------------------------------------------------------- */

static int
console_add_history(lua_State *L)
{
  const char *line = luaL_checkstring(L, 1);
  HistEvent event;

  history(need_history(L, console_of(L)), &event, H_ENTER, line);
  return 0;
}

static int
console_load_history(lua_State *L)
{
  History *kept = need_history(L, console_of(L));
  FILE *file = fopen(luaL_checkstring(L, 1), "re");
  char *line = NULL;
  size_t room = 0;
  ssize_t bytes = 0;
  lua_Integer count = 0;
  HistEvent event;

  while (file && (bytes = getline(&line, &room, file)) >= 0) {
    if (bytes > 0 && line[bytes - 1] == '\n')
      line[bytes - 1] = '\0';
    if (line[0] != '\0' && history(kept, &event, H_ENTER, line) >= 0)
      count++;
  }
  free(line);
  if (file)
    fclose(file);
  lua_pushinteger(L, count);
  return 1;
}

/* In one write, so that sessions side by side do not mix; a newline inside an entry becomes a blank. */
static int
console_append_history(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  const char *line = luaL_gsub(L, luaL_checkstring(L, 2), "\n", " ");
  const char *entry = lua_pushfstring(L, "%s\n", line);
  size_t bytes = strlen(entry);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  bool ok = fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 && write(fd, entry, bytes) == (ssize_t)bytes;
  int error = errno;

  if (fd >= 0)
    close(fd);
  if (ok) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(error));
  return 2;
}

/* ---- The module -------------------------------------------------------------------------------------------------- */

static int
console_gc(lua_State *L)
{
  struct console *console = (struct console *)luaL_checkudata(L, 1, CONSOLE);

  if (console->edit)
    el_end(console->edit);
  if (console->history)
    history_end(console->history);
  console->edit = NULL;
  console->history = NULL;
  return 0;
}

int
rille_console_open(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "readline", console_readline },
    { "set_completer", console_set_completer },
    { "add_history", console_add_history },
    { "load_history", console_load_history },
    { "append_history", console_append_history },
    { "is_tty", console_is_tty },
    { "width", console_width },
    { "wcwidth", console_wcwidth },
    { NULL, NULL },
  };

  luaL_newlibtable(L, functions);
  struct console *console = (struct console *)lua_newuserdatauv(L, sizeof *console, 0);
  *console = (struct console){ 0 };
  if (luaL_newmetatable(L, CONSOLE)) {
    lua_pushcfunction(L, console_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
