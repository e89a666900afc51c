/* core/run/turn.c - a list of the turns that are taken, under one lock. */
#include "core/run/turn.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static rille_turn *taken;

static bool
is_taken(rille_str path)
{
  for (const rille_turn *each = taken; each != NULL; each = each->next)
    if (rille_str_equal(each->path, path))
      return true;
  return false;
}

void
rille_turn_take(rille_turn *turn, rille_str path)
{
  (void)pthread_mutex_lock(&lock);
  while (is_taken(path))
    (void)pthread_cond_wait(&left, &lock);
  *turn = (rille_turn){ path, taken };
  taken = turn;
  (void)pthread_mutex_unlock(&lock);
}

void
rille_turn_leave(rille_turn *turn)
{
  rille_turn **at = &taken;

  (void)pthread_mutex_lock(&lock);
  while (*at != turn)
    at = &(*at)->next;
  *at = turn->next;
  (void)pthread_cond_broadcast(&left);
  (void)pthread_mutex_unlock(&lock);
}
