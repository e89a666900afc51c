/* core/base/change.h - changes of rows as bytes, for whoever repeats them elsewhere.
**
** A text of changes is one record after the other:
**
**     'T' layout                a table: the first of a text has the number 0, the next one 1, ...
**     'I' number cell ...       a row came: a cell for each column of the layout
**     'U' number cell ...       a row of that key is now so; SAME stands for a long value that did not change
**     'D' number cell ...       the row of that key went: the cells of its key, in the order of the columns
**
**     layout = text (its name)  number (of columns)  column ...
**     column = text (its name)  text (declared type)  number (1: of the key, else 0)
**
** Numbers take seven bits a byte, lowest first; a text is the number of its bytes, then these. */
#ifndef RILLE_CHANGE_H
#define RILLE_CHANGE_H

#include "core/base/buffer.h"
#include "core/base/cell.h"

enum { RILLE_CHANGE_TABLE = 'T', RILLE_CHANGE_INSERT = 'I', RILLE_CHANGE_UPDATE = 'U', RILLE_CHANGE_DELETE = 'D' };

/* Appends a number. */
void rille_change_put_number(rille_buffer *out, uint64_t number);

/* Appends a text, of any bytes. */
void rille_change_put_text(rille_buffer *out, rille_str text);

/* Appends a value; NULL for one that is what it was. */
void rille_change_put_cell(rille_buffer *out, const rille_cell *cell);

/* Reads such a text from its start.  What is not well formed marks the reader `bad`; it then reads zeros. */
typedef struct rille_change_reader {
  const char *at, *end;
  bool bad;
} rille_change_reader;

/* The next byte; 0 at the end, which is not bad. */
char rille_change_byte(rille_change_reader *reader);

/* The next number. */
uint64_t rille_change_number(rille_change_reader *reader);

/* The next text, borrowed from what is read. */
rille_str rille_change_text(rille_change_reader *reader);

/* The next value, its text borrowed.  False for one that is what it was. */
bool rille_change_cell(rille_change_reader *reader, rille_cell *cell);

#endif
