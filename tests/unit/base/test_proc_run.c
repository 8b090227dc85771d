/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/proc.h"

#define HUNG_MS 20000 /* what takes so long did not end by itself */

/* A shell line; -errno or its exit code. */
static int shell(const char *line, struct proc_run run, struct buf *output, struct error *err)
{
	const char *const argv[] = { "sh", "-c", line, NULL };
	struct proc_status status = { .code = -1 };
	int r;

	run.argv = argv;
	run.output_max = run.output_max ? run.output_max : 1 << 20;
	run.timeout_ms = run.timeout_ms ? run.timeout_ms : HUNG_MS;
	r = proc_run(&run, output, &status, err);
	return r < 0 ? r : status.code;
}

/* No child is left, running or as a zombie. */
static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_output_and_exit_code_come_back(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	(void)state;
	buf_puts(&out, "of the call before");
	assert_int_equal(shell("echo said; exit 3", (struct proc_run){ 0 }, &out, &err), 3);
	assert_string_equal(buf_str(&out), "said\n");
	assert_int_equal(shell(":", (struct proc_run){ 0 }, &out, &err), 0);
	assert_string_equal(buf_str(&out), "");
	assert_no_child();
}

static void test_a_missing_program_is_told(void **state)
{
	const char *const argv[] = { "berth-no-such-program", NULL };
	cleanup_buf struct buf out = { 0 };
	struct proc_status status;
	struct error err;

	(void)state;
	assert_int_equal(proc_run(&(struct proc_run){ .argv = argv }, &out, &status, &err),
			 -ENOENT);
	assert_int_equal(err.kind, ERROR_CMD_NOT_FOUND);
	assert_no_child();
}

static void test_stdin_is_empty_unless_given(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(shell("cat; echo end", (struct proc_run){ 0 }, &out, &err), 0);
	assert_string_equal(buf_str(&out), "end\n");
	assert_int_equal(
		shell("cat", (struct proc_run){ .input = "a\0b", .input_len = 3 }, &out, &err), 0);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
}

/* A pipe holds 64 KiB: here both sides would wait for each other. */
static void test_input_larger_than_a_pipe_goes_through(void **state)
{
	const size_t len = 3 << 20;
	cleanup_free char *input = xmalloc(len);
	struct proc_run run = { .input = input, .input_len = len, .output_max = len };
	cleanup_buf struct buf out = { 0 };
	struct error err;

	(void)state;
	for (size_t i = 0; i < len; i++)
		input[i] = (char)(i % 251);
	assert_int_equal(shell("cat", run, &out, &err), 0);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, input, len);
	/* nobody reads it, and nobody gets SIGPIPE */
	assert_int_equal(shell("exec <&-; echo no", run, &out, &err), 0);
	assert_string_equal(buf_str(&out), "no\n");
}

static void test_too_much_output_is_refused(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(shell("printf 12345678", (struct proc_run){ .output_max = 8 }, &out, &err),
			 0);
	assert_int_equal(shell("printf 123456789; exec sleep 60",
			       (struct proc_run){ .output_max = 8 }, &out, &err),
			 -EFBIG);
	assert_string_equal(err.msg, "'sh' says more than 8 bytes");
	assert_int_equal(shell("yes", (struct proc_run){ .output_max = 1 << 20 }, &out, &err),
			 -EFBIG);
	assert_no_child();
}

static void test_death_by_signal_is_told(void **state)
{
	const char *const argv[] = { "sh", "-c", "echo last; kill -TERM $$", NULL };
	cleanup_buf struct buf out = { 0 };
	struct proc_status status;
	struct error err;

	(void)state;
	assert_int_equal(proc_run(&(struct proc_run){ .argv = argv, .output_max = 100 }, &out,
				  &status, &err),
			 0);
	assert_int_equal(status.signal, SIGTERM);
	assert_string_equal(buf_str(&out), "last\n");
}

static void test_a_program_that_hangs_is_killed(void **state)
{
	cleanup_buf struct buf out = { 0 };
	int64_t began = clock_monotonic_ns();
	struct error err;

	(void)state;
	assert_int_equal(shell("trap '' TERM; echo x; exec sleep 60",
			       (struct proc_run){ .timeout_ms = 50 }, &out, &err),
			 -ETIMEDOUT);
	assert_string_equal(err.msg, "'sh' did not end within 50 ms");
	/* one that closed its output hangs as well */
	assert_int_equal(shell("exec sleep 60 >&-", (struct proc_run){ .timeout_ms = 50 }, &out,
			       &err),
			 -ETIMEDOUT);
	assert_in_range(clock_monotonic_ns() - began, 100000000, (int64_t)HUNG_MS * 1000000);
	assert_no_child();
}

/* A daemon that it started keeps the pipe open. */
static void test_what_it_left_behind_is_not_waited_for(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;
	int pid;

	(void)state;
	assert_int_equal(shell("sleep 60 & echo $!", (struct proc_run){ 0 }, &out, &err), 0);
	pid = atoi(buf_str(&out));
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void test_stderr_is_kept_or_goes_nowhere(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(shell("readlink /proc/self/fd/2", (struct proc_run){ 0 }, &out, &err), 0);
	assert_string_equal(buf_str(&out), "/dev/null\n");
	assert_int_equal(shell("[ /proc/self/fd/2 -ef /proc/$PPID/fd/2 ]",
			       (struct proc_run){ .keep_stderr = true }, &out, &err),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_exit_code_come_back),
		cmocka_unit_test(test_a_missing_program_is_told),
		cmocka_unit_test(test_stdin_is_empty_unless_given),
		cmocka_unit_test(test_input_larger_than_a_pipe_goes_through),
		cmocka_unit_test(test_too_much_output_is_refused),
		cmocka_unit_test(test_death_by_signal_is_told),
		cmocka_unit_test(test_a_program_that_hangs_is_killed),
		cmocka_unit_test(test_what_it_left_behind_is_not_waited_for),
		cmocka_unit_test(test_stderr_is_kept_or_goes_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
