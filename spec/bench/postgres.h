/* spec/bench/postgres.h - what the works by hand with libpq share: a connection, values in binary, rows as structs. */
#ifndef SPEC_BENCH_POSTGRES_H
#define SPEC_BENCH_POSTGRES_H

#include <libpq-fe.h>
#include <stdint.h>

enum { POSTS = 100000, GRAPH_USERS = 1000 };

#define COLUMNS "id, author_id, title, body, status, views, created_at, updated_at"
#define WRITTEN "author_id, title, body, status, views, created_at, updated_at"

extern PGconn *db;
extern long rows; /* what a work did: the same must come out on the other side */
extern int64_t sum;
extern double ms;

/* Around what is measured. */
void start(void);
void stop(void);

/* These end the program when something is wrong. */
_Noreturn void die(const char *what);
void *room_for(size_t bytes);
PGresult *good(PGresult *result);
void run(const char *sql);
void prepare(const char *name, const char *sql);
PGresult *ask(const char *name, int count, const char *const values[], const int lengths[]);

/* The next number of the sequence that postgres.lua has, too. */
uint64_t draw(uint64_t *state, uint64_t below);

/* Numbers as the server has them; the last two give where the next value goes. */
int64_t eight(const PGresult *result, int row, int column);
char *put8(char *at, int64_t number);
char *put4(char *at, int32_t number);
char *put_text(char *at, const char *text, size_t length);

int64_t now_us(void); /* since 2000, as the server counts */

struct post {
  int64_t id, author_id, views, created_at, updated_at;
  char *title, *body, *status;
};

char *copy(const PGresult *result, int row, int column);
void read_post(struct post *post, const PGresult *result, int row);
void release_post(struct post *post);

void work_graph(void); /* postgres_graph.c */
void make_data(void);  /* postgres_data.c */
void clean(void);
void print_check(void);

#endif
