/* host/columns.h - how wide the terminal is, and how wide a text is on it. */
#ifndef RILLE_COLUMNS_H
#define RILLE_COLUMNS_H

#include <stddef.h>

/* Reads the user's locale for characters, once; widths and multi-byte keys follow it.  Not when the program starts, for
** it takes longer than the rest of a start. */
void rille_columns_locale(void);

/* Columns of the terminal: $COLUMNS, else what standard output or error says, else 80. */
int rille_columns_of_terminal(void);

/* Columns that a text takes.  Control characters take none; a byte that is no UTF-8 takes one. */
int rille_columns_of_text(const char *text, size_t bytes);

#endif
