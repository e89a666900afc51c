/* spec/support/build.h - short words to build trees with; all of a tree lives until build_end. */
#ifndef RILLE_SPEC_BUILD_H
#define RILLE_SPEC_BUILD_H

#include "core/query/tree.h"

/* posts: id (primary), author_id, title, views, price (decimal 10,2), created_at, slug (generated) */
extern const rille_table build_posts;

/* users: id (primary), name, title */
extern const rille_table build_users;

/* pairs: a, b (primary, both), note */
extern const rille_table build_pairs;

/* keyless: note */
extern const rille_table build_keyless;

/* odd "table": id (primary), order, say "hi", '; -- */
extern const rille_table build_odd;

/* The DDL of the tables above for SQLite, one statement each; ends with NULL. */
extern const char *const build_ddl[];

/* Setup and teardown of a test that builds. */
int build_start(void **state);
int build_end(void **state);

/* Where the trees live. */
rille_arena *build_arena(void);

rille_query *build_query(const rille_table *table);

/* select title from posts where ... */
rille_query *build_titles(rille_node *where);
rille_node *build_node(rille_node_kind kind, rille_node *a, rille_node *b, rille_node *c);
rille_node *build_column(const char *name);
rille_node *build_output(const char *name, const char *alias);

rille_node *build_value(uint32_t slot);

/* Links the nodes; the last argument is NULL.  Returns the first. */
rille_node *build_chain(rille_node *first, ...) __attribute__((sentinel));

/* AND, OR, ITEMS of linked nodes. */
rille_node *build_many(rille_node_kind kind, rille_node *first);
rille_node *build_compare(rille_node *a, rille_operator op, rille_node *b);

/* name = ? */
rille_node *build_equal(const char *name, uint32_t slot);
rille_node *build_call(rille_function function, rille_node *arguments);
rille_node *build_raw(const char *sql, rille_node *values);
rille_node *build_term(rille_node *of, bool descending);
rille_node *build_constant(bool is_true);
rille_node *build_nested(rille_node_kind kind, rille_query *query);
void build_join(rille_query *query, rille_join_kind kind, const rille_table *table, const char *alias, rille_node *on);
void build_set(rille_set **sets, const char *name, rille_node *value);

#endif
