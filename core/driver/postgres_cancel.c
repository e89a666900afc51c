/* core/driver/postgres_cancel.c - asks a server to end what it is doing, if it can still be reached.
**
** libpq asks over a connection of its own, for which it waits as long as the network lets it: half a minute and more
** where packets are dropped.  So whether there is a way is tried first, and not for longer than that should take. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/driver/postgres_conn.h"

enum {
  REACH_MS = 2000,          /* for a connection to be made */
  CANCEL_PATIENCE_MS = 5000 /* what is cancelled ends within this, or its connection is dropped */
};

/* Waits for a connection that is being made. */
static bool
is_made(int fd)
{
  int64_t until_ms = rille_postgres_now_ms() + REACH_MS;
  struct pollfd wanted = { .fd = fd, .events = POLLOUT };
  int error = 0, ready = 0;
  socklen_t size = sizeof error;

  while (ready <= 0) {
    int64_t left_ms = until_ms - rille_postgres_now_ms();

    ready = left_ms > 0 ? poll(&wanted, 1, (int)left_ms) : 0;
    if (left_ms <= 0 || (ready < 0 && errno != EINTR))
      return false;
  }
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/* Would the server take another connection?  On the same machine that needs no asking. */
static bool
can_reach(PGconn *pg)
{
  struct sockaddr_storage at;
  socklen_t size = sizeof at;
  bool reached;
  int fd;

  if (getpeername(PQsocket(pg), (struct sockaddr *)&at, &size) != 0)
    return false;
  if (at.ss_family == AF_UNIX)
    return true;
  fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  reached = connect(fd, (struct sockaddr *)&at, size) == 0 || (errno == EINPROGRESS && is_made(fd));
  (void)close(fd);
  return reached;
}

void
rille_postgres_cancel(rille_postgres_conn *conn)
{
  bool reached = can_reach(conn->pg);
  PGcancel *request = reached ? PQgetCancel(conn->pg) : NULL;
  char why[256];

  if (!conn->stopped || !reached)
    conn->patient_until_ms = rille_postgres_now_ms() + (reached ? CANCEL_PATIENCE_MS : 0);
  conn->stopped = true;
  if (request != NULL)
    (void)PQcancel(request, why, sizeof why);
  PQfreeCancel(request);
}
