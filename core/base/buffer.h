/* core/base/buffer.h - bytes that grow up to a limit. */
#ifndef RILLE_BUFFER_H
#define RILLE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"

/* Appending never fails loudly: the first failure marks the buffer, later appends do nothing, and whoever made the
** buffer asks rille_buffer_ok() once. */
typedef struct rille_buffer {
  char *at;
  size_t len, size;
  size_t limit; /* bytes it may hold; `size` is at most one more, for the NUL */
  bool failed;  /* memory ran out, or the limit was reached */
  bool full;    /* it was the limit */
} rille_buffer;

/* An empty buffer that may grow to `limit` bytes. */
void rille_buffer_init(rille_buffer *buffer, size_t limit);

/* Empties it and forgets a failure; keeps the memory. */
void rille_buffer_clear(rille_buffer *buffer);

/* Gives the memory back; the buffer is empty and may be used again. */
void rille_buffer_release(rille_buffer *buffer);

/* Makes room for `len` more bytes and a NUL; false once that failed. */
bool rille_buffer_reserve(rille_buffer *buffer, size_t len);

/* Appends `len` bytes. */
void rille_buffer_add(rille_buffer *buffer, const void *bytes, size_t len);

/* Appends a C string. */
void rille_buffer_text(rille_buffer *buffer, const char *text);

/* Appends one byte: inline, for shapes and SQL are written byte by byte. */
static inline void
rille_buffer_byte(rille_buffer *buffer, char byte)
{
  if (buffer->size - buffer->len > 1 && !buffer->failed)
    buffer->at[buffer->len++] = byte;
  else
    rille_buffer_add(buffer, &byte, 1);
}

/* Room for `len` more bytes behind the content, whose end rille_buffer_filled says then; NULL when it cannot be had. */
static inline char *
rille_buffer_room(rille_buffer *buffer, size_t len)
{
  if ((len >= buffer->size - buffer->len || buffer->failed) && !rille_buffer_reserve(buffer, len))
    return NULL;
  return buffer->at + buffer->len;
}

/* The content goes as far as `end`, within the room that was given. */
static inline void
rille_buffer_filled(rille_buffer *buffer, const char *end)
{
  buffer->len = (size_t)(end - buffer->at);
}

/* Appends a name as an identifier of SQL: in double quotes, with those in it doubled. */
void rille_buffer_name(rille_buffer *buffer, rille_str name);

/* Appends what printf would write, at most 63 bytes of it: for numbers. */
void rille_buffer_format(rille_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content; borrowed until the next append.  A NUL stands behind it when the buffer is ok. */
rille_str rille_buffer_str(rille_buffer *buffer);

/* False once an append failed. */
bool rille_buffer_ok(const rille_buffer *buffer);

#endif
