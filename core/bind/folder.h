/* core/bind/folder.h - the folder of a file: locked while a database in it comes or goes, and written to the disk. */
#ifndef RILLE_BIND_FOLDER_H
#define RILLE_BIND_FOLDER_H

#include <stdbool.h>

/* Locks the folder of the file against other processes and hosts that do so: many may open what is in it, or one
** (`alone`) may remove something or put it there.  False when that took longer than `wait_ms`.  Otherwise *lock is the
** caller's, who gives it to rille_folder_unlock; where a folder cannot be locked, nothing is, and *lock is -1. */
bool rille_folder_lock(const char *path, bool alone, int wait_ms, int *lock);

/* Ends what rille_folder_lock began; -1 is ignored. */
void rille_folder_unlock(int lock);

/* Deletes what SQLite puts beside a database of that path, and leaves there when a process ends. */
void rille_folder_unlink_beside(const char *path);

/* Has the disk know which names are in the folder of the file.  0, or an errno. */
int rille_folder_sync(const char *path);

#endif
