/* spec/host/hooked.c - models in memory, and what is asked of them in Lua. */
#include "spec/host/hooked.h"

enum { INSTRUCTIONS = 2000000 };

static const char MODELS[] =
  "rille.connect ':memory:'\n"
  "rille.db():execute([[create table posts (id integer primary key, title text, slug text, meta text,\n"
  "  author_id integer)]])\n"
  "rille.db():execute 'create table authors (id integer primary key, name text)'\n"
  "rille.model 'Author' {}\n"
  "rille.model 'Post' {\n"
  "  hooks = { creating = function(post) post.slug = (post.slug or '') .. 'lua ' end },\n"
  "  relations = { author = rille.belongs_to 'Author' },\n"
  "  casts = { meta = 'json' },\n"
  "  accessors = { loud = function(post) return post.title:upper() end },\n"
  "  mutators = { title = function(_, title) return title:gsub('^%s+', '') end },\n"
  "}\n"
  "function _G.count() return Post:count() end\n"
  "function _G.make(title) return Post:create { title = title } end\n";

rille_value *
hooked_run(rille_host *host, const char *source)
{
  rille_error err = { 0 };
  rille_value *result = rille_do(host, source, "spec", NULL, 0, &err);

  if (result == NULL)
    print_error("%s: %s\n%s\n", err.kind, err.message, err.traceback);
  assert_non_null(result);
  return result;
}

rille_error
hooked_error_of(rille_host *host, const char *source)
{
  rille_error err = { 0 };

  assert_null(rille_do(host, source, "spec", NULL, 0, &err));
  assert_string_not_equal(err.message, "");
  return err;
}

void
hooked_text(rille_host *host, const char *source, const char *wanted)
{
  rille_value *result = hooked_run(host, source);

  assert_string_equal(rille_as_text(result), wanted);
  rille_free(result);
}

void
hooked_count(rille_host *host, int64_t wanted)
{
  rille_value *result = hooked_run(host, "return count()");

  assert_int_equal(rille_as_int(result), wanted);
  rille_free(result);
}

int
hooked_open(void **state)
{
  *state = rille_open(&(rille_options){ .instructions = INSTRUCTIONS }, NULL);
  assert_non_null(*state);
  rille_free(hooked_run(*state, MODELS));
  return 0;
}

int
hooked_close(void **state)
{
  rille_close(*state);
  return 0;
}

int
hooked_run_text(rille_host *host, rille_value *record, void *data, rille_error *err)
{
  rille_value *result = rille_do(host, (const char *)data, "inner", record, 1, err);
  int outcome = result ? 0 : -1;

  rille_free(result);
  return outcome;
}
