/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/capability.h"
#include "kernel/rlimit.h"

static void test_names_and_numbers_agree(void **state)
{
	for (unsigned i = 0; i < CAPABILITY_COUNT; i++) {
		const char *name = capability_name(i);

		assert_non_null(name);
		assert_int_equal(capability_parse(name, strlen(name)), (int)i);
		assert_int_equal(capability_parse(name + 4, strlen(name) - 4), (int)i);
	}
	assert_null(capability_name(CAPABILITY_COUNT));
	assert_int_equal(CAP_LAST_CAP + 1, CAPABILITY_COUNT);
}

static void test_names_in_any_case_and_length(void **state)
{
	assert_int_equal(capability_parse("cap_Net_Raw", 11), CAP_NET_RAW);
	assert_int_equal(capability_parse("net_raw,", 7), CAP_NET_RAW);
	assert_int_equal(capability_parse("bpf", 3), CAP_BPF);
}

static void test_other_words_are_no_capability(void **state)
{
	assert_int_equal(capability_parse("", 0), -1);
	assert_int_equal(capability_parse("CAP_", 4), -1);
	assert_int_equal(capability_parse("CAP_CAP_KILL", 12), -1);
	assert_int_equal(capability_parse("KILLS", 5), -1);
	assert_int_equal(capability_parse("KIL", 3), -1);
	assert_int_equal(capability_parse("ALL", 3), -1);
}

static void test_the_kernel_knows_a_prefix_of_bits(void **state)
{
	uint64_t known = capability_known();

	assert_true(known & CAPABILITY_BIT(CAP_CHOWN));
	assert_int_equal(known & (known + 1), 0);
	assert_int_equal(capability_bounding_get() & ~known, 0);
}

/* In a child: what is dropped stays dropped. */
static void test_sets_shrink_as_told(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct capability_sets s;

		if (capability_get(&s) < 0)
			_exit(1);
		s.effective &= ~CAPABILITY_BIT(CAP_KILL);
		if (capability_set(&s) < 0)
			_exit(2);
		if (capability_get(&s) < 0 || (s.effective & CAPABILITY_BIT(CAP_KILL)))
			_exit(3);
		if (s.effective & CAPABILITY_BIT(CAP_SETPCAP)) {
			if (capability_bounding_limit(CAPABILITY_BIT(CAP_CHOWN)) < 0)
				_exit(4);
			if (capability_bounding_get() & ~CAPABILITY_BIT(CAP_CHOWN))
				_exit(5);
		}
		s.effective = s.permitted = s.inheritable = 0;
		if (capability_set(&s) < 0 || capability_ambient_set(0) < 0)
			_exit(6);
		if (capability_ambient_get() != 0)
			_exit(7);
		/* nothing to drop: no capability is needed to keep it so */
		if (capability_bounding_limit(capability_bounding_get()) < 0)
			_exit(8);
		_exit(capability_bounding_get() && capability_bounding_limit(0) >= 0 ? 9 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_rlimit_names_and_docker_words(void **state)
{
	assert_int_equal(rlimit_parse("RLIMIT_NOFILE", 13), 7);
	assert_int_equal(rlimit_parse("nofile", 6), 7);
	assert_int_equal(rlimit_parse("nofile=5", 6), 7);
	assert_int_equal(rlimit_parse("nofiles", 7), -1);
	assert_int_equal(rlimit_parse("", 0), -1);
	assert_string_equal(rlimit_name(7), "RLIMIT_NOFILE");
	assert_null(rlimit_name(16));
	assert_null(rlimit_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_numbers_agree),
		cmocka_unit_test(test_names_in_any_case_and_length),
		cmocka_unit_test(test_other_words_are_no_capability),
		cmocka_unit_test(test_the_kernel_knows_a_prefix_of_bits),
		cmocka_unit_test(test_sets_shrink_as_told),
		cmocka_unit_test(test_rlimit_names_and_docker_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
