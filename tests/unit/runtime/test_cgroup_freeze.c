/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/cgroup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "runtime/cgroup/driver.h"

/* A hierarchy that only remembers: when freezing fails, some processes have stopped all the same. */
static bool frozen;
static int outcome;

static int fake_set_frozen(const struct cgroup_node *n, bool wanted, struct error *err)
{
	frozen = wanted;
	return wanted && outcome ? error_num(err, outcome, "cannot freeze") : 0;
}

static int fake_get_frozen(const struct cgroup_node *n, bool *ret_frozen, struct error *err)
{
	*ret_frozen = frozen;
	return 0;
}

static const struct cgroup_driver fake = {
	.v2 = true,
	.set_frozen = fake_set_frozen,
	.get_frozen = fake_get_frozen,
};

static struct cgroup_node node = { .driver = &fake, .dir_fd = 0 };
static const struct cgroup cgroup = { .nodes = &node, .n = 1 };

static void test_what_cannot_be_frozen_is_left_running(void **state)
{
	struct error err = { 0 };

	frozen = false;
	outcome = ETIMEDOUT;
	assert_int_equal(cgroup_freeze(&cgroup, &err), -ETIMEDOUT);
	assert_string_equal(err.msg, "cannot freeze");
	assert_false(frozen);
}

static void test_what_is_frozen_stays_until_it_is_thawed(void **state)
{
	struct error err = { 0 };

	frozen = false;
	outcome = 0;
	assert_int_equal(cgroup_freeze(&cgroup, &err), 0);
	assert_true(frozen);
	assert_int_equal(cgroup_thaw(&cgroup, &err), 0);
	assert_false(frozen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_cannot_be_frozen_is_left_running),
		cmocka_unit_test(test_what_is_frozen_stays_until_it_is_thawed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
