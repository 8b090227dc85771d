/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "monitor/exit_file.h"
#include "monitor/oom.h"

static char path[64];

static int set_up(void **state)
{
	(void)snprintf(path, sizeof(path), "/tmp/berth-test-exit-%d.json", (int)getpid());
	return 0;
}

static int tear_down(void **state)
{
	(void)unlink(path);
	return 0;
}

static void test_what_is_written_is_read_back(void **state)
{
	const struct monitor_exit status = { .code = 137,
					     .signal = 9,
					     .pid = 4711,
					     .oom_killed = 1,
					     .started_ns = INT64_C(1795305126157562718),
					     .finished_ns = INT64_C(1795305127000000000),
					     .log_errors = 3 };
	struct monitor_exit read = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(exit_file_write(path, &status, &err), 0);
	assert_int_equal(exit_file_read(path, &read, &err), 0);
	assert_memory_equal(&read, &status, sizeof(status));
}

static void test_a_container_that_never_started_has_dockers_zero_time(void **state)
{
	const struct monitor_exit status = { .code = 1 };
	struct monitor_exit read = { 0 };
	struct error err;
	char *text;

	(void)state;
	assert_int_equal(exit_file_write(path, &status, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, path, 4096, &text, NULL, &err), 0);
	assert_non_null(strstr(text, "\"startedAt\":\"0001-01-01T00:00:00Z\""));
	free(text);
	assert_int_equal(exit_file_read(path, &read, &err), 0);
	assert_int_equal(read.started_ns, 0);
}

static void test_no_file_is_enoent(void **state)
{
	struct monitor_exit read;
	struct error err;

	(void)state;
	assert_int_equal(exit_file_read(path, &read, &err), -ENOENT);
}

static void test_broken_files_are_invalid(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "{}",
					   "{\"exitCode\":\"1\"}",
					   "{\"exitCode\":1,\"startedAt\":\"today\"}",
					   "{\"exitCode\":99999999999}" };
	struct monitor_exit read = { .code = 42 };
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(file_write_atomic(AT_FDCWD, path, bad[i], strlen(bad[i]), 0600, 0,
						   &err),
				 0);
		assert_true(exit_file_read(path, &read, &err) < 0);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_int_equal(read.code, 42);
	}
}

static void test_oom_kills_are_found_in_both_formats(void **state)
{
	static const struct {
		const char *text;
		bool oom;
	} cases[] = {
		{ "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n", true },
		{ "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n", false },
		{ "oom_kill_disable 1\nunder_oom 0\noom_kill 12\n", true },
		{ "oom_kill_disable 1\nunder_oom 1\noom_kill 0\n", false },
		{ "", false },
		{ "oom_kill ", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(oom_in_text(cases[i].text), cases[i].oom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_what_is_written_is_read_back, tear_down),
		cmocka_unit_test_teardown(test_a_container_that_never_started_has_dockers_zero_time,
					  tear_down),
		cmocka_unit_test_teardown(test_no_file_is_enoent, tear_down),
		cmocka_unit_test_teardown(test_broken_files_are_invalid, tear_down),
		cmocka_unit_test(test_oom_kills_are_found_in_both_formats),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
