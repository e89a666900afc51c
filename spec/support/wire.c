/* spec/support/wire.c - two networks with a cable between them; in the far one a process hands on what comes.
**
** Cut is the way back: the far side has no route to this one any more.  What is sent from here goes out, and nothing is
** ever heard of it. */
#define _GNU_SOURCE
#include "spec/support/wire.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

#define NEAR "10.9.0.1"

static pid_t far;
static int to_far, from_far; /* a letter for what is wanted, and one when it is done */

static bool
does(const char *command)
{
  return system(command) == 0; /* NOLINT(cert-env33-c): of this file alone */
}

/* -- the far side ------------------------------------------------------------------------------------------ */

struct pair {
  int from, to;
};

static void *
pump(void *data)
{
  struct pair *pair = data;
  char *bytes = malloc(CHUNK);
  ssize_t count;

  while (bytes != NULL && (count = read(pair->from, bytes, CHUNK)) > 0)
    for (ssize_t sent = 0; sent < count;) {
      ssize_t more = write(pair->to, bytes + sent, (size_t)(count - sent));

      if (more <= 0)
        break;
      sent += more;
    }
  (void)shutdown(pair->to, SHUT_WR);
  (void)shutdown(pair->from, SHUT_RD);
  free(bytes);
  free(pair);
  return NULL;
}

static void
join(int from, int to)
{
  struct pair *pair = malloc(sizeof *pair);
  pthread_t thread;

  if (pair == NULL)
    _exit(1);
  *pair = (struct pair){ from, to };
  if (pthread_create(&thread, NULL, pump, pair) != 0)
    _exit(1);
  (void)pthread_detach(thread);
}

static void *
serve(void *path)
{
  struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(SPEC_WIRE_PORT) };
  struct sockaddr_un there = { .sun_family = AF_UNIX };
  int listening = socket(AF_INET, SOCK_STREAM, 0);

  (void)snprintf(there.sun_path, sizeof there.sun_path, "%s", (const char *)path);
  if (bind(listening, (struct sockaddr *)&here, sizeof here) != 0 || listen(listening, 8) != 0)
    _exit(1);
  (void)write(from_far, "r", 1);
  for (;;) {
    int client = accept(listening, NULL, NULL), server = socket(AF_UNIX, SOCK_STREAM, 0);

    if (client < 0 || connect(server, (struct sockaddr *)&there, sizeof there) != 0)
      _exit(1);
    join(client, server);
    join(server, client);
  }
}

/* Does what is asked for until nobody asks any more. */
static void
be_far(const char *path)
{
  pthread_t thread;
  char wanted;

  (void)signal(SIGPIPE, SIG_IGN);
  if (unshare(CLONE_NEWNET) != 0)
    _exit(1);
  (void)write(from_far, "u", 1);
  while (read(to_far, &wanted, 1) == 1) {
    bool done = true;

    if (wanted == 'a') {
      done = does("ip address add " SPEC_WIRE_HOST "/24 dev far && ip link set far up") &&
             pthread_create(&thread, NULL, serve, (void *)(size_t)path) == 0;
      if (done)
        continue; /* it tells when it listens */
    } else {
      done = wanted == 'c' ? does("ip route add blackhole " NEAR "/32") : does("ip route del blackhole " NEAR "/32");
    }
    (void)write(from_far, done ? "d" : "f", 1);
  }
  _exit(0);
}

/* -- this side --------------------------------------------------------------------------------------------- */

static bool
heard(char letter)
{
  char said = '\0';

  return read(from_far, &said, 1) == 1 && said == letter;
}

static bool
ask(char what, char answer)
{
  return write(to_far, &what, 1) == 1 && heard(answer);
}

static bool
begin(const char *path)
{
  int down[2], up[2];

  if (pipe(down) != 0 || pipe(up) != 0)
    return false;
  far = fork();
  if (far == 0) {
    (void)close(down[1]);
    (void)close(up[0]);
    to_far = down[0];
    from_far = up[1];
    be_far(path);
  }
  (void)close(down[0]);
  (void)close(up[1]);
  to_far = down[1];
  from_far = up[0];
  return far > 0;
}

bool
spec_wire_lay(const char *path)
{
  char command[200];
  bool laid;

  if (!does("ip -V >/dev/null 2>&1"))
    return false;
  (void)fflush(NULL);
  laid = begin(path) && heard('u') && unshare(CLONE_NEWNET) == 0;
  (void)snprintf(command, sizeof command,
                 "ip link add near type veth peer name far netns %ld 2>/dev/null && ip address add " NEAR
                 "/24 dev near && ip link set near up",
                 (long)far);
  laid = laid && does(command) && ask('a', 'r');
  if (!laid)
    spec_wire_end();
  return laid;
}

void
spec_wire_cut(void)
{
  if (!ask('c', 'd'))
    abort();
}

void
spec_wire_mend(void)
{
  if (!ask('m', 'd'))
    abort();
}

void
spec_wire_end(void)
{
  if (far <= 0)
    return;
  (void)close(to_far);
  (void)kill(far, SIGKILL);
  (void)waitpid(far, NULL, 0);
  (void)close(from_far);
  far = 0;
}
