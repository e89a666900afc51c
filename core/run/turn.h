/* core/run/turn.h - who of this process brings a mirror up to its source: one at a time, the others wait.
**
** Between processes the locks of the database see to that.  Inside one, waiting for a turn ends when it is free, where
** waiting for a lock ends with a timeout. */
#ifndef RILLE_TURN_H
#define RILLE_TURN_H

#include "core/base/text.h"

typedef struct rille_turn {
  rille_str path; /* of the mirror */
  struct rille_turn *next;
} rille_turn;

/* Waits until nobody has the turn of that path, which is borrowed.  The turn stays where it is until it is left. */
void rille_turn_take(rille_turn *turn, rille_str path);
void rille_turn_leave(rille_turn *turn);

#endif
