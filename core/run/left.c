/* core/run/left.c - one table for all threads of the process. */
#include "core/run/left.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"

enum { COUNTED_MAX = 1024 };

/* One that another took the slot of begins a new epoch, which harms nothing. */
typedef struct left {
  uint64_t cluster;
  uint32_t epoch;
  uint64_t position;
  rille_file_mark mark; /* of the file; its state is 0 from a commit until a connection is closed: one is open */
} left;

static struct {
  pthread_mutex_t lock;
  pid_t process;
  left left[COUNTED_MAX];
} counted = { .lock = PTHREAD_MUTEX_INITIALIZER };

static left *
left_of(uint64_t cluster)
{
  (void)pthread_mutex_lock(&counted.lock);
  if (counted.process != getpid()) { /* what the parent of a fork counted is not ours */
    memset(counted.left, 0, sizeof counted.left);
    counted.process = getpid();
  }
  return &counted.left[cluster % COUNTED_MAX];
}

static void
done_with_left(void)
{
  (void)pthread_mutex_unlock(&counted.lock);
}

/* A driver that knows no files has one that never changes. */
static rille_file_mark
mark_of(const rille_driver *driver, const char *path)
{
  return driver->mark != NULL ? driver->mark(path) : (rille_file_mark){ 0 };
}

static const char *
path_of(const rille_connection *connection)
{
  const rille_driver *driver = connection->conn->driver;

  return driver->path != NULL ? driver->path(connection->conn) : "";
}

bool
rille_left_goes_on(rille_connection *connection, const rille_place *now)
{
  rille_file_mark mark = mark_of(connection->conn->driver, path_of(connection));
  const left *at = left_of(now->cluster);
  bool same = at->cluster == now->cluster && at->epoch == now->epoch && at->position == now->position &&
              at->mark.file == mark.file && (at->mark.state == 0 || at->mark.state == mark.state);

  done_with_left();
  connection->file = mark.file;
  return same;
}

void
rille_left_note(const rille_connection *connection)
{
  const rille_place *place = &connection->counted;
  left *at = left_of(place->cluster);

  *at = (left){ place->cluster, place->epoch, place->position, { .file = connection->file } };
  done_with_left();
}

rille_leaving
rille_left_begin(const rille_connection *connection)
{
  rille_leaving leaving = { .driver = connection->conn->driver };
  const char *path;
  size_t bytes;

  if (!connection->counting)
    return leaving;
  leaving.cluster = connection->counted.cluster;
  path = path_of(connection);
  bytes = strlen(path) + 1;
  leaving.path = rille_memory_get(bytes);
  if (leaving.path != NULL) {
    memcpy(leaving.path, path, bytes);
    leaving.before = mark_of(leaving.driver, path);
  }
  return leaving;
}

void
rille_left_end(rille_leaving *leaving)
{
  rille_file_mark now = { 0 };
  left *at;

  if (leaving->cluster == 0)
    return;
  if (leaving->path != NULL)
    now = mark_of(leaving->driver, leaving->path);
  at = left_of(leaving->cluster);
  if (at->cluster == leaving->cluster && leaving->path == NULL)
    *at = (left){ 0 };
  else if (at->cluster == leaving->cluster && at->mark.file == leaving->before.file &&
           (at->mark.state == 0 || at->mark.state == leaving->before.state))
    at->mark = now; /* to be closed has changed the file where its log was copied into it */
  done_with_left();
  rille_memory_free(leaving->path);
}
