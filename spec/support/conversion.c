/* spec/support/conversion.c - values are the same when their kinds and their bytes are. */
#include "spec/support/conversion.h"

#include "spec/support/spec.h"

void
show(const rille_cell *cell)
{
  switch (cell->kind) {
  case RILLE_NULL: print_error("NULL"); break;
  case RILLE_BOOL:
  case RILLE_INT: print_error("%s %lld", rille_cell_kind_name(cell->kind), (long long)cell->as.integer); break;
  case RILLE_REAL: print_error("%.17g", cell->as.real); break;
  case RILLE_TEXT:
  case RILLE_BLOB: print_error("%s \"%.*s\"", rille_cell_kind_name(cell->kind), RILLE_STR_ARG(cell->as.text)); break;
  }
}

static bool
same(const rille_cell *a, const rille_cell *b)
{
  if (a->kind != b->kind)
    return false;
  switch (a->kind) {
  case RILLE_NULL: return true;
  case RILLE_REAL: return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0;
  case RILLE_TEXT:
  case RILLE_BLOB: return rille_str_equal(a->as.text, b->as.text);
  default: return a->as.integer == b->as.integer;
  }
}

void
assert_same(const conversion *wanted, const rille_cell *found)
{
  if (!same(&wanted->out, found)) {
    print_error("%s: ", rille_type_name(wanted->type->kind));
    show(&wanted->in);
    print_error(" became ");
    show(found);
    print_error(" and not ");
    show(&wanted->out);
    fail_msg("%s", "");
  }
}
