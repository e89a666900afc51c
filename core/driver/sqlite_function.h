/* core/driver/sqlite_function.h - what SQL means to rille beyond SQLite's own words: arithmetic that loses nothing, and
** what only SQLite's C interface tells. */
#ifndef RILLE_SQLITE_FUNCTION_H
#define RILLE_SQLITE_FUNCTION_H

#include <sqlite3.h>

/* Gives a connection the functions and the collation that the dialect of SQLite (core/query/dialect.c) writes; returns
** a result code.  NULL passes through the first four.
**
**   rille_add(a, b), rille_subtract(a, b)                "integer overflow" where SQLite would go on with a real
**                                                        number, "number overflow" where it would give infinity
**   rille_decimal_add(a, b, precision, scale, digits)    exact; "decimal overflow" for more than `precision` digits in
**   rille_decimal_subtract(a, b, ...)                    all, or `digits` significant ones (0: any number)
**   rille_decimal_sum(value, scale)                      exact, as text; NULL for no rows.  Values that are
**                                                        doubles are decimals with `scale` digits
**   rille_decimal_avg(value, scale, digits)              with `digits` digits, rounded half away from zero
**   rille_decimal_of(value, precision, scale)            the decimal that a number, or a text as rille_decimal_plain
**                                                        takes it, is, with `scale` digits behind the point; NULL where
**                                                        it has more digits, and for what is no number
**   rille_real_of(value)                                 the double nearest to it; NULL where that is infinite, or 0
**                                                        for what is not, and for what is no number
**   rille_text_of(value)                                 its text, of a double the shortest that reads as the same;
**                                                        NULL for bytes
**   rille_collation(table, column)                       how texts of the column are compared, NULL for by bytes and
**                                                        for what is no column of a table
**   collate rille_decimal                                decimal texts by their value, behind them other texts by their
**                                                        bytes */
int rille_sqlite_add_functions(sqlite3 *db);

#endif
