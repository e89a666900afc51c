/* spec/host/hosted.c - the host is what *state is. */
#include "spec/host/hosted.h"

int
hosted_open(void **state, const char *source)
{
  rille_host *host = rille_open(&(rille_options){ .trusted = true }, NULL);
  rille_value *done = NULL;

  *state = host;
  if (host != NULL)
    done = rille_do(host, source, "tables", NULL, 0, NULL);
  rille_free(done);
  return done != NULL ? 0 : -1;
}

int
hosted_close(void **state)
{
  rille_close(*state);
  return 0;
}

void
hosted_add(rille_host *host, const char *title)
{
  rille_field fields[] = { { "title", rille_text(title) } };
  rille_value args[] = { rille_table(fields, 1) };
  rille_value *post = rille_call(host, "Post:create", args, 1, NULL);

  assert_non_null(post);
  rille_free(post);
}
