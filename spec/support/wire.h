/* spec/support/wire.h - a wire between this process and a server, which can be cut: from then on packets are lost, and
** neither side is told, as when a switch dies.  The process is in a network of its own from then on. */
#ifndef RILLE_SPEC_WIRE_H
#define RILLE_SPEC_WIRE_H

#include <stdbool.h>

#define SPEC_WIRE_HOST "10.9.0.2"
enum { SPEC_WIRE_PORT = 5432 };

/* Lays the wire to the server that listens at the path of a socket.  False where the system lets nobody make networks
** (that takes root and `ip`); then nothing has changed. */
bool spec_wire_lay(const char *path);

void spec_wire_cut(void);
void spec_wire_mend(void);

/* Takes it away. */
void spec_wire_end(void);

#endif
