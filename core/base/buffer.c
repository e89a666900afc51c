/* core/base/buffer.c - doubles its memory; remembers the first failure. */
#include "core/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"

void
rille_buffer_init(rille_buffer *buffer, size_t limit)
{
  *buffer = (rille_buffer){ .limit = limit };
}

void
rille_buffer_clear(rille_buffer *buffer)
{
  buffer->len = 0;
  buffer->failed = buffer->full = false;
}

void
rille_buffer_release(rille_buffer *buffer)
{
  size_t limit = buffer->limit;

  rille_memory_free(buffer->at);
  rille_buffer_init(buffer, limit);
}

bool
rille_buffer_reserve(rille_buffer *buffer, size_t len)
{
  size_t size = buffer->size > 0 ? buffer->size : 256;
  char *grown;

  if (buffer->failed)
    return false;
  if (len < buffer->size - buffer->len)
    return true;
  if (len > buffer->limit || buffer->len > buffer->limit - len) {
    buffer->failed = buffer->full = true;
    return false;
  }
  while (size <= buffer->len + len)
    size *= 2;
  if (size > buffer->limit)
    size = buffer->limit + 1;
  grown = rille_memory_resize(buffer->at, size);
  if (grown == NULL) {
    buffer->failed = true;
    return false;
  }
  buffer->at = grown;
  buffer->size = size;
  return true;
}

void
rille_buffer_add(rille_buffer *buffer, const void *bytes, size_t len)
{
  if (len > 0 && rille_buffer_reserve(buffer, len)) {
    memcpy(buffer->at + buffer->len, bytes, len);
    buffer->len += len;
  }
}

void
rille_buffer_text(rille_buffer *buffer, const char *text)
{
  rille_buffer_add(buffer, text, strlen(text));
}

void
rille_buffer_name(rille_buffer *buffer, rille_str name)
{
  rille_buffer_byte(buffer, '"');
  for (size_t i = 0; i < name.len; i++) {
    if (name.at[i] == '"')
      rille_buffer_byte(buffer, '"');
    rille_buffer_byte(buffer, name.at[i]);
  }
  rille_buffer_byte(buffer, '"');
}

void
rille_buffer_format(rille_buffer *buffer, const char *format, ...)
{
  char text[64];
  va_list args;
  int len;

  va_start(args, format);
  len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len > 0)
    rille_buffer_add(buffer, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

rille_str
rille_buffer_str(rille_buffer *buffer)
{
  if (!rille_buffer_reserve(buffer, 0))
    return (rille_str){ "", 0 };
  buffer->at[buffer->len] = '\0';
  return (rille_str){ buffer->at, buffer->len };
}

bool
rille_buffer_ok(const rille_buffer *buffer)
{
  return !buffer->failed;
}
