/* core/run/pool.c - two lists under one lock: idle seats by last use, and pinned ones. */
#include "core/run/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/shown.h"
#include "core/run/idle.h"

enum {
  FILES_EACH = 4, /* a connection has three files open, and a fourth while it commits */
  FILES_OF_OTHERS = 256,
  FILES_TRIED = 3,
  SMALL_SHARE = 8, /* of few files the pool takes an eighth */
  LATE_MS = 10     /* of the clock by which idle times are measured */
};

struct list {
  rille_seat *newest, *oldest;
  int count;
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed; /* by the monotonic clock */
  rille_pool_settings settings;
  int limit;   /* connections; 0 until somebody asks for it, limit() */
  int open;    /* those there are, with those being opened or closed */
  int closing; /* seats */
  int waiting; /* threads, for whatever changes */
  int64_t opened, evicted;
  struct list idle, pinned;
} pool = {
  .lock = PTHREAD_MUTEX_INITIALIZER,
  .settings = { .max = RILLE_POOL_MAX, .wait_ms = RILLE_POOL_WAIT_MS, .idle_ms = RILLE_POOL_IDLE_MS },
};

static void
make_clock(void)
{
  pthread_condattr_t attributes;

  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&pool.changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
}

static void
lock(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  (void)pthread_once(&once, make_clock);
  (void)pthread_mutex_lock(&pool.lock);
}

static void
unlock(void)
{
  (void)pthread_mutex_unlock(&pool.lock);
}

/* Idle times are long: a clock that moves every few milliseconds is exact enough, and the cheapest there is. */
static int64_t
now_ms(void)
{
  struct timespec now;

#ifdef CLOCK_MONOTONIC_COARSE
  (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- lists ----------------------------------------------------------------------------------------------- */

static void
take_out(struct list *list, rille_seat *seat)
{
  if (seat->newer != NULL)
    seat->newer->older = seat->older;
  else
    list->newest = seat->older;
  if (seat->older != NULL)
    seat->older->newer = seat->newer;
  else
    list->oldest = seat->newer;
  seat->newer = seat->older = NULL;
  list->count--;
}

static void
put_in(struct list *list, rille_seat *seat)
{
  seat->older = list->newest;
  if (list->newest != NULL)
    list->newest->newer = seat;
  else
    list->oldest = seat;
  list->newest = seat;
  list->count++;
}

/* Moves a seat that nobody is closing to the list of the state, if that has one. */
static void
move(rille_seat *seat, rille_seat_state state)
{
  if (seat->state == RILLE_SEAT_IDLE)
    take_out(&pool.idle, seat);
  else if (seat->state == RILLE_SEAT_PINNED)
    take_out(&pool.pinned, seat);
  seat->state = state;
  if (state == RILLE_SEAT_IDLE)
    put_in(&pool.idle, seat);
  else if (state == RILLE_SEAT_PINNED)
    put_in(&pool.pinned, seat);
}

/* -- limits ---------------------------------------------------------------------------------------------- */

/* Raises the limit of open files as far as the pool may need it, and takes its share of it. */
static void
set_limit(void)
{
  struct rlimit files;
  rlim_t wanted = (rlim_t)pool.settings.max * FILES_EACH + FILES_OF_OTHERS, share;

  pool.limit = pool.settings.max;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
    return;
  if (files.rlim_cur < wanted && files.rlim_cur != files.rlim_max) {
    rlim_t before = files.rlim_cur;

    files.rlim_cur = files.rlim_max == RLIM_INFINITY || files.rlim_max > wanted ? wanted : files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
      files.rlim_cur = before;
  }
  share = files.rlim_cur > FILES_OF_OTHERS ? (files.rlim_cur - FILES_OF_OTHERS) / FILES_EACH : 0;
  if (share < files.rlim_cur / SMALL_SHARE)
    share = files.rlim_cur / SMALL_SHARE;
  if (share < 1)
    share = 1;
  if ((rlim_t)pool.limit > share)
    pool.limit = (int)share;
}

/* Connections that there may be: anew after each change of the settings, also for those who wait meanwhile. */
static int
limit(void)
{
  if (pool.limit == 0)
    set_limit();
  return pool.limit;
}

void
rille_pool_configure(const rille_pool_settings *settings)
{
  lock();
  pool.settings = *settings;
  pool.limit = 0;
  (void)pthread_cond_broadcast(&pool.changed);
  unlock();
  rille_idle_ring();
}

rille_pool_stats
rille_pool_look(void)
{
  rille_pool_stats stats;

  lock();
  stats = (rille_pool_stats){ .open = pool.open,
                              .limit = limit(),
                              .idle = pool.idle.count,
                              .pinned = pool.pinned.count,
                              .opened = pool.opened,
                              .evicted = pool.evicted };
  unlock();
  return stats;
}

/* -- closing --------------------------------------------------------------------------------------------- */

/* Closes an idle seat; the lock is not held meanwhile, for a close may write to the disk. */
static void
evict(rille_seat *seat, const void *host)
{
  move(seat, RILLE_SEAT_CLOSING);
  pool.closing++;
  unlock();
  seat->close(seat, seat->host != host);
  lock();
  pool.open -= seat->open;
  pool.evicted++;
  pool.closing--;
  seat->open = 0;
  seat->state = RILLE_SEAT_OUT;
  (void)pthread_cond_broadcast(&pool.changed);
}

static void
wait_until_closed(const rille_seat *seat)
{
  pool.waiting++;
  while (seat->state == RILLE_SEAT_CLOSING)
    (void)pthread_cond_wait(&pool.changed, &pool.lock);
  pool.waiting--;
}

int64_t
rille_pool_close_idle(void)
{
  int64_t due_ms = 0;

  lock();
  if (pool.idle.oldest != NULL && now_ms() - pool.idle.oldest->idle_since_ms >= pool.settings.idle_ms)
    evict(pool.idle.oldest, NULL);
  if (pool.idle.oldest != NULL)
    due_ms = pool.idle.oldest->idle_since_ms + pool.settings.idle_ms + LATE_MS;
  unlock();
  return due_ms;
}

/* -- pinning --------------------------------------------------------------------------------------------- */

void
rille_seat_pin(rille_seat *seat)
{
  if (seat->held)
    return;
  lock();
  wait_until_closed(seat);
  move(seat, RILLE_SEAT_PINNED);
  seat->held = true;
  seat->pinned_ms = now_ms();
  unlock();
}

void
rille_seat_unpin(rille_seat *seat)
{
  rille_seat *oldest;
  bool idle;

  if (!seat->held)
    return; /* somebody may be closing it */
  lock();
  seat->held = false;
  seat->idle_since_ms = now_ms();
  move(seat, seat->open > 0 ? RILLE_SEAT_IDLE : RILLE_SEAT_OUT);
  if (pool.waiting > 0)
    (void)pthread_cond_broadcast(&pool.changed);
  oldest = pool.idle.oldest;
  if (oldest != NULL && seat->idle_since_ms - oldest->idle_since_ms > pool.settings.idle_ms)
    evict(oldest, seat->host); /* the thread is late, or could not be made */
  idle = pool.idle.count > 0;
  unlock();
  if (idle)
    rille_idle_watch();
}

void
rille_seat_leave(rille_seat *seat)
{
  lock();
  wait_until_closed(seat);
  move(seat, RILLE_SEAT_OUT);
  seat->held = false;
  pool.open -= seat->open;
  seat->open = 0;
  (void)pthread_cond_broadcast(&pool.changed);
  unlock();
}

/* -- opening --------------------------------------------------------------------------------------------- */

static void
set_deadline(struct timespec *deadline)
{
  (void)clock_gettime(CLOCK_MONOTONIC, deadline);
  deadline->tv_sec += pool.settings.wait_ms / 1000;
  deadline->tv_nsec += (long)(pool.settings.wait_ms % 1000) * 1000000;
  if (deadline->tv_nsec >= 1000000000) {
    deadline->tv_sec++;
    deadline->tv_nsec -= 1000000000;
  }
}

/* False once the deadline, which is set when one first waits, has passed. */
static bool
wait_for_change(struct timespec *deadline)
{
  int code;

  if (deadline->tv_sec == 0)
    set_deadline(deadline);
  pool.waiting++;
  code = pthread_cond_timedwait(&pool.changed, &pool.lock, deadline);
  pool.waiting--;
  return code != ETIMEDOUT;
}

/* Somebody else who opens or removes what the seat names. */
static const rille_seat *
opener_of(const rille_seat *seat)
{
  for (const rille_seat *each = pool.pinned.newest; each != NULL; each = each->older)
    if (each != seat && each->opening && rille_str_equal(each->path, seat->path))
      return each;
  return NULL;
}

/* True when another host may give a connection back. */
static bool
others_hold(const void *host)
{
  for (const rille_seat *each = pool.pinned.newest; each != NULL; each = each->older)
    if (each->host != host && each->open > 0)
      return true;
  return pool.closing > 0;
}

static rille_status
exhausted(bool waited, rille_fault *fault)
{
  rille_status kind = waited ? RILLE_TIMEOUT : RILLE_BUSY;

  if (waited)
    (void)rille_fault_set(fault, kind, "tenant pool exhausted: %d connections were in use for %d ms", limit(),
                          pool.settings.wait_ms);
  else
    (void)rille_fault_set(fault, kind, "tenant pool exhausted: %d connections are held by transactions and cursors",
                          limit());
  if (limit() < pool.settings.max)
    rille_fault_hint(fault,
                     "the limit of open files of this process allows no more: raise it (ulimit -n), or end some");
  else
    rille_fault_hint(fault, "end some of them, or raise tenancy.pool.max");
  return kind;
}

static rille_status
claimed(const rille_seat *seat, rille_fault *fault)
{
  (void)rille_fault_set(fault, RILLE_TIMEOUT, "the database \"%s\" was being opened or removed for %d ms",
                        rille_show(seat->path).text, pool.settings.wait_ms);
  rille_fault_hint(fault, "try again");
  return RILLE_TIMEOUT;
}

rille_status
rille_seat_open(rille_seat *seat, rille_fault *fault)
{
  struct timespec deadline = { 0 };
  rille_status status = RILLE_OK;

  lock();
  while (status == RILLE_OK) {
    if (opener_of(seat) != NULL) {
      if (!wait_for_change(&deadline))
        status = claimed(seat, fault);
    } else if (pool.open < limit()) {
      break;
    } else if (pool.idle.oldest != NULL) {
      evict(pool.idle.oldest, seat->host);
    } else if (!others_hold(seat->host)) {
      status = exhausted(false, fault);
    } else if (!wait_for_change(&deadline)) {
      status = exhausted(true, fault);
    }
  }
  if (status == RILLE_OK) {
    seat->opening = true;
    seat->open++;
    pool.open++;
    pool.opened++;
  }
  unlock();
  return status;
}

void
rille_seat_opened(rille_seat *seat, bool ok)
{
  lock();
  seat->opening = false;
  if (!ok && seat->open > 0) {
    seat->open--;
    pool.open--;
  }
  (void)pthread_cond_broadcast(&pool.changed);
  unlock();
}

void
rille_seat_closed(rille_seat *seat)
{
  lock();
  pool.open -= seat->open;
  seat->open = 0;
  (void)pthread_cond_broadcast(&pool.changed);
  unlock();
}

static bool
files_are_short(void)
{
  int files[FILES_TRIED], count = 0;
  bool fewer;

  while (count < FILES_TRIED && (files[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    count++;
  fewer = count < FILES_TRIED && (errno == EMFILE || errno == ENFILE);
  while (count > 0)
    (void)close(files[--count]);
  return fewer;
}

bool
rille_seat_may_retry(rille_seat *seat)
{
  int quarter;

  if (!files_are_short())
    return false;
  lock();
  quarter = (pool.idle.count + 3) / 4;
  for (int i = 0; i < quarter && pool.idle.oldest != NULL; i++)
    evict(pool.idle.oldest, seat->host);
  unlock();
  return quarter > 0;
}

/* -- removing -------------------------------------------------------------------------------------------- */

/* Another seat of the list with connections to the same path; one without may itself wait for this one. */
static rille_seat *
neighbour(const struct list *list, const rille_seat *seat)
{
  for (rille_seat *each = list->newest; each != NULL; each = each->older)
    if (each != seat && each->open > 0 && rille_str_equal(each->path, seat->path))
      return each;
  return NULL;
}

static rille_status
in_use(const rille_seat *seat, bool waited, rille_fault *fault)
{
  (void)rille_fault_set(fault, waited ? RILLE_TIMEOUT : RILLE_BUSY, "the database \"%s\" is in use",
                        rille_show(seat->path).text);
  rille_fault_hint(fault, "end its transactions and cursors first");
  return waited ? RILLE_TIMEOUT : RILLE_BUSY;
}

rille_status
rille_seat_claim(rille_seat *seat, rille_fault *fault)
{
  struct timespec deadline = { 0 };
  rille_status status = RILLE_OK;

  lock();
  while (status == RILLE_OK && opener_of(seat) != NULL)
    if (!wait_for_change(&deadline))
      status = claimed(seat, fault);
  seat->opening = status == RILLE_OK; /* from here on nobody opens it */
  while (status == RILLE_OK) {
    rille_seat *idle = neighbour(&pool.idle, seat), *pinned = neighbour(&pool.pinned, seat);

    if (idle != NULL)
      evict(idle, seat->host);
    else if (pinned == NULL && pool.closing == 0)
      break;
    else if (pinned != NULL && pinned->host == seat->host)
      status = in_use(seat, false, fault);
    else if (!wait_for_change(&deadline))
      status = in_use(seat, true, fault);
  }
  if (status != RILLE_OK) {
    seat->opening = false;
    (void)pthread_cond_broadcast(&pool.changed);
  }
  unlock();
  return status;
}
