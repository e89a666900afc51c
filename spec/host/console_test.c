/* spec/host/console_test.c - the program at a terminal: lines, Ctrl-C, Tab, history; and without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, OUTPUT_BYTES = 1 << 16 };

/* Echoes what it reads, between brackets. */
static const char ECHOES[] = "local console = require 'rille.console'\n"
                             "console.set_completer(function(word, line, first, last)\n"
                             "  assert(line:sub(first, last) == word)\n"
                             "  if word == 'fails' then error 'in the completer' end\n"
                             "  local found = {}\n"
                             "  for _, name in ipairs { 'select', 'selfish', 'schön' } do\n"
                             "    if name:sub(1, #word) == word then found[#found + 1] = name end\n"
                             "  end\n"
                             "  return found\n"
                             "end)\n"
                             "while true do\n"
                             "  local line, why = console.readline 'ready> '\n"
                             "  if not line and not why then break end\n"
                             "  print(('[%s]'):format(line or why))\n"
                             "  if line == 'forever' then print(pcall(function() while true do end end)) end\n"
                             "  if line then console.add_history(line) end\n"
                             "end\n"
                             "print('[end]')\n";

struct session {
  pid_t pid;
  int fd;
  char file[32];
  char output[OUTPUT_BYTES];
  size_t bytes;
};

static void
write_script(struct session *s, const char *script)
{
  strcpy(s->file, "/tmp/rille-spec-XXXXXX");
  int fd = mkstemp(s->file);

  assert_true(fd >= 0 && write(fd, script, strlen(script)) == (ssize_t)strlen(script));
  close(fd);
}

/* Starts `rille run` on a script in a terminal of its own. */
static void
start(struct session *s, const char *script)
{
  struct winsize size = { .ws_row = 24, .ws_col = 100 };

  memset(s, 0, sizeof *s);
  write_script(s, script);
  s->pid = forkpty(&s->fd, NULL, NULL, &size);
  assert_true(s->pid >= 0);
  if (s->pid == 0) {
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("COLUMNS");
    execl(RILLE_PROGRAM, "rille", "run", s->file, (char *)NULL);
    _exit(127);
  }
}

static void
type(struct session *s, const char *keys)
{
  assert_int_equal(write(s->fd, keys, strlen(keys)), strlen(keys));
}

/* Reads until the output holds a text, then forgets all up to it. */
static void
expect(struct session *s, const char *text)
{
  char *found = NULL;

  while ((found = strstr(s->output, text)) == NULL) {
    struct pollfd wait = { .fd = s->fd, .events = POLLIN };
    ssize_t n = poll(&wait, 1, PATIENCE_MS) == 1 ? read(s->fd, s->output + s->bytes, OUTPUT_BYTES - 1 - s->bytes) : 0;
    if (n <= 0) {
      kill(s->pid, SIGKILL);
      fail_msg("\"%s\" did not come, but: %s", text, s->output);
    }
    s->bytes += (size_t)n;
    s->output[s->bytes] = '\0';
  }
  found += strlen(text);
  s->bytes -= (size_t)(found - s->output);
  memmove(s->output, found, s->bytes + 1);
}

/* Waits for the end of the program; its status. */
static int
finish(struct session *s)
{
  int status = 0;

  assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
  close(s->fd);
  unlink(s->file);
  return status;
}

static void
reads_lines_until_ctrl_d(void **state)
{
  struct session s;

  (void)state;
  start(&s, ECHOES);
  expect(&s, "ready> ");
  type(&s, "schön\r");
  expect(&s, "[schön]");
  expect(&s, "ready> ");
  type(&s, "\r");
  expect(&s, "[]");
  expect(&s, "ready> ");
  type(&s, "\004");
  expect(&s, "[end]");
  assert_int_equal(finish(&s), 0);
}

static void
gives_up_the_line_after_ctrl_c(void **state)
{
  struct session s;

  (void)state;
  start(&s, ECHOES);
  expect(&s, "ready> ");
  type(&s, "half a line\003");
  expect(&s, "[interrupted]");
  expect(&s, "ready> ");
  type(&s, "next\r");
  expect(&s, "[next]");
  expect(&s, "ready> ");
  type(&s, "\004");
  expect(&s, "[end]");
  assert_int_equal(finish(&s), 0);
}

static void
stops_what_runs_after_ctrl_c(void **state)
{
  struct session s;

  (void)state;
  start(&s, ECHOES);
  expect(&s, "ready> ");
  for (int i = 0; i < 2; i++) {
    type(&s, "forever\r");
    expect(&s, "[forever]");
    usleep(100000);
    type(&s, "\003");
    expect(&s, "false\tinterrupted");
    expect(&s, "ready> ");
  }
  type(&s, "\004");
  expect(&s, "[end]");
  assert_int_equal(finish(&s), 0);
}

static void
ends_a_program_after_ctrl_c(void **state)
{
  struct session s;

  (void)state;
  start(&s, "print 'running' while true do end");
  expect(&s, "running");
  usleep(100000);
  type(&s, "\003");
  expect(&s, "interrupted");
  assert_int_equal(WEXITSTATUS(finish(&s)), 130);
}

static void
ends_a_program_that_catches_everything_after_a_second_ctrl_c(void **state)
{
  struct session s;

  (void)state;
  start(&s, "print 'running' while true do pcall(function() while true do end end) end");
  expect(&s, "running");
  usleep(100000);
  type(&s, "\003");
  usleep(400000);
  type(&s, "\003");
  int status = finish(&s);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static void
completes_words(void **state)
{
  struct session s;

  (void)state;
  start(&s, ECHOES);
  expect(&s, "ready> ");
  type(&s, "sch\t and s\t"); /* one fits: all of it; several: what they share, here nothing more */
  expect(&s, "select");
  expect(&s, "selfish");
  expect(&s, "ready> ");
  type(&s, "e\t-x\r");
  expect(&s, "[schön and sel-x]");
  expect(&s, "ready> ");
  type(&s, "fails\t none\t\r");
  expect(&s, "[fails none]");
  expect(&s, "ready> ");
  type(&s, "\004");
  assert_int_equal(finish(&s), 0);
}

static void
finds_earlier_lines_with_the_arrow_keys(void **state)
{
  struct session s;

  (void)state;
  start(&s, ECHOES);
  expect(&s, "ready> ");
  type(&s, "first\r");
  expect(&s, "[first]");
  expect(&s, "ready> ");
  type(&s, "second\r");
  expect(&s, "[second]");
  expect(&s, "ready> ");
  type(&s, "\033[A\033[A!\r");
  expect(&s, "[first!]");
  expect(&s, "ready> ");
  type(&s, "\004");
  assert_int_equal(finish(&s), 0);
}

static void
keeps_history_in_a_file_for_its_owner(void **state)
{
  struct session s;
  struct stat info;
  char path[40];

  (void)state;
  start(&s, "local console = require 'rille.console'\n"
            "local path = arg[0] .. '.history'\n"
            "assert(console.load_history(path) == 0)\n"
            "assert(console.append_history(path, 'one'))\n"
            "assert(console.append_history(path, 'two\\nlines'))\n"
            "assert(console.load_history(path) == 2)\n"
            "local ok, why = console.append_history('/nowhere/history', 'x')\n"
            "assert(ok == nil and why:find '/nowhere/history')\n"
            "console.readline 'ready> '\n");
  expect(&s, "ready> ");
  type(&s, "\033[A");
  expect(&s, "two lines");
  type(&s, "\r");
  assert_int_equal(finish(&s), 0);
  snprintf(path, sizeof path, "%s.history", s.file);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  unlink(path);
}

static void
knows_the_terminal_and_the_width_of_texts(void **state)
{
  struct session s;

  (void)state;
  start(&s, "local console = require 'rille.console'\n"
            "for _, case in ipairs { { '', 0 }, { 'abc', 3 }, { 'schön', 5 }, { '日本', 4 }, { 'e\\u{301}', 1 },\n"
            "                        { '\\xff', 1 }, { '\\0\\t', 0 } } do\n"
            "  assert(console.wcwidth(case[1]) == case[2], case[1])\n"
            "end\n"
            "print(console.is_tty(0), console.is_tty(1), console.is_tty(-1), console.is_tty(77), console.width())\n");
  expect(&s, "true\ttrue\tfalse\tfalse\t100");
  assert_int_equal(finish(&s), 0);
}

/* Runs the script of a session in a shell command with FILE in it; the output is the session's. */
static int
run_in_shell(struct session *s, const char *script, const char *format)
{
  char command[300];

  memset(s, 0, sizeof *s);
  write_script(s, script);
  snprintf(command, sizeof command, format, RILLE_PROGRAM, s->file);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  s->bytes = fread(s->output, 1, OUTPUT_BYTES - 1, pipe);
  unlink(s->file);
  return pclose(pipe);
}

static void
reads_a_pipe_without_prompts(void **state)
{
  struct session s;

  (void)state;
  assert_int_equal(run_in_shell(&s, ECHOES, "printf 'one\\n\\ntwo' | %s run %s 2>&1"), 0);
  assert_string_equal(s.output, "[one]\n[]\n[two]\n[end]\n");
}

static void
shows_an_error_without_a_terminal(void **state)
{
  struct session s;

  (void)state;
  int status = run_in_shell(&s, "local function f() error 'boom' end\nf()\n", "%s run %s 2>&1 </dev/null");
  assert_int_equal(WEXITSTATUS(status), 1);
  assert_non_null(strstr(s.output, ":1: boom"));
  assert_non_null(strstr(s.output, "stack traceback:"));
}

static void
fails_when_its_output_cannot_be_written(void **state)
{
  struct session s;

  (void)state;
  assert_int_equal(WEXITSTATUS(run_in_shell(&s, "print 'lost'", "%s run %s >/dev/full")), 1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_lines_until_ctrl_d),
    cmocka_unit_test(gives_up_the_line_after_ctrl_c),
    cmocka_unit_test(stops_what_runs_after_ctrl_c),
    cmocka_unit_test(ends_a_program_after_ctrl_c),
    cmocka_unit_test(ends_a_program_that_catches_everything_after_a_second_ctrl_c),
    cmocka_unit_test(completes_words),
    cmocka_unit_test(finds_earlier_lines_with_the_arrow_keys),
    cmocka_unit_test(keeps_history_in_a_file_for_its_owner),
    cmocka_unit_test(knows_the_terminal_and_the_width_of_texts),
    cmocka_unit_test(reads_a_pipe_without_prompts),
    cmocka_unit_test(shows_an_error_without_a_terminal),
    cmocka_unit_test(fails_when_its_output_cannot_be_written),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
