/* core/run/mirror_table.c - layouts read, SQL written for them, tables made. */
#include "core/run/mirror_table.h"

#include <stdio.h>
#include <strings.h>

#include "core/base/shown.h"
#include "core/run/aside.h"
#include "core/run/era.h"

/* Which columns a list of them has. */
enum { ALL, OF_KEY, OTHERS };

enum { INDEXES_MAX = 64 }; /* of a table that a mirror makes anew */

static bool
is_in(const rille_mirror_column *column, int which)
{
  return which == ALL || column->key == (which == OF_KEY);
}

/* "a", "b"   each with what stands before, between and after them */
static void
put_columns(rille_buffer *sql, const rille_mirror_table *table, int which, const char *between, const char *after)
{
  bool first = true;

  for (size_t i = 0; i < table->count; i++)
    if (is_in(&table->columns[i], which)) {
      rille_buffer_text(sql, first ? "" : between);
      rille_buffer_name(sql, table->columns[i].name);
      rille_buffer_text(sql, after);
      first = false;
    }
}

static void
put_whose(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_name(sql, rille_str_of(table->whose));
}

/* insert into t (whose, ...) values (?, ...) on conflict (whose, key) do update set a = excluded.a, ... */
static void
write_put(rille_buffer *sql, const rille_mirror_table *table)
{
  bool first = true;

  rille_buffer_text(sql, "insert into ");
  rille_buffer_name(sql, table->name);
  rille_buffer_text(sql, " (");
  put_whose(sql, table);
  rille_buffer_text(sql, ", ");
  put_columns(sql, table, ALL, ", ", "");
  rille_buffer_text(sql, ") values (?");
  for (size_t i = 0; i < table->count; i++)
    rille_buffer_text(sql, ", ?");
  rille_buffer_text(sql, ") on conflict (");
  put_whose(sql, table);
  rille_buffer_text(sql, ", ");
  put_columns(sql, table, OF_KEY, ", ", "");
  rille_buffer_text(sql, table->keys < table->count ? ") do update set " : ") do nothing");
  for (size_t i = 0; i < table->count; i++)
    if (!table->columns[i].key) {
      rille_buffer_text(sql, first ? "" : ", ");
      rille_buffer_name(sql, table->columns[i].name);
      rille_buffer_text(sql, " = excluded.");
      rille_buffer_name(sql, table->columns[i].name);
      first = false;
    }
}

static void
write_remove(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "delete from ");
  rille_buffer_name(sql, table->name);
  rille_buffer_text(sql, " where ");
  put_whose(sql, table);
  rille_buffer_text(sql, " = ? and ");
  put_columns(sql, table, OF_KEY, " and ", " = ?");
}

static void
write_find(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "select ");
  put_columns(sql, table, ALL, ", ", "");
  rille_buffer_text(sql, " from ");
  rille_buffer_name(sql, table->name);
  rille_buffer_text(sql, " where ");
  put_columns(sql, table, OF_KEY, " and ", " = ?");
}

static void
write_read(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "select ");
  put_columns(sql, table, ALL, ", ", "");
  rille_buffer_text(sql, " from ");
  rille_buffer_name(sql, table->name);
}

/* Only what came from one source. */
static void
put_of_one(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, " where ");
  put_whose(sql, table);
  rille_buffer_text(sql, " = ?");
}

static void
write_read_one(rille_buffer *sql, const rille_mirror_table *table)
{
  write_read(sql, table);
  put_of_one(sql, table);
}

static void
write_clear(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "delete from ");
  rille_buffer_name(sql, table->name);
  put_of_one(sql, table);
}

/* update t set whose = ?2 where whose = ?1 */
static void
write_rename(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "update ");
  rille_buffer_name(sql, table->name);
  rille_buffer_text(sql, " set ");
  put_whose(sql, table);
  rille_buffer_text(sql, " = ?2 where ");
  put_whose(sql, table);
  rille_buffer_text(sql, " = ?1");
}

static void
write_create(rille_buffer *sql, const rille_mirror_table *table)
{
  rille_buffer_text(sql, "create table ");
  rille_buffer_name(sql, table->name);
  rille_buffer_text(sql, " (");
  put_whose(sql, table);
  rille_buffer_text(sql, " TEXT not null");
  for (size_t i = 0; i < table->count; i++) {
    rille_buffer_text(sql, ", ");
    rille_buffer_name(sql, table->columns[i].name);
    rille_buffer_byte(sql, ' ');
    rille_buffer_add(sql, table->columns[i].declared.at, table->columns[i].declared.len);
  }
  rille_buffer_text(sql, ", primary key (");
  put_whose(sql, table);
  rille_buffer_text(sql, ", ");
  put_columns(sql, table, OF_KEY, ", ", "");
  rille_buffer_text(sql, "))");
}

void
rille_mirror_table_update(const rille_mirror_table *table, rille_buffer *sql)
{
  bool first = true;

  rille_buffer_text(sql, "update ");
  rille_buffer_name(sql, table->name);
  for (size_t i = 0; i < table->count; i++)
    if (table->given[i] && !table->columns[i].key) {
      rille_buffer_text(sql, first ? " set " : ", ");
      rille_buffer_name(sql, table->columns[i].name);
      rille_buffer_text(sql, " = ?");
      first = false;
    }
  rille_buffer_text(sql, " where ");
  put_whose(sql, table);
  rille_buffer_text(sql, " = ? and ");
  put_columns(sql, table, OF_KEY, " and ", " = ?");
}

/* The SQL that `write` writes, in the arena; NULL when memory ran out. */
static const char *
sql_of(const rille_mirror_table *table, rille_arena *arena, void (*write)(rille_buffer *, const rille_mirror_table *))
{
  rille_buffer sql;
  const char *text;

  rille_buffer_init(&sql, 1 << 20);
  write(&sql, table);
  text = rille_buffer_ok(&sql) ? rille_arena_copy(arena, rille_buffer_str(&sql)).at : NULL;
  rille_buffer_release(&sql);
  return text;
}

static void
read_columns(rille_change_reader *reader, rille_mirror_table *table, rille_arena *arena)
{
  for (size_t i = 0; i < table->count; i++) {
    rille_mirror_column *column = &table->columns[i];

    column->name = rille_arena_copy(arena, rille_change_text(reader));
    column->declared = rille_arena_copy(arena, rille_change_text(reader));
    column->key = rille_change_number(reader) != 0;
    table->keys += column->key;
    if (column->name.len == 6 && strncasecmp(column->name.at, "source", 6) == 0)
      table->whose = "mirror_source";
  }
}

rille_status
rille_mirror_table_read(rille_change_reader *reader, rille_arena *arena, rille_mirror_table **out, rille_fault *fault)
{
  const char *from = reader->at;
  rille_mirror_table *table = rille_arena_get(arena, sizeof *table);

  if (table == NULL)
    return rille_fault_no_memory(fault);
  table->whose = "source";
  table->name = rille_arena_copy(arena, rille_change_text(reader));
  table->count = (size_t)rille_change_number(reader);
  if (table->count > (size_t)(reader->end - reader->at)) /* each takes some bytes */
    reader->bad = true;
  table->columns = reader->bad ? NULL : rille_arena_get(arena, table->count * sizeof *table->columns);
  table->cells = reader->bad ? NULL : rille_arena_get(arena, (4 * table->count + 3) * sizeof *table->cells);
  table->given = reader->bad ? NULL : rille_arena_get(arena, table->count * sizeof *table->given);
  if (table->cells != NULL) {
    table->key = table->cells + table->count + 1;
    table->values = table->key + table->count + 1;
  }
  if (table->columns != NULL)
    read_columns(reader, table, arena);
  if (reader->bad || table->keys == 0)
    return rille_arena_ok(arena) ? rille_fault_set(fault, RILLE_CORRUPT, "the outbox holds what is no change of a row")
                                 : rille_fault_no_memory(fault);
  table->layout = rille_arena_copy(arena, (rille_str){ from, (size_t)(reader->at - from) });
  table->put = sql_of(table, arena, write_put);
  table->remove = sql_of(table, arena, write_remove);
  table->find = sql_of(table, arena, write_find);
  table->read = sql_of(table, arena, write_read);
  table->read_one = sql_of(table, arena, write_read_one);
  if (!rille_arena_ok(arena) || table->put == NULL || table->remove == NULL || table->find == NULL ||
      table->read == NULL || table->read_one == NULL)
    return rille_fault_no_memory(fault);
  *out = table;
  return RILLE_OK;
}

/* -- in the mirror --------------------------------------------------------------------------------------- */

static rille_status
change_schema(rille_connection *target, const char *sql, rille_fault *fault)
{
  rille_status status = rille_era_before_change(target, fault);

  return status == RILLE_OK ? rille_aside_run(target, sql, NULL, 0, fault) : status;
}

static rille_status
make_table(rille_connection *target, const rille_mirror_table *table, rille_arena *arena, rille_fault *fault)
{
  const char *sql = sql_of(table, arena, write_create);

  return sql != NULL ? change_schema(target, sql, fault) : rille_fault_no_memory(fault);
}

/* That rows are mirrored into the table, and whether a mirror made it. */
static rille_status
note_table(rille_connection *target, const rille_mirror_table *table, bool made, rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(table->name), rille_cell_int(made) };

  return rille_aside_run(target, "insert or ignore into \"rille_mirror_tables\" (\"name\", \"made\") values (?, ?)",
                         values, 2, fault);
}

static rille_status
lacks(rille_connection *target, const rille_mirror_table *table, rille_str column, bool *out, rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(table->name), rille_cell_text(column) };
  rille_cell one;
  rille_arena none;
  bool found;
  rille_status status;

  rille_arena_init(&none);
  status = rille_aside_row(target, "select 1 from pragma_table_info(?1) where lower(name) = lower(?2)", values, 2,
                           &none, &one, 1, &found, fault);
  *out = !found;
  return status;
}

/* A column more; only where the table is a mirror's own. */
static rille_status
add_column(rille_connection *target, const rille_mirror_table *table, const rille_mirror_column *column,
           rille_fault *fault)
{
  const rille_cell name = rille_cell_text(table->name);
  rille_cell one;
  rille_arena none;
  rille_buffer sql;
  bool ours;
  rille_status status;

  rille_arena_init(&none);
  status = rille_aside_row(target, "select 1 from \"rille_mirror_tables\" where \"name\" = ? and \"made\"", &name, 1,
                           &none, &one, 1, &ours, fault);
  if (status == RILLE_OK && (!ours || column->key)) {
    (void)rille_fault_set(fault, RILLE_NO_SUCH_COLUMN, "the mirror's table %s has no column %s",
                          rille_show(table->name).text, rille_show(column->name).text);
    rille_fault_hint(fault, "a mirrored table has the columns of its source, and \"%s\" before the key", table->whose);
    rille_fault_place(fault, table->name.at, column->name.at, NULL);
    return RILLE_NO_SUCH_COLUMN;
  }
  if (status != RILLE_OK)
    return status;
  rille_buffer_init(&sql, 1 << 16);
  rille_buffer_text(&sql, "alter table ");
  rille_buffer_name(&sql, table->name);
  rille_buffer_text(&sql, " add column ");
  rille_buffer_name(&sql, column->name);
  rille_buffer_byte(&sql, ' ');
  rille_buffer_add(&sql, column->declared.at, column->declared.len);
  status = rille_buffer_ok(&sql) ? change_schema(target, rille_buffer_str(&sql).at, fault)
                                 : rille_fault_no_memory(fault);
  rille_buffer_release(&sql);
  return status;
}

/* Is the table there as its source has it, without rows, and nothing hangs on it?  Somebody ran the statements of the
** source in the mirror, too. */
static rille_status
is_vacant(rille_connection *target, const rille_mirror_table *table, bool *out, rille_fault *fault)
{
  const rille_cell values[] = { rille_cell_text(table->name), rille_cell_int((int64_t)table->count),
                                rille_cell_int(INDEXES_MAX) };
  rille_cell one;
  rille_arena none;
  rille_buffer sql;
  bool missing = false;
  rille_status status = RILLE_OK;

  *out = false;
  for (size_t i = 0; i < table->count && status == RILLE_OK && !missing; i++)
    status = lacks(target, table, table->columns[i].name, &missing, fault);
  if (status != RILLE_OK || missing)
    return status;
  rille_arena_init(&none);
  rille_buffer_init(&sql, 1 << 16);
  rille_buffer_text(&sql, "select 1 where (select count(*) from pragma_table_xinfo(?1)) = ?2 and not exists "
                          "(select 1 from ");
  rille_buffer_name(&sql, table->name);
  rille_buffer_text(&sql, ") and not exists (select 1 from sqlite_schema where tbl_name = ?1 collate nocase and "
                          "(type = 'trigger' or sql like 'create virtual%')) and not exists (select 1 from "
                          "sqlite_schema s, pragma_foreign_key_list(s.name) f where f.\"table\" = ?1 collate nocase) "
                          "and (select count(*) from sqlite_schema where type = 'index' and "
                          "tbl_name = ?1 collate nocase) <= ?3");
  status = rille_buffer_ok(&sql)
             ? rille_aside_row(target, rille_buffer_str(&sql).at, values, 3, &none, &one, 1, out, fault)
             : rille_fault_no_memory(fault);
  rille_buffer_release(&sql);
  return status;
}

/* Makes such a table anew as a mirror has it, with its indexes but those that are unique: rows of two sources may be
** alike. */
static rille_status
remake_table(rille_connection *target, const rille_mirror_table *table, rille_arena *arena, rille_fault *fault)
{
  rille_cell values[] = { rille_cell_text(table->name), rille_cell_int(0) }, indexes[INDEXES_MAX];
  size_t count = 0;
  bool found = true;
  rille_buffer sql;
  rille_status status = RILLE_OK;

  while (status == RILLE_OK && found && count < INDEXES_MAX) {
    values[1] = rille_cell_int((int64_t)count);
    status = rille_aside_row(target,
                             "select sql from sqlite_schema where type = 'index' and tbl_name = ?1 collate nocase and "
                             "sql not like 'create unique%' order by name limit 1 offset ?2",
                             values, 2, arena, &indexes[count], 1, &found, fault);
    count += status == RILLE_OK && found;
  }
  rille_buffer_init(&sql, 1 << 16);
  rille_buffer_text(&sql, "drop table ");
  rille_buffer_name(&sql, table->name);
  if (status == RILLE_OK)
    status = rille_buffer_ok(&sql) ? change_schema(target, rille_buffer_str(&sql).at, fault)
                                   : rille_fault_no_memory(fault);
  rille_buffer_release(&sql);
  if (status == RILLE_OK)
    status = make_table(target, table, arena, fault);
  for (size_t i = 0; i < count && status == RILLE_OK; i++)
    status = change_schema(target, indexes[i].as.text.at, fault);
  return status;
}

rille_status
rille_mirror_table_ensure(rille_connection *target, rille_mirror_table *table, rille_arena *arena, rille_fault *fault)
{
  const rille_cell name = rille_cell_text(table->name);
  const rille_mirror_column whose = { .name = rille_str_of(table->whose), .key = true };
  rille_cell one;
  bool found = false, missing = false, vacant = false;
  rille_status status = rille_aside_row(target, "select 1 from sqlite_schema where type = 'table' and name = ?", &name,
                                        1, arena, &one, 1, &found, fault);

  if (status == RILLE_OK && !found)
    status = make_table(target, table, arena, fault);
  else if (status == RILLE_OK)
    status = lacks(target, table, whose.name, &missing, fault);
  if (status == RILLE_OK && missing)
    status = is_vacant(target, table, &vacant, fault);
  if (status == RILLE_OK && vacant)
    status = remake_table(target, table, arena, fault);
  else if (status == RILLE_OK && missing)
    status = add_column(target, table, &whose, fault);
  for (size_t i = 0; i < table->count && status == RILLE_OK && found; i++) {
    status = lacks(target, table, table->columns[i].name, &missing, fault);
    if (status == RILLE_OK && missing)
      status = add_column(target, table, &table->columns[i], fault);
  }
  if (status == RILLE_OK)
    status = note_table(target, table, !found || vacant, fault);
  table->there = status == RILLE_OK;
  return status;
}

rille_status
rille_mirror_table_rename(rille_connection *target, const rille_mirror_table *table, rille_arena *arena,
                          const rille_cell names[2], rille_fault *fault)
{
  const char *sql = sql_of(table, arena, write_rename);

  return sql != NULL ? rille_aside_run(target, sql, names, 2, fault) : rille_fault_no_memory(fault);
}

rille_status
rille_mirror_table_clear(rille_connection *target, const rille_mirror_table *table, rille_arena *arena,
                         const rille_cell *source, rille_fault *fault)
{
  const char *sql = sql_of(table, arena, write_clear);

  return sql != NULL ? rille_aside_run(target, sql, source, 1, fault) : rille_fault_no_memory(fault);
}
