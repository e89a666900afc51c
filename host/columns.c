/* host/columns.c - how wide the terminal is, and how wide a text is on it. */
#define _XOPEN_SOURCE 700 /* wcwidth */
#define _DEFAULT_SOURCE
#include "host/columns.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { COLUMNS_DEFAULT = 80 };

void
rille_columns_locale(void)
{
  static bool done;

  if (!done) {
    done = true;
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
      setlocale(LC_CTYPE, "C.UTF-8");
  }
}

int
rille_columns_of_terminal(void)
{
  struct winsize size = { 0 };
  const char *said = getenv("COLUMNS");
  int columns = said ? atoi(said) : 0;

  for (int fd = STDOUT_FILENO; columns <= 0 && fd <= STDERR_FILENO; fd++)
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
      columns = size.ws_col;
  return columns > 0 ? columns : COLUMNS_DEFAULT;
}

int
rille_columns_of_text(const char *text, size_t bytes)
{
  mbstate_t state = { 0 };
  int columns = 0;

  rille_columns_locale();
  while (bytes > 0) {
    wchar_t c = 0;
    size_t n = mbrtowc(&c, text, bytes, &state);
    if (n == (size_t)-1 || n == (size_t)-2) {
      memset(&state, 0, sizeof state);
      n = 1;
      columns++;
    } else {
      n = n == 0 ? 1 : n;
      int width = wcwidth(c);
      columns += width > 0 ? width : 0;
    }
    text += n;
    bytes -= n;
  }
  return columns;
}
