/* core/base/json_form.h - the form of a JSON text that is the same for all texts that mean the same. */
#ifndef RILLE_JSON_FORM_H
#define RILLE_JSON_FORM_H

#include "core/base/arena.h"
#include "core/base/buffer.h"

/* Appends the form of a JSON value: keys in the order of their bytes and each once (the last one counts), numbers by
** what they are worth, whatever their size, texts without escapes, no blanks.  It is no JSON; it is there to be
** compared.  The arena holds what is needed meanwhile.  Returns NULL, or in words why PostgreSQL would not take it as
** `jsonb`: "a NUL in a text", "a number out of range".  Static text.  Whether memory ran out the buffer and the arena
** tell. */
const char *rille_json_form(rille_str text, rille_arena *arena, rille_buffer *out);

#endif
