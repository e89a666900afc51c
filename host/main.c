/* host/main.c - the program `rille`: opens a trusted host and leaves everything else to lua/rille/cli.lua. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "core/base/stop.h"
#include "host/console.h"
#include "host/host.h"

enum { FAILED = 1, INTERRUPTED = 130, PATH_BYTES = 4096, BOUNCE_MS = 300 };

static rille_host *running; /* for the signal handler */

static int64_t
now_ms(void)
{
  struct timespec now = { 0 };

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first Ctrl-C asks what runs to stop, so that transactions roll back.  One that comes later, while it has not
** stopped yet, is for a program that cannot be stopped so, and ends it; one that comes at once is a bounced key. */
static void
on_interrupt(int number)
{
  static int64_t asked_ms;

  if (!rille_stop_requested()) {
    asked_ms = now_ms();
    rille_stop_request();
    rille_host_interrupt(running);
  } else if (now_ms() - asked_ms >= BOUNCE_MS) {
    signal(number, SIG_DFL);
    raise(number);
  }
}

/* No SA_RESTART: who waits for input is to wake up.  Who was started to ignore Ctrl-C goes on to. */
static void
catch_interrupts(void)
{
  struct sigaction action = { .sa_handler = on_interrupt };
  struct sigaction before;

  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGINT, &action, NULL);
}

static void
print_error(const rille_error *err)
{
  fprintf(stderr, "rille: %s\n", err->message);
  if (err->hint[0])
    fprintf(stderr, "  hint: %s\n", err->hint);
  if (err->traceback[0])
    fprintf(stderr, "%s\n", err->traceback);
}

/* The Lua module rille.host: what Lua cannot know of the program it runs in.
**   program   absolute path of the executable, nil if the system does not tell
**   version   of librille */
static int
open_host_module(lua_State *L)
{
  char path[PATH_BYTES];
  ssize_t bytes = readlink("/proc/self/exe", path, sizeof path);

  lua_createtable(L, 0, 2);
  if (bytes > 0 && (size_t)bytes < sizeof path) {
    lua_pushlstring(L, path, (size_t)bytes);
    lua_setfield(L, -2, "program");
  }
  lua_pushstring(L, rille_version());
  lua_setfield(L, -2, "version");
  return 1;
}

/* Calls rille.cli.main with the arguments as a list; its result is the exit status. */
static int
run(rille_host *host, int argc, char **argv, rille_error *err)
{
  size_t n = argc > 1 ? (size_t)argc - 1 : 0;
  rille_value *args = (rille_value *)calloc(n + 1, sizeof *args);
  rille_value *status = NULL;
  int result = FAILED;

  for (size_t i = 0; args && i < n; i++)
    args[i] = rille_text(argv[i + 1]);
  if (args) {
    rille_value list = rille_list(args, n);
    status = rille_call(host, "rille.cli.main", &list, 1, err);
  }
  if (status)
    result = (int)rille_as_int(status);
  else if (!rille_stop_requested())
    print_error(err);
  rille_free(status);
  free(args);
  return result;
}

int
main(int argc, char **argv)
{
  rille_error err = { .message = "memory ran out" };
  int status = FAILED;

  running = rille_open(&(rille_options){ .trusted = true }, &err);
  if (running && rille_host_provide(running, "rille.console", rille_console_open, &err) &&
      rille_host_provide(running, "rille.host", open_host_module, &err)) {
    catch_interrupts();
    status = run(running, argc, argv, &err);
  } else {
    print_error(&err);
  }
  signal(SIGINT, SIG_IGN); /* closing is short, and must be whole */
  rille_close(running);
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_SUCCESS)
    status = FAILED; /* a full disk must not look like success */
  return rille_stop_requested() ? INTERRUPTED : status;
}
