/* core/base/stop.h - a request to stop what is running, which a signal handler may make. */
#ifndef RILLE_STOP_H
#define RILLE_STOP_H

#include <stdbool.h>

/* Asks every running statement of the process to end soon with kind "interrupted".  Async-signal-safe. */
void rille_stop_request(void);

/* Takes the request back; called before the next piece of work begins.  Async-signal-safe. */
void rille_stop_clear(void);

/* True between a request and its clearing.  Async-signal-safe. */
bool rille_stop_requested(void);

#endif
