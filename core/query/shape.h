/* core/query/shape.h - a tree less its values: the key under which its SQL is kept. */
#ifndef RILLE_SHAPE_H
#define RILLE_SHAPE_H

#include "core/base/buffer.h"
#include "core/query/tree.h"

/* Appends bytes that are the same for two statements exactly when the same SQL text serves both, whatever their values.
** Needs no names resolved. */
void rille_shape_write(const rille_query *query, rille_buffer *shape);

/* A hash of the bytes (as FNV-1a with 64 bits, but of eight bytes at a time): where to look first.  Keys are always
** compared in full. */
uint64_t rille_shape_hash(rille_str shape);

#endif
