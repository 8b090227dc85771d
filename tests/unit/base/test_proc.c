/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/proc.h"

/* Run a shell line with its stdout in buf; the exit code. */
static int shell(const char *line, const struct proc_fd *more, size_t n_more, char *buf,
		 size_t size)
{
	const char *argv[] = { "/bin/sh", "-c", line, NULL };
	struct proc_fd fds[4] = { { 0 } };
	struct proc_spawn spawn = { .argv = argv, .fds = fds };
	struct proc_status status;
	cleanup_fd int pidfd = -EBADF, out = -EBADF;
	struct error err;
	int pair[2];
	ssize_t n;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	out = pair[0];
	fds[spawn.n_fds++] = (struct proc_fd){ pair[1], 1 };
	for (size_t i = 0; i < n_more; i++)
		fds[spawn.n_fds++] = more[i];
	assert_int_equal(proc_spawn(&spawn, &pidfd, NULL, &err), 0);
	close(pair[1]);
	n = fd_read_full(out, buf, size - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	assert_int_equal(proc_wait(pidfd, &status, &err), 0);
	return status.code;
}

static void test_exit_code_and_output_come_back(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(shell("echo hello; exit 7", NULL, 0, out, sizeof(out)), 7);
	assert_string_equal(out, "hello\n");
}

static void test_death_by_signal_is_128_and_the_signal(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(shell("kill -9 $$", NULL, 0, out, sizeof(out)), 137);
}

static void test_only_mapped_descriptors_pass(void **state)
{
	char out[64];
	int leak = dup(0); /* without close-on-exec */

	(void)state;
	assert_true(leak >= 3);
	assert_int_equal(shell("echo /proc/self/fd/* | wc -w", NULL, 0, out, sizeof(out)), 0);
	close(leak);
	assert_int_equal(out[0], '4'); /* 0, 1, 2, and the directory the shell reads */
}

static void test_descriptors_may_be_swapped(void **state)
{
	struct proc_fd rows[2];
	char out[64];
	int a[2], b[2];

	(void)state;
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	assert_int_equal(write(a[1], "A\n", 2), 2);
	assert_int_equal(write(b[1], "B\n", 2), 2);
	close(a[1]);
	close(b[1]);
	rows[0] = (struct proc_fd){ a[0], b[0] };
	rows[1] = (struct proc_fd){ b[0], a[0] };
	(void)snprintf(out, sizeof(out), "cat <&%d; cat <&%d", a[0], b[0]);
	if (a[0] > 9 || b[0] > 9)
		skip(); /* more than one digit is not portable shell */
	assert_int_equal(shell(out, rows, 2, out, sizeof(out)), 0);
	assert_string_equal(out, "B\nA\n");
	close(a[0]);
	close(b[0]);
}

/* Signals 32 and 33 belong to the C library, which does not let us ignore them; the kernel does. */
static void ignore_reserved(bool ignore)
{
	uint64_t action[4] = { ignore ? (uintptr_t)SIG_IGN : (uintptr_t)SIG_DFL };

	for (int sig = 32; sig <= 33; sig++)
		assert_int_equal(syscall(SYS_rt_sigaction, sig, action, NULL, 8), 0);
}

static void test_ignored_and_blocked_signals_are_reset(void **state)
{
	sigset_t mask, old;
	char out[64];

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &mask, &old);
	(void)signal(SIGPIPE, SIG_IGN);
	ignore_reserved(true);
	assert_int_equal(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2 | tr -d '0\\n'",
			       NULL, 0, out, sizeof(out)),
			 0);
	assert_string_equal(out, "");
	ignore_reserved(false);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

static int spawn_and_ask_for_ignored(void)
{
	char out[64];

	ignore_reserved(true);
	if (shell("grep ^SigIgn /proc/self/status | cut -f2 | tr -d '0\\n'", NULL, 0, out,
		  sizeof(out)) != 0)
		return 2;
	return out[0] != '\0';
}

/* The line of ignored signals then lies behind what one read takes. */
static void test_ignored_signals_are_reset_with_many_groups(void **state)
{
	static gid_t groups[4000];
	int status = -1;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = (gid_t)(10000 + i);
	pid = fork();
	if (pid == 0)
		_exit(setgroups(ARRAY_SIZE(groups), groups) < 0 ? 3 : spawn_and_ask_for_ignored());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_becoming_a_program_keeps_the_pid_and_the_table(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", "set -- /proc/$$/fd/*; echo $$ $#", NULL };
	cleanup_fd int null_fd = open("/dev/null", O_RDONLY), out = -EBADF;
	char text[64], expected[64];
	struct error err;
	int pair[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(pair, 0), 0); /* inheritable: must not go along all the same */
	out = pair[0];
	pid = fork();
	if (pid == 0) {
		const struct proc_fd fds[] = { { null_fd, 0 }, { pair[1], 1 } };
		struct proc_spawn spawn = {
			.argv = argv, .fds = fds, .n_fds = 2, .flags = PROC_INHERIT_STDIO
		};

		(void)proc_become(&spawn, &err);
		_exit(99);
	}
	close(pair[1]);
	n = fd_read_full(out, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	(void)snprintf(expected, sizeof(expected), "%d 4\n", pid); /* one reads the directory */
	assert_string_equal(text, expected);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_becoming_a_missing_program_returns(void **state)
{
	const char *argv[] = { "/no/such", NULL };
	struct proc_spawn spawn = { .argv = argv, .flags = PROC_INHERIT_STDIO };
	struct error err;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(proc_become(&spawn, &err) == -ENOENT && err.kind == ERROR_CMD_NOT_FOUND ? 0
											      : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_a_missing_program_is_command_not_found(void **state)
{
	const char *argv[] = { "no-such-program-anywhere", NULL };
	struct proc_spawn spawn = { .argv = argv, .flags = PROC_SEARCH_PATH };
	struct error err;
	int pidfd;

	(void)state;
	assert_int_equal(proc_spawn(&spawn, &pidfd, NULL, &err), -ENOENT);
	assert_int_equal(err.kind, ERROR_CMD_NOT_FOUND);
	assert_non_null(strstr(err.msg, "no-such-program-anywhere"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left */
}

static void test_a_directory_is_command_not_runnable(void **state)
{
	const char *argv[] = { "/", NULL };
	struct proc_spawn spawn = { .argv = argv };
	struct error err;
	int pidfd;

	(void)state;
	assert_true(proc_spawn(&spawn, &pidfd, NULL, &err) < 0);
	assert_int_equal(err.kind, ERROR_CMD_NOT_RUNNABLE);
}

static void test_path_is_searched(void **state)
{
	const char *argv[] = { "true", NULL };
	struct proc_spawn spawn = { .argv = argv, .flags = PROC_SEARCH_PATH };
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	struct error err;

	(void)state;
	assert_int_equal(proc_spawn(&spawn, &pidfd, NULL, &err), 0);
	assert_int_equal(proc_wait(pidfd, &status, &err), 0);
	assert_int_equal(status.code, 0);
}

static void test_status_is_said_in_words(void **state)
{
	struct proc_status exited = proc_status_from(CLD_EXITED, 3);
	struct proc_status killed = proc_status_from(CLD_KILLED, SIGKILL);
	char text[PROC_STATUS_TEXT_MAX];

	(void)state;
	assert_string_equal(proc_status_text(&exited, text), "exit status 3");
	assert_string_equal(proc_status_text(&killed, text), "killed by signal 9 (SIGKILL)");
	assert_int_equal(killed.code, 137);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_code_and_output_come_back),
		cmocka_unit_test(test_death_by_signal_is_128_and_the_signal),
		cmocka_unit_test(test_only_mapped_descriptors_pass),
		cmocka_unit_test(test_descriptors_may_be_swapped),
		cmocka_unit_test(test_ignored_and_blocked_signals_are_reset),
		cmocka_unit_test(test_ignored_signals_are_reset_with_many_groups),
		cmocka_unit_test(test_becoming_a_program_keeps_the_pid_and_the_table),
		cmocka_unit_test(test_becoming_a_missing_program_returns),
		cmocka_unit_test(test_a_missing_program_is_command_not_found),
		cmocka_unit_test(test_a_directory_is_command_not_runnable),
		cmocka_unit_test(test_path_is_searched),
		cmocka_unit_test(test_status_is_said_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
