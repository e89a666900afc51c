/* core/query/shape.c - writes every part of a tree but the values, so that no two read alike.
**
** Which value stands where is a part of the tree: a kept statement knows its parameters by slot, and two queries that
** say the same in another order number their slots otherwise. */
#include "core/query/shape.h"

#include <string.h>

static void write_query(const rille_query *query, rille_buffer *out);

enum { NUMBER_BYTES = 10 };

/* Writes a number of at most NUMBER_BYTES; returns what stands behind it. */
static inline char *
put_number(char *to, uint64_t n)
{
  for (; n > 0x7F; n >>= 7)
    *to++ = (char)((n & 0x7F) | 0x80);
  *to++ = (char)n;
  return to;
}

static inline char *
put_text(char *to, rille_str s)
{
  to = put_number(to, s.len);
  if (s.len > 0)
    memcpy(to, s.at, s.len);
  return to + s.len;
}

static void
number(rille_buffer *out, uint64_t n)
{
  char *to = rille_buffer_room(out, NUMBER_BYTES);

  if (to != NULL)
    rille_buffer_filled(out, put_number(to, n));
}

static void
text(rille_buffer *out, rille_str s)
{
  number(out, s.len);
  rille_buffer_add(out, s.at, s.len);
}

static void write_nodes(const rille_node *first, rille_buffer *out);

/* What all nodes have, whether their kind uses it or not: so it is written without asking for each byte whether there
** is room. */
static void
write_head(const rille_node *node, rille_buffer *out)
{
  char *to = rille_buffer_room(out, 1 + 4 * NUMBER_BYTES + node->text.len + node->alias.len);

  if (to == NULL)
    return;
  *to++ = (char)(node->kind + 1);
  to = put_number(to, (uint64_t)node->op);
  to = put_number(to, node->slot);
  to = put_text(to, node->text);
  rille_buffer_filled(out, put_text(to, node->alias));
}

static void
write_node(const rille_node *node, rille_buffer *out)
{
  if (node == NULL) {
    rille_buffer_byte(out, 0);
    return;
  }
  write_head(node, out);
  switch (node->kind) {
  case RILLE_NODE_STAR:
  case RILLE_NODE_VALUE:
  case RILLE_NODE_LIST:
  case RILLE_NODE_EVERY:
  case RILLE_NODE_COLUMN:
  case RILLE_NODE_CONSTANT: break;
  case RILLE_NODE_RAW:
  case RILLE_NODE_CALL:
  case RILLE_NODE_ITEMS:
  case RILLE_NODE_AND:
  case RILLE_NODE_OR: write_nodes(node->items, out); break;
  case RILLE_NODE_EXISTS:
  case RILLE_NODE_QUERY: write_query(node->query, out); break;
  case RILLE_NODE_COMPARE:
  case RILLE_NODE_IN:
  case RILLE_NODE_BETWEEN:
  case RILLE_NODE_IS_NULL:
  case RILLE_NODE_NOT:
  case RILLE_NODE_TERM:
    write_node(node->a, out);
    write_node(node->b, out);
    write_node(node->c, out);
    break;
  }
}

static void
write_nodes(const rille_node *first, rille_buffer *out)
{
  number(out, rille_node_count(first));
  for (; first != NULL; first = first->next)
    write_node(first, out);
}

static void
write_source(const rille_source *source, rille_buffer *out)
{
  number(out, source->table->id << 2 | (uint64_t)source->guard);
  if (source->guard == RILLE_GUARD_TENANT)
    number(out, source->tenant);
  text(out, source->name);
}

static void
write_sets(const rille_set *set, rille_buffer *out)
{
  for (; set != NULL; set = set->next) {
    rille_buffer_byte(out, 1);
    text(out, set->name);
    write_node(set->value, out);
  }
  rille_buffer_byte(out, 0);
}

static void
write_query(const rille_query *query, rille_buffer *out)
{
  number(out, (uint64_t)query->verb | (uint64_t)query->distinct << 2 | (uint64_t)query->union_all << 3 |
                (uint64_t)query->unfiltered << 4 | (uint64_t)query->conflict << 5 | (uint64_t)query->lock << 7 |
                (uint64_t)query->lock_wait << 9 | (uint64_t)query->lateral << 11 | (uint64_t)query->rows << 12);
  write_source(&query->source, out);
  write_nodes(query->outputs, out);
  for (const rille_join *join = query->joins; join != NULL; join = join->next) {
    rille_buffer_byte(out, (char)(1 + join->kind));
    write_source(&join->source, out);
    write_node(join->on, out);
    write_node(join->scoped != NULL ? join->scoped->where : NULL, out);
  }
  rille_buffer_byte(out, 0);
  write_node(query->sealed, out);
  write_node(query->where, out);
  write_nodes(query->groups, out);
  write_node(query->having, out);
  write_nodes(query->orders, out);
  write_nodes(query->per, out);
  write_node(query->limit, out);
  write_node(query->offset, out);
  for (const rille_query *member = query->unions; member != NULL; member = member->next) {
    rille_buffer_byte(out, 1);
    write_query(member, out);
  }
  rille_buffer_byte(out, 0);
  write_node(query->aggregate, out);
  write_sets(query->sets, out);
  write_nodes(query->conflict_columns, out);
  text(out, query->conflict_where);
  write_sets(query->conflict_sets, out);
  write_nodes(query->returning, out);
}

void
rille_shape_write(const rille_query *query, rille_buffer *shape)
{
  write_query(query, shape);
}

uint64_t
rille_shape_hash(rille_str shape)
{
  uint64_t hash = 14695981039346656037u, word = 0;
  size_t i = 0;

  for (; i + sizeof word <= shape.len; i += sizeof word) {
    memcpy(&word, shape.at + i, sizeof word);
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 32; /* a bucket is chosen by the low bits, which the high ones of a word do not reach */
  }
  for (; i < shape.len; i++)
    hash = (hash ^ (unsigned char)shape.at[i]) * 1099511628211u;
  return hash;
}
