/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include <signal.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/container_config.h"
#include "engine/ps_text.h"
#include "engine/signal_name.h"

static void test_signals_have_names_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(signal_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signal_parse("kill"), SIGKILL);
	assert_int_equal(signal_parse("10"), SIGUSR1);
	assert_int_equal(signal_parse("RTMIN+3"), 37);
	assert_int_equal(signal_parse("SIGRTMAX"), 64);
	assert_int_equal(signal_parse("0"), -1);
	assert_int_equal(signal_parse("65"), -1);
	assert_int_equal(signal_parse("NOPE"), -1);
	assert_int_equal(signal_parse("RTMIN+99"), -1);
}

static void test_ulimits_are_pairs(void **state)
{
	struct oci_rlimit limit;
	struct error err;

	(void)state;
	assert_int_equal(ulimit_parse("nofile=1024:2048", &limit, &err), 0);
	assert_int_equal(limit.soft, 1024);
	assert_int_equal(limit.hard, 2048);
	assert_int_equal(ulimit_parse("core=-1", &limit, &err), 0);
	assert_true(limit.hard == UINT64_MAX);
	assert_true(ulimit_parse("nofile=2:1", &limit, &err) < 0);
	assert_non_null(strstr(err.msg, "soft limit must be less than or equal to hard limit"));
	assert_true(ulimit_parse("what=1", &limit, &err) < 0);
	assert_string_equal(err.msg, "invalid ulimit type: what");
	assert_true(ulimit_parse("nofile=99999999999999999999999999999999999:1", &limit, &err) < 0);
}

static void test_env_takes_values_from_the_environment(void **state)
{
	char *words[] = { (char *)"A=1", (char *)"B", (char *)"C", (char *)"A=2", NULL };
	char *environment[] = { (char *)"B=from outside", NULL };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const char *const *env;
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(env_words_parse(NULL, words, environment, arena, &env, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(env[0], "A=2");
	assert_string_equal(env[1], "B=from outside");
}

static void test_ps_lines_of_the_container_are_kept(void **state)
{
	char text[] = "UID          PID    PPID CMD\n"
		      "root           1       0 /sbin/init splash\n"
		      "root          42       1 sh -c  sleep 9\n";
	struct engine_top top = { .arena = arena_new() };
	const pid_t pids[] = { 42 };
	struct error err;

	(void)state;
	assert_int_equal(ps_text_parse(text, pids, 1, &top, &err), 0);
	assert_int_equal(top.n_titles, 4);
	assert_int_equal(top.n_rows, 1);
	assert_string_equal(top.rows[0][1], "42");
	assert_string_equal(top.rows[0][3], "sh -c  sleep 9");
	arena_free(top.arena);
}

static void test_ps_without_pids_is_refused(void **state)
{
	char text[] = "COMMAND\nsh\n";
	struct engine_top top = { .arena = arena_new() };
	struct error err;

	(void)state;
	assert_true(ps_text_parse(text, NULL, 0, &top, &err) < 0);
	assert_string_equal(err.msg, "Couldn't find PID field in ps output");
	arena_free(top.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_have_names_and_numbers),
		cmocka_unit_test(test_ulimits_are_pairs),
		cmocka_unit_test(test_env_takes_values_from_the_environment),
		cmocka_unit_test(test_ps_lines_of_the_container_are_kept),
		cmocka_unit_test(test_ps_without_pids_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
