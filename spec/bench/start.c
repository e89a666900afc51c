/* spec/bench/start.c - how long two programs take from start to end, seen from outside, one after the other in turn.
** Usage: start ROUNDS LABEL PROGRAM [ARG…] -- LABEL PROGRAM [ARG…].  A line each. */
#define _POSIX_C_SOURCE 200809L
#include "common.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* The output is thrown away; a program that fails ends this one. */
static double
start(char **argv)
{
  posix_spawn_file_actions_t actions;
  double started_ms, ms;
  pid_t child;
  int status;

  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  started_ms = bench_now_ms();
  if (posix_spawn(&child, argv[0], &actions, NULL, argv, environ) != 0)
    bench_die(argv[0], "cannot be started");
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    bench_die(argv[0], "failed");
  ms = bench_now_ms() - started_ms;
  posix_spawn_file_actions_destroy(&actions);
  return ms;
}

int
main(int argc, char **argv)
{
  char **first = argv + 2, **second = first;

  while (second < argv + argc && strcmp(*second, "--") != 0)
    second++;
  if (argc < 7 || second - first < 2 || argv + argc - second < 3) {
    fprintf(stderr, "usage: start ROUNDS LABEL PROGRAM [ARG…] -- LABEL PROGRAM [ARG…]\n");
    return 2;
  }
  *second++ = NULL;
  start(first + 1); /* both are in the page cache from here on */
  start(second + 1);
  for (long rounds = strtol(argv[1], NULL, 10); rounds > 0; rounds--) {
    printf("work=start side=%s ms=%.3f\n", first[0], start(first + 1));
    printf("work=start side=%s ms=%.3f\n", second[0], start(second + 1));
  }
  return 0;
}
