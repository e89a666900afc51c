/* core/base/name.c - checks identifiers and compares them. */
#include "core/base/name.h"

#include "core/base/cell.h"
#include "core/base/shown.h"

enum { COMPARED_MAX = 64 };

rille_status
rille_name_check(rille_str name, const char *what, rille_fault *fault)
{
  if (name.len == 0)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the name of %s is empty", what);
  if (name.len > RILLE_NAME_MAX)
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT,
                           "the name of %s has %zu bytes, at most %d are allowed: %.40s...", what, name.len,
                           RILLE_NAME_MAX, name.at);
  if (!rille_text_is_clean(name))
    return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the name of %s is not valid UTF-8 text", what);
  for (size_t i = 0; i < name.len; i++)
    if ((unsigned char)name.at[i] < 0x20 || name.at[i] == 0x7F)
      return rille_fault_set(fault, RILLE_INVALID_ARGUMENT, "the name of %s holds a control character", what);
  return RILLE_OK;
}

static int
lower(char c)
{
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int
least(int a, int b, int c)
{
  int ab = a < b ? a : b;

  return ab < c ? ab : c;
}

int
rille_name_distance(rille_str a, rille_str b, int limit)
{
  int rows[3][COMPARED_MAX + 1]; /* the row before last, the last one, this one; in turn */
  size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;

  if (a.len > COMPARED_MAX || b.len > COMPARED_MAX || gap > (size_t)limit)
    return limit + 1;
  for (size_t j = 0; j <= b.len; j++)
    rows[0][j] = (int)j;
  for (size_t i = 1; i <= a.len; i++) {
    int *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
    int nearest = now[0] = (int)i;

    for (size_t j = 1; j <= b.len; j++) {
      int cost = lower(a.at[i - 1]) == lower(b.at[j - 1]) ? 0 : 1;

      now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
      if (i > 1 && j > 1 && lower(a.at[i - 1]) == lower(b.at[j - 2]) && lower(a.at[i - 2]) == lower(b.at[j - 1]) &&
          before[j - 2] + 1 < now[j])
        now[j] = before[j - 2] + 1;
      if (now[j] < nearest)
        nearest = now[j];
    }
    if (nearest > limit)
      return limit + 1;
  }
  return rows[a.len % 3][b.len];
}

/* How far a name may be and still be a likely slip: a third of it, one edit for short ones. */
static int
tolerance(rille_str wanted)
{
  return wanted.len < 6 ? 1 : (int)(wanted.len / 3 < 5 ? wanted.len / 3 : 5);
}

void
rille_nearest_init(rille_nearest *nearest, rille_str wanted)
{
  *nearest = (rille_nearest){ .wanted = wanted, .distance = tolerance(wanted) + 1 };
}

void
rille_nearest_offer(rille_nearest *nearest, rille_str known)
{
  int distance = rille_name_distance(nearest->wanted, known, nearest->distance - 1);

  if (distance < nearest->distance) {
    nearest->distance = distance;
    nearest->best = known;
  }
}

void
rille_nearest_hint(const rille_nearest *nearest, rille_fault *fault)
{
  if (nearest->best.len > 0)
    rille_fault_hint(fault, "did you mean \"%s\"?", rille_show(nearest->best).text);
}
