/* spec/core/stop_test.c - a request to stop stays until it is cleared, and may come from a signal handler. */
#include "spec/support/spec.h"

#include <signal.h>

#include "core/base/stop.h"

static void
is_not_requested_at_first(void **state)
{
  (void)state;
  assert_false(rille_stop_requested());
}

static void
stays_requested_until_it_is_cleared(void **state)
{
  (void)state;
  rille_stop_request();
  assert_true(rille_stop_requested());
  rille_stop_request();
  assert_true(rille_stop_requested());
  rille_stop_clear();
  assert_false(rille_stop_requested());
}

static void
on_signal(int number)
{
  (void)number;
  rille_stop_request();
}

static void
can_be_requested_by_a_signal_handler(void **state)
{
  (void)state;
  assert_true(signal(SIGUSR1, on_signal) != SIG_ERR);
  assert_int_equal(raise(SIGUSR1), 0);
  assert_true(rille_stop_requested());
  rille_stop_clear();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(is_not_requested_at_first),
    cmocka_unit_test(stays_requested_until_it_is_cleared),
    cmocka_unit_test(can_be_requested_by_a_signal_handler),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
