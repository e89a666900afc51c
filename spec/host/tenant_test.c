/* spec/host/tenant_test.c - whose rows the calls of a host see. */
#include "spec/host/hosted.h"

static const char *const TABLES =
  "local rille = require 'rille' rille.connect ':memory:' "
  "rille.schema():create('posts', function(t) t:id() t:string 'org_id' t:string 'title' end) "
  "rille.model 'Post' { tenant_column = 'org_id', methods = {} } return true";

static int
open_host(void **state)
{
  return hosted_open(state, TABLES);
}

static int64_t
count(rille_host *host)
{
  rille_error err = { 0 };
  rille_value *result = rille_call(host, "Post:count", NULL, 0, &err);
  int64_t rows = result != NULL ? rille_as_int(result) : -1;

  rille_free(result);
  return rows;
}

static void
limits_calls_to_its_rows(void **state)
{
  rille_error err = { 0 };

  assert_true(rille_tenant_enter(*state, "acme", &err));
  hosted_add(*state, "of acme");
  assert_int_equal(count(*state), 1);
  assert_true(rille_tenant_enter(*state, "other", &err));
  assert_int_equal(count(*state), 0);
  rille_tenant_leave(*state);
  assert_int_equal(count(*state), 1);
  rille_tenant_leave(*state);
  assert_int_equal(count(*state), -1);
  rille_tenant_leave(*state);
}

/* What a script sets ends with its call, however that ends. */
static void
holds_again_with_each_call(void **state)
{
  static const char *const SCRIPTS[] = {
    "require 'rille'.tenant.set 'other' error 'oops'",
    "require 'rille'.tenant.set 'other' return true",
    "require 'rille'.tenant.clear() return true",
  };
  rille_error err = { 0 };

  assert_true(rille_tenant_enter(*state, "acme", &err));
  hosted_add(*state, "of acme");
  for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
    rille_free(rille_do(*state, SCRIPTS[i], "script", NULL, 0, &err));
    assert_int_equal(count(*state), 1);
  }
  assert_true(rille_tenant_enter(*state, "other", &err));
  rille_free(rille_do(*state, "require 'rille'.tenant.set 'acme' return true", "script", NULL, 0, &err));
  assert_int_equal(count(*state), 0);
  rille_tenant_leave(*state);
  assert_int_equal(count(*state), 1);
  rille_tenant_leave(*state);
  rille_free(rille_do(*state, "require 'rille'.tenant.set 'acme' return true", "script", NULL, 0, &err));
  assert_int_equal(count(*state), 1);
}

static void
is_wanted(void **state)
{
  rille_error err = { 0 };

  assert_null(rille_call(*state, "Post:all", NULL, 0, &err));
  assert_string_equal(err.kind, "tenant_required");
}

static void
may_be_an_id(void **state)
{
  rille_error err = { 0 };

  assert_true(rille_tenant_enter_id(*state, rille_text("ACME Ltd."), NULL, &err));
  hosted_add(*state, "of acme");
  assert_int_equal(count(*state), 1);
  rille_tenant_leave(*state);
  assert_false(rille_tenant_enter_id(*state, rille_null(), NULL, &err));
  assert_string_equal(err.kind, "invalid_argument");
  assert_int_equal(count(*state), -1);
}

static void
refuses_what_is_no_slug(void **state)
{
  static const char *const slugs[] = { "", "../x", "a/b", "Acme", "\xd0\xb0" };

  for (size_t i = 0; i < sizeof slugs / sizeof slugs[0]; i++) {
    rille_error err = { 0 };

    assert_false(rille_tenant_enter(*state, slugs[i], &err));
    assert_string_equal(err.kind, "invalid_argument");
    assert_int_equal(count(*state), -1);
  }
  assert_false(rille_tenant_enter(*state, NULL, NULL));
  assert_false(rille_tenant_enter(NULL, "acme", NULL));
  rille_tenant_leave(NULL);
}

/* Calls what is no tenant's business: a scope that is left in the middle of a call does not stay behind. */
static void
is_the_one_of_lua(void **state)
{
  rille_error err = { 0 };
  rille_value *slug;

  assert_true(rille_tenant_enter(*state, "acme", &err));
  rille_free(rille_do(*state, "require 'rille'.tenant.run('other', error, 'x')", "spec", NULL, 0, &err));
  slug = rille_do(*state, "return require 'rille'.tenant.current().slug", "spec", NULL, 0, &err);
  assert_string_equal(rille_as_text(slug), "acme");
  rille_free(slug);
  rille_tenant_leave(*state);
}

static void
is_the_one_of_a_request(void **state)
{
  rille_field acme[] = { { "host", rille_text("acme.example.com:80") } };
  rille_field none[] = { { "host", rille_text("www.example.com") } };
  rille_value request = rille_table(acme, 1);
  rille_error err = { 0 };
  rille_value *tenant;

  rille_free(rille_do(*state,
                      "local resolver = require 'rille'.tenant.resolver { subdomain = 'example.com' } "
                      "package.loaded.requests = { tenant = function(request) return resolver:resolve(request) end }",
                      "spec", NULL, 0, &err));
  tenant = rille_call(*state, "requests.tenant", &request, 1, &err);
  assert_non_null(tenant);
  assert_true(rille_tenant_enter_id(*state, *rille_get(tenant, "id"), rille_as_text(rille_get(tenant, "slug")), &err));
  rille_free(tenant);
  hosted_add(*state, "of acme");
  rille_tenant_leave(*state);
  request = rille_table(none, 1);
  assert_null(rille_call(*state, "requests.tenant", &request, 1, &err));
  assert_string_equal(err.kind, "tenant_required");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(limits_calls_to_its_rows, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(holds_again_with_each_call, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(is_wanted, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(may_be_an_id, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(refuses_what_is_no_slug, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(is_the_one_of_lua, open_host, hosted_close),
    cmocka_unit_test_setup_teardown(is_the_one_of_a_request, open_host, hosted_close),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
