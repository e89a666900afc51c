/* core/driver/postgres_scan.h - what can be said of a SQL text without the server. */
#ifndef RILLE_POSTGRES_SCAN_H
#define RILLE_POSTGRES_SCAN_H

#include "core/base/text.h"

typedef struct rille_postgres_scan {
  bool empty;        /* nothing but blanks, comments and semicolons */
  bool several;      /* something stands behind the first semicolon */
  bool writes;       /* it can change the database, as far as its words say; a function that it calls may, too */
  bool queries;      /* it begins as a query does: it can stand behind DECLARE … CURSOR FOR, if it does not write */
  bool copies;       /* COPY from or to the client */
  bool defers;       /* it may switch off that a commit waits until it is written, or run what does */
  unsigned long top; /* the greatest N of $N; 0: no parameters */
} rille_postgres_scan;

/* Reads the words of a text; what is quoted, dollar-quoted or a comment is passed over. */
rille_postgres_scan rille_postgres_scan_text(rille_str sql);

#endif
