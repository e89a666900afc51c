/* spec/driver/posts.h - a connection to a schema with a table of posts, on a PostgreSQL server that may be ended. */
#ifndef RILLE_SPEC_POSTS_H
#define RILLE_SPEC_POSTS_H

#include "spec/driver/contract.h"
#include "spec/support/postgres.h"

/* A case with setup and teardown of its own: posts_db is open, and the table (id bigint primary key, title text) is
** empty. */
#define ON_POSTS(test) cmocka_unit_test_setup_teardown(test, posts_open, posts_close)

extern rille_conn *posts_db;
extern char posts_url[SPEC_URL_BYTES];
int posts_open(void **state);
int posts_close(void **state);

/* One more connection to that schema; whose url and how long it waits for locks are filled in. */
rille_conn *posts_connect(rille_open_options options);

/* A statement on posts_db whose rows come one after the other. */
rille_stmt *posts_stream(const char *sql);

/* A transaction of posts_db; both must be done. */
void posts_begin(void);
void posts_commit(void);

/* Ends a connection from outside, and waits: a connection is looked at before it is used when some time went by. */
void posts_terminate(rille_conn *conn);

/* Waits. */
void posts_pause(int ms);

#endif
