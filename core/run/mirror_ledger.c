/* core/run/mirror_ledger.c - the tables of rille in a mirror, and the place that it has come to. */
#include "core/run/mirror_ledger.h"

#include "core/run/aside.h"
#include "core/run/era.h"

static rille_status
make_tables(rille_connection *target, rille_fault *fault)
{
  static const char *const statements[] = {
    "create table if not exists \"rille_mirror_ledger\" (\"source\" TEXT primary key, \"seq\" INTEGER not null, "
    "\"made_at\" INTEGER not null, \"generation\" INTEGER not null)",
    "create table if not exists \"rille_mirror_failed\" (\"source\" TEXT not null, \"seq\" INTEGER not null, "
    "\"made_at\" INTEGER not null, \"failed_at\" INTEGER not null, \"kind\" TEXT not null, \"error\" TEXT not null, "
    "\"changes\" BLOB not null, primary key (\"source\", \"seq\"))",
    "create table if not exists \"rille_mirror_tables\" (\"name\" TEXT primary key, \"made\" INTEGER not null)",
  };
  bool there = false;
  rille_status status = target->conn->driver->has_table(target->conn, "rille_mirror_tables", &there, fault);

  if (status == RILLE_OK && !there)
    status = rille_era_before_change(target, fault);
  for (size_t i = 0; i < sizeof statements / sizeof statements[0] && status == RILLE_OK; i++)
    status = rille_aside_run(target, statements[i], NULL, 0, fault);
  return status;
}

rille_status
rille_mirror_begin(const rille_mirror *mirror, rille_fault *fault)
{
  rille_status status = rille_connection_begin(mirror->target, RILLE_BEGIN_IMMEDIATE, NULL, fault);

  if (status != RILLE_OK)
    return status;
  status = make_tables(mirror->target, fault);
  if (status != RILLE_OK)
    (void)rille_connection_rollback(mirror->target, NULL);
  return status;
}

/* 0 for a source that has none. */
static rille_status
read_generation(const rille_mirror *mirror, int64_t *out, rille_fault *fault)
{
  rille_cell cell = { .kind = RILLE_INT };
  rille_arena none;
  bool found;
  rille_status status;

  rille_arena_init(&none);
  status = rille_aside_row(mirror->source, "select \"generation\" from \"rille_mirror_origin\"", NULL, 0, &none, &cell,
                           1, &found, fault);
  if (status == RILLE_NO_SUCH_TABLE) /* its mirror is younger than that */
    status = RILLE_OK;
  *out = found ? cell.as.integer : 0;
  return status;
}

/* Where the mirror begins, as the source noted. */
static rille_status
read_since(const rille_mirror *mirror, rille_mirror_place *out, rille_fault *fault)
{
  const rille_cell name = rille_cell_text(mirror->name);
  rille_cell cells[2];
  rille_arena none;
  bool found;
  rille_status status;

  rille_arena_init(&none);
  status = rille_aside_row(mirror->source, "select since, since_made_at from \"rille_mirrors\" where \"name\" = ?",
                           &name, 1, &none, cells, 2, &found, fault);
  if (status == RILLE_OK && !found)
    status = rille_fault_set(fault, RILLE_NOT_FOUND, "the database has no mirror of that name");
  if (status == RILLE_OK)
    *out = (rille_mirror_place){ .seq = cells[0].as.integer, .made_at = cells[1].as.integer };
  return status;
}

rille_status
rille_mirror_read_place(const rille_mirror *mirror, rille_mirror_place *out, rille_fault *fault)
{
  const rille_cell source = rille_cell_text(mirror->source_name);
  rille_cell cells[3];
  rille_arena none;
  bool found = false;
  int64_t generation = 0;
  rille_status status = read_generation(mirror, &generation, fault);

  rille_arena_init(&none);
  *out = (rille_mirror_place){ 0 };
  if (status == RILLE_OK)
    status = rille_aside_row(mirror->target,
                             "select seq, made_at, generation from \"rille_mirror_ledger\" where source = ?", &source,
                             1, &none, cells, 3, &found, fault);
  if (status == RILLE_OK && found && cells[2].as.integer != generation) {
    status = rille_mirror_retire(mirror, fault);
    found = false;
  }
  if (status == RILLE_OK && found)
    *out = (rille_mirror_place){ .seq = cells[0].as.integer, .made_at = cells[1].as.integer };
  else if (status == RILLE_OK)
    status = read_since(mirror, out, fault);
  out->generation = generation;
  return status;
}

rille_status
rille_mirror_write_place(const rille_mirror *mirror, rille_mirror_place place, rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(mirror->source_name), rille_cell_int(place.seq),
                                rille_cell_int(place.made_at), rille_cell_int(place.generation) };

  return rille_aside_run(mirror->target,
                         "insert into \"rille_mirror_ledger\" (\"source\", \"seq\", \"made_at\", \"generation\") "
                         "values (?1, ?2, ?3, ?4) "
                         "on conflict (\"source\") do update set \"seq\" = ?2, \"made_at\" = ?3",
                         values, 4, fault);
}

void
rille_mirror_tidy(const rille_mirror *mirror, int64_t seq)
{
  const rille_cell values[] = { rille_cell_int(seq), rille_cell_text(mirror->name) };
  rille_status status = rille_connection_begin(mirror->source, RILLE_BEGIN_IMMEDIATE, NULL, NULL);

  if (status != RILLE_OK)
    return;
  status = rille_aside_run(mirror->source, "update \"rille_mirrors\" set \"applied\" = ? where \"name\" = ?", values, 2,
                           NULL);
  if (status == RILLE_OK)
    status = rille_aside_run(mirror->source,
                             "delete from \"rille_outbox\" where \"seq\" < (select min(\"applied\") from "
                             "\"rille_mirrors\")",
                             NULL, 0, NULL);
  if (status != RILLE_OK || rille_connection_commit(mirror->source, NULL) != RILLE_OK)
    (void)rille_connection_rollback(mirror->source, NULL);
}

bool
rille_mirror_wants(const rille_mirror *mirror, rille_str table)
{
  bool wanted = mirror->table_count == 0;

  for (size_t i = 0; i < mirror->table_count && !wanted; i++)
    wanted = rille_str_equal(mirror->tables[i], table);
  return wanted;
}
